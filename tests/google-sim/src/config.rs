//! The initial state of a simulated Google, and its behaviour.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// The OAuth clients that are registered.
    pub clients: Vec<Client>,
    pub accounts: Vec<Account>,
    pub limits: Limits,
    /// Behaviour that Google is free to show.
    pub behaviour: Behaviour,
}

/// An OAuth client of a Google Cloud project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub id: String,
    pub secret: String,
    /// The registered redirect addresses, compared exactly.
    pub redirect_uris: Vec<String>,
    /// The project: consent and its revocation cover all clients of one project.
    #[serde(default = "default_project")]
    pub project: String,
    /// Whether the consent screen is in "Testing", where refresh tokens live for seven days.
    #[serde(default)]
    pub testing: bool,
}

fn default_project() -> String {
    "demo-project".to_owned()
}

/// A person with a Google account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The address, which is the id of the primary calendar too.
    pub email: String,
    pub name: String,
    /// The account's stable id, `sub` in its id tokens.
    pub sub: String,
    /// The calendars; the first one is the primary calendar.
    pub calendars: Vec<Calendar>,
}

impl Account {
    /// An account with only its primary calendar.
    pub fn new(email: &str, name: &str, zone: Tz) -> Self {
        let sub = format!("1{:020}", crate::random::hash(email));
        Self {
            email: email.to_owned(),
            name: name.to_owned(),
            sub,
            calendars: vec![Calendar {
                id: email.to_owned(),
                summary: email.to_owned(),
                description: None,
                zone,
                generated: false,
            }],
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Its id; for a primary calendar the address of its owner.
    pub id: String,
    pub summary: String,
    /// Its description.
    #[serde(default)]
    pub description: Option<String>,
    pub zone: Tz,
    /// Whether Google generates it (holidays, birthdays): read-only, and it refuses push.
    #[serde(default)]
    pub generated: bool,
}

/// Lifetimes, quotas and sizes. Every lifetime is in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    pub access_token_secs: i64,
    pub code_secs: i64,
    /// Google does not document it.
    pub cursor_secs: i64,
    /// The longest lifetime of a channel, and the default.
    pub channel_secs: i64,
    /// Calls a minute for each project; none for no limit.
    pub project_per_minute: Option<u32>,
    /// Calls a minute for each user of each project; none for no limit.
    pub user_per_minute: Option<u32>,
    /// Writes per minute to one calendar, by all accounts: the "operational limit" that Google mentions without a
    /// number. `None` for no limit.
    pub calendar_writes_per_minute: Option<u32>,
    pub batch: usize,
    /// The most events on one page of a listing, whatever the request asks for.
    pub page: usize,
    /// Valid refresh tokens for each account and client; the oldest becomes invalid.
    pub refresh_tokens: usize,
    /// Occurrences of an endless series, from now on, in a listing without `timeMax`.
    pub occurrences: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            access_token_secs: 3_599,
            code_secs: 600,
            cursor_secs: 28 * 86_400,
            channel_secs: 604_800,
            project_per_minute: Some(10_000),
            user_per_minute: Some(600),
            calendar_writes_per_minute: None,
            batch: 50,
            page: 2_500,
            refresh_tokens: 100,
            occurrences: 730,
        }
    }
}

impl Limits {
    /// The same limits without quotas, for benchmarks and long random runs.
    #[must_use]
    pub fn without_quotas(self) -> Self {
        Self { project_per_minute: None, user_per_minute: None, calendar_writes_per_minute: None, ..self }
    }
}

/// Behaviour that Google is free to show. Shares are between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Behaviour {
    /// Accept webhook addresses with `http://` on a loopback host, as a stack on one machine needs.
    pub loopback_webhooks: bool,
    /// The share of pages that are empty or short although more follow.
    pub thin_pages: f64,
    pub lost_notices: f64,
    /// The longest time, in milliseconds, that a notice takes.
    pub notice_delay_ms: u64,
    /// The share of watch calls whose `sync` message arrives before their answer.
    pub early_sync: f64,
    /// For how many seconds a stopped channel still delivers.
    pub linger_secs: i64,
    /// Whether the numbers of messages have gaps.
    pub number_gaps: bool,
    /// For how many seconds tokens still work after their grant was revoked.
    pub revocation_secs: i64,
    /// Whether a new access token comes with an id token, as Google's do. Where they are not read, signing them takes a
    /// third of the time of a long simulation.
    pub id_token_with_refresh: bool,
    /// How titles, places and descriptions are stored.
    pub texts: Texts,
    /// The answer to an edit of organizer's fields in a guest's copy.
    pub guest_edits: GuestEdits,
    /// Which `https` addresses a channel may have.
    pub push_addresses: PushAddresses,
    /// By how many milliseconds listings lag behind writes and their notifications: 60,000 at most. Google is not known
    /// to do it.
    pub listing_lag_ms: u64,
    /// Time zones that this Google does not know, since its data may be older than its clients'.
    pub unknown_zones: Vec<Tz>,
    /// What happens to a refresh token that is used.
    pub refresh_tokens: RefreshTokens,
}

/// The answer to an edit of organizer's fields in a guest's copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuestEdits {
    /// It changes the guest's copy.
    #[default]
    Kept,
    /// It is answered with 200 and changes only the fields of the copy.
    Ignored,
    /// It is refused with 403 `forbiddenForNonOrganizer`.
    Refused,
}

/// Which `https` addresses a channel may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PushAddresses {
    #[default]
    Accepted,
    /// Every address is refused with 401 `push.webhookUrlUnauthorized`, as if its domain were not verified.
    Refused,
}

/// How the texts of an event are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Texts {
    /// Unchanged.
    #[default]
    Kept,
    /// Whitespace at the ends is removed, a description is cut at 8,192 characters, and Google's section for a
    /// conference is removed from it.
    Rewritten,
}

/// What happens to a refresh token that is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokens {
    /// It stays valid, as Google's do.
    #[default]
    Kept,
    /// The answer has a new one, and the used one becomes invalid (RFC 6749, section 6).
    Rotated,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            loopback_webhooks: false,
            thin_pages: 0.0,
            lost_notices: 0.0,
            notice_delay_ms: 0,
            early_sync: 0.5,
            linger_secs: 0,
            number_gaps: true,
            revocation_secs: 0,
            id_token_with_refresh: true,
            texts: Texts::Kept,
            guest_edits: GuestEdits::Kept,
            push_addresses: PushAddresses::Accepted,
            listing_lag_ms: 0,
            unknown_zones: Vec::new(),
            refresh_tokens: RefreshTokens::Kept,
        }
    }
}

impl Behaviour {
    /// Everything that Google's documentation allows, often.
    pub fn nasty() -> Self {
        Self {
            loopback_webhooks: false,
            thin_pages: 0.3,
            lost_notices: 0.2,
            notice_delay_ms: 30_000,
            early_sync: 0.5,
            linger_secs: 60,
            number_gaps: true,
            revocation_secs: 0,
            id_token_with_refresh: true,
            texts: Texts::Rewritten,
            guest_edits: GuestEdits::Ignored,
            push_addresses: PushAddresses::Accepted,
            listing_lag_ms: 0,
            unknown_zones: Vec::new(),
            refresh_tokens: RefreshTokens::Kept,
        }
    }
}

impl Config {
    /// One OAuth client and two people: Ada in Berlin, who also has a second calendar and one with
    /// holidays, and Grace in New York.
    pub fn demo(client_id: &str, secret: &str, redirect_uri: &str) -> Self {
        let mut ada = Account::new("ada@example.com", "Ada Berger", Tz::Europe__Berlin);
        ada.calendars.push(Calendar {
            id: "c_choir@group.calendar.google.com".to_owned(),
            summary: "Choir".to_owned(),
            description: Some("Rehearsals and concerts".to_owned()),
            zone: Tz::Europe__Berlin,
            generated: false,
        });
        ada.calendars.push(Calendar {
            id: "en.german#holiday@group.v.calendar.google.com".to_owned(),
            summary: "Holidays in Germany".to_owned(),
            description: None,
            zone: Tz::Europe__Berlin,
            generated: true,
        });
        Self {
            clients: vec![Client {
                id: client_id.to_owned(),
                secret: secret.to_owned(),
                redirect_uris: vec![redirect_uri.to_owned()],
                project: default_project(),
                testing: false,
            }],
            accounts: vec![ada, Account::new("grace@example.com", "Grace Hill", Tz::America__New_York)],
            ..Self::default()
        }
    }
}
