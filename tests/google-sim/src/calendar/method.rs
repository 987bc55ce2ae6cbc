//! The methods of the API: from a request to the one that its path names.

use crate::http::Request;

/// The path before every method.
const SERVICE: [&str; 2] = ["calendar", "v3"];

/// A method of the API, on what its path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    EventsList(String),
    EventsInsert(String),
    EventsImport(String),
    EventsGet(String, String),
    EventsUpdate(String, String),
    EventsPatch(String, String),
    EventsDelete(String, String),
    EventsMove(String, String),
    EventsInstances(String, String),
    EventsWatch(String),
    ChannelsStop,
    CalendarListList,
    CalendarListGet(String),
    CalendarsGet(String),
    AclList(String),
    AclGet(String, String),
    SettingsList,
    SettingsGet(String),
    ColorsGet,
    FreebusyQuery,
    /// A method that Google has and the simulator does not keep.
    Missing(&'static str),
}

impl Method {
    pub fn of(request: &Request) -> Option<Self> {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let path = path.strip_prefix(&SERVICE)?;
        let method = request.method.as_str();
        match path {
            ["calendars", c, "events", rest @ ..] => Self::of_events(method, c, rest),
            ["calendars", ..] => Self::of_calendars(method, path),
            ["users", "me", rest @ ..] => Self::of_user(method, rest),
            ["channels", "stop"] if method == "POST" => Some(Self::ChannelsStop),
            ["freeBusy"] if method == "POST" => Some(Self::FreebusyQuery),
            ["colors"] if method == "GET" => Some(Self::ColorsGet),
            _ => None,
        }
    }

    fn of_events(method: &str, calendar: &str, rest: &[&str]) -> Option<Self> {
        let c = calendar.to_owned();
        let e = |event: &str| event.to_owned();
        Some(match (method, rest) {
            ("GET", []) => Self::EventsList(c),
            ("POST", []) => Self::EventsInsert(c),
            ("POST", ["watch"]) => Self::EventsWatch(c),
            ("POST", ["import"]) => Self::EventsImport(c),
            ("POST", ["quickAdd"]) => Self::Missing("calendar.events.quickAdd"),
            ("POST", [event, "move"]) => Self::EventsMove(c, e(event)),
            ("GET", [event]) => Self::EventsGet(c, e(event)),
            ("PUT", [event]) => Self::EventsUpdate(c, e(event)),
            ("PATCH", [event]) => Self::EventsPatch(c, e(event)),
            ("DELETE", [event]) => Self::EventsDelete(c, e(event)),
            ("GET", [event, "instances"]) => Self::EventsInstances(c, e(event)),
            _ => return None,
        })
    }

    fn of_calendars(method: &str, path: &[&str]) -> Option<Self> {
        Some(match (method, path) {
            ("GET", [_, c]) => Self::CalendarsGet((*c).to_owned()),
            ("GET", [_, c, "acl"]) => Self::AclList((*c).to_owned()),
            ("GET", [_, c, "acl", rule]) => Self::AclGet((*c).to_owned(), (*rule).to_owned()),
            (_, [_, _, "acl", ..]) => Self::Missing("calendar.acl"),
            (_, [_] | [_, _] | [_, _, "clear" | "transferOwnership"]) => Self::Missing("calendar.calendars"),
            _ => return None,
        })
    }

    fn of_user(method: &str, rest: &[&str]) -> Option<Self> {
        Some(match (method, rest) {
            ("GET", ["calendarList"]) => Self::CalendarListList,
            ("GET", ["calendarList", c]) => Self::CalendarListGet((*c).to_owned()),
            (_, ["calendarList", ..]) => Self::Missing("calendar.calendarList"),
            ("GET", ["settings"]) => Self::SettingsList,
            ("GET", ["settings", setting]) => Self::SettingsGet((*setting).to_owned()),
            (_, ["settings", ..]) => Self::Missing("calendar.settings"),
            _ => return None,
        })
    }

    /// The method's id in the discovery document.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EventsList(_) => "calendar.events.list",
            Self::EventsInsert(_) => "calendar.events.insert",
            Self::EventsImport(_) => "calendar.events.import",
            Self::EventsGet(..) => "calendar.events.get",
            Self::EventsUpdate(..) => "calendar.events.update",
            Self::EventsPatch(..) => "calendar.events.patch",
            Self::EventsDelete(..) => "calendar.events.delete",
            Self::EventsMove(..) => "calendar.events.move",
            Self::EventsInstances(..) => "calendar.events.instances",
            Self::EventsWatch(_) => "calendar.events.watch",
            Self::ChannelsStop => "calendar.channels.stop",
            Self::CalendarListList => "calendar.calendarList.list",
            Self::CalendarListGet(_) => "calendar.calendarList.get",
            Self::CalendarsGet(_) => "calendar.calendars.get",
            Self::AclList(_) => "calendar.acl.list",
            Self::AclGet(..) => "calendar.acl.get",
            Self::SettingsList => "calendar.settings.list",
            Self::SettingsGet(_) => "calendar.settings.get",
            Self::ColorsGet => "calendar.colors.get",
            Self::FreebusyQuery => "calendar.freebusy.query",
            Self::Missing(name) => name,
        }
    }

    /// What the method costs of the minute quotas: PATCH counts three times.
    pub fn cost(&self) -> usize {
        match self {
            Self::EventsPatch(..) => 3,
            _ => 1,
        }
    }

    /// The calendar and event that the method changes, if it changes one that exists.
    pub fn changes(&self) -> Option<(&str, &str)> {
        match self {
            Self::EventsUpdate(c, e) | Self::EventsPatch(c, e) | Self::EventsDelete(c, e) | Self::EventsMove(c, e) => {
                Some((c, e))
            }
            _ => None,
        }
    }
}
