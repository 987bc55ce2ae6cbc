//! Amazon API Gateway's HTTP API, and the webhook's function URL, on a local port.
//!
//! Each request becomes the very event that AWS would send, and the function's answer is turned
//! back as AWS would: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html>

mod authorizer;
mod event;

use std::collections::HashMap;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use serde_json::json;

pub use authorizer::Authorizer;

use crate::{
    functions::{Functions, InvocationError},
    system,
};

/// API Gateway takes no larger body:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const MAX_BODY_BYTES: usize = 10 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub method: &'static str,
    /// The request's path, parameters in braces.
    pub path: &'static str,
    pub function: &'static str,
    pub access: Access,
}

/// Who may call a route, and by which way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Callers with a token that the API's JWT authorizer accepts.
    Token,
    Open,
    /// Anyone, at the function's own URL instead of the API.
    FunctionUrl,
}

/// What answers the API's routes.
#[derive(Debug, Clone)]
pub struct Gateway {
    pub functions: Functions,
    pub authorizer: Authorizer,
}

impl Gateway {
    /// Answers `routes`, and every other request as not found.
    pub fn router(self, routes: &'static [Route]) -> anyhow::Result<Router> {
        let mut api = Router::new();
        for route in routes {
            let method = MethodFilter::try_from(axum::http::Method::try_from(route.method)?)?;
            let answer =
                async move |State(gateway): State<Self>, parameters: Result<Path<_>, PathRejection>, request| {
                    match parameters {
                        Ok(Path(parameters)) => gateway.answer(route, parameters, request).await,
                        Err(_) => refusal(StatusCode::BAD_REQUEST, "Bad Request"),
                    }
                };
            api = api.route(route.path, on(method, answer));
        }
        Ok(api
            .fallback(|| async { refusal(StatusCode::NOT_FOUND, "Not Found") })
            .method_not_allowed_fallback(|| async { refusal(StatusCode::NOT_FOUND, "Not Found") })
            .with_state(self))
    }

    async fn answer(&self, route: &Route, path_parameters: HashMap<String, String>, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let claims = match route.access {
            Access::Open | Access::FunctionUrl => None,
            Access::Token => {
                let header = parts.headers.get(AUTHORIZATION);
                match self.authorizer.claims(header.and_then(|value| value.to_str().ok()), system::now()) {
                    None => return refusal(StatusCode::UNAUTHORIZED, "Unauthorized"),
                    claims => claims,
                }
            }
        };
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let call = event::Call { route, parts: &parts, path_parameters, claims, body: &body };
        let answer = self.functions.invoke(route.function, call.event(system::now())).await;
        match answer.map_err(anyhow::Error::from).and_then(event::response) {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(function = route.function, %error, "no answer");
                match error.downcast_ref() {
                    Some(InvocationError::TimedOut) => refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
                    _ => refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
                }
            }
        }
    }
}

/// An answer of API Gateway's own.
fn refusal(status: StatusCode, message: &str) -> Response<Body> {
    (status, Json(json!({ "message": message }))).into_response()
}
