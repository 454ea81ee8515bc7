// The GraphQL API, by the session's cookie.

const ENDPOINT = "/graphql";
const AWAY = "The server cannot be reached. Nothing that you entered is lost: try again in a moment.";

/** A failure that is no result: its code is the API's, or OFFLINE. */
export class Problem extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Send one operation. Throws Problem when there is no answer to read.
 * @param {string} query @param {Record<string, unknown>} [variables]
 * @returns {Promise<{data: any, problem: Problem | null}>}
 */
export async function ask(query, variables = {}) {
  const body = await send(JSON.stringify({ query, variables }));
  const error = body.errors?.[0];
  const problem = error ? new Problem(error.extensions?.code ?? "UNKNOWN", error.message) : null;
  return { data: body.data ?? {}, problem };
}

/** @type {Set<Promise<unknown>>} */
const underWay = new Set();

/** Once what has been sent is answered: an answer may bring the session another token. */
export const settled = () => Promise.allSettled(underWay);

/** @param {string} body @returns {Promise<any>} */
function send(body) {
  const sent = exchange(body).finally(() => underWay.delete(sent));
  underWay.add(sent);
  return sent;
}

/** @param {string} body @returns {Promise<any>} */
async function exchange(body) {
  try {
    const answer = await fetch(ENDPOINT, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/graphql-response+json" },
      body,
    });
    return await answer.json();
  } catch {
    throw new Problem("OFFLINE", AWAY);
  }
}
