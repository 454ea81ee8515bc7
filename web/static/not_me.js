// The page /not-me: by the link of a reset's email, whose token stands in the fragment. Nothing happens until pressed,
// since mail programs open links, too.

import { Problem, ask } from "./api.js";
import { clone, element, form, tokenOfLink } from "./dom.js";
import { onSubmit, sentence } from "./forms.js";

const DISPUTE = `mutation DisputeMfaReset($input: DisputeMfaResetInput!) {
  disputeMfaReset(input: $input) { __typename ... on MfaResetDisputed { email } ... on Error { message }
    ... on TooManyAttempts { retryAt } } }`;

const main = element(document, "#main");
const token = tokenOfLink();
show(token ? "ask" : "worthless");
if (token) {
  onSubmit(form(main), async () => {
    const { data, problem } = await ask(DISPUTE, { input: { token } });
    if (problem) throw problem;
    const result = data.disputeMfaReset;
    if (result.__typename === "LinkExpired") return show("worthless");
    if (result.__typename !== "MfaResetDisputed") throw new Problem(result.__typename, sentence(result));
    show("done");
    element(main, "[role=status]").textContent =
      `Nobody can set up MFA for ${result.email} now, and the owners of your agency are told. Change your password, too.`;
  });
}

/** @param {string} id */
function show(id) {
  main.replaceChildren(clone(id));
  const first = main.querySelector("[autofocus]") ?? main.querySelector("h1");
  if (first instanceof HTMLElement) first.focus();
}
