// What npm's standardwebhooks makes of each message: the verified payload, or why there is none.

import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const verdicts = JSON.parse(readFileSync(process.argv[2], "utf8")).map(({ secret, headers, body }) => {
  try {
    return { verified: new Webhook(secret).verify(body, headers) };
  } catch (error) {
    return { error: error.message };
  }
});
console.log(JSON.stringify(verdicts));
