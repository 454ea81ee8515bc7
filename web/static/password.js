// The card "Password".

import { act } from "./act.js";
import { form, input } from "./dom.js";
import { announce } from "./frame.js";
import { onSubmit, refuse, refuseAndEmpty, sentence } from "./forms.js";
import { VIEWER } from "./queries.js";
import { t } from "./texts.js";

const CHANGE = `mutation ChangePassword($input: ChangePasswordInput!) { changePassword(input: $input) {
  __typename ... on PasswordChanged { viewer { ${VIEWER} } } ... on Error { message } ... on TooManyAttempts { retryAt } } }`;

/** @param {string} email @param {(viewer: import("./queries.js").Viewer) => void} changed */
export function beginPassword(email, changed) {
  const card = form(document, "#change-password");
  input(card, "[name=username]").value = email;
  const current = input(card, "#current-password");
  const next = input(card, "#new-password");
  onSubmit(card, async () => {
    const result = await act(CHANGE, { currentPassword: current.value, newPassword: next.value });
    if (result.__typename === "PasswordChanged") {
      card.reset();
      announce(t("Your password is changed."));
      changed(result.viewer);
    } else if (result.__typename === "InvalidInput") refuse(next, result.message);
    else if (result.__typename === "InvalidCredentials") refuseAndEmpty(current, t("The current password is wrong."));
    else refuseAndEmpty(current, sentence(result));
  });
}
