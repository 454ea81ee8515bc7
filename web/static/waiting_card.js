// A card above the roster of what waits for somebody's decision: it is there as long as anything waits.

import { clone, element, make } from "./dom.js";
import { clearErrors, tell } from "./forms.js";
import { announce, tellProblem } from "./frame.js";

/**
 * Show these rows, by their keys, in place of what is shown there; a row that stays is left alone.
 * @param {string} id of the card's template @param {Map<string, () => HTMLElement>} wanted
 */
export function showCard(id, wanted) {
  const card = cardShown(id) ?? (wanted.size ? made(id) : null);
  if (!card) return;
  const shown = new Map([...card.querySelectorAll("li")].map((item) => [item.dataset.key ?? "", item]));
  for (const [key, item] of shown) if (!wanted.has(key)) drop(item);
  for (const [key, row] of wanted) if (!shown.has(key)) place(id, row(), key);
}

/** @param {string} id */
function made(id) {
  const card = element(clone(id), "section");
  element(document, "section[aria-labelledby=staff-title]").before(card);
  return card;
}

/** @param {string} id @returns {HTMLElement | null} */
const cardShown = (id) => document.querySelector(`section[aria-labelledby=${id}-title]`);

/** Put a row into the card, which its last one may have taken away. @param {string} id @param {HTMLElement} item @param {string} key */
function place(id, item, key) {
  item.dataset.key = key;
  element(cardShown(id) ?? made(id), "ul").append(item);
}

/** Take a row away, and the card with the last one; the focus, if it was there, goes on close by. @param {Element} item */
function drop(item) {
  const card = item.closest("section");
  const hadFocus = item.contains(document.activeElement);
  item.remove();
  if (!card) return;
  const isEmpty = !element(card, "ul").children.length;
  if (isEmpty) card.remove();
  if (hadFocus) element(isEmpty ? document : card, isEmpty ? "#staff-title" : "h2").focus();
}

/**
 * A row: whom it is about, what is said of it, and its buttons by name, each with what it does.
 * @param {string} key @param {string} email @param {(string | null)[]} told
 * @param {[string, () => Promise<string>][]} decisions what is announced once it is done
 */
export function waitingRow(key, email, told, decisions) {
  const item = make("li", "", "hook");
  const words = make("div", "");
  const whom = make("p", email, "device");
  whom.id = `waits-${key}`;
  words.append(whom, ...told.filter((each) => each !== null).map((each) => make("p", each, "hint")));
  const buttons = make("p", "", "buttons");
  for (const [name, decide] of decisions) buttons.append(pressable(name, decide));
  item.append(words, buttons);
  return item;

  /** @param {string} name @param {() => Promise<string>} decide */
  function pressable(name, decide) {
    const pressed = make("button", name, "quiet small");
    pressed.type = "button";
    pressed.setAttribute("aria-describedby", whom.id);
    pressed.addEventListener("click", async () => {
      const card = item.closest("section");
      if (card === null || pressed.ariaBusy === "true") return;
      pressed.ariaBusy = "true";
      clearErrors(card);
      try {
        const done = await decide();
        drop(item);
        announce(done);
      } catch (error) {
        // Somebody else may have decided of it meanwhile, and the card be gone.
        if (card.isConnected) tell(card, error);
        else tellProblem(error);
      } finally {
        pressed.ariaBusy = "false";
      }
    });
    return pressed;
  }
}
