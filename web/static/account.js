// The page /account/security.

import { Problem, ask } from "./api.js";
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
    watch([{ query: VIEWER_CHANGED, next: ({ viewerChanged }) => show(viewerChanged) }], {
      resumed: reload,
      ended: (code) => code === "UNAUTHENTICATED" && frame.showEnded(() => location.reload()),
    });
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

async function reload() {
  const viewer = await load();
  if (viewer) show(viewer);
  else frame.showEnded(() => location.reload());
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
