//! The ports of the product on the simulated world.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use calendar_sync::{
    Error, Result,
    adapters::google::{Answer, GoogleLogin, Request, Transport},
    model::{CalendarOAuthTokens, ConnectionKey, Erasure, GoogleAccount, Notice, SyncDirection, SyncTask},
    ports::{
        CalendarError, Clock, GrantedTokens, IssuedTokens, Login, LoginError, NoticeBus, Random, SyncMessage, SyncQueue,
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use google_sim::Delivery;
use secrecy::{ExposeSecret, SecretString};
use testkit::google::{from_google, to_google};

use crate::{
    coverage::Fault,
    memory_store::{Access, Fate, Gate, Table},
    sim::{Halfway, Message, Sim, State},
};

/// How long a call of each kind takes at most, in milliseconds.
const STORE: i64 = 8;
const GOOGLE: i64 = 200;
const SEND: i64 = 10;

#[async_trait]
impl Clock for Sim {
    fn now(&self) -> DateTime<Utc> {
        let state = self.state();
        state.now + state.ahead
    }
    async fn sleep(&self, time: Duration) {
        let until = self.state().now + TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
        self.sleep_until(until).await;
    }
}

impl Random for Sim {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.state();
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&state.dice.roll().to_be_bytes()[..chunk.len()]);
        }
    }
}

#[async_trait]
impl SyncQueue for Sim {
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()> {
        self.turn(SEND).await;
        let mut state = self.state();
        let sent = state.send("queue_unavailable")?;
        // (A sync to Google alone asks for no listing.)
        let one_way = message.asked.as_ref().is_some_and(|asked| asked.direction == Some(SyncDirection::ToGoogle));
        // (And a poll is a request from when it was due: what began since then answers it.)
        let listed_at = state.truth.listed_at.get(&message.key);
        let answered = message.due_at.zip(listed_at).is_some_and(|(due_at, listed_at)| *listed_at > due_at);
        if message.tasks.contains(&SyncTask::PullEvents) && !one_way && !answered {
            let moment = state.truth.tick();
            state.truth.requested.insert(message.key, moment);
        }
        state.last_message += 1;
        let (number, visible_at) = (state.last_message, state.now + TimeDelta::from_std(delay).unwrap_or_default());
        state.queue.insert(number, Message { body: message.clone(), visible_at, receives: 0 });
        sent
    }
}

#[async_trait]
impl NoticeBus for Sim {
    async fn publish(&self, notices: &[Notice]) -> Result<()> {
        self.turn(SEND).await;
        let mut state = self.state();
        let sent = state.send("bus_unavailable")?;
        // EventBridge takes each entry for itself.
        let taken = if sent.is_ok() { notices.len() } else { notices.len().div_ceil(2) };
        state.bus.extend_from_slice(&notices[..taken]);
        sent
    }

    /// No history erases anyone.
    async fn tell_erased(&self, _: &Erasure) -> Result<()> {
        Ok(())
    }
}

impl State {
    /// Whether a send is refused before anything happens; if not, what its sender hears of it.
    fn send(&mut self, code: &'static str) -> Result<Result<()>> {
        let failed = || Error::unavailable(code, "it is down");
        let faults = &mut self.send_faults;
        if faults.refused > 0 {
            faults.refused -= 1;
            self.trouble = true;
            self.coverage.met(Fault::QueueDown);
            return Err(failed());
        }
        if faults.unanswered > 0 {
            faults.unanswered -= 1;
            self.trouble = true;
            self.coverage.met(Fault::SentUnanswered);
            return Ok(Err(failed()));
        }
        Ok(Ok(()))
    }

    fn fate(&mut self, access: Access) -> Fate {
        let faults = &mut self.store_faults;
        if faults.throttled + faults.unanswered == 0 {
            return Fate::Answered;
        }
        if faults.after > 0 {
            faults.after -= 1;
            return Fate::Answered;
        }
        if matches!(access, Access::Write(_)) && faults.unanswered > 0 {
            faults.unanswered -= 1;
            self.coverage.met(Fault::StoreUnanswered);
            return Fate::Unanswered;
        }
        if faults.throttled > 0 {
            faults.throttled -= 1;
            self.coverage.met(Fault::StoreThrottled);
            return Fate::Throttled;
        }
        Fate::Answered
    }
}

/// What the store asks before each call.
pub fn gate(sim: &Sim) -> Gate {
    let sim = sim.clone();
    Arc::new(move |access| {
        let sim = sim.clone();
        Box::pin(async move {
            sim.turn(STORE).await;
            let mut state = sim.state();
            let fate = state.fate(access);
            if fate != Fate::Answered {
                state.trouble = true;
                state.tell(|| format!("    {access:?} is {fate:?}"));
            }
            if let (Access::Write(table), Fate::Answered | Fate::Unanswered) = (access, fate) {
                *state.written.entry(table).or_default() += 1;
                if table == Table::ExternalEvents {
                    state.halfway = Some(Halfway::RowsStored);
                }
            }
            fate
        })
    })
}

/// Items written since this was last asked, by table.
pub fn take_written(sim: &Sim) -> BTreeMap<Table, u32> {
    std::mem::take(&mut sim.state().written)
}

#[async_trait]
impl Transport for Sim {
    async fn exchange(&self, request: Request, time: Duration) -> Result<Answer, CalendarError> {
        self.turn(GOOGLE).await;
        let response = self.state().google_answers(&to_google(request), time);
        let unanswered = |text: &str| Err(CalendarError::Unavailable(text.to_owned()));
        match response.delivery {
            Delivery::Normal => Ok(from_google(response)),
            Delivery::After(millis) => {
                self.met(Fault::GoogleSlow);
                let slow = Duration::from_millis(millis);
                Clock::sleep(self, slow.min(time)).await;
                if slow < time { Ok(from_google(response)) } else { unanswered("no answer in time") }
            }
            Delivery::Never => {
                self.met(Fault::GoogleTimeout);
                Clock::sleep(self, time).await;
                unanswered("no answer in time")
            }
            Delivery::Cut => {
                self.met(Fault::GoogleConnectionCut);
                unanswered("the connection broke")
            }
        }
    }
}

/// The real sign-in, but for the consent screen: a code names the connection and the account that gave its consent.
pub struct SimLogin {
    pub sim: Sim,
    pub real: GoogleLogin,
}

#[async_trait]
impl Login for SimLogin {
    fn authorize_url(&self, state: &str, pkce_verifier: &SecretString) -> String {
        self.real.authorize_url(state, pkce_verifier)
    }
    fn required_scopes(&self) -> &[String] {
        self.real.required_scopes()
    }
    fn client_id(&self) -> &str {
        self.real.client_id()
    }
    async fn exchange(
        &self,
        code: &SecretString,
        _: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<GrantedTokens, LoginError> {
        self.sim.turn(GOOGLE).await;
        let (key, account) = code.expose_secret().split_once(' ').unwrap_or_default();
        let key: ConnectionKey = key.parse().map_err(|_| LoginError::NoAccount("a code of no connection"))?;
        let scopes = self.required_scopes();
        let names: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let mut state = self.sim.state();
        let granted = state.google.grant(now, self.client_id(), account, &names);
        for token in [&granted.access_token, &granted.refresh_token] {
            state.truth.tokens.insert(token.clone(), key);
        }
        Ok(GrantedTokens {
            tokens: IssuedTokens {
                access_token: granted.access_token.into(),
                expires_at: now + TimeDelta::seconds(3599),
                refresh_token: Some(granted.refresh_token.into()),
            },
            scopes: scopes.to_vec(),
            account: GoogleAccount { sub: format!("sub of {account}"), email: Some(account.to_owned()) },
        })
    }
    async fn refresh(&self, refresh_token: &SecretString, now: DateTime<Utc>) -> Result<IssuedTokens, LoginError> {
        let fresh = self.real.refresh(refresh_token, now).await?;
        let mut state = self.sim.state();
        if fresh.refresh_token.is_some() {
            state.coverage.met(Fault::RefreshTokenRotated);
        }
        let tokens = &mut state.truth.tokens;
        if let Some(key) = tokens.get(refresh_token.expose_secret()).copied() {
            let issued = [Some(&fresh.access_token), fresh.refresh_token.as_ref()].into_iter().flatten();
            tokens.extend(issued.map(|token| (token.expose_secret().to_owned(), key)));
        }
        drop(state);
        Ok(fresh)
    }
    async fn revoke(&self, tokens: &CalendarOAuthTokens) -> Result<(), LoginError> {
        self.real.revoke(tokens).await
    }
}
