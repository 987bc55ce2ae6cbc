//! Which scope allows which method.

use std::collections::BTreeSet;

/// The prefix of every calendar scope.
pub(crate) const PREFIX: &str = "https://www.googleapis.com/auth/";

/// Scopes without a box of their own on the consent page.
pub(crate) const SIGN_IN: [&str; 3] =
    ["openid", "https://www.googleapis.com/auth/userinfo.email", "https://www.googleapis.com/auth/userinfo.profile"];

const EVENTS_WRITE: [&str; 4] = ["calendar", "calendar.events", "calendar.events.owned", "calendar.app.created"];

const EVENTS_MOVE: [&str; 3] = ["calendar", "calendar.events", "calendar.events.owned"];

const EVENTS_READ: [&str; 9] = [
    "calendar",
    "calendar.readonly",
    "calendar.events",
    "calendar.events.readonly",
    "calendar.events.owned",
    "calendar.events.owned.readonly",
    "calendar.events.public.readonly",
    "calendar.events.freebusy",
    "calendar.app.created",
];

const CALENDAR_LIST: [&str; 4] =
    ["calendar", "calendar.readonly", "calendar.calendarlist", "calendar.calendarlist.readonly"];

const CALENDAR_ENTRY: [&str; 5] = [
    "calendar",
    "calendar.readonly",
    "calendar.calendarlist",
    "calendar.calendarlist.readonly",
    "calendar.app.created",
];

const CALENDARS: [&str; 5] =
    ["calendar", "calendar.readonly", "calendar.calendars", "calendar.calendars.readonly", "calendar.app.created"];

/// The listings that Google lets clients watch. A client with a scope for any of them may stop channels.
const WATCHABLE: [&str; 4] =
    ["calendar.events.list", "calendar.calendarList.list", "calendar.acl.list", "calendar.settings.list"];

const ACL_LIST: [&str; 3] = ["calendar", "calendar.acls", "calendar.acls.readonly"];

const ACL_RULE: [&str; 4] = ["calendar", "calendar.acls", "calendar.acls.readonly", "calendar.readonly"];

const SETTINGS: [&str; 4] = ["calendar", "calendar.readonly", "calendar.settings", "calendar.settings.readonly"];

const COLORS: [&str; 9] = [
    "calendar",
    "calendar.app.created",
    "calendar.calendarlist",
    "calendar.calendarlist.readonly",
    "calendar.events.freebusy",
    "calendar.events.owned",
    "calendar.events.owned.readonly",
    "calendar.events.public.readonly",
    "calendar.readonly",
];

const FREE_BUSY: [&str; 4] = ["calendar", "calendar.events.freebusy", "calendar.freebusy", "calendar.readonly"];

/// All scopes that can be requested, with the consent page's text.
const KNOWN: [(&str, &str); 18] = [
    ("calendar", "See, edit, share and permanently delete all the calendars that you can access"),
    ("calendar.readonly", "See and download any calendar that you can access"),
    ("calendar.events", "View and edit events on all your calendars"),
    ("calendar.events.readonly", "View events on all your calendars"),
    ("calendar.events.owned", "View and edit events on the calendars that you own"),
    ("calendar.events.owned.readonly", "View events on the calendars that you own"),
    ("calendar.events.public.readonly", "View events on public calendars"),
    ("calendar.events.freebusy", "See when you are busy on the calendars that you can access"),
    ("calendar.freebusy", "View your availability in your calendars"),
    ("calendar.calendarlist", "See, add and remove calendars that you are subscribed to"),
    ("calendar.calendarlist.readonly", "See the list of calendars that you are subscribed to"),
    ("calendar.calendars", "See and change the properties of your calendars"),
    ("calendar.calendars.readonly", "See the properties of your calendars"),
    ("calendar.app.created", "Make calendars, and see and edit events on them"),
    ("calendar.acls", "See and change the sharing permissions of calendars that you own"),
    ("calendar.acls.readonly", "See the sharing permissions of calendars that you own"),
    ("calendar.settings", "View your calendar settings"),
    ("calendar.settings.readonly", "View your calendar settings"),
];

/// Whether one of the granted scopes allows `method`. Methods that are not simulated are refused later, for all scopes.
pub(crate) fn allows(granted: &BTreeSet<String>, method: &str) -> bool {
    let wanted: &[&str] = match method {
        "calendar.events.insert"
        | "calendar.events.import"
        | "calendar.events.update"
        | "calendar.events.patch"
        | "calendar.events.delete" => &EVENTS_WRITE,
        "calendar.events.move" => &EVENTS_MOVE,
        "calendar.events.list" | "calendar.events.get" | "calendar.events.instances" | "calendar.events.watch" => {
            &EVENTS_READ
        }
        "calendar.channels.stop" => return WATCHABLE.iter().any(|method| allows(granted, method)),
        "calendar.calendarList.list" => &CALENDAR_LIST,
        "calendar.calendarList.get" => &CALENDAR_ENTRY,
        "calendar.calendars.get" => &CALENDARS,
        "calendar.acl.list" => &ACL_LIST,
        "calendar.acl.get" => &ACL_RULE,
        "calendar.settings.list" | "calendar.settings.get" => &SETTINGS,
        "calendar.colors.get" => &COLORS,
        "calendar.freebusy.query" => &FREE_BUSY,
        _ => return true,
    };
    granted.iter().filter_map(|scope| scope.strip_prefix(PREFIX)).any(|scope| wanted.contains(&scope))
}

/// The form in which Google returns a requested scope; `None` for an unknown one.
pub(crate) fn canonical(scope: &str) -> Option<String> {
    match scope {
        "openid" => Some("openid".to_owned()),
        "email" => Some(SIGN_IN[1].to_owned()),
        "profile" => Some(SIGN_IN[2].to_owned()),
        scope if SIGN_IN.contains(&scope) || description(scope).is_some() => Some(scope.to_owned()),
        _ => None,
    }
}

/// The consent page's text for a scope.
pub(crate) fn description(scope: &str) -> Option<&'static str> {
    let name = scope.strip_prefix(PREFIX)?;
    KNOWN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
