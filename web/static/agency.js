// The page /settings/security.

import { Problem, ask, settled } from "./api.js";
import { loadAnew } from "./dialogs.js";
import { clone, element, find, make } from "./dom.js";
import { tell } from "./forms.js";
import * as frame from "./frame.js";
import { beginAccountLanguage } from "./language.js";
import { watch } from "./live.js";
import { POLICY, editPolicy, showPolicy } from "./policy.js";
import { VIEWER } from "./queries.js";
import { PROGRESS, Roster, STAFF } from "./roster.js";
import { STAFF_MEMBER } from "./roster_row.js";
import { WEBHOOK, Webhooks } from "./webhooks.js";
import { t } from "./texts.js";

/** @typedef {import("./queries.js").Viewer} Viewer */

const RESETS = `mfaResetRequests { id staffMember { ${STAFF_MEMBER} } requestedBy reason expiresAt canApprove canDecline }`;
const RECOVERIES = "accountRecoveries { staffMember { id email } endsAt canStop }";
const ACCOUNT = `id name language securityPolicy { ${POLICY} } enrollmentProgress { ${PROGRESS} } staff { ${STAFF} }
  webhooks { ${WEBHOOK} } signInProviders { name title mfaAllowed domains }
  ${RESETS} ${RECOVERIES}
  lockOutForecast(first: 5) { totalCount nodes { email backupCodesRemaining reasons } pageInfo { hasNextPage endCursor } }`;
const PAGE = `query AgencySecurity($id: ID!) { viewer { ${VIEWER} } account(id: $id) { ${ACCOUNT} } }`;
const WAITING = `query Waiting($id: ID!) { account(id: $id) { ${RESETS} ${RECOVERIES} } }`;
const NOBODYS_ID = "00000000-0000-0000-0000-000000000000";
const PROGRESS_CHANGED = `subscription EnrollmentProgress($id: ID!) { enrollmentProgress(accountId: $id) { ${PROGRESS} } }`;
const MEMBER_CHANGED = `subscription StaffMemberChanged($id: ID!) {
  staffMemberChanged(accountId: $id) { ${STAFF_MEMBER} } }`;

const accountId = document.body.dataset.account ?? "";

frame.begin();
void start();

async function start() {
  try {
    const { data, problem } = await ask(PAGE, { id: accountId || NOBODYS_ID });
    const viewer = data.viewer;
    if (!viewer && (!problem || problem.code === "UNAUTHENTICATED")) return frame.leave();
    if (!viewer) throw problem;
    const isBlocked = problem?.code === "MFA_ENROLLMENT_REQUIRED" && viewer.mfaNotice !== null;
    frame.show(viewer, isBlocked, () => location.reload());
    const main = element(document, "#main");
    if (isBlocked) frame.showAlone();
    else if (!accountId) main.replaceChildren(clone("choose-account"));
    else if (problem?.code === "NOT_FOUND") frame.showFailure(t("There is no such account, or it is not for you."));
    else if (problem) throw problem;
    else show(viewer, data.account);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    frame.showFailure(error.message);
  }
}

/** @param {Viewer} viewer @param {any} account */
function show(viewer, account) {
  element(document, "#main").replaceChildren(clone("content"));
  const managed = frame.manages(viewer);
  const role = managed.find((each) => each.account.id === account.id)?.role ?? null;
  showAccounts(account, managed.map((each) => each.account));
  const roster = new Roster(account.id, { role });
  roster.require(account.securityPolicy.requireMfa);
  roster.showProgress(account.enrollmentProgress);
  roster.show(account.staff);
  if (role) {
    editPolicy(account.id, account.securityPolicy, role === "OWNER", ({ requireMfa }) => {
      roster.require(requireMfa);
      void again(roster);
    });
  } else showPolicy(account.securityPolicy);
  new Webhooks(account.id, account.webhooks, role === "OWNER");
  onOpen("alerts", async (card) => (await import("./alerts.js")).showAlerts(card, account.id, role === "OWNER"));
  onOpen("come-back", async (card) => (await import("./recovery_policy.js")).showRecoveryPolicy(card, account.id, role === "OWNER"));
  onOpen("compliance", async (card) => (await import("./compliance.js")).showCompliance(card, account.id));
  beginAccountLanguage(account.id, account.language, role !== null);
  void showWaiting(roster, account);
  if (account.lockOutForecast.totalCount) {
    void import("./lock_out.js").then(({ showForecast }) => showForecast(account.id, account.lockOutForecast));
  }
  if (account.signInProviders.length) {
    void import("./providers.js").then(({ showProviders }) =>
      showProviders(account.id, account.signInProviders, role === "OWNER"),
    );
  }
  follow(roster);
}

/** Whose resets wait, how many wait to come back alone, and how often that was asked. */
let waiting = new Set();
let comingBack = 0;
let askedWaiting = 0;

/**
 * @param {Roster} roster
 * @param {{mfaResetRequests: import("./resets.js").Waiting[], accountRecoveries: import("./recoveries.js").Waiting[]}} account
 */
async function showWaiting(roster, { mfaResetRequests: resets, accountRecoveries: recoveries }) {
  const before = [waiting.size, comingBack];
  waiting = new Set(resets.map(({ staffMember }) => staffMember.id));
  comingBack = recoveries.length;
  if (resets.length || before[0]) {
    (await import("./resets.js")).showResets(roster.accountId, resets, (member) => roster.put(member));
  }
  if (comingBack || before[1]) (await import("./recoveries.js")).showRecoveries(roster.accountId, recoveries);
}

/** Show what waits now; an answer that a later one has overtaken is dropped. @param {Roster} roster */
async function refreshWaiting(roster) {
  askedWaiting += 1;
  const mine = askedWaiting;
  const { data } = await ask(WAITING, { id: roster.accountId });
  if (mine !== askedWaiting || !data.account) return;
  for (const { staffMember } of data.account.mfaResetRequests) roster.put(staffMember);
  await showWaiting(roster, data.account);
}

/** @param {Roster} roster @param {import("./roster.js").Progress} progress @param {boolean} isFirst */
function progressed(roster, progress, isFirst) {
  roster.showProgress(progress, isFirst);
  // What has come between the page and its watch, nobody tells of but the count.
  const isOther = progress.resetsWaitingCount !== waiting.size || progress.recoveriesWaitingCount !== comingBack;
  if (isOther) void refreshWaiting(roster).catch(frame.tellProblem);
}

/** @param {Roster} roster @param {import("./roster_row.js").Member} member */
function memberChanged(roster, member) {
  roster.put(member);
  if (member.mfaResetWaiting !== waiting.has(member.id)) void refreshWaiting(roster).catch(frame.tellProblem);
}

/** What few people open is loaded when they do. @param {string} id @param {(card: HTMLElement) => Promise<void>} load */
function onOpen(id, load) {
  const card = element(document, `section[aria-labelledby=${id}-title]`);
  const opened = () => void load(card).catch((error) => tell(card, error));
  find(card, "details", HTMLDetailsElement).addEventListener("toggle", opened, { once: true });
}

/** @param {Roster} roster */
function follow(roster) {
  const variables = { id: roster.accountId };
  let isFirst = true;
  watch(
    [
      {
        query: PROGRESS_CHANGED,
        variables,
        next({ enrollmentProgress }) {
          progressed(roster, enrollmentProgress, isFirst);
          isFirst = false;
        },
      },
      { query: MEMBER_CHANGED, variables, next: ({ staffMemberChanged }) => memberChanged(roster, staffMemberChanged) },
    ],
    {
      resumed: () => void again(roster),
      ended: (code) => (code === "UNAUTHENTICATED" ? void goOn(roster) : void loadAnew()),
    },
  );
}

/** After the session of the subscriptions has ended, or gone on under another token. @param {Roster} roster */
async function goOn(roster) {
  await settled();
  if (await again(roster)) follow(roster);
}

/**
 * After a save, or after a break: who is stopped may be another one now, the viewer too. False when nobody is signed in.
 * @param {Roster} roster
 */
async function again(roster) {
  const answer = await ask(`query Viewer { viewer { ${VIEWER} } }`).catch(frame.tellProblem);
  if (!answer) return false;
  const { data, problem } = answer;
  const viewer = /** @type {Viewer | null | undefined} */ (data.viewer);
  if (viewer === null) frame.showEnded(() => void goOn(roster));
  else if (!viewer) frame.tellProblem(problem);
  else if (viewer.mfaNotice?.blocking) void loadAnew();
  else {
    frame.show(viewer, false, () => location.reload());
    await Promise.all([roster.refresh(), refreshWaiting(roster)]).catch(frame.tellProblem);
  }
  return Boolean(viewer);
}

/** @param {{id: string, name: string}} shown @param {{id: string, name: string}[]} accounts */
function showAccounts(shown, accounts) {
  const isOneOfSeveral = accounts.length > 1 && accounts.some(({ id }) => id === shown.id);
  const name = element(document, "[data-account-name]");
  name.textContent = shown.name;
  name.hidden = isOneOfSeveral;
  const chooser = element(document, ".chooser");
  chooser.hidden = !isOneOfSeveral;
  const select = find(chooser, "select", HTMLSelectElement);
  select.append(...accounts.map(({ id, name: text }) => Object.assign(make("option", text), { value: id })));
  select.value = shown.id;
  select.addEventListener("change", () => location.assign(`/settings/security?account=${select.value}`));
}
