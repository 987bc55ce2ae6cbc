//! The recipe of `docs/lesson-feed.md`: runs `docs/postgresql-outbox.sql` against a real PostgreSQL, and checks that
//! the lessons table and Google follow exactly once, for any transactions and failing relays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod server;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use calendar_tests::world::{World, start_of};
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::task::block_in_place;
use uuid::Uuid;

use self::server::{Server, Session};

/// A host whose lessons are in PostgreSQL; its application has no rights beyond its own tables.
struct Host {
    world: World,
    server: Server,
    tenant: String,
}

/// The part of a lesson that calendars show: title, start in seconds, whether it takes place.
type Shown = (String, i64, bool);

impl Host {
    async fn connected() -> Self {
        let world = World::connected().await;
        let server = Server::start();
        server.run_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/postgresql-outbox.sql"));
        let rights = "GRANT SELECT, INSERT, UPDATE, DELETE ON lessons TO app";
        server.session("postgres").run(&format!("CREATE ROLE app LOGIN; {rights}"));
        let tenant = world.session("").await["tenantId"].as_str().unwrap().to_owned();
        Self { world, server, tenant }
    }

    fn app(&self) -> Session {
        self.server.session("app")
    }

    fn owner(&self) -> Session {
        self.server.session("postgres")
    }

    /// The statement that adds or changes a lesson.
    fn put(&self, id: Uuid, title: &str, in_hours: i64) -> String {
        let (tenant, instructor) = (&self.tenant, &self.world.instructor);
        let start = self.world.in_hours(in_hours);
        let end = start + TimeDelta::hours(1);
        format!(
            "INSERT INTO lessons (id, tenant_id, instructor_id, title, starts_at, ends_at, time_zone)
             VALUES ('{id}', '{tenant}', '{instructor}', '{title}', '{start}', '{end}', 'Europe/Berlin')
             ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, starts_at = EXCLUDED.starts_at,
                 ends_at = EXCLUDED.ends_at, status = EXCLUDED.status"
        )
    }

    /// Sends all messages of the outbox.
    async fn relay(&self) {
        let mut relay = Relay(self.owner());
        while let Some(versions) = relay.send(&self.world).await {
            relay.mark(&versions);
        }
    }

    /// Waits until the lessons table and Google show PostgreSQL's lessons, each once, also after a full sync.
    async fn all_follows(&self) {
        self.world.until("an empty feed", async || self.world.feed_is_empty().await).await;
        let expected = self.in_postgresql();
        self.world.until("the lessons table", async || self.in_lessons_table().await == expected).await;
        let scheduled: BTreeMap<_, _> = expected.into_iter().filter(|(_, (.., takes_place))| *takes_place).collect();
        self.world.until("Google", async || self.in_google().await.as_ref() == Some(&scheduled)).await;
        self.world.settle().await;
        assert_eq!(self.in_google().await, Some(scheduled));
        assert_eq!(self.world.refused_by_the_feed().await, []);
    }

    fn in_postgresql(&self) -> BTreeMap<String, Shown> {
        let sql = "SELECT id, title, extract(epoch FROM starts_at)::bigint, status <> 'cancelled' FROM lessons";
        let read = |row: String| {
            let [id, title, start, takes_place] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
            (id.to_owned(), (title.to_owned(), start.parse().unwrap(), takes_place == "t"))
        };
        self.owner().run(sql).into_iter().map(read).collect()
    }

    async fn in_lessons_table(&self) -> BTreeMap<String, Shown> {
        // The demo tenant also has lessons of other instructors.
        let own = |row: &Value| row["instructor_id"] == json!(self.world.instructor);
        let rows = self.world.rows("lessons").await.into_iter().filter(own);
        rows.map(|row| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let start: chrono::DateTime<chrono::Utc> = text("starts_at").parse().unwrap();
            (text("id"), (text("title"), start.timestamp(), text("status") == "scheduled"))
        })
        .collect()
    }

    /// The lessons in Google; `None` when one is there twice.
    async fn in_google(&self) -> Option<BTreeMap<String, Shown>> {
        let mut found = BTreeMap::new();
        for event in self.world.in_google().await.iter().filter(|event| event["status"] != "cancelled") {
            let Some(lesson) = event["extendedProperties"]["private"]["lessonId"].as_str() else { continue };
            let shown = (event["summary"].as_str().unwrap().to_owned(), start_of(event).timestamp(), true);
            if found.insert(lesson.to_owned(), shown).is_some() {
                return None;
            }
        }
        Some(found)
    }

    /// Copies the notices on the event bus into PostgreSQL; returns how many were new.
    async fn take_notices(&self) -> usize {
        let mut owner = self.owner();
        let notices = self.world.notices_in_full().await;
        notices.iter().filter(|notice| take(&mut owner, notice)).count()
    }
}

fn take(owner: &mut Session, notice: &Value) -> bool {
    let notice = notice.to_string().replace('\'', "''");
    owner.run(&format!("SELECT lesson_feed.take('{notice}')")) == ["t"]
}

/// Carries messages from the outbox to the feed.
struct Relay(Session);

impl Relay {
    /// Sends the next message, if there is one; returns its versions, which are still to be marked as sent.
    async fn send(&mut self, world: &World) -> Option<String> {
        let rows = block_in_place(|| self.0.run("BEGIN; SELECT * FROM lesson_feed.next()"));
        let (versions, body) = rows[0].split_once('\t').unwrap();
        if versions.is_empty() {
            self.0.run("COMMIT");
            return None;
        }
        world.feed(body).await;
        Some(versions.to_owned())
    }

    fn mark(&mut self, versions: &str) {
        self.0.run(&format!("SELECT lesson_feed.sent('{versions}'); COMMIT"));
    }
}

/// Pseudorandom numbers, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, which `make verify` installs"]
async fn lessons_kept_in_postgresql_stand_in_google_and_what_became_of_them_comes_back() {
    let host = Host::connected().await;
    let [piano, choir, never] = [1, 2, 3].map(Uuid::from_u128);
    let mut app = host.app();
    app.run(&format!("BEGIN; {}; {}; COMMIT", host.put(piano, "Piano", 30), host.put(choir, "Choir", 32)));
    app.run(&format!("BEGIN; {}; ROLLBACK", host.put(never, "Never", 34)));
    host.relay().await;
    host.all_follows().await;
    assert_eq!(host.in_google().await.unwrap().len(), 2);

    app.run(&host.put(piano, "Grand piano \"B\" \\ ü", 40));
    app.run(&format!("BEGIN; DELETE FROM lessons WHERE id = '{choir}'; ROLLBACK"));
    app.run(&format!("UPDATE lessons SET status = 'cancelled' WHERE id = '{choir}'"));
    host.relay().await;
    host.all_follows().await;
    assert_eq!(host.in_google().await.unwrap().len(), 1);

    let start = host.world.in_hours(40);
    let dentist = host.world.plan_in_google("Dentist", start, start + TimeDelta::hours(1)).await;
    let event = host.world.events_of(&piano.to_string()).await[0]["id"].as_str().unwrap().to_owned();
    let columns = || {
        let names = "google_calendar_event_id, calendar_sync_status, has_conflict";
        host.owner().run(&format!("SELECT {names} FROM lessons WHERE id = '{piano}'")).remove(0)
    };
    let come_back = async |what: &str, expected: String| {
        let holds = async || {
            host.take_notices().await;
            columns() == expected
        };
        host.world.until(what, holds).await;
    };
    come_back("the conflict", format!("{event}\tsynced\tt")).await;
    host.world.delete_in_google(&dentist).await;
    come_back("its end", format!("{event}\tsynced\tf")).await;
    let mut owner = host.owner();
    assert_eq!(owner.run("SELECT count(*) FROM lesson_feed.outbox"), ["0"], "what comes back goes nowhere");

    // Again in another order, as if no notice had come yet.
    owner.run("DELETE FROM lesson_feed.notices; UPDATE lessons SET calendar_sync_revision = 0");
    let mut notices = host.world.notices_in_full().await;
    notices.sort_by_key(|notice| notice["id"].to_string());
    notices.extend(notices.clone());
    let new = notices.iter().filter(|notice| take(&mut owner, notice)).count();
    assert_eq!(new * 2, notices.len(), "each counts once");
    assert_eq!(columns(), format!("{event}\tsynced\tf"), "the last word stands");

    app.run(&format!("DELETE FROM lessons WHERE id = '{piano}'; {}", host.put(choir, "Choir", 50)));
    host.relay().await;
    host.all_follows().await;
    app.run(&host.put(piano, "Piano", 60)); // under its old id
    host.relay().await;
    host.all_follows().await;
    assert_eq!(host.in_google().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, which `make verify` installs"]
async fn whatever_transactions_and_relays_do_at_once_the_last_commit_stands() {
    const EDITORS: u64 = 4;
    let host = Host::connected().await;
    let lessons: Vec<Uuid> = (1..=6).map(Uuid::from_u128).collect();
    let edited = AtomicBool::new(false);
    let edit = |seed: u64| {
        let (mut dice, mut app) = (Dice(seed), host.app());
        for step in 0..25 {
            let mut lesson = || lessons[usize::try_from(dice.below(6)).unwrap()];
            let mut some = vec![lesson(), lesson()];
            some.sort_unstable(); // in a fixed order, so that transactions do not deadlock
            let changes = some.into_iter().map(|id| match dice.below(6) {
                0 => format!("DELETE FROM lessons WHERE id = '{id}'"),
                1 => format!("UPDATE lessons SET status = 'cancelled' WHERE id = '{id}'"),
                _ => host.put(id, &format!("{seed}.{step}"), 30 + dice.below(100).cast_signed()),
            });
            let changes = changes.collect::<Vec<_>>().join("; ");
            let end = if dice.below(4) == 0 { "ROLLBACK" } else { "COMMIT" };
            let pause = dice.below(60);
            app.run(&format!("BEGIN; {changes}; DO $$ BEGIN PERFORM pg_sleep(0.{pause:03}); END $$; {end}"));
        }
    };
    // Two relays, each of which dies at every other message after it sent it and before it marked it as sent.
    let carry = async || {
        let mut relay = Relay(host.owner());
        let (mut sent, mut deaths) = (0, 0);
        loop {
            let last = edited.load(Ordering::SeqCst);
            match relay.send(&host.world).await {
                Some(_) if sent % 2 == 0 => {
                    (sent, deaths) = (sent + 1, deaths + 1);
                    relay = Relay(host.owner());
                }
                Some(versions) => {
                    sent += 1;
                    relay.mark(&versions);
                }
                None if last && relay.0.run("SELECT count(*) FROM lesson_feed.outbox") == ["0"] => return deaths,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let deaths = thread::scope(|threads| {
        threads.spawn(|| {
            thread::scope(|editors| (1..=EDITORS).for_each(|seed| drop(editors.spawn(move || edit(seed)))));
            edited.store(true, Ordering::SeqCst);
        });
        block_in_place(|| tokio::runtime::Handle::current().block_on(async { futures::join!(carry(), carry()) }))
    });
    assert!(deaths.0 + deaths.1 >= 2, "{deaths:?}");
    assert!(!host.in_postgresql().is_empty());
    host.all_follows().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, which `make verify` installs"]
async fn a_relay_that_dies_between_sending_and_marking_doubles_nothing() {
    let host = Host::connected().await;
    let piano = Uuid::from_u128(1);
    let mut app = host.app();
    app.run(&host.put(piano, "Piano", 30));
    let mut dying = Relay(host.owner());
    let first = dying.send(&host.world).await.unwrap();
    let mut other = Relay(host.owner());
    assert_eq!(other.send(&host.world).await, None, "it is another relay's");
    drop(dying);
    host.world.until("the first event", async || host.in_google().await.unwrap().len() == 1).await;

    app.run(&host.put(piano, "Violin", 40));
    let left = || host.owner().run("SELECT array_agg(version ORDER BY version) FROM lesson_feed.outbox");
    host.world.until("the end of its transaction", async || left() == ["{1,2}"]).await;
    assert_eq!(first, "{1}");
    host.relay().await;
    assert_eq!(left(), [""]);
    host.all_follows().await;
    assert_eq!(host.world.in_google().await.len(), 1, "not even a tombstone");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, which `make verify` installs"]
async fn messages_in_whatever_order_end_in_the_last_version() {
    let host = Host::connected().await;
    let [piano, choir, gone] = [1, 2, 3].map(Uuid::from_u128);
    let mut app = host.app();
    for round in 0..4 {
        app.run(&host.put(piano, &format!("Piano {round}"), 30 + round));
        app.run(&host.put(choir, &format!("Choir {round}"), 40 + round));
        app.run(&host.put(gone, "Gone", 50));
        app.run(&format!("DELETE FROM lessons WHERE id = '{gone}'"));
    }
    let taken = host.owner().run("SELECT body FROM lesson_feed.next()").remove(0);
    let mut messages: Vec<Value> = serde_json::from_str(&taken).unwrap();
    assert_eq!(messages.len(), 16);
    host.owner().run("DELETE FROM lesson_feed.outbox");
    messages.extend(messages.clone());
    let mut dice = Dice(7);
    messages.sort_by_cached_key(|_| dice.below(1000));
    for message in &messages {
        host.world.feed(&message.to_string()).await;
    }
    host.all_follows().await;
    assert_eq!(host.in_google().await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL, which `make verify` installs"]
async fn the_application_needs_no_rights_to_the_outbox_and_goes_not_past_it() {
    let host = Host::connected().await;
    let [piano, moved, over] = [1, 2, 3].map(Uuid::from_u128);
    let mut app = host.app();
    app.run(&host.put(piano, "Piano", 30));
    for sql in ["SELECT * FROM lesson_feed.outbox", "DELETE FROM lesson_feed.outbox", "SELECT lesson_feed.next()"] {
        assert!(host.server.refusal("app", sql).contains("permission denied"), "{sql}");
    }
    let refusal = host.server.refusal("postgres", "TRUNCATE lessons");
    assert!(refusal.contains("lessons are removed with DELETE"), "{refusal}");
    host.relay().await;
    host.all_follows().await;

    // A changed id is a new lesson.
    app.run(&format!("UPDATE lessons SET id = '{moved}' WHERE id = '{piano}'"));
    host.relay().await;
    host.all_follows().await;

    // Texts that the feed would refuse are shortened or cleaned.
    let long = "x".repeat(9000);
    app.run(&format!(
        "UPDATE lessons SET title = E'Bell\\x07tower', description = '{long}', location = ' ' WHERE id = '{moved}'"
    ));
    host.relay().await;
    host.world
        .until("the text", async || host.world.events_of(&moved.to_string()).await[0]["summary"] == "Bell tower")
        .await;

    // All lessons that are not long over can be sent again.
    let over = host.put(over, "Over", -24 * 30);
    app.run(&format!("UPDATE lessons SET title = 'Bell' WHERE id = '{moved}'; {over}"));
    host.owner().run("DELETE FROM lesson_feed.outbox");
    assert_eq!(host.owner().run(&format!("SELECT lesson_feed.tell_all('{}')", host.tenant)), ["1"]);
    host.relay().await;
    let bell = async || host.world.events_of(&moved.to_string()).await[0]["summary"] == json!("Bell");
    host.world.until("what was told once more", bell).await;
}
