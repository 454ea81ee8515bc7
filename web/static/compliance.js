// The card "Compliance": how the account stood at the end of a day. Loaded once somebody opens it.

import { ask } from "./api.js";
import { clone, element, form, input, make } from "./dom.js";
import { wordsOf } from "./exceptions.js";
import { onSubmit, refuse } from "./forms.js";
import { numbers, t } from "./texts.js";
import { day, isoDay } from "./words.js";

const PAST = `query Compliance($id: ID!, $at: DateTime) { account(id: $id) { compliance(at: $at) {
  requireMfa graceDeadline staffCount enrolledCount pendingCount blockedCount exceptedCount
  exceptions { email kind until reason authorEmail breakGlass } } } }`;

/** Fill the card. @param {HTMLElement} card @param {string} accountId */
export async function showCompliance(card, accountId) {
  const place = element(card, "[data-past]");
  place.replaceChildren(clone("compliance-form"));
  const chosen = input(place, "#past-day");
  chosen.value = chosen.max = isoDay(0);
  onSubmit(form(place), async () => {
    const end = new Date(`${chosen.value}T23:59:59`);
    if (Number.isNaN(end.getTime())) return refuse(chosen, t("Enter a date."));
    // Of a day that is not over: now.
    const at = end.getTime() < Date.now() ? end.toISOString() : null;
    const { data, problem } = await ask(PAST, { id: accountId, at });
    if (problem) throw problem;
    tellOf(element(place, "[role=status]"), data.account.compliance);
  });
}

/** @param {HTMLElement} place @param {any} found */
function tellOf(place, found) {
  const required = found.requireMfa ? t("MFA was required, by {day}.", { day: day(found.graceDeadline) }) : t("MFA was not required.");
  const counts = {
    enrolled: numbers.format(found.enrolledCount),
    staff: numbers.format(found.staffCount),
    pending: numbers.format(found.pendingCount),
    blocked: numbers.format(found.blockedCount),
    excepted: numbers.format(found.exceptedCount),
  };
  const told = t("MFA on: {enrolled} of {staff}. Without it in time: {pending}. Blocked: {blocked}. Without it and with an exception: {excepted}.", counts);
  place.replaceChildren(
    make("p", required),
    make("p", told),
    ...found.exceptions.map((/** @type {any} */ each) => make("p", `${each.email}: ${wordsOf(each)}`, "hint")),
  );
}
