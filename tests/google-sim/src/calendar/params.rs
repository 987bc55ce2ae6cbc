//! Query parameters, read as strictly as Google reads them.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::error::{ApiError, Result};
use crate::http::Request;

/// Parameters that are true or false, whatever the method.
const FLAGS: [&str; 9] = [
    "alwaysIncludeEmail",
    "prettyPrint",
    "sendNotifications",
    "showDeleted",
    "showHidden",
    "showHiddenInvitations",
    "showOwnOrganizationOnly",
    "singleEvents",
    "supportsAttachments",
];

/// Parameters that count something, whatever the method.
const NUMBERS: [&str; 4] = ["conferenceDataVersion", "eventLabelVersion", "maxAttendees", "maxResults"];

/// The query of a call.
#[derive(Clone, Copy)]
pub(crate) struct Params<'a>(pub &'a Request);

impl<'a> Params<'a> {
    /// Whether those that every method reads alike can be read.
    pub fn check(self) -> Result<()> {
        for (name, _) in &self.0.query {
            if FLAGS.contains(&name.as_str()) {
                self.flag(name)?;
            } else if NUMBERS.contains(&name.as_str()) {
                self.number(name)?;
            }
        }
        match self.text("sendUpdates") {
            None | Some("all" | "externalOnly" | "none") => Ok(()),
            Some(_) => Err(ApiError::parameter("sendUpdates", "Invalid string value.")),
        }
    }

    pub fn text(self, name: &str) -> Option<&'a str> {
        self.0.param(name)
    }

    pub fn has(self, name: &str) -> bool {
        self.text(name).is_some()
    }

    pub fn flag(self, name: &str) -> Result<Option<bool>> {
        self.text(name)
            .map(|value| match value.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => Err(invalid_value(name, value, "boolean")),
            })
            .transpose()
    }

    pub fn number(self, name: &str) -> Result<Option<usize>> {
        self.text(name)
            .map(|value| value.parse::<usize>().map_err(|_| invalid_value(name, value, "integer")))
            .transpose()
    }

    /// A moment with an offset, which Google demands here; fractions of a second are ignored.
    pub fn moment(self, name: &str) -> Result<Option<DateTime<Utc>>> {
        self.text(name)
            .map(|value| {
                DateTime::parse_from_rfc3339(value)
                    .ok()
                    .and_then(|at| DateTime::from_timestamp(at.timestamp(), 0))
                    .ok_or_else(|| ApiError::bad_request("Bad Request").at("parameter", name))
            })
            .transpose()
    }

    pub fn zone(self) -> Result<Option<Tz>> {
        self.text("timeZone")
            .map(|value| value.parse().map_err(|_| ApiError::invalid("Invalid time zone.").at("parameter", "timeZone")))
            .transpose()
    }

    /// How many items a page is to hold: at least one, and at most what Google gives.
    pub fn page_size(self, usual: usize, most: usize) -> Result<usize> {
        match self.number("maxResults")? {
            Some(0) => Err(invalid_value("maxResults", "0", "positive integer")),
            Some(size) => Ok(size.min(most)),
            None => Ok(usual),
        }
    }

    /// Repeated `key=value` parameters.
    pub fn properties(self, name: &str) -> Result<Vec<(String, String)>> {
        self.0
            .params(name)
            .iter()
            .map(|pair| {
                pair.split_once('=')
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .ok_or_else(|| ApiError::invalid("Invalid Value").at("parameter", name))
            })
            .collect()
    }

    pub fn all(self, name: &str) -> Vec<String> {
        self.0.params(name)
    }
}

fn invalid_value(name: &str, value: &str, kind: &str) -> ApiError {
    ApiError::parameter(name, &format!("Invalid {kind} value: '{value}'."))
}
