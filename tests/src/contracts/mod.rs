//! What every adapter of a port has to keep, one function for each rule.

pub mod store;
