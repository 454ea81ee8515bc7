// Giving a staff member a recovery pass, which is shown once. Loaded once somebody asks.

import { act, succeeded } from "./act.js";
import { openDialog } from "./dialogs.js";
import { element, form, input } from "./dom.js";
import { onSubmit, refuse } from "./forms.js";
import { showOnce } from "./shown_once.js";
import { t } from "./texts.js";
import { minute } from "./words.js";

const ISSUE = `mutation IssueRecoveryPass($input: IssueRecoveryPassInput!) { issueRecoveryPass(input: $input) {
  __typename ... on RecoveryPassIssued { recoveryPass expiresAt } ... on Error { message } } }`;

/** Ask why, and show the pass. @param {string} accountId @param {import("./roster_row.js").Member} member */
export function givePass(accountId, { id, email }) {
  const { dialog } = openDialog("give-pass");
  element(dialog, ".whom").textContent = email;
  onSubmit(form(dialog), async () => {
    const reason = input(dialog, "#pass-reason");
    const result = await act(ISSUE, { accountId, staffId: id, reason: reason.value });
    if (result.__typename === "InvalidInput") return refuse(reason, result.message);
    const { recoveryPass, expiresAt } = succeeded(result, "RecoveryPassIssued");
    dialog.close();
    await showOnce("hand-over", recoveryPass, t("For {email}, once, until {time}.", { email, time: minute(expiresAt) }));
  });
}
