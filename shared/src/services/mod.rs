//! What several use cases need: calls to Google for one connection, its lease, its row with the host, its outbox.

pub mod concurrently;
pub mod deliver_notices;
pub mod google_session;
pub mod instructor_row;
pub mod lease;
