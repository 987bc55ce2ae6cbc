//! The calendar's addresses, and one call with its retries.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use http::{HeaderValue, header::AUTHORIZATION};
use reqwest::Url;
use secrecy::ExposeSecret;

use super::{
    fleet::FleetLimiter,
    http::{self as wire, Answer, Request, Transport},
    pace::{ONE_CALL, UserLimiter},
    refusals::{self, Place},
    retry::Retry,
    zones::Zones,
};
use crate::{
    Error, Result,
    config::GoogleConfig,
    model::CalendarId,
    ports::{Access, CalendarError, Clock, Random, RateLimiter},
};

pub struct GoogleCalendar {
    transport: Arc<dyn Transport>,
    service: Url,
    pub(super) batch_url: Url,
    pub(super) clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    user: UserLimiter,
    fleet: FleetLimiter,
    pub(super) zones: Zones,
}

impl GoogleCalendar {
    /// `transport` is usually a [`super::client`]. All calendars with the same `limiter` share Google's quota.
    pub fn new(
        transport: Arc<dyn Transport>,
        config: &GoogleConfig,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        limiter: Arc<dyn RateLimiter>,
    ) -> Result<Self> {
        let service = Url::parse(&config.calendar_url).map_err(Error::internal)?;
        let batch_url = Url::parse(&config.batch_url).map_err(Error::internal)?;
        let fleet = FleetLimiter::new(limiter, random.clone(), config.quota_a_minute);
        Ok(Self {
            transport,
            service,
            batch_url,
            clock,
            random,
            user: UserLimiter::default(),
            fleet,
            zones: Zones::default(),
        })
    }

    /// The address of `path` below the service's, with each segment escaped.
    pub(super) fn address(&self, path: &[&str]) -> Url {
        let mut url = self.service.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// The address of a calendar's events, or of `below` them.
    pub(super) fn events(&self, calendar: &CalendarId, below: &[&str]) -> Url {
        self.address(&[&["calendars", calendar.as_str(), "events"], below].concat())
    }

    pub(super) async fn exchange(
        &self,
        access: &Access,
        mut request: Request,
        time: Duration,
    ) -> Result<Answer, CalendarError> {
        let mut token = HeaderValue::try_from(format!("Bearer {}", access.token.expose_secret()))
            .map_err(|_| wire::unsendable())?;
        token.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, token);
        self.transport.exchange(request, time).await
    }

    pub(super) fn retry<'a>(&'a self, access: &'a Access, deadline: DateTime<Utc>) -> Retry<'a> {
        Retry::new(&*self.clock, &*self.random, (&self.user, &self.fleet), access, deadline)
    }

    /// One call, repeated until it succeeds, `retry` gives up or `again` finds the failure not transient. Counts each
    /// attempt in `calls`.
    pub(super) async fn call(
        &self,
        access: &Access,
        place: Place,
        request: &Request,
        retry: &mut Retry<'_>,
        calls: &mut u32,
        again: fn(&CalendarError) -> bool,
    ) -> Result<Answer, CalendarError> {
        loop {
            let time_left = retry.turn(ONE_CALL).await?;
            *calls += 1;
            let failure = match self.exchange(access, request.clone(), time_left).await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => refusals::failure(place, refusals::read(answer.status().as_u16(), answer.body())),
                Err(failure) => failure,
            };
            if !again(&failure) || !retry.failed().await {
                return Err(failure);
            }
        }
    }
}
