//! Google's refusals, in both of its envelopes.

use serde_json::{Value, json};

use crate::http::Response;

const LOGIN_REQUIRED: &str = "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";

const INVALID_CREDENTIALS: &str = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";

/// A refusal of a Calendar call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub status: u16,
    domain: &'static str,
    pub reason: String,
    message: String,
    location: Option<Box<(&'static str, String)>>,
    front: Option<Box<Front>>,
}

/// What the API front end adds to refusals that never reach the calendar backend.
#[derive(Clone, Debug, PartialEq)]
struct Front {
    status: &'static str,
    /// The longer text, which stands beside the list of errors.
    message: &'static str,
    details: Vec<Value>,
}

pub(crate) type Result<T> = std::result::Result<T, ApiError>;

impl ApiError {
    pub fn new(status: u16, domain: &'static str, reason: &str, message: &str) -> Self {
        Self { status, domain, reason: reason.to_owned(), message: message.to_owned(), location: None, front: None }
    }

    pub fn invalid(message: &str) -> Self {
        Self::new(400, "global", "invalid", message)
    }

    pub fn required(message: &str) -> Self {
        Self::new(400, "global", "required", message)
    }

    pub fn bad_request(message: &str) -> Self {
        Self::new(400, "global", "badRequest", message)
    }

    pub fn parameter(name: &str, message: &str) -> Self {
        Self::new(400, "global", "invalidParameter", message).at("parameter", name)
    }

    pub fn not_found() -> Self {
        Self::new(404, "global", "notFound", "Not Found")
    }

    pub fn deleted() -> Self {
        Self::new(410, "global", "deleted", "Resource has been deleted")
    }

    pub fn duplicate() -> Self {
        let message = "The requested identifier already exists.";
        Self::new(409, "global", "duplicate", message)
    }

    pub fn conflict() -> Self {
        Self::new(409, "global", "conflict", "Conflict")
    }

    pub fn condition_not_met() -> Self {
        Self::new(412, "global", "conditionNotMet", "Precondition Failed").at("header", "If-Match")
    }

    pub fn full_sync_required() -> Self {
        let message = "Sync token is no longer valid, a full sync is required.";
        Self::new(410, "calendar", "fullSyncRequired", message).at("parameter", "syncToken")
    }

    pub fn forbidden(reason: &str, message: &str) -> Self {
        Self::new(403, "calendar", reason, message)
    }

    pub fn usage(status: u16, reason: &str, message: &str) -> Self {
        Self::new(status, "usageLimits", reason, message)
    }

    pub fn not_implemented(method: &str) -> Self {
        let message = format!("The simulator does not keep {method}.");
        Self::new(501, "global", "notImplemented", &message)
    }

    /// No token, or one that is not good any more: the front end answers.
    pub fn unauthenticated(missing: bool) -> Self {
        let (reason, short, message) = if missing {
            ("required", "Login Required.", LOGIN_REQUIRED)
        } else {
            ("authError", "Invalid Credentials", INVALID_CREDENTIALS)
        };
        Self {
            front: Some(Box::new(Front { status: "UNAUTHENTICATED", message, details: Vec::new() })),
            ..Self::new(401, "global", reason, short).at("header", "Authorization")
        }
    }

    /// A guest's call tries to change what is the organizer's.
    pub fn not_the_organizer() -> Self {
        let message = "Shared properties can only be changed by the organizer of the event.";
        Self::forbidden("forbiddenForNonOrganizer", message)
    }

    /// The token lacks every scope that would allow `method`, a name such as `calendar.events.list`.
    pub fn insufficient_scope(method: &str) -> Self {
        let details = json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
            "metadata": {
                "service": "calendar-json.googleapis.com",
                "method": front_end_name(method),
            },
        });
        Self {
            front: Some(Box::new(Front {
                status: "PERMISSION_DENIED",
                message: "Request had insufficient authentication scopes.",
                details: vec![details],
            })),
            ..Self::new(403, "global", "insufficientPermissions", "Insufficient Permission")
        }
    }

    /// What the front end adds to its `WWW-Authenticate`.
    fn challenge(&self) -> Option<&'static str> {
        self.front.as_ref()?;
        Some(match self.reason.as_str() {
            "authError" => ", error=\"invalid_token\"",
            "insufficientPermissions" => ", error=\"insufficient_scope\"",
            _ => "",
        })
    }

    #[must_use]
    pub fn at(mut self, location_type: &'static str, location: &str) -> Self {
        self.location = Some(Box::new((location_type, location.to_owned())));
        self
    }

    pub fn response(&self) -> Response {
        let mut detail = json!({"domain": self.domain, "reason": self.reason, "message": self.message});
        if let Some((kind, place)) = self.location.as_deref() {
            detail["locationType"] = json!(kind);
            detail["location"] = json!(place);
        }
        let mut error = json!({"errors": [detail], "code": self.status, "message": self.message});
        if let Some(front) = &self.front {
            error["message"] = json!(front.message);
            error["status"] = json!(front.status);
            if !front.details.is_empty() {
                error["details"] = json!(front.details);
            }
        }
        let response = Response::pretty(self.status, &json!({ "error": error }));
        match self.challenge() {
            Some(error) => {
                response.with("www-authenticate", &format!("Bearer realm=\"https://accounts.google.com/\"{error}"))
            }
            None => response,
        }
    }
}

/// `calendar.calendarList.list` as the front end writes it: `calendar.v3.CalendarList.List`.
fn front_end_name(method: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    let parts: Vec<String> = method.split('.').skip(1).map(capital).collect();
    format!("calendar.v3.{}", parts.join("."))
}
