//! Erasing: what follows of one piece of it.

use std::time::Duration;

use crate::{
    model::{ErasureScope, InstructorId},
    ports::EraseMessage,
};

/// What one piece of an erasure came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The instructor's connection is being taken down, which goes on by itself.
    Leaving(InstructorId),
    /// Rows of the instructor were erased, and others may be left.
    Erased(InstructorId),
    /// Nothing of the instructor was left.
    Gone(InstructorId),
    /// No further instructor of the tenant is known behind those that the message has passed.
    NoneBehind,
    /// Logins in progress were erased, and others may be left.
    LoginsErased,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The message of the next piece, and how long it waits.
    Send(EraseMessage, Duration),
    End,
}

/// How long a disconnect is left to itself before the erasure looks again.
const LEAVING_TAKES: Duration = Duration::from_secs(10);
/// An erasure ends only after it has looked and found nothing. It looks after the index of logins has caught up, and
/// after what was about to be written when the connection went.
const LOOKS_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What follows of the piece that `message` asked for. A tenant's instructors are gone through in order, again and again
/// until none is known: one whose disconnect waits for Google holds up no other.
pub fn next(message: &EraseMessage, piece: Piece) -> Next {
    let again = |delay| Next::Send(message.clone(), delay);
    let from = |after, delay| Next::Send(EraseMessage { after, ..message.clone() }, delay);
    match (message.scope, piece) {
        (_, Piece::Erased(_) | Piece::LoginsErased) => again(LOOKS_AGAIN_AFTER),
        (ErasureScope::Instructor(_), Piece::Leaving(_)) => again(LEAVING_TAKES),
        (ErasureScope::Tenant, Piece::Leaving(instructor) | Piece::Gone(instructor)) => {
            from(Some(instructor), Duration::ZERO)
        }
        (ErasureScope::Tenant, Piece::NoneBehind) if message.after.is_some() => from(None, LEAVING_TAKES),
        (ErasureScope::Instructor(_), Piece::Gone(_)) | (_, Piece::NoneBehind) => Next::End,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::TenantId;

    #[test]
    fn what_follows_of_a_piece_is_one_table() {
        let who = |number| InstructorId(Uuid::from_u128(number));
        let message = |scope, after| EraseMessage { tenant_id: TenantId(Uuid::from_u128(1)), scope, after };
        let (one, tenant) = (ErasureScope::Instructor(who(5)), ErasureScope::Tenant);
        let sent = |message, seconds| Next::Send(message, Duration::from_secs(seconds));
        for (scope, after, piece, expected) in [
            (one, None, Piece::Leaving(who(5)), sent(message(one, None), 10)),
            (one, None, Piece::Erased(who(5)), sent(message(one, None), 2)),
            (one, None, Piece::Gone(who(5)), Next::End),
            (tenant, None, Piece::Leaving(who(5)), sent(message(tenant, Some(who(5))), 0)),
            (tenant, Some(who(4)), Piece::Erased(who(5)), sent(message(tenant, Some(who(4))), 2)),
            (tenant, Some(who(4)), Piece::Gone(who(5)), sent(message(tenant, Some(who(5))), 0)),
            (tenant, Some(who(5)), Piece::NoneBehind, sent(message(tenant, None), 10)),
            (tenant, None, Piece::LoginsErased, sent(message(tenant, None), 2)),
            (tenant, None, Piece::NoneBehind, Next::End),
        ] {
            assert_eq!(next(&message(scope, after), piece), expected, "{scope} after {after:?}: {piece:?}");
        }
    }
}
