//! Passes requests on to another listener on this machine.

use axum::{
    body::Body,
    http::{
        Request, StatusCode,
        uri::{Authority, InvalidUri, PathAndQuery, Scheme},
    },
    response::{IntoResponse, Response},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// A listener that requests are passed on to.
#[derive(Debug, Clone)]
pub struct Upstream {
    authority: Authority,
    client: Client<HttpConnector, Body>,
}

impl Upstream {
    /// The listener at `address`, as `127.0.0.1:3001`.
    pub fn new(address: &str) -> Result<Self, InvalidUri> {
        Ok(Self { authority: address.parse()?, client: Client::builder(TokioExecutor::new()).build_http() })
    }

    /// Passes a request on as it came, and its answer back.
    pub async fn forward(&self, mut request: Request<Body>) -> Response {
        let mut target = std::mem::take(request.uri_mut()).into_parts();
        target.scheme = Some(Scheme::HTTP);
        target.authority = Some(self.authority.clone());
        target.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
        let sent = async {
            *request.uri_mut() = target.try_into()?;
            anyhow::Ok(self.client.request(request).await?)
        };
        match sent.await {
            Ok(response) => response.into_response(),
            Err(error) => {
                tracing::error!(upstream = %self.authority, %error, "no answer");
                StatusCode::BAD_GATEWAY.into_response()
            }
        }
    }
}
