// The GraphQL API, by the session's cookie.

import { t } from "./texts.js";
const ENDPOINT = "/graphql";
const AWAY = t("The server cannot be reached. Nothing that you entered is lost: try again in a moment.");

/** A failure that is no result: its code is the API's, or OFFLINE. */
export class Problem extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Send one operation. A change goes out under a key, so that one whose answer was lost is sent again, by itself twice and
 * then whenever the person does, and gets the same answer. Throws Problem when there is no answer to read.
 * @param {string} query @param {Record<string, any>} [variables]
 * @returns {Promise<{data: any, problem: Problem | null}>}
 */
export async function ask(query, variables = {}) {
  const body = await send(query, variables);
  const error = body.errors?.[0];
  const problem = error ? new Problem(error.extensions?.code ?? "UNKNOWN", error.message) : null;
  return { data: body.data ?? {}, problem };
}

/** @type {Set<Promise<unknown>>} */
const underWay = new Set();

/** Once what has been sent is answered: an answer may bring the session another token. */
export const settled = () => Promise.allSettled(underWay);

/** @param {string} query @param {Record<string, any>} variables @returns {Promise<any>} */
function send(query, variables) {
  const sent = (query.startsWith("mutation") ? change(query, variables) : exchange({ query, variables })).finally(() =>
    underWay.delete(sent),
  );
  underWay.add(sent);
  return sent;
}

const PAUSES_MS = [500, 1500];
// What answers that the change may have been made all the same, or is being made.
const UNSETTLED = ["IDEMPOTENCY_IN_PROGRESS", "SERVICE_UNAVAILABLE"];
/** @type {Map<string, string>} The keys of changes whose answers have not come. */
const unanswered = new Map();

/** @param {string} query @param {Record<string, any>} variables @returns {Promise<any>} */
async function change(query, variables) {
  const wanted = JSON.stringify([query, variables]);
  const idempotencyKey = unanswered.get(wanted) ?? newKey();
  unanswered.set(wanted, idempotencyKey);
  const { input } = variables;
  const keyed = input ? { ...variables, input: { ...input, idempotencyKey } } : { ...variables, idempotencyKey };
  for (const pause of [...PAUSES_MS, null]) {
    try {
      const answer = await exchange({ query, variables: keyed });
      const code = answer.errors?.[0]?.extensions?.code;
      if (!UNSETTLED.includes(code)) unanswered.delete(wanted);
      if (pause === null || code !== "IDEMPOTENCY_IN_PROGRESS") return answer;
    } catch (error) {
      if (pause === null) throw error;
    }
    await new Promise((goOn) => setTimeout(goOn, pause ?? 0));
  }
  throw new Problem("OFFLINE", AWAY);
}

// A browser has randomUUID over https alone.
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** @param {object} operation @returns {Promise<any>} */
async function exchange(operation) {
  try {
    const answer = await fetch(ENDPOINT, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body: JSON.stringify(operation),
    });
    return await answer.json();
  } catch {
    throw new Problem("OFFLINE", AWAY);
  }
}
