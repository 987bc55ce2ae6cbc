//! Grants, codes and tokens.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::scopes;
use crate::config::{Account, Client, Config, Limits};
use crate::error::{ApiError, Result};
use crate::http::Request;
use crate::random::Random;

/// The caller of a verified token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub account: String,
    pub client: String,
    pub project: String,
}

/// Six months without use end a refresh token.
const UNUSED_DAYS: i64 = 183;
/// While the consent screen is in "Testing".
const TESTING_DAYS: i64 = 7;

/// Why a refresh token stopped to work. Each answers `invalid_grant`, in words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantEnd {
    /// The person removed the access, or the client revoked it.
    Revoked,
    /// Six months without use, or seven days in "Testing", or pushed out by a newer one.
    Expired,
    /// The person's administrator restricted the service.
    AdminPolicy,
    /// The organization asks for a new sign-in.
    SessionControl,
    /// The account was disabled or deleted.
    AccountDisabled,
    /// A time-based grant is over.
    TimeBased,
}

/// An authorization request while a person looks at the consent page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub client: String,
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    pub state: Option<String>,
    pub offline: bool,
    pub include_granted: bool,
    pub prompt: String,
    pub nonce: Option<String>,
    pub challenge: Option<Challenge>,
    pub expires: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Challenge {
    pub value: String,
    pub sha256: bool,
}

/// A code between redirection and exchange.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Code {
    pub asked: Asked,
    pub account: String,
    pub granted: BTreeSet<String>,
    pub consent_shown: bool,
    pub expires: DateTime<Utc>,
    pub used: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AccessToken {
    pub account: String,
    pub client: String,
    pub scopes: BTreeSet<String>,
    pub expires: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RefreshToken {
    pub account: String,
    pub client: String,
    pub scopes: BTreeSet<String>,
    pub issued: u64,
    pub used: DateTime<Utc>,
    pub expires: Option<DateTime<Utc>>,
    pub ended: Option<GrantEnd>,
}

/// Accounts, clients, and all that was granted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub clients: BTreeMap<String, Client>,
    pub accounts: BTreeMap<String, Account>,
    pub asked: BTreeMap<String, Asked>,
    pub codes: BTreeMap<String, Code>,
    access: BTreeMap<String, AccessToken>,
    refresh: BTreeMap<String, RefreshToken>,
    /// Project, account, scopes: consent is given to a project.
    grants: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    issued: u64,
}

impl Tokens {
    pub fn new(config: &Config) -> Self {
        let clients = config.clients.iter();
        let accounts = config.accounts.iter();
        Self {
            clients: clients.map(|client| (client.id.clone(), client.clone())).collect(),
            accounts: accounts.map(|one| (one.email.clone(), one.clone())).collect(),
            ..Self::default()
        }
    }

    pub fn granted(&self, client: &str, account: &str) -> BTreeSet<String> {
        self.clients
            .get(client)
            .and_then(|client| self.grants.get(&client.project)?.get(account))
            .cloned()
            .unwrap_or_default()
    }

    /// Adds to what `account` granted the project of `client`.
    pub fn grant(&mut self, client: &str, account: &str, scopes: &BTreeSet<String>) {
        if let Some(client) = self.clients.get(client) {
            self.grants
                .entry(client.project.clone())
                .or_default()
                .entry(account.to_owned())
                .or_default()
                .extend(scopes.iter().cloned());
        }
    }

    pub fn issue_access(
        &mut self,
        now: DateTime<Utc>,
        client: &str,
        account: &str,
        scopes: &BTreeSet<String>,
        limits: &Limits,
        random: &mut Random,
    ) -> String {
        self.access.retain(|_, token| token.expires > now);
        let text = format!("ya29.a0{}", random.text(180));
        let token = AccessToken {
            account: account.to_owned(),
            client: client.to_owned(),
            scopes: scopes.clone(),
            expires: now + Duration::seconds(limits.access_token_secs),
        };
        self.access.insert(text.clone(), token);
        text
    }

    pub fn issue_refresh(
        &mut self,
        now: DateTime<Utc>,
        client: &str,
        account: &str,
        scopes: &BTreeSet<String>,
        limits: &Limits,
        random: &mut Random,
    ) -> String {
        let testing = self.clients.get(client).is_some_and(|client| client.testing);
        let sign_in_only = scopes.iter().all(|scope| scopes::SIGN_IN.contains(&scope.as_str()));
        self.issued += 1;
        let text = format!("1//0{}", random.text(96));
        let token = RefreshToken {
            account: account.to_owned(),
            client: client.to_owned(),
            scopes: scopes.clone(),
            issued: self.issued,
            used: now,
            expires: (testing && !sign_in_only).then(|| now + Duration::days(TESTING_DAYS)),
            ended: None,
        };
        self.refresh.insert(text.clone(), token);
        self.end_the_oldest(client, account, limits.refresh_tokens);
        text
    }

    fn end_the_oldest(&mut self, client: &str, account: &str, most: usize) {
        let mut live: Vec<&mut RefreshToken> = self
            .refresh
            .values_mut()
            .filter(|token| token.client == client && token.account == account)
            .filter(|token| token.ended.is_none())
            .collect();
        live.sort_by_key(|token| token.issued);
        let too_many = live.len().saturating_sub(most);
        for token in live.into_iter().take(too_many) {
            token.ended = Some(GrantEnd::Expired);
        }
    }

    /// The refresh token if it is valid, marked as used now.
    pub fn use_refresh(
        &mut self,
        now: DateTime<Utc>,
        text: &str,
        client: &str,
    ) -> std::result::Result<RefreshToken, GrantEnd> {
        let token = self.refresh.get_mut(text).filter(|token| token.client == client);
        let token = token.ok_or(GrantEnd::Revoked)?;
        if let Some(ended) = token.ended {
            return Err(ended);
        }
        let unused = now - token.used > Duration::days(UNUSED_DAYS);
        if unused || token.expires.is_some_and(|end| end <= now) {
            token.ended = Some(GrantEnd::Expired);
            return Err(GrantEnd::Expired);
        }
        token.used = now;
        Ok(token.clone())
    }

    /// Ends one refresh token, since another takes its place.
    pub fn end_refresh(&mut self, text: &str) {
        if let Some(token) = self.refresh.get_mut(text) {
            token.ended = Some(GrantEnd::Expired);
        }
    }

    /// Revokes the whole grant behind a token: all its scopes, for every client of the project.
    pub fn revoke(&mut self, now: DateTime<Utc>, text: &str, delay: Duration) -> bool {
        let owner = match (self.access.get(text), self.refresh.get(text)) {
            (Some(token), _) if token.expires > now => (token.account.clone(), token.client.clone()),
            (_, Some(token)) if token.ended.is_none() => (token.account.clone(), token.client.clone()),
            _ => return false,
        };
        let (account, client) = owner;
        let project = self.clients.get(&client).map(|client| client.project.clone());
        self.end_grants(now, &account, project.as_deref(), GrantEnd::Revoked, delay);
        true
    }

    /// Whether an application may still act for `account`.
    pub fn has_granted(&self, account: &str) -> bool {
        self.refresh.values().any(|token| token.account == account && token.ended.is_none())
    }

    /// Ends what `account` granted, to one project or to all.
    pub fn end_grants(
        &mut self,
        now: DateTime<Utc>,
        account: &str,
        project: Option<&str>,
        end: GrantEnd,
        delay: Duration,
    ) {
        let of_project = |client: &str| {
            let known = self.clients.get(client);
            project.is_none() || known.map(|client| client.project.as_str()) == project
        };
        for token in self.access.values_mut() {
            if token.account == account && of_project(&token.client) {
                token.expires = token.expires.min(now + delay);
            }
        }
        for token in self.refresh.values_mut() {
            let live = token.ended.is_none();
            if live && token.account == account && of_project(&token.client) {
                token.ended = Some(end);
            }
        }
        // Consent stays recorded unless the person or the client revoked it.
        if end == GrantEnd::Revoked {
            for (name, grants) in &mut self.grants {
                if project.is_none_or(|project| project == name) {
                    grants.remove(account);
                }
            }
        }
    }

    /// Expires all access tokens of `account`; refresh tokens still work.
    pub fn expire_access(&mut self, now: DateTime<Utc>, account: &str) {
        for token in self.access.values_mut().filter(|token| token.account == account) {
            token.expires = now;
        }
    }

    /// The access token that the request carries, if it is good.
    pub fn access(&self, now: DateTime<Utc>, request: &Request) -> Option<&AccessToken> {
        self.access.get(bearer(request)?).filter(|token| token.expires > now)
    }

    pub fn account_of(&self, now: DateTime<Utc>, request: &Request) -> Option<String> {
        self.access(now, request).map(|token| token.account.clone())
    }

    pub fn caller(&self, now: DateTime<Utc>, request: &Request) -> Result<(Caller, &BTreeSet<String>)> {
        let missing = bearer(request).is_none();
        let token = self.access(now, request).ok_or_else(|| ApiError::unauthenticated(missing))?;
        let project = self.clients.get(&token.client).map(|client| client.project.clone());
        let caller = Caller {
            account: token.account.clone(),
            client: token.client.clone(),
            project: project.unwrap_or_default(),
        };
        Ok((caller, &token.scopes))
    }

    /// Drops expired entries, so that the state does not grow for ever.
    pub fn prune(&mut self, now: DateTime<Utc>) {
        self.asked.retain(|_, asked| asked.expires > now);
        self.codes.retain(|_, code| code.expires > now);
    }
}

fn bearer(request: &Request) -> Option<&str> {
    let header = request.header_value("authorization");
    header
        .and_then(|header| header.strip_prefix("Bearer "))
        .or_else(|| request.param("access_token"))
        .or_else(|| request.param("oauth_token"))
}
