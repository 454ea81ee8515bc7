// What stands around every page of whoever is signed in: name, ways, sign-out, the banner, and word of a session's end.

import { Problem, ask } from "./api.js";
import { loadAnew } from "./dialogs.js";
import { button, clone, element, make, say } from "./dom.js";
import { setUp } from "./enrollment.js";
import { Cancelled } from "./forms.js";
import { SIGNED_IN, person, signInAgain } from "./proof.js";
import { t } from "./texts.js";

/** @typedef {import("./queries.js").Viewer} Viewer */

const MANAGERS = ["OWNER", "ADMIN"];

const ANNOUNCED_MS = 8_000;
let isLeaving = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let announced;

/** @param {Viewer} viewer */
export const manages = (viewer) => viewer.memberships.filter(({ role }) => MANAGERS.includes(role));

/** Leave for the sign-in page, which leads back here. */
export function leave() {
  location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}${location.hash}`);
}

/** Make the header ready. */
export function begin() {
  button(document, "[data-sign-out]").addEventListener("click", async () => {
    isLeaving = true;
    try {
      const { problem } = await ask("mutation SignOut($idempotencyKey: String) { signOut(idempotencyKey: $idempotencyKey) { ok } }");
      if (problem) throw problem;
      location.assign("/sign-in");
    } catch (error) {
      isLeaving = false;
      announce(error instanceof Error ? error.message : String(error));
    }
  });
}

/**
 * Show who is signed in and what is asked of them; once `isBlocked`, set-up and sign-out alone can be reached.
 * @param {Viewer} viewer @param {boolean} isBlocked @param {(viewer: Viewer) => void} enrolled
 */
export function show(viewer, isBlocked, enrolled) {
  // Somebody else has signed in, in another tab perhaps: what is on the page is not theirs.
  if (person.id && viewer.id !== person.id) void loadAnew();
  Object.assign(person, { id: viewer.id, email: viewer.email });
  element(document, "[data-email]").textContent = viewer.email;
  element(document, "[data-agency]").hidden = manages(viewer).length === 0 && !viewer.isSuperAdmin;
  for (const free of document.querySelectorAll("[data-free]")) free.toggleAttribute("hidden", isBlocked);
  element(document, ".skip").hidden = isBlocked;
  showBanner(viewer.mfaNotice, enrolled);
  if (viewer.accountRecovery || document.querySelector("[data-waiting]")) {
    void import("./waiting.js").then(({ showWaiting }) => showWaiting(viewer.accountRecovery));
  }
  if (viewer.language) void inLanguage(viewer.language);
}

/** Show the page in the person's language, where it is another one. @param {string} language */
async function inLanguage(language) {
  if (language.toLowerCase() !== document.documentElement.lang) (await import("./language.js")).follow(language);
}

/** @param {import("./queries.js").Notice | null} notice @param {(viewer: Viewer) => void} enrolled */
function showBanner(notice, enrolled) {
  const notices = element(document, "#notices");
  const shown = notices.querySelector("[data-banner]");
  if (!notice) return shown?.remove();
  const made = clone("banner");
  const banner = element(made, "section");
  // What is compared below is the notice, since the refusal of its button may have taken the place of its message.
  banner.dataset.banner = JSON.stringify(notice);
  banner.classList.toggle("problem", notice.blocking);
  element(banner, "h2").textContent = notice.title;
  element(banner, "p").textContent = notice.message;
  const start = button(banner, "button");
  start.textContent = notice.actionLabel;
  start.addEventListener("click", async () => {
    try {
      await setUp(enrolled);
    } catch (error) {
      if (error instanceof Cancelled) return;
      const message = error instanceof Error ? error.message : String(error);
      announce(message);
      // What is to be done elsewhere first stays in sight.
      if (error instanceof Problem && error.code === "NotPermitted") element(banner, "p").textContent = message;
    }
  });
  if (shown?.getAttribute("data-banner") === banner.dataset.banner) return undefined;
  shown?.remove();
  return notices.append(banner);
}

/**
 * Say that the session has ended, and let the person sign in again where they are; then, or when they have done so
 * elsewhere on the page, `again` is called.
 * @param {() => void} again
 */
export function showEnded(again) {
  const notices = element(document, "#notices");
  if (isLeaving || notices.querySelector("[data-ended]")) return;
  const banner = element(clone("ended"), "section");
  banner.dataset.ended = "";
  notices.prepend(banner);
  const back = () => {
    banner.remove();
    document.removeEventListener(SIGNED_IN, back);
    document.removeEventListener("visibilitychange", back);
    again();
  };
  document.addEventListener(SIGNED_IN, back);
  // Whoever comes back to the page may have signed in elsewhere; if not, it says so again.
  document.addEventListener("visibilitychange", back);
  button(banner, "button").addEventListener("click", () => void signInAgain().catch(ignoreCancelled));
}

/** @param {unknown} error */
function ignoreCancelled(error) {
  if (!(error instanceof Cancelled)) throw error;
}

/** Say why something could not be had; what is on the page stays. @param {unknown} error */
export function tellProblem(error) {
  if (!(error instanceof Problem)) throw error;
  announce(error.message);
}

/** Say what has come of something, for a while. @param {string} text */
export function announce(text) {
  const toast = element(document, "#said");
  say(toast, text);
  clearTimeout(announced);
  announced = setTimeout(() => {
    toast.textContent = "";
  }, ANNOUNCED_MS);
}

/** Say in place of the content that it could not be had, with a way to try again. @param {string} message */
export function showFailure(message) {
  const again = make("button", t("Try again"), "primary");
  again.type = "button";
  again.addEventListener("click", () => location.reload());
  const said = make("p", message);
  said.role = "alert";
  showAlone(said, again);
}

/** Show these and nothing else, under a heading for whoever goes by headings. @param {...HTMLElement} shown */
export function showAlone(...shown) {
  const [title = ""] = document.title.split(" · ");
  element(document, "#main").replaceChildren(make("h1", title, "unseen"), ...shown);
}
