//! Looks into the simulated Google past the product, as its calendars' owners see them, series expanded by Google.

use chrono::{DateTime, SecondsFormat, Utc};
use google_sim::{Client, Request};
use serde_json::Value;

use crate::sim::State;

const CLIENT: &str = "observer";
const SCOPE: &str = "https://www.googleapis.com/auth/calendar";

/// An OAuth client of a project of its own, which no withdrawn grant of the product touches.
pub fn client() -> Client {
    Client {
        id: CLIENT.to_owned(),
        secret: "secret".to_owned(),
        redirect_uris: Vec::new(),
        project: "observers".to_owned(),
        testing: false,
    }
}

impl State {
    /// The instances of a series that lie in the window.
    pub fn instances(&mut self, calendar: &str, series: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Value> {
        self.look(calendar, &format!("/{series}/instances?"), from, to)
    }

    /// Everything that takes place in the window, each occurrence for itself.
    pub fn occurrences(&mut self, calendar: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Value> {
        self.look(calendar, "?singleEvents=true&maxResults=2500&", from, to)
    }

    fn look(&mut self, calendar: &str, what: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<Value> {
        let token = self.google.grant(self.now, CLIENT, calendar, &[SCOPE]).access_token;
        let [from, to] = [from, to].map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        let (mut items, mut page) = (Vec::new(), String::new());
        loop {
            let target = format!("/calendar/v3/calendars/primary/events{what}timeMin={from}&timeMax={to}{page}");
            let answer = self.google.handle(self.now, &Request::new("GET", &target).bearer(&token)).value();
            let Some(found) = answer["items"].as_array() else { return items };
            items.extend(found.iter().cloned());
            match answer["nextPageToken"].as_str() {
                Some(token) => page = format!("&pageToken={token}"),
                None => return items,
            }
        }
    }
}
