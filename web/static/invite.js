// Inviting people, inviting them again, and taking an invitation back.

import { act } from "./act.js";
import { Problem } from "./api.js";
import { openDialog } from "./dialogs.js";
import { find, form, input } from "./dom.js";
import { onSubmit, refuse, sentence } from "./forms.js";
import { announce } from "./frame.js";
import { STAFF_MEMBER } from "./roster_row.js";
import { t } from "./texts.js";

/** @typedef {import("./roster_row.js").Member} Member */

const INVITE = `mutation InviteStaff($input: InviteStaffInput!) { inviteStaff(input: $input) {
  __typename ... on StaffInvited { staffMember { ${STAFF_MEMBER} } } ... on Error { message }
  ... on TooManyAttempts { retryAt } } }`;
const REVOKE = `mutation RevokeInvitation($input: RevokeInvitationInput!) { revokeInvitation(input: $input) {
  __typename ... on Error { message } } }`;

/** @param {string} accountId @param {boolean} isOwner @param {(member: Member) => void} invited */
export function invite(accountId, isOwner, invited) {
  const { dialog } = openDialog("invite");
  const email = input(dialog, "#invite-email");
  const role = find(dialog, "#invite-role", HTMLSelectElement);
  if (!isOwner) role.querySelector("[value=OWNER]")?.remove();
  onSubmit(form(dialog), async () => {
    const result = await act(INVITE, { accountId, email: email.value, role: role.value });
    if (result.__typename !== "StaffInvited") return refuse(email, waiting(result));
    dialog.close();
    invited(result.staffMember);
    announce(t("An invitation to {email} is on its way.", { email: result.staffMember.email }));
  });
}

/** @param {string} accountId @param {Member} member @param {(member: Member) => void} invited */
export async function inviteAgain(accountId, { email, role }, invited) {
  const result = await act(INVITE, { accountId, email, role });
  if (result.__typename !== "StaffInvited") throw new Problem(result.__typename, waiting(result));
  invited(result.staffMember);
  announce(t("Another invitation to {email} is on its way; the earlier link has stopped working.", { email }));
}

/** @param {string} accountId @param {Member} member @param {() => void} revoked */
export async function revoke(accountId, { email, invitation }, revoked) {
  const result = await act(REVOKE, { accountId, invitationId: invitation?.id });
  if (result.__typename !== "InvitationRevoked") throw new Problem(result.__typename, sentence(result));
  revoked();
  announce(t("The invitation of {email} is revoked.", { email }));
}

/** @param {any} result */
const waiting = (result) =>
  result.__typename === "TooManyAttempts" ? t("An invitation was sent just now. Wait a minute, then try again.") : result.message;
