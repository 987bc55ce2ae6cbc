//! The faults that histories met: a simulation that never meets a fault proves nothing about it.

use std::{collections::BTreeMap, fmt};

macro_rules! faults {
    ($($name:ident)*) => {
        /// A kind of trouble that a history may meet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum Fault { $($name),* }

        impl Fault {
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

faults! {
    // people
    LessonAdded LessonMoved LessonEdited LessonCancelled LessonReinstated LessonRemoved LessonReassigned
    LessonRowPutAnew LessonRowSpoiled LessonZoneChanged OddText ZoneUnknown
    EventPlanned AllDayEventPlanned LongEventPlanned PastEventPlanned SeriesPlanned SeriesAtNight SeriesWithoutADay SeriesWithAnotherDay
    DayThatEndsOnItself EventOfAnotherKind BirthdayPlanned MadeFromMail TooLargeEventPlanned ConferencePlanned EventMoved EventEdited EventDeleted EventRevived
    InstanceMoved InstanceCancelled SeriesSplit SeriesSplitToAnotherTime SeriesTrimmed Invited InvitedFromOutside InvitedToInstance InvitationAnswered
    OwnEventMoved OwnEventEdited OwnEventDeleted OwnEventMadeRecurring OwnEventCopied OwnEventRevivedByHand
    OwnEventContended GuestsAndNotesAdded ConferenceAdded BinEmptied ZoneChanged AccessChanged
    // switches
    SwitchedOff SwitchedOn DirectionChanged ManualOnly Disconnected Reconnected LoggedInAgain ManualSync ManualSyncOfSomeDays
    ManualSyncOneWay ConflictIgnored ConflictUnignored DecidedDuringARun
    // processes
    Crash CrashAfterGoogleWrite CrashAfterRowsStored HeldUp HeldUpPastLease Overlap LeaseHeld MessageDoubled MessageToDeadLetters
    StreamRecordLost
    // the store
    StoreThrottled StoreUnanswered BatchPartlyWritten IndexLag
    // Google
    CursorLost GoogleRateLimited GoogleQuotaExceeded GoogleServerError GoogleAnswerLost
    GoogleConnectionCut GoogleTimeout GoogleGarbage GoogleSlow GoogleRefusedForGood TokenExpired GrantWithdrawn AccountDisabled
    TokenEndpointDown EmptyPages QuotaTaken ItemUnreadable SeriesUnreadable SeriesMisread ItemWithoutId ListingLags GuestsEditInVain
    ScopeMissing CalendarGone RefreshTokenRotated PushAddressRefused
    // notices
    NoticeLost NoticeLate NoticeDoubled ChannelsExpired PushDark PushSuspected
    // others
    QueueDown SentUnanswered ClockJump ClocksDiffer
    // two of them that matter together
    ZoneMovedAWholeDayAtALesson OrphanNotDeleted CursorLostWithUnreadableItem CompleteListingWithItemWithoutId SwitchedDuringARun TakenDownDuringARun LessonMovedWhereNothingIsWritten
    LessonChangedWhileItsAnswerIsLost LoginDuringARun
    // and what is asked of the product then
    WellWithinMinutes FailingTold AttentionTold LessonGivenUp
}

/// Faults that have to occur together in one history, in either order.
pub const PAIRS: &[(Fault, Fault)] = &[
    (Fault::CursorLost, Fault::ZoneChanged),
    (Fault::CursorLost, Fault::OwnEventDeleted),
    (Fault::CursorLost, Fault::EmptyPages),
    (Fault::CursorLost, Fault::GoogleQuotaExceeded),
    (Fault::CursorLost, Fault::SeriesSplit),
    (Fault::CrashAfterRowsStored, Fault::AllDayEventPlanned),
    (Fault::CrashAfterRowsStored, Fault::InstanceMoved),
    (Fault::CrashAfterGoogleWrite, Fault::LessonMoved),
    (Fault::GoogleAnswerLost, Fault::LessonEdited),
    (Fault::GoogleAnswerLost, Fault::OwnEventDeleted),
    (Fault::GoogleAnswerLost, Fault::LessonZoneChanged),
    (Fault::GoogleAnswerLost, Fault::OddText),
    (Fault::HeldUpPastLease, Fault::Overlap),
    (Fault::HeldUpPastLease, Fault::OwnEventEdited),
    (Fault::TokenEndpointDown, Fault::GrantWithdrawn),
    (Fault::TokenEndpointDown, Fault::Disconnected),
    (Fault::GrantWithdrawn, Fault::LessonReassigned),
    (Fault::Disconnected, Fault::GoogleServerError),
    (Fault::Disconnected, Fault::QueueDown),
    (Fault::DirectionChanged, Fault::LessonMoved),
    (Fault::DirectionChanged, Fault::OwnEventMadeRecurring),
    (Fault::SwitchedOff, Fault::LessonRemoved),
    (Fault::ManualSyncOfSomeDays, Fault::LessonMoved),
    (Fault::ManualSyncOneWay, Fault::StoreUnanswered),
    (Fault::ConflictIgnored, Fault::EventMoved),
    (Fault::ConflictIgnored, Fault::CursorLost),
    (Fault::PushDark, Fault::EventMoved),
    (Fault::ZoneChanged, Fault::AllDayEventPlanned),
    (Fault::ZoneChanged, Fault::StoreThrottled),
    (Fault::GoogleRefusedForGood, Fault::LessonMoved),
    (Fault::BinEmptied, Fault::LessonReinstated),
    (Fault::QuotaTaken, Fault::ManualSync),
];

/// The faults of one history.
#[derive(Debug, Clone, Default)]
pub struct Coverage(BTreeMap<Fault, u32>);

impl Coverage {
    pub fn met(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }
}

/// How many histories met each fault.
#[derive(Debug, Clone, Default)]
pub struct Census {
    histories: u64,
    met: BTreeMap<Fault, u64>,
    together: BTreeMap<(Fault, Fault), u64>,
}

impl Census {
    pub fn count(&mut self, coverage: &Coverage) {
        self.histories += 1;
        for fault in coverage.0.keys() {
            *self.met.entry(*fault).or_default() += 1;
        }
        for (one, other) in PAIRS {
            if coverage.0.contains_key(one) && coverage.0.contains_key(other) {
                *self.together.entry((*one, *other)).or_default() += 1;
            }
        }
    }

    /// Counts what another census counted.
    pub fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        for (fault, count) in &other.met {
            *self.met.entry(*fault).or_default() += count;
        }
        for (pair, count) in &other.together {
            *self.together.entry(*pair).or_default() += count;
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

    /// Which pairs fewer than one history in a hundred met.
    pub fn rare_pairs(&self) -> Vec<(Fault, Fault)> {
        let rare = |pair: &&(Fault, Fault)| self.together.get(pair).copied().unwrap_or(0) * 100 < self.histories;
        PAIRS.iter().filter(rare).copied().collect()
    }
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} histories. Of a hundred, so many met:", self.histories)?;
        let share = |count: Option<&u64>| count.copied().unwrap_or(0) * 1000 / self.histories.max(1);
        for fault in Fault::ALL {
            let met = share(self.met.get(fault));
            writeln!(f, "{:>6}.{} {fault:?}", met / 10, met % 10)?;
        }
        for pair @ (one, other) in PAIRS {
            let met = share(self.together.get(pair));
            writeln!(f, "{:>6}.{} {one:?} and {other:?}", met / 10, met % 10)?;
        }
        Ok(())
    }
}
