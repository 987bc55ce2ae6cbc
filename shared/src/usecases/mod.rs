//! One file for each thing that a user or a schedule asks for: load, decide, apply, commit.

pub mod begin_login;
pub mod change_settings;
mod concurrently;
pub mod deliver_notices;
pub mod disconnect;
pub mod dispatch_due_polls;
pub mod finish_login;
pub mod google_session;
pub mod handle_sync_message;
mod instructor_row;
mod lease;
pub mod list_external_events;
pub mod note_lesson_changes;
pub mod receive_notification;
pub mod renew_channels;
pub mod show_status;
pub mod sync_calendar;
pub mod sync_now;
pub mod take_lessons;
