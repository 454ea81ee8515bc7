// The card "Multi-factor authentication": how it stands, and the two changes that a current code confirms.

import { act } from "./act.js";
import { saveCodes } from "./backup_codes.js";
import { codeIn, isCode, sendWhenFull } from "./codes.js";
import { openDialog } from "./dialogs.js";
import { button, clone, element, form, input } from "./dom.js";
import { setUp } from "./enrollment.js";
import { onPress, onSubmit, refuseAndEmpty, sentence } from "./forms.js";
import { VIEWER } from "./queries.js";
import { replaceAuthenticator } from "./replacement.js";
import { n, t } from "./texts.js";
import { day } from "./words.js";

/** @typedef {import("./queries.js").Viewer} Viewer */

const MORE = `... on Error { message } ... on TooManyAttempts { retryAt }`;
const REGENERATE = `mutation RegenerateBackupCodes($input: RegenerateBackupCodesInput!) {
  regenerateBackupCodes(input: $input) {
    __typename ... on BackupCodesRegenerated { backupCodes viewer { ${VIEWER} } } ${MORE} } }`;
const DISABLE = `mutation DisableMfa($input: DisableMfaInput!) {
  disableMfa(input: $input) { __typename ... on MfaDisabled { viewer { ${VIEWER} } } ${MORE} } }`;
const FEW = 3;

/** @param {Viewer} viewer @param {(viewer: Viewer) => void} changed */
export function showFactor(viewer, changed) {
  const card = element(document, "#factor");
  const { enabled, enabledAt, backupCodesRemaining } = viewer.mfa;
  const key = JSON.stringify([viewer.mfa, viewer.isSuperAdmin, viewer.memberships.length]);
  if (card.dataset.shown === key) return;
  card.dataset.shown = key;
  if (!enabled) {
    const mayEnroll = viewer.isSuperAdmin || viewer.memberships.length > 0;
    card.replaceChildren(clone(mayEnroll ? "factor-off" : "factor-none"));
    if (mayEnroll) onPress(button(card, "[data-set-up]"), card, () => setUp(changed));
    return;
  }
  card.replaceChildren(clone("factor-on"));
  element(card, "[data-since]").textContent = t("since {day}", { day: day(enabledAt ?? "") });
  const left = element(card, "[data-left]");
  left.textContent = n(backupCodesRemaining, "{count} backup code left.", "{count} backup codes left.");
  if (backupCodesRemaining <= FEW) left.textContent += ` ${t("Regenerate them before you run out.")}`;
  left.classList.toggle("few", backupCodesRemaining <= FEW);
  onPress(button(card, "[data-regenerate]"), card, async () => regenerate(changed));
  onPress(button(card, "[data-replace]"), card, async () => replaceAuthenticator(changed));
  onPress(button(card, "[data-disable]"), card, async () => disable(changed));
}

/** @param {(viewer: Viewer) => void} changed */
function regenerate(changed) {
  confirmByCode("regenerate", REGENERATE, "BackupCodesRegenerated", async ({ backupCodes, viewer }) => {
    await saveCodes(backupCodes, viewer.email);
    changed(viewer);
  });
}

/** @param {(viewer: Viewer) => void} changed */
function disable(changed) {
  confirmByCode("disable", DISABLE, "MfaDisabled", async ({ viewer }) => changed(viewer));
}

/**
 * @param {"regenerate" | "disable"} id @param {string} mutation @param {string} success
 * @param {(result: any) => Promise<void>} done
 */
function confirmByCode(id, mutation, success, done) {
  const { dialog } = openDialog(id);
  const field = input(dialog, `#${id}-code`);
  sendWhenFull(field);
  onSubmit(form(dialog), async () => {
    if (!isCode(field)) return;
    const result = await act(mutation, { code: codeIn(field) });
    if (result.__typename !== success) return refuseAndEmpty(field, sentence(result));
    dialog.close();
    await done(result);
  });
}
