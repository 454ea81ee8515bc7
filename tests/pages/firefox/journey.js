// Somebody signs in, sets MFA up and signs in again with a code, in Firefox as it is driven by WebDriver BiDi.
// node journey.js URL EMAIL PASSWORD FIREFOX; prints what the pages complained of, and the browser's name.
import { createHmac } from "node:crypto";
import puppeteer from "puppeteer-core";

const [url, email, password, executablePath] = process.argv.slice(2);
const timeout = 120_000;
const complaints = [];
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true, timeout });
const page = await browser.newPage();
page.setDefaultTimeout(timeout);
page.on("pageerror", (error) => complaints.push(error.message));
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));

const inDialog = "(ancestor::dialog[@open] or not(//dialog[@open]))";
const button = (name) => page.locator(`::-p-xpath(//button[normalize-space()="${name}" and ${inDialog}])`);
const labelled = (name) => `//label[starts-with(normalize-space(), "${name}")]`;
const box = (name) =>
  page.locator(`::-p-xpath((//input[@id=${labelled(name)}/@for] | ${labelled(name)}//input)[${inDialog}])`);
const shows = (text) => page.waitForFunction((wanted) => document.body.innerText.includes(wanted), {}, text);

function code(secret, step) {
  const bits = [...secret].map((each) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(each).toString(2).padStart(5, "0"));
  const key = Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", key).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

async function signIn() {
  await box("Email").fill(email);
  await box("Password").fill(password);
  await button("Sign in").click();
}

await page.goto(`${url}/account/security`);
await signIn();
await button("Set up MFA").click();
const key = await page.waitForFunction(
  () => document.querySelector("dialog[open]")?.innerText.match(/(?:[A-Z2-7]{4} ){3,}[A-Z2-7]{2,4}/)?.[0],
);
const secret = (await key.jsonValue()).replaceAll(" ", "");
const now = Math.floor(Date.now() / 30_000);
await box("6-digit code").fill(code(secret, now));
await shows("Save your backup codes");
await box("I have saved these codes").click();
await button("Done").click();
await button("Disable MFA").wait();
await button("Sign out").click();
await signIn();
// The first code is spent: the next one is good as well.
await box("6-digit code").fill(code(secret, now + 1));
await button("Disable MFA").wait();
process.stdout.write(JSON.stringify({ complaints, browser: await browser.version() }));
await browser.close();
