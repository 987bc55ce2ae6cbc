//! The HTTP client, and one exchange with it. What it says of a failure never holds an address or a header, so no
//! token gets into a log.

use std::{sync::Arc, time::Duration};

use reqwest::{
    RequestBuilder, StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
    redirect,
};
use rustls::{ClientConfig, RootCertStore};

use crate::{Error, Result, ports::CalendarError};

/// Google compresses only for clients that say "gzip" here as well as in `Accept-Encoding`
/// (<https://developers.google.com/workspace/calendar/api/guides/performance#gzip>).
const USER_AGENT: &str = concat!("calendar-sync/", env!("CARGO_PKG_VERSION"), " (gzip)");

/// The longest that one exchange may take; a batch of 50 writes is the slowest.
pub(super) const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A function may be frozen between two calls, and Google closes what is idle.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// A client for all calls to Google: one pool of connections, static roots, no redirects.
pub fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .user_agent(USER_AGENT)
        // A redirect would carry the token to wherever it points.
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(EXCHANGE_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build()
        .map_err(Error::internal)
}

/// Roots that are compiled in: reading the system's bundle is the costliest part of a cold start.
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

/// An answer, whatever its status.
pub(super) struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE)?.to_str().ok()
    }
}

/// One exchange; an error means that no whole answer came.
pub(super) async fn exchange(request: RequestBuilder) -> Result<Answer, CalendarError> {
    let mut response = request.send().await.map_err(|error| no_answer(&error))?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = response.bytes().await.map_err(|error| no_answer(&error))?.into();
    Ok(Answer { status, headers, body })
}

fn no_answer(error: &reqwest::Error) -> CalendarError {
    let text = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_builder() {
        "a request that cannot be sent"
    } else {
        "the connection broke"
    };
    CalendarError::Unavailable(text.to_owned())
}
