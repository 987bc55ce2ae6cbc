//! EventBridge: a bus that keeps what reached it, for a person or a test to look at.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::SecondsFormat;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Fault, wire};
use crate::system;

#[derive(Debug)]
pub struct Bus {
    database: Mutex<Connection>,
}

/// An event as it reached the bus. An event put twice is kept twice.
#[derive(Debug, Serialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Notice {
    /// The bus's own id of this arrival.
    pub id: String,
    /// When it arrived, UTC.
    pub received_at: String,
    pub source: String,
    /// What kind of event it is.
    pub detail_type: String,
    pub detail: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
}

impl Bus {
    /// Opens the bus kept in the database `file`.
    pub fn open(file: &Path) -> rusqlite::Result<Self> {
        let database = super::sqlite(file)?;
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS events (
                sequence INTEGER PRIMARY KEY,
                id TEXT NOT NULL,
                received_at TEXT NOT NULL,
                source TEXT NOT NULL,
                detail_type TEXT NOT NULL,
                detail TEXT NOT NULL
            )",
        )?;
        Ok(Self { database: Mutex::new(database) })
    }

    pub fn call(&self, operation: &str, body: &[u8]) -> Result<Value, Fault> {
        if operation != "PutEvents" {
            return Err(Fault::unknown_operation(operation));
        }
        let PutEvents { entries } = wire::input(body)?;
        let outcomes = entries.iter().map(|entry| self.put(entry)).collect::<Result<Vec<Value>, Fault>>()?;
        let failed = outcomes.iter().filter(|o| o.get("ErrorCode").is_some()).count();
        Ok(json!({ "FailedEntryCount": failed, "Entries": outcomes }))
    }

    /// The latest events, newest first.
    pub fn latest(&self, limit: u32) -> rusqlite::Result<Vec<Notice>> {
        self.lock()
            .prepare_cached(
                "SELECT id, received_at, source, detail_type, detail
                 FROM events ORDER BY sequence DESC LIMIT ?1",
            )?
            .query_map([limit], |row| {
                Ok(Notice {
                    id: row.get(0)?,
                    received_at: row.get(1)?,
                    source: row.get(2)?,
                    detail_type: row.get(3)?,
                    detail: serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or_default(),
                })
            })?
            .collect()
    }

    /// EventBridge refuses single entries, not calls: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
    fn put(&self, entry: &Entry) -> Result<Value, Fault> {
        let (Some(source), Some(detail_type), Some(detail)) = (&entry.source, &entry.detail_type, &entry.detail) else {
            return Ok(json!({
                "ErrorCode": "InvalidArgument",
                "ErrorMessage": "Parameter Source, DetailType or Detail is not valid.",
            }));
        };
        if !serde_json::from_str::<Value>(detail).is_ok_and(|detail| detail.is_object()) {
            return Ok(json!({
                "ErrorCode": "MalformedDetail",
                "ErrorMessage": "Detail is malformed.",
            }));
        }
        let id = system::random_id().to_string();
        let received_at = system::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        self.lock().execute(
            "INSERT INTO events (id, received_at, source, detail_type, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id, received_at, source, detail_type, detail],
        )?;
        Ok(json!({ "EventId": id }))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
