// The pages /not-me, /not-my-session, /not-wanted and /not-my-recovery: by the link of an email about a reset, a new
// device, a reset that waits or an account recovery, whose token stands in the fragment. Nothing happens until pressed, since mail programs open links, too.

import { Problem, ask } from "./api.js";
import { element, form, onLink, show } from "./dom.js";
import { onSubmit, sentence } from "./forms.js";
import { t } from "./texts.js";

const DISPUTE = `mutation DisputeMfaReset($input: DisputeMfaResetInput!) {
  disputeMfaReset(input: $input) { __typename ... on MfaResetDisputed { email } ... on Error { message }
    ... on TooManyAttempts { retryAt } } }`;
const REJECT = `mutation RejectSignIn($input: RejectSignInInput!) {
  rejectSignIn(input: $input) { __typename ... on SignInRejected { email passwordLinkSent mfaChangedSince managerCanReset } ... on Error { message }
    ... on TooManyAttempts { retryAt } } }`;

const STOP = `mutation StopMfaReset($input: StopMfaResetInput!) {
  stopMfaReset(input: $input) { __typename ... on MfaResetStopped { email } ... on Error { message }
    ... on TooManyAttempts { retryAt } } }`;

const STOP_RECOVERY = `mutation StopAccountRecovery($input: StopAccountRecoveryInput!) {
  stopAccountRecovery(input: $input) { __typename ... on AccountRecoveryStopped { email byPerson } ... on Error { message }
    ... on TooManyAttempts { retryAt } } }`;

/** @typedef {{ said: string, shown?: string }} Done what to say, and on which template if not the usual one. */

const main = element(document, "#main");
/** @type {Record<string, (token: string) => Promise<Done | null>>} */
const WAYS = { reset: disputeReset, waiting: stopReset, recovery: stopRecovery, "sign-in": rejectSignIn };
const disown = WAYS[main.dataset.disowns ?? ""];
onLink((token) => {
  show(main, token ? "ask" : "worthless");
  if (!token) return;
  onSubmit(form(main), async () => {
    const done = await disown(token);
    if (done === null) return show(main, "worthless");
    show(main, done.shown ?? "done");
    element(main, "[role=status]").textContent = done.said;
  });
});

/**
 * What to say of it; null when the link is worth nothing any more.
 * @param {string} token
 */
async function disputeReset(token) {
  const { data, problem } = await ask(DISPUTE, { input: { token } });
  if (problem) throw problem;
  const result = data.disputeMfaReset;
  if (result.__typename === "LinkExpired") return null;
  if (result.__typename !== "MfaResetDisputed") throw new Problem(result.__typename, sentence(result));
  return {
    said: t(
      "Nobody can set up MFA for {email} now, and the owners of your agency are told. Change your password, too.",
      { email: result.email },
    ),
  };
}

/**
 * The same of a sign-in.
 * @param {string} token
 */
async function rejectSignIn(token) {
  const { data, problem } = await ask(REJECT, { input: { token } });
  if (problem) throw problem;
  const result = data.rejectSignIn;
  if (result.__typename === "LinkExpired") return null;
  if (result.__typename !== "SignInRejected") throw new Problem(result.__typename, sentence(result));
  const ended = result.passwordLinkSent
    ? t("A link to set a new password is on its way to {email}.", { email: result.email })
    : t("Nobody is signed in as {email} by it any more.", { email: result.email });
  if (!result.mfaChangedSince) return { said: ended };
  const changed = result.managerCanReset
    ? t(
        "Since that sign-in an authenticator app or backup codes were set up. Unless that was you, they are somebody else's until an owner of your agency resets your MFA. The owners are told by email.",
      )
    : t(
        "Since that sign-in an authenticator app or backup codes were set up. Unless that was you, they are somebody else's until your MFA is reset. Nobody of your agency could reset it: ask the operator of the platform.",
      );
  return { said: `${ended} ${changed}` };
}

/**
 * The same of a reset that waits for a second owner or admin.
 * @param {string} token
 */
async function stopReset(token) {
  const { data, problem } = await ask(STOP, { input: { token } });
  if (problem) throw problem;
  const result = data.stopMfaReset;
  if (result.__typename === "LinkExpired") return null;
  if (result.__typename !== "MfaResetStopped") throw new Problem(result.__typename, sentence(result));
  return { said: t("Nothing has changed for {email}.", { email: result.email }) };
}

/**
 * The same of an account recovery that waits; whoever stops a colleague's has no password to change.
 * @param {string} token
 */
async function stopRecovery(token) {
  const { data, problem } = await ask(STOP_RECOVERY, { input: { token } });
  if (problem) throw problem;
  const result = data.stopAccountRecovery;
  if (result.__typename === "LinkExpired") return null;
  if (result.__typename !== "AccountRecoveryStopped") throw new Problem(result.__typename, sentence(result));
  const said = t("Nothing has changed for {email}.", { email: result.email });
  return { said, shown: result.byPerson ? "done" : "done-of-another" };
}
