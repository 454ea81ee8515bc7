// The texts of the pages: English stands in the modules, another language's come with the page.

const found = document.querySelector("#texts");
/** @type {Record<string, string | string[]>} */
const TEXTS = found ? JSON.parse(found.textContent ?? "{}") : {};
const { lang } = document.documentElement;
// Whose dates and numbers they are: 1 December 2026.
export const locale = lang === "en" ? "en-GB" : lang;
export const numbers = new Intl.NumberFormat(locale);
const PLURALS = new Intl.PluralRules(lang || "en");

/** Put each fact where its name stands in braces. @param {string} text @param {Record<string, unknown>} facts */
export const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (name, fact) => String(facts[fact] ?? name));

/** A text in the page's language. @param {string} text @param {Record<string, unknown>} [facts] */
export const t = (text, facts) => (facts ? fill(String(TEXTS[text] ?? text), facts) : String(TEXTS[text] ?? text));

/**
 * The singular or one of the plurals, with {count}.
 * @param {number} count @param {string} one @param {string} many @param {Record<string, unknown>} [facts]
 */
export function n(count, one, many, facts) {
  const kind = PLURALS.select(count);
  const forms = [TEXTS[one] ?? [one, many]].flat();
  // In the order of a catalogue: one, many where a language has it, and all others.
  const form = kind === "one" ? forms[0] : kind === "many" && forms.length > 2 ? forms[1] : forms[forms.length - 1];
  return fill(form, { count: numbers.format(count), ...facts });
}
