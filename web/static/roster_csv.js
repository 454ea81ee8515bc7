// Everyone as a file for a spreadsheet, in which no cell can begin a formula.

import { ask } from "./api.js";
import { download } from "./clipboard.js";
import { announce } from "./frame.js";
import { STAFF_MEMBER, roleOf, stateOf } from "./roster_row.js";
import { n, t } from "./texts.js";

const EVERYONE = `query Everyone($id: ID!, $after: String) { account(id: $id) {
  staff(first: 500, after: $after) { nodes { ${STAFF_MEMBER} mfaEnabledAt } pageInfo { hasNextPage endCursor } } } }`;
const HEADINGS = [t("Email"), t("Role"), "MFA", t("Enabled at"), t("Due at")];
// What a spreadsheet takes for the beginning of a formula, also behind spaces and in full width.
const FORMULA = /^[\s\p{Cf}]*[=+\-@\t\r\n|%\uff1d\uff0b\uff0d\uff20]/u;

/** @param {string} accountId */
export async function downloadCsv(accountId) {
  const lines = [HEADINGS];
  /** @type {string | null} */
  let after = null;
  do {
    const { data, problem } = await ask(EVERYONE, { id: accountId, after });
    if (problem) throw problem;
    const { nodes, pageInfo } = data.account.staff;
    for (const member of nodes) {
      lines.push([member.email, roleOf(member), stateOf(member), member.mfaEnabledAt ?? "", member.mfaDeadline ?? ""]);
    }
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after);
  download(`\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`, "staff-mfa-status.csv", "text/csv");
  announce(n(lines.length - 1, "{count} staff member downloaded.", "{count} staff members downloaded."));
}

/** @param {string} text */
function cell(text) {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
