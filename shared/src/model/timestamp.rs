//! Timestamps as text: UTC, RFC 3339, milliseconds, so that their text order is their time order.

use chrono::{DateTime, SecondsFormat, Utc};

/// `2026-03-01T08:00:00.000Z`.
pub fn format(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// For `#[serde(with = "timestamp")]`.
pub fn serialize<S: serde::Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*at))
}

/// For `#[serde(with = "timestamp")]`.
pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    <DateTime<Utc> as serde::Deserialize>::deserialize(deserializer)
}

/// For `#[serde(with = "timestamp::option")]`.
pub mod option {
    use chrono::{DateTime, Utc};

    /// For `#[serde(with = "timestamp::option")]`.
    #[allow(clippy::ref_option, reason = "the signature that serde asks for")]
    pub fn serialize<S: serde::Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&super::format(*at)),
            None => serializer.serialize_none(),
        }
    }

    /// For `#[serde(with = "timestamp::option")]`.
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        <Option<DateTime<Utc>> as serde::Deserialize>::deserialize(deserializer)
    }
}
