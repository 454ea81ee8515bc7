// The page /set-password: by the link of an email, whose token stands in the fragment; without one, it asks for a link. Whoever
// is invited and has a password goes on to /account/security, with the token, to accept there.

import { ask } from "./api.js";
import { element, find, form, input, onLink, show } from "./dom.js";
import { onSubmit, refuse, sentence } from "./forms.js";
import { t } from "./texts.js";

const REQUEST = `mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
  requestPasswordReset(input: $input) { __typename ... on PasswordResetRequested { message } ... on Error { message }
    ... on TooManyAttempts { retryAt } } }`;
const SET = `mutation SetPassword($input: SetPasswordInput!) {
  setPassword(input: $input) { __typename ... on PasswordSet { email } ... on Error { message } } }`;

const main = element(document, "#main");
onLink((token) => (token ? setStep(token) : askStep()));

/** @param {string} given */
function setStep(given) {
  show(main, "set");
  const password = input(main, "#new-password");
  const shown = input(main, "#show");
  if (location.search === "?invited") leadOn(given);
  shown.addEventListener("change", () => {
    password.type = shown.checked ? "text" : "password";
  });
  onSubmit(form(main), async () => {
    const result = await sent(SET, { token: given, password: password.value });
    if (result.__typename === "LinkExpired") return askStep(result.message);
    if (result.__typename === "SignInRequired") return acceptStep(given, result.message);
    if (result.__typename !== "PasswordSet") return refuse(password, sentence(result));
    show(main, "done");
    element(main, "[role=status]").textContent = t("You can sign in as {email} with it now.", { email: result.email });
  });
}

/** @param {string} given @param {string} why */
function acceptStep(given, why) {
  show(main, "accept");
  element(main, "[role=alert]").textContent = why;
  leadOn(given);
}

/** Let the way to sign in take the link's token along. @param {string} given */
function leadOn(given) {
  main.querySelector("[data-invited]")?.removeAttribute("hidden");
  find(main, "[data-accept]", HTMLAnchorElement).href = `/account/security?invited#token=${encodeURIComponent(given)}`;
}

/** @param {string} [why] */
function askStep(why = "") {
  show(main, "ask");
  element(main, "[data-why]").textContent = why;
  const email = input(main, "#email");
  onSubmit(form(main), async () => {
    const result = await sent(REQUEST, { email: email.value });
    if (result.__typename !== "PasswordResetRequested") return refuse(email, sentence(result));
    show(main, "asked");
    element(main, "[role=status]").textContent = result.message;
  });
}

/** @param {string} mutation @param {Record<string, unknown>} variables */
async function sent(mutation, variables) {
  const { data, problem } = await ask(mutation, { input: variables });
  if (problem) throw problem;
  return Object.values(data)[0];
}
