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

const BEGIN = `mutation BeginMfaEnrollment { beginMfaEnrollment {
  __typename ... on MfaEnrollment { manualEntryKey qrCodePngDataUri } ... on Error { message } } }`;
const VERIFY = `mutation VerifyAndEnableMfa($input: VerifyAndEnableMfaInput!) { verifyAndEnableMfa(input: $input) {
  __typename ... on MfaEnabled { backupCodes viewer { ${VIEWER} } } ... on Error { message }
  ... on TooManyAttempts { retryAt } } }`;

/**
 * Set MFA up; `enrolled` is called once the backup codes are saved. Throws Problem and Cancelled.
 * @param {(viewer: import("./queries.js").Viewer) => void} enrolled
 */
export async function setUp(enrolled) {
  const begun = await begin();
  const { dialog } = openDialog("set-up");
  showKey(dialog, begun);
  const field = input(dialog, "#set-up-code");
  sendWhenFull(field);
  button(dialog, "[data-copy]").addEventListener("click", async () => {
    const key = element(dialog, ".key").textContent ?? "";
    say(element(dialog, ".said"), await copied(key.replaceAll(" ", "")) ? "Key copied." : "Select the key to copy it.");
  });
  onSubmit(form(dialog), async () => {
    if (!isCode(field)) return;
    const result = await act(VERIFY, { code: codeIn(field) });
    if (result.__typename === "MfaEnabled") {
      dialog.close();
      await saveCodes(result.backupCodes, result.viewer.email);
      enrolled(result.viewer);
    } else if (result.__typename === "EnrollmentNotStarted") {
      showKey(dialog, await begin());
      refuseAndEmpty(field, "This QR code had expired. Scan the new one, then enter the code that it generates.");
    } else refuseAndEmpty(field, sentence(result));
  });
}

/** @returns {Promise<{manualEntryKey: string, qrCodePngDataUri: string}>} */
async function begin() {
  const result = await act(BEGIN);
  if (result.__typename !== "MfaEnrollment") throw new Problem(result.__typename, result.message);
  return result;
}

/** @param {HTMLElement} dialog @param {{manualEntryKey: string, qrCodePngDataUri: string}} begun */
function showKey(dialog, begun) {
  const picture = find(dialog, ".qr", HTMLImageElement);
  picture.src = begun.qrCodePngDataUri;
  picture.alt = `QR code for your authenticator app. The key in it: ${begun.manualEntryKey}`;
  element(dialog, ".key").textContent = begun.manualEntryKey;
}
