//! What goes over the wire: one connection for many calls, compressed answers, and only the fields that are read.

use std::sync::{Arc, Mutex};

use calendar_sync::{
    model::CalendarId,
    ports::{Access, Calendar, Operation, PageRequest},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::world::{CLIENT, channel, clients_at, delete, get, id, insert, lesson, patch, soon};

/// The requests as they came, connection by connection.
type Heard = Arc<Mutex<Vec<Vec<String>>>>;

/// A server that gives every request the same answer, and its address.
async fn listener() -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let heard = Heard::default();
    let all = Arc::clone(&heard);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection = {
                let mut all = all.lock().unwrap();
                all.push(Vec::new());
                all.len() - 1
            };
            tokio::spawn(answer(stream, connection, Arc::clone(&all)));
        }
    });
    (base, heard)
}

async fn answer(mut stream: TcpStream, connection: usize, heard: Heard) {
    let body = r#"{"items":[],"nextSyncToken":"t","resourceId":"r"}"#;
    let answer =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let mut text = String::new();
    let mut bytes = [0; 4_096];
    while let Ok(length @ 1..) = stream.read(&mut bytes).await {
        text.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        if is_whole(&text) {
            heard.lock().unwrap()[connection].push(std::mem::take(&mut text));
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    body.len() >= header(head, "content-length").map_or(0, |length| length.parse().unwrap())
}

fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = request.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

pub fn access() -> Access {
    Access {
        account: "ada".to_owned(),
        client: CLIENT.to_owned(),
        token: "token".into(),
        calendar: CalendarId::from("primary"),
    }
}

#[tokio::test]
async fn calls_share_a_connection_and_ask_for_compression_in_both_places() {
    let (base, heard) = listener().await;
    let calendar = clients_at(&base).0;
    for _ in 0..3 {
        calendar.list(&access(), PageRequest::default(), soon()).await;
    }
    let heard = heard.lock().unwrap();
    assert_eq!(heard.iter().map(Vec::len).collect::<Vec<_>>(), [3], "requests of each connection");
    for request in &heard[0] {
        for name in ["accept-encoding", "user-agent"] {
            assert!(header(request, name).unwrap().contains("gzip"), "{request}");
        }
    }
}

#[tokio::test]
async fn only_the_fields_that_are_read_are_asked_for() {
    let (base, heard) = listener().await;
    let calendar = clients_at(&base).0;
    calendar.list(&access(), PageRequest::default(), soon()).await;
    calendar.watch(&access(), &channel("c1"), soon()).await.unwrap();
    let replace = Operation::Replace { id: id(3), etag: None, event: lesson(3, "Piano") };
    calendar.batch(&access(), &[get(1), insert(2), replace, patch(4, "\"1\""), delete(5)], soon()).await;

    let heard = heard.lock().unwrap().concat().join("\r\n");
    let lines = heard.lines().filter(|line| line.contains(" /calendar/v3/") && line.ends_with(" HTTP/1.1"));
    let mut methods = Vec::new();
    for line in lines {
        let method = line.split(' ').next().unwrap();
        // Deleting answers nothing.
        assert_eq!(line.contains("fields="), method != "DELETE", "{line}");
        methods.push(method);
    }
    methods.dedup();
    assert_eq!(methods[..7], ["GET", "POST", "GET", "POST", "PUT", "PATCH", "DELETE"]);
}

#[tokio::test]
async fn no_write_has_google_mail_to_guests() {
    let (base, heard) = listener().await;
    let calendar = clients_at(&base).0;
    let replace = Operation::Replace { id: id(3), etag: None, event: lesson(3, "Piano") };
    calendar.batch(&access(), &[insert(2), replace, patch(4, "\"1\""), delete(5)], soon()).await;

    let heard = heard.lock().unwrap().concat().join("\r\n");
    let is_write = |line: &&str| line.contains(" /calendar/v3/calendars/primary/events");
    let methods = ["POST", "PUT", "PATCH", "DELETE"].map(|method| {
        let mut lines = heard.lines().filter(is_write).filter(|line| line.starts_with(&format!("{method} ")));
        lines.all(|line| line.contains("sendUpdates=none")) && heard.contains(&format!("{method} /calendar/v3/"))
    });
    assert_eq!(methods, [true; 4], "{heard}");
}
