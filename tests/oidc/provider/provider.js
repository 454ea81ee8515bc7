// oidc-provider on a port of its own, with an answer now and then that no honest provider gives: whoever posts a name to
// /spoil gets it in the next ID token. Prints its issuer once it listens.

import { createServer } from "node:http";
import { SignJWT, UnsecuredJWT, decodeJwt, exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

const REDIRECT_URI = process.argv[2];
const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

async function freshKey(kid) {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  return { kid, privateKey, jwk: { ...(await exportJWK(privateKey)), kid, alg: "RS256", use: "sig" }, publicKey };
}

let key = await freshKey("first");
const stranger = await freshKey("first");
// Made before anybody waits for an answer that it signs.
const second = await freshKey("second");
let spoil = "";

const provider = new Provider(issuer, {
  clients: [
    { client_id: "gatehouse", client_secret: "s3cret-of-the-tests", redirect_uris: [REDIRECT_URI], grant_types: ["authorization_code"] },
  ],
  jwks: { keys: [key.jwk] },
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  pkce: { required: () => true },
  features: { claimsParameter: { enabled: true }, devInteractions: { enabled: false } },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ["a key of the tests"] },
  // A subject is an address; one that begins with "new." has not been verified.
  findAccount: (ctx, sub) => ({
    accountId: sub,
    claims: () => ({ sub, email: sub.split("|")[0].replace("new.", ""), email_verified: !sub.startsWith("new.") }),
  }),
  async loadExistingGrant(ctx) {
    // One for all tabs of a browser: a code of another grant than its session's is refused.
    const held = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
    if (held) return ctx.oidc.provider.Grant.find(held);
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId,
      accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid email");
    await grant.save();
    return grant;
  },
});

const signed = (claims, by = key) =>
  new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: by.kid }).sign(by.privateKey);

const MIA = { email: "mia@agency.example", email_verified: true };
const SPOILT = {
  nonce: (claims) => signed({ ...claims, nonce: "of another sign-in" }),
  "no-nonce": ({ nonce, ...claims }) => signed(claims),
  "alg-none": (claims) => new UnsecuredJWT(claims).encode(),
  hmac: (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode("s3cret-of-the-tests")),
  issuer: (claims) => signed({ ...claims, iss: "https://honest.example" }),
  audience: (claims) => signed({ ...claims, aud: "another client" }),
  audiences: (claims) => signed({ ...claims, aud: ["gatehouse", "another client"], azp: "another client" }),
  expired: (claims) => signed({ ...claims, iat: claims.iat - 7200, exp: claims.iat - 3600 }),
  future: (claims) => signed({ ...claims, iat: claims.iat + 3600, exp: claims.exp + 3600 }),
  signature: (claims) => signed(claims, stranger),
  "no-subject": ({ sub, ...claims }) => signed(claims),
  "long-subject": (claims) => signed({ ...claims, ...MIA, sub: "x".repeat(256) }),
  "nul-subject": (claims) => signed({ ...claims, ...MIA, sub: "mia\0" }),
  "half-subject": (claims) => signed({ ...claims, ...MIA, sub: "mia\ud800" }),
  "nul-email": (claims) => signed({ ...claims, ...MIA, email: "mia\0@agency.example" }),
  "half-email": (claims) => signed({ ...claims, ...MIA, email: "mia\ud800@agency.example" }),
  "long-email": (claims) => signed({ ...claims, ...MIA, email: `${"m".repeat(300)}@agency.example` }),
  "mfa-said": (claims) => signed({ ...claims, amr: ["pwd", "mfa", "otp"] }),
  "mfa-as-text": (claims) => signed({ ...claims, amr: "mfa" }),
  "mfa-in-capitals": (claims) => signed({ ...claims, amr: ["MFA", ["mfa"], { mfa: true }] }),
  "other-methods": (claims) => signed({ ...claims, amr: ["pwd", "otp", "hwk"] }),
  "no-auth-time": ({ auth_time, ...claims }) => signed(claims),
  "long-ago": (claims) => signed({ ...claims, auth_time: claims.iat - 3600 }),
  "a-while-ago": (claims) => signed({ ...claims, auth_time: claims.iat - 600 }),
  "in-milliseconds": (claims) => signed({ ...claims, auth_time: claims.iat * 1000 }),
  "before-all-time": (claims) => signed({ ...claims, auth_time: -1 }),
  "ahead-of-us": (claims) => signed({ ...claims, auth_time: claims.iat + 30 }),
  huge: async (claims) => signed({ ...claims, more: "x".repeat(2_000_000) }),
  rotated: (claims) => {
    key = second;
    return signed(claims);
  },
};

provider.use(async (ctx, next) => {
  await next();
  if (ctx.path === "/token" && ctx.body?.id_token) {
    const claims = decodeJwt(ctx.body.id_token);
    const by = SPOILT[spoil];
    spoil = "";
    // Signed anew in any case, by the key that holds now.
    ctx.body = { ...ctx.body, id_token: await (by ?? signed)(claims) };
  }
  if (ctx.path === "/jwks") ctx.body = { keys: [{ ...(await exportJWK(key.publicKey)), kid: key.kid, alg: "RS256" }] };
});

const callback = provider.callback();
server.on("request", async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === "/spoil") {
    spoil = url.searchParams.get("how");
    return response.end();
  }
  if (url.pathname.startsWith("/interaction/")) {
    // Whoever comes is whom the browser says it is.
    const { params } = await provider.interactionDetails(request, response);
    return provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
  }
  return callback(request, response);
});
console.log(issuer);
