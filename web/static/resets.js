// The card "Resets that wait": what a second owner or admin decides of.

import { act, succeeded } from "./act.js";
import { clone, element, make } from "./dom.js";
import { onPress } from "./forms.js";
import { announce } from "./frame.js";
import { STAFF_MEMBER } from "./roster_row.js";
import { t } from "./texts.js";
import { minute } from "./words.js";

/**
 * @typedef {import("./roster_row.js").Member} Member
 * @typedef {{id: string, staffMember: {email: string}, requestedBy: string, reason: string | null, expiresAt: string,
 *   canApprove: boolean, canDecline: boolean}} Waiting
 */

const APPROVE = `mutation ApproveMfaReset($input: MfaResetInput!) { approveMfaReset(input: $input) {
  __typename ... on StaffMfaReset { staffMember { ${STAFF_MEMBER} } } ... on Error { message } } }`;
const DECLINE = `mutation DeclineMfaReset($input: MfaResetInput!) { declineMfaReset(input: $input) {
  __typename ... on MfaResetDeclined { staffMember { ${STAFF_MEMBER} } } ... on Error { message } } }`;

/** Show the card above the roster. @param {string} accountId @param {Waiting[]} waiting @param {(member: Member) => void} changed */
export function showResets(accountId, waiting, changed) {
  const card = element(clone("resets"), "section");
  element(card, "ul").append(...waiting.map(row));
  element(document, "section[aria-labelledby=staff-title]").before(card);

  /** @param {Waiting} reset */
  function row(reset) {
    const { id, staffMember, requestedBy, reason, expiresAt, canApprove, canDecline } = reset;
    const item = make("li", "");
    const told = make("div", "");
    const whom = make("p", staffMember.email, "device");
    whom.id = `reset-${id}`;
    told.append(whom, make("p", t("asked for by {who}, until {time}", { who: requestedBy, time: minute(expiresAt) }), "hint"));
    if (reason) told.append(make("p", reason, "hint"));
    item.append(told);
    const buttons = make("p", "", "buttons");
    if (canApprove) buttons.append(decision(t("Approve"), APPROVE, "StaffMfaReset"));
    if (canDecline) buttons.append(decision(t("Decline"), DECLINE, "MfaResetDeclined"));
    item.append(buttons);
    return item;

    /** @param {string} name @param {string} mutation @param {string} success */
    function decision(name, mutation, success) {
      const made = make("button", name, "quiet small");
      made.type = "button";
      made.setAttribute("aria-describedby", whom.id);
      onPress(made, card, async () => {
        changed(succeeded(await act(mutation, { accountId, resetId: id }), success).staffMember);
        item.remove();
        announce(t("Done."));
        if (element(card, "ul").children.length) element(card, "h2").focus();
        else {
          card.remove();
          element(document, "#staff-title").focus();
        }
      });
      return made;
    }
  }
}
