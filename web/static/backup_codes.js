// The dialog "Save your backup codes", which only "Done" closes, and only when they are said to be saved.

import { ask } from "./api.js";
import { copied, download } from "./clipboard.js";
import { openFirmDialog } from "./dialogs.js";
import { button, element, input, make, say } from "./dom.js";
import { t } from "./texts.js";
import { day } from "./words.js";

const SAVED = `mutation ConfirmBackupCodesSaved($idempotencyKey: String) {
  confirmBackupCodesSaved(idempotencyKey: $idempotencyKey) { __typename } }`;

/**
 * Show the codes until the person says that they are saved.
 * @param {string[]} codes @param {string} email
 */
export function saveCodes(codes, email) {
  const { dialog, done } = openFirmDialog("save-codes");
  element(dialog, ".codes").replaceChildren(...codes.map((code) => make("li", code)));
  const text = [heading(email), "", ...codes, ""].join("\n");
  const said = element(dialog, ".said");
  const saved = tellOnce();
  button(dialog, "[data-copy]").addEventListener("click", async () => {
    const isCopied = await copied(text);
    if (isCopied) saved();
    say(said, isCopied ? t("Codes copied.") : t("The browser does not let this page copy. Select the codes instead."));
  });
  button(dialog, "[data-download]").addEventListener("click", () => {
    download(text, "backup-codes.txt", "text/plain");
    saved();
    say(said, t("Codes downloaded."));
  });
  button(dialog, "[data-print]").addEventListener("click", () => print(email, codes));
  input(dialog, "input[type=checkbox]").addEventListener("change", saved);
  return done;
}

/** Tell the server that the codes are saved; the owners' forecast alone goes by it, so nothing is said of a failure. */
function tellOnce() {
  let isTold = false;
  return () => {
    if (!isTold) void ask(SAVED).catch(() => undefined);
    isTold = true;
  };
}

/** @param {string} email */
const heading = (email) =>
  `${t("{product} backup codes for {email}, {day}", { product: document.body.dataset.product ?? "", email, day: day(new Date().toISOString()) })}`;

/** @param {string} email @param {string[]} codes */
function print(email, codes) {
  const sheet = make("div", "", "sheet");
  sheet.append(make("p", heading(email)), ...codes.map((code) => make("p", code, "code")));
  document.querySelector(".sheet")?.remove();
  document.body.append(sheet);
  // Phones go on before they have printed.
  addEventListener("afterprint", () => sheet.remove(), { once: true });
  window.print();
}
