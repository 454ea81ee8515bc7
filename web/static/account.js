// The page /account/security.

import { Problem, ask, settled } from "./api.js";
import { clone, element } from "./dom.js";
import { showFactor } from "./factor.js";
import * as frame from "./frame.js";
import { watch } from "./live.js";
import { beginPassword } from "./password.js";
import { ACCOUNT_PAGE, VIEWER_CHANGED } from "./queries.js";
import { beginSessions, showSessions } from "./sessions.js";

/** @typedef {import("./queries.js").Viewer} Viewer */

frame.begin();
void start();

async function start() {
  try {
    const viewer = await load();
    if (!viewer) return frame.leave();
    show(viewer);
    follow();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    frame.showFailure(error.message);
  }
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
  if (isBlocked) return main.replaceChildren();
  if (!main.querySelector("h1")) {
    main.replaceChildren(clone("content"));
    beginSessions(reload);
    beginPassword(viewer.email, show);
  }
  showFactor(viewer, show);
  return showSessions(viewer.sessions, reload);
}
