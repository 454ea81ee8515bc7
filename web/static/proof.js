// Showing once more who one is: the password for a change, or the whole sign-in after a session has ended.

import { Problem, ask } from "./api.js";
import { codeIn, eitherCode, isCode } from "./codes.js";
import { loadAnew, openDialog } from "./dialogs.js";
import { element, form, input } from "./dom.js";
import { Cancelled, onSubmit, refuseAndEmpty, sentence } from "./forms.js";
import { signInFlow } from "./sign_in_flow.js";
import { t } from "./texts.js";

const REAUTHENTICATE = `mutation Reauthenticate($input: ReauthenticateInput!) {
  reauthenticate(input: $input) { __typename ... on Error { message } ... on TooManyAttempts { retryAt } } }`;
const FACTOR = "query Factor { viewer { hasPassword mfa { enabled } } }";

/** The event of the document that tells that somebody has signed in again on the page. */
export const SIGNED_IN = "signed-in";

/** Who is signed in; set once the page knows. */
export const person = { id: "", email: "" };

/**
 * Ask for the password and, where MFA is on, for a code; not for a change that `bringsCode`, since a code works once. Whoever
 * has no password gives a code, or goes by their provider. Throws Problem and Cancelled.
 * @param {boolean} bringsCode
 */
export async function confirmPerson(bringsCode) {
  // Asked anew: it may have been turned on elsewhere since the page was loaded.
  const { data, problem: unknown } = await ask(FACTOR);
  if (unknown) throw unknown;
  const hasPassword = data.viewer?.hasPassword ?? true;
  const hasMfa = data.viewer?.mfa.enabled ?? false;
  const { dialog, closed } = openDialog("confirm-person");
  input(dialog, "[name=username]").value = person.email;
  if (hasMfa && !(bringsCode && hasPassword)) eitherCode(element(dialog, "[data-second]"));
  if (!hasPassword) withoutPassword(dialog, hasMfa);
  leadBack(dialog, hasMfa);
  let isConfirmed = false;
  onSubmit(form(dialog), async () => {
    const password = fieldIn(dialog, "[data-first] input");
    const code = fieldIn(dialog, "[data-second] input");
    if (code && !isCode(code)) return;
    const second = code ? { code: { [code.dataset.code ?? ""]: codeIn(code) } } : {};
    const first = password ? { password: password.value } : {};
    const { data: answer, problem } = await ask(REAUTHENTICATE, { input: { ...first, ...second } });
    if (problem) throw problem;
    const result = answer.reauthenticate;
    if (result.__typename === "InvalidCode" && code) return refuseAndEmpty(code, sentence(result));
    if (result.__typename === "InvalidCredentials" && password) return refuseAndEmpty(password, t("The password is wrong."));
    if (result.__typename !== "Reauthenticated") throw new Problem(result.__typename, sentence(result));
    isConfirmed = true;
    dialog.close();
  });
  await closed;
  if (!isConfirmed) throw new Cancelled();
}

/** Ask for no password; without a code either, say what else there is. @param {HTMLElement} dialog @param {boolean} hasMfa */
function withoutPassword(dialog, hasMfa) {
  element(dialog, "[data-first]").replaceChildren();
  if (hasMfa) return fieldIn(dialog, "[data-second] input")?.focus();
  element(dialog, "[data-none]").hidden = false;
  element(dialog, "button.primary").hidden = true;
  return undefined;
}

/**
 * Let the ways by providers lead back to this page. For whoever `hasMfa` their code is the shorter one.
 * @param {HTMLElement} dialog @param {boolean} hasMfa
 */
function leadBack(dialog, hasMfa) {
  const wanted = encodeURIComponent(location.pathname + location.search);
  for (const way of dialog.querySelectorAll(".providers a")) if (way instanceof HTMLAnchorElement) way.href += wanted;
  if (hasMfa) dialog.querySelector(".providers")?.remove();
}

/** @param {HTMLElement} place @param {string} selector */
function fieldIn(place, selector) {
  const found = place.querySelector(selector);
  return found instanceof HTMLInputElement ? found : null;
}

/** Sign in again without leaving the page. Throws Cancelled, where another person signs in, too: nothing goes on as theirs. */
export async function signInAgain() {
  const { dialog, closed } = openDialog("sign-in-again");
  leadBack(dialog, false);
  let isSignedIn = false;
  signInFlow(element(dialog, "[data-flow]"), person.email, undefined, (email) => {
    isSignedIn = !person.email || email === person.email;
    // What is on the page is another person's.
    if (!isSignedIn) void loadAnew();
    dialog.close();
  });
  await closed;
  if (!isSignedIn) throw new Cancelled();
  document.dispatchEvent(new Event(SIGNED_IN));
}
