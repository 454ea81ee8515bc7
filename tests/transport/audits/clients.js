// urql and Apollo Client as they come, on a page of the endpoint's own origin: the browser adds the cookie and says
// that the page is ours. Arguments: the endpoint and the cookie. Prints what each client gave.
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client/core/index.js";
import { BatchHttpLink } from "@apollo/client/link/batch-http/index.js";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries/index.js";
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import { createHash } from "node:crypto";

const [url, cookie] = process.argv.slice(2);
const asked = [];
const fromOurPage = (address, options = {}) => {
  asked.push(options.method ?? "GET");
  const headers = { ...options.headers, cookie, "sec-fetch-site": "same-origin" };
  return fetch(address, { ...options, headers });
};
const VIEWER = "query Me { viewer { email } }";

async function urql(preferGetMethod) {
  const client = new Client({ url, fetch: fromOurPage, preferGetMethod, exchanges: [cacheExchange, fetchExchange] });
  const { data, error } = await client.query(VIEWER, {}).toPromise();
  return data?.viewer?.email ?? String(error);
}

async function apollo(link) {
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  try {
    return (await client.query({ query: gql(VIEWER) })).data.viewer.email;
  } catch (error) {
    return String(error);
  }
}

const http = (options) => new HttpLink({ uri: url, fetch: fromOurPage, ...options });
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const persisted = () => ApolloLink.from([new PersistedQueryLink({ sha256 }), http({})]);
const runs = {
  urql: () => urql(undefined),
  urqlByPost: () => urql(false),
  apolloByGet: () => apollo(http({ useGETForQueries: true })),
  apolloPersisted: () => apollo(persisted()),
  apolloBatch: () => apollo(new BatchHttpLink({ uri: url, fetch: fromOurPage, batchMax: 2 })),
};
const results = {};
for (const [name, run] of Object.entries(runs)) {
  asked.length = 0;
  results[name] = { told: await run(), methods: [...asked] };
}
console.log(JSON.stringify(results));
