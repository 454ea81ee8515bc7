// The page /not-my-session: by the link of the email about a new device, whose token stands in the fragment. Nothing
// happens until pressed, since mail programs open links, too.

import { Problem, ask } from "./api.js";
import { clone, element, form, tokenOfLink } from "./dom.js";
import { onSubmit, sentence } from "./forms.js";

const REJECT = `mutation RejectSignIn($input: RejectSignInInput!) {
  rejectSignIn(input: $input) { __typename ... on SignInRejected { email passwordLinkSent } ... on Error { message }
    ... on TooManyAttempts { retryAt } } }`;

const main = element(document, "#main");
const token = tokenOfLink();
show(token ? "ask" : "worthless");
if (token) {
  onSubmit(form(main), async () => {
    const { data, problem } = await ask(REJECT, { input: { token } });
    if (problem) throw problem;
    const result = data.rejectSignIn;
    if (result.__typename === "LinkExpired") return show("worthless");
    if (result.__typename !== "SignInRejected") throw new Problem(result.__typename, sentence(result));
    show("done");
    element(main, "[role=status]").textContent = result.passwordLinkSent
      ? `A link to set a new password is on its way to ${result.email}.`
      : `Nobody is signed in as ${result.email} by it any more.`;
  });
}

/** @param {string} id */
function show(id) {
  main.replaceChildren(clone(id));
  const first = main.querySelector("[autofocus]") ?? main.querySelector("h1");
  if (first instanceof HTMLElement) first.focus();
}
