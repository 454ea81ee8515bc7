// Dialogs: made from a template when they open, gone when they close.

import { clone, find } from "./dom.js";

/** @type {Set<Promise<void>>} Those dialogs that show what is shown once. */
const firm = new Set();

/** Load the page anew, but nothing away that is shown once. */
export async function loadAnew() {
  while (firm.size) await Promise.all(firm);
  location.reload();
}

/**
 * Open the dialog of a template. It closes by Escape and by what carries data-cancel.
 * @param {string} id
 * @returns {{dialog: HTMLDialogElement, closed: Promise<void>}}
 */
export function openDialog(id) {
  const opener = document.activeElement;
  document.body.append(clone(id));
  const dialog = find(document, "body > dialog:last-of-type", HTMLDialogElement);
  for (const cancel of dialog.querySelectorAll("[data-cancel]")) cancel.addEventListener("click", () => dialog.close());
  const closed = new Promise((/** @type {(value: void) => void} */ resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
      resolve();
    });
  });
  dialog.showModal();
  return { dialog, closed };
}

/**
 * Open a dialog that only its button "Done" closes, which waits for its checkbox: neither Escape nor a click beside it.
 * @param {string} id
 * @returns {{dialog: HTMLDialogElement, done: Promise<void>}}
 */
export function openFirmDialog(id) {
  document.body.append(clone(id));
  const dialog = find(document, "body > dialog:last-of-type", HTMLDialogElement);
  let isDone = false;
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.preventDefault();
  });
  // A browser may close it all the same when Escape is pressed twice.
  dialog.addEventListener("close", () => {
    if (isDone) dialog.remove();
    else dialog.showModal();
  });
  dialog.showModal();
  const button = find(dialog, "[data-done]", HTMLButtonElement);
  const saved = find(dialog, "input[type=checkbox]", HTMLInputElement);
  saved.addEventListener("change", () => {
    button.disabled = !saved.checked;
  });
  const done = new Promise((/** @type {(value: void) => void} */ resolve) => {
    button.addEventListener("click", () => {
      isDone = true;
      dialog.close();
      resolve();
    });
  });
  firm.add(done);
  void done.then(() => firm.delete(done));
  return { dialog, done };
}
