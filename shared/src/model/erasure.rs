//! Erasing all that is kept of an instructor, or of all instructors of a tenant.

use std::{fmt, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{ConnectionKey, InstructorId, Person, TenantId};

/// Whose rows are erased. It names the erasure too, so that one who asks again finds the one that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ErasureScope {
    Instructor(InstructorId),
    /// All instructors of the tenant.
    Tenant,
}

const TENANT: &str = "tenant";

impl ErasureScope {
    /// What a person types to confirm it: the id of what is erased.
    pub fn confirmation(self, tenant: TenantId) -> String {
        match self {
            Self::Instructor(instructor) => instructor.to_string(),
            Self::Tenant => tenant.to_string(),
        }
    }
}

impl fmt::Display for ErasureScope {
    /// `tenant`, or the instructor's id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instructor(instructor) => instructor.fmt(f),
            Self::Tenant => f.write_str(TENANT),
        }
    }
}

impl From<ErasureScope> for String {
    fn from(scope: ErasureScope) -> Self {
        scope.to_string()
    }
}

impl TryFrom<String> for ErasureScope {
    type Error = uuid::Error;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for ErasureScope {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == TENANT { Ok(Self::Tenant) } else { text.parse().map(Self::Instructor) }
    }
}

/// An erasure that is under way, or that ended a while ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub tenant_id: TenantId,
    pub scope: ErasureScope,
    /// Whether our events stay in Google.
    pub keep_events: bool,
    pub asked_by: Person,
    pub began_at: DateTime<Utc>,
    /// Instructors of whom nothing is left.
    pub instructors_erased: u64,
    pub ended_at: Option<DateTime<Utc>>,
}

impl Erasure {
    /// How long its record stays after its end.
    pub const RETENTION: TimeDelta = TimeDelta::hours(24);

    pub fn is_under_way(&self) -> bool {
        self.ended_at.is_none()
    }

    /// Whether its record has expired. Rows outlive their expiry until DynamoDB removes them.
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.ended_at.is_some_and(|ended| ended + Self::RETENTION <= now)
    }

    pub fn key_of(&self, instructor_id: InstructorId) -> ConnectionKey {
        ConnectionKey { tenant_id: self.tenant_id, instructor_id }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_scope_reads_back_as_it_is_written_and_nothing_else_is_one() {
        for scope in [ErasureScope::Tenant, ErasureScope::Instructor(InstructorId(Uuid::from_u128(7)))] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        for text in ["", "Tenant", "tenants", "7", "00000000000000000000000000000007"] {
            assert!(text.parse::<ErasureScope>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_record_expires_a_day_after_its_end_and_never_before() {
        let (tenant, instructor) = (TenantId(Uuid::from_u128(1)), InstructorId(Uuid::from_u128(2)));
        let at = DateTime::UNIX_EPOCH;
        let scope = ErasureScope::Instructor(instructor);
        assert_eq!(scope.confirmation(tenant), instructor.to_string());
        assert_eq!(ErasureScope::Tenant.confirmation(tenant), tenant.to_string());
        let asked_by = Person { subject: "admin".to_owned(), role: super::super::PersonRole::Admin };
        let (began_at, ended_at) = (at, None);
        let mut erasure = Erasure {
            tenant_id: tenant,
            scope,
            keep_events: false,
            asked_by,
            began_at,
            instructors_erased: 0,
            ended_at,
        };
        assert!(erasure.is_under_way() && !erasure.has_expired(at + TimeDelta::days(30)));
        erasure.ended_at = Some(at);
        assert!(!erasure.is_under_way() && !erasure.has_expired(at + TimeDelta::hours(23)));
        assert!(erasure.has_expired(at + TimeDelta::hours(24)));
    }
}
