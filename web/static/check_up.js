// The yearly check-up: a field for a code of the app, in a banner that keeps nobody from anything.

import { act } from "./act.js";
import { codeIn, isCode, sendWhenFull } from "./codes.js";
import { clone, element, form, input } from "./dom.js";
import { onSubmit, refuseAndEmpty, sentence } from "./forms.js";
import { announce } from "./frame.js";
import { VIEWER } from "./queries.js";
import { t } from "./texts.js";

/** @typedef {import("./queries.js").Viewer} Viewer */

const PROVE = `mutation ProveMfa($input: ProveMfaInput!) { proveMfa(input: $input) {
  __typename ... on MfaProved { viewer { ${VIEWER} } } ... on Error { message } ... on TooManyAttempts { retryAt } } }`;

/** Show the banner, or take it away. @param {Viewer} viewer @param {(viewer: Viewer) => void} changed */
export function showCheckUp(viewer, changed) {
  const notices = element(document, "#notices");
  const shown = notices.querySelector("[data-check-up]");
  if (!viewer.checkUp) return shown?.remove();
  if (shown) return undefined; // a code may be half typed
  const banner = element(clone("check-up"), "section");
  element(banner, "h2").textContent = viewer.checkUp.title;
  element(banner, "p").textContent = viewer.checkUp.message;
  const field = input(banner, "#check-up-code");
  sendWhenFull(field);
  onSubmit(form(banner), async () => {
    if (!isCode(field)) return;
    const result = await act(PROVE, { code: codeIn(field) });
    if (result.__typename !== "MfaProved") return refuseAndEmpty(field, sentence(result));
    changed(result.viewer);
    element(document, "#factor-title").focus();
    announce(t("Your authenticator app works."));
  });
  return notices.append(banner);
}
