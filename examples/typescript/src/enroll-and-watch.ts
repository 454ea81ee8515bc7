// A whole client with urql: a staff member signs in and enrolls, an owner watches the roster change.
//
//   npm start -- --owner olive@agency.example --staff noah@agency.example --password …

import { createHmac } from "node:crypto";
import { parseArgs } from "node:util";
import { Client, fetchExchange, subscriptionExchange, type OperationResult } from "@urql/core";
import { createClient, type Client as Socket } from "graphql-ws";
import WebSocket from "ws";
import { graphql } from "./gql/index.js";
import type { SignInMutation, StaffMemberChangedSubscription } from "./gql/graphql.js";

const SignIn = graphql(`
  mutation SignIn($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) {
      __typename
      ... on SignedIn { sessionToken viewer { memberships { role account { id name } } } }
      ... on Error { message }
      ... on TooManyAttempts { retryAt }
    }
  }
`);
const Begin = graphql(`
  mutation Begin {
    beginMfaEnrollment {
      __typename
      ... on MfaEnrollment { manualEntryKey }
      ... on Error { message }
    }
  }
`);
const Verify = graphql(`
  mutation Verify($code: String!) {
    verifyAndEnableMfa(input: { code: $code }) {
      __typename
      ... on MfaEnabled { backupCodes }
      ... on Error { message }
      ... on InvalidCode { attemptsRemaining }
      ... on TooManyAttempts { retryAt }
    }
  }
`);
const StaffMemberChanged = graphql(`
  subscription StaffMemberChanged($accountId: ID!) {
    staffMemberChanged(accountId: $accountId) { email mfaEnabled mfaState mfaEnabledAt }
  }
`);

type Answer<Mutation> = NonNullable<Mutation[keyof Mutation]>;
type SignedIn = Extract<Answer<SignInMutation>, { __typename: "SignedIn" }>;
type Refusal = { __typename: string; message: string };
type Account = SignedIn["viewer"]["memberships"][number]["account"];
type StaffMember = StaffMemberChangedSubscription["staffMemberChanged"];

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Signs the owner in, watches their account's roster, enrolls the staff member, and prints what the owner sees. */
async function enrollAndWatch(url: string, owner: string, staff: string, password: string): Promise<void> {
  const watcher = await signIn(url, owner, password);
  const managed = watcher.viewer.memberships.find(({ role }) => role === "OWNER" || role === "ADMIN");
  if (!managed) throw new Error(`${owner} is owner or admin of no account, so there is no roster to watch.`);
  const { account, role } = managed;
  console.log(`signed in: ${owner}, ${role.toLowerCase()} of ${account.name}`);

  const connectionParams = { Authorization: `Bearer ${watcher.sessionToken}` };
  // Node 20 has no WebSocket of its own; a browser needs no webSocketImpl.
  const socket = createClient({ url: url.replace("http", "ws"), connectionParams, webSocketImpl: WebSocket });
  const connected = new Promise((resolve) => socket.on("connected", resolve));
  const change = enrolled(clientFor(url, watcher.sessionToken, socket), account, staff);
  // The subscription goes out first: it tells of what happens from then on.
  const [member] = await Promise.all([
    change,
    Promise.race([connected, change]).then(() => enroll(url, staff, password, account)),
  ]).finally(() => socket.dispose());
  console.log(`roster: ${member.email} ${member.mfaState} since ${member.mfaEnabledAt}`);
}

/** Signs in, puts the key into an authenticator app (here: totp), and shows its first code. */
async function enroll(url: string, email: string, password: string, account: Account): Promise<void> {
  const { sessionToken, viewer } = await signIn(url, email, password);
  if (!viewer.memberships.some((each) => each.account.id === account.id)) {
    throw new Error(`${email} is not staff of ${account.name}, whose roster is watched.`);
  }
  console.log(`signed in: ${email}`);
  const client = clientFor(url, sessionToken);
  const begun = (await client.mutation(Begin, {}).toPromise().then(dataOf)).beginMfaEnrollment;
  if (begun?.__typename !== "MfaEnrollment") throw refusal(begun);
  const code = totp(begun.manualEntryKey.replaceAll(" ", ""));
  const enabled = (await client.mutation(Verify, { code }).toPromise().then(dataOf)).verifyAndEnableMfa;
  if (enabled?.__typename !== "MfaEnabled") throw refusal(enabled);
  const { backupCodes } = enabled;
  console.log(`enrolled: ${email}, with ${backupCodes.length} backup codes: ${backupCodes.join(" ")}`);
}

/** The staff member as the roster has them, once it tells that they have MFA on. */
function enrolled(client: Client, account: Account, email: string): Promise<StaffMember> {
  return new Promise((resolve, reject) => {
    client.subscription(StaffMemberChanged, { accountId: account.id }).subscribe(({ data, error }) => {
      if (error) reject(error);
      const member = data?.staffMemberChanged;
      if (member?.mfaEnabled && member.email.toLowerCase() === email.toLowerCase()) resolve(member);
    });
  });
}

/** The SignedIn of somebody without a second factor. */
async function signIn(url: string, email: string, password: string): Promise<SignedIn> {
  const answer = (await clientFor(url).mutation(SignIn, { email, password }).toPromise().then(dataOf)).signIn;
  switch (answer?.__typename) {
    case "SignedIn":
      return answer;
    case "MfaChallenge":
      throw new Error(`${email} has MFA on already; take somebody who has not.`);
    default:
      throw refusal(answer);
  }
}

/** A client for one person; with a socket it can subscribe too. */
function clientFor(url: string, token?: string | null, socket?: Socket): Client {
  const subscriptions = socket && subscriptionExchange({
    forwardSubscription: ({ query = "", variables }) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
    }),
  });
  return new Client({
    url,
    preferGetMethod: false,
    fetchOptions: token ? { headers: { Authorization: `Bearer ${token}` } } : {},
    exchanges: subscriptions ? [subscriptions, fetchExchange] : [fetchExchange],
  });
}

/** What an operation brought. Throws what stopped the request as a whole. */
function dataOf<Data>({ data, error }: OperationResult<Data>): Data {
  if (error) throw error;
  return data!;
}

/** Any other member of a union is a refusal, with a sentence for the person. */
function refusal(answer: Refusal | null | undefined): Error {
  const { __typename, message, ...details } = answer ?? { __typename: "Nothing", message: "There was no answer." };
  return new Error([`${__typename}: ${message}`, ...Object.entries(details).map((each) => each.join(": "))].join(" "));
}

/** RFC 6238 as authenticator apps have it: SHA-1, 6 digits, 30 seconds. */
function totp(key: string, seconds = Date.now() / 1000): string {
  const bits = [...key].map((letter) => BASE32.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(seconds / 30)));
  const hash = createHmac("sha1", secret).update(step).digest();
  const number = hash.readUInt32BE(hash[19]! & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://localhost:8000/graphql" },
    owner: { type: "string" },
    staff: { type: "string" },
    password: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
const { url, owner, staff, password, help } = values;
if (help || !owner || !staff || !password) {
  console.log("npm start -- [--url URL] --owner EMAIL --staff EMAIL --password PASSWORD (of both, who are without MFA)");
  process.exitCode = help ? 0 : 2;
} else {
  await enrollAndWatch(url, owner, staff, password).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
