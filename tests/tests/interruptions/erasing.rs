//! Erasing, interrupted: a message that was cut comes again.

use calendar_sync::{
    Result,
    model::ErasureScope,
    ports::EraseMessage,
    usecases::erase::{Erase, Erasures},
};
use chrono::TimeDelta;

use crate::{
    interrupter::{BLOWS, Blow, Ended},
    stage::{Person, Stage},
};

impl Stage {
    async fn begin_to_erase(&self, person: &Person) -> Result<()> {
        let (store, clock) = (self.ports.store.clone(), self.ports.clock.clone());
        let erasures = Erasures { store, erase_queue: self.erase_queue.clone(), clock };
        let scope = ErasureScope::Instructor(person.key.instructor_id);
        erasures.begin(person.key.tenant_id, scope, false, &testkit::data::person()).await.map(drop)
    }

    /// Handles messages until the erasure has ended. The worker goes on with a disconnect beside it.
    async fn erase(&self, person: &Person) -> Result<()> {
        let (key, scope) = (person.key, ErasureScope::Instructor(person.key.instructor_id));
        let erase = Erase {
            disconnect: self.disconnect.clone(),
            erase_queue: self.erase_queue.clone(),
            bus: self.ports.bus.clone(),
        };
        for _ in 0..20 {
            erase.handle(&EraseMessage::first(key.tenant_id, scope), self.now() + TimeDelta::seconds(20)).await?;
            let erasure = self.ports.store.erasure(key.tenant_id, scope).await?.unwrap();
            if !erasure.is_under_way() {
                return Ok(());
            }
            self.disconnect.go_on(key, self.now() + TimeDelta::seconds(20)).await?;
        }
        panic!("{person:?} is not erased");
    }

    async fn assert_erased(&self, person: &Person, what: &str) {
        let store = &self.ports.store;
        assert_eq!(self.rows(person).await, Vec::<String>::new(), "{what}");
        assert!(store.logs(person.key, None, 9).await.unwrap().is_empty(), "{what}");
        let (tenant, instructor) = (person.key.tenant_id, person.key.instructor_id);
        let mut after = None;
        while let Some(known) = store.known_instructor(tenant, after).await.unwrap() {
            assert_ne!(known, instructor, "{what}");
            after = Some(known);
        }
        let erasure = store.erasure(tenant, ErasureScope::Instructor(instructor)).await.unwrap().unwrap();
        assert_eq!(erasure.instructors_erased, 1, "{what}: an instructor counts once");
        assert_eq!((self.grants(&person.account), self.channels(&person.account)), (0, 0), "{what}");
    }
}

#[tokio::test]
async fn whatever_interrupts_an_erasure_its_message_that_comes_again_ends_it() {
    let stage = Stage::set().await;
    for blow in [Blow::DiesBefore, Blow::DiesAfter, Blow::FailsAfterwards] {
        for nth in 1.. {
            let person = stage.person().await;
            stage.plan(&person.account, "Dentist");
            stage.connect(&person).await;
            stage.begin_to_erase(&person).await.unwrap();
            let what = format!("{blow:?} at effect {nth}");
            let ended = stage.interrupter.strike(nth, blow, stage.erase(&person)).await;
            if let Ended::Undisturbed(ended) = ended {
                ended.unwrap();
                assert!(nth > 20, "{what}: there are more effects than that");
                stage.assert_erased(&person, &what).await;
                break;
            }
            stage.wait_for_the_lease();
            stage.erase(&person).await.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            stage.assert_erased(&person, &what).await;
        }
    }
}

#[tokio::test]
async fn an_erasure_that_was_cut_at_its_beginning_is_begun_by_the_same_call_made_again() {
    let stage = Stage::set().await;
    for blow in BLOWS {
        for nth in 1.. {
            let person = stage.person().await;
            stage.connect(&person).await;
            let ended = stage.interrupter.strike(nth, blow, stage.begin_to_erase(&person)).await;
            if let Ended::Undisturbed(ended) = ended {
                ended.unwrap();
                assert_eq!(nth, 4, "a row, and a message before and after it");
                break;
            }
            stage.begin_to_erase(&person).await.unwrap();
            stage.erase(&person).await.unwrap();
            stage.assert_erased(&person, &format!("{blow:?} at effect {nth}")).await;
        }
    }
}
