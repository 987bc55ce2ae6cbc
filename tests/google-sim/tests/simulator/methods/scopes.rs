use crate::common::{ADA, World, refusal, refused};
use google_sim::Request;
use serde_json::json;

/// Each method here, the scopes that allow it, and one that does not though its name suggests it.
const METHODS: [(&str, &str, &[&str], &str); 8] = [
    (
        "POST",
        "/calendar/v3/freeBusy",
        &["calendar", "calendar.events.freebusy", "calendar.freebusy", "calendar.readonly"],
        "calendar.events",
    ),
    (
        "POST",
        "/calendar/v3/calendars/primary/events/import",
        &["calendar", "calendar.app.created", "calendar.events", "calendar.events.owned"],
        "calendar.events.readonly",
    ),
    (
        "POST",
        "/calendar/v3/calendars/primary/events/none1/move",
        &["calendar", "calendar.events", "calendar.events.owned"],
        "calendar.app.created",
    ),
    (
        "GET",
        "/calendar/v3/calendars/primary/acl",
        &["calendar", "calendar.acls", "calendar.acls.readonly"],
        "calendar.readonly",
    ),
    (
        "GET",
        "/calendar/v3/calendars/primary/acl/user:ada@example.com",
        &["calendar", "calendar.acls", "calendar.acls.readonly", "calendar.readonly"],
        "calendar.calendars",
    ),
    (
        "GET",
        "/calendar/v3/users/me/settings",
        &["calendar", "calendar.readonly", "calendar.settings", "calendar.settings.readonly"],
        "calendar.calendarlist",
    ),
    (
        "GET",
        "/calendar/v3/users/me/settings/locale",
        &["calendar", "calendar.readonly", "calendar.settings", "calendar.settings.readonly"],
        "calendar.events",
    ),
    (
        "GET",
        "/calendar/v3/colors",
        &[
            "calendar",
            "calendar.app.created",
            "calendar.calendarlist",
            "calendar.calendarlist.readonly",
            "calendar.events.freebusy",
            "calendar.events.owned",
            "calendar.events.owned.readonly",
            "calendar.events.public.readonly",
            "calendar.readonly",
        ],
        "calendar.events",
    ),
];

#[test]
fn each_method_has_scopes_of_its_own() {
    let mut world = World::new();
    let mut ask = |method: &str, target: &str, scope: &str| {
        let token = world.token_of(ADA, &[&format!("https://www.googleapis.com/auth/{scope}")]);
        world.send(Request::new(method, target).bearer(&token).json(&json!({})))
    };
    for (method, target, allowed, refused_scope) in METHODS {
        for scope in allowed {
            assert_ne!(refusal(&ask(method, target, scope)).1, "insufficientPermissions", "{target} {scope}");
        }
        refused(&ask(method, target, refused_scope), 403, "insufficientPermissions");
    }
}
