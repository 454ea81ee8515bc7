// One member's exception from the requirement: more time, or nothing asked for a while, and its end.

import { act } from "./act.js";
import { Problem, ask } from "./api.js";
import { openDialog } from "./dialogs.js";
import { button, element, find, form, input } from "./dom.js";
import { onPress, onSubmit, refuse } from "./forms.js";
import { announce } from "./frame.js";
import { STAFF_MEMBER } from "./roster_row.js";
import { t } from "./texts.js";
import { day, isoDay, minute } from "./words.js";

/** @typedef {import("./roster_row.js").Member} Member */
/**
 * @typedef {{id: string, kind: string, staffId: string | null, until: string, reason: string, authorEmail: string | null,
 *   breakGlass: boolean}} Exception
 */

const GIVEN = `__typename ... on Error { message } ... on InvalidInput { field }`;
const LIST = `query MfaExceptions($id: ID!) { account(id: $id) {
  mfaExceptions { id kind staffId until reason authorEmail breakGlass } } }`;
const EXTEND = `mutation ExtendMfaDeadline($input: ExtendMfaDeadlineInput!) { extendMfaDeadline(input: $input) {
  ${GIVEN} ... on MfaDeadlineExtended { results { staffMember { ${STAFF_MEMBER} } } } } }`;
const EXEMPT = `mutation ExemptFromMfa($input: ExemptFromMfaInput!) { exemptFromMfa(input: $input) {
  ${GIVEN} ... on MfaExempted { results { staffMember { ${STAFF_MEMBER} } } } } }`;
const END = `mutation EndMfaException($input: EndMfaExceptionInput!) { endMfaException(input: $input) {
  __typename ... on Error { message } ... on MfaExceptionEnded { staffMember { ${STAFF_MEMBER} } } } }`;
const LONGEST_DAYS = 90;
const FIRST_DAYS = 7;

/**
 * Show the exception that a member has, and let another take its place.
 * @param {string} accountId @param {boolean} isOwner @param {Member} member @param {(member: Member) => void} changed
 */
export async function except(accountId, isOwner, member, changed) {
  const held = await heldBy(accountId, member);
  const { dialog } = openDialog("exception");
  element(dialog, ".whom").textContent = member.email;
  if (held) showHeld(dialog, accountId, held, done);
  const until = input(dialog, "#exception-until");
  const reason = input(dialog, "#exception-reason");
  const breakGlass = input(dialog, "#break-glass");
  until.min = isoDay(1);
  until.max = isoDay(LONGEST_DAYS - 1);
  until.value = isoDay(FIRST_DAYS);
  dialog.addEventListener("change", showBreakGlass);
  showBreakGlass();
  onSubmit(form(dialog), async () => {
    // The whole of the last day, where the person who chooses it is.
    const end = new Date(`${until.value}T23:59:59`);
    if (Number.isNaN(end.getTime())) return refuse(until, t("Enter a date."));
    const asked = { accountId, staffId: member.id, until: end.toISOString(), reason: reason.value };
    const result = isExempting()
      ? await act(EXEMPT, { ...asked, breakGlass: breakGlass.checked && isOwner })
      : await act(EXTEND, asked);
    if (result.__typename === "InvalidInput") return refuse(result.field === "reason" ? reason : until, result.message);
    if (!result.results) throw new Problem(result.__typename, result.message);
    done(result.results[0].staffMember, t("Until {day}, and on record.", { day: day(end.toISOString()) }));
  });

  function isExempting() {
    return input(dialog, "#exempt").checked;
  }

  function showBreakGlass() {
    element(dialog, "[data-break-glass]").hidden = !isOwner || !isExempting();
  }

  /** @param {Member} now @param {string} said */
  function done(now, said) {
    dialog.close();
    changed(now);
    announce(said);
  }
}

/** @param {string} accountId @param {Member} member @returns {Promise<Exception | undefined>} */
async function heldBy(accountId, member) {
  const { data, problem } = await ask(LIST, { id: accountId });
  if (problem) throw problem;
  return data.account.mfaExceptions.find((/** @type {Exception} */ { staffId }) => staffId === member.id);
}

/**
 * @param {HTMLElement} dialog @param {string} accountId @param {Exception} held
 * @param {(member: Member, said: string) => void} done
 */
function showHeld(dialog, accountId, held, done) {
  const place = element(dialog, "[data-held]");
  place.hidden = false;
  find(place, "p", HTMLParagraphElement).textContent = wordsOf(held);
  onPress(button(place, "button"), dialog, async () => {
    const result = await act(END, { accountId, exceptionId: held.id });
    if (result.__typename !== "MfaExceptionEnded") throw new Problem(result.__typename, result.message);
    done(result.staffMember, t("The exception has ended."));
  });
}

/** What it gives, by whom and why. @param {Pick<Exception, "kind" | "until" | "authorEmail" | "reason" | "breakGlass">} held */
export function wordsOf(held) {
  const facts = { until: minute(held.until), author: held.authorEmail ?? t("an operator"), reason: held.reason };
  const what =
    held.kind === "EXEMPTED"
      ? t("Exempt until {until}, by {author}: {reason}", facts)
      : t("More time until {until}, by {author}: {reason}", facts);
  return held.breakGlass ? `${what} ${t("Break-glass account.")}` : what;
}
