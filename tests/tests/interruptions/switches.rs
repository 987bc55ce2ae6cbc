//! Turning a switch, interrupted.

use calendar_sync::model::{Act, SettingChange, SettingsPatch};
use chrono::TimeDelta;
use testkit::data;

use crate::{
    interrupter::{BLOWS, Ended},
    stage::Stage,
};

fn turn(enabled: bool) -> SettingsPatch {
    SettingsPatch { sync_enabled: Some(enabled), ..SettingsPatch::default() }
}

#[tokio::test]
async fn whatever_interrupts_a_switch_the_same_call_made_again_turns_it_everywhere() {
    let stage = Stage::set().await;
    let person = stage.person().await;
    stage.connect(&person).await;
    let settings = stage.ports.change_settings();
    let mut turned = stage.acts(&person).await;
    for blow in BLOWS {
        for nth in 1.. {
            let what = format!("{blow:?} at effect {nth}");
            let ended =
                stage.interrupter.strike(nth, blow, settings.change(person.key, &turn(false), &data::person())).await;
            settings.change(person.key, &turn(false), &data::person()).await.unwrap();
            assert!(!stage.host_says_that_it_syncs(&person).await, "{what}");
            let due = stage.ports.store.state(person.key).await.unwrap().unwrap().next_sync_at;
            assert!(
                due.is_some_and(|due| due <= stage.now() + TimeDelta::minutes(1)),
                "{what}: the poll sees to the rest"
            );
            stage.run(&person).await.unwrap();
            assert_eq!(stage.channels(&person.account), 0, "{what}");

            settings.change(person.key, &turn(true), &data::person()).await.unwrap();
            assert!(stage.host_says_that_it_syncs(&person).await, "{what}");
            stage.run(&person).await.unwrap();
            assert_eq!(stage.channels(&person.account), 1, "{what}");
            turned.extend([false, true].map(|enabled| Act::SettingChanged(SettingChange::SyncEnabled(enabled))));
            assert_eq!(stage.acts(&person).await, turned, "{what}: each turn has its row");
            if matches!(ended, Ended::Undisturbed(_)) {
                assert!(nth > 4, "{what}: there are more effects than that");
                break;
            }
        }
    }
}
