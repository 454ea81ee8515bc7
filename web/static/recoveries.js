// The card "Coming back without MFA": whoever waits to, and the button that stops it.

import { act, succeeded } from "./act.js";
import { t } from "./texts.js";
import { showCard, waitingRow } from "./waiting_card.js";
import { minute } from "./words.js";

/** @typedef {{staffMember: {id: string, email: string}, endsAt: string, canStop: boolean}} Waiting */

const STOP = `mutation StopStaffAccountRecovery($input: StopStaffAccountRecoveryInput!) {
  stopStaffAccountRecovery(input: $input) { __typename ... on Error { message } } }`;

/** @param {string} accountId @param {Waiting[]} waiting */
export function showRecoveries(accountId, waiting) {
  const rows = waiting.map((each) => [
    [each.staffMember.id, each.endsAt, each.canStop].join("-"),
    () => row(accountId, each),
  ]);
  showCard("recoveries", new Map(/** @type {[string, () => HTMLElement][]} */ (rows)));
}

/** @param {string} accountId @param {Waiting} waiting */
function row(accountId, { staffMember: { id, email }, endsAt, canStop }) {
  const told = t("MFA is reset on {time} unless that is stopped.", { time: minute(endsAt) });
  return waitingRow(id, email, [told], canStop ? [[t("Stop it"), stop]] : []);

  async function stop() {
    succeeded(await act(STOP, { accountId, staffId: id }), "StaffAccountRecoveryStopped");
    return t("Stopped. The MFA of {email} stays as it is.", { email });
  }
}
