//! Lambda's poller of a DynamoDB stream: records in order, each batch until it succeeds.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use std::{fs, path::PathBuf, time::Duration};

use anyhow::Context as _;
use dynoxide::{
    Database,
    actions::{
        describe_stream::DescribeStreamRequest,
        describe_table::DescribeTableRequest,
        get_records::{GetRecordsRequest, Record},
        get_shard_iterator::GetShardIteratorRequest,
    },
};
use serde_json::{Value, json};

use crate::functions::Functions;

/// From one look at the stream to the next.
const INTERVAL: Duration = Duration::from_millis(200);
/// How long to wait after a failure.
const PAUSE: Duration = Duration::from_secs(1);
const BATCH_SIZE: usize = 100;

/// A function that handles a table's changes.
#[derive(Debug, Clone)]
pub struct StreamTrigger {
    pub table: String,
    pub function: &'static str,
    /// The file that keeps how far the stream was read.
    pub checkpoint: PathBuf,
}

impl StreamTrigger {
    /// Handles changes as they come, for as long as the process lives.
    pub async fn run(self, database: Database, functions: Functions) {
        loop {
            let pause = match self.step(&database, &functions).await {
                Ok(()) => INTERVAL,
                Err(error) => {
                    tracing::error!(function = self.function, %error, "the same changes come again");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Handles the next batch, if there is one.
    async fn step(&self, database: &Database, functions: &Functions) -> anyhow::Result<()> {
        let (stream, records) = self.next(database)?;
        if records.is_empty() {
            return Ok(());
        }
        let answer = functions.invoke(self.function, event(&stream, &records)?).await?;
        let handled = handled(&records, &answer);
        if let Some(last) = handled.last() {
            self.save(&last.dynamodb.sequence_number)?;
        }
        anyhow::ensure!(handled.len() == records.len(), "a record failed");
        Ok(())
    }

    /// The stream's name and its records after the checkpoint.
    fn next(&self, database: &Database) -> anyhow::Result<(String, Vec<Record>)> {
        let stream_arn = database
            .describe_table(DescribeTableRequest { table_name: self.table.clone() })?
            .table
            .latest_stream_arn
            .context("the table has no stream")?;
        let stream = database
            .describe_stream(DescribeStreamRequest { stream_arn: stream_arn.clone(), ..Default::default() })?
            .stream_description;
        let Some(shard) = stream.shards.into_iter().next() else {
            return Ok((stream_arn, Vec::new()));
        };
        let checkpoint = fs::read_to_string(&self.checkpoint).ok();
        let shard_iterator = database
            .get_shard_iterator(GetShardIteratorRequest {
                stream_arn: stream_arn.clone(),
                shard_id: shard.shard_id,
                shard_iterator_type: match checkpoint {
                    Some(_) => "AFTER_SEQUENCE_NUMBER".to_owned(),
                    None => "TRIM_HORIZON".to_owned(),
                },
                sequence_number: checkpoint,
            })?
            .shard_iterator
            .context("the shard is closed")?;
        let records = database.get_records(GetRecordsRequest { shard_iterator, limit: Some(BATCH_SIZE) })?.records;
        Ok((stream_arn, records))
    }

    fn save(&self, sequence_number: &str) -> std::io::Result<()> {
        let unfinished = self.checkpoint.with_extension("new");
        fs::write(&unfinished, sequence_number)?;
        fs::rename(&unfinished, &self.checkpoint)
    }
}

fn event(stream_arn: &str, records: &[Record]) -> anyhow::Result<Value> {
    let mut records = serde_json::to_value(records)?;
    for record in records.as_array_mut().into_iter().flatten() {
        record["eventSourceARN"] = json!(stream_arn);
    }
    Ok(json!({ "Records": records }))
}

/// The records before the first one that the answer calls failed.
fn handled<'a>(records: &'a [Record], answer: &Value) -> &'a [Record] {
    let failures: Vec<&str> = answer["batchItemFailures"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|failure| failure["itemIdentifier"].as_str())
        .collect();
    let first_failed = records.iter().position(|record| failures.contains(&record.dynamodb.sequence_number.as_str()));
    &records[..first_failed.unwrap_or(records.len())]
}
