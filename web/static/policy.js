// The card "MFA Enforcement": the switch, the grace period, and what saving would do.

import { act } from "./act.js";
import { Problem, ask } from "./api.js";
import { clone, element, find, form, input, make } from "./dom.js";
import { clearErrors, onSubmit, refuse } from "./forms.js";
import { announce } from "./frame.js";
import { fill } from "./held.js";
import { n, t } from "./texts.js";
import { minute } from "./words.js";

/**
 * @typedef {{requireMfa: boolean, gracePeriodDays: number | null, graceDeadline: string | null, joinerDays: number,
 *   requiredOf: string, confirmResetByEmail: boolean, resetApproval: string, updatedAt: string}} Policy
 */

export const POLICY =
  "requireMfa gracePeriodDays graceDeadline joinerDays requiredOf confirmResetByEmail resetApproval updatedAt";
const HELD = `query SecurityPolicy($id: ID!) { account(id: $id) { securityPolicy { ${POLICY} } } }`;
const UPDATE = `mutation UpdateSecurityPolicy($input: UpdateSecurityPolicyInput!) { updateSecurityPolicy(input: $input) {
  __typename ... on SecurityPolicyUpdated { securityPolicy { ${POLICY} } } ... on Error { message }
  ... on InvalidInput { field } } }`;
const IMPACT = `query PolicyImpact(
  $id: ID!, $requireMfa: Boolean!, $gracePeriodDays: Int, $joinerDays: Int, $requiredOf: RequiredOf
  $resetApproval: ResetApproval
) { account(id: $id) { policyImpact(
  requireMfa: $requireMfa, gracePeriodDays: $gracePeriodDays, joinerDays: $joinerDays, requiredOf: $requiredOf
  resetApproval: $resetApproval
) { affectedCount blockedNowCount graceDeadline resetNeverApprovedCount } } }`;
const DEFAULT_DAYS = 7;
const MOST_DAYS = 30;

/** Show the policy to somebody who may only look. @param {Policy} policy */
export function showPolicy(policy) {
  element(document, "#policy").replaceChildren(make("p", standing(policy)));
}

/** @param {string} accountId @param {Policy} policy @param {boolean} isOwner @param {(policy: Policy) => void} saved */
export function editPolicy(accountId, policy, isOwner, saved) {
  const card = element(document, "#policy");
  card.replaceChildren(clone("policy-form"));
  const require = input(card, "#require");
  const days = input(card, "#grace");
  const joiner = input(card, "#joiner");
  const requiredOf = find(card, "#required-of", HTMLSelectElement);
  const impact = element(card, ".impact");
  let asked = 0;
  let held = policy;

  const confirm = input(card, "#confirm-reset");
  const approval = find(card, "#reset-approval", HTMLSelectElement);
  approval.disabled = !isOwner;
  /** @type {Map<HTMLInputElement | HTMLSelectElement, (held: Policy) => string | boolean>} */
  const fields = new Map();
  fields.set(require, ({ requireMfa }) => requireMfa);
  fields.set(days, ({ gracePeriodDays }) => String(gracePeriodDays ?? DEFAULT_DAYS));
  fields.set(joiner, ({ joinerDays }) => String(joinerDays));
  fields.set(requiredOf, (each) => each.requiredOf);
  fields.set(confirm, ({ confirmResetByEmail }) => confirmResetByEmail);
  fields.set(approval, ({ resetApproval }) => resetApproval);
  fill(fields, policy);
  find(card, "details", HTMLDetailsElement).open = policy.joinerDays > 0 || policy.requiredOf !== "EVERYONE";
  showGrace();
  impact.textContent = standing(policy);
  require.addEventListener("change", () => {
    showGrace();
    void tryOut();
  });
  for (const field of [days, joiner, requiredOf, approval]) field.addEventListener("input", () => void tryOut());
  onSubmit(form(card), async () => {
    for (const field of require.checked ? [days, joiner] : []) {
      if (daysIn(field) === null) return refuse(field, t("Enter whole days from 0 to {most}.", { most: MOST_DAYS }));
    }
    const resetApproval = isOwner ? approval.value : null;
    const more = { confirmResetByEmail: confirm.checked, resetApproval, ifUpdatedAt: held.updatedAt };
    const result = await act(UPDATE, { accountId, ...wanted(), ...more });
    if (result.__typename === "ChangedMeanwhile") await lookAgain();
    if (result.__typename === "InvalidInput" && require.checked) {
      return refuse(result.field === "joinerDays" ? joiner : days, result.message);
    }
    if (result.__typename !== "SecurityPolicyUpdated") throw new Problem(result.__typename, result.message);
    announce(t("Saved."));
    took(result.securityPolicy);
  });

  /** Show what somebody else has saved; what was chosen here stays. */
  async function lookAgain() {
    const { data, problem } = await ask(HELD, { id: accountId });
    if (problem) throw problem;
    took(data.account.securityPolicy);
  }

  /** @param {Policy} now */
  function took(now) {
    asked += 1;
    fill(fields, now, held);
    held = now;
    showGrace();
    impact.textContent = standing(held);
    saved(held);
  }

  function showGrace() {
    element(card, "[data-grace]").hidden = !require.checked;
    days.required = require.checked;
    joiner.required = require.checked;
  }

  /** What stands in the form; what is hidden while MFA is not required stays as it is. */
  function wanted() {
    if (!require.checked) return { requireMfa: false };
    const [gracePeriodDays, joinerDays] = [daysIn(days), daysIn(joiner)];
    return { requireMfa: true, gracePeriodDays, joinerDays, requiredOf: requiredOf.value };
  }

  async function tryOut() {
    clearErrors(card);
    asked += 1;
    const mine = asked;
    if (require.checked && (daysIn(days) === null || daysIn(joiner) === null)) {
      impact.textContent = "";
      return;
    }
    const resetApproval = approval.value;
    const { data } = await ask(IMPACT, { id: accountId, ...wanted(), resetApproval }).catch(() => ({ data: {} }));
    if (mine !== asked) return;
    const found = data.account?.policyImpact;
    impact.textContent = found ? sentenceOf(require.checked, held.requireMfa, found) + approvalSentence(found) : "";
  }
}

/** @param {HTMLInputElement} field @returns {number | null} */
function daysIn(field) {
  return /^\d{1,2}$/.test(field.value) && Number(field.value) <= MOST_DAYS ? Number(field.value) : null;
}

/** @param {Policy} policy */
function standing({ requireMfa, gracePeriodDays, graceDeadline, joinerDays, requiredOf }) {
  if (!requireMfa || !graceDeadline) return t("MFA is not required now.");
  const required = requiredOf === "EVERYONE" ? t("MFA is required.") : t("MFA is required of owners and admins.");
  const one = "Grace period: {count} day; the deadline is {deadline}.";
  const grace = n(gracePeriodDays ?? 0, one, "Grace period: {count} days; the deadline is {deadline}.", {
    deadline: minute(graceDeadline),
  });
  const joiner = "Whoever joins later has at least {count} day.";
  const later = joinerDays ? ` ${n(joinerDays, joiner, "Whoever joins later has at least {count} days.")}` : "";
  return `${required} ${grace}${later}`;
}

/** @param {{resetNeverApprovedCount: number}} impact */
function approvalSentence({ resetNeverApprovedCount }) {
  if (!resetNeverApprovedCount) return "";
  const nobody = "Too few owners and admins: nobody could approve the reset of {count} staff member.";
  return ` ${n(resetNeverApprovedCount, nobody, "Too few owners and admins: nobody could approve the resets of {count} staff members.")}`;
}

/**
 * @param {boolean} isOn @param {boolean} wasOn
 * @param {{affectedCount: number, blockedNowCount: number, graceDeadline: string | null}} impact
 */
function sentenceOf(isOn, wasOn, { affectedCount, blockedNowCount, graceDeadline }) {
  if (!isOn) return wasOn ? t("Saving ends the requirement: nobody is asked to set up MFA any more.") : t("MFA is not required now.");
  const asking = "Saving asks {count} staff member to set up MFA by {deadline}.";
  const first = n(affectedCount, asking, "Saving asks {count} staff members to set up MFA by {deadline}.", {
    deadline: minute(graceDeadline ?? ""),
  });
  if (!blockedNowCount) return first;
  const blocked = "{count} staff member cannot continue from now on until they do.";
  return `${first} ${n(blockedNowCount, blocked, "{count} staff members cannot continue from now on until they do.")}`;
}
