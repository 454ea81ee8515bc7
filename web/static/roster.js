// The card "Staff MFA Status": the table of staff, which changes as people enroll, and what can be done about each.

import { act } from "./act.js";
import { Problem, ask } from "./api.js";
import { openDialog } from "./dialogs.js";
import { button, element, find, form, input } from "./dom.js";
import { onPress, onSubmit, sentence, tell } from "./forms.js";
import { announce, tellProblem } from "./frame.js";
import { invite, inviteAgain, revoke } from "./invite.js";
import { downloadCsv } from "./roster_csv.js";
import { person } from "./proof.js";
import { STAFF_MEMBER, isExcepted, row } from "./roster_row.js";
import { n, numbers, t } from "./texts.js";

/** @typedef {import("./roster_row.js").Member} Member */
/** @typedef {{nodes: Member[], notice: string | null, pageInfo: {hasNextPage: boolean, endCursor: string | null}}} Staff */
/** @typedef {{staffCount: number, enrolledCount: number, pendingCount: number, blockedCount: number,
 *   resetsWaitingCount: number, recoveriesWaitingCount: number}} Progress */

export const STAFF = `nodes { ${STAFF_MEMBER} } notice pageInfo { hasNextPage endCursor }`;
export const PROGRESS = "staffCount enrolledCount pendingCount blockedCount resetsWaitingCount recoveriesWaitingCount";
const PAGE = `query Staff($id: ID!, $after: String, $filter: StaffFilter) {
  account(id: $id) { staff(after: $after, filter: $filter) { ${STAFF} } } }`;
const RESET = `mutation ResetStaffMfa($input: ResetStaffMfaInput!) { resetStaffMfa(input: $input) {
  __typename ... on StaffMfaReset { staffMember { ${STAFF_MEMBER} } } ... on Error { message } } }`;
const REMIND = `mutation RemindStaff($input: RemindStaffInput!) { remindStaff(input: $input) {
  __typename ... on StaffReminded { remindedCount } ... on Error { message } } }`;
const TYPING_MS = 250;

export class Roster {
  /** @param {string} accountId @param {{role: string | null}} viewer its role in the account; null: may only look */
  constructor(accountId, { role }) {
    this.accountId = accountId;
    this.card = element(document, "section[aria-labelledby=staff-title]");
    this.body = find(this.card, "tbody", HTMLTableSectionElement);
    this.isRequired = false;
    this.wanted = 0;
    /** @type {number[] | null} */
    this.counts = null;
    /** @type {string | null} */
    this.cursor = null;
    /** @type {Map<string, {member: Member, line: HTMLTableRowElement, shown: string}>} */
    this.rows = new Map();
    this.actions = role ? this.possible(role === "OWNER") : [];
    this.begin(role);
  }

  /** @param {boolean} isOwner @returns {import("./roster_row.js").Action[]} */
  possible(isOwner) {
    const changed = (/** @type {Member} */ member) => this.put(member);
    const refused = (/** @type {unknown} */ error) => tell(this.card, error);
    const isInvited = (/** @type {Member} */ { state }) => state === "INVITED";
    return [
      { name: t("Reset MFA"), act: (member) => this.reset(member), fits: ({ canResetMfa }) => canResetMfa },
      {
        name: t("Recovery pass"),
        act: (member) => void this.givePass(member).catch(refused),
        fits: ({ canGiveRecoveryPass }) => canGiveRecoveryPass,
      },
      {
        name: t("Remind"),
        act: (member) => void this.remind(member).catch(refused),
        fits: (member) => this.isRequired && !member.mfaEnabled && !isInvited(member),
      },
      {
        name: t("Exception"),
        act: (member) => void this.except(member, isOwner).catch(refused),
        fits: (member) =>
          ((this.isRequired && !member.mfaEnabled && !isInvited(member)) || isExcepted(member)) &&
          member.email !== person.email,
      },
      {
        name: t("Sessions"),
        act: (member) => void this.showSessions(member).catch(refused),
        fits: (member) => !isInvited(member) && member.email !== person.email && (isOwner || member.role !== "OWNER"),
      },
      {
        name: t("Invite again"),
        act: (member) => void inviteAgain(this.accountId, member, changed).catch(refused),
        fits: isInvited,
      },
      {
        name: t("Revoke"),
        act: (member) => void revoke(this.accountId, member, () => this.drop(member)).catch(refused),
        fits: isInvited,
      },
    ];
  }

  /** @param {string | null} role */
  begin(role) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let typing;
    input(this.card, "#search").addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.reload(), TYPING_MS);
    });
    find(this.card, "#state", HTMLSelectElement).addEventListener("change", () => this.reload());
    onPress(button(this.card, ".more button"), this.card, () => this.more());
    const csv = button(this.card, "[data-csv]");
    onPress(csv, this.card, () => downloadCsv(this.accountId));
    const inviting = button(this.card, "[data-invite]");
    inviting.hidden = !role;
    inviting.addEventListener("click", () => invite(this.accountId, role === "OWNER", (member) => this.put(member)));
  }

  /** What is looked for. */
  get filter() {
    const search = input(this.card, "#search").value.trim();
    const state = find(this.card, "#state", HTMLSelectElement).value;
    const byState = state === "INVITED" ? { state } : state ? { mfaState: state, state: "ACTIVE" } : {};
    return { ...(search && { search }), ...byState };
  }

  /** Show a first page. @param {Staff} staff */
  show(staff) {
    this.rows.clear();
    this.body.replaceChildren();
    this.append(staff);
  }

  /** @param {Staff} staff */
  append({ nodes, pageInfo }) {
    for (const member of nodes) this.put(member, true);
    this.cursor = pageInfo.endCursor;
    const more = element(this.card, ".more");
    more.hidden = !pageInfo.hasNextPage;
    const shown = numbers.format(this.rows.size);
    element(more, ".notice").textContent = t("Showing the first {shown} staff members.", { shown });
    this.showEmpty();
  }

  /** Load the first page anew; what comes late for an earlier search is dropped. */
  async reload() {
    this.wanted += 1;
    const wanted = this.wanted;
    try {
      const staff = await this.page(null);
      if (wanted === this.wanted) this.show(staff);
    } catch (error) {
      tell(this.card, error);
    }
  }

  /** Bring what is shown up to date in place: who has left drops off, who is new or changed comes in. */
  async refresh() {
    const wanted = this.wanted;
    /** @type {Member[]} */
    const found = [];
    let page;
    do {
      page = await this.page(page?.pageInfo.endCursor ?? null);
      found.push(...page.nodes);
    } while (found.length < this.rows.size && page.pageInfo.hasNextPage);
    if (wanted !== this.wanted) return;
    const staying = new Set(found.map(({ id }) => id));
    for (const { member } of [...this.rows.values()]) if (!staying.has(member.id)) this.drop(member);
    for (const member of found) this.put(member);
  }

  async more() {
    this.append(await this.page(this.cursor));
  }

  /** @param {string | null} after @returns {Promise<Staff>} */
  async page(after) {
    const { data, problem } = await ask(PAGE, { id: this.accountId, after, filter: this.filter });
    if (problem) throw problem;
    return data.account.staff;
  }

  /** Put a member into the table, where it is or where its email belongs. @param {Member} member @param {boolean} [last] */
  put(member, last = false) {
    const before = this.rows.get(member.id);
    const shown = JSON.stringify([member, this.isRequired]);
    if (before?.shown === shown) return; // somebody may be about to press one of its buttons
    const line = row(member, this.actions);
    const focused = before?.line.contains(document.activeElement) ? document.activeElement : null;
    if (before) before.line.replaceWith(line);
    else if (last) this.body.append(line);
    else if (!this.insert(member, line)) return;
    this.rows.set(member.id, { member, line, shown });
    if (focused) {
      const buttons = [...line.querySelectorAll("button")];
      const same = buttons.find(({ textContent }) => textContent === focused.textContent);
      (same ?? buttons[0] ?? element(document, "#staff-title")).focus();
    }
    this.showEmpty();
  }

  /** @param {Member} member @param {HTMLTableRowElement} line */
  insert(member, line) {
    if (Object.keys(this.filter).length > 0) return false;
    const next = [...this.rows.values()].find((each) => each.member.email > member.email);
    // Behind the last row more may follow that is not loaded.
    if (!next && !element(this.card, ".more").hidden) return false;
    this.body.insertBefore(line, next?.line ?? null);
    return true;
  }

  /** @param {Member} member */
  drop({ id }) {
    const line = this.rows.get(id)?.line;
    const isFocused = line?.contains(document.activeElement);
    line?.remove();
    this.rows.delete(id);
    if (isFocused) element(document, "#staff-title").focus();
    this.showEmpty();
  }

  /** @param {boolean} isRequired */
  require(isRequired) {
    if (this.isRequired === isRequired) return;
    this.isRequired = isRequired;
    for (const { member } of [...this.rows.values()]) this.put(member);
  }

  showEmpty() {
    element(this.card, ".empty").hidden = this.rows.size > 0;
  }

  /**
   * Show the progress. Nobody tells of those who leave but the count, nor of what has come between the page and its watch,
   * whose first it is.
   * @param {Progress} progress @param {boolean} [isFirst]
   */
  showProgress({ staffCount, enrolledCount, blockedCount }, isFirst = false) {
    const counts = [staffCount, enrolledCount, blockedCount];
    const before = this.counts;
    const looked = isFirst ? counts.length : 1;
    if (before && counts.slice(0, looked).some((count, place) => count !== before[place])) {
      void this.refresh().catch(tellProblem);
    }
    this.counts = counts;
    const bar = find(this.card, "#enrolled", HTMLProgressElement);
    bar.max = Math.max(staffCount, 1);
    bar.value = enrolledCount;
    const one = "{count} cannot continue until they enroll.";
    const blocked = blockedCount ? ` ${n(blockedCount, one, "{count} cannot continue until they enroll.")}` : "";
    const [enrolled, staff] = [enrolledCount, staffCount].map((count) => numbers.format(count));
    const on = t("{enrolled} of {staff} staff members have MFA on.", { enrolled, staff });
    element(this.card, "[data-progress]").textContent = on + blocked;
  }

  /** @param {Member} member */
  reset(member) {
    const { dialog } = openDialog("reset");
    element(dialog, ".whom").textContent = member.email;
    onSubmit(form(dialog), async () => {
      const reason = input(dialog, "#reset-reason").value;
      const result = await act(RESET, { accountId: this.accountId, staffId: member.id, reason });
      if (result.__typename === "MfaResetPending") {
        dialog.close();
        return announce(t("Another owner or admin must approve the reset of {email}.", { email: member.email }));
      }
      if (result.__typename !== "StaffMfaReset") throw new Problem(result.__typename, result.message);
      dialog.close();
      this.put(result.staffMember);
      announce(t("MFA of {email} is reset.", { email: member.email }));
    });
  }

  /** @param {Member} member */
  async givePass(member) {
    (await import("./recovery_pass.js")).givePass(this.accountId, member);
  }

  /** @param {Member} member @param {boolean} isOwner */
  async except(member, isOwner) {
    await (await import("./exceptions.js")).except(this.accountId, isOwner, member, (now) => this.put(now));
  }

  /** @param {Member} member */
  async showSessions(member) {
    await (await import("./staff_sessions.js")).showStaffSessions(this.accountId, member);
  }

  /** @param {Member} member */
  async remind(member) {
    const result = await act(REMIND, { accountId: this.accountId, staffIds: [member.id] });
    if (result.__typename !== "StaffReminded") throw new Problem(result.__typename, sentence(result));
    announce(
      result.remindedCount
        ? t("A reminder to {email} is on its way.", { email: member.email })
        : t("{email} was reminded within 24 hours, or is not asked to enroll.", { email: member.email }),
    );
  }
}

