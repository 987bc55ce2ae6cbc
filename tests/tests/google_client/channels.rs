//! Push channels.

use calendar_sync::{
    model::CalendarId,
    ports::{Access, Calendar, CalendarError, Refusal},
};
use chrono::TimeDelta;
use google_sim::{Effect, When};
use serde_json::json;

use crate::world::{HOLIDAYS, World, channel, now, soon};

#[tokio::test]
async fn a_channel_is_opened_for_the_lifetime_that_google_grants_and_closed_again() {
    let world = World::new().await;
    let opened = world.calendar.watch(&world.access, &channel("c1"), soon()).await.unwrap();
    assert_eq!(opened.expires_at, now() + TimeDelta::hours(24));
    assert_eq!(world.google().channels(now()).len(), 1);
    world.calendar.stop(&world.access, &opened, soon()).await.unwrap();
    assert_eq!(world.google().channels(now()).len(), 0);
    world.calendar.stop(&world.access, &opened, soon()).await.expect("one that is gone already is no error");
}

#[tokio::test]
async fn a_calendar_that_refuses_push_says_so() {
    let world = World::new().await;
    let access = Access { calendar: CalendarId::from(HOLIDAYS), ..world.access.clone() };
    let refused = world.calendar.watch(&access, &channel("c1"), soon()).await.unwrap_err();
    let CalendarError::PushNotPossible(refusal) = refused else { panic!("{refused:?}") };
    let words = "400 pushNotSupportedForRequestedResource: Push notifications are not supported by this resource";
    assert_eq!(refusal.to_string(), words);
}

#[tokio::test]
async fn an_address_that_google_refuses_is_not_taken_for_an_ended_token() {
    let world = World::new().await;
    for (id, status, reason) in [("c1", 401, "push.webhookUrlUnauthorized"), ("c2", 403, "forbidden")] {
        world.fault("calendar.events.watch", When::Always, Effect::refuse(status, reason));
        let refused = world.calendar.watch(&world.access, &channel(id), soon()).await.unwrap_err();
        let said = |refusal: &Refusal| refusal.status == status && refusal.reason == reason;
        assert!(matches!(&refused, CalendarError::PushNotPossible(refusal) if said(refusal)), "{refused:?}");
        world.google().clear_faults();
    }
}

#[tokio::test]
async fn opening_a_channel_is_not_repeated_when_it_may_have_been_opened() {
    let world = World::new().await;
    world.fault("calendar.events.watch", When::Nth(1), Effect::RefuseAfterwards { status: 503 });
    assert!(matches!(
        world.calendar.watch(&world.access, &channel("c1"), soon()).await,
        Err(CalendarError::Unavailable(_))
    ));
    assert_eq!(world.google().calls("calendar.events.watch"), 1);
    world.google().clear_faults();
    world.fault("calendar.events.watch", When::Nth(1), Effect::refuse(403, "rateLimitExceeded"));
    world.calendar.watch(&world.access, &channel("c2"), soon()).await.expect("a refusal opened nothing");
}

#[tokio::test]
async fn a_channel_with_more_of_an_id_than_is_stored_cannot_be_read() {
    let world = World::new().await;
    let answer = json!({ "resourceId": "r".repeat(2_000), "expiration": "1772352000000" }).to_string();
    world.fault("calendar.events.watch", When::Always, Effect::Garbage(answer));
    let opened = world.calendar.watch(&world.access, &channel("c1"), soon()).await;
    assert!(matches!(opened, Err(CalendarError::Unavailable(_))), "{opened:?}");
}

#[tokio::test]
async fn a_channel_ends_when_we_asked_it_to_whatever_far_year_the_answer_names() {
    let world = World::new().await;
    let answer = json!({ "resourceId": "r", "expiration": "8210266876799999" }).to_string();
    world.fault("calendar.events.watch", When::Always, Effect::Garbage(answer));
    let asked = channel("c1");
    let opened = world.calendar.watch(&world.access, &asked, soon()).await.unwrap();
    assert_eq!(opened.expires_at, now() + asked.lifetime);
}

#[tokio::test]
async fn no_channel_is_opened_or_closed_past_the_deadline() {
    let world = World::new().await;
    let opened = world.calendar.watch(&world.access, &channel("c1"), soon()).await.unwrap();
    let second = world.calendar.watch(&world.access, &channel("c2"), now()).await;
    assert!(matches!(second, Err(CalendarError::Unavailable(_))), "{second:?}");
    let closed = world.calendar.stop(&world.access, &opened, now()).await;
    assert!(matches!(closed, Err(CalendarError::Unavailable(_))), "{closed:?}");
    assert_eq!(world.google().channels(now()).len(), 1);
}
