//! The day that each machine lives.

use std::{collections::BTreeSet, time::Duration};

use axum::http::Method;
use chrono::{DateTime, Days, NaiveDate};
use local_stack::system;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::machine::{Died, Run};

/// Longer than it takes until a dead holder's lease is taken over.
const PATIENCE: Duration = Duration::from_mins(4);
const CALENDAR: &str = "ada@example.com";
const EXTERNAL: &str = "Dentist";

/// What happens in the day, in order.
const STEPS: [Step; 11] = [
    Step::Connect,
    Step::Add("Kept", 10),
    Step::Add("Moved", 11),
    Step::Add("Cancelled", 12),
    Step::Add("Removed", 13),
    Step::Settle,
    Step::Move("Moved", 14),
    Step::Cancel("Cancelled"),
    Step::Remove("Removed"),
    Step::Overlap(10),
    Step::Settle,
];

/// A lesson is named by its title, a time by how many days ahead it lies.
#[derive(Clone, Copy)]
enum Step {
    Connect,
    Add(&'static str, u64),
    Move(&'static str, u64),
    Cancel(&'static str),
    Remove(&'static str),
    /// An event in Google comes to overlap the lesson of that day.
    Overlap(u64),
    /// Google and the store come to hold what they should.
    Settle,
}

/// How far the day has come.
pub struct Day {
    today: NaiveDate,
    steps_done: usize,
}

/// What stands in Google, in the store and in the API at one moment.
#[derive(Debug, PartialEq)]
struct Seen {
    /// Title, start and end of each live event that is not the external one.
    events: Vec<(String, String, String)>,
    /// How often the external event is listed by the API.
    external: usize,
    /// The lessons that carry the conflict flag.
    flagged: Vec<String>,
    /// The live lessons that are not marked synced.
    unsynced: Vec<String>,
}

impl Day {
    pub fn begin() -> Self {
        Self { today: system::now().date_naive(), steps_done: 0 }
    }

    /// Goes on with the day. A step that was answered is not repeated: what it asked for must not be lost.
    pub async fn live(&mut self, run: &Run) -> Result<(), Died> {
        let session = Session::begin(run, self.today).await?;
        for step in &STEPS[self.steps_done..] {
            session.take(*step).await?;
            self.steps_done += 1;
        }
        Ok(())
    }

    /// What has settled stays so, and the conflict was told under one id.
    pub async fn check(&self, run: &Run) -> Result<(), Died> {
        let session = Session::begin(run, self.today).await?;
        // The notice was committed with the conflict; a death before its delivery leaves it to the next run, which
        // comes when the dead holder's lease has run out.
        for _ in 0..PATIENCE.as_secs() {
            if !session.told().await?.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(session.seen().await?, session.expected().await?, "{}", run.name());
        let found = session.told().await?;
        assert_eq!(found.len(), 1, "{}: {found:?}", run.name());
        Ok(())
    }
}

/// A person at the machine.
struct Session<'a> {
    run: &'a Run,
    today: NaiveDate,
    instructor: String,
    token: String,
}

impl<'a> Session<'a> {
    async fn begin(run: &'a Run, today: NaiveDate) -> Result<Self, Died> {
        let session = run.get(&format!("{}/dev/session", run.api), &[]).await?.json();
        let text = |name: &str| session[name].as_str().unwrap().to_owned();
        Ok(Self { run, today, instructor: text("instructorId"), token: format!("Bearer {}", text("token")) })
    }

    /// The ids under which a conflict was told.
    async fn told(&self) -> Result<BTreeSet<String>, Died> {
        let notices = self.run.get(&format!("{}/dev/notices", self.run.api), &[]).await?.json();
        let is_found = |notice: &&Value| {
            notice["detailType"] == "conflicts.changed" && notice["detail"]["conflicts"][0]["change"] == "found"
        };
        let found = notices.as_array().unwrap().iter().filter(is_found);
        Ok(found.map(|notice| notice["detail"]["id"].as_str().unwrap().to_owned()).collect())
    }

    /// Takes a step, which may have been taken before without an answer.
    async fn take(&self, step: Step) -> Result<(), Died> {
        match step {
            Step::Connect => self.connect().await,
            Step::Add(title, day) => self.add_lesson(title, day).await,
            Step::Move(title, day) => self.change_lesson(title, &self.lesson(title, day)).await,
            Step::Cancel(title) => self.change_lesson(title, &json!({ "status": "cancelled" })).await,
            Step::Remove(title) => self.remove_lesson(title).await,
            Step::Overlap(day) => self.add_event(day).await,
            Step::Settle => self.settle().await,
        }
    }

    async fn api(&self, path: &str) -> Result<Value, Died> {
        let url = format!("{}/api/v1/calendar/{path}", self.run.api);
        Ok(self.run.get(&url, &[("authorization", &self.token)]).await?.json()["data"].take())
    }

    /// Through the consent form, as a browser does, unless the connection stands already.
    async fn connect(&self) -> Result<(), Died> {
        if self.api(&format!("status/{}", self.instructor)).await?["connected"] == true {
            return Ok(());
        }
        let url = format!("{}/api/v1/calendar/oauth/url?instructorId={}", self.run.api, self.instructor);
        let begun = self.run.get(&url, &[("authorization", &self.token)]).await?;
        let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
        let auth_url = begun.json()["data"]["authUrl"].as_str().unwrap().to_owned();

        let page = self.run.get(&auth_url, &[]).await?.text;
        let request = values_of(&page, "request").concat();
        let scopes: Vec<_> = values_of(&page, "scope").iter().map(|scope| format!("&scope={scope}")).collect();
        let form = format!("request={request}&account={CALENDAR}&decision=allow{}", scopes.concat());
        let consent = format!("{}/o/oauth2/v2/auth", self.run.google);
        let allowed = self.run.send(Method::POST, &consent, &[], form).await?;
        let back = self.run.get(allowed.header("location"), &[("cookie", &cookie)]).await?;
        assert!(back.header("location").contains("calendar=connected"), "{}", back.header("location"));
        Ok(())
    }

    /// A moment so many days ahead: runs look a year ahead, not further.
    fn at(&self, day: u64, time: &str) -> String {
        format!("{}T{time}Z", self.today + Days::new(day))
    }

    fn lesson(&self, title: &str, day: u64) -> Value {
        json!({
            "title": title,
            "startsAt": self.at(day, "09:00:00"),
            "endsAt": self.at(day, "10:00:00"),
            "timeZone": "Europe/Berlin",
        })
    }

    async fn lessons(&self) -> Result<Vec<Value>, Died> {
        let lessons = self.run.get(&format!("{}/dev/lessons", self.run.api), &[]).await?.json();
        Ok(lessons.as_array().unwrap().clone())
    }

    async fn lesson_url(&self, title: &str) -> Result<Option<String>, Died> {
        let lessons = self.lessons().await?;
        let found = lessons.iter().find(|lesson| lesson["title"] == title);
        Ok(found.map(|lesson| format!("{}/dev/lessons/{}", self.run.api, lesson["id"].as_str().unwrap())))
    }

    async fn add_lesson(&self, title: &str, day: u64) -> Result<(), Died> {
        if self.lesson_url(title).await?.is_none() {
            let url = format!("{}/dev/lessons", self.run.api);
            self.run.send(Method::POST, &url, &[], self.lesson(title, day).to_string()).await?.json();
        }
        Ok(())
    }

    async fn change_lesson(&self, title: &str, change: &Value) -> Result<(), Died> {
        let url = self.lesson_url(title).await?.expect("the lesson is there");
        self.run.send(Method::PATCH, &url, &[], change.to_string()).await?.json();
        Ok(())
    }

    async fn remove_lesson(&self, title: &str) -> Result<(), Died> {
        if let Some(url) = self.lesson_url(title).await? {
            let removed = self.run.send(Method::DELETE, &url, &[], String::new()).await?;
            assert!(removed.status.is_success(), "{}", removed.text);
        }
        Ok(())
    }

    async fn google_events(&self) -> Result<Vec<Value>, Died> {
        let events = self.run.get(&format!("{}/control/calendars/{CALENDAR}", self.run.google), &[]).await?.json();
        Ok(events.as_array().unwrap().iter().filter(|event| event["status"] != "cancelled").cloned().collect())
    }

    async fn add_event(&self, day: u64) -> Result<(), Died> {
        if self.google_events().await?.iter().any(|event| event["summary"] == EXTERNAL) {
            return Ok(());
        }
        let event = json!({
            "summary": EXTERNAL,
            "start": { "dateTime": self.at(day, "09:30:00") },
            "end": { "dateTime": self.at(day, "10:30:00") },
        });
        let url = format!("{}/control/create-event", self.run.google);
        let body = json!({ "calendar": CALENDAR, "event": event }).to_string();
        self.run.send(Method::POST, &url, &[], body).await?.json();
        Ok(())
    }

    /// Waits until Google and the store hold what they should.
    async fn settle(&self) -> Result<(), Died> {
        let begun = Instant::now();
        loop {
            let (seen, expected) = (self.seen().await?, self.expected().await?);
            if seen == expected {
                return Ok(());
            }
            assert!(begun.elapsed() < PATIENCE, "{}: {seen:#?} instead of {expected:#?}", self.run.name());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn seen(&self) -> Result<Seen, Died> {
        let (lessons, events) = (self.lessons().await?, self.google_events().await?);
        let range = format!("from={}&to={}", self.at(0, "00:00:00"), self.at(30, "00:00:00"));
        let listed = self.api(&format!("external-events/{}?{range}", self.instructor)).await?;
        let mut ours: Vec<_> = events
            .iter()
            .filter(|event| event["summary"] != EXTERNAL)
            .map(|event| entry(&event["summary"], &event["start"]["dateTime"], &event["end"]["dateTime"]))
            .collect();
        ours.sort();
        Ok(Seen {
            events: ours,
            external: listed["events"].as_array().map_or(0, Vec::len),
            flagged: titles(&lessons, |lesson| lesson["hasConflict"] == true),
            unsynced: titles(&lessons, |lesson| is_live(lesson) && lesson["calendarSyncStatus"] != "synced"),
        })
    }

    async fn expected(&self) -> Result<Seen, Died> {
        let (lessons, events) = (self.lessons().await?, self.google_events().await?);
        let external = events.iter().filter(|event| event["summary"] == EXTERNAL).count();
        let live = lessons.iter().filter(|lesson| is_live(lesson));
        let mut ours: Vec<_> =
            live.map(|lesson| entry(&lesson["title"], &lesson["startsAt"], &lesson["endsAt"])).collect();
        ours.sort();
        Ok(Seen {
            events: ours,
            external,
            flagged: titles(&lessons, |lesson| external > 0 && lesson["title"] == "Kept"),
            unsynced: Vec::new(),
        })
    }
}

fn is_live(lesson: &Value) -> bool {
    lesson["status"] == "scheduled"
}

fn titles(lessons: &[Value], holds: impl Fn(&Value) -> bool) -> Vec<String> {
    lessons.iter().filter(|lesson| holds(lesson)).map(|lesson| lesson["title"].to_string()).collect()
}

/// With both times in UTC, whatever offset they were written with.
fn entry(title: &Value, start: &Value, end: &Value) -> (String, String, String) {
    let utc = |time: &Value| {
        let time = DateTime::parse_from_rfc3339(time.as_str().unwrap_or_default());
        time.map_or_else(|_| "no time".to_owned(), |time| time.to_utc().to_string())
    };
    (title.as_str().unwrap_or_default().to_owned(), utc(start), utc(end))
}

/// The values of the form's inputs of that name.
fn values_of<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let marker = format!("name=\"{name}\" value=\"");
    page.split(&marker).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}
