//! `local-stack`: runs the whole product on this machine until Ctrl-C.

use std::{process::ExitCode, sync::Arc};

use local_stack::{
    settings::{self, Settings, Variables},
    stack::Stack,
    system,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// What is worth a line on the terminal, unless `RUST_LOG` says otherwise.
const LOG: &str = "warn,local_stack=info,calendar_sync=info,calendar_functions=info";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-stack: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let environment: Variables = Arc::new(|name: &str| std::env::var(name).ok());
    let settings = Settings::from_vars(&environment)?;
    if let Some(at) = settings::clock(&environment)? {
        system::set_clock(at);
    }
    let stack = Stack::start(&settings, environment).await?;
    println!(
        "
  The page and the API   {}
  Google's calendar      {}
  Data                   {}

  Next: open {} and press \"Connect Google Calendar\". Ctrl-C ends it all.
",
        stack.api_url,
        stack.google_url,
        settings.data.display(),
        stack.api_url,
    );

    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    println!("  Ending …");
    stack.stop().await;
    Ok(())
}
