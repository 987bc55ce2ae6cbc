//! What Google Calendar answers: listings page by page, event resources, batches, channels and error envelopes; and what
//! is made of the events, recurrence rules included.
//! Input: what is asked, then answers separated by 0xff; the first byte of each is its status.
#![no_main]

use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock, Mutex},
};

use calendar_fuzz::{Hand, KEY, Told, ZeroRandom, bootstrap, config, pieces, wait};
use calendar_sync::{
    adapters::google::{Answer, GoogleCalendar},
    model::{CalendarId, Channel, ChannelId, EventId, Window},
    ports::{Access, Calendar, Clock, ExternalLookup, NewChannel, Operation, PageRequest, RateLimiter},
    decide::{conflicts, inbound, occurrences::Occurrences},
};
use chrono::TimeDelta;
use libfuzzer_sys::fuzz_target;

static LIMITER: LazyLock<Arc<dyn RateLimiter>> = LazyLock::new(|| bootstrap().rate_limiter());

const STATUSES: [u16; 8] = [200, 200, 200, 400, 403, 410, 429, 500];

fn answers(data: &[u8]) -> VecDeque<Answer> {
    let answer = |piece: &[u8]| {
        let (status, body) = piece.split_first().unwrap_or((&0, &[]));
        let kind = if status & 0x80 == 0 { "application/json" } else { "multipart/mixed; boundary=b" };
        http::Response::builder()
            .status(STATUSES[usize::from(status % 8)])
            .header("content-type", kind)
            .body(body.to_vec())
            .expect("an answer")
    };
    pieces(data).map(answer).collect()
}

fuzz_target!(|data: &[u8]| {
    let Some((asked, rest)) = data.split_first() else { return };
    let clock = Hand::new();
    let told = Told(Arc::new(Mutex::new(answers(rest))));
    let google = config().google().expect("a set-up");
    let google = GoogleCalendar::new(Arc::new(told), &google, clock.clone(), Arc::new(ZeroRandom), LIMITER.clone())
        .expect("a client");
    let [account, client] = ["account", "client"].map(str::to_owned);
    let access = Access { account, client, token: "token".to_owned().into(), calendar: CalendarId::from("primary") };
    let deadline = clock.now() + TimeDelta::seconds(30);
    wait(async {
        match asked % 8 {
            0..=3 => {
                let sync_token = (asked % 2 == 1).then_some("token");
                let page_token = (asked % 4 > 1).then_some("page");
                let page = google.list(&access, PageRequest { sync_token, page_token }, deadline).await;
                let zone = page.time_zone.unwrap_or(chrono_tz::Europe::Berlin);
                let plan = inbound::plan(KEY, &access.calendar, zone, clock.now(), page.items);
                let from = clock.now() - TimeDelta::days(7);
                let window = Window { from, to: from + TimeDelta::days(60) };
                let series = plan.put.iter().map(|row| (row.clone(), plan.put.clone())).take(4).collect();
                let lookup = ExternalLookup { events: plan.put, series };
                let _ = conflicts::busy_and_free(&lookup, window, &mut Occurrences::within(vec![window], zone));
            }
            4 | 5 => {
                let operations = [1_u8, 2].map(|n| Operation::Delete { id: EventId(format!("event{n}")), etag: None });
                let (outcomes, _) = google.batch(&access, &operations, deadline).await;
                assert_eq!(outcomes.len(), operations.len());
            }
            6 => {
                let channel = NewChannel {
                    id: ChannelId::from("channel"),
                    address: "https://example.com".to_owned(),
                    token: "token".to_owned().into(),
                    lifetime: std::time::Duration::from_secs(60),
                };
                let _ = google.watch(&access, &channel, deadline).await;
            }
            _ => {
                let id = ChannelId::from("channel");
                let channel = Channel { id, resource_id: "resource".to_owned(), expires_at: clock.now() };
                let _ = google.stop(&access, &channel, deadline).await;
            }
        }
    });
});
