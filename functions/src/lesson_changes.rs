//! The lessons table's stream: marks changed lessons and sends messages, and notifies the hosts of fed lessons.

use aws_lambda_events::event::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use calendar_sync::{
    Result,
    adapters::dynamo::lesson_from_image,
    bootstrap::Bootstrap,
    usecases::note_lesson_changes::{LessonChange, NotNoted, NoteLessonChanges},
};

pub struct Deps {
    lessons: NoteLessonChanges,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let lessons = NoteLessonChanges {
            store: bootstrap.store(),
            sync_queue: bootstrap.sync_queue()?,
            bus: bootstrap.bus()?,
            clock: bootstrap.clock(),
        };
        Ok(Self { lessons })
    }
}

/// Handles a batch of records. A stream is read in order: all records from the first failed one come again, and marking
/// a lesson twice does no harm.
pub async fn handle(deps: &Deps, event: Event) -> Result<DynamoDbEventResponse> {
    let places: Vec<Option<String>> =
        event.records.iter().map(|record| record.change.sequence_number.clone()).collect();
    let changes: Vec<LessonChange> = event.records.into_iter().map(change).collect();
    let mut response = DynamoDbEventResponse::default();
    if let Err(NotNoted { first, error }) = deps.lessons.note(&changes).await {
        tracing::error!(?error, "the records come again");
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = places.into_iter().nth(first).flatten();
        response.batch_item_failures = vec![failure];
    }
    Ok(response)
}

/// A row that cannot be read counts as absent: if it has a mapping, the next full reconcile notes it there.
fn change(record: EventRecord) -> LessonChange {
    let read = |image: serde_dynamo::Item| (!image.is_empty()).then(|| lesson_from_image(image)).flatten();
    let at = record.change.approximate_creation_date_time;
    LessonChange { old: read(record.change.old_image), new: read(record.change.new_image), at }
}
