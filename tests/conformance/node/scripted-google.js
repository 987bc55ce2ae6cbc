// A Google that answers from a script: whole calendars as hand-written JSON, and no behaviour beside it. It shares no
// code with the simulator, nor beliefs: what an event means is for the product to find out.
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Serves `calendars`: by name, `{ timeZone, items }`. The code of a login is the name of the calendar. `unexpected`
 * collects what was asked that no script foresees.
 */
export async function startGoogle(calendars, clientId) {
  const unexpected = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://google");
    let body = "";
    for await (const chunk of request) body += chunk;
    const calendar = calendars[request.headers.authorization?.replace("Bearer access-", "")];
    const type = request.headers["content-type"];
    const answer = answerTo(`${request.method} ${url.pathname}`, { url, type, body, calendar, clientId });
    if (answer === undefined) unexpected.push(`${request.method} ${request.url}\n${body}`);
    const { status, kind, text } = answer ?? json(501, { error: { code: 501, message: "not in the script" } });
    response.writeHead(status, { "Content-Type": kind }).end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { base: `http://127.0.0.1:${server.address().port}`, unexpected, stop };
}

function answerTo(asked, { url, type, body, calendar, clientId }) {
  if (asked === "POST /token") return json(200, tokens(new URLSearchParams(body), clientId));
  if (calendar === undefined) return undefined;
  if (asked === "GET /calendar/v3/calendars/primary/events") return json(200, page(calendar, url.searchParams));
  if (asked === "POST /batch/calendar/v3") return batch(body, type.match(/boundary="?([^";]+)/)[1]);
  return undefined;
}

const json = (status, value) => ({ status, kind: "application/json; charset=UTF-8", text: JSON.stringify(value) });

function tokens(form, clientId) {
  const name = form.get("code") ?? form.get("refresh_token").replace("refresh-", "");
  const claims = { iss: "https://accounts.google.com", aud: clientId, sub: name, email: `${name}@example.com` };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return {
    access_token: `access-${name}`,
    expires_in: 3599,
    refresh_token: `refresh-${name}`,
    scope: "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/calendar.events",
    token_type: "Bearer",
    id_token: `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`,
  };
}

/** A page of the listing. After it nothing ever changes, so that every delta is empty. */
function page({ timeZone, items }, query) {
  const envelope = { kind: "calendar#events", timeZone, accessRole: "owner" };
  if (query.has("syncToken")) return { ...envelope, items: [], nextSyncToken: query.get("syncToken") };
  const from = Number(query.get("pageToken") ?? 0);
  const to = from + Number(query.get("maxResults") ?? 250);
  const next = to < items.length ? { nextPageToken: String(to) } : { nextSyncToken: "all-listed" };
  const etagged = items.slice(from, to).map((item) => ({ kind: "calendar#event", etag: '"1"', ...item }));
  return { ...envelope, items: etagged, ...next };
}

/** Takes every event that is inserted as it is; anything else in a batch is answered by 404. */
function batch(body, boundary) {
  const parts = body.split(`--${boundary}`).filter((part) => part.includes(" HTTP/1.1"));
  const answers = parts.map((part) => {
    const [, id] = part.match(/^Content-ID: <(.+)>/m);
    const inserted = /^POST /m.test(part) && { etag: '"1"', status: "confirmed", ...JSON.parse(part.match(/^\{.*\}/m)) };
    const [status, text] = inserted ? ["200 OK", inserted] : ["404 Not Found", { error: { code: 404 } }];
    return [
      "--answer\r\nContent-Type: application/http",
      `Content-ID: <response-${id}>\r\n`,
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\n`,
      `${JSON.stringify(text)}\r\n`,
    ].join("\r\n");
  });
  return { status: 200, kind: "multipart/mixed; boundary=answer", text: `${answers.join("")}--answer--` };
}
