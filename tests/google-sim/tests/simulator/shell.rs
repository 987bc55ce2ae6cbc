//! The shell: what only a socket shows, and the state on disk.

use std::future::pending;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{ADA, ALL, CLIENT, EVENTS, REDIRECT, SECRET, timed};
use google_sim::{Config, Effect, Fault, Google, Stored, load, serve, serve_stored};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

struct Served {
    google: Arc<Mutex<Google>>,
    address: SocketAddr,
    token: String,
}

async fn start(stored: Option<PathBuf>) -> Served {
    let now = "2026-11-22T12:00:00Z".parse().unwrap();
    let mut config = Config::demo(CLIENT, SECRET, REDIRECT);
    config.behaviour.loopback_webhooks = true;
    let mut google = match &stored {
        Some(file) => load(file, 1, config).unwrap(),
        None => Google::new(1, config),
    };
    let token = google.grant(now, CLIENT, ADA, &[ALL]).access_token;
    let google = Arc::new(Mutex::new(google));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (shared, clock) = (Arc::clone(&google), Arc::new(move || now));
    tokio::spawn(async move {
        match stored {
            Some(file) => serve_stored(listener, shared, clock, Stored(file), pending()).await,
            None => serve(listener, shared, clock, pending()).await,
        }
    });
    Served { google, address, token }
}

impl Served {
    /// Sends a request and reads until the connection is closed.
    async fn exchange(&self, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: sim\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {}\r\n{headers}\r\n{body}",
            self.token,
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    }

    fn inject(&self, effect: Effect) {
        self.google.lock().unwrap().inject(Fault::new("calendar.events.list", effect));
    }
}

fn head(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    text.split("\r\n\r\n").next().unwrap_or_default().to_lowercase()
}

#[tokio::test]
async fn answers_are_compressed_for_who_says_gzip_twice() {
    let served = start(None).await;
    let plain = served.exchange("GET", EVENTS, "Accept-Encoding: gzip\r\n", "").await;
    assert!(!head(&plain).contains("content-encoding"));
    let headers = "Accept-Encoding: gzip\r\nUser-Agent: test (gzip)\r\n";
    let zipped = served.exchange("GET", EVENTS, headers, "").await;
    assert!(head(&zipped).contains("content-encoding: gzip"));
    let start = zipped.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&zipped[start..]).read_to_string(&mut text).unwrap();
    assert!(text.contains("nextSyncToken"));
}

#[tokio::test]
async fn a_cut_connection_answers_nothing() {
    let served = start(None).await;
    served.inject(Effect::Cut);
    assert!(served.exchange("GET", EVENTS, "", "").await.is_empty());
}

#[tokio::test]
async fn a_timeout_stays_silent_and_a_slow_answer_comes_later() {
    let served = start(None).await;
    served.inject(Effect::Slow(150));
    let began = tokio::time::Instant::now();
    assert!(head(&served.exchange("GET", EVENTS, "", "").await).contains("200 ok"));
    assert!(began.elapsed() >= Duration::from_millis(150));
    served.google.lock().unwrap().clear_faults();
    served.inject(Effect::Timeout);
    let silent = tokio::time::timeout(Duration::from_millis(200), served.exchange("GET", EVENTS, "", "")).await;
    assert!(silent.is_err());
}

#[tokio::test]
async fn notices_are_posted_without_a_body_and_tried_again_after_503() {
    let served = start(None).await;
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/hook", receiver.local_addr().unwrap());
    let body = serde_json::json!({"id": "c1", "type": "web_hook", "address": address}).to_string();
    let path = format!("{EVENTS}/watch");
    let watching = served.exchange("POST", &path, "", &body);
    let receiving = async {
        let mut notices = Vec::new();
        for status in ["503 Unavailable", "200 OK"] {
            let mut stream = loop {
                tokio::select! {
                    accepted = receiver.accept() => break accepted.unwrap().0,
                    // The next attempt is due seconds later, by a clock that only tests move.
                    () = tokio::time::sleep(Duration::from_millis(20)) => {
                        served.google.lock().unwrap().advance(chrono::Duration::seconds(1));
                    }
                }
            };
            let mut buffer = vec![0; 4096];
            let read = stream.read(&mut buffer).await.unwrap();
            notices.push(String::from_utf8_lossy(&buffer[..read]).to_lowercase());
            let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        notices
    };
    let (answer, notices) = tokio::join!(watching, receiving);
    assert!(head(&answer).contains("200 ok"));
    assert!(notices[0].starts_with("post /hook") && notices[0].contains("content-length: 0"));
    assert!(notices.iter().all(|notice| notice.contains("x-goog-message-number: 1")));
}

#[tokio::test]
async fn what_was_answered_is_on_disk() {
    let folder = std::env::temp_dir().join(format!("google-sim-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("state.json");
    let served = start(Some(file.clone())).await;
    for day in 1..=20 {
        let body = timed(&format!("2026-12-{day:02}"), 9).to_string();
        let answer = served.exchange("POST", EVENTS, "", &body).await;
        assert!(head(&answer).contains("200 ok"));
        let kept = load(&file, 2, Config::default()).unwrap();
        assert_eq!(kept.events(ADA), served.google.lock().unwrap().events(ADA));
    }
    std::fs::File::create(&file).unwrap().write_all(b"{").unwrap();
    assert!(load(&file, 1, Config::default()).is_err(), "a broken state is not taken for none");
    std::fs::remove_dir_all(&folder).unwrap();
}
