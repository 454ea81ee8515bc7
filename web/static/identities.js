// The card "Sign-in providers": which accounts elsewhere sign in as the person, and how to end it for good.

import { act, succeeded } from "./act.js";
import { button, clone, element, showRows } from "./dom.js";
import { onPress } from "./forms.js";
import { announce } from "./frame.js";
import { t } from "./texts.js";
import { minute } from "./words.js";

/** @typedef {import("./queries.js").Identity} Identity */

const REMOVE = `mutation RemoveIdentity($input: RemoveIdentityInput!) { removeIdentity(input: $input) {
  __typename ... on Error { message } } }`;
const ALLOW = `mutation AllowIdentity($input: AllowIdentityInput!) { allowIdentity(input: $input) { __typename } }`;

/** Show them, if there are any. @param {Identity[]} identities @param {() => void} changed */
export function showIdentities(identities, changed) {
  const card = element(document, "section[aria-labelledby=identities-title]");
  card.hidden = identities.length === 0;
  showRows(element(card, "ul"), identities, (identity) =>
    identityRow(identity, card, async () => {
      const input = { issuer: identity.issuer };
      succeeded(await act(identity.removedAt ? ALLOW : REMOVE, input), identity.removedAt ? "IdentityAllowed" : "IdentityRemoved");
      tellOf(identity);
      element(card, "h2").focus();
      changed();
    }),
  );
}

/**
 * One of them, with the button that removes it or allows it again.
 * @param {Identity} identity @param {HTMLElement} around @param {() => Promise<void>} change
 */
export function identityRow({ issuer, title, linkedAt, removedAt }, around, change) {
  const item = element(clone("identity"), "li");
  const name = element(item, ".device");
  name.id = `identity-${issuer}`;
  name.textContent = title;
  element(item, "[data-state]").textContent = removedAt
    ? t("removed {time}: it signs nobody in until it is allowed again", { time: minute(removedAt) })
    : t("linked {time}", { time: minute(linkedAt ?? "") });
  const pressed = button(item, "button");
  pressed.textContent = removedAt ? t("Allow again") : t("Remove");
  pressed.setAttribute("aria-describedby", name.id);
  onPress(pressed, around, change);
  return item;
}

/** Say what has been done. @param {Identity} identity */
export function tellOf({ title, removedAt }) {
  announce(removedAt ? t("Signing in by {title} is allowed again.", { title }) : t("Signing in by {title} is removed.", { title }));
}
