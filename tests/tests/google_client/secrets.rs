//! No secret shows, whatever happens.

use calendar_sync::ports::{Calendar, Login, PageRequest};
use google_sim::{Effect, When};
use secrecy::ExposeSecret;
use testkit::log;

use crate::world::{CLIENT_SECRET, SCOPE, VERIFIER, World, channel, clients_at, insert, now, soon};

#[tokio::test]
async fn no_token_shows_in_any_error_or_log_line() {
    let log = log::listen();
    let world = World::new().await;
    let code = world.consent(&[SCOPE]);
    let granted = world.exchange(&code).await.unwrap();
    let refresh_token = granted.tokens.refresh_token.clone().unwrap();
    let mut heard = vec![format!("{granted:?} {:?}", world.access)];
    for effect in [
        Effect::refuse(503, "backendError"),
        Effect::refuse(401, "authError"),
        Effect::refuse(404, "notFound"),
        Effect::Cut,
        Effect::Garbage(r#"{"access_token":"marked-token-in-a-broken-answer""#.to_owned()),
    ] {
        for method in ["calendar.events.*", "batch", "oauth2.*", "calendar.channels.stop"] {
            world.fault(method, When::Always, effect.clone());
        }
        heard.push(format!("{:?}", world.list(Some("marked-sync-token")).await.outcome));
        heard.push(format!("{:?}", world.batch(&[insert(1)]).await));
        heard.push(format!("{:?}", world.calendar.watch(&world.access, &channel("c"), soon()).await));
        heard.push(format!("{:?}", world.exchange(&code).await));
        heard.push(format!("{:?}", world.login.refresh(&refresh_token, now()).await));
        world.google().clear_faults();
    }
    // No server listens there.
    let (calendar, login) = clients_at("http://127.0.0.1:9");
    heard.push(format!("{:?}", calendar.list(&world.access, PageRequest::default(), soon()).await.outcome));
    heard.push(format!("{:?}", login.refresh(&refresh_token, now()).await));

    let logged = log.take();
    assert!(logged.contains("TRACE"), "the log is heard at all");
    let secrets = [
        code.expose_secret(),
        refresh_token.expose_secret(),
        world.access.token.expose_secret(),
        CLIENT_SECRET,
        VERIFIER,
        "marked-channel-token",
        "marked-token-in-a-broken-answer",
    ];
    for text in heard.iter().chain([&logged]) {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} stands in {text}");
        }
    }
}
