// Signing in, step by step, in whatever element is given: the password, then a code of the app, a backup code, or a
// recovery pass, which leads to the page where the app is replaced.

import { Problem, ask } from "./api.js";
import { codeIn, isCode, otherKind, sendWhenFull } from "./codes.js";
import { button, clone, form, input } from "./dom.js";
import { onSubmit, refuseAndEmpty, sentence, tell } from "./forms.js";

const RESULT = `__typename ... on SignedIn { viewer { email } } ... on MfaChallenge { challengeToken }
  ... on Error { message } ... on TooManyAttempts { retryAt }`;
const SIGN_IN = `mutation SignIn($input: SignInInput!) { result: signIn(input: $input) { ${RESULT} } }`;
const COMPLETE = `mutation CompleteMfaChallenge($input: CompleteMfaChallengeInput!) {
  result: completeMfaChallenge(input: $input) {
    __typename ... on SignedIn { viewer { email } } ... on Error { message } ... on TooManyAttempts { retryAt } } }`;
const REDEEM = `mutation RedeemRecoveryPass($input: RedeemRecoveryPassInput!) {
  result: redeemRecoveryPass(input: $input) { __typename ... on Error { message } ... on TooManyAttempts { retryAt } } }`;

/**
 * Begin with the password, or with a challenge that is open already; `done` gets the email of whoever has signed in.
 * @param {HTMLElement} place @param {string} email @param {string | undefined} challengeToken
 * @param {(email: string) => void} done
 */
export function signInFlow(place, email, challengeToken, done) {
  if (challengeToken) codeStep(place, email, challengeToken, done, "totp");
  else passwordStep(place, email, done);
}

/**
 * @param {HTMLElement} place @param {string} typed @param {(email: string) => void} done @param {string} [why]
 */
function passwordStep(place, typed, done, why) {
  place.replaceChildren(clone("password-step"));
  const email = input(place, "#sign-in-email");
  const password = input(place, "#sign-in-password");
  email.value = typed;
  (typed ? password : email).focus();
  if (why) tell(form(place), new Problem("ChallengeExpired", why));
  onSubmit(form(place), async () => {
    const result = await sent(SIGN_IN, { email: email.value, password: password.value, useCookie: true });
    if (result.__typename === "SignedIn") return done(result.viewer.email);
    if (result.__typename === "MfaChallenge") return codeStep(place, email.value, result.challengeToken, done, "totp");
    refuseAndEmpty(password, sentence(result));
  });
}

/**
 * @param {HTMLElement} place @param {string} email @param {string} challengeToken @param {(email: string) => void} done
 * @param {import("./codes.js").Kind} kind
 */
function codeStep(place, email, challengeToken, done, kind) {
  place.replaceChildren(clone(kind === "totp" ? "code-step" : "backup-step"));
  const field = input(place, "input");
  field.focus();
  sendWhenFull(field);
  button(place, "[data-other]").addEventListener("click", () =>
    codeStep(place, email, challengeToken, done, otherKind(kind)),
  );
  button(place, "[data-pass]").addEventListener("click", () => passStep(place, email, challengeToken, done));
  // On the page /sign-in alone, which knows what then.
  place.querySelector("[data-lost]")?.addEventListener("click", () =>
    place.dispatchEvent(new CustomEvent("lost", { detail: { email, challengeToken } })),
  );
  onSubmit(form(place), async () => {
    if (!isCode(field)) return;
    const result = await sent(COMPLETE, { challengeToken, code: { [kind]: codeIn(field) } });
    if (result.__typename === "SignedIn") return done(result.viewer.email);
    if (result.__typename === "ChallengeExpired") return passwordStep(place, email, done, result.message);
    refuseAndEmpty(field, sentence(result));
  });
}

/**
 * @param {HTMLElement} place @param {string} email @param {string} challengeToken @param {(email: string) => void} done
 */
function passStep(place, email, challengeToken, done) {
  place.replaceChildren(clone("pass-step"));
  const field = input(place, "input");
  field.focus();
  button(place, "[data-other]").addEventListener("click", () => codeStep(place, email, challengeToken, done, "totp"));
  onSubmit(form(place), async () => {
    const result = await sent(REDEEM, { challengeToken, recoveryPass: field.value });
    if (result.__typename === "RecoverySession") return replaceApp();
    if (result.__typename === "ChallengeExpired") return passwordStep(place, email, done, result.message);
    refuseAndEmpty(field, sentence(result));
  });
}

/** Leave for the page where the app is replaced, which leads to where the person has wanted to go. */
function replaceApp() {
  const wanted = document.body.dataset.wanted ?? location.pathname + location.search;
  location.assign(`/new-app?next=${encodeURIComponent(wanted)}${location.hash}`);
}

/** @param {string} mutation @param {Record<string, unknown>} input */
async function sent(mutation, input) {
  const { data, problem } = await ask(mutation, { input });
  if (problem) throw problem;
  return data.result;
}
