// The dialog of a webhook's secret, which is shown once.

import { copied } from "./clipboard.js";
import { openFirmDialog } from "./dialogs.js";
import { button, element, say } from "./dom.js";
import { t } from "./texts.js";

/** Show the secret until the person says that it is saved. @param {string} secret */
export function saveSecret(secret) {
  const { dialog, done } = openFirmDialog("save-secret");
  element(dialog, ".key").textContent = secret;
  button(dialog, "[data-copy]").addEventListener("click", async () => {
    say(element(dialog, ".said"), (await copied(secret)) ? t("Secret copied.") : t("Select the secret to copy it."));
  });
  return done;
}
