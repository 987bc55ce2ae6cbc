//! The HTTP client for Google, and one exchange with it. Error texts hold neither addresses nor headers, so no token
//! gets into a log.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::{Method, header::CONTENT_TYPE};
use reqwest::{Url, redirect};
use rustls::{ClientConfig, RootCertStore};

use crate::{Error, Result, ports::CalendarError};

/// Google compresses only for clients that say "gzip" here as well as in `Accept-Encoding`
/// (<https://developers.google.com/workspace/calendar/api/guides/performance#gzip>).
const USER_AGENT: &str = concat!("calendar-sync/", env!("CARGO_PKG_VERSION"), " (gzip)");

/// A batch of 50 writes is the slowest exchange.
pub(super) const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A function may be frozen between two calls, and Google closes idle connections.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// A client for all calls to Google: one pool of connections, static roots, no redirects.
pub fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .user_agent(USER_AGENT)
        // A redirect would carry the token to another host.
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build()
        .map_err(Error::internal)
}

/// Compiled-in roots: reading the system's bundle is the costliest part of a cold start.
fn tls() -> Result<ClientConfig> {
    let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect::<RootCertStore>();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

pub type Request = http::Request<Vec<u8>>;
pub type Answer = http::Response<Vec<u8>>;

/// Carries a request to Google and brings the answer: over the network, or to a simulated Google in the same process.
#[async_trait]
pub trait Transport: Send + Sync {
    /// One exchange within `time`. An error means that no complete answer came, whatever its status.
    async fn exchange(&self, request: Request, time: Duration) -> Result<Answer, CalendarError>;
}

#[async_trait]
impl Transport for reqwest::Client {
    async fn exchange(&self, request: Request, time: Duration) -> Result<Answer, CalendarError> {
        let mut request = reqwest::Request::try_from(request).map_err(|error| no_answer(&error))?;
        *request.timeout_mut() = Some(time);
        let mut response = self.execute(request).await.map_err(|error| no_answer(&error))?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut answer = Answer::new(response.bytes().await.map_err(|error| no_answer(&error))?.into());
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        Ok(answer)
    }
}

pub(super) fn request(
    method: Method,
    url: &Url,
    body: Option<(&'static str, Vec<u8>)>,
) -> Result<Request, CalendarError> {
    let request = http::Request::builder().method(method).uri(url.as_str());
    match body {
        Some((content_type, body)) => request.header(CONTENT_TYPE, content_type).body(body),
        None => request.body(Vec::new()),
    }
    .map_err(|_| unsendable())
}

pub(super) fn unsendable() -> CalendarError {
    CalendarError::Unavailable("a request that cannot be sent".to_owned())
}

fn no_answer(error: &reqwest::Error) -> CalendarError {
    let text = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        return unsendable();
    } else {
        "the connection broke"
    };
    CalendarError::Unavailable(text.to_owned())
}
