use chrono::NaiveDate;

use super::*;
use crate::{
    model::ConnectionStatus,
    testing::{credentials, key},
};

const ASKED: [SyncTask; 2] = [SyncTask::PullEvents, SyncTask::Noticed];
const PENDING: [SyncTask; 2] = [SyncTask::FullReconcile, SyncTask::Noticed];

fn request(trigger: SyncTrigger) -> SyncRequest {
    SyncRequest {
        key: key(0, 1),
        trigger,
        tasks: BTreeSet::from(ASKED),
        log_id: None,
        asked: None,
        asked_by: None,
        notified_at: None,
        due_at: None,
        changed_at: None,
        idle_hops: 0,
        deadline: DateTime::UNIX_EPOCH,
    }
}

fn bounded(direction: Option<SyncDirection>, days: bool) -> SyncRequest {
    let dates = days.then_some((NaiveDate::MIN, NaiveDate::MAX));
    let asked = SyncCalendarRequest { instructor_id: key(0, 1).instructor_id, direction, dates };
    SyncRequest { asked: Some(asked), ..request(SyncTrigger::Manual) }
}

fn decide(request: &SyncRequest, change: impl FnOnce(&mut InstructorCalendarCredentials)) -> Result<Job, Refused> {
    let mut credentials = credentials(request.key);
    change(&mut credentials);
    Job::decide(request, &request.tasks, &BTreeSet::from(PENDING), false, &credentials)
}

#[test]
fn a_whole_run_takes_along_what_is_pending_and_a_bounded_one_does_not() {
    let tasks = |request: &SyncRequest| decide(request, |_| {}).map(|job| (job.reach, job.tasks));
    let whole = BTreeSet::from([SyncTask::PullEvents, SyncTask::FullReconcile]);
    assert_eq!(tasks(&request(SyncTrigger::Poll)), Ok((Reach::Whole, whole.clone())));
    assert_eq!(tasks(&bounded(None, false)), Ok((Reach::Whole, whole.clone())), "asked for without bounds");
    assert_eq!(tasks(&bounded(Some(SyncDirection::TwoWay), false)), Ok((Reach::Whole, whole)), "as the settings say");
    let own = BTreeSet::from([SyncTask::PullEvents]);
    assert_eq!(tasks(&bounded(Some(SyncDirection::ToGoogle), false)), Ok((Reach::Bounded, own.clone())));
    assert_eq!(tasks(&bounded(None, true)), Ok((Reach::Bounded, own)));
}

#[test]
fn a_run_goes_as_far_as_was_asked_for_within_what_the_settings_allow() {
    use SyncDirection::{FromGoogle, ToGoogle, TwoWay};
    for (asked, allowed, goes) in [
        (None, TwoWay, Ok(TwoWay)),
        (None, ToGoogle, Ok(ToGoogle)),
        (Some(TwoWay), FromGoogle, Ok(FromGoogle)),
        (Some(ToGoogle), TwoWay, Ok(ToGoogle)),
        (Some(ToGoogle), FromGoogle, Err(Refused::DirectionOff)),
        (Some(FromGoogle), ToGoogle, Err(Refused::DirectionOff)),
    ] {
        let job = decide(&bounded(asked, false), |credentials| credentials.settings.sync_direction = allowed);
        assert_eq!(job.as_ref().map(|job| job.direction).map_err(|refused| *refused), goes, "{asked:?} of {allowed:?}");
        if let Ok(job) = job {
            assert_eq!(job.allowed(), allowed);
        }
    }
}

#[test]
fn nothing_runs_for_a_connection_that_is_off_or_leaving_and_by_hand_only_for_a_person() {
    let triggers = [SyncTrigger::Connect, SyncTrigger::Manual, SyncTrigger::Settings];
    let by_itself = [SyncTrigger::Webhook, SyncTrigger::Poll, SyncTrigger::Lesson];
    let by_hand = |credentials: &mut InstructorCalendarCredentials| credentials.settings.auto_sync = false;
    for trigger in triggers {
        assert!(decide(&request(trigger), by_hand).is_ok(), "{trigger:?}");
    }
    for trigger in by_itself {
        assert_eq!(decide(&request(trigger), by_hand), Err(Refused::ManualOnly), "{trigger:?}");
        assert!(decide(&request(trigger), |_| {}).is_ok(), "{trigger:?}");
    }
    let leaving = ConnectionStatus::Disconnecting { keep_events: false, keep_imported: false };
    let reauth = ConnectionStatus::NeedsReauth { reason: "invalid_grant".to_owned() };
    for (status, enabled, why) in [
        (ConnectionStatus::Active, false, Blocked::SwitchedOff),
        (leaving, true, Blocked::Disconnecting),
        (reauth, true, Blocked::NeedsReauth),
    ] {
        let off = |credentials: &mut InstructorCalendarCredentials| {
            (credentials.status, credentials.settings.sync_enabled) = (status, enabled);
        };
        assert_eq!(decide(&request(SyncTrigger::Manual), off), Err(Refused::Blocked(why)));
    }
}

#[test]
fn the_holder_of_the_lease_is_left_what_has_no_bounds_of_its_own() {
    let notified = SyncRequest { notified_at: Some(DateTime::UNIX_EPOCH), ..request(SyncTrigger::Webhook) };
    let told = SyncRequest { tasks: BTreeSet::from([SyncTask::PullEvents]), ..notified };
    assert_eq!(told.for_the_holder(), BTreeSet::from(ASKED));
    assert_eq!(bounded(None, true).for_the_holder(), BTreeSet::new());
    assert_eq!(bounded(Some(SyncDirection::TwoWay), false).for_the_holder(), BTreeSet::new());
    assert_eq!(bounded(None, false).for_the_holder(), BTreeSet::from(ASKED));
}

#[test]
fn a_run_that_cannot_read_its_connection_keeps_to_the_bounds_that_a_person_gave() {
    let unread = |request: &SyncRequest| {
        let job = Job::unread(request, &request.tasks, &BTreeSet::from(PENDING), false);
        (job.reach, job.direction, job.tasks)
    };
    let own = BTreeSet::from([SyncTask::PullEvents]);
    let from_google = bounded(Some(SyncDirection::FromGoogle), false);
    assert_eq!(unread(&from_google), (Reach::Bounded, SyncDirection::FromGoogle, own.clone()));
    assert_eq!(unread(&bounded(None, true)), (Reach::Bounded, SyncDirection::TwoWay, own));
    let all = BTreeSet::from([SyncTask::PullEvents, SyncTask::FullReconcile]);
    assert_eq!(unread(&request(SyncTrigger::Poll)), (Reach::Whole, SyncDirection::TwoWay, all));
}
