//! The control API: `POST /control/<operation>` with the operation's fields as JSON.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Refusal;
use crate::Google;
use crate::config::{Account, Behaviour, Client, Limits};
use crate::faults::Fault;
use crate::http::{Request, Response};
use crate::oauth::GrantEnd;

/// An operation; its name is the last segment of the path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Operation {
    AddAccount { email: String, name: String, zone: Tz },
    AddClient(Client),
    AddGroup { id: String, members: Vec<String> },
    Advance { seconds: i64 },
    Behaviour(Value),
    ClearFaults {},
    CreateEvent { calendar: String, event: Value },
    DarkenPush { dark: bool },
    DeleteEvent { calendar: String, id: String },
    EditEvent { calendar: String, id: String, changes: Value },
    EmptyBin { calendar: String },
    EndGrants { account: String, end: GrantEnd },
    ExhaustQuota { account: String, seconds: i64 },
    ExpireAccessTokens { account: String },
    ExpireChannels {},
    ExpireCursors { calendar: String },
    Fault(Fault),
    Freeze { at: DateTime<Utc> },
    HandOver { calendar: String, id: String, organizer: String },
    Grant { client: String, account: String, scopes: Vec<String> },
    Limits(Value),
    ResetCalls {},
    ResetQuotas {},
    Respond { calendar: String, id: String, answer: String },
    RunClock {},
    SetZone { calendar: String, zone: Tz },
    Share { calendar: String, account: String, role: String },
    SplitSeries { calendar: String, id: String, changes: Value },
}

impl Google {
    /// Answers `GET /control/{state,calls,writes,faults,clock,channels,calendars/<id>}` and every operation.
    pub(crate) fn control_request(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        let segments = request.segments();
        let path: Vec<&str> = segments.iter().skip(1).map(AsRef::as_ref).collect();
        let answer = match (request.method.as_str(), path.as_slice()) {
            ("GET", ["state"]) => Ok(self.state()),
            ("GET", ["calls"]) => Ok(json!(self.calls)),
            ("GET", ["writes"]) => Ok(json!(self.writes.0)),
            ("GET", ["faults"]) => Ok(json!(self.faults)),
            ("GET", ["clock"]) => Ok(json!({"now": self.now(now), "clock": self.clock})),
            ("GET", ["channels"]) => Ok(self.channels_json(now)),
            ("GET", ["calendars", id]) => Ok(json!(self.events(id))),
            ("GET", ["calendars", id, event]) => Ok(json!(self.event(id, event))),
            ("POST", [name]) => {
                let body = match request.body.as_slice() {
                    [] => Ok(json!({})),
                    body => serde_json::from_slice::<Value>(body),
                };
                let operation = body.and_then(|body| serde_json::from_value(json!({ *name: body })));
                match operation {
                    Ok(operation) => self.operate(now, operation),
                    Err(error) => {
                        let message = error.to_string();
                        return Response::pretty(400, &json!({"error": message}));
                    }
                }
            }
            _ => return Response::pretty(404, &json!({"error": "no such operation"})),
        };
        match answer {
            Ok(answer) => Response::pretty(200, &answer),
            Err(refusal) => Response::pretty(refusal.status, &json!({"error": refusal.reason})),
        }
    }

    fn channels_json(&self, now: DateTime<Utc>) -> Value {
        let channels = self.channels(now);
        let rows: Vec<Value> =
            channels.iter().map(|channel| json!({"id": channel.id, "calendar": channel.calendar})).collect();
        json!({"channels": rows, "sent": self.push.sent, "lost": self.push.lost})
    }

    fn operate(&mut self, now: DateTime<Utc>, operation: Operation) -> Result<Value, Refusal> {
        match operation {
            Operation::AddAccount { email, name, zone } => {
                self.add_account(Account::new(&email, &name, zone));
            }
            Operation::AddClient(client) => self.add_client(client),
            Operation::AddGroup { id, members } => self.add_group(&id, members),
            Operation::Advance { seconds } => self.advance(Duration::seconds(seconds)),
            Operation::Behaviour(changes) => {
                self.config.behaviour = changed::<Behaviour>(&self.config.behaviour, changes)?;
                return Ok(json!(self.config.behaviour));
            }
            Operation::ClearFaults {} => self.clear_faults(),
            Operation::CreateEvent { calendar, event } => {
                let id = self.create_event(now, &calendar, &event)?;
                return Ok(json!(self.event(&calendar, &id)));
            }
            Operation::DarkenPush { dark } => self.darken_push(dark),
            Operation::DeleteEvent { calendar, id } => self.delete_event(now, &calendar, &id)?,
            Operation::EditEvent { calendar, id, changes } => {
                self.edit_event(now, &calendar, &id, &changes)?;
                return Ok(json!(self.event(&calendar, &id)));
            }
            Operation::EmptyBin { calendar } => self.empty_bin(&calendar),
            Operation::EndGrants { account, end } => self.end_grants(now, &account, end),
            Operation::ExhaustQuota { account, seconds } => {
                self.exhaust_quota(now, &account, Duration::seconds(seconds));
            }
            Operation::ExpireAccessTokens { account } => self.expire_access_tokens(now, &account),
            Operation::ExpireChannels {} => self.expire_channels(now),
            Operation::ExpireCursors { calendar } => self.expire_cursors(now, &calendar),
            Operation::Fault(fault) => self.inject(fault),
            Operation::Freeze { at } => self.freeze(at),
            Operation::Grant { client, account, scopes } => {
                let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
                let granted = self.grant(now, &client, &account, &scopes);
                return Ok(json!({
                    "access_token": granted.access_token,
                    "refresh_token": granted.refresh_token,
                }));
            }
            Operation::HandOver { calendar, id, organizer } => self.hand_over(now, &calendar, &id, &organizer)?,
            Operation::Limits(changes) => {
                self.config.limits = changed::<Limits>(&self.config.limits, changes)?;
                return Ok(json!(self.config.limits));
            }
            Operation::ResetCalls {} => self.reset_calls(),
            Operation::ResetQuotas {} => self.reset_quotas(),
            Operation::Respond { calendar, id, answer } => {
                self.respond(now, &calendar, &id, &answer)?;
            }
            Operation::RunClock {} => self.run_clock(),
            Operation::SetZone { calendar, zone } => self.set_zone(&calendar, zone),
            Operation::Share { calendar, account, role } => {
                self.share(now, &calendar, &account, &role);
            }
            Operation::SplitSeries { calendar, id, changes } => {
                let series = self.split_series(now, &calendar, &id, &changes)?;
                return Ok(json!(self.event(&calendar, &series)));
            }
        }
        Ok(json!({}))
    }
}

/// `before` with the named fields changed.
fn changed<T>(before: &T, changes: Value) -> Result<T, Refusal>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut after = json!(before);
    if let (Some(after), Value::Object(changes)) = (after.as_object_mut(), changes) {
        after.extend(changes);
    }
    serde_json::from_value(after).map_err(|_| Refusal { status: 400, reason: "invalid".to_owned() })
}
