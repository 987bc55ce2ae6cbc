//! How many requests a second the simulator answers, and what each costs in processor time: over HTTP, on connections
//! that stay open, and in process, as simulations call it. Over HTTP the callers' own work is in the figures.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use google_sim::{Config, Google, Request, Response, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

const CONNECTIONS: usize = 16;
const TIME: Duration = Duration::from_secs(3);
const ADA: &str = "ada@example.com";
const LIST: &str = "/calendar/v3/calendars/primary/events";
/// A selector as a sync engine sends it.
const FIELDS: &str = "fields=nextPageToken,nextSyncToken,timeZone,items(id,etag,status,summary,description,location,\
     start,end,recurrence,recurringEventId,originalStartTime,transparency,visibility,eventType,\
     attendees(self,responseStatus),extendedProperties/private)";
/// The events of the calendar, one for each day of a month.
const EVENTS: usize = 28;

#[tokio::main]
async fn main() -> io::Result<()> {
    in_process()?;
    over_http().await
}

/// Ada's calendar, and a token for it.
struct Setting {
    google: Google,
    now: DateTime<Utc>,
    token: String,
}

impl Setting {
    fn new() -> Self {
        let mut config = Config::demo("client", "secret", "http://localhost/");
        config.limits = config.limits.without_quotas();
        let mut google = Google::new(1, config);
        #[allow(clippy::disallowed_methods)] // a benchmark has no other clock
        let now = Utc::now();
        let scope = ["https://www.googleapis.com/auth/calendar"];
        let token = google.grant(now, "client", ADA, &scope).access_token;
        let mut setting = Self { google, now, token };
        for number in 0..EVENTS {
            let insert = Request::new("POST", LIST).json(&event(number));
            setting.answer(&setting.own(insert));
        }
        setting
    }

    fn own(&self, request: Request) -> Request {
        request.bearer(&self.token)
    }

    fn answer(&mut self, request: &Request) -> Response {
        self.google.handle(self.now, request)
    }

    /// The target of a delta that brings nothing, with `more` in its query.
    fn delta(&mut self, more: &str) -> String {
        let listed = self.answer(&self.own(Request::new("GET", LIST))).value();
        format!("{LIST}?syncToken={}{more}", listed["nextSyncToken"].as_str().unwrap_or_default())
    }
}

fn id(number: usize) -> String {
    format!("lesson{number:04}")
}

fn event(number: usize) -> serde_json::Value {
    let time = |hour: u32| json!({"dateTime": format!("2027-01-{:02}T{hour:02}:00:00Z", number + 1)});
    json!({"id": id(number), "summary": "Lesson", "start": time(9), "end": time(10)})
}

fn in_process() -> io::Result<()> {
    println!("In process:");
    let mut setting = Setting::new();
    let delta = setting.delta(&format!("&{FIELDS}"));
    let quiet = setting.own(Request::new("GET", &delta));
    let complete = setting.own(Request::new("GET", &format!("{LIST}?{FIELDS}")));
    repeat("  ask for a delta that brings nothing", &mut setting, &quiet)?;
    repeat("  list 28 events", &mut setting, &complete)?;
    let batch = setting.own(batch_of_replacements());
    repeat("  replace 28 events in one batch", &mut setting, &batch)?;
    repeat("  ask for a delta of 28 events", &mut setting, &quiet)
}

fn batch_of_replacements() -> Request {
    let parts = (0..EVENTS).map(|number| {
        let body = event(number);
        format!(
            "--x\r\nContent-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n\
             PUT {LIST}/{}?{FIELDS} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}\r\n",
            id(number)
        )
    });
    let body: String = parts.chain(["--x--\r\n".to_owned()]).collect();
    let mut request = Request::new("POST", "/batch/calendar/v3").header("content-type", "multipart/mixed; boundary=x");
    request.body = body.into_bytes();
    request
}

/// Makes the same request again and again in process.
fn repeat(what: &str, setting: &mut Setting, request: &Request) -> io::Result<()> {
    let meter = Meter::start();
    let mut answered = 0;
    while meter.began.elapsed() < TIME {
        let answer = setting.answer(request);
        if answer.status != 200 {
            return Err(io::Error::other(answer.text()));
        }
        answered += 1;
    }
    meter.print(what, answered);
    Ok(())
}

async fn over_http() -> io::Result<()> {
    println!("Over HTTP:");
    let mut setting = Setting::new();
    let (now, token, delta) = (setting.now, setting.token.clone(), setting.delta(""));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let google = Arc::new(Mutex::new(setting.google));
    tokio::spawn(serve(listener, google, Arc::new(move || now), std::future::pending()));

    let insert = json!({"start": {"date": "2027-03-01"}, "end": {"date": "2027-03-02"}}).to_string();
    for (what, method, path, body) in [
        ("  ask for a delta that brings nothing", "GET", delta.as_str(), ""),
        ("  list 28 events", "GET", LIST, ""),
        ("  list their ids", "GET", "/calendar/v3/calendars/primary/events?fields=items/id,nextSyncToken", ""),
        ("  insert an event", "POST", LIST, insert.as_str()),
    ] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let meter = Meter::start();
        let callers = (0..CONNECTIONS).map(|_| tokio::spawn(call(address, request.clone())));
        let mut answered = 0;
        for caller in callers.collect::<Vec<_>>() {
            answered += caller.await.map_err(io::Error::other)??;
        }
        meter.print(what, answered);
    }
    Ok(())
}

/// Sends the request again and again, and counts the answers.
async fn call(address: std::net::SocketAddr, request: String) -> io::Result<u32> {
    let mut stream = TcpStream::connect(address).await?;
    let mut buffer = Vec::with_capacity(65_536);
    let end = Instant::now() + TIME;
    let mut answered = 0;
    while Instant::now() < end {
        stream.write_all(request.as_bytes()).await?;
        buffer.clear();
        while !is_whole(&buffer) {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        answered += 1;
    }
    Ok(answered)
}

fn is_whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let length = String::from_utf8_lossy(&answer[..head])
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok())
        .unwrap_or(0);
    answer.len() >= head + 4 + length
}

/// Time by the clock, and time of the processor.
struct Meter {
    began: Instant,
    spent: Option<Duration>,
}

impl Meter {
    fn start() -> Self {
        Self { began: Instant::now(), spent: processor_time() }
    }

    fn print(&self, what: &str, answered: u32) {
        let rate = f64::from(answered) / self.began.elapsed().as_secs_f64();
        let each =
            self.spent.zip(processor_time()).map(|(before, after)| after.saturating_sub(before) / answered.max(1));
        let each = each.map(|each| format!(", {:.1} µs of processor each", each.as_secs_f64() * 1e6));
        println!("{what}: {rate:.0} requests a second{}", each.unwrap_or_default());
    }
}

/// What this process has used so far, where Linux tells: user and system time, in hundredths of a second.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: u64 = fields.split(' ').skip(11).take(2).map(|field| field.parse().unwrap_or(0)).sum();
    Some(Duration::from_millis(ticks * 10))
}
