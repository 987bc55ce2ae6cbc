//! The Lambda functions: each module holds one endpoint's `handle` and its dependencies; `src/bin` holds their mains.
//!
//! Over HTTP: [`oauth_url`], [`oauth_callback`], [`sync`], [`status`], [`disconnect`], [`settings`],
//! [`external_events`], [`connections`], [`conflicts`], [`erase`] behind API Gateway, and [`webhook`] behind a function URL. By event: [`poll`] and
//! [`renew_channels`] by schedule, [`sync_worker`] and [`lesson_feed`] by queue, [`lesson_changes`] by the lessons
//! table's stream.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod conflicts;
pub mod connections;
pub mod disconnect;
pub mod erase;
pub mod external_events;
pub mod lesson_changes;
pub mod lesson_feed;
pub mod oauth_callback;
pub mod oauth_url;
pub mod poll;
pub mod renew_channels;
pub mod settings;
pub mod status;
pub mod sync;
pub mod sync_worker;
pub mod view;
pub mod webhook;

use calendar_sync::{Result, bootstrap::Bootstrap, services, usecases};

/// The dependencies of functions that call Google.
async fn google(bootstrap: &Bootstrap) -> Result<services::google_session::Google> {
    Ok(services::google_session::Google {
        store: bootstrap.store(),
        calendar: bootstrap.calendar()?,
        login: bootstrap.login().await?,
        vault: bootstrap.vault()?,
        clock: bootstrap.clock(),
    })
}

/// The dependencies of functions that run syncs.
async fn sync_calendar(bootstrap: &Bootstrap) -> Result<usecases::sync::SyncCalendar> {
    let push = match bootstrap.config.webhook()?.address {
        Some(address) => Some(usecases::sync::Push { address, keys: bootstrap.webhook_keys().await? }),
        None => None,
    };
    Ok(usecases::sync::SyncCalendar {
        google: google(bootstrap).await?,
        sync_queue: bootstrap.sync_queue()?,
        bus: bootstrap.bus()?,
        random: bootstrap.random(),
        push,
    })
}
