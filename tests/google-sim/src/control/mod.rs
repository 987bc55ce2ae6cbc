//! Operations for tests and for the page, beyond Google's own API.

mod by_hand;
mod requests;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::Google;
use crate::calendar::{Calendar, EVERYTHING, Event, Role, Shown, View};
use crate::call_log::WriteCall;
use crate::config::{Account, Behaviour, Client, Limits};
use crate::error::ApiError;
use crate::faults::Fault;
use crate::google::Clock;
use crate::http::Request;
use crate::oauth::{GrantEnd, Granted};

/// Why an operation was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status that the API would have answered with.
    pub status: u16,
    /// The reason, such as `notFound`.
    pub reason: String,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, reason: error.reason }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveChannel {
    /// The id that its client chose.
    pub id: String,
    pub calendar: String,
}

impl Google {
    /// How often `method` was called, such as `calendar.events.list`, `oauth2.token` or `batch`.
    /// Each part of a batch counts as a call of its own method.
    pub fn calls(&self, method: &str) -> u64 {
        self.calls.get(method).copied().unwrap_or(0)
    }

    /// How often the Calendar API was called, each part of a batch counted once.
    pub fn calendar_calls(&self) -> u64 {
        let ours = |(name, count): (&String, &u64)| name.starts_with("calendar.").then_some(*count);
        self.calls.iter().filter_map(ours).sum()
    }

    /// The latest calls that could change something, oldest first, at most 10,000.
    pub fn writes(&self) -> impl DoubleEndedIterator<Item = &WriteCall> + ExactSizeIterator {
        self.writes.0.iter()
    }

    /// The same, and clears them: a check reads what came since the last time.
    pub fn take_writes(&mut self) -> Vec<WriteCall> {
        std::mem::take(&mut self.writes.0).into()
    }

    /// Resets all counts and the writes.
    pub fn reset_calls(&mut self) {
        self.calls.clear();
        self.writes.0.clear();
    }

    /// Adds a fault. Of several that match a call, the first one counts.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub fn now(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.clock.read(now)
    }

    /// Stops the clock at `at`.
    pub fn freeze(&mut self, at: DateTime<Utc>) {
        self.clock = Clock::Frozen(at);
    }

    /// Moves the clock, running or frozen.
    pub fn advance(&mut self, by: Duration) {
        self.clock = match self.clock {
            Clock::Ahead(millis) => Clock::Ahead(millis + by.num_milliseconds()),
            Clock::Frozen(at) => Clock::Frozen(at + by),
        };
    }

    /// Lets the clock run with the real time again.
    pub fn run_clock(&mut self) {
        self.clock = Clock::Ahead(0);
    }

    /// Lifetimes, quotas and sizes, for changing them.
    pub fn limits_mut(&mut self) -> &mut Limits {
        &mut self.config.limits
    }

    /// The behaviour that Google is free to show, for changing it.
    pub fn behaviour_mut(&mut self) -> &mut Behaviour {
        &mut self.config.behaviour
    }

    /// Adds an account with calendars; an existing one stays.
    pub fn add_account(&mut self, account: Account) {
        if !self.tokens.accounts.contains_key(&account.email) {
            self.calendars.add(&account);
            self.tokens.accounts.insert(account.email.clone(), account);
        }
    }

    /// Registers an OAuth client, or changes the one with that id.
    pub fn add_client(&mut self, client: Client) {
        self.tokens.clients.insert(client.id.clone(), client);
    }

    /// Gives `account` a role in a calendar: `freeBusyReader`, `reader`, `writer` or `owner`; any other word removes
    /// it. Every such change invalidates all cursors of that calendar.
    pub fn share(&mut self, now: DateTime<Utc>, calendar: &str, account: &str, role: &str) {
        let stamp = self.calendars.stamp(self.clock.read(now));
        let Some(place) = self.calendars.all.get_mut(calendar) else {
            return;
        };
        let roles = [Role::FreeBusyReader, Role::Reader, Role::Writer, Role::Owner];
        match roles.into_iter().find(|known| known.name() == role) {
            Some(role) => place.shared_with.insert(account.to_owned(), role),
            None => place.shared_with.remove(account),
        };
        place.shared_at.insert(account.to_owned(), stamp);
        place.cursors_from = stamp;
    }

    /// Adds a group, such as a mailing list, whose members are calendars; one of that address is replaced.
    pub fn add_group(&mut self, id: &str, members: Vec<String>) {
        self.calendars.groups.insert(id.to_owned(), members);
    }

    /// Changes a calendar's time zone. No event counts as changed by it.
    pub fn set_zone(&mut self, calendar: &str, zone: Tz) {
        if let Some(calendar) = self.calendars.all.get_mut(calendar) {
            calendar.zone = zone;
        }
    }

    /// Tokens for `account` as if it had gone through the consent page.
    pub fn grant(&mut self, now: DateTime<Utc>, client: &str, account: &str, scopes: &[&str]) -> Granted {
        let now = self.clock.read(now);
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let (limits, random) = (&self.config.limits, &mut self.random);
        self.tokens.grant(client, account, &scopes);
        Granted {
            access_token: self.tokens.issue_access(now, client, account, &scopes, limits, random),
            refresh_token: self.tokens.issue_refresh(now, client, account, &scopes, limits, random),
        }
    }

    /// Expires all access tokens of `account`; refresh tokens still work.
    pub fn expire_access_tokens(&mut self, now: DateTime<Utc>, account: &str) {
        self.tokens.expire_access(self.clock.read(now), account);
    }

    /// Ends all grants of `account`, for that reason.
    pub fn end_grants(&mut self, now: DateTime<Utc>, account: &str, end: GrantEnd) {
        let now = self.clock.read(now);
        self.tokens.end_grants(now, account, None, end, Duration::zero());
    }

    /// Invalidates all cursors of a calendar: they answer 410.
    pub fn expire_cursors(&mut self, now: DateTime<Utc>, calendar: &str) {
        let stamp = self.calendars.stamp(self.clock.read(now));
        if let Some(calendar) = self.calendars.all.get_mut(calendar) {
            calendar.cursors_from = stamp;
        }
    }

    /// All calls of `account` answer 403 `quotaExceeded` for `time`.
    pub fn exhaust_quota(&mut self, now: DateTime<Utc>, account: &str, time: Duration) {
        self.quota.exhaust(self.clock.read(now), account, time);
    }

    /// Resets the calls that count against quotas, and exhausted quotas.
    pub fn reset_quotas(&mut self) {
        self.quota.reset();
    }

    /// Empties the bin: deleted events of a calendar can no longer be restored.
    pub fn empty_bin(&mut self, calendar: &str) {
        self.calendars.empty_bin(calendar);
    }

    /// Loses all further notifications, or no longer does.
    pub fn darken_push(&mut self, dark: bool) {
        self.push.dark = dark;
    }

    /// Ends all channels now, silently.
    pub fn expire_channels(&mut self, now: DateTime<Utc>) {
        self.push.expire_all(self.clock.read(now));
    }

    pub fn channels(&self, now: DateTime<Utc>) -> Vec<LiveChannel> {
        let live = self.push.live(self.clock.read(now)).into_iter();
        live.map(|(id, calendar)| LiveChannel { id, calendar }).collect()
    }

    /// Every event of a calendar as its owner sees it, deleted ones and exceptions included.
    pub fn events(&self, calendar: &str) -> Vec<Value> {
        let Some(calendar) = self.calendars.all.get(calendar) else {
            return Vec::new();
        };
        calendar.events.values().map(|event| as_owner(calendar, event)).collect()
    }

    /// The stamp of each event's last change, by the event's id: an event whose stamp differs between two calls was
    /// changed between them.
    pub fn stamps(&self, calendar: &str) -> BTreeMap<String, u64> {
        let events = self.calendars.all.get(calendar).into_iter().flat_map(|calendar| calendar.events.values());
        events.map(|event| (event.id.clone(), event.stamp)).collect()
    }

    pub fn zone(&self, calendar: &str) -> Option<Tz> {
        self.calendars.all.get(calendar).map(|calendar| calendar.zone)
    }

    /// The account for which an `Authorization` header speaks, if its token is good.
    pub fn account_of(&self, now: DateTime<Utc>, authorization: &str) -> Option<String> {
        let request = Request::new("GET", "/").header("authorization", authorization);
        self.tokens.account_of(self.clock.read(now), &request)
    }

    /// One event, or one instance of a series, as the calendar's owner sees it.
    pub fn event(&self, calendar: &str, id: &str) -> Option<Value> {
        let calendar = self.calendars.all.get(calendar)?;
        calendar.find(id).map(|event| as_owner(calendar, &event))
    }

    /// The whole state, for a person to look at.
    pub fn state(&self) -> Value {
        json!(self)
    }
}

fn as_owner(calendar: &Calendar, event: &Event) -> Value {
    let view =
        View { viewer: &calendar.id, zone: calendar.zone, max_attendees: None, with_details: true, role: Role::Owner };
    json!(Shown { event, view: &view, wanted: &EVERYTHING })
}
