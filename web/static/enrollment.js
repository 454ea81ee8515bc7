// The dialog of set-up: QR code, key for typing, the first code; then the backup codes.

import { act, succeeded } from "./act.js";
import { saveCodes } from "./backup_codes.js";
import { openDialog } from "./dialogs.js";
import { BEGUN, offerKey, tellExpired } from "./key.js";
import { VIEWER } from "./queries.js";

/** @typedef {import("./key.js").Begun} Begun */

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
    tellExpired(field);
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
  offerKey(dialog, begun, {
    send: (code) => act(mutation, { code }),
    done: async (result) => {
      dialog.close();
      await saveCodes(result.backupCodes, result.viewer.email);
      done(result.viewer);
    },
    expired: (field, show) => expired(field, show, dialog),
  });
}

/** @returns {Promise<Begun>} */
const begin = async () => succeeded(await act(BEGIN), "MfaEnrollment");
