// At the second step of signing in, with neither phone nor codes: what there is to do, and the link to come back alone.

import { Problem, ask } from "./api.js";
import { button, clone, element, form, make } from "./dom.js";
import { onSubmit, sentence } from "./forms.js";
import { n } from "./texts.js";

const REQUEST = `mutation RequestAccountRecovery($input: RequestAccountRecoveryInput!) {
  requestAccountRecovery(input: $input) { __typename ... on AccountRecoveryRequested { delayDays } ... on Error { message }
    ... on TooManyAttempts { retryAt } } }`;

/** @param {HTMLElement} place @param {string} challengeToken @param {() => void} back */
export function showWays(place, challengeToken, back) {
  place.replaceChildren(clone("lost-step"));
  element(place, "h2").focus();
  button(place, "[data-other]").addEventListener("click", back);
  onSubmit(form(place), async () => {
    const { data, problem } = await ask(REQUEST, { input: { challengeToken } });
    if (problem) throw problem;
    const result = data.requestAccountRecovery;
    if (result.__typename !== "AccountRecoveryRequested") throw new Problem(result.__typename, sentence(result));
    const one = "An email with a link is on its way. Once you have opened it, you wait {count} day.";
    const told = n(result.delayDays, one, "An email with a link is on its way. Once you have opened it, you wait {count} days.");
    const said = make("p", told);
    said.role = "status";
    said.tabIndex = -1;
    form(place).replaceChildren(said);
    said.focus();
  });
}
