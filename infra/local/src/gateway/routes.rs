//! Which request goes to which function, and whether it needs a token: the routes of `template.yaml`.

/// A route of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The request's method.
    pub method: &'static str,
    /// The request's path, parameters in braces.
    pub path: &'static str,
    /// The function that answers.
    pub function: &'static str,
    /// Who may call.
    pub access: Access,
}

/// Who may call a route, and by which way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever shows a token that the API's JWT authorizer accepts.
    Token,
    /// Anyone.
    Open,
    /// Anyone, at the function's own URL instead of the API.
    FunctionUrl,
}

use Access::{FunctionUrl, Open, Token};

/// All routes.
pub const ROUTES: [Route; 9] = [
    route("GET", "/api/v1/calendar/oauth/url", "oauth-url", Token),
    route("GET", "/api/v1/calendar/oauth/callback", "oauth-callback", Open),
    route("POST", "/api/v1/calendar/oauth/callback", "oauth-callback", Token),
    route("POST", "/api/v1/calendar/sync", "sync", Token),
    route("GET", "/api/v1/calendar/status/{instructorId}", "status", Token),
    route("PATCH", "/api/v1/calendar/settings/{instructorId}", "settings", Token),
    route("POST", "/api/v1/calendar/disconnect", "disconnect", Token),
    route("GET", "/api/v1/calendar/external-events/{instructorId}", "external-events", Token),
    route("POST", "/api/v1/calendar/webhook", "webhook", FunctionUrl),
];

const fn route(method: &'static str, path: &'static str, function: &'static str, access: Access) -> Route {
    Route { method, path, function, access }
}
