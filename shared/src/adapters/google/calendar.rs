//! The calendar's port, and channels. Listings and batches have files of their own.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use http::Method;
use reqwest::Url;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    GoogleCalendar, batch,
    http::{self as wire, Answer},
    listing,
    refusals::{self, Meaning, Place},
};
use crate::{
    model::Channel,
    ports::{Access, Calendar, CalendarError, NewChannel, Operation, OperationOutcome, Page, PageRequest},
};

/// How long opening or closing a channel may take with its retries, within the caller's deadline.
const MAX_CHANNEL_CALL_TIME: TimeDelta = TimeDelta::seconds(15);

/// Bytes of Google's id of a watched calendar, which is stored; those that were seen have some thirty.
const MAX_RESOURCE_ID_BYTES: usize = 1024;

impl GoogleCalendar {
    async fn post(
        &self,
        access: &Access,
        place: Place,
        url: &Url,
        body: &Value,
        deadline: DateTime<Utc>,
        again: fn(&CalendarError) -> bool,
    ) -> Result<Answer, CalendarError> {
        let mut retry = self.retry(access, deadline.min(self.clock.now() + MAX_CHANNEL_CALL_TIME));
        let request = wire::request(Method::POST, url, Some(("application/json", body.to_string().into_bytes())))?;
        self.call(access, place, &request, &mut retry, &mut 0, again).await
    }
}

#[async_trait]
impl Calendar for GoogleCalendar {
    async fn list(&self, access: &Access, page: PageRequest<'_>, deadline: DateTime<Utc>) -> Page {
        listing::list(self, access, page, deadline).await
    }

    async fn batch(
        &self,
        access: &Access,
        operations: &[Operation],
        deadline: DateTime<Utc>,
    ) -> (Vec<OperationOutcome>, u32) {
        batch::carry_out(self, access, operations, deadline).await
    }

    /// <https://developers.google.com/workspace/calendar/api/v3/reference/events/watch>
    async fn watch(
        &self,
        access: &Access,
        channel: &NewChannel,
        deadline: DateTime<Utc>,
    ) -> Result<Channel, CalendarError> {
        let mut url = self.events(&access.calendar, &["watch"]);
        url.query_pairs_mut().append_pair("fields", "resourceId,expiration");
        let body = json!({
            "id": channel.id,
            "type": "web_hook",
            "address": channel.address,
            "token": channel.token.expose_secret(),
            "params": { "ttl": channel.lifetime.as_secs().to_string() },
        });
        // After any other failure the channel may be open, and its id can never be used again.
        let refused_unopened = |failure: &CalendarError| *failure == CalendarError::RateLimited;
        let answer = self.post(access, Place::Watch, &url, &body, deadline, refused_unopened).await?;
        let opened: Opened = serde_json::from_slice(answer.body())
            .ok()
            .filter(|opened: &Opened| opened.resource_id.len() <= MAX_RESOURCE_ID_BYTES)
            .ok_or_else(|| CalendarError::Unavailable("a channel that cannot be read".to_owned()))?;
        // Google shortens a life, and never makes it longer.
        let latest = self.clock.now() + lifetime(channel.lifetime);
        Ok(Channel {
            id: channel.id.clone(),
            resource_id: opened.resource_id,
            expires_at: expiration(&opened.expiration).map_or(latest, |expires_at| expires_at.min(latest)),
        })
    }

    /// <https://developers.google.com/workspace/calendar/api/v3/reference/channels/stop>
    async fn stop(&self, access: &Access, channel: &Channel, deadline: DateTime<Utc>) -> Result<(), CalendarError> {
        let url = self.address(&["channels", "stop"]);
        let body = json!({ "id": channel.id, "resourceId": channel.resource_id });
        match self.post(access, Place::Stop, &url, &body, deadline, CalendarError::may_pass_soon).await {
            Ok(_) => Ok(()),
            Err(CalendarError::Refused(refusal)) if refusals::meaning(Place::Stop, &refusal) == Meaning::Gone => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opened {
    resource_id: String,
    #[serde(default)]
    expiration: Value,
}

/// Milliseconds since the epoch: a string by the discovery document, a number by the guide.
fn expiration(value: &Value) -> Option<DateTime<Utc>> {
    let millis = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    DateTime::from_timestamp_millis(millis)
}

fn lifetime(lifetime: Duration) -> TimeDelta {
    TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiration_comes_as_a_number_or_as_text() {
        let at = DateTime::from_timestamp_millis(1_772_352_000_000);
        assert_eq!(expiration(&json!(1_772_352_000_000_i64)), at);
        assert_eq!(expiration(&json!("1772352000000")), at);
        for other in [json!(null), json!("soon"), json!(i64::MAX), json!({}), json!(1.5)] {
            assert_eq!(expiration(&other), None, "{other}");
        }
    }
}
