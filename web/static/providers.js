// The card "Sign-in providers": whose second factor satisfies the account's requirement, as owners decide.

import { act, succeeded } from "./act.js";
import { button, clone, element, make } from "./dom.js";
import { onPress } from "./forms.js";
import { announce } from "./frame.js";
import { t } from "./texts.js";

/** @typedef {{name: string, title: string, mfaAllowed: boolean, domains: string[]}} Provider */

const ALLOW = `mutation AllowProviderMfa($input: AllowProviderMfaInput!) { allowProviderMfa(input: $input) {
  __typename ... on ProviderMfaAllowed { provider { name title mfaAllowed domains } } ... on Error { message } } }`;

/** Show the card below all others. @param {string} accountId @param {Provider[]} providers @param {boolean} isOwner */
export function showProviders(accountId, providers, isOwner) {
  const card = element(clone("providers"), "section");
  element(card, "ul").append(...providers.map((provider) => row(card, accountId, provider, isOwner)));
  element(document, "#main").append(card);
}

/**
 * @param {HTMLElement} card @param {string} accountId @param {Provider} provider @param {boolean} isOwner
 * @returns {HTMLLIElement}
 */
function row(card, accountId, provider, isOwner) {
  const { name, title, mfaAllowed, domains } = provider;
  const item = make("li", "");
  const told = make("div", "");
  const device = make("p", title, "device");
  device.id = `provider-${name}`;
  const state = mfaAllowed ? t("Its second factor satisfies the requirement") : t("Its second factor does not count");
  const vouched = domains.length ? ` · ${t("vouches alone for {domains}", { domains: domains.join(", ") })}` : "";
  told.append(device, make("p", state + vouched, "hint"));
  item.append(told);
  if (!isOwner) return item;
  const change = make("button", mfaAllowed ? t("Allow no more") : t("Allow"), "quiet small");
  change.type = "button";
  change.setAttribute("aria-describedby", device.id);
  onPress(change, card, async () => {
    const input = { accountId, provider: name, allowed: !mfaAllowed };
    const changed = succeeded(await act(ALLOW, input), "ProviderMfaAllowed").provider;
    const fresh = row(card, accountId, changed, isOwner);
    item.replaceWith(fresh);
    button(fresh, "button").focus();
    announce(t("{title}: saved.", { title }));
  });
  item.append(change);
  return item;
}
