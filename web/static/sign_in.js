// The page /sign-in.

import { element } from "./dom.js";
import { signInFlow } from "./sign_in_flow.js";
import { goOn } from "./wanted.js";

// From a provider, with the second factor still to come.
const challenge = /^#challenge=(gh_c_[\w-]+)$/.exec(location.hash)?.[1];
if (challenge) history.replaceState(null, "", location.pathname + location.search);

signInFlow(element(document, "#flow"), "", challenge, goOn);
