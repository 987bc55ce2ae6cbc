//! Logins in progress: each is used once.

use calendar_sync::model::{OAuthState, SealedSecret};

use testkit::data::person;

use super::{Subject, at, instructor};

fn begun(state: &str) -> OAuthState {
    OAuthState {
        state: state.to_owned(),
        key: instructor(1),
        verifier: SealedSecret("sealed verifier".to_owned()),
        browser: "digest".to_owned(),
        began_by: person(),
        return_path: "/scheduling".to_owned(),
        replace_account: true,
        expires_at: at(1, 10),
    }
}

/// Looking does not use a state up; taking does.
pub async fn a_state_is_taken_once(on: &Subject) {
    on.store.put_oauth_state(&begun("s")).await.unwrap();
    assert_eq!(on.store.oauth_state("s").await.unwrap(), Some(begun("s")));
    assert_eq!(on.store.oauth_state("s").await.unwrap(), Some(begun("s")));
    let taken = futures::future::join_all((0..8).map(|_| on.store.take_oauth_state("s"))).await;
    let taken: Vec<_> = taken.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(taken, [begun("s")]);
    assert_eq!(on.store.oauth_state("s").await.unwrap(), None);
}

/// Whatever a browser sends is looked up without an error.
pub async fn hostile_states_are_just_unknown(on: &Subject) {
    for hostile in ["", "unknown", "\0", "💥", &"x".repeat(5000)] {
        assert_eq!(on.store.oauth_state(hostile).await.unwrap(), None);
        assert_eq!(on.store.take_oauth_state(hostile).await.unwrap(), None);
    }
}
