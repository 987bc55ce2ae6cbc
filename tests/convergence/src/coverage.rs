//! What a history has met: a simulation that never meets a fault proves nothing about it.

use std::{collections::BTreeMap, fmt};

macro_rules! faults {
    ($($name:ident)*) => {
        /// A kind of trouble that a history may meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum Fault { $($name),* }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

faults! {
    // people
    LessonAdded LessonMoved LessonEdited LessonCancelled LessonReinstated LessonRemoved LessonReassigned
    LessonRowPutAnew LessonRowSpoiled
    EventPlanned AllDayEventPlanned LongEventPlanned SeriesPlanned EventMoved EventEdited EventDeleted EventRevived
    InstanceMoved InstanceCancelled SeriesSplit SeriesTrimmed Invited InvitationAnswered
    OwnEventMoved OwnEventEdited OwnEventDeleted OwnEventMadeRecurring OwnEventCopied OwnEventRevivedByHand
    OwnEventContended GuestsAndNotesAdded BinEmptied ZoneChanged AccessChanged
    // switches
    SwitchedOff SwitchedOn DirectionChanged ManualOnly Disconnected Reconnected ManualSync ManualSyncOfSomeDays
    ManualSyncOneWay
    // processes
    Crash CrashAfterGoogleWrite CrashAfterRowsStored HeldUp HeldUpPastLease Overlap LeaseHeld MessageDoubled MessageToDeadLetters
    StreamRecordLost
    // the store
    StoreThrottled StoreUnanswered IndexLag
    // Google
    CursorLost GoogleRateLimited GoogleQuotaExceeded GoogleServerError GoogleAnswerLost
    GoogleConnectionCut GoogleTimeout GoogleGarbage GoogleSlow GoogleRefusedForGood TokenExpired GrantWithdrawn
    TokenEndpointDown EmptyPages QuotaTaken
    // notices
    NoticeLost NoticeLate NoticeDoubled ChannelsExpired PushDark PushSuspected
    // others
    QueueDown ClockJump
    // and what is asked of the product then
    WellWithinMinutes
}

/// What one history has met.
#[derive(Debug, Clone, Default)]
pub struct Coverage(BTreeMap<Fault, u32>);

impl Coverage {
    /// It met this.
    pub fn met(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }
}

/// How many histories met what.
#[derive(Debug, Clone, Default)]
pub struct Census {
    histories: u64,
    met: BTreeMap<Fault, u64>,
}

impl Census {
    /// Counts a history.
    pub fn count(&mut self, coverage: &Coverage) {
        self.histories += 1;
        for fault in coverage.0.keys() {
            *self.met.entry(*fault).or_default() += 1;
        }
    }

    /// Counts what another census counted.
    pub fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        for (fault, count) in &other.met {
            *self.met.entry(*fault).or_default() += count;
        }
    }

    /// How many histories were counted.
    pub fn histories(&self) -> u64 {
        self.histories
    }

    /// What fewer than one history in a hundred met.
    pub fn rare(&self) -> Vec<Fault> {
        let rare = |fault: &&Fault| self.met.get(fault).copied().unwrap_or(0) * 100 < self.histories;
        Fault::ALL.iter().filter(rare).copied().collect()
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} histories. Of a hundred, so many met:", self.histories)?;
        for fault in Fault::ALL {
            let met = self.met.get(fault).copied().unwrap_or(0) * 1000 / self.histories.max(1);
            writeln!(f, "{:>6}.{} {fault:?}", met / 10, met % 10)?;
        }
        Ok(())
    }
}
