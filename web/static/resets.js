// The card "Resets that wait": what a second owner or admin decides of.

import { act, succeeded } from "./act.js";
import { STAFF_MEMBER } from "./roster_row.js";
import { t } from "./texts.js";
import { showCard, waitingRow } from "./waiting_card.js";
import { minute } from "./words.js";

/**
 * @typedef {import("./roster_row.js").Member} Member
 * @typedef {{id: string, staffMember: Member, requestedBy: string, reason: string | null, expiresAt: string,
 *   canApprove: boolean, canDecline: boolean}} Waiting
 */

const APPROVE = `mutation ApproveMfaReset($input: MfaResetInput!) { approveMfaReset(input: $input) {
  __typename ... on StaffMfaReset { staffMember { ${STAFF_MEMBER} } } ... on Error { message } } }`;
const DECLINE = `mutation DeclineMfaReset($input: MfaResetInput!) { declineMfaReset(input: $input) {
  __typename ... on MfaResetDeclined { staffMember { ${STAFF_MEMBER} } } ... on Error { message } } }`;

/** @param {string} accountId @param {Waiting[]} waiting @param {(member: Member) => void} changed */
export function showResets(accountId, waiting, changed) {
  const rows = waiting.map((reset) => [
    [reset.id, reset.canApprove, reset.canDecline].join("-"),
    () => row(accountId, reset, changed),
  ]);
  showCard("resets", new Map(/** @type {[string, () => HTMLElement][]} */ (rows)));
}

/** @param {string} accountId @param {Waiting} reset @param {(member: Member) => void} changed */
function row(accountId, { id, staffMember, requestedBy, reason, expiresAt, canApprove, canDecline }, changed) {
  const asked = t("asked for by {who}, until {time}", { who: requestedBy, time: minute(expiresAt) });
  /** @type {[string, () => Promise<string>][]} */
  const decisions = [];
  if (canApprove) decisions.push([t("Approve"), () => decide(APPROVE, "StaffMfaReset")]);
  if (canDecline) decisions.push([t("Decline"), () => decide(DECLINE, "MfaResetDeclined")]);
  return waitingRow(id, staffMember.email, [asked, reason], decisions);

  /** @param {string} mutation @param {string} success */
  async function decide(mutation, success) {
    changed(succeeded(await act(mutation, { accountId, resetId: id }), success).staffMember);
    return t("Done.");
  }
}
