//! One HTTP request to the simulator.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};

use super::Shell;
use crate::http::{Delivery, Request, Response};

/// Answers one request; an error cuts the connection.
pub(super) async fn answer(
    shell: Arc<Shell>,
    request: hyper::Request<Incoming>,
) -> io::Result<hyper::Response<Full<Bytes>>> {
    let request = read(request).await?;
    let gzip = wants_gzip(&request);
    // Of GET requests, only the consent page changes the state.
    let reading = request.method == "GET" && !request.path.starts_with("/o/");
    let now = shell.now();
    let response = shell.google().handle(now, &request);
    shell.wake.notify_one();
    if let Some(keeper) = shell.keeper.as_ref().filter(|_| !reading) {
        keeper.keep(&shell).await?;
    }
    match response.delivery {
        Delivery::Normal => {}
        Delivery::After(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        Delivery::Never => std::future::pending::<()>().await,
        Delivery::Cut => return Err(io::Error::from(io::ErrorKind::ConnectionAborted)),
    }
    write(response, gzip)
}

async fn read(request: hyper::Request<Incoming>) -> io::Result<Request> {
    let (head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut plain = Request::new(head.method.as_str(), target);
    plain.headers = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let body = body.collect().await.map_err(io::Error::other)?;
    plain.body = body.to_bytes().to_vec();
    Ok(plain)
}

/// Google compresses only when the client accepts it and says "gzip" in its name as well.
fn wants_gzip(request: &Request) -> bool {
    ["accept-encoding", "user-agent"]
        .iter()
        .all(|name| request.header_value(name).is_some_and(|value| value.contains("gzip")))
}

fn write(response: Response, gzip: bool) -> io::Result<hyper::Response<Full<Bytes>>> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    let mut body = response.body;
    if gzip && !body.is_empty() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&body)?;
        body = encoder.finish()?;
        builder = builder.header("content-encoding", "gzip");
    }
    builder.body(Full::new(Bytes::from(body))).map_err(io::Error::other)
}
