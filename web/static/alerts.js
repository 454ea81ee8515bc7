// The card "Alerts": which of them owners, and admins, get by email. Loaded once somebody opens it.

import { act, succeeded } from "./act.js";
import { ask } from "./api.js";
import { element, make } from "./dom.js";
import { onSubmit } from "./forms.js";
import { announce } from "./frame.js";
import { fill } from "./held.js";
import { t } from "./texts.js";

/** @typedef {{kind: string, email: boolean, emailAdmins: boolean}} Setting */

const SETTING = "kind email emailAdmins";
const ALERTS = `query Alerts($id: ID!) { account(id: $id) { alerts { ${SETTING} } } }`;
const UPDATE_ALERTS = `mutation UpdateAlerts($input: UpdateAlertsInput!) { updateAlerts(input: $input) {
  __typename ... on AlertsUpdated { alerts { ${SETTING} } } ... on Error { message } } }`;
/** @type {Record<string, string>} */
const TITLES = {
  MFA_DISABLED: t("Somebody turned off MFA"),
  LAST_BACKUP_CODE_USED: t("Somebody used their last backup code"),
  LOCKED: t("A sign-in was locked"),
  MFA_RESET: t("The MFA of somebody was reset"),
  POLICY_CHANGED: t("The security policy was changed"),
  EXCEPTION_GIVEN: t("Somebody was excepted from MFA"),
  ACCOUNT_VIEWED: t("A platform operator looked at this agency"),
  BREAK_GLASS_SIGNED_IN: t("Somebody signed in to a break-glass account"),
  OWNER_ADDED: t("Somebody became an owner, or was invited as one"),
  SIGN_IN_REJECTED: t("A sign-in of an owner or admin was somebody else's"),
  WEEKLY_DIGEST: t("On Mondays: what is open, in numbers"),
};
const COLUMNS = /** @type {const} */ ([["email", t("Owners")], ["emailAdmins", t("Admins")]]);

/** Fill the card. @param {HTMLElement} card @param {string} accountId @param {boolean} isOwner */
export async function showAlerts(card, accountId, isOwner) {
  const { data, problem } = await ask(ALERTS, { id: accountId });
  if (problem) throw problem;
  /** @type {Setting[]} */
  let held = data.account.alerts;
  const form = document.createElement("form");
  form.append(...held.map(({ kind }) => row(kind, isOwner)), last(isOwner));
  const boxes = [...form.querySelectorAll("input")];
  const shown = new Map(boxes.map((box) => [box, (/** @type {Setting[]} */ settings) => isOn(box, settings)]));
  fill(shown, held);
  element(card, "[data-alerts]").replaceChildren(form);
  if (!isOwner) return;
  onSubmit(form, async () => {
    // Whatever was not changed here may have been changed elsewhere, and stays as it is.
    const changed = boxes.filter((box) => box.checked !== isOn(box, held));
    const result = await act(UPDATE_ALERTS, { accountId, alerts: wishes(changed) });
    const now = /** @type {Setting[]} */ (succeeded(result, "AlertsUpdated").alerts);
    fill(shown, now, held);
    held = now;
    announce(t("Saved. All owners are told by email."));
  });
}

/** @param {string} kind @param {boolean} isOwner */
function row(kind, isOwner) {
  const group = make("fieldset", "");
  group.disabled = !isOwner;
  group.append(make("legend", TITLES[kind] ?? kind));
  for (const [name, label] of COLUMNS) {
    const line = make("p", "", "check");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name });
    box.dataset.kind = kind;
    const words = make("label", "");
    words.append(box, ` ${label}`);
    line.append(words);
    group.append(line);
  }
  return group;
}

/** What these settings have in the place of a box. @param {HTMLInputElement} box @param {Setting[]} settings */
function isOn({ dataset, name }, settings) {
  const setting = settings.find(({ kind }) => kind === dataset.kind);
  return Boolean(name === "email" ? setting?.email : setting?.emailAdmins);
}

/** What these boxes ask for, each kind once. @param {HTMLInputElement[]} boxes */
function wishes(boxes) {
  /** @type {Record<string, {kind: string, [name: string]: string | boolean}>} */
  const asked = {};
  for (const { dataset: { kind = "" }, name, checked } of boxes) asked[kind] = { ...asked[kind], kind, [name]: checked };
  return Object.values(asked);
}

/** @param {boolean} isOwner */
function last(isOwner) {
  const around = document.createDocumentFragment();
  const region = make("p", "", "form-error");
  region.setAttribute("role", "alert");
  around.append(region);
  if (!isOwner) return around;
  const buttons = make("p", "", "buttons start");
  buttons.append(make("button", t("Save alerts"), "primary"));
  around.append(buttons);
  return around;
}
