// google-auth-library through the whole code flow.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CodeChallengeMethod, OAuth2Client } from "google-auth-library";
import { consent } from "./consent.js";
import { client, startSim } from "./sim.js";

const EVENTS = "https://www.googleapis.com/auth/calendar.events";
const LIST = "https://www.googleapis.com/auth/calendar.calendarlist.readonly";
const account = "ada@example.com";
let sim;

before(async () => { sim = await startSim(); });
after(() => sim.stop());

function newClient() {
  return new OAuth2Client({
    ...client,
    endpoints: {
      oauth2AuthBaseUrl: `${sim.base}/o/oauth2/v2/auth`,
      oauth2TokenUrl: `${sim.base}/token`,
      oauth2RevokeUrl: `${sim.base}/revoke`,
      tokenInfoUrl: `${sim.base}/tokeninfo`,
      oauth2FederatedSignonPemCertsUrl: `${sim.base}/oauth2/v1/certs`,
      oauth2FederatedSignonJwkCertsUrl: `${sim.base}/oauth2/v3/certs`,
    },
  });
}

async function login(oauth, options = {}, choice = {}) {
  const { codeVerifier, codeChallenge } = await oauth.generateCodeVerifierAsync();
  const url = oauth.generateAuthUrl({
    access_type: "offline",
    prompt: "consent",
    scope: ["openid", "email", EVENTS, LIST],
    state: "state-1",
    code_challenge: codeChallenge,
    code_challenge_method: CodeChallengeMethod.S256,
    ...options,
  });
  const back = await consent(sim.base, url, { account, ...choice });
  return { back, code: back.searchParams.get("code"), codeVerifier };
}

test("a code is exchanged for tokens, and the id token says who it is", async () => {
  const oauth = newClient();
  const { back, code, codeVerifier } = await login(oauth);
  assert.equal(back.searchParams.get("state"), "state-1");
  assert.equal(back.searchParams.get("iss"), "https://accounts.google.com");

  const { tokens } = await oauth.getToken({ code, codeVerifier });
  assert.ok(tokens.refresh_token);
  assert.deepEqual(new Set(tokens.scope.split(" ")), new Set([
    "openid", "https://www.googleapis.com/auth/userinfo.email", EVENTS, LIST,
  ]));
  const ticket = await oauth.verifyIdToken({ idToken: tokens.id_token, audience: client.clientId });
  assert.equal(ticket.getPayload().email, account);

  oauth.setCredentials(tokens);
  const info = await oauth.getTokenInfo(tokens.access_token);
  assert.equal(info.email, account);
  assert.equal(info.sub, ticket.getPayload().sub);
});

test("a code works once", async () => {
  const oauth = newClient();
  const { code, codeVerifier } = await login(oauth);
  await oauth.getToken({ code, codeVerifier });
  await assert.rejects(oauth.getToken({ code, codeVerifier }), /invalid_grant/);
});

test("a code without its verifier is worth nothing", async () => {
  const oauth = newClient();
  const { code } = await login(oauth);
  await assert.rejects(oauth.getToken({ code, codeVerifier: "x".repeat(43) }), /invalid_grant/);
});

test("an unticked box is missing from the scopes", async () => {
  const oauth = newClient();
  const { code, codeVerifier } = await login(oauth, {}, { untick: [EVENTS] });
  const { tokens } = await oauth.getToken({ code, codeVerifier });
  assert.ok(!tokens.scope.includes(EVENTS));
  assert.ok(tokens.scope.includes(LIST));
});

test("denial comes back as access_denied", async () => {
  const { back } = await login(newClient(), {}, { decision: "deny" });
  assert.equal(back.searchParams.get("error"), "access_denied");
  assert.equal(back.searchParams.get("state"), "state-1");
});

test("a refresh token comes only with consent", async () => {
  const oauth = newClient();
  await login(oauth);
  const { code, codeVerifier } = await login(oauth, { prompt: undefined, login_hint: account });
  const { tokens } = await oauth.getToken({ code, codeVerifier });
  assert.ok(tokens.access_token);
  assert.equal(tokens.refresh_token, undefined);
});

test("an unregistered redirect address is shown to the person, not followed", async () => {
  const other = { redirect_uri: "https://evil.example/callback" };
  await assert.rejects(login(newClient(), other), /redirect_uri_mismatch/);
});

test("refreshing gives a new access token and keeps the refresh token", async () => {
  const oauth = newClient();
  const { code, codeVerifier } = await login(oauth);
  const { tokens } = await oauth.getToken({ code, codeVerifier });
  oauth.setCredentials({ refresh_token: tokens.refresh_token });
  const { credentials } = await oauth.refreshAccessToken();
  assert.notEqual(credentials.access_token, tokens.access_token);
  assert.equal(credentials.refresh_token, tokens.refresh_token);
});

test("revoking takes the whole grant, and refreshing then fails with invalid_grant", async () => {
  const oauth = newClient();
  const first = await login(oauth);
  const { tokens: one } = await oauth.getToken(first);
  const second = await login(oauth);
  const { tokens: two } = await oauth.getToken(second);

  await oauth.revokeToken(two.access_token);
  for (const tokens of [one, two]) {
    oauth.setCredentials({ refresh_token: tokens.refresh_token });
    await assert.rejects(oauth.refreshAccessToken(), /invalid_grant/);
  }
});

for (const end of ["expired", "admin_policy", "session_control", "account_disabled", "time_based"]) {
  test(`a grant that ended (${end}) answers invalid_grant`, async () => {
    const oauth = newClient();
    const { tokens } = await oauth.getToken(await login(oauth));
    await sim.control("end-grants", { account, end });
    oauth.setCredentials({ refresh_token: tokens.refresh_token });
    await assert.rejects(oauth.refreshAccessToken(), (error) => error.response.data.error === "invalid_grant");
  });
}
