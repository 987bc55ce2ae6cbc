//! One file for each thing that a user or a schedule asks for: load, decide, apply, commit.

pub mod begin_login;
pub mod change_settings;
pub mod decide_conflict;
pub mod disconnect;
pub mod dispatch_due_polls;
pub mod erase;
pub mod finish_login;
pub mod handle_sync_message;
pub mod list_connections;
pub mod list_external_events;
pub mod note_lesson_changes;
pub mod receive_notification;
pub mod renew_channels;
pub mod show_status;
pub mod sync;
pub mod sync_now;
pub mod take_lessons;
