// @googleapis/calendar against the simulator, as it is used against Google.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, beforeEach, test } from "node:test";
import { auth, calendar } from "@googleapis/calendar";
import { client, startSim } from "./sim.js";

const account = "ada@example.com";
const calendarId = "primary";
const scopes = ["https://www.googleapis.com/auth/calendar"];
let sim;
let google;

before(async () => { sim = await startSim(); });
after(() => sim.stop());
beforeEach(async () => {
  google = await signIn(account);
  await sim.control("clear-faults");
  await sim.control("reset-calls");
});

async function signIn(account) {
  const oauth = new auth.OAuth2({ ...client, endpoints: { oauth2TokenUrl: `${sim.base}/token` } });
  oauth.setCredentials(await sim.control("grant", { client: client.clientId, account, scopes }));
  return calendar({ version: "v3", auth: oauth, rootUrl: `${sim.base}/` });
}

const timed = (day, from, to) => ({
  start: { dateTime: `${day}T${from}:00`, timeZone: "Europe/Berlin" },
  end: { dateTime: `${day}T${to}:00`, timeZone: "Europe/Berlin" },
});

const insert = async (requestBody) => (await google.events.insert({ calendarId, requestBody })).data;

const refusal = (status, reason) => (error) => {
  assert.equal(error.response.status, status);
  assert.equal(error.response.data.error.errors[0].reason, reason);
  return true;
};

test("events are written, read, changed and deleted", async () => {
  const event = await insert({ summary: "Lesson", ...timed("2027-01-11", "10:00", "11:00") });
  assert.equal(event.start.dateTime, "2027-01-11T10:00:00+01:00");

  const patched = await google.events.patch({ calendarId, eventId: event.id, requestBody: { location: "Room 3" } });
  assert.equal(patched.data.summary, "Lesson");
  assert.notEqual(patched.data.etag, event.etag);

  const moved = timed("2027-01-11", "12:00", "13:00");
  const put = await google.events.update({ calendarId, eventId: event.id, requestBody: { summary: "Moved", ...moved } });
  assert.equal(put.data.location, undefined);
  assert.equal(put.data.sequence, 1);

  await google.events.delete({ calendarId, eventId: event.id });
  assert.equal((await google.events.get({ calendarId, eventId: event.id })).data.status, "cancelled");
  await assert.rejects(google.events.delete({ calendarId, eventId: event.id }), refusal(410, "deleted"));
});

test("an id stays taken after deletion and can be revived by an update", async () => {
  const lesson = { id: "lesson0000000000000001", ...timed("2027-01-12", "10:00", "11:00") };
  await insert(lesson);
  await google.events.delete({ calendarId, eventId: lesson.id });
  await assert.rejects(insert(lesson), refusal(409, "duplicate"));

  const revived = await google.events.update({ calendarId, eventId: lesson.id, requestBody: { ...lesson, status: "confirmed" } });
  assert.equal(revived.data.status, "confirmed");

  await google.events.delete({ calendarId, eventId: lesson.id });
  await sim.control("empty-bin", { calendar: account });
  const again = google.events.update({ calendarId, eventId: lesson.id, requestBody: { ...lesson, status: "confirmed" } });
  await assert.rejects(again, refusal(403, "forbidden"));
});

test("a stale etag is refused with 412", async () => {
  const event = await insert(timed("2027-01-13", "10:00", "11:00"));
  const requestBody = { summary: "First" };
  await google.events.patch({ calendarId, eventId: event.id, requestBody }, { headers: { "If-Match": event.etag } });
  const late = google.events.patch({ calendarId, eventId: event.id, requestBody }, { headers: { "If-Match": event.etag } });
  await assert.rejects(late, refusal(412, "conditionNotMet"));
});

test("a cursor brings what changed, page by page, and nothing twice", async () => {
  const { data: whole } = await google.events.list({ calendarId });
  const ids = new Set();
  for (let n = 0; n < 7; n += 1) ids.add((await insert(timed("2027-02-01", "10:00", "11:00"))).id);
  const [gone] = ids;
  await google.events.delete({ calendarId, eventId: gone });

  const seen = [];
  let pageToken;
  let data;
  do {
    ({ data } = await google.events.list({ calendarId, syncToken: whole.nextSyncToken, maxResults: 3, pageToken }));
    seen.push(...data.items);
    pageToken = data.nextPageToken;
  } while (pageToken);
  assert.deepEqual(new Set(seen.map((event) => event.id)), ids);
  assert.equal(seen.length, ids.size);
  assert.deepEqual(Object.keys(seen.find((event) => event.id === gone)).sort(), ["etag", "id", "kind", "status"]);
  assert.ok(data.nextSyncToken);
});

test("an expired cursor answers 410 and a malformed one 400", async () => {
  const { data } = await google.events.list({ calendarId });
  await sim.control("expire-cursors", { calendar: account });
  const list = (syncToken) => google.events.list({ calendarId, syncToken });
  await assert.rejects(list(data.nextSyncToken), refusal(410, "fullSyncRequired"));
  await assert.rejects(list("nonsense"), refusal(400, "invalid"));
  const { data: fresh } = await google.events.list({ calendarId });
  assert.deepEqual((await list(fresh.nextSyncToken)).data.items, []);
});

test("a series keeps its hour across DST, and one instance can be moved", async () => {
  const series = await insert({ ...timed("2027-03-22", "09:00", "10:00"), recurrence: ["RRULE:FREQ=WEEKLY;COUNT=3"] });
  const instances = async () => (await google.events.instances({ calendarId, eventId: series.id })).data.items;
  const [before, second] = await instances();
  assert.equal(before.start.dateTime, "2027-03-22T09:00:00+01:00");
  assert.equal(second.start.dateTime, "2027-03-29T09:00:00+02:00");
  assert.equal(second.id, `${series.id}_20270329T070000Z`);

  await google.events.patch({ calendarId, eventId: second.id, requestBody: timed("2027-03-30", "09:00", "10:00") });
  const moved = (await instances()).find((event) => event.id === second.id);
  assert.equal(moved.originalStartTime.dateTime, "2027-03-29T09:00:00+02:00");
  assert.equal(moved.start.dateTime, "2027-03-30T09:00:00+02:00");
});

test("an expired access token is refreshed on the way", async () => {
  await sim.control("expire-access-tokens", { account });
  await google.events.list({ calendarId });
  assert.equal(await sim.calls("oauth2.token"), 1);
});

test("reads are repeated after 503, writes are not", async () => {
  const effect = { refuse: { status: 503, reason: "backendError" } };
  await sim.control("fault", { method: "calendar.events.list", when: { next: 2 }, effect });
  await google.events.list({ calendarId });
  assert.equal(await sim.calls("calendar.events.list"), 3);

  await sim.control("fault", { method: "calendar.events.insert", when: { next: 1 }, effect });
  await assert.rejects(insert(timed("2027-01-14", "10:00", "11:00")), refusal(503, "backendError"));
  assert.equal(await sim.calls("calendar.events.insert"), 1);
});

test("a channel announces itself, then each change, until it is stopped", async () => {
  const notices = [];
  const receiver = createServer((request, answer) => {
    notices.push(request.headers);
    answer.end();
    receiver.emit("notice");
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");

  const told = once(receiver, "notice");
  const address = `http://127.0.0.1:${receiver.address().port}/webhook`;
  const requestBody = { id: "channel-1", type: "web_hook", address, token: "secret" };
  const { data: channel } = await google.events.watch({ calendarId, requestBody });
  await told;
  assert.equal(notices[0]["x-goog-resource-state"], "sync");
  assert.equal(notices[0]["x-goog-message-number"], "1");
  assert.equal(notices[0]["x-goog-channel-token"], "secret");
  await assert.rejects(google.events.watch({ calendarId, requestBody }), refusal(400, "channelIdNotUnique"));

  const changed = once(receiver, "notice");
  await insert(timed("2027-01-15", "10:00", "11:00"));
  await changed;
  assert.equal(notices[1]["x-goog-resource-state"], "exists");
  assert.equal(notices[1]["x-goog-resource-id"], channel.resourceId);
  assert.ok(Number(notices[1]["x-goog-message-number"]) > 1);

  await google.channels.stop({ requestBody: { id: channel.id, resourceId: channel.resourceId } });
  await assert.rejects(
    google.channels.stop({ requestBody: { id: channel.id, resourceId: channel.resourceId } }),
    refusal(404, "notFound"),
  );
  receiver.close();
});

test("a guest's copy answers to the organizer and takes no change of the organizer's flags", async () => {
  const event = await insert({ ...timed("2027-01-16", "10:00", "11:00"), attendees: [{ email: "grace@example.com" }] });
  const guest = await signIn("grace@example.com");
  const { data: copy } = await guest.events.get({ calendarId, eventId: event.id });
  assert.equal(copy.organizer.email, account);

  const attendees = copy.attendees.map((row) => (row.self ? { ...row, responseStatus: "declined" } : row));
  await guest.events.patch({ calendarId, eventId: event.id, requestBody: { attendees } });
  const { data: told } = await google.events.get({ calendarId, eventId: event.id });
  assert.equal(told.attendees[0].responseStatus, "declined");

  const flag = guest.events.patch({ calendarId, eventId: event.id, requestBody: { guestsCanInviteOthers: false } });
  await assert.rejects(flag, refusal(403, "forbiddenForNonOrganizer"));
});

test("the calendars of a person are listed", async () => {
  const { data } = await google.calendarList.list();
  assert.equal(data.items.find((entry) => entry.primary).id, account);
  const { data: own } = await google.calendars.get({ calendarId });
  assert.equal(own.timeZone, "Europe/Berlin");
});
