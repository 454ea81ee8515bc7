// The card "Coming back alone": whether staff may, and how long who waits. Loaded once somebody opens it.

import { act } from "./act.js";
import { Problem, ask } from "./api.js";
import { clone, element, find, form, input } from "./dom.js";
import { onSubmit } from "./forms.js";
import { announce } from "./frame.js";
import { fill } from "./held.js";
import { t } from "./texts.js";

const DELAYS = "ownerDays adminDays memberDays";
const ALLOWED = `query AccountRecovery($id: ID!) { account(id: $id) { accountRecovery { ${DELAYS} } } }`;
const SET = `mutation SetAccountRecovery($input: SetAccountRecoveryInput!) { setAccountRecovery(input: $input) {
  __typename ... on Error { message } } }`;
/** @typedef {Record<string, number>} Delays by their names */
/** @type {Record<string, string>} The fields by their ids. */
const FIELDS = { "owner-days": "ownerDays", "admin-days": "adminDays", "member-days": "memberDays" };

/** Fill the card. @param {HTMLElement} card @param {string} accountId @param {boolean} isOwner */
export async function showRecoveryPolicy(card, accountId, isOwner) {
  let held = await heldBy(accountId);
  const place = element(card, "[data-recovery]");
  place.replaceChildren(clone("recovery-form"));
  find(place, "fieldset", HTMLFieldSetElement).disabled = !isOwner;
  const allowed = input(place, "#may-recover");
  const days = Object.entries(FIELDS).map(([id, name]) => ({ name, field: find(place, `#${id}`, HTMLSelectElement) }));
  /** @type {Map<HTMLInputElement | HTMLSelectElement, (held: Delays | null) => string | boolean>} */
  const fields = new Map([[allowed, (/** @type {Delays | null} */ delays) => delays !== null]]);
  // While nobody may, there are none but those that stand in the form.
  for (const { name, field } of days) fields.set(field, (delays) => (delays ? String(delays[name]) : field.value));
  const show = () => {
    element(place, "[data-days]").hidden = !allowed.checked;
  };
  fill(fields, held);
  show();
  allowed.addEventListener("change", show);
  onSubmit(form(place), async () => {
    const delays = allowed.checked ? Object.fromEntries(days.map(({ name, field }) => [name, Number(field.value)])) : null;
    const result = await act(SET, { accountId, delays, ifHeld: { delays: held } });
    const now = result.__typename === "AccountRecoverySet" ? delays : await heldBy(accountId);
    fill(fields, now, held);
    held = now;
    show();
    if (result.__typename !== "AccountRecoverySet") throw new Problem(result.__typename, result.message);
    announce(t("Saved."));
  });
}

/** @param {string} accountId @returns {Promise<Delays | null>} */
async function heldBy(accountId) {
  const { data, problem } = await ask(ALLOWED, { id: accountId });
  if (problem) throw problem;
  return data.account.accountRecovery;
}
