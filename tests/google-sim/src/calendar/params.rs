//! Query parameters, read as strictly as Google reads them.

use std::ops::RangeInclusive;

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

/// Parameters that count something, whatever the method, and what they may count.
const NUMBERS: [(&str, RangeInclusive<usize>); 4] = [
    ("conferenceDataVersion", 0..=1),
    ("eventLabelVersion", 0..=1),
    ("maxAttendees", 1..=MAX_INT32),
    ("maxResults", 1..=MAX_INT32),
];

const MAX_INT32: usize = 0x7FFF_FFFF;

/// The query of a call.
#[derive(Clone, Copy)]
pub(crate) struct Params<'a>(pub &'a Request);

impl<'a> Params<'a> {
    /// Whether those that every method reads alike can be read.
    pub fn check(self) -> Result<()> {
        for (name, _) in &self.0.query {
            if FLAGS.contains(&name.as_str()) {
                self.flag(name)?;
            } else if NUMBERS.iter().any(|(number, _)| number == name) {
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
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        let number = value.parse().map_err(|_| invalid_value(name, value, "integer"))?;
        match NUMBERS.iter().find(|(known, range)| *known == name && !range.contains(&number)) {
            None => Ok(Some(number)),
            Some((_, range)) => {
                let (least, most) = (range.start(), range.end());
                let message = format!("Invalid integer value: '{value}'. It must be within [{least}, {most}].");
                Err(ApiError::parameter(name, &message))
            }
        }
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
        Ok(self.number("maxResults")?.map_or(usual, |size| size.min(most)))
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
