// The dialog of something secret that is shown once.

import { copied } from "./clipboard.js";
import { openFirmDialog } from "./dialogs.js";
import { button, element, make, say } from "./dom.js";
import { t } from "./texts.js";

/** Show it until the person says that they have it. @param {string} id @param {string} secret @param {string} [more] */
export function showOnce(id, secret, more = "") {
  const { dialog, done } = openFirmDialog(id);
  element(dialog, ".key").textContent = secret;
  if (more) element(dialog, ".secret").after(make("p", more, "hint"));
  button(dialog, "[data-copy]").addEventListener("click", async () => {
    say(element(dialog, ".said"), (await copied(secret)) ? t("Copied.") : t("The browser does not let this page copy. Select it instead."));
  });
  return done;
}
