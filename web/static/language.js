// The choice of a language: the person's on their page, and the account's for emails on the agency's.

import { act, succeeded } from "./act.js";
import { loadAnew } from "./dialogs.js";
import { find } from "./dom.js";
import { Cancelled } from "./forms.js";
import { announce, tellProblem } from "./frame.js";
import { t } from "./texts.js";

const CHOOSE = `mutation SetLanguage($input: SetLanguageInput!) { setLanguage(input: $input) { __typename } }`;
const CHOOSE_FOR_ALL = `mutation SetAccountLanguage($input: SetAccountLanguageInput!) { setAccountLanguage(input: $input) {
  __typename ... on Error { message } } }`;
const A_YEAR_S = 31_536_000;

/** Keep the person's choice where the server sees it before it knows them. @param {string | null} language */
function remember(language) {
  const [value, lives] = language ? [language.toLowerCase(), A_YEAR_S] : ["", 0];
  document.cookie = `gatehouse-language=${value}; Path=/; Max-Age=${lives}; SameSite=Lax`;
}

/** Show the page in the person's language, where it is another one. @param {string | null} language */
export function follow(language) {
  if (!language || language.toLowerCase() === document.documentElement.lang) return;
  remember(language);
  // A browser that keeps no cookies would go on for ever.
  if (document.cookie.includes(`gatehouse-language=${language.toLowerCase()}`)) void loadAnew();
}

/** @param {string | null} language */
export function beginLanguage(language) {
  choice(language, async (chosen) => {
    await act(CHOOSE, { language: chosen });
    remember(chosen);
    location.reload();
  });
}

/** @param {string} accountId @param {string} language @param {boolean} isManager */
export function beginAccountLanguage(accountId, language, isManager) {
  choice(language, async (chosen) => {
    succeeded(await act(CHOOSE_FOR_ALL, { accountId, language: chosen }), "AccountLanguageSet");
    announce(t("Saved."));
  }).disabled = !isManager;
}

/** @param {string | null} language @param {(chosen: string | null) => Promise<void>} chosen */
function choice(language, chosen) {
  const field = find(document, "#language", HTMLSelectElement);
  field.value = language ?? "";
  let held = field.value;
  field.addEventListener("change", async () => {
    try {
      await chosen(field.value || null);
      held = field.value;
    } catch (error) {
      field.value = held;
      if (!(error instanceof Cancelled)) tellProblem(error);
    }
  });
  return field;
}
