// The card of sessions: where the person is signed in, and how to end it.

import { act } from "./act.js";
import { button, clone, element, showRows } from "./dom.js";
import { announce } from "./frame.js";
import { onPress } from "./forms.js";
import { n, t } from "./texts.js";
import { device, minute } from "./words.js";

/** @typedef {import("./queries.js").Session} Session */

const END = `mutation EndSession($input: EndSessionInput!) { endSession(input: $input) { __typename } }`;
const END_OTHERS = `mutation SignOutOtherSessions($idempotencyKey: String) {
  signOutOtherSessions(idempotencyKey: $idempotencyKey) { count } }`;

/** Let "Sign out everywhere else" work. @param {() => void} changed */
export function beginSessions(changed) {
  const card = cardOf();
  onPress(button(card, "[data-end-others]"), card, async () => {
    const { count } = await act(END_OTHERS);
    announce(count ? n(count, "{count} other session ended.", "{count} other sessions ended.") : t("You are signed in nowhere else."));
    changed();
  });
}

/** Show them. @param {Session[]} sessions @param {() => void} changed */
export function showSessions(sessions, changed) {
  showRows(element(document, "#sessions"), sessions, (session) => row(session, changed));
}

/** @param {Session} session @param {() => void} changed */
function row(session, changed) {
  const item = element(clone("session"), "li");
  const name = element(item, ".device");
  name.id = `session-${session.id}`;
  name.textContent = device(session.userAgent) + (session.current ? ` ${t("(this device)")}` : "");
  if (session.userAgent) name.title = session.userAgent;
  const address = session.ipAddress ?? t("an unknown address");
  element(item, "[data-place]").textContent = `${address} · ${t("last used {time}", { time: minute(session.lastUsedAt) })}`;
  const end = button(item, "button");
  end.setAttribute("aria-describedby", name.id);
  if (session.current) end.remove();
  else
    onPress(end, cardOf(), async () => {
      await act(END, { sessionId: session.id });
      announce(t("The session has ended."));
      element(document, "#sessions-title").focus();
      changed();
    });
  return item;
}

/** @returns {HTMLElement} */
const cardOf = () => element(document, "section[aria-labelledby=sessions-title]");
