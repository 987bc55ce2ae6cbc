//! The Calendar API: from a request to a method, and from the method's outcome to an answer.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::cursor::PageToken;
use super::fields::{EVERYTHING, Selector};
use super::freebusy::Question;
use super::list::{Listing, Page};
use super::method::Method;
use super::params::Params;
use super::place::OptionalParts;
use super::show::{Shown, View};
use super::when::check_zones;
use super::write::{Manner, Write};
use super::{Calendar, Event, Role, acl, colors, resources, settings};
use crate::Google;
use crate::call_log::WriteCall;
use crate::config::{Behaviour, Config};
use crate::error::{ApiError, Result};
use crate::http::{Delivery, Request, Response};
use crate::oauth::{Caller, scopes};
use crate::push::Feed;

/// By how many milliseconds the answer to a watch call comes after its first message.
const EARLY_SYNC_MS: u64 = 40;

/// What the methods have in common.
struct Context<'a> {
    now: DateTime<Utc>,
    request: &'a Request,
    caller: Caller,
    wanted: Selector,
    in_batch: bool,
}

impl Context<'_> {
    /// An answer with that etag, unless the caller has it already.
    fn answer(&self, etag: &str, resource: &impl Serialize) -> Response {
        if self.request.method == "GET" && self.request.header_value("if-none-match") == Some(etag) {
            return Response::empty(304).with("etag", etag);
        }
        self.print(resource).with("etag", etag)
    }

    fn answer_page(&self, page: &Page<'_>) -> Response {
        self.answer(&page.etag(), &page.shown(&self.wanted))
    }

    fn answer_event(&self, event: &Event, calendar: &Calendar, role: Role) -> Result<Response> {
        let params = Params(self.request);
        let view = View {
            viewer: &calendar.id,
            zone: params.zone()?.unwrap_or(calendar.zone),
            max_attendees: params.number("maxAttendees")?,
            with_details: true,
            role,
        };
        Ok(self.answer(&event.etag(), &Shown { event, view: &view, wanted: &self.wanted }))
    }

    fn answer_value(&self, value: Value) -> Response {
        let etag = value.get("etag").and_then(Value::as_str).map(str::to_owned);
        let value = self.wanted.apply(value);
        match etag {
            Some(etag) => self.answer(&etag, &value),
            None => self.print(&value),
        }
    }

    fn print(&self, resource: &impl Serialize) -> Response {
        match self.request.param("prettyPrint") {
            Some("false") => Response::compact(200, resource),
            _ => Response::pretty(200, resource),
        }
    }
}

/// The calendar and event that `request` would change: two such parts of one batch clash.
pub(crate) fn changed_by(request: &Request) -> Option<(String, String)> {
    let method = Method::of(request)?;
    let (calendar, event) = method.changes()?;
    Some((calendar.to_owned(), event.to_owned()))
}

impl Google {
    /// Answers one call of the Calendar API.
    pub(crate) fn calendar_call(&mut self, now: DateTime<Utc>, request: &Request, in_batch: bool) -> Response {
        let Some(method) = Method::of(request) else {
            return ApiError::not_found().response();
        };
        let account = self.tokens.account_of(now, request);
        let mut outcome = None;
        let response = self.with_faults(method.name(), account.as_deref(), |google| {
            let answer = google.calendar_answer(now, request, &method, in_batch);
            let response = answer.unwrap_or_else(|error| error.response());
            outcome = Some(response.status);
            response
        });
        if request.method != "GET" && method != Method::FreebusyQuery {
            let call = WriteCall::new(now, method.name(), account.as_deref(), request, in_batch);
            self.writes.push(WriteCall { status: response.status, outcome, ..call });
        }
        response
    }

    fn calendar_answer(
        &mut self,
        now: DateTime<Utc>,
        request: &Request,
        method: &Method,
        in_batch: bool,
    ) -> Result<Response> {
        let (caller, granted) = self.tokens.caller(now, request)?;
        if !scopes::allows(granted, method.name()) {
            return Err(ApiError::insufficient_scope(method.name()));
        }
        let cost = method.cost();
        let limits = &self.config.limits;
        let random = &mut self.random;
        let (project, account) = (&caller.project, &caller.account);
        self.quota.take(now, project, account, cost, limits, random)?;
        Params(request).check()?;
        let wanted = request.param("fields").map(Selector::parse).transpose()?.unwrap_or_default();
        let context = Context { now, request, caller, wanted, in_batch };
        let mut response = self.run(&context, method)?;
        // The first message may overtake the answer that says where it comes from.
        if matches!(method, Method::EventsWatch(_)) && self.random.chance(self.config.behaviour.early_sync) {
            response.delivery = Delivery::After(EARLY_SYNC_MS);
        }
        Ok(response)
    }

    /// A listing as the calendar's owner sees it, for pages that show events.
    pub(crate) fn list_as_owner(&mut self, now: DateTime<Utc>, calendar: &Calendar, request: &Request) -> Value {
        let listing = Listing {
            now,
            account: &calendar.owner,
            calendar,
            role: Role::Owner,
            params: Params(request),
            limits: &self.config.limits,
            behaviour: &Behaviour::default(),
        };
        listing.events(&mut self.random).map(|page| json!(page.shown(&EVERYTHING))).unwrap_or_default()
    }

    fn run(&mut self, context: &Context<'_>, method: &Method) -> Result<Response> {
        let account = &context.caller.account;
        match method {
            Method::EventsList(calendar) => {
                let (calendar, role) = visible(&self.calendars, account, calendar)?;
                let calendar = as_listed(calendar, context, self.config.behaviour.listing_lag_ms);
                let page = listing(&self.config, context, (&calendar, role)).events(&mut self.random)?;
                Ok(context.answer_page(&page))
            }
            Method::EventsInstances(calendar, event) => {
                let place = visible(&self.calendars, account, calendar)?;
                let page = listing(&self.config, context, place).instances(event, &mut self.random)?;
                Ok(context.answer_page(&page))
            }
            Method::EventsGet(calendar, event) => {
                let (calendar, role) = visible(&self.calendars, account, calendar)?;
                let event = calendar.find(event).filter(|event| !event.purged);
                let event = event.ok_or_else(ApiError::not_found)?;
                context.answer_event(&event, calendar, role)
            }
            Method::EventsInsert(calendar)
            | Method::EventsImport(calendar)
            | Method::EventsUpdate(calendar, _)
            | Method::EventsPatch(calendar, _)
            | Method::EventsDelete(calendar, _) => self.write(context, method, calendar),
            Method::EventsMove(calendar, event) => self.move_event(context, calendar, event),
            Method::EventsWatch(calendar) => self.watch(context, calendar).map(|channel| context.answer_value(channel)),
            Method::ChannelsStop => {
                let body = body(context.request)?;
                self.push.stop(context.now, &context.caller, &body, &self.config.behaviour)?;
                Ok(Response::empty(204))
            }
            Method::FreebusyQuery => {
                let question = Question::read(&body(context.request)?)?;
                Ok(context.answer_value(question.answer(&self.calendars, account, context.now)))
            }
            Method::CalendarListList
            | Method::CalendarListGet(_)
            | Method::CalendarsGet(_)
            | Method::AclList(_)
            | Method::AclGet(..)
            | Method::SettingsList
            | Method::SettingsGet(_)
            | Method::ColorsGet => self.describe(context, method).map(|value| context.answer_value(value)),
            Method::Missing(name) => Err(ApiError::not_implemented(name)),
        }
    }

    /// What is around the events: calendars, their rules, settings and colours.
    fn describe(&self, context: &Context<'_>, method: &Method) -> Result<Value> {
        let (account, now, params) = (&context.caller.account, context.now, Params(context.request));
        let life_secs = self.config.limits.cursor_secs;
        let person = || self.tokens.accounts.get(account).ok_or_else(ApiError::not_found);
        match method {
            Method::CalendarListList => resources::list(&self.calendars, account, now, life_secs, params),
            Method::CalendarListGet(calendar) => {
                let (calendar, role) = visible(&self.calendars, account, calendar)?;
                Ok(resources::entry(calendar, role, account))
            }
            Method::CalendarsGet(calendar) => {
                let (calendar, _) = visible(&self.calendars, account, calendar)?;
                Ok(resources::calendar(calendar))
            }
            Method::AclList(calendar) => {
                let (calendar, role) = visible(&self.calendars, account, calendar)?;
                require_writer(role)?;
                acl::list(calendar, account, now, life_secs, params)
            }
            Method::AclGet(calendar, id) => {
                let (calendar, role) = visible(&self.calendars, account, calendar)?;
                require_writer(role)?;
                acl::get(calendar, id)
            }
            Method::SettingsList => settings::list(person()?, now, life_secs, params),
            Method::SettingsGet(setting) => settings::get(person()?, setting),
            Method::ColorsGet => Ok(colors::get()),
            _ => Err(ApiError::not_implemented(method.name())),
        }
    }

    fn write(&mut self, context: &Context<'_>, method: &Method, calendar: &str) -> Result<Response> {
        let calendar = self.writable(context, calendar)?;
        let params = Params(context.request);
        check_zones(&body(context.request)?, &self.config.behaviour.unknown_zones)?;
        let mut write = Write {
            now: context.now,
            calendar: &calendar,
            by: &context.caller.account,
            if_match: context.request.header_value("if-match"),
            in_batch: context.in_batch,
            by_hand: false,
            parts: OptionalParts {
                conference: params.number("conferenceDataVersion")? == Some(1),
                attachments: params.flag("supportsAttachments")? == Some(true),
            },
            behaviour: &self.config.behaviour,
            random: &mut self.random,
        };
        let calendars = &mut self.calendars;
        let id = match method {
            Method::EventsInsert(_) => calendars.insert(&mut write, &body(context.request)?)?,
            Method::EventsImport(_) => calendars.import(&mut write, &body(context.request)?)?,
            Method::EventsUpdate(_, id) => {
                calendars.update(&mut write, id, &body(context.request)?, Manner::Replace)?;
                id.clone()
            }
            Method::EventsPatch(_, id) => {
                calendars.update(&mut write, id, &body(context.request)?, Manner::Merge)?;
                id.clone()
            }
            _ => {
                let (_, id) = method.changes().ok_or_else(ApiError::not_found)?;
                calendars.delete(&mut write, id)?;
                return Ok(Response::empty(204));
            }
        };
        self.answer_written(context, &calendar, &id)
    }

    fn move_event(&mut self, context: &Context<'_>, calendar: &str, event: &str) -> Result<Response> {
        let destination = Params(context.request)
            .text("destination")
            .ok_or_else(|| ApiError::required("Required parameter: destination").at("parameter", "destination"))?;
        let (from, to) = (self.writable(context, calendar)?, self.writable(context, destination)?);
        let write = Write {
            if_match: context.request.header_value("if-match"),
            ..Write::by_hand(context.now, &from, &context.caller.account, &self.config.behaviour, &mut self.random)
        };
        self.calendars.transfer(&write, event, &to)?;
        self.answer_written(context, &to, event)
    }

    /// The id of a calendar into which the caller may write now.
    fn writable(&mut self, context: &Context<'_>, calendar: &str) -> Result<String> {
        let (place, role) = visible(&self.calendars, &context.caller.account, calendar)?;
        require_writer(role)?;
        self.quota.take_write(context.now, &place.id, &self.config.limits)?;
        Ok(place.id.clone())
    }

    fn answer_written(&self, context: &Context<'_>, calendar: &str, id: &str) -> Result<Response> {
        let (calendar, role) = visible(&self.calendars, &context.caller.account, calendar)?;
        let event = calendar.find(id).ok_or_else(ApiError::not_found)?;
        context.answer_event(&event, calendar, role)
    }

    fn watch(&mut self, context: &Context<'_>, calendar: &str) -> Result<Value> {
        let account = &context.caller.account;
        let params = Params(context.request);
        let named = calendar;
        let (calendar, role) = visible(&self.calendars, account, named)?;
        // Google weighs a cursor here as well, although there is nothing to list.
        listing(&self.config, context, (calendar, role)).check()?;
        let body = body(context.request)?;
        let feed = Feed { calendar, named, kinds: params.all("eventTypes") };
        self.push.watch(context.now, &context.caller, feed, &body, &self.config, &mut self.random)
    }
}

fn listing<'a>(config: &'a Config, context: &'a Context<'_>, (calendar, role): (&'a Calendar, Role)) -> Listing<'a> {
    Listing {
        now: context.now,
        account: &context.caller.account,
        calendar,
        role,
        params: Params(context.request),
        limits: &config.limits,
        behaviour: &config.behaviour,
    }
}

fn require_writer(role: Role) -> Result<()> {
    if role < Role::Writer {
        let message = "You need to have writer access to this calendar.";
        return Err(ApiError::forbidden("requiredAccessLevel", message));
    }
    Ok(())
}

/// The calendar as a listing shows it, which may lag behind, but not behind what its first page has seen: that is where
/// the cursor of its last page goes on.
fn as_listed<'a>(calendar: &'a Calendar, context: &Context<'_>, lag_ms: u64) -> Cow<'a, Calendar> {
    if lag_ms == 0 {
        return Cow::Borrowed(calendar);
    }
    let horizon = u64::try_from(context.now.timestamp_micros()).unwrap_or(0).saturating_sub(lag_ms * 1_000);
    let seen = Params(context.request).text("pageToken").and_then(PageToken::upto);
    Cow::Owned(calendar.as_of(seen.map_or(horizon, |seen| seen.max(horizon))))
}

fn visible<'a>(calendars: &'a super::Calendars, account: &str, calendar: &str) -> Result<(&'a Calendar, Role)> {
    calendars.visible(account, calendar).ok_or_else(ApiError::not_found)
}

fn body(request: &Request) -> Result<Map<String, Value>> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(body)) => Ok(body),
        Err(_) if request.body.is_empty() => Ok(Map::new()),
        _ => Err(ApiError::new(400, "global", "parseError", "Parse Error")),
    }
}
