// A key to scan or type into an authenticator app, and the first code that the app makes of it.

import { copied } from "./clipboard.js";
import { codeIn, isCode, sendWhenFull } from "./codes.js";
import { button, element, find, form, input, say } from "./dom.js";
import { onSubmit, refuseAndEmpty, sentence } from "./forms.js";
import { t } from "./texts.js";

/** @typedef {{manualEntryKey: string, qrCodePngDataUri: string}} Begun */

export const BEGUN = "... on MfaEnrollment { manualEntryKey qrCodePngDataUri }";

/**
 * Show a key in a place with its form, and `send` the app's first code; `done` is called with what comes of it. When the
 * key holds no more, `expired` is.
 * @param {HTMLElement} place @param {Begun} begun
 * @param {{send: (code: string) => Promise<any>, done: (result: any) => Promise<void>,
 *   expired: (field: HTMLInputElement, show: (begun: Begun) => void) => Promise<void>}} on
 */
export function offerKey(place, begun, { send, done, expired }) {
  const show = (/** @type {Begun} */ key) => showKey(place, key);
  show(begun);
  const field = input(place, "input");
  sendWhenFull(field);
  button(place, "[data-copy]").addEventListener("click", async () => {
    const key = element(place, ".key").textContent ?? "";
    say(element(place, ".said"), (await copied(key.replaceAll(" ", ""))) ? t("Key copied.") : t("Select the key to copy it."));
  });
  onSubmit(form(place), async () => {
    if (!isCode(field)) return;
    const result = await send(codeIn(field));
    if (result.backupCodes) await done(result);
    else if (result.__typename === "EnrollmentNotStarted") await expired(field, show);
    else refuseAndEmpty(field, sentence(result));
  });
}

/** Show another key, since the one before holds no more. @param {HTMLInputElement} field */
export function tellExpired(field) {
  refuseAndEmpty(field, t("This QR code had expired. Scan the new one, then enter the code that it generates."));
}

/** @param {HTMLElement} place @param {Begun} begun */
function showKey(place, begun) {
  const picture = find(place, ".qr", HTMLImageElement);
  picture.src = begun.qrCodePngDataUri;
  picture.alt = t("QR code for your authenticator app. The key in it: {key}", { key: begun.manualEntryKey });
  element(place, ".key").textContent = begun.manualEntryKey;
}
