//! The lesson feed: lessons of a host that keeps them elsewhere, version by version, into the lessons table.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use calendar_sync::{Result, bootstrap::Bootstrap, jobs, usecases::take_lessons::TakeLessons};

pub struct Deps {
    lessons: TakeLessons,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let lessons = TakeLessons {
            store: bootstrap.store(),
            dead_letters: bootstrap.feed_dead_letters()?,
            clock: bootstrap.clock(),
        };
        Ok(Self { lessons })
    }
}

pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse> {
    Ok(jobs::each_message(event, async |body| deps.lessons.take(&body, &jobs::lesson_feed::read(&body)).await).await)
}
