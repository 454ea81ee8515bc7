// Finding and making elements. What people wrote is only ever set as text.

/**
 * The element that a selector finds, as the kind that it is known to be.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} kind
 * @returns {T}
 */
export function find(root, selector, kind) {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`There is no ${selector} here.`);
  return found;
}

/** @param {ParentNode} root @param {string} selector */
export const element = (root, selector) => find(root, selector, HTMLElement);

/** @param {ParentNode} root @param {string} selector */
export const input = (root, selector) => find(root, selector, HTMLInputElement);

/** @param {ParentNode} root @param {string} selector */
export const button = (root, selector) => find(root, selector, HTMLButtonElement);

/** @param {ParentNode} root @param {string} [selector] */
export const form = (root, selector = "form") => find(root, selector, HTMLFormElement);

/** A template's content, anew. @param {string} id @returns {DocumentFragment} */
export function clone(id) {
  return document.importNode(find(document, `#${id}`, HTMLTemplateElement).content, true);
}

/**
 * Show a row for each in a list. One that is as it was stays, since somebody may be about to press its button.
 * @template T
 * @param {HTMLElement} list @param {T[]} shown @param {(each: T) => HTMLElement} row
 */
export function showRows(list, shown, row) {
  const kept = new Map([...list.children].map((item) => [item.getAttribute("data-shown"), item]));
  const items = shown.map((each) => {
    const item = kept.get(JSON.stringify(each)) ?? row(each);
    item.setAttribute("data-shown", JSON.stringify(each));
    return item;
  });
  for (const item of kept.values()) if (!items.includes(item)) item.remove();
  items.forEach((item, index) => {
    const there = list.children[index] ?? null;
    if (there !== item) list.insertBefore(item, there);
  });
}

/** Put a template in a place, and the focus where a person goes on. @param {HTMLElement} place @param {string} id */
export function show(place, id) {
  place.replaceChildren(clone(id));
  const first = place.querySelector("[autofocus]") ?? place.querySelector("h1");
  if (first instanceof HTMLElement) first.focus();
}

/**
 * An element with text in it.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {string} text @param {string} [className]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Say something to a live region, anew even when it is the same. @param {HTMLElement} region @param {string} text */
export function say(region, text) {
  region.textContent = "";
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

/**
 * Begin with the token of the link that the page was opened by, null without one; and again with that of another link, which
 * loads nothing anew where the page is shown already.
 * @param {(token: string | null) => void} begin
 */
export function onLink(begin) {
  begin(tokenOfLink());
  addEventListener("hashchange", () => {
    const other = tokenOfLink();
    if (other) begin(other);
  });
}

/** The token of a link out of an email, which stands in the fragment, from where it is taken away; null without one. */
function tokenOfLink() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  // Neither the history nor whoever looks at the screen is to have it.
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  return token;
}
