//! Tokens whose data key is replaced: they are sealed anew, and nothing that interrupts it makes them unreadable.

use chrono::TimeDelta;

use crate::{
    interrupter::{BLOWS, Ended},
    stage::Stage,
};

/// Longer than a data key seals.
const A_MONTH: TimeDelta = TimeDelta::days(31);

#[tokio::test]
async fn both_tokens_are_sealed_anew_by_the_first_refresh_after_their_data_key_was_replaced() {
    let stage = Stage::set().await;
    let person = stage.person().await;
    stage.connect(&person).await;
    let made = stage.sealed_refresh_token(&person).await;
    stage.pass(TimeDelta::hours(2));
    stage.sync(&person).await;
    assert_eq!(stage.sealed_refresh_token(&person).await, made, "a refresh alone leaves it");

    stage.pass(A_MONTH);
    stage.sync(&person).await;
    let renewed = stage.sealed_refresh_token(&person).await;
    assert_ne!(renewed, made);
    stage.pass(TimeDelta::hours(2));
    stage.sync(&person).await;
    assert_eq!(stage.sealed_refresh_token(&person).await, renewed, "once");
}

#[tokio::test]
async fn whatever_interrupts_the_sealing_the_tokens_stay_readable() {
    let stage = Stage::set().await;
    for blow in BLOWS {
        for nth in 1.. {
            let person = stage.person().await;
            stage.connect(&person).await;
            stage.pass(A_MONTH);
            let ended = stage.interrupter.strike(nth, blow, stage.run(&person)).await;
            stage.wait_for_the_lease();
            stage.sync(&person).await;
            if matches!(ended, Ended::Undisturbed(_)) {
                assert!(nth > 3, "there are more effects than that");
                break;
            }
        }
    }
}
