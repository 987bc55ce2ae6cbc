//! The main of the `lesson-feed` function.

use calendar_functions::lesson_feed::{Deps, handle};
use calendar_sync::{bootstrap::Bootstrap, telemetry};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::init();
    let deps = &Deps::new(&Bootstrap::from_env().await?).await?;
    run(service_fn(|event: LambdaEvent<_>| async move { Ok::<_, Error>(handle(deps, event.payload).await?) })).await
}
