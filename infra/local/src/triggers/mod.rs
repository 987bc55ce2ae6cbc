//! What invokes functions by itself: schedules, queues and the stream of the lessons table.
//!
//! Each sends the very event that AWS sends, and deals with the answer as AWS does.

mod queue;
mod schedule;
mod stream;

pub use queue::QueueTrigger;
pub use schedule::Schedule;
pub use stream::StreamTrigger;
