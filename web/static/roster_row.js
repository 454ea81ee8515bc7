// One staff member in the table.

import { make } from "./dom.js";
import { fill, t } from "./texts.js";
import { day } from "./words.js";

/**
 * @typedef {{id: string, email: string, role: string, mfaState: string, mfaEnabled: boolean, mfaDeadline: string | null,
 *   mfaDeadlineReason: string | null, lastRemindedAt: string | null, canResetMfa: boolean,
 *   canGiveRecoveryPass: boolean, enrollmentStopped: boolean,
 *   mfaResetWaiting: boolean, state: string, lastReminderFailedAt: string | null,
 *   invitation: {id: string, expiresAt: string} | null}} Member
 * @typedef {{name: string, act: (member: Member) => void, fits: (member: Member) => boolean}} Action
 */

export const STAFF_MEMBER = `id email role mfaState mfaEnabled mfaDeadline mfaDeadlineReason lastRemindedAt canResetMfa
  canGiveRecoveryPass enrollmentStopped mfaResetWaiting state
  lastReminderFailedAt invitation { id expiresAt }`;
export const LABELS = [t("Email"), t("Role"), "MFA", t("Actions")];

/** @type {Record<string, string>} */
const EXCEPTIONS = { EXTENDED: t("more time until {day}"), EXEMPTED: t("exempt, MFA required from {day}") };
/** @type {Record<string, string>} */
const ROLES = { OWNER: t("Owner"), ADMIN: t("Admin"), MEMBER: t("Member") };
/** @type {Record<string, string>} */
const STATES = { ENABLED: t("Enabled"), NOT_ENABLED: t("Not enabled"), BLOCKED: t("Not enabled, blocked") };

/** @param {Member} member @param {Action[]} actions */
export function row(member, actions) {
  const line = document.createElement("tr");
  line.role = "row";
  const email = make("th", member.email, "email");
  email.scope = "row";
  email.role = "rowheader";
  email.id = `staff-${member.id}`;
  const buttons = actions.filter(({ fits }) => fits(member)).map((action) => pressable(member, action, email.id));
  line.append(email, cell(roleOf(member)), cell(state(member)), cell(...buttons));
  [...line.cells].forEach((each, index) => {
    each.dataset.label = LABELS[index];
  });
  return line;
}

/** @param {Member} member */
export const roleOf = ({ role }) => ROLES[role] ?? role;

/** @param {Member} member */
export const stateOf = ({ state: coming, mfaState }) => (coming === "INVITED" ? t("Invited") : STATES[mfaState]);

/** @param {Member} member */
function state(member) {
  const shown = make("span", stateOf(member), `badge ${member.state === "INVITED" ? "invited" : member.mfaState.toLowerCase()}`);
  const more = moreOf(member);
  if (!more) return shown;
  const both = make("div", "");
  both.append(shown, make("span", more, "hint"));
  return both;
}

/** Whether an exception holds. @param {Member} member */
export const isExcepted = ({ mfaDeadlineReason }) => mfaDeadlineReason !== null && mfaDeadlineReason in EXCEPTIONS;

/** @param {Member} member */
function moreOf(member) {
  const { invitation, mfaState, mfaDeadline, mfaDeadlineReason, lastRemindedAt, enrollmentStopped } = member;
  if (invitation) return t("until {day}", { day: day(invitation.expiresAt) });
  if (member.mfaResetWaiting) return t("a reset waits for approval");
  if (enrollmentStopped) return t("disputed the reset: an owner resets it again");
  if (mfaState === "ENABLED") return "";
  const until = EXCEPTIONS[mfaDeadlineReason ?? ""] ?? t("due {day}");
  const due = mfaState === "NOT_ENABLED" && mfaDeadline ? fill(until, { day: day(mfaDeadline) }) : "";
  const reminded = lastRemindedAt ? t("reminded {day}", { day: day(lastRemindedAt) }) : "";
  const failedAt = member.lastReminderFailedAt;
  const failed = failedAt ? t("reminder failed {day}", { day: day(failedAt) }) : "";
  return [due, failed || reminded].filter(Boolean).join(", ");
}

/** @param {Member} member @param {Action} action @param {string} describedBy */
function pressable(member, { name, act }, describedBy) {
  const made = make("button", name, "quiet small");
  made.type = "button";
  made.setAttribute("aria-describedby", describedBy);
  made.addEventListener("click", () => act(member));
  return made;
}

/** @param {(string | Node)[]} content */
function cell(...content) {
  const made = document.createElement("td");
  made.role = "cell";
  made.append(...content);
  return made;
}
