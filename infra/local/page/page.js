// The local page: shows what the API tells, and asks it for what a person wants.

const API = "/api/v1/calendar";
const PAUSE_MS = 2000;

const byId = (id) => document.getElementById(id);
const who = byId("who");
let session;

// ── talking to the API ─────────────────────────────────────────────────────

async function send(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: {
      authorization: `Bearer ${session?.token ?? ""}`,
      ...(body && { "content-type": "application/json" }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : {};
  if (!response.ok) throw new Error(answer.error?.message ?? answer.message ?? response.statusText);
  return answer;
}

const api = async (method, path, body) => (await send(method, `${API}/${path}`, body)).data;
const lessons = (method, id, body) =>
  send(method, `/dev/lessons${id ? `/${id}` : ""}?instructor=${session.instructorId}`, body);

/** Does what a person asked for, says what came of it, and shows how things stand then. */
async function act(what, done) {
  try {
    const said = await what();
    if (done) say(typeof done === "function" ? done(said) : done, "good");
  } catch (error) {
    say(error.message, "bad");
  }
  await show();
}

// ── what is shown ──────────────────────────────────────────────────────────

function element(tag, { text, ...rest } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), rest);
  if (text !== undefined) made.textContent = text;
  made.append(...children.filter(Boolean));
  return made;
}

const pill = (text, tone = "") => element("span", { className: `pill ${tone}`, text });
const main = (text, small) =>
  element("span", { className: "main", text }, small && element("small", { text: small }));
const button = (text, onclick) => element("button", { type: "button", text, onclick });

function fill(list, rows, empty) {
  const shown = rows.length ? rows : [element("li", { className: "empty", text: empty })];
  byId(list).replaceChildren(...shown);
}

function say(text, tone) {
  Object.assign(byId("outcome"), { textContent: text, className: tone, hidden: false });
}

const day = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short" });
const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const when = (at) => (at ? `${day.format(new Date(at))}, ${hour.format(new Date(at))}` : "–");
const span = (from, to) => `${when(from)} – ${hour.format(new Date(to))}`;
const words = (name) => name.replaceAll(/[._]/g, " ");

const TONES = {
  active: "good", synced: "good", completed: "good",
  pending: "warn", partial: "warn", running: "warn", switched_off: "warn", disconnecting: "warn",
  failed: "bad", failing: "bad", needs_reauth: "bad",
};

function showConnection(status) {
  byId("state").textContent = words(status.state);
  byId("state").className = `pill ${TONES[status.state] ?? ""}`;
  byId("account").textContent = status.googleAccount ?? "";
  const facts = status.connected
    ? {
        "Last sync": when(status.lastSyncedAt),
        "Next look": when(status.nextSyncAt),
        Push: status.push.description,
        ...(status.reason && { Reason: status.description }),
      }
    : { "": "Lessons will appear in the calendar, and what is busy there will be known here." };
  byId("facts").replaceChildren(
    ...Object.entries(facts).flatMap(([name, text]) => [element("dt", { text: name }), element("dd", { text })]),
  );
  byId("connect").hidden = status.connected && status.state !== "needs_reauth";
  byId("connect").textContent = status.connected ? "Connect again" : "Connect Google Calendar";
  byId("sync").hidden = byId("disconnect").hidden = !status.connected;
}

function lessonRow(lesson) {
  const live = lesson.status !== "cancelled";
  const moved = (hours) => ({
    startsAt: new Date(Date.parse(lesson.startsAt) + hours * 3_600_000).toISOString(),
    endsAt: new Date(Date.parse(lesson.endsAt) + hours * 3_600_000).toISOString(),
  });
  const change = (body) => () => act(() => lessons("PATCH", lesson.id, body));
  const state = lesson.calendarSyncStatus;
  return element(
    "li",
    { className: live ? "" : "cancelled" },
    main(lesson.title, span(lesson.startsAt, lesson.endsAt)),
    lesson.hasConflict && pill("conflict", "warn"),
    state && pill(words(state), TONES[state]),
    element(
      "span",
      { className: "row actions" },
      live && button("−1 h", change(moved(-1))),
      live && button("+1 h", change(moved(1))),
      button(live ? "Cancel" : "Restore", change({ status: live ? "cancelled" : "scheduled" })),
      button("Remove", () => act(() => lessons("DELETE", lesson.id))),
    ),
  );
}

const eventRow = (event) =>
  element(
    "li",
    {},
    main(event.title ?? "Untitled", event.allDayEvent ? "all day" : span(event.eventStart, event.eventEnd)),
    event.recurring && pill("repeats"),
    !event.blocks && pill(`free: ${words(event.freeBecause)}`),
    event.hasConflict && pill("conflict", "warn"),
  );

function conflictRow(conflict, known) {
  const lesson = known.find((one) => one.id === conflict.lessonId);
  return element("li", {}, main(lesson?.title ?? "A lesson", span(conflict.overlapStart, conflict.overlapEnd)));
}

const noticeRow = (notice) => element("li", {}, main(words(notice.detailType), when(notice.receivedAt)));

function logRow(log) {
  const counts = [
    [log.eventsCreated, "created"],
    [log.eventsUpdated, "updated"],
    [log.eventsDeleted, "deleted"],
    [log.conflictsDetected, "new conflicts"],
  ].filter(([count]) => count);
  const did = counts.map(([count, what]) => `${count} ${what}`).join(", ") || "nothing written";
  const small = [`${when(log.startedAt)}, ${log.durationMs} ms, ${log.googleCalls} calls`, ...log.reasons].join(" · ");
  return element("li", {}, main(`${words(log.trigger)}: ${did}`, small), pill(words(log.outcome), TONES[log.outcome]));
}

async function show() {
  const id = session.instructorId;
  const [status, known, notices] = await Promise.all([
    api("GET", `status/${id}`),
    lessons("GET"),
    send("GET", "/dev/notices"),
  ]);
  const listed = status.connected ? await api("GET", `external-events/${id}`) : { events: [] };
  if (session.instructorId !== id) return; // somebody else signed in meanwhile
  showConnection(status);
  fill("lessons", known.map(lessonRow), "No lessons yet.");
  fill("events", listed.events.map(eventRow), "Nothing in the next 30 days.");
  fill("conflicts", status.conflicts.map((conflict) => conflictRow(conflict, known)), "No lesson overlaps.");
  const own = notices.filter((notice) => notice.detail.instructorId === id);
  fill("notices", own.slice(0, 20).map(noticeRow), "The instructor was told nothing yet.");
  fill("logs", status.logs.map(logRow), "No run did anything yet.");
}

// ── what a person does ─────────────────────────────────────────────────────

const connect = (replaceAccount) =>
  act(async () => {
    const query = `instructorId=${session.instructorId}&replaceAccount=${replaceAccount}`;
    const { authUrl } = await api("GET", `oauth/url?${query}`);
    location.assign(authUrl);
  });

byId("connect").onclick = () => connect(false);

byId("sync").onclick = () =>
  act(
    () => api("POST", "sync", { instructorId: session.instructorId }),
    (did) => (did.outcome === "running" ? "The sync goes on in the background." : `Synced in ${did.durationMs} ms.`),
  );

byId("disconnect").onclick = () =>
  act(() => api("POST", "disconnect", { instructorId: session.instructorId }), "Disconnected.");

byId("add").onsubmit = (submitted) => {
  submitted.preventDefault();
  const form = submitted.target.elements;
  const start = new Date(form.start.value);
  const body = {
    title: form.title.value,
    startsAt: start.toISOString(),
    endsAt: new Date(start.getTime() + Number(form.minutes.value) * 60_000).toISOString(),
    timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
  act(() => lessons("POST", null, body)).then(() => (form.title.value = ""));
};

who.onchange = () => {
  sessionStorage.setItem("who", who.value);
  signIn();
};

async function signIn() {
  session = await (await fetch(`/dev/session?instructor=${who.value}`)).json();
  byId("google").href = session.googleUrl;
  await show();
}

/** What a browser brings along when it comes back from Google. */
async function welcomeBack() {
  const query = new URLSearchParams(location.search);
  const { state, code } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const outcome = query.get("calendar");
  if (outcome) history.replaceState(null, "", location.pathname);
  if (outcome === "connected") say("The calendar is connected.", "good");
  if (outcome === "error") say(`The calendar was not connected: ${words(query.get("code") ?? "unknown")}.`, "bad");
  const other = outcome === "error" && query.get("code") === "other_account";
  if (other && confirm("Another Google account is connected. Let the new one take its place?")) await connect(true);
  // The cookie of the login did not travel: this page shows its own token instead.
  if (outcome === "finish") {
    await act(() => api("POST", "oauth/callback", { state, code }), "The calendar is connected.");
  }
}

who.value = sessionStorage.getItem("who") ?? who.options[0].value;
const tomorrow = new Date(Date.now() + 86_400_000 - new Date().getTimezoneOffset() * 60_000);
byId("add").elements.start.value = `${tomorrow.toISOString().slice(0, 11)}09:00`;
await signIn();
await welcomeBack();
setInterval(() => show().catch(() => {}), PAUSE_MS);
