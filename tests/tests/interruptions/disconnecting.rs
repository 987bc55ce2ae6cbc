//! Disconnecting, interrupted.

use calendar_sync::{
    model::{Notice, NoticeKind},
    usecases::disconnect::{Disconnected, Keep},
};
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
            assert_eq!(stage.grants(&person.account), 0, "{what}");
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
async fn imports_that_were_kept_stay() {
    let stage = Stage::set().await;
    let person = connected(&stage).await;
    stage.disconnect_at_last(&person, Keep { events: false, imported: true }).await;
    let rows = stage.rows(&person).await;
    assert!(rows.len() == 1 && rows[0].contains("Dentist"), "{rows:?}");
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
    assert!(store.credentials(person.key).await.unwrap().is_some(), "whoever has something to tell is remembered");
    stage.disconnect_at_last(&person, NOTHING).await;
    stage.assert_gone(&person, "notices too").await;
}
