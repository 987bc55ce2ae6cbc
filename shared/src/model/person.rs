//! People who act, as the host's sign-in names them.

use serde::{Deserialize, Serialize};

/// As whom a person acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonRole {
    /// The instructor, for themself.
    Instructor,
    Admin,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The subject of their token.
    pub subject: String,
    pub role: PersonRole,
}
