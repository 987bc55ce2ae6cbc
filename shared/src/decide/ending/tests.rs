use SyncTask::{FullReconcile, Noticed, PullEvents, PushLessons, RetryGivenUp};

use super::*;
use crate::{
    decide::job::Reach,
    model::{Removals, SyncDirection, SyncSettings},
};

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

/// The state of a connection that a run found at minute 0, with requests of others.
fn state() -> SyncState {
    let mut state = SyncState::new(at(0));
    state.pending.tasks = [PullEvents].into();
    state
}

fn job(reach: Reach) -> Job {
    Job {
        tasks: [PullEvents, PushLessons, FullReconcile, RetryGivenUp].into(),
        reach,
        direction: SyncDirection::TwoWay,
        settings: SyncSettings::default(),
        announced: false,
    }
}

fn ended(asked: &BTreeSet<SyncTask>) -> Ended<'_> {
    let (has_failures, listed_before, now) = (false, None, at(10));
    Ended { asked, is_awaited: false, has_failures, listed_before, now, jitter: u16::MAX / 2 }
}

fn through(left: Left) -> Ending {
    Ending::Through(left)
}

fn failed() -> Ending {
    Ending::Stopped(Stop::Failed { code: "google_unavailable" })
}

/// The state after such an ending, and what follows of it.
fn after(reach: Reach, ending: &Ending) -> (SyncState, Conclusion) {
    let (mut state, asked) = (state(), [PullEvents].into());
    let conclusion = conclude(&mut state, &job(reach), ending, ended(&asked));
    (state, conclusion)
}

#[test]
fn of_two_things_that_are_left_the_worse_counts() {
    let worse = [Left::Nothing, Left::MoreAtOnce, Left::Throttled, Left::Failed, Left::QuotaExceeded];
    assert!(worse.is_sorted());
}

#[test]
fn what_is_left_of_a_whole_run_is_pending_for_the_next() {
    for (ending, left, outcome) in [
        (through(Left::Nothing), vec![], SyncOutcome::Completed),
        (through(Left::MoreAtOnce), vec![PushLessons, RetryGivenUp], SyncOutcome::Running),
        (through(Left::Throttled), vec![PullEvents, PushLessons, RetryGivenUp], SyncOutcome::Completed),
        (through(Left::Failed), vec![PullEvents, PushLessons], SyncOutcome::Partial),
        (through(Left::QuotaExceeded), vec![PullEvents, PushLessons], SyncOutcome::Partial),
        (
            Ending::Stopped(Stop::Throttled),
            vec![PullEvents, PushLessons, FullReconcile, RetryGivenUp],
            SyncOutcome::Completed,
        ),
        (failed(), vec![PullEvents, PushLessons, FullReconcile], SyncOutcome::Failed),
        (Ending::Stopped(Stop::Withdrawn), vec![PullEvents, PushLessons, FullReconcile], SyncOutcome::Failed),
    ] {
        let (state, conclusion) = after(Reach::Whole, &ending);
        assert_eq!(state.pending.tasks, left.into_iter().collect(), "{ending:?}");
        assert_eq!(conclusion.outcome, outcome, "{ending:?}");
    }
}

#[test]
fn a_run_that_goes_on_by_a_message_is_not_polled_beside_it() {
    let (state, conclusion) = after(Reach::Whole, &through(Left::MoreAtOnce));
    assert_eq!(conclusion.rest.unwrap().delay, Duration::ZERO);
    assert_eq!(state.next_sync_at, Some(at(15)), "should the message be lost");
}

#[test]
fn a_bounded_run_leaves_the_requests_of_others_as_they_are_and_has_them_looked_after_at_once() {
    for ending in [through(Left::Nothing), through(Left::MoreAtOnce), through(Left::Throttled)] {
        let (state, conclusion) = after(Reach::Bounded, &ending);
        assert_eq!((state.pending.tasks, state.next_sync_at), ([PullEvents].into(), Some(at(10))), "{ending:?}");
        assert_ne!(conclusion.newcomers, Newcomers::AtOnce, "they are not for its bounds");
    }
    let (state, conclusion) = after(Reach::Bounded, &through(Left::MoreAtOnce));
    let rest = [PushLessons, FullReconcile, RetryGivenUp].into();
    assert_eq!(conclusion.rest, Some(Rest { tasks: rest, delay: Duration::ZERO }), "in the same bounds");
    assert_eq!(state.failures, 0);
    let (state, _) = after(Reach::Bounded, &failed());
    let tried_again = [PullEvents, PushLessons].into();
    assert_eq!((state.pending.tasks, state.failures), (tried_again, 1), "no more than a poll does");
}

#[test]
fn a_failure_rests_the_longer_the_more_there_were_and_is_told_once() {
    let (mut state, asked) = (state(), BTreeSet::new());
    let mut told = Vec::new();
    let rests = [1, 2, 3, 4].map(|_| {
        let conclusion = conclude(&mut state, &job(Reach::Whole), &failed(), ended(&asked));
        told.push(conclusion.notice.is_some());
        assert_eq!((state.next_sync_at, conclusion.newcomers), (state.backoff_until, Newcomers::AfterRest));
        (state.backoff_until.unwrap() - at(10)).num_seconds()
    });
    assert_eq!(rests.map(|seconds| (seconds + 30) / 60), [1, 2, 4, 8]);
    assert_eq!((told, state.failures), (vec![false, false, true, false], 4));
    conclude(&mut state, &job(Reach::Whole), &through(Left::Nothing), ended(&asked));
    assert_eq!((state.failures, state.backoff_until, state.last_error), (0, None, None));
    assert_eq!(state.last_synced_at, Some(at(10)));
}

#[test]
fn each_failure_has_its_code_and_its_rest() {
    let refused = || Ending::Stopped(Stop::ClientRefused { reason: "deleted_client".to_owned() });
    for (ending, code, minutes) in [
        (through(Left::Failed), "unfinished", 1),
        (through(Left::QuotaExceeded), "quota_exceeded", 180),
        (Ending::Stopped(Stop::QuotaExceeded), "quota_exceeded", 180),
        (refused(), "client_refused", 1),
        (failed(), "google_unavailable", 1),
    ] {
        let (state, _) = after(Reach::Whole, &ending);
        let rest = state.backoff_until.unwrap() - at(10);
        assert_eq!((state.last_error.as_deref(), (rest.num_seconds() + 30) / 60), (Some(code), minutes), "{ending:?}");
        assert_eq!(state.client_refused.is_some(), ending == refused());
    }
    let mut state = SyncState { failures: 20, ..state() };
    conclude(&mut state, &job(Reach::Whole), &refused(), ended(&BTreeSet::new()));
    assert_eq!(((state.backoff_until.unwrap() - at(10)).num_seconds() + 30) / 60, 60, "all come back within the hour");
}

#[test]
fn a_withdrawn_permission_ends_polls_and_renewals_until_a_login() {
    let mut state = SyncState { renew_at: Some(at(20)), ..state() };
    let conclusion =
        conclude(&mut state, &job(Reach::Whole), &Ending::Stopped(Stop::Withdrawn), ended(&BTreeSet::new()));
    assert_eq!((state.next_sync_at, state.renew_at, state.failures), (None, None, 0));
    assert_eq!((state.last_error.as_deref(), conclusion.rest), (Some("needs_reauth"), None));
    let (state, _) = after(Reach::Whole, &Ending::Stopped(Stop::Replaced));
    assert_eq!(state.next_sync_at, Some(at(10)), "a connection made meanwhile is looked after at once");
}

#[test]
fn a_person_who_waits_for_room_gets_a_message_and_everybody_else_the_poll() {
    let asked = [FullReconcile].into();
    for ending in [through(Left::Throttled), Ending::Stopped(Stop::Throttled)] {
        let mut state = state();
        let awaited = Ended { is_awaited: true, ..ended(&asked) };
        let conclusion = conclude(&mut state, &job(Reach::Whole), &ending, awaited);
        assert_eq!(conclusion.outcome, SyncOutcome::Running);
        assert_eq!(conclusion.rest.unwrap().delay, Duration::from_secs(80));
        assert_eq!(state.next_sync_at, Some(at(15)), "should the message be lost");
        let (state, conclusion) = after(Reach::Whole, &ending);
        assert_eq!(conclusion.rest, None);
        let wait = state.next_sync_at.unwrap() - at(10);
        assert!(wait > TimeDelta::minutes(1) && wait < TimeDelta::minutes(2), "{wait}");
    }
}

#[test]
fn a_notification_is_kept_until_a_listing_has_answered_it() {
    let heard = |change: fn(&mut SyncState), ending: &Ending| {
        let (mut state, asked) = (state(), BTreeSet::new());
        change(&mut state);
        conclude(&mut state, &Job { announced: true, ..job(Reach::Whole) }, ending, ended(&asked));
        state.pending.tasks.contains(&Noticed)
    };
    assert!(heard(|_| {}, &failed()));
    assert!(heard(|_| {}, &Ending::Stopped(Stop::Throttled)));
    assert!(!heard(|_| {}, &through(Left::Nothing)));
    assert!(!heard(|state| state.listed_at = Some(at(5)), &failed()), "the calendar was listed before that failed");
}

#[test]
fn leave_to_remove_what_vanished_ends_with_the_whole_run_that_came_to_all() {
    let held = Removals { since: at(0), count: 9, held: true };
    let is_held = |reach, ending: &Ending, direction| {
        let mut state = SyncState { removals: Some(held), ..state() };
        let settings = SyncSettings { sync_direction: direction, ..SyncSettings::default() };
        conclude(&mut state, &Job { settings, ..job(reach) }, ending, ended(&BTreeSet::new()));
        state.removals.is_some()
    };
    assert!(!is_held(Reach::Whole, &through(Left::Nothing), SyncDirection::TwoWay));
    assert!(is_held(Reach::Bounded, &through(Left::Nothing), SyncDirection::TwoWay));
    assert!(is_held(Reach::Whole, &through(Left::Failed), SyncDirection::TwoWay));
    assert!(is_held(Reach::Whole, &through(Left::Nothing), SyncDirection::FromGoogle), "nothing was removed");
}

#[test]
fn where_nothing_may_run_what_was_asked_for_stays_but_a_persons_leave() {
    let asked = [FullReconcile, RetryGivenUp].into();
    let refused = |refused| {
        let mut state = state();
        let conclusion = refuse(&mut state, &asked, refused, false, at(10));
        (state, conclusion)
    };
    let (state, conclusion) = refused(Refused::Blocked(Blocked::NeedsReauth));
    assert_eq!((state.pending.tasks, state.next_sync_at), ([PullEvents, FullReconcile].into(), None));
    assert_eq!((conclusion.outcome, conclusion.refused), (SyncOutcome::Failed, Some(Blocked::NeedsReauth)));
    let (state, _) = refused(Refused::Blocked(Blocked::Disconnecting));
    assert!(state.next_sync_at > Some(at(10)), "the poll goes on with it");
    let (state, _) = refused(Refused::ManualOnly);
    assert_eq!((state.pending.tasks.len(), state.next_sync_at), (3, None), "the leave was not used");
    let (state, conclusion) = refused(Refused::DirectionOff);
    assert_eq!((state.pending.tasks, state.next_sync_at), ([PullEvents].into(), Some(at(10))));
    assert_eq!(conclusion.newcomers, Newcomers::ByMessage);
}

#[test]
fn a_cut_run_counts_as_a_failure_whose_first_rest_was_the_wait_for_its_lease() {
    let mut state = SyncState { client_refused: Some("deleted_client".to_owned()), ..state() };
    let mut told = Vec::new();
    let rests = [1, 2, 3, 4].map(|_| {
        told.push(count_cut(&mut state, at(10), u16::MAX / 2).is_some());
        state.backoff_until.map(|until| ((until - at(10)).num_seconds() + 30) / 60)
    });
    assert_eq!(rests, [None, Some(1), Some(2), Some(4)]);
    assert_eq!(told, [false, false, true, false]);
    assert_eq!((state.failures, state.last_error.as_deref(), state.failures_met()), (4, Some("run_cut"), 0));
    assert!(state.client_refused.is_some(), "that is not mended by it");
    conclude(&mut state, &job(Reach::Whole), &through(Left::Failed), ended(&BTreeSet::new()));
    assert_eq!((state.failures, state.failures_met()), (5, 1), "a cut brings no lesson nearer to being given up");
    let mut state = SyncState { failures: 1, backoff_until: Some(at(190)), ..super::tests::state() };
    count_cut(&mut state, at(10), 0);
    assert_eq!(state.backoff_until, Some(at(190)), "a longer rest stands");
}
