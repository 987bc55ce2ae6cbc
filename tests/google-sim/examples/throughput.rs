//! How many requests a second the simulator answers over HTTP, on connections that stay open.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::Utc;
use google_sim::{Config, Google, Request, serve};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

const CONNECTIONS: usize = 16;
const TIME: Duration = Duration::from_secs(5);
const LIST: &str = "/calendar/v3/calendars/primary/events";

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut config = Config::demo("client", "secret", "http://localhost/");
    config.limits = config.limits.without_quotas();
    let mut google = Google::new(1, config);
    #[allow(clippy::disallowed_methods)] // a benchmark has no other clock
    let now = Utc::now();
    let scope = ["https://www.googleapis.com/auth/calendar"];
    let token = google.grant(now, "client", "ada@example.com", &scope).access_token;
    for day in 1..=28 {
        let time = |hour: u32| json!({"dateTime": format!("2027-01-{day:02}T{hour:02}:00:00Z")});
        let event = json!({"summary": "Lesson", "start": time(9), "end": time(10)});
        google.create_event(now, "ada@example.com", &event).map_err(|refusal| io::Error::other(refusal.reason))?;
    }
    let listed = google.handle(now, &Request::new("GET", LIST).bearer(&token)).value();
    let delta = format!("{LIST}?syncToken={}", listed["nextSyncToken"].as_str().unwrap_or_default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, Arc::new(Mutex::new(google)), Arc::new(move || now), std::future::pending()));

    let insert = json!({"start": {"date": "2027-03-01"}, "end": {"date": "2027-03-02"}}).to_string();
    for (what, method, path, body) in [
        ("ask for a delta", "GET", delta.as_str(), ""),
        ("list 28 events", "GET", LIST, ""),
        ("list their ids", "GET", "/calendar/v3/calendars/primary/events?fields=items/id,nextSyncToken", ""),
        ("insert an event", "POST", LIST, insert.as_str()),
    ] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: sim\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let callers = (0..CONNECTIONS).map(|_| tokio::spawn(call(address, request.clone())));
        let mut answered = 0;
        for caller in callers.collect::<Vec<_>>() {
            answered += caller.await.map_err(io::Error::other)??;
        }
        println!("{what}: {} requests a second", answered / TIME.as_secs());
    }
    Ok(())
}

/// Sends the request again and again, and counts the answers.
async fn call(address: std::net::SocketAddr, request: String) -> io::Result<u64> {
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
