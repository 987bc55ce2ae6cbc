//! Connecting, interrupted.

use calendar_sync::model::Act;

use crate::{
    interrupter::{BLOWS, Ended},
    stage::{Person, Stage},
};

#[tokio::test]
async fn whatever_interrupts_a_login_the_login_made_again_connects() {
    let stage = Stage::set().await;
    for blow in BLOWS {
        for nth in 1.. {
            let person = stage.person().await;
            stage.plan(&person.account, "Dentist");
            let what = format!("{blow:?} at effect {nth}");
            let returning = stage.leave_for_google(&person, false).await;
            let ended = stage.interrupter.strike(nth, blow, stage.come_back(returning)).await;
            stage.assert_log_agrees(&person, &what).await;
            if let Ended::Undisturbed(finished) = ended {
                finished.map_err(|failed| failed.error).unwrap();
                assert!(nth > 4, "{what}: there are more effects than that");
                break;
            }
            stage.connect(&person).await;
            stage.assert_whole(&person.account, &what);
        }
    }
}

/// An instructor who is connected, and then chooses another account.
async fn moving(stage: &Stage) -> (Person, Person) {
    let before = stage.person().await;
    stage.plan(&before.account, "Dentist");
    stage.connect(&before).await;
    let after = Person { account: stage.account(), ..before.clone() };
    stage.plan(&after.account, "Dentist");
    (before, after)
}

#[tokio::test]
async fn whatever_interrupts_a_change_of_account_the_login_made_again_completes_it() {
    let stage = Stage::set().await;
    for blow in BLOWS {
        for nth in 1.. {
            let (before, after) = moving(&stage).await;
            let what = format!("{blow:?} at effect {nth}");
            let returning = stage.leave_for_google(&after, true).await;
            let ended = stage.interrupter.strike(nth, blow, stage.come_back(returning)).await;
            stage.assert_log_agrees(&after, &what).await;
            let undisturbed = matches!(ended, Ended::Undisturbed(_));
            if let Ended::Undisturbed(finished) = ended {
                finished.map_err(|failed| failed.error).unwrap();
                assert!(nth > 20, "{what}: there are more effects than that");
            } else {
                replace_at_last(&stage, &after).await;
            }
            stage.sync(&after).await;
            stage.assert_whole(&after.account, &what);
            assert_eq!(stage.in_google(&before.account).keys().collect::<Vec<_>>(), ["Dentist"], "{what}");
            assert_eq!(stage.grants(&before.account), 0, "{what}");
            stage.assert_log_agrees(&after, &what).await;
            if undisturbed {
                assert_eq!(stage.acts(&after).await, [Act::Connected, Act::AccountReplaced], "{what}");
                break;
            }
        }
    }
}

/// Logs in as a person does who is told to come back in a minute.
async fn replace_at_last(stage: &Stage, person: &Person) {
    for _ in 0..4 {
        let returning = stage.leave_for_google(person, true).await;
        match stage.come_back(returning).await {
            Ok(_) => return,
            Err(failed) => assert_eq!(failed.error.code(), "disconnecting", "{:?}", failed.error),
        }
        stage.wait_for_the_lease();
        // What was begun goes on by the queue and the poll.
        let goes_on = stage.disconnect.google.clock.now() + chrono::TimeDelta::seconds(20);
        let _ = stage.disconnect.go_on(person.key, goes_on).await;
    }
    panic!("{person:?} could not be connected");
}
