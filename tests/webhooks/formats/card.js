// What Microsoft's own reader of Adaptive Cards says of each card: what is wrong with it, and what of it is left.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

globalThis.self = globalThis.window = globalThis; // it expects a browser, of which reading needs nothing
const { AdaptiveCard, SerializationContext, Versions } = createRequire(import.meta.url)("adaptivecards/dist/adaptivecards.js");

const verdicts = JSON.parse(readFileSync(process.argv[2], "utf8")).map((payload) => {
  const card = new AdaptiveCard();
  const context = new SerializationContext(Versions.v1_4);
  card.parse(payload, context);
  const read = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message);
  const valid = card.validateProperties().validationEvents.map((event) => event.message);
  return { wrong: [...read, ...valid], kept: card.toJSON(context) };
});
console.log(JSON.stringify(verdicts));
