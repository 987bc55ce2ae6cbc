//! The authorization endpoint: from a client's request, by way of a person, to a code.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};

use super::consent::{self, Person, Refused};
use super::id_token::ISSUER;
use super::scopes;
use super::tokens::{Asked, Challenge, Code};
use crate::Google;
use crate::http::{Request, Response, lookup};

/// How long a person may look at the consent page.
const PATIENCE_MINUTES: i64 = 10;

impl Google {
    /// `GET /o/oauth2/v2/auth`, and the older address that Google still writes into the files of its clients.
    pub(crate) fn authorize(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        self.tokens.prune(now);
        let asked = match self.read_request(now, request) {
            Ok(asked) => asked,
            Err(refused) => return consent::refusal(&refused),
        };
        let hinted = request.param("login_hint").and_then(|hint| self.account_hinted(hint));
        if asked.prompt == "none" {
            return match hinted {
                Some(account) if self.knows(&asked, &account) => self.hand_out_code(now, asked, account, false, None),
                Some(_) => redirect(&asked, &[("error", "interaction_required")]),
                None => redirect(&asked, &[("error", "login_required")]),
            };
        }
        if let Some(account) = &hinted
            && asked.prompt.is_empty()
            && self.knows(&asked, account)
        {
            return self.hand_out_code(now, asked, account.clone(), false, None);
        }
        let anyone_knows = self.tokens.accounts.keys().any(|one| self.knows(&asked, one));
        let choose_first = anyone_knows && !asked.prompt.contains("consent");
        let id = self.random.text(24);
        let page = consent::page(&id, &asked, &self.people(hinted.as_deref()), !choose_first);
        self.tokens.asked.insert(id, asked);
        page
    }

    /// The forms of the consent page.
    pub(crate) fn decide(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        let form = request.form_fields();
        let id = lookup(&form, "request").unwrap_or_default();
        let Some(asked) = self.tokens.asked.get(id).filter(|asked| asked.expires > now).cloned() else {
            let detail = "This page has been open for too long, or was used already.";
            return consent::refusal(&Refused::new(400, "invalid_request", detail));
        };
        let account = lookup(&form, "account").unwrap_or_default().to_owned();
        if lookup(&form, "decision") == Some("deny") {
            self.tokens.asked.remove(id);
            return redirect(&asked, &[("error", "access_denied")]);
        }
        if !self.tokens.accounts.contains_key(&account) {
            let people = self.people(None);
            return consent::page(id, &asked, &people, lookup(&form, "decision") == Some("allow"));
        }
        if lookup(&form, "decision") == Some("choose") {
            if self.knows(&asked, &account) {
                self.tokens.asked.remove(id);
                return self.hand_out_code(now, asked, account, false, None);
            }
            let mut people = self.people(None);
            people.retain(|person| person.email == account);
            return consent::page(id, &asked, &people, true);
        }
        self.tokens.asked.remove(id);
        let ticked = form.iter().filter(|(name, _)| name == "scope").map(|(_, scope)| scope.clone()).collect();
        self.hand_out_code(now, asked, account, true, Some(&ticked))
    }

    /// Redirects with a code. `ticked` are the boxes; without them nothing was asked of the person.
    fn hand_out_code(
        &mut self,
        now: DateTime<Utc>,
        asked: Asked,
        account: String,
        consent_shown: bool,
        ticked: Option<&BTreeSet<String>>,
    ) -> Response {
        let wanted = asked.scopes.iter().filter(|scope| {
            let sign_in = scopes::SIGN_IN.contains(&scope.as_str());
            sign_in || ticked.is_none_or(|ticked| ticked.contains(*scope))
        });
        let mut granted: BTreeSet<String> = wanted.cloned().collect();
        let calendar_left = granted.iter().any(|scope| !scopes::SIGN_IN.contains(&scope.as_str()));
        if granted.is_empty() || (!calendar_left && !asked.scopes.iter().any(|s| s == "openid")) {
            return redirect(&asked, &[("error", "access_denied")]);
        }
        self.tokens.grant(&asked.client, &account, &granted);
        if asked.include_granted {
            granted.extend(self.tokens.granted(&asked.client, &account));
        }
        let code = format!("4/0A{}", self.random.text(70));
        let scope = self.scope_text(&granted);
        let prompt = if consent_shown { "consent" } else { "none" };
        let response = redirect(
            &asked,
            &[("iss", ISSUER), ("code", &code), ("scope", &scope), ("authuser", "0"), ("prompt", prompt)],
        );
        let expires = now + Duration::seconds(self.config.limits.code_secs);
        let code_kept = Code { asked, account, granted, consent_shown, expires, used: false };
        self.tokens.codes.insert(code, code_kept);
        response
    }

    fn read_request(&self, now: DateTime<Utc>, request: &Request) -> Result<Asked, Refused> {
        let required = |name: &'static str| {
            request.param(name).filter(|value| !value.is_empty()).ok_or_else(|| Refused::missing(name))
        };
        let client = self
            .tokens
            .clients
            .get(required("client_id")?)
            .ok_or_else(|| Refused::new(401, "invalid_client", "The OAuth client was not found."))?;
        let redirect_uri = required("redirect_uri")?.to_owned();
        if !client.redirect_uris.iter().any(|known| leads_back(known, &redirect_uri)) {
            let detail = format!("redirect_uri={redirect_uri} is not registered for this client.");
            return Err(Refused::new(400, "redirect_uri_mismatch", &detail));
        }
        if required("response_type")? != "code" {
            let detail = "This simulator keeps only response_type=code.";
            return Err(Refused::new(400, "unsupported_response_type", detail));
        }
        let mut wanted = Vec::new();
        for scope in required("scope")?.split_whitespace() {
            let scope = scopes::canonical(scope).ok_or_else(|| {
                let detail = format!("Some requested scopes were invalid: {scope}");
                Refused::new(400, "invalid_scope", &detail)
            })?;
            if !wanted.contains(&scope) {
                wanted.push(scope);
            }
        }
        let access = request.param("access_type").unwrap_or("online");
        if !["online", "offline"].contains(&access) {
            return Err(Refused::new(400, "invalid_request", "Invalid access_type."));
        }
        let prompt = request.param("prompt").unwrap_or_default().to_owned();
        let prompts: Vec<&str> = prompt.split_whitespace().collect();
        let known = ["none", "consent", "select_account"];
        if prompts.iter().any(|one| !known.contains(one)) || (prompts.contains(&"none") && prompts.len() > 1) {
            return Err(Refused::new(400, "invalid_request", "Invalid parameter value for prompt."));
        }
        Ok(Asked {
            client: client.id.clone(),
            redirect_uri,
            scopes: wanted,
            state: request.param("state").map(str::to_owned),
            offline: access == "offline",
            include_granted: request.param("include_granted_scopes") == Some("true"),
            prompt,
            nonce: request.param("nonce").map(str::to_owned),
            challenge: challenge(request)?,
            expires: now + Duration::minutes(PATIENCE_MINUTES),
        })
    }

    fn account_hinted(&self, hint: &str) -> Option<String> {
        self.tokens
            .accounts
            .values()
            .find(|account| account.email == hint || account.sub == hint)
            .map(|account| account.email.clone())
    }

    /// Whether `account` has already agreed to all that is asked.
    fn knows(&self, asked: &Asked, account: &str) -> bool {
        let granted = self.tokens.granted(&asked.client, account);
        asked.scopes.iter().all(|scope| granted.contains(scope))
    }

    fn people(&self, hinted: Option<&str>) -> Vec<Person> {
        let mut people: Vec<Person> = self
            .tokens
            .accounts
            .values()
            .map(|account| Person {
                email: account.email.clone(),
                name: account.name.clone(),
                chosen: hinted == Some(account.email.as_str()),
            })
            .collect();
        if !people.iter().any(|person| person.chosen)
            && let Some(first) = people.first_mut()
        {
            first.chosen = true;
        }
        people
    }

    /// Scopes as Google lists them: in an order of its own.
    pub(crate) fn scope_text(&mut self, scopes: &BTreeSet<String>) -> String {
        let mut scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        self.random.shuffle(&mut scopes);
        scopes.join(" ")
    }
}

/// Whether an address is the registered one. A desktop client registers the bare loopback host, since it learns only
/// when it runs which port is free: it may use any port of it, and any path.
fn leads_back(known: &str, redirect_uri: &str) -> bool {
    let bare_loopback = ["http://localhost", "http://127.0.0.1", "http://[::1]"].contains(&known);
    let at_any_port = |rest: &str| {
        let (port, _path) = rest.split_once('/').unwrap_or((rest, ""));
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
    };
    known == redirect_uri || (bare_loopback && redirect_uri.strip_prefix(known).is_some_and(at_any_port))
}

fn challenge(request: &Request) -> Result<Option<Challenge>, Refused> {
    let Some(value) = request.param("code_challenge") else {
        return Ok(None);
    };
    let sha256 = match request.param("code_challenge_method").unwrap_or("plain") {
        "S256" => true,
        "plain" => false,
        _ => {
            let detail = "Invalid code_challenge_method.";
            return Err(Refused::new(400, "invalid_request", detail));
        }
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if !(43..=128).contains(&value.len()) || !value.chars().all(legal) {
        return Err(Refused::new(400, "invalid_request", "Invalid code_challenge."));
    }
    Ok(Some(Challenge { value: value.to_owned(), sha256 }))
}

fn redirect(asked: &Asked, fields: &[(&str, &str)]) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(state) = &asked.state {
        query.append_pair("state", state);
    }
    query.extend_pairs(fields);
    let joint = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    Response::redirect(&format!("{}{joint}{}", asked.redirect_uri, query.finish()))
}

#[cfg(test)]
mod tests {
    use super::leads_back;

    #[test]
    fn an_address_is_compared_exactly_but_for_the_port_of_a_desktop_client() {
        let cases = [
            ("http://localhost:3000/callback", "http://localhost:3000/callback", true),
            ("http://localhost:3000/callback", "http://localhost:3001/callback", false),
            ("http://localhost:3000/callback", "http://localhost:3000/callback/", false),
            ("http://localhost", "http://localhost:54321/", true),
            ("http://localhost", "http://localhost:54321", true),
            ("http://localhost", "http://localhost/back", true),
            ("http://127.0.0.1", "http://127.0.0.1:8080/back", true),
            ("http://localhost", "http://localhost.elsewhere.example/", false),
            ("http://localhost", "http://localhost:80@elsewhere.example/", false),
            ("http://localhost", "http://localhost:70000/", false),
            ("http://localhost", "https://localhost:8080/", false),
            ("https://host.example", "https://host.example:8080/", false),
        ];
        for (known, uri, expected) in cases {
            assert_eq!(leads_back(known, uri), expected, "{known} {uri}");
        }
    }
}
