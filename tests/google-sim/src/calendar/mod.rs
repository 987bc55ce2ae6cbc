//! Calendars and their events, and the rules by which they change.

pub(crate) mod api;
mod cursor;
mod draft;
mod event;
mod fields;
mod guests;
mod kinds;
mod list;
mod params;
mod quota;
mod resources;
mod series;
mod split;
mod store;
mod when;
mod write;

pub(crate) use event::{Event, View};
pub(crate) use guests::answer;
pub(crate) use quota::Quota;
pub(crate) use store::{Calendar, Calendars, Role};
pub(crate) use when::When;
pub(crate) use write::{Manner, Write};
