// The card "Coming back alone": whether staff may, and how long who waits. Loaded once somebody opens it.

import { act } from "./act.js";
import { Problem, ask } from "./api.js";
import { clone, element, find, form, input } from "./dom.js";
import { onSubmit } from "./forms.js";
import { announce } from "./frame.js";
import { t } from "./texts.js";

const DELAYS = "ownerDays adminDays memberDays";
const ALLOWED = `query AccountRecovery($id: ID!) { account(id: $id) { accountRecovery { ${DELAYS} } } }`;
const SET = `mutation SetAccountRecovery($input: SetAccountRecoveryInput!) { setAccountRecovery(input: $input) {
  __typename ... on Error { message } } }`;
/** @type {Record<string, string>} The fields by their ids. */
const FIELDS = { "owner-days": "ownerDays", "admin-days": "adminDays", "member-days": "memberDays" };

/** Fill the card. @param {HTMLElement} card @param {string} accountId @param {boolean} isOwner */
export async function showRecoveryPolicy(card, accountId, isOwner) {
  const { data, problem } = await ask(ALLOWED, { id: accountId });
  if (problem) throw problem;
  const held = data.account.accountRecovery;
  const place = element(card, "[data-recovery]");
  place.replaceChildren(clone("recovery-form"));
  find(place, "fieldset", HTMLFieldSetElement).disabled = !isOwner;
  const allowed = input(place, "#may-recover");
  allowed.checked = held !== null;
  for (const [id, name] of Object.entries(FIELDS)) if (held) find(place, `#${id}`, HTMLSelectElement).value = held[name];
  const show = () => {
    element(place, "[data-days]").hidden = !allowed.checked;
  };
  show();
  allowed.addEventListener("change", show);
  onSubmit(form(place), async () => {
    const days = Object.entries(FIELDS).map(([id, name]) => [name, Number(find(place, `#${id}`, HTMLSelectElement).value)]);
    const delays = allowed.checked ? Object.fromEntries(days) : null;
    const result = await act(SET, { accountId, delays });
    if (result.__typename !== "AccountRecoverySet") throw new Problem(result.__typename, result.message);
    announce(t("Saved."));
  });
}
