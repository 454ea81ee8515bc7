// The card "Alerts": which of them owners, and admins, get by email. Loaded once somebody opens it.

import { act, succeeded } from "./act.js";
import { ask } from "./api.js";
import { element, make } from "./dom.js";
import { onSubmit } from "./forms.js";
import { announce } from "./frame.js";
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
  WEEKLY_DIGEST: t("On Mondays: what is open, in numbers"),
};
const COLUMNS = /** @type {const} */ ([["email", t("Owners")], ["emailAdmins", t("Admins")]]);

/** Fill the card. @param {HTMLElement} card @param {string} accountId @param {boolean} isOwner */
export async function showAlerts(card, accountId, isOwner) {
  const { data, problem } = await ask(ALERTS, { id: accountId });
  if (problem) throw problem;
  const form = document.createElement("form");
  form.append(...data.account.alerts.map((/** @type {Setting} */ each) => row(each, isOwner)), last(isOwner));
  element(card, "[data-alerts]").replaceChildren(form);
  if (!isOwner) return;
  onSubmit(form, async () => {
    const alerts = [...form.querySelectorAll("fieldset")].map(chosen);
    succeeded(await act(UPDATE_ALERTS, { accountId, alerts }), "AlertsUpdated");
    announce(t("Saved. All owners are told by email."));
  });
}

/** @param {Setting} setting @param {boolean} isOwner */
function row(setting, isOwner) {
  const group = make("fieldset", "");
  group.dataset.kind = setting.kind;
  group.disabled = !isOwner;
  group.append(make("legend", TITLES[setting.kind] ?? setting.kind));
  for (const [name, label] of COLUMNS) {
    const line = make("p", "", "check");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name, checked: setting[name] });
    const words = make("label", "");
    words.append(box, ` ${label}`);
    line.append(words);
    group.append(line);
  }
  return group;
}

/** @param {HTMLFieldSetElement} group @returns {Setting} */
function chosen(group) {
  const [email, emailAdmins] = [...group.querySelectorAll("input")].map((box) => box.checked);
  return { kind: group.dataset.kind ?? "", email, emailAdmins };
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
