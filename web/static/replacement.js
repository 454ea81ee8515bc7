// Moving to a new authenticator app while MFA stays on: a code of the old app or a backup code, then the new app's first.

import { act } from "./act.js";
import { codeIn, eitherCode, isCode } from "./codes.js";
import { openDialog } from "./dialogs.js";
import { element, form, input } from "./dom.js";
import { scan } from "./enrollment.js";
import { BEGUN } from "./key.js";
import { onSubmit, refuseAndEmpty, sentence } from "./forms.js";
import { announce } from "./frame.js";
import { VIEWER } from "./queries.js";
import { t } from "./texts.js";

const MORE = "... on Error { message } ... on TooManyAttempts { retryAt }";
const BEGIN = `mutation BeginAuthenticatorReplacement($input: BeginAuthenticatorReplacementInput!) {
  beginAuthenticatorReplacement(input: $input) { __typename ${BEGUN} ${MORE} } }`;
const REPLACE = `mutation ReplaceAuthenticator($input: ReplaceAuthenticatorInput!) { replaceAuthenticator(input: $input) {
  __typename ... on AuthenticatorReplaced { backupCodes viewer { ${VIEWER} } } ${MORE} } }`;

/** @param {(viewer: import("./queries.js").Viewer) => void} changed */
export function replaceAuthenticator(changed) {
  const { dialog } = openDialog("replace");
  const place = element(dialog, "[data-second]");
  eitherCode(place);
  input(place, "input").focus();
  onSubmit(form(dialog), async () => {
    const field = input(place, "input");
    if (!isCode(field)) return;
    const begun = await act(BEGIN, { code: { [field.dataset.code ?? ""]: codeIn(field) } });
    if (begun.__typename !== "MfaEnrollment") return refuseAndEmpty(field, sentence(begun));
    dialog.close();
    scan("new-app", begun, REPLACE, changed, async (_field, _show, scanning) => {
      // The code that allowed it is spent: another one is needed.
      scanning.close();
      replaceAuthenticator(changed);
      announce(t("That took longer than 15 minutes. Begin again."));
    });
  });
}
