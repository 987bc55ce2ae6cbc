//! The acts of a history: the host changes lessons, people change their calendars and settings, and faults occur. An
//! act names only its kind; its details are drawn when it happens, from a seed of its own, so that leaving out one act
//! does not change the others.
#![allow(clippy::unnecessary_wraps, reason = "all acts are alike, also those that there is always something to do for")]

pub(crate) mod google;
pub(crate) mod host;
mod malformed;
mod manners;
pub(crate) mod own_events;
pub(crate) mod people;
mod plans;
pub(crate) mod trouble;

use crate::{dice::Dice, world::World};

macro_rules! acts {
    ($($weight:literal $name:ident)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the names say it")]
        pub enum Act { $($name),* }

        impl Act {
            const WEIGHTS: &[(usize, Self)] = &[$(($weight, Self::$name)),*];
        }
    };
}

acts! {
    // the host
    9 AddLesson
    8 MoveLesson
    4 EditLesson
    3 ChangeLessonZone
    4 CancelLesson
    3 ReinstateLesson
    3 RemoveLesson
    2 ReassignLesson
    2 PutLessonRowAnew
    1 SpoilLessonRow
    // people in Google, with their own events
    6 PlanEvent
    3 PlanAllDayEvent
    2 PlanLongEvent
    5 PlanSeries
    3 PlanEventOfAnotherKind
    5 MoveEvent
    4 EditEvent
    3 DeleteEvent
    2 ReviveEvent
    4 MoveInstance
    3 CancelInstance
    2 SplitSeries
    2 TrimSeries
    3 Invite
    3 InviteFromOutside
    2 InviteToInstance
    2 AnswerInvitation
    // people in Google, with events of ours
    4 MoveOwnEvent
    3 EditOwnEvent
    4 DeleteOwnEvent
    2 MakeOwnEventRecurring
    2 CopyOwnEvent
    2 ReviveOwnEventByHand
    3 AddGuestsAndNotes
    1 EmptyBin
    1 ChangeZone
    // people here
    3 SwitchOffOrOn
    2 ChangeDirection
    2 SyncByHandOnly
    2 Disconnect
    6 Reconnect
    2 LogInAgain
    3 SyncNow
    2 SyncSomeDays
    2 SyncOneWay
    4 DecideConflict
    // trouble
    8 Crash
    5 HoldUp
    14 LoseStreamRecord
    6 StoreFault
    4 IndexLag
    2 QueueFault
    14 GoogleFault
    3 ForgetCursors
    1 ChangeAccess
    4 SpoilItem
    2 ShowNameless
    1 PlanTooLargeEvent
    3 ChangeManners
    2 EndAccessTokens
    3 StopTokens
    2 WithdrawGrant
    4 TakeQuota
    1 EndChannels
    2 DarkenPush
    2 ThinPages
    14 Wait
    2 JumpClock
}

impl Act {
    /// A random act, common ones more often.
    pub fn any(dice: &mut Dice) -> Self {
        let sum = Self::WEIGHTS.iter().map(|(weight, _)| weight).sum();
        let mut rolled = dice.below(sum);
        for (weight, act) in Self::WEIGHTS {
            if rolled < *weight {
                return *act;
            }
            rolled -= weight;
        }
        Self::Wait
    }

    /// Whether it may keep the product from learning of a change, or delay it.
    pub fn may_lose(self) -> bool {
        matches!(
            self,
            Self::LoseStreamRecord
                | Self::DarkenPush
                | Self::EndChannels
                | Self::ChangeZone
                | Self::ChangeDirection
                | Self::SyncByHandOnly
                | Self::SwitchOffOrOn
                | Self::WithdrawGrant
                | Self::SpoilLessonRow
                | Self::IndexLag
                | Self::ChangeManners
        )
    }

    /// Performs the act; `None` where it is not possible.
    pub fn happen(self, world: &mut World) {
        let told = self.told(world).unwrap_or_else(|| "nothing to do".to_owned());
        world.sim.tell(|| format!("{self:?}: {told}"));
    }

    fn told(self, world: &mut World) -> Option<String> {
        match self {
            Self::AddLesson => host::add(world),
            Self::MoveLesson => host::move_one(world),
            Self::EditLesson => host::edit(world),
            Self::ChangeLessonZone => host::change_zone(world),
            Self::CancelLesson => host::cancel(world),
            Self::ReinstateLesson => host::reinstate(world),
            Self::RemoveLesson => host::remove(world),
            Self::ReassignLesson => host::reassign(world),
            Self::PutLessonRowAnew => host::put_anew(world),
            Self::SpoilLessonRow => host::spoil(world),
            Self::PlanEvent => plans::plan(world),
            Self::PlanAllDayEvent => plans::plan_all_day(world),
            Self::PlanLongEvent => plans::plan_long(world),
            Self::PlanSeries => plans::plan_series(world),
            Self::PlanEventOfAnotherKind => plans::plan_kind(world),
            Self::MoveEvent => google::move_one(world),
            Self::EditEvent => google::edit(world),
            Self::DeleteEvent => google::delete(world),
            Self::ReviveEvent => google::revive(world),
            Self::MoveInstance => google::move_instance(world),
            Self::CancelInstance => google::cancel_instance(world),
            Self::SplitSeries => google::split(world),
            Self::TrimSeries => google::trim(world),
            Self::Invite => plans::invite(world),
            Self::InviteToInstance => plans::invite_to_instance(world),
            Self::InviteFromOutside => plans::invite_from_outside(world),
            Self::AnswerInvitation => google::answer_invitation(world),
            Self::MoveOwnEvent => own_events::move_one(world),
            Self::EditOwnEvent => own_events::edit(world),
            Self::DeleteOwnEvent => own_events::delete(world),
            Self::MakeOwnEventRecurring => own_events::make_recurring(world),
            Self::CopyOwnEvent => own_events::copy(world),
            Self::ReviveOwnEventByHand => own_events::revive(world),
            Self::AddGuestsAndNotes => own_events::add_guests_and_notes(world),
            Self::EmptyBin => google::empty_bin(world),
            Self::ChangeZone => google::change_zone(world),
            Self::SwitchOffOrOn => people::switch(world),
            Self::ChangeDirection => people::change_direction(world),
            Self::SyncByHandOnly => people::by_hand_only(world),
            Self::Disconnect => people::disconnect(world),
            Self::Reconnect => people::reconnect(world),
            Self::LogInAgain => people::log_in_again(world),
            Self::SyncNow => people::sync_everything(world),
            Self::SyncSomeDays => people::sync_some_days(world),
            Self::SyncOneWay => people::sync_one_way(world),
            Self::DecideConflict => people::decide_conflict(world),
            Self::Crash => trouble::crash(world),
            Self::HoldUp => trouble::hold_up(world),
            Self::LoseStreamRecord => trouble::lose_stream_record(world),
            Self::StoreFault => trouble::store_fault(world),
            Self::IndexLag => trouble::index_lag(world),
            Self::QueueFault => trouble::queue_fault(world),
            Self::GoogleFault => trouble::google_fault(world),
            Self::ForgetCursors => trouble::forget_cursors(world),
            Self::SpoilItem => malformed::spoil_item(world),
            Self::ShowNameless => malformed::show_nameless(world),
            Self::PlanTooLargeEvent => malformed::plan_too_large(world),
            Self::ChangeManners => manners::change(world),
            Self::ChangeAccess => trouble::change_access(world),
            Self::EndAccessTokens => trouble::end_access_tokens(world),
            Self::StopTokens => trouble::stop_tokens(world),
            Self::WithdrawGrant => trouble::withdraw_grant(world),
            Self::TakeQuota => trouble::take_quota(world),
            Self::EndChannels => trouble::end_channels(world),
            Self::DarkenPush => trouble::darken_push(world),
            Self::ThinPages => trouble::thin_pages(world),
            Self::Wait => trouble::wait(world),
            Self::JumpClock => trouble::jump_clock(world),
        }
    }
}
