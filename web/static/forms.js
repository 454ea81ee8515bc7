// Forms: one sending at a time, errors beside their fields, the focus where the error is.

import { Problem } from "./api.js";
import { element, say } from "./dom.js";
import { t } from "./texts.js";
import { clock } from "./words.js";

/** The person has turned away from a dialog: nothing is to be said. */
export class Cancelled extends Error {}

/**
 * Send a form by `action`, once at a time. What it throws is said in the form.
 * @param {HTMLFormElement} form @param {() => Promise<void>} action
 */
export function onSubmit(form, action) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    if (!isFilled(form)) return;
    form.ariaBusy = "true";
    clearErrors(form);
    try {
      await action();
    } catch (error) {
      tell(form, error);
    } finally {
      form.ariaBusy = "false";
    }
  });
}

/**
 * Do `action` when a button is pressed, once at a time; what it throws is said below.
 * @param {HTMLButtonElement} pressed @param {HTMLElement} around @param {() => Promise<void>} action
 */
export function onPress(pressed, around, action) {
  pressed.addEventListener("click", async () => {
    if (pressed.ariaBusy === "true") return;
    pressed.ariaBusy = "true";
    clearErrors(around);
    try {
      await action();
    } catch (error) {
      tell(around, error);
    } finally {
      pressed.ariaBusy = "false";
    }
  });
}

/** Say what went wrong. @param {HTMLElement} around @param {unknown} error */
export function tell(around, error) {
  if (error instanceof Cancelled) return;
  const region = around.querySelector(".form-error:not([data-why])");
  if (!(region instanceof HTMLElement)) throw error;
  if (!(error instanceof Problem)) console.error(error);
  say(region, error instanceof Problem ? error.message : t("Something went wrong here. Load the page again."));
}

/** Put an error beside a field and the focus into it. @param {HTMLInputElement} field @param {string} message */
export function refuse(field, message) {
  field.setAttribute("aria-invalid", "true");
  say(element(document, `#${field.id}-error`), message);
  field.focus();
}

/** As `refuse`, with the field emptied: what was in it is worth nothing. @param {HTMLInputElement} field @param {string} message */
export function refuseAndEmpty(field, message) {
  field.value = "";
  refuse(field, message);
}

/** A result's message, with the time that it speaks of. @param {{message: string, retryAt?: string}} result */
export function sentence(result) {
  return result.retryAt ? t("Too many wrong attempts. Try again after {time}.", { time: clock(result.retryAt) }) : result.message;
}

/** @param {HTMLElement} around */
export function clearErrors(around) {
  for (const region of around.querySelectorAll(".error, .form-error")) region.textContent = "";
  for (const field of around.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

/** Whether every required field is filled; else the first that is not says so. @param {HTMLFormElement} form */
function isFilled(form) {
  for (const field of form.querySelectorAll("input[required]")) {
    if (!(field instanceof HTMLInputElement) || field.value.trim() !== "") continue;
    // What was said of the code before stays: a form that sends itself is often pressed as well.
    if (field.getAttribute("aria-invalid") === "true") field.focus();
    else refuse(field, t("{field} is missing.", { field: labelOf(field) }));
    return false;
  }
  const email = form.querySelector("input[type=email]:not([hidden])");
  if (email instanceof HTMLInputElement && !/^\s*\S+@\S+\s*$/.test(email.value)) {
    refuse(email, t("An email address looks like name@agency.example."));
    return false;
  }
  return true;
}

/** @param {HTMLInputElement} field */
const labelOf = (field) => field.labels?.[0]?.textContent?.trim() ?? t("This field");

