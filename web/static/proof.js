// Showing once more who one is: the password for a change, or the whole sign-in after a session has ended.

import { Problem, ask } from "./api.js";
import { codeIn, eitherCode, isCode } from "./codes.js";
import { openDialog } from "./dialogs.js";
import { element, form, input } from "./dom.js";
import { Cancelled, onSubmit, refuseAndEmpty, sentence } from "./forms.js";
import { signInFlow } from "./sign_in_flow.js";
import { t } from "./texts.js";

const REAUTHENTICATE = `mutation Reauthenticate($input: ReauthenticateInput!) {
  reauthenticate(input: $input) { __typename ... on Error { message } ... on TooManyAttempts { retryAt } } }`;
const FACTOR = "query Factor { viewer { mfa { enabled } } }";

/** The event of the document that tells that somebody has signed in again on the page. */
export const SIGNED_IN = "signed-in";

/** Who is signed in; set once the page knows. */
export const person = { id: "", email: "" };

/**
 * Ask for the password and, where MFA is on, for a code; not for a change that `bringsCode`, since a code works once.
 * Throws Problem and Cancelled.
 * @param {boolean} bringsCode
 */
export async function confirmPerson(bringsCode) {
  // Asked anew: it may have been turned on elsewhere since the page was loaded.
  const hasMfa = !bringsCode && (await ask(FACTOR)).data.viewer?.mfa.enabled;
  const { dialog, closed } = openDialog("confirm-person");
  input(dialog, "[name=username]").value = person.email;
  const password = input(dialog, "#confirm-password");
  if (hasMfa) eitherCode(element(dialog, "[data-second]"));
  let isConfirmed = false;
  onSubmit(form(dialog), async () => {
    const field = dialog.querySelector("[data-second] input");
    const code = field instanceof HTMLInputElement ? field : null;
    if (code && !isCode(code)) return;
    const second = code ? { code: { [code.dataset.code ?? ""]: codeIn(code) } } : {};
    const { data, problem } = await ask(REAUTHENTICATE, { input: { password: password.value, ...second } });
    if (problem) throw problem;
    const result = data.reauthenticate;
    if (result.__typename === "InvalidCode" && code) return refuseAndEmpty(code, sentence(result));
    if (result.__typename === "InvalidCredentials") return refuseAndEmpty(password, t("The password is wrong."));
    if (result.__typename !== "Reauthenticated") throw new Problem(result.__typename, sentence(result));
    isConfirmed = true;
    dialog.close();
  });
  await closed;
  if (!isConfirmed) throw new Cancelled();
}

/** Sign in again without leaving the page. Throws Cancelled, where another person signs in, too: nothing goes on as theirs. */
export async function signInAgain() {
  const { dialog, closed } = openDialog("sign-in-again");
  let isSignedIn = false;
  signInFlow(element(dialog, "[data-flow]"), person.email, undefined, (email) => {
    isSignedIn = !person.email || email === person.email;
    // What is on the page is another person's.
    if (!isSignedIn) location.reload();
    dialog.close();
  });
  await closed;
  if (!isSignedIn) throw new Cancelled();
  document.dispatchEvent(new Event(SIGNED_IN));
}
