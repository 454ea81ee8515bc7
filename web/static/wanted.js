// Where a person comes to once they are signed in.

/** Leave for the page that was wanted. */
export function goOn() {
  // The server has looked at the path; another origin would not come through here either.
  const wanted = new URL(document.body.dataset.wanted ?? "/", location.origin);
  wanted.hash = location.hash; // the token of an email's link, which is for the page that follows
  location.assign(wanted.origin === location.origin ? wanted : "/");
}
