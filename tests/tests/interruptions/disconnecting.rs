//! Disconnecting, interrupted.

use calendar_sync::{
    model::{Act, Notice, NoticeKind},
    usecases::disconnect::{Disconnected, Keep},
};
use chrono::TimeDelta;
use google_sim::{Effect, Fault};
use uuid::Uuid;

use crate::{
    interrupter::{BLOWS, Blow, Ended},
    stage::{Person, Stage},
};

const NOTHING: Keep = Keep { events: false, imported: false };
const EVENTS: Keep = Keep { events: true, imported: false };

async fn connected(stage: &Stage) -> Person {
    let person = stage.person().await;
    stage.plan(&person.account, "Dentist");
    stage.connect(&person).await;
    stage.assert_whole(&person.account, "before");
    assert_eq!(stage.channels(&person.account), 1, "push works");
    person
}

#[tokio::test]
async fn whatever_interrupts_a_disconnect_the_same_call_made_again_ends_it() {
    let stage = Stage::set().await;
    for blow in BLOWS {
        for nth in 1.. {
            let person = connected(&stage).await;
            let what = format!("{blow:?} at effect {nth}");
            let ended = stage.interrupter.strike(nth, blow, stage.begin_to_disconnect(&person, NOTHING)).await;
            stage.assert_log_agrees(&person, &what).await;
            if let Ended::Undisturbed(ended) = ended {
                assert_eq!(ended.unwrap(), Disconnected::Done);
                assert!(nth > 15, "{what}: there are more effects than that");
                break;
            }
            if matches!(ended, Ended::Died) {
                stage.wait_for_the_lease();
            }
            stage.disconnect_at_last(&person, NOTHING).await;
            stage.assert_gone(&person, &what).await;
            let left = Act::Disconnected { keep_events: false, keep_imported: false };
            assert_eq!(
                stage.acts(&person).await,
                [Act::Connected, left],
                "{what}: whoever asks again does nothing more"
            );
            assert_eq!((stage.grants(&person.account), stage.channels(&person.account)), (0, 0), "{what}");
        }
    }
}

#[tokio::test]
async fn whatever_interrupts_a_disconnect_what_was_to_stay_stays() {
    let stage = Stage::set().await;
    for blow in [Blow::DiesAfter, Blow::FailsAfterwards] {
        for nth in 1.. {
            let person = connected(&stage).await;
            let what = format!("{blow:?} at effect {nth}");
            let ended = stage.interrupter.strike(nth, blow, stage.begin_to_disconnect(&person, EVENTS)).await;
            if let Ended::Undisturbed(ended) = ended {
                assert_eq!(ended.unwrap(), Disconnected::Done);
                assert!(nth > 10, "{what}: there are more effects than that");
                break;
            }
            if matches!(ended, Ended::Died) {
                stage.wait_for_the_lease();
            }
            stage.disconnect_at_last(&person, EVENTS).await;
            stage.assert_whole(&person.account, &what);
            assert_eq!((stage.grants(&person.account), stage.channels(&person.account)), (0, 0), "{what}");
        }
    }
}

#[tokio::test]
async fn a_disconnect_in_the_middle_of_a_sync_leaves_no_event_behind() {
    let stage = Stage::set().await;
    for nth in 1.. {
        let person = stage.person().await;
        stage.plan(&person.account, "Dentist");
        let returning = stage.leave_for_google(&person, false).await;
        stage.come_back(returning).await.map_err(|failed| failed.error).unwrap();
        let leaving = stage.begin_to_disconnect(&person, NOTHING);
        let (_, left) = stage.interrupter.amid(nth, stage.run(&person), leaving).await;
        let Some(left) = left else {
            assert!(nth > 3, "there are more effects than that");
            break;
        };
        left.unwrap_or_else(|error| panic!("amid effect {nth}: {error:?}"));
        stage.disconnect_at_last(&person, NOTHING).await;
        stage.assert_gone(&person, &format!("amid effect {nth}")).await;
    }
}

#[tokio::test]
async fn a_disconnect_after_a_sync_that_died_leaves_no_event_behind() {
    let stage = Stage::set().await;
    for blow in [Blow::DiesBefore, Blow::DiesAfter] {
        for nth in 1.. {
            let person = stage.person().await;
            stage.plan(&person.account, "Dentist");
            let returning = stage.leave_for_google(&person, false).await;
            stage.come_back(returning).await.map_err(|failed| failed.error).unwrap();
            let ended = stage.interrupter.strike(nth, blow, stage.run(&person)).await;
            if matches!(ended, Ended::Undisturbed(_)) {
                assert!(nth > 3, "there are more effects than that");
                break;
            }
            stage.disconnect_at_last(&person, NOTHING).await;
            stage.assert_gone(&person, &format!("{blow:?} at effect {nth}")).await;
        }
    }
}

#[tokio::test]
async fn events_that_were_kept_are_found_again_by_a_reconnect() {
    let stage = Stage::set().await;
    let person = connected(&stage).await;
    stage.disconnect_at_last(&person, EVENTS).await;
    stage.assert_whole(&person.account, "they were kept");
    stage.remove_lesson(&person, 1).await;
    stage.connect(&person).await;
    let titles = stage.in_google(&person.account);
    assert_eq!(titles.keys().collect::<Vec<_>>(), ["Dentist", "Lesson 2", "Lesson 3"], "no orphan");
    assert!(titles.values().all(|count| *count == 1), "no duplicate: {titles:?}");
}

#[tokio::test]
async fn events_that_were_removed_come_back_with_a_reconnect() {
    let stage = Stage::set().await;
    let person = connected(&stage).await;
    stage.disconnect_at_last(&person, NOTHING).await;
    stage.remove_lesson(&person, 1).await;
    stage.connect(&person).await;
    let titles = stage.in_google(&person.account);
    assert_eq!(titles.keys().collect::<Vec<_>>(), ["Dentist", "Lesson 2", "Lesson 3"]);
    assert!(titles.values().all(|count| *count == 1), "no duplicate: {titles:?}");
}

#[tokio::test]
async fn events_that_were_kept_go_with_the_next_disconnect_even_before_the_first_sync() {
    let stage = Stage::set().await;
    let person = connected(&stage).await;
    stage.disconnect_at_last(&person, EVENTS).await;
    let returning = stage.leave_for_google(&person, false).await;
    stage.come_back(returning).await.map_err(|failed| failed.error).unwrap();
    stage.disconnect_at_last(&person, NOTHING).await;
    stage.assert_gone(&person, "after the second disconnect").await;
}

#[tokio::test]
async fn imported_events_that_were_to_be_kept_stay() {
    let stage = Stage::set().await;
    let person = connected(&stage).await;
    stage.disconnect_at_last(&person, Keep { events: false, imported: true }).await;
    let rows = stage.rows(&person).await;
    assert!(rows.len() == 1 && rows[0].contains("Dentist"), "{rows:?}");
}

/// What Google refuses to delete is listed anew each time, and is no progress.
#[tokio::test]
async fn a_disconnect_ends_although_google_keeps_an_event_and_answers_no_revocation() {
    let stage = Stage::set().await;
    let person = connected(&stage).await;
    let refusal = Effect::refuse(403, "forbidden");
    stage.google().inject(Fault::new("calendar.events.delete", refusal));
    stage.google().inject(Fault::new("oauth2.revoke", Effect::refuse(503, "down")));
    let mut attempts = 1;
    while stage.begin_to_disconnect(&person, NOTHING).await.unwrap() == Disconnected::Continues {
        attempts += 1;
        assert!(attempts < 20, "it goes on for ever");
        stage.pass(TimeDelta::hours(7));
    }
    stage.google().clear_faults();
    assert!(attempts > 3, "what may pass is tried again, and was {attempts} times");
    assert_eq!(stage.rows(&person).await, Vec::<String>::new());
    stage.assert_whole(&person.account, "Google is left as it is");
}

#[tokio::test]
async fn what_is_still_to_be_told_is_told_before_the_connection_is_forgotten() {
    let stage = Stage::set().await;
    let person = connected(&stage).await;
    let store = &stage.disconnect.google.store;
    let kind = NoticeKind::SyncFailing { code: "unfinished".to_owned() };
    let notice = Notice { id: Uuid::from_u128(1), key: person.key, kind, at: stage.now() };
    store.put_notices(person.key, &[notice]).await.unwrap();
    assert_eq!(stage.begin_to_disconnect(&person, NOTHING).await.unwrap(), Disconnected::Continues);
    assert!(store.credentials(person.key).await.unwrap().is_some(), "a connection with pending notices is kept");
    stage.disconnect_at_last(&person, NOTHING).await;
    stage.assert_gone(&person, "notices too").await;
}
