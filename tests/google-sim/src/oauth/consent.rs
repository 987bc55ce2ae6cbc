//! The consent pages. They work without JavaScript.

use maud::{DOCTYPE, Markup, html};

use super::scopes;
use super::tokens::Asked;
use crate::http::Response;
use crate::page::STYLE;

/// Why a request never reaches the person, nor the client: Google shows it on its own page.
pub(crate) struct Refused {
    pub status: u16,
    pub error: &'static str,
    pub detail: String,
}

impl Refused {
    pub fn new(status: u16, error: &'static str, detail: &str) -> Self {
        Self { status, error, detail: detail.to_owned() }
    }

    pub fn missing(name: &str) -> Self {
        let detail = format!("Required parameter is missing: {name}");
        Self::new(400, "invalid_request", &detail)
    }
}

/// An account that can be chosen.
pub(crate) struct Person {
    pub email: String,
    pub name: String,
    pub chosen: bool,
}

/// The choice of an account and, with `boxes`, of what to allow: one box for each scope.
pub(crate) fn page(id: &str, asked: &Asked, people: &[Person], boxes: bool) -> Response {
    let title = if boxes { "Allow access" } else { "Choose an account" };
    let choice = html! {
        h1 { (title) }
        p { strong { (asked.client) } " asks for access to a Google account." }
        form method="post" action="/o/oauth2/v2/auth" {
            input type="hidden" name="request" value=(id);
            fieldset {
                legend { "Account" }
                @for person in people {
                    label.row {
                        input type="radio" name="account" value=(person.email) checked[person.chosen] required;
                        span { (person.name) br; small { (person.email) } }
                    }
                }
            }
            @if boxes {
                (scope_boxes(asked))
                div.actions {
                    button type="submit" name="decision" value="deny" formnovalidate { "Deny" }
                    button.primary type="submit" name="decision" value="allow" { "Allow" }
                }
            } @else {
                div.actions {
                    button.primary type="submit" name="decision" value="choose" { "Continue" }
                }
            }
        }
    };
    Response::html(200, document(title, &choice))
}

fn scope_boxes(asked: &Asked) -> Markup {
    let own_box = |scope: &&String| !scopes::SIGN_IN.contains(&scope.as_str());
    html! {
        fieldset {
            legend { "What it may do" }
            @for scope in asked.scopes.iter().filter(own_box) {
                label.row {
                    input type="checkbox" name="scope" value=(scope) checked;
                    span { (scopes::description(scope).unwrap_or(scope)) br; small { (scope) } }
                }
            }
            @if asked.scopes.iter().any(|scope| !own_box(&scope)) {
                p { small { "It also learns who you are: your name or address." } }
            }
        }
    }
}

/// The page that Google shows instead of a redirect.
pub(crate) fn refusal(refused: &Refused) -> Response {
    let message = html! {
        h1 { "Access blocked: this request is invalid" }
        p { (refused.detail) }
        p { small { "Error " (refused.status) ": " (refused.error) } }
    };
    Response::html(refused.status, document("Access blocked", &message))
}

fn document(title: &str, content: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – simulated Google" }
                style { (maud::PreEscaped(STYLE)) }
            }
            body { main.card { (content) } }
        }
    }
    .into_string()
}
