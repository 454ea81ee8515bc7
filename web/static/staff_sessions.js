// Where one staff member is signed in, what signs in as them elsewhere, and how to end it. Loaded once somebody asks.

import { act, succeeded } from "./act.js";
import { ask } from "./api.js";
import { openDialog } from "./dialogs.js";
import { element, make, showRows } from "./dom.js";
import { onPress } from "./forms.js";
import { announce } from "./frame.js";
import { identityRow, tellOf } from "./identities.js";
import { t } from "./texts.js";
import { device, minute } from "./words.js";

/** @typedef {import("./queries.js").Identity} Identity */
/** @typedef {import("./roster_row.js").Member} Member */
/** @typedef {{id: string, userAgent: string | null, ipAddress: string | null, lastUsedAt: string}} Session */

const SESSIONS = `query StaffSessions($id: ID!, $staffId: ID!) { account(id: $id) {
  staffSessions(staffId: $staffId) { id userAgent ipAddress lastUsedAt }
  staffIdentities(staffId: $staffId) { issuer title linkedAt removedAt } } }`;
const END = `mutation EndStaffSession($input: EndStaffSessionInput!) { endStaffSession(input: $input) {
  __typename ... on Error { message } } }`;
const REMOVE = `mutation RemoveStaffIdentity($input: RemoveStaffIdentityInput!) { removeStaffIdentity(input: $input) {
  __typename ... on Error { message } } }`;
const ALLOW = `mutation AllowStaffIdentity($input: AllowStaffIdentityInput!) { allowStaffIdentity(input: $input) {
  __typename ... on Error { message } } }`;

/** Show the dialog. @param {string} accountId @param {Member} member */
export async function showStaffSessions(accountId, member) {
  const found = await load();
  const { dialog } = openDialog("staff-sessions");
  element(dialog, ".whom").textContent = member.email;
  const list = element(dialog, "ul");
  showAll(found);

  /** @returns {Promise<{staffSessions: Session[], staffIdentities: Identity[]}>} */
  async function load() {
    const { data, problem } = await ask(SESSIONS, { id: accountId, staffId: member.id });
    if (problem) throw problem;
    return data.account;
  }

  /** @param {{staffSessions: Session[], staffIdentities: Identity[]}} found */
  function showAll({ staffSessions, staffIdentities }) {
    showRows(list, staffSessions, row);
    showEmpty();
    const place = element(dialog, "[data-identities]");
    place.hidden = staffIdentities.length === 0;
    showRows(element(place, "ul"), staffIdentities, (identity) => identityRow(identity, dialog, () => change(identity)));
  }

  /** Remove it, or allow it again. @param {Identity} identity */
  async function change(identity) {
    const input = { accountId, staffId: member.id, issuer: identity.issuer };
    succeeded(await act(identity.removedAt ? ALLOW : REMOVE, input), identity.removedAt ? "IdentityAllowed" : "IdentityRemoved");
    tellOf(identity);
    element(dialog, "[data-cancel]").focus();
    showAll(await load());
  }

  /** @param {Session} session */
  function row(session) {
    const item = make("li", "");
    const words = make("div", "");
    const name = make("p", device(session.userAgent), "device");
    name.id = `staff-session-${session.id}`;
    words.append(name, make("p", `${session.ipAddress ?? t("an unknown address")} · ${t("last used {time}", { time: minute(session.lastUsedAt) })}`, "hint"));
    const end = make("button", t("End session"), "quiet small");
    end.type = "button";
    end.setAttribute("aria-describedby", name.id);
    onPress(end, dialog, async () => {
      const input = { accountId, staffId: member.id, sessionId: session.id };
      succeeded(await act(END, input), "StaffSessionEnded");
      item.remove();
      showEmpty();
      element(dialog, "[data-cancel]").focus();
      announce(t("A session of {email} has ended.", { email: member.email }));
    });
    item.append(words, end);
    return item;
  }

  function showEmpty() {
    element(dialog, ".empty").hidden = list.children.length > 0;
  }
}
