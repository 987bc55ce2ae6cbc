//! Calendars and their events, and the rules by which they change.

mod acl;
pub(crate) mod api;
mod collection;
mod colors;
mod cursor;
mod draft;
mod event;
mod fields;
mod freebusy;
mod guests;
mod import;
mod kinds;
mod list;
mod method;
mod movement;
mod params;
mod quota;
mod resources;
mod series;
mod settings;
mod show;
mod split;
mod store;
mod texts;
mod when;
mod write;

pub(crate) use event::Event;
pub(crate) use fields::EVERYTHING;
pub(crate) use guests::answer;
pub(crate) use quota::Quota;
pub(crate) use show::{Shown, View};
pub(crate) use store::{Calendar, Calendars, Role};
pub(crate) use when::When;
pub(crate) use write::{Manner, Write};
