// The page /account/security.

import { act } from "./act.js";
import { Problem, ask, settled } from "./api.js";
import { clone, element, onLink } from "./dom.js";
import { setUp } from "./enrollment.js";
import { showFactor } from "./factor.js";
import { Cancelled } from "./forms.js";
import * as frame from "./frame.js";
import { showIdentities } from "./identities.js";
import { watch } from "./live.js";
import { beginLanguage } from "./language.js";
import { beginPassword } from "./password.js";
import { ACCEPT_INVITATION, ACCOUNT_PAGE, CONFIRM_ENROLLMENT, VIEWER_CHANGED } from "./queries.js";
import { beginSessions, showSessions } from "./sessions.js";
import { t } from "./texts.js";

/** @typedef {import("./queries.js").Viewer} Viewer */

frame.begin();
void start();

async function start() {
  try {
    const viewer = await load();
    if (!viewer) return frame.leave();
    show(viewer);
    follow();
    const goOnBy = location.search === "?invited" ? acceptInvitation : confirmEnrollment;
    onLink((token) => token && void goOnBy(token));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    frame.showFailure(error.message);
  }
}

/** By the link of an email, set up MFA after a reset. @param {string} token */
async function confirmEnrollment(token) {
  const result = await sent(CONFIRM_ENROLLMENT, token);
  if (result?.__typename !== "MfaEnrollmentConfirmed") return;
  show(result.viewer);
  await setUp(show).catch(told);
}

/** By the link of an invitation, join. @param {string} token */
async function acceptInvitation(token) {
  const result = await sent(ACCEPT_INVITATION, token);
  if (result?.__typename !== "InvitationAccepted") return;
  // A session that a service key of another account had begun ends with it.
  if (result.viewer) show(result.viewer);
  else await reload();
  frame.announce(t("You have joined: the invitation is accepted."));
}

/** The result of a mutation by a link's token; null, or one that was told of, where nothing came of it. @param {string} mutation @param {string} token */
async function sent(mutation, token) {
  const result = await act(mutation, { token }).catch(told);
  if (result?.message) frame.announce(result.message);
  return result;
}

/** @param {unknown} error */
function told(error) {
  if (error instanceof Cancelled) return null;
  if (!(error instanceof Problem)) throw error;
  frame.announce(error.message);
  return null;
}

/** @returns {Promise<Viewer | null>} */
async function load() {
  const { data, problem } = await ask(ACCOUNT_PAGE);
  if (problem && problem.code !== "UNAUTHENTICATED") throw problem;
  return data.viewer ?? null;
}

function follow() {
  watch([{ query: VIEWER_CHANGED, next: ({ viewerChanged }) => show(viewerChanged) }], {
    resumed: reload,
    ended: (code) => code === "UNAUTHENTICATED" && void goOn(),
  });
}

/** After the session of the subscription has ended, or gone on under another token. */
async function goOn() {
  await settled();
  if (await reload()) follow();
}

/** Show how things stand now; false when nobody is signed in. */
async function reload() {
  const viewer = await load().catch(frame.tellProblem);
  if (viewer) show(viewer);
  if (viewer === null) frame.showEnded(goOn);
  return Boolean(viewer);
}

/** @param {Viewer} viewer */
function show(viewer) {
  const isBlocked = viewer.mfaNotice?.blocking ?? false;
  frame.show(viewer, isBlocked, show);
  const main = element(document, "#main");
  if (isBlocked) return frame.showAlone();
  if (!main.querySelector("h1:not(.unseen)")) {
    main.replaceChildren(clone("content"));
    beginSessions(reload);
    beginPassword(viewer.email, show);
    beginLanguage(viewer.language);
  }
  if (viewer.checkUp || document.querySelector("[data-check-up]")) {
    void import("./check_up.js").then(({ showCheckUp }) => showCheckUp(viewer, show));
  }
  showFactor(viewer, show);
  showIdentities(viewer.identities, reload);
  return showSessions(viewer.sessions, reload);
}
