//! Identifiers, each with a type of its own, so that the compiler keeps them apart.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            /// Accepts the hyphenated form alone, so that an id has one spelling.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse::<uuid::fmt::Hyphenated>().map(|id| Self(id.into_uuid()))
            }
        }
    )*};
}

uuid_id! {
    /// A school.
    TenantId
    InstructorId
    LessonId
    /// A connection between an instructor and a Google calendar; it outlives a reconnect with the same account.
    ConnectionId
    /// A row of the sync log. Time-ordered (UUID version 7), so that rows sort by when the run began.
    SyncLogId
}

macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

text_id! {
    /// A Google calendar: an address, or `primary`.
    CalendarId
    /// A Google event, series or instance (`<series>_<original start>`).
    EventId
    /// A push channel; unique in the Google project for ever.
    ChannelId
}

/// Names a connection. The tenant comes first, since nothing is read or written without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnectionKey {
    pub tenant_id: TenantId,
    pub instructor_id: InstructorId,
}

impl fmt::Display for ConnectionKey {
    /// `tenant#instructor`: the partition that holds all that belongs to one connection.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.tenant_id, self.instructor_id)
    }
}

impl std::str::FromStr for ConnectionKey {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (tenant, instructor) = text.split_once('#').unwrap_or((text, ""));
        Ok(Self { tenant_id: tenant.parse()?, instructor_id: instructor.parse()? })
    }
}
