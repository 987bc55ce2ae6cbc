//! Connections on one Google account that come and go at the same moment.

use calendar_sync::usecases::disconnect::Keep;

use crate::stage::{Person, Stage};

const NOTHING: Keep = Keep { events: false, imported: false };

async fn two(stage: &Stage) -> (Person, Person) {
    let one = stage.person().await;
    stage.plan(&one.account, "Dentist");
    let other = stage.person_with(&one.account).await;
    (one, other)
}

/// Connects unless the account's grants are being revoked, and then again.
async fn connect_at_last(stage: &Stage, person: &Person) {
    for _ in 0..2 {
        let returning = stage.leave_for_google(person, false).await;
        match stage.come_back(returning).await {
            Ok(_) => return,
            Err(failed) => assert_eq!(failed.error.code(), "connection_changed", "{:?}", failed.error),
        }
        stage.wait_for_the_lease();
    }
    panic!("{person:?} could not be connected");
}

#[tokio::test]
async fn disconnecting_one_of_two_connections_on_an_account_leaves_the_other() {
    let stage = Stage::set().await;
    for the_first_leaves in [true, false] {
        let (first, second) = two(&stage).await;
        stage.connect(&first).await;
        stage.connect(&second).await;
        let (leaves, stays) = if the_first_leaves { (&first, &second) } else { (&second, &first) };
        stage.disconnect_at_last(leaves, NOTHING).await;
        stage.wait_for_the_lease();
        stage.sync(stays).await;
        stage.assert_whole(&stays.account, "the other's events stay");
        stage.disconnect_at_last(stays, NOTHING).await;
        stage.assert_gone(stays, "the last to leave").await;
        assert_eq!(stage.grants(&stays.account), 0, "the last to leave gives the grant back");
    }
}

#[tokio::test]
async fn of_two_that_leave_an_account_at_the_same_moment_the_last_gives_the_grant_back() {
    let stage = Stage::set().await;
    for nth in 1.. {
        let (one, other) = two(&stage).await;
        stage.connect(&one).await;
        stage.connect(&other).await;
        let leaves = stage.begin_to_disconnect(&one, NOTHING);
        let meanwhile = stage.disconnect_at_last(&other, NOTHING);
        let (left, met) = stage.interrupter.amid(nth, leaves, meanwhile).await;
        left.unwrap_or_else(|error| panic!("amid effect {nth}: {error:?}"));
        if met.is_none() {
            assert!(nth > 3, "there are more effects than that");
            break;
        }
        stage.disconnect_at_last(&one, NOTHING).await;
        for person in [&one, &other] {
            stage.assert_gone(person, &format!("amid effect {nth}")).await;
        }
        assert_eq!(stage.grants(&one.account), 0, "amid effect {nth}");
    }
}

#[tokio::test]
async fn connecting_works_while_another_instructor_leaves_the_account() {
    let stage = Stage::set().await;
    for nth in 1.. {
        let (one, other) = two(&stage).await;
        stage.connect(&one).await;
        // Back from Google already: their tokens may be asked for before a revocation and stored after it.
        let returning = stage.leave_for_google(&other, false).await;
        let leaves = stage.begin_to_disconnect(&one, NOTHING);
        let (left, came) = stage.interrupter.amid(nth, leaves, stage.come_back(returning)).await;
        left.unwrap_or_else(|error| panic!("amid effect {nth}: {error:?}"));
        let Some(came) = came else {
            assert!(nth > 10, "there are more effects than that: {nth}");
            break;
        };
        if came.is_err() {
            stage.wait_for_the_lease();
            connect_at_last(&stage, &other).await;
        }
        stage.sync(&other).await;
        stage.disconnect_at_last(&one, NOTHING).await;
        stage.sync(&other).await;
        stage.assert_whole(&one.account, &format!("amid effect {nth}"));
    }
}

#[tokio::test]
async fn leaving_an_account_on_which_another_instructor_connects_breaks_nothing() {
    let stage = Stage::set().await;
    for nth in 1.. {
        let (one, other) = two(&stage).await;
        stage.connect(&one).await;
        let returning = stage.leave_for_google(&other, false).await;
        let meanwhile = stage.disconnect_at_last(&one, NOTHING);
        let (came, left) = stage.interrupter.amid(nth, stage.come_back(returning), meanwhile).await;
        if left.is_none() {
            assert!(nth > 3, "there are more effects than that");
            break;
        }
        if came.is_err() {
            stage.wait_for_the_lease();
            connect_at_last(&stage, &other).await;
        }
        stage.sync(&other).await;
        stage.assert_whole(&one.account, &format!("amid effect {nth}"));
    }
}

#[tokio::test]
async fn of_two_that_connect_on_an_account_at_the_same_moment_both_work() {
    let stage = Stage::set().await;
    for nth in 1.. {
        let (one, other) = two(&stage).await;
        let first = stage.leave_for_google(&one, false).await;
        let second = stage.leave_for_google(&other, false).await;
        let (came, met) = stage.interrupter.amid(nth, stage.come_back(first), stage.come_back(second)).await;
        assert!(came.is_ok(), "amid effect {nth}");
        let Some(met) = met else {
            assert!(nth > 3, "there are more effects than that");
            break;
        };
        assert!(met.is_ok(), "amid effect {nth}");
        for person in [&one, &other] {
            stage.sync(person).await;
        }
        stage.disconnect_at_last(&one, NOTHING).await;
        stage.wait_for_the_lease();
        stage.sync(&other).await;
        stage.assert_whole(&one.account, &format!("one has left that came amid effect {nth}"));
    }
}
