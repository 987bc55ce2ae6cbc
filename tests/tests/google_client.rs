//! The Google client against the simulated Google: what it makes of everything that Google may answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use calendar_sync::{
    adapters::google::{self, GoogleCalendar, GoogleLogin},
    config::{Config, GoogleConfig},
    model::{
        CalendarId, CalendarOAuthTokens, ChannelId, ConnectionKey, Event, EventId, EventStatus, EventTime, Fingerprint,
        InstructorId, LessonContent, LessonId, OwnEventId, TenantId,
    },
    ports::{
        Access, Calendar, CalendarError, Clock, EventPatch, GrantedTokens, ListingOutcome, Login, LoginError,
        NewChannel, Operation, OperationOutcome, Random,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use google_sim::{Effect, Fault, Google, When};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

const ADA: &str = "ada@example.com";
const HOLIDAYS: &str = "en.german#holiday@group.v.calendar.google.com";
const CLIENT: &str = "client";
const CLIENT_SECRET: &str = "marked-client-secret";
const REDIRECT: &str = "http://localhost:3000/api/v1/calendar/oauth/callback";
const SCOPE: &str = "https://www.googleapis.com/auth/calendar.events";
const VERIFIER: &str = "marked-verifier-that-is-at-least-43-characters-long";

/// More events than one page holds.
const MANY: usize = 2_600;

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

struct FixedClock;
#[async_trait]
impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Full jitter without luck: no pause at all.
struct NoPause;
impl Random for NoPause {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

struct World {
    google: Arc<Mutex<Google>>,
    calendar: GoogleCalendar,
    login: GoogleLogin,
    access: Access,
}

fn config(base: &str) -> GoogleConfig {
    let base = base.to_owned();
    let config = Config::from_vars(move |name| {
        Some(match name {
            "GOOGLE_CLIENT_ID" => CLIENT.to_owned(),
            "GOOGLE_REDIRECT_URI" => REDIRECT.to_owned(),
            "GOOGLE_AUTHORIZE_URL" => format!("{base}/o/oauth2/v2/auth"),
            "GOOGLE_TOKEN_URL" => format!("{base}/token"),
            "GOOGLE_REVOKE_URL" => format!("{base}/revoke"),
            "GOOGLE_CALENDAR_URL" => format!("{base}/calendar/v3"),
            "GOOGLE_BATCH_URL" => format!("{base}/batch/calendar/v3"),
            _ => return None,
        })
    });
    config.google().unwrap()
}

fn calendar_at(base: &str) -> GoogleCalendar {
    GoogleCalendar::new(Arc::new(google::client().unwrap()), &config(base), Arc::new(FixedClock), Arc::new(NoPause))
        .unwrap()
}

fn login_at(base: &str, secret: &str) -> GoogleLogin {
    GoogleLogin::new(Arc::new(google::client().unwrap()), &config(base), &SecretString::from(secret)).unwrap()
}

impl World {
    async fn new() -> Self {
        let mut config = google_sim::Config::demo(CLIENT, CLIENT_SECRET, REDIRECT);
        config.behaviour.loopback_webhooks = true;
        let mut google = Google::new(1, config);
        let token = google.grant(now(), CLIENT, ADA, &[SCOPE]).access_token;
        let google = Arc::new(Mutex::new(google));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(google_sim::serve(listener, Arc::clone(&google), Arc::new(now), std::future::pending()));
        Self {
            google,
            calendar: calendar_at(&base),
            login: login_at(&base, CLIENT_SECRET),
            access: Access { token: token.into(), calendar: CalendarId::from("primary") },
        }
    }

    fn google(&self) -> MutexGuard<'_, Google> {
        self.google.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self, method: &str, when: When, effect: Effect) {
        self.google().inject(Fault::new(method, effect).on(when));
    }

    async fn list(&self, token: Option<&str>) -> calendar_sync::ports::Listing {
        self.calendar.list(&self.access, token, now() + TimeDelta::minutes(1)).await
    }

    async fn batch(&self, operations: &[Operation]) -> (Vec<OperationOutcome>, u32) {
        self.calendar.batch(&self.access, operations, now() + TimeDelta::minutes(1)).await
    }

    async fn one(&self, operation: Operation) -> OperationOutcome {
        let (outcomes, _) = self.batch(&[operation]).await;
        outcomes.into_iter().next().unwrap()
    }

    fn event(&self, n: u128) -> Value {
        self.google().event(ADA, id(n).as_str()).unwrap()
    }

    /// What a person does by hand.
    fn create(&self, event: &Value) -> String {
        self.google().create_event(now(), ADA, event).unwrap()
    }
    fn create_many(&self) {
        for n in 0..MANY {
            self.create(&busy(&n.to_string()));
        }
    }
    fn edit(&self, n: u128, changes: &Value) {
        self.google().edit_event(now(), ADA, id(n).as_str(), changes).unwrap();
    }

    /// Through the consent page, ticking `scopes`, to the code that the browser brings back.
    async fn consent(&self, scopes: &[&str]) -> SecretString {
        let url = self.login.authorize_url("state", &SecretString::from(VERIFIER));
        let browser = google::client().unwrap();
        let page = browser.get(&url).send().await.unwrap().text().await.unwrap();
        let (_, rest) = page.split_once("name=\"request\" value=\"").expect("a consent page");
        let (request, _) = rest.split_once('"').unwrap();
        let mut form = vec![("request", request), ("account", ADA), ("decision", "allow")];
        form.extend(scopes.iter().map(|scope| ("scope", *scope)));
        let back = browser.post(&url).form(&form).send().await.unwrap();
        let back: reqwest::Url = back.headers()["location"].to_str().unwrap().parse().unwrap();
        assert!(back.query_pairs().any(|pair| pair == ("state".into(), "state".into())));
        back.query_pairs().find(|(name, _)| name == "code").expect("a code").1.as_ref().into()
    }

    async fn exchange(&self, code: &SecretString) -> Result<GrantedTokens, LoginError> {
        self.login.exchange(code, &SecretString::from(VERIFIER), now()).await
    }
}

fn id(n: u128) -> EventId {
    let key = ConnectionKey { tenant_id: TenantId(Uuid::nil()), instructor_id: InstructorId(Uuid::nil()) };
    OwnEventId { lesson_id: LessonId(Uuid::from_u128(n)), generation: 0 }.encode(key)
}

fn lesson(n: u128, title: &str) -> EventPatch {
    let content = LessonContent {
        title: title.to_owned(),
        starts_at: "2026-03-02T08:00:00Z".parse().unwrap(),
        ends_at: "2026-03-02T09:00:00Z".parse().unwrap(),
        time_zone: Tz::Europe__Berlin,
        description: None,
        location: Some("Room 2".to_owned()),
    };
    EventPatch { lesson_id: LessonId(Uuid::from_u128(n)), content }
}

fn insert(n: u128) -> Operation {
    Operation::Insert { id: id(n), event: lesson(n, "Piano") }
}
fn get(n: u128) -> Operation {
    Operation::Get { id: id(n) }
}
fn delete(n: u128) -> Operation {
    Operation::Delete { id: id(n), etag: None }
}
fn revive(n: u128) -> Operation {
    Operation::Replace { id: id(n), etag: None, event: lesson(n, "Piano") }
}
fn patch(n: u128, etag: &str) -> Operation {
    Operation::Patch { id: id(n), etag: etag.to_owned(), event: lesson(n, "Cello") }
}

fn shown(outcome: OperationOutcome) -> Event {
    match outcome {
        OperationOutcome::Event(event) => *event,
        other => panic!("no event: {other:?}"),
    }
}

fn token(outcome: &ListingOutcome) -> &str {
    match outcome {
        ListingOutcome::Complete { token } | ListingOutcome::Delta { token } => token,
        other => panic!("no token: {other:?}"),
    }
}

fn busy(summary: &str) -> Value {
    json!({
        "summary": summary,
        "start": { "dateTime": "2026-03-02T10:00:00Z" },
        "end": { "dateTime": "2026-03-02T11:00:00Z" },
    })
}

fn refuse(status: u16, reason: &str) -> Effect {
    Effect::Refuse { status, reason: reason.to_owned() }
}

// ── listing ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_complete_listing_goes_on_as_deltas_that_bring_what_changed() {
    let world = World::new().await;
    let gone = world.create(&busy("Dentist"));
    world.create(&json!({ "summary": "Holiday", "start": { "date": "2026-03-03" }, "end": { "date": "2026-03-05" } }));

    let complete = world.list(None).await;
    assert!(matches!(complete.outcome, ListingOutcome::Complete { .. }), "{:?}", complete.outcome);
    assert_eq!((complete.events.len(), complete.malformed, complete.calls), (2, 0, 1));
    assert_eq!(complete.time_zone, Some(Tz::Europe__Berlin));
    let day = |text: &str| Some(EventTime::Day(text.parse().unwrap()));
    assert!(complete.events.iter().any(|e| (e.start, e.end) == (day("2026-03-03"), day("2026-03-05"))));

    world.google().delete_event(now(), ADA, &gone).unwrap();
    let delta = world.list(Some(token(&complete.outcome))).await;
    assert!(matches!(delta.outcome, ListingOutcome::Delta { .. }), "{:?}", delta.outcome);
    assert_eq!(delta.events.len(), 1);
    assert!(delta.events[0].is_cancelled() && delta.events[0].id.as_str() == gone);

    let quiet = world.list(Some(token(&delta.outcome))).await;
    assert_eq!((quiet.events.len(), quiet.calls), (0, 1));
}

#[tokio::test]
async fn pages_that_are_short_or_empty_are_followed_to_the_last() {
    let world = World::new().await;
    world.create_many();
    assert_eq!(world.list(None).await.calls, 2);
    world.google().behaviour_mut().thin_pages = 1.0;
    let mut calls = 0;
    for _ in 0..4 {
        let listing = world.list(None).await;
        assert!(matches!(listing.outcome, ListingOutcome::Complete { .. }));
        let ids: BTreeSet<_> = listing.events.iter().map(|event| &event.id).collect();
        assert_eq!(ids.len(), MANY);
        calls += listing.calls;
    }
    assert!(calls > 8);
}

#[tokio::test]
async fn a_cursor_that_ran_out_or_was_never_one_is_lost() {
    let world = World::new().await;
    let first = world.list(None).await;
    world.create(&busy("later"));
    world.google().expire_cursors(now(), ADA);
    assert_eq!(world.list(Some(token(&first.outcome))).await.outcome, ListingOutcome::CursorLost);
    assert_eq!(world.list(Some("no token of Google's")).await.outcome, ListingOutcome::CursorLost);
}

#[tokio::test]
async fn a_failure_after_some_pages_leaves_a_partial_listing() {
    let world = World::new().await;
    world.create_many();
    world.fault("calendar.events.list", When::Nth(2), refuse(403, "quotaExceeded"));
    let listing = world.list(None).await;
    assert_eq!(listing.outcome, ListingOutcome::Partial { error: CalendarError::QuotaExceeded });
    assert_eq!((listing.events.len(), listing.calls), (2_500, 2));
    assert!(listing.time_zone.is_some());
}

#[tokio::test]
async fn a_failure_at_the_first_page_leaves_nothing() {
    let world = World::new().await;
    world.create(&busy("unseen"));
    world.fault("calendar.events.list", When::Always, refuse(404, "notFound"));
    let listing = world.list(None).await;
    let error = CalendarError::Refused { status: 404, reason: "notFound".to_owned() };
    assert_eq!(listing.outcome, ListingOutcome::Partial { error });
    assert_eq!((listing.events.len(), listing.time_zone, listing.calls), (0, None, 1));
}

#[tokio::test]
async fn rate_limits_failures_and_broken_connections_are_tried_again() {
    for effect in [
        refuse(403, "rateLimitExceeded"),
        refuse(403, "userRateLimitExceeded"),
        refuse(429, "rateLimitExceeded"),
        refuse(500, "backendError"),
        refuse(503, "backendError"),
        Effect::Cut,
        Effect::Garbage("<html>".to_owned()),
    ] {
        let world = World::new().await;
        world.fault("calendar.events.list", When::Next(2), effect.clone());
        let listing = world.list(None).await;
        assert!(matches!(listing.outcome, ListingOutcome::Complete { .. }), "{effect:?}: {:?}", listing.outcome);
        assert_eq!(world.google().calls("calendar.events.list"), 3, "{effect:?}");
    }
}

#[tokio::test]
async fn five_failures_in_a_row_end_the_call() {
    let world = World::new().await;
    world.fault("calendar.events.list", When::Always, refuse(429, "rateLimitExceeded"));
    let listing = world.list(None).await;
    assert_eq!(listing.outcome, ListingOutcome::Partial { error: CalendarError::RateLimited });
    assert_eq!(listing.calls, 5);
}

#[tokio::test]
async fn a_quota_that_is_used_up_and_every_other_refusal_are_not_tried_again() {
    for (status, reason) in [
        (403, "quotaExceeded"),
        (403, "forbiddenForNonOrganizer"),
        (400, "badRequest"),
        (401, "authError"),
        (404, "notFound"),
    ] {
        let world = World::new().await;
        world.fault("calendar.events.list", When::Always, refuse(status, reason));
        assert!(matches!(world.list(None).await.outcome, ListingOutcome::Partial { .. }), "{reason}");
        assert_eq!(world.google().calls("calendar.events.list"), 1, "{status} {reason}");
    }
}

#[tokio::test]
async fn nothing_is_waited_for_beyond_the_deadline() {
    let world = World::new().await;
    world.fault("calendar.events.list", When::Always, Effect::Timeout);
    let listing = world.calendar.list(&world.access, None, now() + TimeDelta::milliseconds(250));
    let listing = tokio::time::timeout(Duration::from_secs(5), listing).await.expect("in time");
    assert!(matches!(listing.outcome, ListingOutcome::Partial { error: CalendarError::Unavailable(_) }));
    let late = world.calendar.list(&world.access, None, now()).await;
    assert!(matches!(late.outcome, ListingOutcome::Partial { .. }));
    assert_eq!(late.calls, 0);
}

// ── batches ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn each_part_of_a_batch_has_an_outcome_of_its_own() {
    let world = World::new().await;
    let first = shown(world.one(insert(1)).await);
    world.edit(1, &json!({ "summary": "edited" }));
    shown(world.one(insert(2)).await);

    let operations =
        [insert(3), patch(1, &first.etag), insert(2), delete(4), get(5), get(1), patch(6, "\"1\""), delete(2)];
    let (outcomes, calls) = world.batch(&operations).await;
    // Two operations on the event 2 clash; the loser is tried again.
    assert!(calls <= 2);
    assert_eq!(shown(outcomes[0].clone()).lesson_id, Some(LessonId(Uuid::from_u128(3))));
    assert_eq!(outcomes[1], OperationOutcome::Changed);
    assert_eq!(outcomes[2], OperationOutcome::IdTaken);
    assert_eq!(outcomes[3], OperationOutcome::Gone);
    assert_eq!(outcomes[4], OperationOutcome::Gone);
    assert_eq!(shown(outcomes[5].clone()).summary.as_deref(), Some("edited"));
    assert_eq!(outcomes[6], OperationOutcome::Gone);
    assert_eq!(outcomes[7], OperationOutcome::Gone);
}

#[tokio::test]
async fn an_event_that_was_written_has_the_lessons_fingerprint() {
    let world = World::new().await;
    let event = shown(world.one(insert(1)).await);
    let wanted = Fingerprint::of_lesson(&lesson(1, "Piano").content);
    assert_eq!(wanted.of_event_like(&event), wanted);
    let listed = world.list(None).await.events;
    assert_eq!(listed, [event]);
}

#[tokio::test]
async fn many_operations_go_out_fifty_at_a_time_and_come_back_in_order() {
    let world = World::new().await;
    let operations: Vec<_> = (0..120).map(insert).collect();
    let (outcomes, calls) = world.batch(&operations).await;
    assert_eq!(calls, 3);
    let lessons: Vec<_> = outcomes.into_iter().map(|outcome| shown(outcome).lesson_id.unwrap().0.as_u128()).collect();
    assert_eq!(lessons, (0..120).collect::<Vec<_>>());
}

#[tokio::test]
async fn no_operations_make_no_call() {
    assert_eq!(World::new().await.batch(&[]).await, (vec![], 0));
}

#[tokio::test]
async fn only_the_parts_that_failed_for_a_passing_reason_are_tried_again() {
    let world = World::new().await;
    world.fault("calendar.events.insert", When::Nth(2), refuse(503, "backendError"));
    world.fault("calendar.events.insert", When::Nth(4), refuse(403, "forbiddenForNonOrganizer"));
    let (outcomes, calls) = world.batch(&(0..5).map(insert).collect::<Vec<_>>()).await;
    assert_eq!(calls, 2);
    assert_eq!(world.google().calls("calendar.events.insert"), 6);
    assert_eq!(outcomes.iter().filter(|o| matches!(o, OperationOutcome::Event(_))).count(), 4);
    let refused = OperationOutcome::Refused { status: 403, reason: "forbiddenForNonOrganizer".to_owned() };
    assert_eq!(outcomes.iter().filter(|o| **o == refused).count(), 1);
}

#[tokio::test]
async fn a_quota_that_is_used_up_stops_what_has_not_been_sent() {
    let world = World::new().await;
    world.google().exhaust_quota(now(), ADA, TimeDelta::hours(1));
    let (outcomes, calls) = world.batch(&(0..120).map(insert).collect::<Vec<_>>()).await;
    assert_eq!(calls, 1);
    assert!(outcomes.iter().all(|o| *o == OperationOutcome::TryLater(CalendarError::QuotaExceeded)), "{outcomes:?}");
}

#[tokio::test]
async fn a_token_that_is_refused_stops_what_has_not_been_sent() {
    let world = World::new().await;
    world.google().expire_access_tokens(now(), ADA);
    let (outcomes, calls) = world.batch(&(0..120).map(insert).collect::<Vec<_>>()).await;
    assert_eq!(calls, 1);
    assert!(outcomes.iter().all(|o| *o == OperationOutcome::TryLater(CalendarError::Unauthorized)), "{outcomes:?}");
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_finds_its_id_taken() {
    for effect in [Effect::CutAfterwards, Effect::RefuseAfterwards { status: 503 }] {
        let world = World::new().await;
        world.fault("batch", When::Nth(1), effect.clone());
        assert_eq!(world.one(insert(1)).await, OperationOutcome::IdTaken, "{effect:?}");
        assert_eq!(world.event(1)["status"], "confirmed");
    }
}

#[tokio::test]
async fn answers_that_are_no_answers_say_nothing_about_the_operations() {
    for garbage in ["", "<html>", "--x\r\n\r\n--x--"] {
        let world = World::new().await;
        world.fault("batch", When::Always, Effect::Garbage(garbage.to_owned()));
        let (outcomes, calls) = world.batch(&[insert(1), delete(2)]).await;
        assert_eq!(calls, 5);
        let later = |o: &OperationOutcome| matches!(o, OperationOutcome::TryLater(CalendarError::Unavailable(_)));
        assert!(outcomes.iter().all(later), "{outcomes:?}");
    }
}

#[tokio::test]
async fn a_deleted_id_stays_taken_and_is_revived() {
    let world = World::new().await;
    shown(world.one(insert(1)).await);
    assert_eq!(world.one(delete(1)).await, OperationOutcome::Gone);
    assert_eq!(world.one(insert(1)).await, OperationOutcome::IdTaken);
    assert_eq!(shown(world.one(get(1)).await).status, EventStatus::Cancelled);
    let revived = shown(world.one(revive(1)).await);
    assert_eq!(revived.status, EventStatus::Confirmed);
    assert_eq!(revived.summary.as_deref(), Some("Piano"));
}

#[tokio::test]
async fn what_the_bin_no_longer_holds_is_refused_with_googles_reason() {
    let world = World::new().await;
    shown(world.one(insert(1)).await);
    world.one(delete(1)).await;
    world.google().empty_bin(ADA);
    let outcome = world.one(revive(1)).await;
    assert!(matches!(outcome, OperationOutcome::Refused { status: 403, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_patch_leaves_guests_and_notes_and_undoes_what_contradicts_the_lesson() {
    let world = World::new().await;
    shown(world.one(insert(1)).await);
    world.edit(
        1,
        &json!({
            "attendees": [{ "email": "grace@example.com" }],
            "description": "Notes of the instructor",
            "start": { "date": "2026-03-09", "dateTime": null },
            "end": { "date": "2026-03-10", "dateTime": null },
            "recurrence": ["RRULE:FREQ=WEEKLY"],
        }),
    );
    let edited = shown(world.one(get(1)).await);
    assert!(edited.is_series() && edited.start.unwrap().is_day());

    let event = shown(world.one(patch(1, &edited.etag)).await);
    let wanted = Fingerprint::of_lesson(&lesson(1, "Cello").content);
    assert_eq!(wanted.of_event_like(&event), wanted);
    assert_eq!(event.description.as_deref(), Some("Notes of the instructor"));
    assert_eq!(world.event(1)["attendees"][0]["email"], "grace@example.com");
}

#[tokio::test]
async fn a_delete_that_names_an_old_etag_deletes_nothing() {
    let world = World::new().await;
    let event = shown(world.one(insert(1)).await);
    world.edit(1, &json!({ "summary": "edited" }));
    let outcome = world.one(Operation::Delete { id: id(1), etag: Some(event.etag) }).await;
    assert_eq!(outcome, OperationOutcome::Changed);
    assert_eq!(world.event(1)["status"], "confirmed");
}

// ── push ───────────────────────────────────────────────────────────────────────────────────────────────────────────

fn channel(id: &str) -> NewChannel {
    NewChannel {
        id: ChannelId::from(id),
        address: "http://127.0.0.1:9/webhook".to_owned(),
        token: "marked-channel-token".into(),
        lifetime: Duration::from_hours(24),
    }
}

#[tokio::test]
async fn a_channel_is_opened_for_the_lifetime_that_google_grants_and_closed_again() {
    let world = World::new().await;
    let opened = world.calendar.watch(&world.access, &channel("c1")).await.unwrap();
    assert_eq!(opened.expires_at, now() + TimeDelta::hours(24));
    assert_eq!(world.google().channels(now()).len(), 1);
    world.calendar.stop(&world.access, &opened).await.unwrap();
    assert_eq!(world.google().channels(now()).len(), 0);
    world.calendar.stop(&world.access, &opened).await.expect("one that is gone already is no error");
}

#[tokio::test]
async fn a_calendar_that_refuses_push_says_so() {
    let world = World::new().await;
    let access = Access { calendar: CalendarId::from(HOLIDAYS), ..world.access.clone() };
    let refused = world.calendar.watch(&access, &channel("c1")).await.unwrap_err();
    let reason = "pushNotSupportedForRequestedResource".to_owned();
    assert_eq!(refused, CalendarError::Refused { status: 400, reason });
}

#[tokio::test]
async fn opening_a_channel_is_not_repeated_when_it_may_have_been_opened() {
    let world = World::new().await;
    world.fault("calendar.events.watch", When::Nth(1), Effect::RefuseAfterwards { status: 503 });
    assert!(matches!(world.calendar.watch(&world.access, &channel("c1")).await, Err(CalendarError::Unavailable(_))));
    assert_eq!(world.google().calls("calendar.events.watch"), 1);
    world.google().clear_faults();
    world.fault("calendar.events.watch", When::Nth(1), refuse(403, "rateLimitExceeded"));
    world.calendar.watch(&world.access, &channel("c2")).await.expect("a refusal opened nothing");
}

// ── sign-in ────────────────────────────────────────────────────────────────────────────────────────────────────────

#[tokio::test]
async fn a_login_brings_tokens_the_account_and_the_scopes_that_were_granted() {
    let world = World::new().await;
    let code = world.consent(&[SCOPE]).await;
    let granted = world.exchange(&code).await.unwrap();
    assert_eq!(granted.account.email.as_deref(), Some(ADA));
    assert!(!granted.account.sub.is_empty());
    for scope in world.login.required_scopes() {
        assert!(granted.scopes.contains(scope), "{scope}");
    }
    assert!(granted.access.expires_at > now() + TimeDelta::minutes(59));

    let access = Access { token: granted.access.access_token, calendar: CalendarId::from("primary") };
    let listing = world.calendar.list(&access, None, now() + TimeDelta::minutes(1)).await;
    assert!(matches!(listing.outcome, ListingOutcome::Complete { .. }));

    let refresh_token = granted.refresh_token.expect("the consent screen was shown");
    let refreshed = world.login.refresh(&refresh_token, now()).await.unwrap();
    assert_ne!(refreshed.access_token.expose_secret(), access.token.expose_secret());
}

#[test]
fn a_login_asks_for_consent_and_offline_access_with_pkce_and_for_nothing_granted_earlier() {
    let url = login_at("http://127.0.0.1:9", CLIENT_SECRET).authorize_url("state", &SecretString::from(VERIFIER));
    let url: reqwest::Url = url.parse().unwrap();
    let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", CLIENT),
        ("redirect_uri", REDIRECT),
        ("state", "state"),
        // A refresh token comes only when the consent screen is shown.
        ("prompt", "consent"),
        ("access_type", "offline"),
        ("code_challenge_method", "S256"),
        ("scope", "https://www.googleapis.com/auth/calendar.events openid email"),
    ] {
        assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
    }
    // Revoking would take what was granted elsewhere along.
    assert!(!asked.contains_key("include_granted_scopes"));
    assert!(!url.as_str().contains(VERIFIER));
}

#[tokio::test]
async fn a_box_that_was_left_unticked_shows_in_the_granted_scopes() {
    let world = World::new().await;
    let code = world.consent(&[]).await;
    let granted = world.exchange(&code).await.unwrap();
    assert!(!granted.scopes.iter().any(|scope| scope == SCOPE), "{:?}", granted.scopes);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_own_verifier() {
    let world = World::new().await;
    let code = world.consent(&[SCOPE]).await;
    let foreign = SecretString::from("another-verifier-that-is-at-least-43-characters");
    assert!(matches!(world.login.exchange(&code, &foreign, now()).await, Err(LoginError::InvalidGrant)));

    let code = world.consent(&[SCOPE]).await;
    world.exchange(&code).await.unwrap();
    assert!(matches!(world.exchange(&code).await, Err(LoginError::InvalidGrant)));
}

#[tokio::test]
async fn a_revoked_grant_refreshes_no_more_and_may_be_revoked_again() {
    let world = World::new().await;
    let granted = world.google().grant(now(), CLIENT, ADA, &[SCOPE]);
    let tokens = CalendarOAuthTokens {
        access_token: granted.access_token.into(),
        refresh_token: granted.refresh_token.into(),
        expires_at: now(),
    };
    world.login.refresh(&tokens.refresh_token, now()).await.unwrap();
    world.login.revoke(&tokens).await.unwrap();
    assert!(matches!(world.login.refresh(&tokens.refresh_token, now()).await, Err(LoginError::InvalidGrant)));
    world.login.revoke(&tokens).await.expect("what is revoked already is no error");
}

#[tokio::test]
async fn a_failure_of_the_token_endpoint_passes_and_a_wrong_client_secret_does_not() {
    let world = World::new().await;
    let granted = world.google().grant(now(), CLIENT, ADA, &[SCOPE]);
    let refresh_token = granted.refresh_token.into();
    for effect in [
        refuse(503, "backendError"),
        refuse(429, "rateLimitExceeded"),
        Effect::Cut,
        Effect::Garbage("<html>".to_owned()),
        Effect::Garbage(String::new()),
    ] {
        world.fault("oauth2.token", When::Nth(1), effect.clone());
        let failure = world.login.refresh(&refresh_token, now()).await.unwrap_err();
        assert!(matches!(failure, LoginError::Unavailable(_)), "{effect:?}: {failure:?}");
        world.google().clear_faults();
    }
    let base = world.login.authorize_url("s", &SecretString::from(VERIFIER));
    let base = base.split_once("/o/oauth2").unwrap().0;
    let refused = login_at(base, "wrong").refresh(&refresh_token, now()).await.unwrap_err();
    assert!(matches!(&refused, LoginError::Refused(code) if code == "invalid_client"), "{refused:?}");
}

// ── secrets ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Everything that is logged, from whatever library, at any level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);
impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_token_shows_in_any_error_or_log_line() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::level_filters::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // The test's runtime has this one thread, so that everything is heard.
    let _guard = tracing::subscriber::set_default(subscriber);

    let world = World::new().await;
    let code = world.consent(&[SCOPE]).await;
    let granted = world.exchange(&code).await.unwrap();
    let refresh_token = granted.refresh_token.clone().unwrap();
    let mut heard = vec![format!("{granted:?} {:?}", world.access)];
    for effect in [
        refuse(503, "backendError"),
        refuse(401, "authError"),
        refuse(404, "notFound"),
        Effect::Cut,
        Effect::Garbage(r#"{"access_token":"marked-token-in-a-broken-answer""#.to_owned()),
    ] {
        for method in ["calendar.events.*", "batch", "oauth2.*", "calendar.channels.stop"] {
            world.fault(method, When::Always, effect.clone());
        }
        heard.push(format!("{:?}", world.list(Some("marked-sync-token")).await.outcome));
        heard.push(format!("{:?}", world.batch(&[insert(1)]).await));
        heard.push(format!("{:?}", world.calendar.watch(&world.access, &channel("c")).await));
        heard.push(format!("{:?}", world.exchange(&code).await));
        heard.push(format!("{:?}", world.login.refresh(&refresh_token, now()).await));
        world.google().clear_faults();
    }
    // Nobody listens there.
    let dead = calendar_at("http://127.0.0.1:9");
    heard.push(format!("{:?}", dead.list(&world.access, None, now() + TimeDelta::minutes(1)).await.outcome));
    heard.push(format!("{:?}", login_at("http://127.0.0.1:9", CLIENT_SECRET).refresh(&refresh_token, now()).await));

    let logged = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(logged.contains("TRACE"), "the log is heard at all");
    let secrets = [
        code.expose_secret(),
        refresh_token.expose_secret(),
        world.access.token.expose_secret(),
        CLIENT_SECRET,
        VERIFIER,
        "marked-channel-token",
        "marked-token-in-a-broken-answer",
    ];
    for text in heard.iter().chain([&logged]) {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} stands in {text}");
        }
    }
}
