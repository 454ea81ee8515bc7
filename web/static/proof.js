// Showing once more who one is: the password for a change, or the whole sign-in after a session has ended.

import { Problem, ask } from "./api.js";
import { codeIn, isCode } from "./codes.js";
import { openDialog } from "./dialogs.js";
import { clone, element, form, input } from "./dom.js";
import { Cancelled, onSubmit, refuseAndEmpty, sentence } from "./forms.js";
import { signInFlow } from "./sign_in_flow.js";

const REAUTHENTICATE = `mutation Reauthenticate($input: ReauthenticateInput!) {
  reauthenticate(input: $input) { __typename ... on Error { message } ... on TooManyAttempts { retryAt } } }`;

/** Who is signed in; set once the page knows. */
export const person = { email: "", hasMfa: false };

/**
 * Ask for the password and, where MFA is on, for a code; not for a change that `bringsCode`, since a code works once.
 * Throws Cancelled.
 * @param {boolean} bringsCode
 */
export async function confirmPerson(bringsCode) {
  const { dialog, closed } = openDialog("confirm-person");
  input(dialog, "[name=username]").value = person.email;
  const password = input(dialog, "#confirm-password");
  if (person.hasMfa && !bringsCode) element(dialog, "[data-second]").append(clone("confirm-code"));
  const code = dialog.querySelector("#confirm-totp");
  let isConfirmed = false;
  onSubmit(form(dialog), async () => {
    const field = code instanceof HTMLInputElement ? code : null;
    if (field && !isCode(field)) return;
    const second = field ? { code: { totp: codeIn(field) } } : {};
    const { data, problem } = await ask(REAUTHENTICATE, { input: { password: password.value, ...second } });
    if (problem) throw problem;
    const result = data.reauthenticate;
    if (result.__typename === "InvalidCode" && field) return refuseAndEmpty(field, sentence(result));
    if (result.__typename === "InvalidCredentials") return refuseAndEmpty(password, "The password is wrong.");
    if (result.__typename !== "Reauthenticated") throw new Problem(result.__typename, sentence(result));
    isConfirmed = true;
    dialog.close();
  });
  await closed;
  if (!isConfirmed) throw new Cancelled();
}

/** Sign in again without leaving the page. Throws Cancelled. */
export async function signInAgain() {
  const { dialog, closed } = openDialog("sign-in-again");
  let isSignedIn = false;
  signInFlow(element(dialog, "[data-flow]"), person.email, (email) => {
    isSignedIn = true;
    // What is on the page is another person's.
    if (person.email && email !== person.email) location.reload();
    dialog.close();
  });
  await closed;
  if (!isSignedIn) throw new Cancelled();
}
