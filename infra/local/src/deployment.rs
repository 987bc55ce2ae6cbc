//! What is deployed: the routes, queues, schedules and functions of `template.yaml`, as this stack runs them.

use std::{sync::Arc, time::Duration};

use aws_types::app_name::AppName;
use calendar_functions::{
    conflicts, connections, disconnect, erase, external_events, lesson_changes, lesson_feed, oauth_callback, oauth_url,
    poll, renew_channels, settings, status, sync, sync_worker, webhook,
};
use calendar_sync::bootstrap::Bootstrap;

use crate::{
    aws::{DeadLetters, Queue},
    functions::Functions,
    gateway::{
        Access::{FunctionUrl, Open, Token},
        Route,
    },
    system,
    triggers::QueueTrigger,
};

/// Which request goes to which function.
pub const ROUTES: [Route; 13] = [
    Route { method: "GET", path: "/api/v1/calendar/oauth/url", function: "oauth-url", access: Token },
    Route { method: "GET", path: "/api/v1/calendar/oauth/callback", function: "oauth-callback", access: Open },
    Route { method: "POST", path: "/api/v1/calendar/oauth/callback", function: "oauth-callback", access: Token },
    Route { method: "POST", path: "/api/v1/calendar/sync", function: "sync", access: Token },
    Route { method: "GET", path: "/api/v1/calendar/status/{instructorId}", function: "status", access: Token },
    Route { method: "GET", path: "/api/v1/calendar/connections", function: "connections", access: Token },
    Route { method: "PATCH", path: "/api/v1/calendar/settings", function: "settings", access: Token },
    Route { method: "POST", path: "/api/v1/calendar/disconnect", function: "disconnect", access: Token },
    Route { method: "POST", path: "/api/v1/calendar/erase", function: "erase", access: Token },
    Route { method: "GET", path: "/api/v1/calendar/erase/{id}", function: "erase", access: Token },
    Route {
        method: "GET",
        path: "/api/v1/calendar/external-events/{instructorId}",
        function: "external-events",
        access: Token,
    },
    Route {
        method: "PATCH",
        path: "/api/v1/calendar/conflicts/{instructorId}/{conflictId}",
        function: "conflicts",
        access: Token,
    },
    Route { method: "POST", path: "/api/v1/calendar/webhook", function: "webhook", access: FunctionUrl },
];

/// The queue whose messages ask for a run.
pub const SYNC_QUEUE: &str = "calendar-sync";
/// The queue whose messages ask for the first run after a login.
pub const FIRST_SYNC_QUEUE: &str = "calendar-first-syncs";
/// Where their messages go that fail for good.
pub const SYNC_DEAD_LETTERS: &str = "calendar-sync-dead-letters";
/// The queue that lessons come by that are kept elsewhere.
pub const LESSON_FEED: &str = "lesson-feed";
/// Where its messages go that are refused, or fail for good.
pub const LESSON_FEED_DEAD_LETTERS: &str = "lesson-feed-dead-letters";

/// The bus that notices go to.
pub const NOTICE_BUS: &str = "default";
/// The secret with the client secret and the webhook keys.
pub const SECRET: &str = "calendar-sync";

pub const QUEUES: [Queue; 5] = [
    worked_on(SYNC_QUEUE),
    worked_on(FIRST_SYNC_QUEUE),
    Queue { name: SYNC_DEAD_LETTERS, visibility_timeout: 30, dead_letters: None },
    Queue {
        name: LESSON_FEED,
        visibility_timeout: 180,
        dead_letters: Some(DeadLetters { queue: LESSON_FEED_DEAD_LETTERS, after_receives: 5 }),
    },
    Queue { name: LESSON_FEED_DEAD_LETTERS, visibility_timeout: 30, dead_letters: None },
];

const fn worked_on(name: &'static str) -> Queue {
    let dead_letters = DeadLetters { queue: SYNC_DEAD_LETTERS, after_receives: 5 };
    Queue { name, visibility_timeout: 360, dead_letters: Some(dead_letters) }
}

/// Which function handles which queue.
pub const QUEUE_TRIGGERS: [QueueTrigger; 3] = [
    QueueTrigger { queue: SYNC_QUEUE, function: "sync-worker", batch_size: 1, concurrency: 8 },
    QueueTrigger { queue: LESSON_FEED, function: "lesson-feed", batch_size: 10, concurrency: 2 },
    QueueTrigger { queue: FIRST_SYNC_QUEUE, function: "sync-worker", batch_size: 1, concurrency: 2 },
];

/// Which function is invoked how often.
pub const SCHEDULES: [(&str, Duration); 2] =
    [("poll", Duration::from_mins(1)), ("renew-channels", Duration::from_hours(1))];

/// Which function handles the changes of the lessons table.
pub const LESSON_CHANGES: &str = "lesson-changes";

/// The functions' own handlers, each with what it needs.
pub async fn functions(bootstrap: &Bootstrap) -> calendar_sync::Result<Functions> {
    let mut functions = Functions::default();
    macro_rules! deploy {
        ($way:ident $($module:ident as $name:literal),+ $(,)?) => {$(
            let deps = Arc::new($module::Deps::new(&named(bootstrap, $name)?).await?);
            functions.$way($name, move |event| {
                let deps = deps.clone();
                async move { $module::handle(&deps, event).await }
            });
        )+};
    }
    deploy!(http
        oauth_url as "oauth-url",
        oauth_callback as "oauth-callback",
        sync as "sync",
        status as "status",
        connections as "connections",
        settings as "settings",
        disconnect as "disconnect",
        erase as "erase",
        external_events as "external-events",
        conflicts as "conflicts",
        webhook as "webhook",
    );
    deploy!(events
        poll as "poll",
        renew_channels as "renew-channels",
        sync_worker as "sync-worker",
        lesson_changes as "lesson-changes",
        lesson_feed as "lesson-feed",
    );
    Ok(functions)
}

/// The set-up of one function, whose calls to AWS say whose they are.
fn named(bootstrap: &Bootstrap, function: &'static str) -> calendar_sync::Result<Bootstrap> {
    let name = AppName::new(function).map_err(calendar_sync::Error::internal)?;
    let aws = bootstrap.aws.to_builder().app_name(name).build();
    Ok(Bootstrap::new(bootstrap.config.clone(), aws).with_time(system::now))
}
