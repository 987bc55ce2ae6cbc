// What stands around the events, through @googleapis/calendar: free/busy, import, move, rules, settings, colours.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { auth, calendar } from "@googleapis/calendar";
import { client, startSim } from "./sim.js";

const account = "ada@example.com";
const choir = "c_choir@group.calendar.google.com";
const everything = ["https://www.googleapis.com/auth/calendar"];
const lesson = {
  summary: "Lesson",
  start: { dateTime: "2027-01-11T10:00:00", timeZone: "Europe/Berlin" },
  end: { dateTime: "2027-01-11T11:00:00", timeZone: "Europe/Berlin" },
};
let sim;
let google;

before(async () => {
  sim = await startSim();
  google = await signIn(everything);
});
after(() => sim.stop());

async function signIn(scopes) {
  const oauth = new auth.OAuth2({ ...client, endpoints: { oauth2TokenUrl: `${sim.base}/token` } });
  oauth.setCredentials(await sim.control("grant", { client: client.clientId, account, scopes }));
  return calendar({ version: "v3", auth: oauth, rootUrl: `${sim.base}/` });
}

const refusal = (status, reason) => (error) => {
  assert.equal(error.response.status, status);
  assert.equal(error.response.data.error.errors[0].reason, reason);
  return true;
};

test("an event that was imported and moved keeps one calendar busy after the other", async () => {
  const requestBody = { ...lesson, iCalUID: "node@elsewhere.example" };
  const { data: event } = await google.events.import({ calendarId: "primary", requestBody });
  await assert.rejects(google.events.import({ calendarId: "primary", requestBody }), refusal(409, "duplicate"));

  const question = {
    timeMin: "2027-01-11T00:00:00Z", timeMax: "2027-01-12T00:00:00Z", items: [{ id: account }, { id: choir }, { id: "x" }],
  };
  const busy = async () => (await google.freebusy.query({ requestBody: question })).data.calendars;
  const hour = [{ start: "2027-01-11T09:00:00Z", end: "2027-01-11T10:00:00Z" }];
  const first = await busy();
  assert.deepEqual([first[account].busy, first[choir].busy], [hour, []]);
  assert.equal(first.x.errors[0].reason, "notFound");

  const { data: moved } = await google.events.move({ calendarId: "primary", eventId: event.id, destination: choir });
  assert.equal(moved.organizer.email, choir);
  const then = await busy();
  assert.deepEqual([then[account].busy, then[choir].busy], [[], hour]);
  const { data: left } = await google.events.get({ calendarId: "primary", eventId: event.id });
  assert.deepEqual(Object.keys(left).sort(), ["etag", "id", "kind", "status"]);
});

test("rules, settings and colours are read, with scopes of their own", async () => {
  const { data: rules } = await google.acl.list({ calendarId: "primary" });
  assert.deepEqual(rules.items.map((rule) => [rule.id, rule.role]), [[`user:${account}`, "owner"]]);
  const { data: rule } = await google.acl.get({ calendarId: "primary", ruleId: `user:${account}` });
  assert.deepEqual(rule, rules.items[0]);
  const { data: settings } = await google.settings.list();
  const { data: zone } = await google.settings.get({ setting: "timezone" });
  assert.equal(zone.value, "Europe/Berlin");
  assert.ok(settings.items.some((setting) => setting.etag === zone.etag));
  const { data: colors } = await google.colors.get();
  assert.equal(Object.keys(colors.event).length, 11);

  const narrow = await signIn(["https://www.googleapis.com/auth/calendar.events"]);
  for (const call of [
    () => narrow.acl.list({ calendarId: "primary" }),
    () => narrow.settings.list(),
    () => narrow.colors.get(),
    () => narrow.freebusy.query({ requestBody: {} }),
  ]) {
    await assert.rejects(call(), refusal(403, "insufficientPermissions"));
  }
});
