// The page /sign-in.

import { element } from "./dom.js";
import { signInFlow } from "./sign_in_flow.js";
import { goOn } from "./wanted.js";

// From a provider, with the second factor still to come.
const challenge = /^#challenge=(gh_c_[\w-]+)$/.exec(location.hash)?.[1];
if (challenge) history.replaceState(null, "", location.pathname + location.search);

const flow = element(document, "#flow");
flow.addEventListener("lost", async (event) => {
  const { email, challengeToken } = /** @type {CustomEvent} */ (event).detail;
  const { showWays } = await import("./account_recovery.js");
  showWays(flow, challengeToken, () => signInFlow(flow, email, challengeToken, goOn));
});
signInFlow(flow, "", challenge, goOn);
