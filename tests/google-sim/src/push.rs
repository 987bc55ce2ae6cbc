//! Channels and their push notifications.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::calendar::Calendar;
use crate::config::{Behaviour, Config, PushAddresses};
use crate::error::{ApiError, Result};
use crate::oauth::Caller;
use crate::random::{Random, hash};

/// A push notification to be delivered now: a POST without a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// For telling how the delivery went.
    pub id: u64,
    pub address: String,
    /// The `X-Goog-…` headers.
    pub headers: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered with this status.
    Answered(u16),
    /// The address did not answer.
    Unreachable,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Channel {
    id: String,
    resource: String,
    resource_uri: String,
    address: String,
    token: Option<String>,
    kinds: Vec<String>,
    calendar: String,
    account: String,
    client: String,
    expires: DateTime<Utc>,
    number: u64,
    stopped: Option<DateTime<Utc>>,
}

impl Channel {
    /// Whether it delivers notifications: a stopped channel may linger.
    fn delivers(&self, now: DateTime<Utc>) -> bool {
        self.stopped.is_none_or(|end| now < end)
    }

    fn shown(&self) -> Value {
        let mut shown = json!({
            "kind": "api#channel",
            "id": self.id,
            "resourceId": self.resource,
            "resourceUri": self.resource_uri,
            "expiration": self.expires.timestamp_millis().to_string(),
        });
        if let Some(token) = &self.token {
            shown["token"] = json!(token);
        }
        shown
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    id: u64,
    channel: String,
    state: String,
    number: u64,
    due: DateTime<Utc>,
    attempt: u32,
    /// Handed out for delivery, without an outcome yet.
    under_way: bool,
}

pub(crate) struct Feed<'a> {
    pub calendar: &'a Calendar,
    /// The calendar as the request named it, `primary` for one.
    pub named: &'a str,
    /// The event types; none for all.
    pub kinds: Vec<String>,
}

/// Every channel of a simulated Google.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Push {
    channels: BTreeMap<String, Channel>,
    /// Ids are used up for good, project by project.
    used: BTreeSet<(String, String)>,
    pending: Vec<Pending>,
    last: u64,
    /// Notices that were handed out, and those that got lost.
    pub sent: u64,
    pub lost: u64,
    /// The share of notices lost is 1 while this holds.
    pub dark: bool,
}

impl Push {
    pub fn watch(
        &mut self,
        now: DateTime<Utc>,
        caller: &Caller,
        feed: Feed<'_>,
        body: &Map<String, Value>,
        config: &Config,
        random: &mut Random,
    ) -> Result<Value> {
        let Feed { calendar, named, kinds } = feed;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let id = text("id").ok_or_else(|| ApiError::required("Required"))?;
        let legal = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
        if id.is_empty() || id.len() > 64 || !id.chars().all(legal) {
            return Err(channel_error("channelIdInvalid", "Invalid channel id."));
        }
        if !matches!(text("type"), Some("web_hook" | "webhook")) {
            return Err(channel_error("channelUnknown", "Unknown channel type."));
        }
        let token = text("token").map(str::to_owned);
        if token.as_ref().is_some_and(|token| token.len() > 256) {
            return Err(channel_error("channelTokenTooLong", "The channel token is too long."));
        }
        let address = text("address").ok_or_else(|| ApiError::required("Required"))?;
        check_address(address, &config.behaviour)?;
        if calendar.generated {
            let message = "Push notifications are not supported by this resource.";
            let reason = "pushNotSupportedForRequestedResource";
            return Err(ApiError::new(400, "calendar", reason, message));
        }
        let expires = expiration(now, body, config.limits.channel_secs)?;
        if !self.used.insert((caller.project.clone(), id.to_owned())) {
            let message = format!("Channel id {id} not unique");
            return Err(channel_error("channelIdNotUnique", &message));
        }
        let feed = format!("{}{kinds:?}", calendar.id);
        let resource = BASE64URL_NOPAD.encode(&hash(&feed).to_be_bytes().repeat(2));
        let path_id: String = form_urlencoded::byte_serialize(named.as_bytes()).collect();
        let channel = Channel {
            id: id.to_owned(),
            resource_uri: format!("https://www.googleapis.com/calendar/v3/calendars/{path_id}/events?alt=json"),
            resource,
            address: address.to_owned(),
            token,
            kinds,
            calendar: calendar.id.clone(),
            account: caller.account.clone(),
            client: caller.client.clone(),
            expires,
            number: 1,
            stopped: None,
        };
        let answer = channel.shown();
        self.queue(now, &channel, "sync", &config.behaviour, random);
        self.channels.insert(id.to_owned(), channel);
        Ok(answer)
    }

    /// Closes a channel: only who opened it may, through the client that opened it.
    pub fn stop(
        &mut self,
        now: DateTime<Utc>,
        caller: &Caller,
        body: &Map<String, Value>,
        behaviour: &Behaviour,
    ) -> Result<()> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let (Some(id), Some(resource)) = (text("id"), text("resourceId")) else {
            return Err(ApiError::required("Required"));
        };
        let own = |channel: &&mut Channel| {
            channel.resource == resource
                && channel.account == caller.account
                && channel.client == caller.client
                && channel.stopped.is_none()
                && channel.expires > now
        };
        let Some(channel) = self.channels.get_mut(id).filter(own) else {
            let message = format!("Channel '{id}' not found for project '{}'", caller.project);
            return Err(ApiError::new(404, "global", "notFound", &message));
        };
        channel.stopped = Some(now + Duration::seconds(behaviour.linger_secs));
        Ok(())
    }

    /// Queues a notice on each channel that watches one of the changed calendars.
    pub fn changed(
        &mut self,
        now: DateTime<Utc>,
        touched: &[(String, String)],
        behaviour: &Behaviour,
        random: &mut Random,
    ) {
        let concerned: Vec<String> = self
            .channels
            .values()
            .filter(|channel| channel.expires > now && channel.delivers(now))
            .filter(|channel| {
                touched.iter().any(|(calendar, kind)| {
                    *calendar == channel.calendar && (channel.kinds.is_empty() || channel.kinds.contains(kind))
                })
            })
            .map(|channel| channel.id.clone())
            .collect();
        for id in concerned {
            let Some(channel) = self.channels.get_mut(&id) else {
                continue;
            };
            channel.number += 1;
            if behaviour.number_gaps {
                channel.number += random.below(3);
            }
            let channel = channel.clone();
            if self.dark || random.chance(behaviour.lost_notices) {
                self.lost += 1;
            } else {
                self.queue(now, &channel, "exists", behaviour, random);
            }
        }
    }

    fn queue(
        &mut self,
        now: DateTime<Utc>,
        channel: &Channel,
        state: &str,
        behaviour: &Behaviour,
        random: &mut Random,
    ) {
        let delay = random.below(behaviour.notice_delay_ms + 1);
        self.last += 1;
        self.pending.push(Pending {
            id: self.last,
            channel: channel.id.clone(),
            state: state.to_owned(),
            number: channel.number,
            due: now + Duration::milliseconds(i64::try_from(delay).unwrap_or(0)),
            attempt: 0,
            under_way: false,
        });
    }

    /// The notices that are due. Each stays until `report` says how its delivery went.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Notice> {
        let channels = &self.channels;
        let due: Vec<Notice> = self
            .pending
            .iter_mut()
            .filter(|pending| !pending.under_way && pending.due <= now)
            .filter_map(|pending| {
                pending.under_way = true;
                // Notifications that a channel still had when it was stopped are dropped.
                let channel = channels.get(&pending.channel).filter(|channel| channel.delivers(now))?;
                Some(Notice { id: pending.id, address: channel.address.clone(), headers: headers(channel, pending) })
            })
            .collect();
        self.sent += due.len() as u64;
        due
    }

    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        self.pending.iter().filter(|pending| !pending.under_way).map(|pending| pending.due).min()
    }

    /// Records the outcome of a delivery: only 500, 502, 503 and 504 are repeated.
    pub fn report(&mut self, now: DateTime<Utc>, id: u64, outcome: Outcome) {
        let Some(place) = self.pending.iter().position(|pending| pending.id == id) else {
            return;
        };
        let again = matches!(outcome, Outcome::Answered(500 | 502 | 503 | 504));
        if again && self.pending[place].attempt < 6 {
            let pending = &mut self.pending[place];
            pending.attempt += 1;
            pending.under_way = false;
            pending.due = now + Duration::seconds(1 << pending.attempt);
        } else {
            self.pending.remove(place);
        }
    }

    /// Deliveries that were under way when the program ended are tried again.
    pub fn resume(&mut self) {
        for pending in &mut self.pending {
            pending.under_way = false;
        }
    }

    /// The channels that live, by id, with the calendar that each watches.
    pub fn live(&self, now: DateTime<Utc>) -> Vec<(String, String)> {
        self.channels
            .values()
            .filter(|channel| channel.expires > now && channel.stopped.is_none())
            .map(|channel| (channel.id.clone(), channel.calendar.clone()))
            .collect()
    }

    /// Ends all channels now, silently, as Google sometimes does.
    pub fn expire_all(&mut self, now: DateTime<Utc>) {
        for channel in self.channels.values_mut() {
            channel.expires = channel.expires.min(now);
        }
    }
}

fn headers(channel: &Channel, pending: &Pending) -> Vec<(String, String)> {
    let mut headers = vec![
        ("x-goog-channel-id".to_owned(), channel.id.clone()),
        ("x-goog-channel-expiration".to_owned(), channel.expires.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("x-goog-message-number".to_owned(), pending.number.to_string()),
        ("x-goog-resource-id".to_owned(), channel.resource.clone()),
        ("x-goog-resource-state".to_owned(), pending.state.clone()),
        ("x-goog-resource-uri".to_owned(), channel.resource_uri.clone()),
    ];
    if let Some(token) = &channel.token {
        headers.push(("x-goog-channel-token".to_owned(), token.clone()));
    }
    headers
}

/// The shorter of the requested and the longest lifetime.
fn expiration(now: DateTime<Utc>, body: &Map<String, Value>, most: i64) -> Result<DateTime<Utc>> {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse::<i64>().ok(),
        value => value.as_i64(),
    };
    let invalid = || ApiError::invalid("Invalid Value");
    let asked = body.get("expiration").filter(|value| !value.is_null());
    let asked =
        asked.map(|value| number(value).and_then(DateTime::from_timestamp_millis).ok_or_else(invalid)).transpose()?;
    let ttl = body
        .get("params")
        .and_then(|params| params.get("ttl"))
        .map(|value| number(value).ok_or_else(invalid))
        .transpose()?;
    if asked.is_some_and(|asked| asked <= now) {
        return Err(invalid());
    }
    let end = now + Duration::seconds(ttl.map_or(most, |ttl| ttl.clamp(1, most)));
    Ok(asked.map_or(end, |asked| asked.min(end)))
}

fn check_address(address: &str, behaviour: &Behaviour) -> Result<()> {
    let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .filter_map(|host| address.strip_prefix(host))
        .any(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    if behaviour.push_addresses == PushAddresses::Refused {
        let message = format!("Unauthorized WebHook callback channel: {address}");
        return Err(ApiError::new(401, "global", "push.webhookUrlUnauthorized", &message));
    }
    if address.starts_with("https://") || (loopback && behaviour.loopback_webhooks) {
        return Ok(());
    }
    let message = format!("WebHook callback must be HTTPS: {address}");
    Err(channel_error("push.webhookUrlNotHttps", &message))
}

fn channel_error(reason: &str, message: &str) -> ApiError {
    ApiError::new(400, "global", reason, message)
}
