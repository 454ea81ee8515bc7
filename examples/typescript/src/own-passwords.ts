// A small product that keeps its own passwords and lets Gatehouse do the rest: second factor, sessions, the gate.
//
//   gatehouse service-keys create --name product --can sign-in
//   GATEHOUSE_SERVICE_KEY=gh_k_… npm run own-passwords -- --person mia@agency.example --password …
//
// Then: curl -c jar -d '{"email": "mia@agency.example", "password": "…"}' http://127.0.0.1:9000/sign-in
// A real product keeps many people, and speaks https.

import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { print } from "graphql";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { graphql } from "./gql/index.js";

const SignIn = graphql(`
  mutation ServiceSignIn($input: ServiceSignInInput!) {
    serviceSignIn(input: $input) {
      __typename
      ... on SignedIn { sessionToken }
      ... on MfaChallenge { challengeToken }
      ... on Error { message }
    }
  }
`);
const Complete = graphql(`
  mutation CompleteForProduct($challenge: String!, $code: String!) {
    completeMfaChallenge(input: { challengeToken: $challenge, code: { totp: $code } }) {
      __typename
      ... on SignedIn { sessionToken }
      ... on Error { message }
    }
  }
`);
const Session = graphql(`
  query SessionOf($token: String!) {
    session(token: $token) { email amr blocked mfaNotice { message } memberships { role } }
  }
`);

const { values: given } = parseArgs({
  options: {
    url: { type: "string", default: "http://localhost:8000/graphql" },
    port: { type: "string", default: "9000" },
    person: { type: "string" },
    password: { type: "string" },
  },
});
if (!given.person || !given.password) throw new Error("Give --person and --password: who has an account here.");

// The product's own first factor: as slow for whoever is unknown.
const kept = new Map<string, { salt: Buffer; hash: Buffer }>();
const hashed = (password: string, salt: Buffer) => scryptSync(password, salt, 32);
const salt = randomBytes(16);
kept.set(given.person, { salt, hash: hashed(given.password, salt) });

function isRight(email: string, password: string): boolean {
  const known = kept.get(email) ?? { salt: Buffer.from("nobody"), hash: Buffer.alloc(32) };
  return timingSafeEqual(hashed(password, known.salt), known.hash) && kept.has(email);
}

/** The answer of Gatehouse; throws for what is none: a wrong key, a server that is away. */
async function ask<Data, Variables>(query: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
  const answer = await fetch(given.url, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.GATEHOUSE_SERVICE_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ query: print(query), variables }),
    signal: AbortSignal.timeout(10_000),
  });
  const { data, errors } = (await answer.json()) as { data: Data; errors?: { message: string }[] };
  if (errors?.[0]) throw new Error(errors[0].message);
  return data;
}

type Result = { __typename: string; sessionToken?: string | null; challengeToken?: string; message?: string };

/** What the browser gets: a session's cookie, a challenge to answer, or why there is neither. */
function signedIn(response: ServerResponse, result: Result | null | undefined): void {
  if (result?.__typename === "SignedIn") {
    response.setHeader("set-cookie", `session=${result.sessionToken}; Path=/; HttpOnly; SameSite=Lax`);
    return send(response, 200, { message: "Welcome." });
  }
  if (result?.__typename === "MfaChallenge") return send(response, 202, { challenge: result.challengeToken });
  send(response, 401, { message: result?.message });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, string>> {
  let text = "";
  for await (const chunk of request) if ((text += chunk).length > 10_000) throw new Error("Too large.");
  return JSON.parse(text);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === "POST") {
    const { email = "", password = "", challenge = "", code = "" } = await bodyOf(request);
    if (request.url === "/code") {
      return signedIn(response, (await ask(Complete, { challenge, code })).completeMfaChallenge);
    }
    if (!isRight(email, password)) return send(response, 401, { message: "The email or the password is wrong." });
    const client = { ipAddress: request.socket.remoteAddress, userAgent: request.headers["user-agent"] };
    return signedIn(response, (await ask(SignIn, { input: { email, client, amr: ["pwd"] } })).serviceSignIn);
  }
  const token = /(?:^|; )session=([^;]+)/.exec(request.headers.cookie ?? "")?.[1];
  // Asked on each request: a session that has ended, whatever ended it, is null.
  const session = token ? (await ask(Session, { token })).session : null;
  if (!session) return send(response, 401, { message: "Sign in first." });
  // No role, no way in: they were removed, or have not accepted yet. (A portal's users have none either.)
  if (!session.memberships.length) return send(response, 403, { message: "You are not on the staff." });
  if (session.blocked) return send(response, 403, { message: session.mfaNotice?.message });
  send(response, 200, { hello: session.email, by: session.amr });
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: Error) => send(response, 502, { message: error.message }));
});
server.listen(Number(given.port), "127.0.0.1", () => {
  console.log(`listening: http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
