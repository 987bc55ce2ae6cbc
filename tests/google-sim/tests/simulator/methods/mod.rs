//! The methods around events.list and the writes: free/busy, import, move, access rules, settings, colours.

mod describe;
mod freebusy;
mod import;
mod movement;
mod scopes;
