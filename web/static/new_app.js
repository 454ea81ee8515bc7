// The page /new-app: whoever came by a recovery pass sets up another authenticator app, or signs out.

import { Problem, ask } from "./api.js";
import { saveCodes } from "./backup_codes.js";
import { button, element, make, show } from "./dom.js";
import { Cancelled, onPress } from "./forms.js";
import { BEGUN, offerKey, tellExpired } from "./key.js";
import { t } from "./texts.js";
import { goOn } from "./wanted.js";

const BEGIN = `mutation BeginNewApp($input: BeginAuthenticatorReplacementInput!) {
  beginAuthenticatorReplacement(input: $input) { __typename ${BEGUN} ... on Error { message } } }`;
const REPLACE = `mutation UseNewApp($input: ReplaceAuthenticatorInput!) { replaceAuthenticator(input: $input) {
  __typename ... on AuthenticatorReplaced { backupCodes viewer { email } } ... on Error { message }
  ... on TooManyAttempts { retryAt } } }`;
const SIGN_OUT = "mutation SignOut($idempotencyKey: String) { signOut(idempotencyKey: $idempotencyKey) { ok } }";

const main = element(document, "#main");
void start();

async function start() {
  try {
    const begun = await begin();
    show(main, "new-app");
    offerKey(main, begun, {
      send: (code) => sent(REPLACE, { input: { code } }),
      done: async ({ backupCodes, viewer }) => {
        await saveCodes(backupCodes, viewer.email);
        goOn();
      },
      expired: async (field, showKey) => {
        showKey(await begin());
        tellExpired(field);
      },
    });
    const leave = button(main, "[data-sign-out]");
    onPress(leave, main, async () => {
      await sent(SIGN_OUT, {});
      location.assign("/sign-in");
    });
  } catch (error) {
    if (error instanceof Cancelled) return;
    if (!(error instanceof Problem)) throw error;
    showFailure(error.message);
  }
}

/** @returns {Promise<import("./key.js").Begun>} */
async function begin() {
  const result = await sent(BEGIN, { input: {} });
  if (result.__typename !== "MfaEnrollment") throw new Problem(result.__typename, result.message);
  return result;
}

/**
 * The result; where the session has ended, that is said in place of all. Throws Problem and Cancelled.
 * @param {string} mutation @param {Record<string, unknown>} variables @returns {Promise<any>}
 */
async function sent(mutation, variables) {
  const { data, problem } = await ask(mutation, variables);
  if (problem?.code === "UNAUTHENTICATED") {
    show(main, "ended");
    throw new Cancelled();
  }
  if (problem) throw problem;
  return Object.values(data)[0];
}

/** @param {string} message */
function showFailure(message) {
  const said = make("p", message);
  said.role = "alert";
  const again = make("button", t("Try again"), "primary wide");
  again.type = "button";
  again.addEventListener("click", () => location.reload());
  main.replaceChildren(make("h1", document.title.split(" · ")[0]), said, again);
}
