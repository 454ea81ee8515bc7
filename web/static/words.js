// Dates and devices in words.

import { locale, t } from "./texts.js";

const DAY = new Intl.DateTimeFormat(locale, { dateStyle: "long" });
const MINUTE = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
const BROWSERS = [
  ["Edg", "Edge"],
  ["OPR", "Opera"],
  ["Firefox", "Firefox"],
  ["FxiOS", "Firefox"],
  ["CriOS", "Chrome"],
  ["Chrome", "Chrome"],
  ["Safari", "Safari"],
];
const SYSTEMS = [
  ["iPhone", "iPhone"],
  ["iPad", "iPad"],
  ["Android", "Android"],
  ["Windows", "Windows"],
  ["Mac OS X", "Mac"],
  ["CrOS", "ChromeOS"],
  ["Linux", "Linux"],
];
const LONGEST_DEVICE = 60;

/** @param {string} iso */
export const day = (iso) => DAY.format(new Date(iso));

/** @param {string} iso */
export const minute = (iso) => MINUTE.format(new Date(iso));

/** @param {string} iso */
export const clock = (iso) => CLOCK.format(new Date(iso));

/** A browser and its system, from what it calls itself. @param {string | null} userAgent */
export function device(userAgent) {
  if (!userAgent) return t("Unknown device");
  const browser = BROWSERS.find(([sign]) => userAgent.includes(sign))?.[1];
  const system = SYSTEMS.find(([sign]) => userAgent.includes(sign))?.[1];
  if (!browser) return userAgent.slice(0, LONGEST_DEVICE);
  return system ? t("{browser} on {system}", { browser, system }) : browser;
}

/** The date that lies so many days ahead, as a field of dates has it. @param {number} days */
export function isoDay(days) {
  const then = new Date();
  then.setDate(then.getDate() + days);
  const [month, date] = [then.getMonth() + 1, then.getDate()].map((part) => String(part).padStart(2, "0"));
  return `${then.getFullYear()}-${month}-${date}`;
}
