// Changes: a mutation, and what stands in its way handled where the person is.

import { Problem, ask } from "./api.js";
import { loadAnew } from "./dialogs.js";
import { confirmPerson, signInAgain } from "./proof.js";

/**
 * Send a mutation of one field; its result. A proof that is too old, or a session that has ended, is asked for in place,
 * and then the change goes on. Throws Problem and Cancelled.
 * @param {string} mutation @param {Record<string, unknown>} [input]
 * @returns {Promise<any>}
 */
export async function act(mutation, input) {
  for (;;) {
    const { data, problem } = await ask(mutation, input ? { input } : {});
    if (!problem) return Object.values(data)[0];
    if (problem.code === "REAUTHENTICATION_REQUIRED") await confirmPerson(input?.code !== undefined);
    else if (problem.code === "UNAUTHENTICATED") await signInAgain();
    else {
      // The page that loads shows what is to be done first, and nothing else.
      if (problem.code === "MFA_ENROLLMENT_REQUIRED") void loadAnew();
      throw problem;
    }
  }
}

/** The result, if it is of the type that success has. Throws Problem. @param {any} result @param {string} success */
export function succeeded(result, success) {
  if (result.__typename !== success) throw new Problem(result.__typename, result.message);
  return result;
}
