// The page /sign-in.

import { element } from "./dom.js";
import { signInFlow } from "./sign_in_flow.js";

// From a provider, with the second factor still to come.
const challenge = /^#challenge=(gh_c_[\w-]+)$/.exec(location.hash)?.[1];
if (challenge) history.replaceState(null, "", location.pathname + location.search);

signInFlow(element(document, "#flow"), "", challenge, () => {
  // The server has looked at the path; another origin would not come through here either.
  const wanted = new URL(document.body.dataset.wanted ?? "/", location.origin);
  wanted.hash = location.hash; // the token of an email's link, which is for the page that follows
  location.assign(wanted.origin === location.origin ? wanted : "/");
});
