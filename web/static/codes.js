// Code fields: spaces and dashes may be pasted, and a full code sends itself, once.

import { button, clone, input } from "./dom.js";
import { refuse } from "./forms.js";
import { t } from "./texts.js";

/** @typedef {"totp" | "backupCode"} Kind as the API calls them */

/** @type {Record<string, {full: RegExp, wrongForm: string}>} */
const KINDS = {
  totp: { full: /^\d{6}$/, wrongForm: t("A code has 6 digits. Enter the one that your authenticator app shows now.") },
  backupCode: { full: /^[a-z0-9]{8}$/, wrongForm: t("A backup code has 8 lowercase letters and digits.") },
};
// Dashes of every kind, spaces, and marks and fillers that cannot be seen.
const BETWEEN =
  /[\p{Pd}\s\p{Cf}\u2212\u2043_.\x1c-\x1f\x85\u034f\u115f\u1160\u180b-\u180e\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0000}-\u{e0fff}]/gu;
const DIGIT = /\p{Nd}/gu;

/** @param {Kind} kind @returns {Kind} */
export const otherKind = (kind) => (kind === "totp" ? "backupCode" : "totp");

/** Put the field of a code into a form, with a way to the other kind. @param {HTMLElement} place @param {Kind} [kind] */
export function eitherCode(place, kind = "totp") {
  place.replaceChildren(clone(`confirm-${kind}`));
  sendWhenFull(input(place, "input"));
  button(place, "[data-other]").addEventListener("click", () => {
    eitherCode(place, otherKind(kind));
    input(place, "input").focus();
  });
}

/** Let a full code send its form, once. @param {HTMLInputElement} field */
export function sendWhenFull(field) {
  let sent = "";
  field.addEventListener("input", () => {
    const code = codeIn(field);
    if (!kindOf(field).full.test(code)) sent = "";
    else if (code !== sent) {
      sent = code;
      field.form?.requestSubmit();
    }
  });
}

/** The code that was typed, without what stands between. @param {HTMLInputElement} field */
export const codeIn = (field) => field.value.normalize("NFKC").replace(BETWEEN, "").replace(DIGIT, plain).toLowerCase();

/** A digit of any script as 0 to 9: each has its ten in a row. @param {string} digit */
function plain(digit) {
  const point = digit.codePointAt(0) ?? 0;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(point - before - 1))) before += 1;
  return String(before % 10);
}

/** Whether it has the form of a code; else the field says so. @param {HTMLInputElement} field */
export function isCode(field) {
  const { full, wrongForm } = kindOf(field);
  const isOne = full.test(codeIn(field));
  if (!isOne) refuse(field, wrongForm);
  return isOne;
}

/** @param {HTMLInputElement} field */
const kindOf = (field) => KINDS[field.dataset.code ?? "totp"];
