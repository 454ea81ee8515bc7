// The card "Who may be locked out": whoever has MFA on and no way back, or hardly any. Loaded where there is somebody.

import { Problem, ask } from "./api.js";
import { button, clone, element, make } from "./dom.js";
import { onPress } from "./forms.js";
import { n, t } from "./texts.js";

/** @typedef {{email: string, backupCodesRemaining: number, reasons: string[]}} Risk */
/** @typedef {{totalCount: number, nodes: Risk[], pageInfo: {hasNextPage: boolean, endCursor: string | null}}} Forecast */

const FORECAST = "totalCount nodes { email backupCodesRemaining reasons } pageInfo { hasNextPage endCursor }";
const MORE = `query LockOutForecast($id: ID!, $after: String) { account(id: $id) {
  lockOutForecast(first: 100, after: $after) { ${FORECAST} } } }`;

/** Show the card below the roster. @param {string} accountId @param {Forecast} forecast */
export function showForecast(accountId, forecast) {
  const card = element(clone("lock-out"), "section");
  const list = element(card, "ul");
  const count = forecast.totalCount;
  const one = "{count} staff member could not come back today without their phone, or not for long.";
  const told = n(count, one, "{count} staff members could not come back today without their phone, or not for long.");
  element(card, "[data-count]").textContent = told;
  const more = button(card, "[data-more]");
  put(forecast);
  onPress(more, card, async () => {
    const { data, problem } = await ask(MORE, { id: accountId, after: more.dataset.after });
    if (problem) throw new Problem(problem.code, problem.message);
    put(data.account.lockOutForecast);
  });
  element(document, "section[aria-labelledby=staff-title]").after(card);

  /** @param {Forecast} page */
  function put({ nodes, pageInfo }) {
    list.append(...nodes.map(row));
    more.dataset.after = pageInfo.endCursor ?? "";
    element(card, "[data-last]").hidden = !pageInfo.hasNextPage;
  }
}

/** @param {Risk} risk */
function row({ email, backupCodesRemaining, reasons }) {
  const item = make("li", "");
  const told = make("div", "");
  told.append(make("p", email, "device"), ...reasons.map((reason) => make("p", why(reason, backupCodesRemaining), "hint")));
  item.append(told);
  return item;
}

/** @param {string} reason @param {number} left */
function why(reason, left) {
  if (reason === "NO_CODES") return t("No backup code is left.");
  if (reason === "FEW_CODES") return n(left, "{count} backup code left.", "{count} backup codes left.");
  if (reason === "CODES_NOT_SAVED") return t("Has not said that the backup codes are saved.");
  return t("The only owner: nobody here could reset them.");
}
