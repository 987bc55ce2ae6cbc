//! Erasures, and the instructors of whom rows may be there.

use calendar_sync::{
    model::{Erasure, ErasureScope, OAuthState, SealedSecret},
    ports::MarkUpdate,
};
use chrono::TimeDelta;
use testkit::data::person;

use super::{Subject, at, instructor, mapping, notice, primary, single};

fn erasure(scope: ErasureScope, minute: i64) -> Erasure {
    Erasure {
        tenant_id: instructor(1).tenant_id,
        scope,
        keep_events: minute > 0,
        asked_by: person(),
        began_at: at(1, minute),
        instructors_erased: 0,
        ended_at: None,
    }
}

/// Until its end; then another may take its place.
pub async fn an_erasure_that_is_under_way_stays_as_it_is(on: &Subject) {
    let tenant = instructor(1).tenant_id;
    for scope in [ErasureScope::Tenant, ErasureScope::Instructor(instructor(1).instructor_id)] {
        let (first, second) = (erasure(scope, 0), erasure(scope, 5));
        assert_eq!(on.store.erasure(tenant, scope).await.unwrap(), None);
        assert_eq!(on.store.begin_erasure(&first).await.unwrap(), first);
        assert_eq!(on.store.begin_erasure(&second).await.unwrap(), first);
        for minute in [7, 8] {
            on.store.end_erasure(tenant, scope, at(1, minute)).await.unwrap();
        }
        let ended = Erasure { ended_at: Some(at(1, 7)), ..first };
        assert_eq!(on.store.erasure(tenant, scope).await.unwrap(), Some(ended));
        assert_eq!(on.store.begin_erasure(&second).await.unwrap(), second);
        assert_eq!(on.store.erasure(tenant, scope).await.unwrap(), Some(second));
    }
}

pub async fn instructors_are_known_from_their_first_login_until_they_are_erased(on: &Subject) {
    let tenant = instructor(1).tenant_id;
    for number in [2, 1, 3] {
        on.connected(instructor(number)).await;
    }
    on.connected(testkit::data::key(2, 9)).await;
    on.store.begin_erasure(&erasure(ErasureScope::Tenant, 0)).await.unwrap();
    let known = async |after| on.store.known_instructor(tenant, after).await.unwrap();
    let id = |number| instructor(number).instructor_id;
    assert_eq!(known(None).await, Some(id(1)));
    assert_eq!(known(Some(id(1))).await, Some(id(2)));
    assert_eq!(known(Some(id(3))).await, None);
    for _ in 0..2 {
        on.store.forget_instructor(instructor(2), ErasureScope::Tenant).await.unwrap();
    }
    assert_eq!(known(Some(id(1))).await, Some(id(3)));
    let counted = on.store.erasure(tenant, ErasureScope::Tenant).await.unwrap().unwrap();
    assert_eq!(counted.instructors_erased, 1, "an instructor counts once");
}

pub async fn rows_are_erased_so_many_at_a_time_and_no_others(on: &Subject) {
    let (own, other) = (instructor(1), instructor(2));
    for (key, id) in [(own, 1), (other, 2)] {
        on.store.save_mapping(&mapping(key, id, at(2, 0)), MarkUpdate::Keep, &[]).await.unwrap();
        on.store.put_notices(key, &[notice(key, id, 0)]).await.unwrap();
        let events = ["a", "b"].map(|id| single(id, at(2, 0), at(2, 0) + TimeDelta::hours(1)));
        on.store.put_external(key, &events).await.unwrap();
        let login = OAuthState {
            state: format!("state {id}"),
            key,
            verifier: SealedSecret("sealed verifier".to_owned()),
            browser: "digest".to_owned(),
            began_by: person(),
            return_path: "/".to_owned(),
            replace_account: false,
            expires_at: at(1, 10),
        };
        on.store.put_oauth_state(&login).await.unwrap();
    }
    let mut erased = Vec::new();
    while erased.last() != Some(&0) {
        erased.push(on.store.erase_rows(own, 2).await.unwrap());
    }
    assert_eq!(erased, [2, 2, 1, 0]);
    assert!(on.store.mappings(own).await.unwrap().is_empty());
    assert!(on.store.external_ids(own).await.unwrap().is_empty());
    assert_eq!(on.store.oauth_state("state 1").await.unwrap(), None);
    assert_eq!(on.store.mappings(other).await.unwrap().len(), 1);
    assert_eq!(on.store.pending_notices(other, 9).await.unwrap().len(), 1);
    let kept = on.store.external_ids(other).await.unwrap();
    assert!(kept.len() == 2 && kept.iter().all(|(calendar, _)| *calendar == primary()), "{kept:?}");
    assert!(on.store.oauth_state("state 2").await.unwrap().is_some());
    assert_eq!(on.store.erase_logins(other.tenant_id, 9).await.unwrap(), 1);
    assert_eq!(on.store.oauth_state("state 2").await.unwrap(), None);
}
