// The dialog of set-up: QR code, key for typing, the first code; then the backup codes.

import { act } from "./act.js";
import { saveCodes } from "./backup_codes.js";
import { copied } from "./clipboard.js";
import { codeIn, isCode, sendWhenFull } from "./codes.js";
import { openDialog } from "./dialogs.js";
import { button, element, find, form, input, say } from "./dom.js";
import { Problem } from "./api.js";
import { onSubmit, refuseAndEmpty, sentence } from "./forms.js";
import { VIEWER } from "./queries.js";
import { t } from "./texts.js";

/** @typedef {{manualEntryKey: string, qrCodePngDataUri: string}} Begun */

export const BEGUN = "... on MfaEnrollment { manualEntryKey qrCodePngDataUri }";
const BEGIN = `mutation BeginMfaEnrollment($idempotencyKey: String) {
  beginMfaEnrollment(idempotencyKey: $idempotencyKey) { __typename ${BEGUN} ... on Error { message } } }`;
const VERIFY = `mutation VerifyAndEnableMfa($input: VerifyAndEnableMfaInput!) { verifyAndEnableMfa(input: $input) {
  __typename ... on MfaEnabled { backupCodes viewer { ${VIEWER} } } ... on Error { message }
  ... on TooManyAttempts { retryAt } } }`;

/**
 * Set MFA up; `enrolled` is called once the backup codes are saved. Throws Problem and Cancelled.
 * @param {(viewer: import("./queries.js").Viewer) => void} enrolled
 */
export async function setUp(enrolled) {
  scan("set-up", await begin(), VERIFY, enrolled, async (field, show) => {
    show(await begin());
    refuseAndEmpty(field, t("This QR code had expired. Scan the new one, then enter the code that it generates."));
  });
}

/**
 * Show a key to scan, and send the app's first code; `done` is called once the backup codes that come of it are saved.
 * `expired` is called when the key holds no more.
 * @param {string} id @param {Begun} begun @param {string} mutation
 * @param {(viewer: import("./queries.js").Viewer) => void} done
 * @param {(field: HTMLInputElement, show: (begun: Begun) => void, dialog: HTMLDialogElement) => Promise<void>} expired
 */
export function scan(id, begun, mutation, done, expired) {
  const { dialog } = openDialog(id);
  const show = (/** @type {Begun} */ key) => showKey(dialog, key);
  show(begun);
  const field = input(dialog, "input");
  sendWhenFull(field);
  button(dialog, "[data-copy]").addEventListener("click", async () => {
    const key = element(dialog, ".key").textContent ?? "";
    say(element(dialog, ".said"), (await copied(key.replaceAll(" ", ""))) ? t("Key copied.") : t("Select the key to copy it."));
  });
  onSubmit(form(dialog), async () => {
    if (!isCode(field)) return;
    const result = await act(mutation, { code: codeIn(field) });
    if (result.backupCodes) {
      dialog.close();
      await saveCodes(result.backupCodes, result.viewer.email);
      done(result.viewer);
    } else if (result.__typename === "EnrollmentNotStarted") await expired(field, show, dialog);
    else refuseAndEmpty(field, sentence(result));
  });
}

/** @returns {Promise<Begun>} */
async function begin() {
  const result = await act(BEGIN);
  if (result.__typename !== "MfaEnrollment") throw new Problem(result.__typename, result.message);
  return result;
}

/** @param {HTMLElement} dialog @param {Begun} begun */
function showKey(dialog, begun) {
  const picture = find(dialog, ".qr", HTMLImageElement);
  picture.src = begun.qrCodePngDataUri;
  picture.alt = t("QR code for your authenticator app. The key in it: {key}", { key: begun.manualEntryKey });
  element(dialog, ".key").textContent = begun.manualEntryKey;
}
