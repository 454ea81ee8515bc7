// The banner of an account recovery that waits, on every page of whoever it is about, with the way to stop it.

import { act } from "./act.js";
import { element, make } from "./dom.js";
import { onPress } from "./forms.js";
import { announce } from "./frame.js";
import { t } from "./texts.js";
import { minute } from "./words.js";

const CANCEL = `mutation CancelAccountRecovery($idempotencyKey: String) {
  cancelAccountRecovery(idempotencyKey: $idempotencyKey) { __typename } }`;
/** @type {Set<string>} When those began that were stopped here: an answer on its way may still tell of one. */
const stopped = new Set();

/** Show the banner, or take it away. @param {{startedAt: string, endsAt: string} | null} waiting */
export function showWaiting(waiting) {
  const notices = element(document, "#notices");
  notices.querySelector("[data-waiting]")?.remove();
  if (!waiting || stopped.has(waiting.startedAt)) return;
  const banner = make("section", "", "banner problem");
  banner.dataset.waiting = "";
  banner.setAttribute("aria-labelledby", "waiting-title");
  const told = make("div", "");
  const title = make("h2", t("Your MFA is reset on {time}", { time: minute(waiting.endsAt) }));
  title.id = "waiting-title";
  const region = make("p", "", "form-error");
  region.role = "alert";
  const why = t("Somebody who knows your password and opened an email to you asked for it. If that was not you, stop it, then change your password.");
  told.append(title, make("p", why), region);
  const stop = make("button", t("Stop it"), "primary");
  stop.type = "button";
  onPress(stop, banner, async () => {
    await act(CANCEL);
    stopped.add(waiting.startedAt);
    banner.remove();
    element(document, "#main").focus();
    announce(t("Stopped. Your MFA stays as it is."));
  });
  banner.append(told, stop);
  notices.prepend(banner);
}
