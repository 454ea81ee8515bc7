// The card "Resets that wait": what a second owner or admin decides of.

import { act, succeeded } from "./act.js";
import { clone, element, make } from "./dom.js";
import { clearErrors, tell } from "./forms.js";
import { announce, tellProblem } from "./frame.js";
import { STAFF_MEMBER } from "./roster_row.js";
import { t } from "./texts.js";
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

/**
 * Show what waits in a card above the roster, in place of what is shown there; no card when nothing waits.
 * @param {string} accountId @param {Waiting[]} waiting @param {(member: Member) => void} changed
 */
export function showResets(accountId, waiting, changed) {
  const card = cardShown() ?? (waiting.length ? made() : null);
  if (!card) return;
  const shown = new Map([...element(card, "ul").children].map((item) => [item instanceof HTMLElement ? item.dataset.reset : "", item]));
  const wanted = waiting.map(({ id, canApprove, canDecline }) => [id, canApprove, canDecline].join(" "));
  for (const [key, item] of shown) if (!wanted.includes(key ?? "")) drop(item);
  wanted.forEach((key, index) => {
    if (!shown.has(key)) place(row(accountId, waiting[index], changed), key);
  });
}

function made() {
  const card = element(clone("resets"), "section");
  element(document, "section[aria-labelledby=staff-title]").before(card);
  return card;
}

/** @returns {HTMLElement | null} */
const cardShown = () => document.querySelector("section[aria-labelledby=resets-title]");

/** Put a row into the card, which its last one may have taken away. @param {HTMLElement} item @param {string} key */
function place(item, key) {
  item.dataset.reset = key;
  element(cardShown() ?? made(), "ul").append(item);
}

/** Take a row away, and the card with the last one; the focus, if it was there, goes on close by. @param {Element} item */
function drop(item) {
  const card = item.closest("section");
  const hadFocus = item.contains(document.activeElement);
  item.remove();
  if (!card) return;
  const isEmpty = !element(card, "ul").children.length;
  if (isEmpty) card.remove();
  if (hadFocus) element(document, isEmpty ? "#staff-title" : "#resets-title").focus();
}

/** @param {string} accountId @param {Waiting} reset @param {(member: Member) => void} changed */
function row(accountId, { id, staffMember, requestedBy, reason, expiresAt, canApprove, canDecline }, changed) {
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
    const pressed = make("button", name, "quiet small");
    pressed.type = "button";
    pressed.setAttribute("aria-describedby", whom.id);
    pressed.addEventListener("click", async () => {
      const card = cardShown();
      if (card === null || pressed.ariaBusy === "true") return;
      pressed.ariaBusy = "true";
      clearErrors(card);
      try {
        changed(succeeded(await act(mutation, { accountId, resetId: id }), success).staffMember);
        drop(item);
        announce(t("Done."));
      } catch (error) {
        // Somebody else may have decided of it meanwhile, and the card be gone.
        if (card.isConnected) tell(card, error);
        else tellProblem(error);
      } finally {
        pressed.ariaBusy = "false";
      }
    });
    return pressed;
  }
}
