// The events that a webhook may be told of, one to tick each: many, and loaded once somebody wants to choose.

import { Problem } from "./api.js";
import { element, make } from "./dom.js";
import { tell } from "./forms.js";
import { t } from "./texts.js";

/** Fill the list. @param {HTMLElement} dialog */
export async function listEvents(dialog) {
  const list = element(dialog, ".events");
  if (list.querySelector("input")) return;
  try {
    const answer = await fetch("/settings/security/events").catch(() => null);
    if (!answer?.ok) throw new Problem("OFFLINE", t("The events cannot be loaded. Try again in a moment."));
    list.append(...(await answer.json()).map(line));
  } catch (error) {
    tell(dialog, error);
  }
}

/** @param {[type: string, description: string]} event */
function line([type, description]) {
  const label = make("label", "");
  label.append(Object.assign(document.createElement("input"), { type: "checkbox", value: type }), ` ${description}`);
  const made = make("p", "", "check");
  made.append(label);
  return made;
}
