//! What a run of the stack can be told by environment variables.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use chrono::{DateTime, Utc};

use crate::crash::CrashPoint;

/// A variable's value, if it is set.
pub type Variables = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// How this run differs from any other.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `LOCAL_API_PORT`: where the API and the page listen (3000).
    pub api_port: u16,
    /// `LOCAL_GOOGLE_PORT`: where the simulated Google listens (3001).
    pub google_port: u16,
    /// `LOCAL_DATA`: the folder that keeps everything between runs (`data`).
    pub data: PathBuf,
    /// `LOCAL_SCHEDULE_SECONDS`: the pause between the invocations of each schedule, instead of its own rate.
    pub schedule_every: Option<Duration>,
    /// `CRASH_AT`: where the process is to die, for tests.
    pub crash: Option<Arc<CrashPoint>>,
    pub google: GoogleChoice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoogleChoice {
    /// The one in this process.
    Simulated,
    /// The real one, with the OAuth client that the environment names.
    Real,
}

/// The variables that together choose the real Google.
const CLIENT: [&str; 3] = ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "GOOGLE_REDIRECT_URI"];

impl Settings {
    /// Reads the variables; an error names the one that is missing or malformed.
    pub fn from_vars(variable: &Variables) -> anyhow::Result<Self> {
        Ok(Self {
            api_port: number(variable, "LOCAL_API_PORT", 3000)?,
            google_port: number(variable, "LOCAL_GOOGLE_PORT", 3001)?,
            data: set(variable, "LOCAL_DATA").unwrap_or_else(|| "data".into()).into(),
            schedule_every: match number(variable, "LOCAL_SCHEDULE_SECONDS", 0)? {
                0 => None,
                seconds => Some(Duration::from_secs(seconds)),
            },
            crash: set(variable, "CRASH_AT")
                .map(|point| point.parse().map(Arc::new).map_err(anyhow::Error::msg))
                .transpose()
                .context("CRASH_AT")?,
            google: google(variable)?,
        })
    }
}

/// `LOCAL_NOW`: what the clock of the whole process is set to at its start, for tests whose dates stand still.
pub fn clock(variable: &Variables) -> anyhow::Result<Option<DateTime<Utc>>> {
    set(variable, "LOCAL_NOW").map(|at| at.parse()).transpose().context("LOCAL_NOW")
}

fn google(variable: &Variables) -> anyhow::Result<GoogleChoice> {
    let missing: Vec<&str> = CLIENT.into_iter().filter(|name| set(variable, name).is_none()).collect();
    match missing.len() {
        0 => Ok(GoogleChoice::Real),
        3 => Ok(GoogleChoice::Simulated),
        _ => bail!(
            "{} not set: the real Google needs {}; without any of them the simulated one is used",
            missing.join(" and "),
            CLIENT.join(", ")
        ),
    }
}

/// An empty variable counts as absent.
fn set(variable: &Variables, name: &str) -> Option<String> {
    variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn number<T: std::str::FromStr>(variable: &Variables, name: &str, default: T) -> anyhow::Result<T> {
    set(variable, name).map_or(Ok(default), |value| {
        value.parse().map_err(|_| anyhow::anyhow!("{name} is no whole number in range: {value}"))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn variables(variables: &[(&str, &str)]) -> Variables {
        let variables: HashMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Arc::new(move |name: &str| variables.get(name).cloned())
    }

    fn settings(given: &[(&str, &str)]) -> anyhow::Result<Settings> {
        Settings::from_vars(&variables(given))
    }

    #[test]
    fn without_any_variable_google_is_simulated_on_the_usual_ports() {
        let settings = settings(&[("GOOGLE_CLIENT_ID", "")]).unwrap();
        assert_eq!((settings.api_port, settings.google_port), (3000, 3001));
        assert_eq!(settings.google, GoogleChoice::Simulated);
    }

    #[test]
    fn a_whole_client_chooses_the_real_google_and_half_a_client_is_refused() {
        let client = [
            ("GOOGLE_CLIENT_ID", "id"),
            ("GOOGLE_CLIENT_SECRET", "secret"),
            ("GOOGLE_REDIRECT_URI", "http://localhost:3000/api/v1/calendar/oauth/callback"),
        ];
        assert_eq!(settings(&client).unwrap().google, GoogleChoice::Real);
        let error = settings(&[("GOOGLE_CLIENT_ID", "id")]).unwrap_err().to_string();
        assert!(error.starts_with("GOOGLE_CLIENT_SECRET and GOOGLE_REDIRECT_URI not set"), "{error}");
    }

    #[test]
    fn an_error_names_the_malformed_variable() {
        for (name, value) in [("LOCAL_API_PORT", "70000"), ("LOCAL_SCHEDULE_SECONDS", "1m"), ("CRASH_AT", "now")] {
            let error = settings(&[(name, value)]).unwrap_err();
            assert!(format!("{error:#}").contains(name), "{error:#}");
        }
        let error = clock(&variables(&[("LOCAL_NOW", "noon")])).unwrap_err();
        assert!(format!("{error:#}").contains("LOCAL_NOW"), "{error:#}");
    }
}
