//! The main of the `erase` function.

use std::convert::Infallible;

use calendar_functions::erase::{Deps, handle};
use calendar_sync::{bootstrap::Bootstrap, telemetry};
use lambda_http::{Error, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let deps = &Deps::new(&Bootstrap::from_env().await?).await?;
    run(service_fn(|request| async move { Ok::<_, Infallible>(handle(deps, request).await) })).await
}
