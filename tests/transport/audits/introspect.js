// Reads the schema from the endpoint named by the first argument with every set of options that graphql-js has, and
// prints what it is once printed: the sets that lose nothing must all give what the file named by the second one does.
import { readFileSync } from "node:fs";
import { buildClientSchema, buildSchema, getIntrospectionQuery, printSchema } from "graphql";

const [url, file] = process.argv.slice(2);
const names = [
  "descriptions",
  "specifiedByUrl",
  "directiveIsRepeatable",
  "schemaDescription",
  "inputValueDeprecation",
  "experimentalDirectiveDeprecation",
  "oneOf",
];
const answers = [];
for (let set = 0; set < 2 ** names.length; set++) {
  const options = Object.fromEntries(names.map((name, n) => [name, Boolean(set & (1 << n))]));
  answers.push(await answered(options));
}
for (const typeDepth of [4, 9, 16, 20]) {
  const options = Object.fromEntries(names.map((name) => [name, true]));
  answers.push(await answered({ ...options, typeDepth }));
}
const sdl = readFileSync(file, "utf8");
console.log(JSON.stringify({ answers, expected: printSchema(buildSchema(sdl)) }));

async function answered(options) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: getIntrospectionQuery(options) }),
  });
  const { data, errors } = await response.json();
  return { options, errors, printed: data && printSchema(buildClientSchema(data)) };
}
