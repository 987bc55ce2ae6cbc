//! Messages on disk: what is visible to whom until when.

use std::path::Path;

use rusqlite::{Connection, Row, Transaction, params};

use super::Queue;
use crate::system;

/// All queues' messages. Times are milliseconds since the epoch.
#[derive(Debug)]
pub struct Messages(Connection);

/// A message as a receiver gets it.
#[derive(Debug)]
pub struct Received {
    pub id: String,
    pub receipt: String,
    pub body: String,
    /// Message attributes as they were sent, JSON.
    pub attributes: String,
    pub sent_at: i64,
    pub first_received_at: i64,
    pub receive_count: u32,
}

/// How many messages a queue holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Counts {
    /// To be had now.
    pub visible: u32,
    /// Held by a receiver.
    pub in_flight: u32,
    /// Not yet due.
    pub delayed: u32,
}

impl Messages {
    /// Opens the messages kept in `file`. Their receivers ended with the last process, so that received messages are
    /// visible again.
    pub fn open(file: &Path, now: i64) -> rusqlite::Result<Self> {
        let database = crate::aws::sqlite(file)?;
        database.execute_batch(
            "CREATE TABLE IF NOT EXISTS messages (
                sequence INTEGER PRIMARY KEY,
                queue TEXT NOT NULL,
                id TEXT NOT NULL,
                body TEXT NOT NULL,
                attributes TEXT NOT NULL,
                sent_at INTEGER NOT NULL,
                visible_at INTEGER NOT NULL,
                receive_count INTEGER NOT NULL DEFAULT 0,
                first_received_at INTEGER,
                receipt TEXT UNIQUE
            );
            CREATE INDEX IF NOT EXISTS messages_due ON messages (queue, visible_at)",
        )?;
        database.execute("UPDATE messages SET visible_at = ?1 WHERE receipt IS NOT NULL", [now])?;
        Ok(Self(database))
    }

    /// Adds a message and gives its id.
    pub fn send(
        &mut self,
        queue: &str,
        body: &str,
        attributes: &str,
        now: i64,
        visible_at: i64,
    ) -> rusqlite::Result<String> {
        let id = system::random_id().to_string();
        self.0
            .prepare_cached(
                "INSERT INTO messages (queue, id, body, attributes, sent_at, visible_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![queue, id, body, attributes, now, visible_at])?;
        Ok(id)
    }

    /// Takes up to `limit` visible messages and hides them until `hidden_until`.
    ///
    /// Those that were received too often go to the dead letters instead.
    pub fn receive(
        &mut self,
        queue: &Queue,
        limit: u32,
        now: i64,
        hidden_until: i64,
    ) -> rusqlite::Result<Vec<Received>> {
        let transaction = self.0.transaction()?;
        if let Some(dead_letters) = &queue.dead_letters {
            transaction
                .prepare_cached(
                    "UPDATE messages SET queue = ?1, receipt = NULL, receive_count = 0
                     WHERE queue = ?2 AND visible_at <= ?3 AND receive_count >= ?4",
                )?
                .execute(params![dead_letters.queue, queue.name, now, dead_letters.after_receives])?;
        }
        let due: Vec<i64> = transaction
            .prepare_cached(
                "SELECT sequence FROM messages WHERE queue = ?1 AND visible_at <= ?2
                 ORDER BY visible_at, sequence LIMIT ?3",
            )?
            .query_map(params![queue.name, now, limit], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let received = due
            .into_iter()
            .map(|sequence| take(&transaction, sequence, now, hidden_until))
            .collect::<rusqlite::Result<_>>()?;
        transaction.commit()?;
        Ok(received)
    }

    /// Forgets a received message. An outdated receipt, or one used before, changes nothing.
    pub fn delete(&mut self, queue: &str, receipt: &str) -> rusqlite::Result<()> {
        self.0.prepare_cached("DELETE FROM messages WHERE queue = ?1 AND receipt = ?2")?.execute([queue, receipt])?;
        Ok(())
    }

    /// Hides a received message until another time, and tells whether the receipt is current.
    pub fn hide_until(&mut self, queue: &str, receipt: &str, visible_at: i64) -> rusqlite::Result<bool> {
        let changed = self
            .0
            .prepare_cached("UPDATE messages SET visible_at = ?3 WHERE queue = ?1 AND receipt = ?2")?
            .execute(params![queue, receipt, visible_at])?;
        Ok(changed > 0)
    }

    /// Counts a queue's messages by what keeps them.
    pub fn count(&self, queue: &str, now: i64) -> rusqlite::Result<Counts> {
        self.0
            .prepare_cached(
                "SELECT COUNT(*) FILTER (WHERE visible_at <= ?2),
                        COUNT(*) FILTER (WHERE visible_at > ?2 AND receipt IS NOT NULL),
                        COUNT(*) FILTER (WHERE visible_at > ?2 AND receipt IS NULL)
                 FROM messages WHERE queue = ?1",
            )?
            .query_row(params![queue, now], |row| {
                Ok(Counts { visible: row.get(0)?, in_flight: row.get(1)?, delayed: row.get(2)? })
            })
    }
}

fn take(transaction: &Transaction<'_>, sequence: i64, now: i64, hidden_until: i64) -> rusqlite::Result<Received> {
    transaction
        .prepare_cached(
            "UPDATE messages SET visible_at = ?2, receipt = ?3,
                receive_count = receive_count + 1,
                first_received_at = COALESCE(first_received_at, ?4)
             WHERE sequence = ?1
             RETURNING id, receipt, body, attributes, sent_at, first_received_at, receive_count",
        )?
        .query_row(params![sequence, hidden_until, system::random_id().to_string(), now], received)
}

fn received(row: &Row<'_>) -> rusqlite::Result<Received> {
    Ok(Received {
        id: row.get(0)?,
        receipt: row.get(1)?,
        body: row.get(2)?,
        attributes: row.get(3)?,
        sent_at: row.get(4)?,
        first_received_at: row.get(5)?,
        receive_count: row.get(6)?,
    })
}
