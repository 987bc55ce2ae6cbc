//! Push channels in simulated time: a new one takes over without a gap, leaves none open, and delays nothing else.

use calendar_sync::{
    model::{ChannelId, PushHealth, SettingsPatch, SyncState, SyncTask, SyncTrigger},
    ports::SyncMessage,
    usecases::disconnect::Keep,
};
use chrono::TimeDelta;
use convergence::sim::{Actor, Role};
use google_sim::{Effect, Fault, When};
use testkit::data::person;

use crate::stage::Stage;

#[test]
fn an_edit_between_watch_and_listing_is_listed_and_one_after_it_is_told() {
    let mut stage = Stage::unconnected();
    while stage.calls("calendar.events.watch") == 0 {
        stage.world.turns(1);
        assert_eq!(stage.lists(), 0, "the channel is open before the calendar is listed");
    }
    stage.dark(true);
    let between = stage.plan();
    stage.dark(false);
    while stage.lists() == 0 {
        stage.world.turns(1);
    }
    let after = stage.plan();
    stage.settle(TimeDelta::minutes(1));
    assert!(stage.is_known(&between) && stage.is_known(&after));
    stage.assert_one_channel("after the first sync");
}

#[test]
fn a_renewal_while_push_works_lists_nothing_and_closes_the_old_channel_two_minutes_later() {
    let mut stage = Stage::new();
    let (old, listed) = (stage.open_channels(), stage.lists());
    stage.renew();
    stage.settle(TimeDelta::minutes(1));
    assert_eq!(stage.open_channels().len(), 2, "both tell for a while");
    stage.settle(TimeDelta::minutes(2));
    stage.assert_one_channel("after both minutes");
    assert_ne!(stage.open_channels(), old);
    assert_eq!((stage.lists(), stage.state().push_health), (listed, PushHealth::Healthy));
    let event = stage.plan();
    assert!(stage.until_known(&event) <= TimeDelta::minutes(1), "the new one tells");
}

#[test]
fn an_edit_just_before_a_renewal_of_which_the_old_channel_tells_late_is_known_when_it_does() {
    let mut stage = Stage::new();
    stage.world.sim.state().google.behaviour_mut().notice_delay_ms = 100_000;
    let event = stage.plan();
    stage.renew();
    stage.settle(TimeDelta::seconds(10));
    assert!(stage.open_channels().len() == 2 && !stage.is_known(&event));
    stage.settle(TimeDelta::minutes(3));
    assert!(stage.is_known(&event));
    stage.assert_one_channel("after both minutes");
}

#[test]
fn a_renewal_while_push_is_doubted_lists_and_then_closes_the_old_channel() {
    let mut stage = Stage::new();
    stage.suspect();
    let listed = stage.lists();
    stage.renew();
    stage.settle(TimeDelta::minutes(1));
    stage.assert_one_channel("after the listing");
    assert_eq!(stage.lists() - listed, 1);
}

#[test]
fn the_listing_after_a_dark_spell_is_owed_until_one_ended_well() {
    let mut stage = Stage::new();
    stage.end_channel();
    stage.fault("calendar.events.list", 503, "backendError", When::Next(10));
    let event = stage.plan();
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Lesson, vec![SyncTask::PushLessons]));
    stage.settle(TimeDelta::seconds(40));
    assert!(stage.state().failures > 0 && !stage.is_known(&event));
    stage.world.sim.state().google.clear_faults();
    // Another run that has no other reason to look comes before the poll does.
    let now = stage.world.now();
    stage.change_state(|state| (state.backoff_until, state.next_sync_at) = (None, Some(now + TimeDelta::hours(5))));
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Lesson, vec![SyncTask::PushLessons]));
    stage.settle(TimeDelta::minutes(1));
    assert!(stage.is_known(&event));
}

#[test]
fn a_channel_that_is_opened_after_a_dark_spell_is_followed_by_a_listing() {
    let mut stage = Stage::new();
    stage.end_channel();
    let event = stage.plan();
    // A run that has no other reason to look into the calendar.
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Lesson, vec![SyncTask::PushLessons]));
    stage.settle(TimeDelta::minutes(1));
    assert!(stage.is_known(&event));
    stage.assert_one_channel("after the spell");
}

#[test]
fn two_renewers_at_once_open_one_channel() {
    let mut stage = Stage::new();
    let before = stage.calls("calendar.events.watch");
    stage.renew();
    stage.renew();
    let (mut both, mut turns) = (false, 0);
    while stage.calls("calendar.events.watch") == before && turns < 1_000 {
        stage.world.turns(1);
        turns += 1;
        both |= stage.world.actors.iter().filter(|actor| matches!(actor.role, Role::Worker(_))).count() > 1;
    }
    assert!(both, "they are at it at once");
    stage.settle(TimeDelta::minutes(3));
    assert_eq!(stage.calls("calendar.events.watch") - before, 1);
    stage.assert_one_channel("after both");
}

/// Also where no channel stood before: then what the next channel watches tells how to close the one left behind, and what
/// changed in the dark is found by a listing.
#[test]
fn a_renewal_that_dies_anywhere_leaves_one_channel_open_and_nothing_untold() {
    for first in [true, false] {
        let mut orphaned = 0;
        for turns in 0.. {
            let mut stage = Stage::new();
            // Nothing that waits for a late answer is taken for done.
            stage.world.sim.state().google.behaviour_mut().early_sync = 0.0;
            if first {
                let now = stage.world.now();
                stage.world.sim.state().google.expire_channels(now);
                stage.change_state(|state| state.channel = None);
            }
            let event = stage.plan();
            stage.renew();
            stage.world.turns(turns);
            let before = stage.world.actors.len();
            // (One that waits for the next second has done its part.)
            let now = stage.world.now();
            let waits = |actor: &Actor| actor.held_until.is_some_and(|until| until > now);
            stage.world.actors.retain(|actor| waits(actor) || !matches!(actor.role, Role::Worker(_)));
            let died = stage.world.actors.len() < before;
            let known = stage.state().channel.map(|channel| channel.id.as_str().to_owned());
            orphaned += usize::from(stage.open_channels().iter().any(|open| Some(open) != known.as_ref()));
            // The message comes again, or else the poll at the lease's end.
            stage.settle(TimeDelta::minutes(30));
            stage.assert_one_channel(&format!("first: {first}, died after {turns} effects"));
            assert_eq!(stage.state().push_health, PushHealth::Healthy, "first: {first}, {turns}");
            assert!(stage.is_known(&event), "first: {first}, died after {turns} effects");
            if turns > 0 && !died {
                break;
            }
        }
        assert!(orphaned > 0, "some death left an unknown channel");
    }
}

#[test]
fn a_listing_that_fails_keeps_the_old_channel_until_one_has_ended_well() {
    let mut stage = Stage::new();
    stage.suspect();
    let old = stage.open_channels();
    stage.fault("calendar.events.list", 503, "backendError", When::Next(10));
    stage.renew();
    stage.settle(TimeDelta::seconds(40));
    let open = stage.open_channels();
    assert!(open.len() == 2 && open.contains(&old[0]), "{open:?}");
    stage.world.sim.state().google.clear_faults();
    stage.settle(TimeDelta::minutes(10));
    stage.assert_one_channel("after a good listing");
    assert_ne!(stage.open_channels(), old);
}

#[test]
fn an_old_channel_that_cannot_be_closed_is_closed_by_the_next_run() {
    let mut stage = Stage::new();
    stage.fault("calendar.channels.stop", 503, "backendError", When::Next(20));
    stage.renew();
    stage.settle(TimeDelta::minutes(3));
    assert_eq!((stage.open_channels().len(), stage.state().retired_channels.len()), (2, 1));
    stage.world.sim.state().google.clear_faults();
    stage.plan();
    stage.settle(TimeDelta::minutes(1));
    stage.assert_one_channel("after the next run");
}

#[test]
fn a_channel_whose_opening_was_not_answered_is_closed_and_the_old_one_kept() {
    let mut stage = Stage::new();
    let old = stage.open_channels();
    let unanswered = Fault::new("calendar.events.watch", Effect::RefuseAfterwards { status: 503 }).on(When::Next(1));
    stage.world.sim.state().google.inject(unanswered);
    stage.renew();
    while stage.open_channels() == old {
        stage.world.turns(1);
    }
    stage.settle(TimeDelta::minutes(1));
    stage.assert_one_channel("after the attempt");
    assert_eq!(stage.open_channels(), old);
    stage.settle(TimeDelta::hours(6));
    stage.assert_one_channel("after the next attempt");
    assert_ne!(stage.open_channels(), old);
}

#[test]
fn a_channel_that_is_refused_leaves_the_old_one_and_push_as_they_are() {
    let mut stage = Stage::new();
    let old = stage.open_channels();
    stage.fault("calendar.events.watch", 403, "forbidden", When::Next(1));
    stage.renew();
    stage.settle(TimeDelta::minutes(1));
    stage.assert_one_channel("after the refusal");
    assert_eq!(stage.open_channels(), old);
    assert_eq!(stage.push()["state"], "healthy");
    let event = stage.plan();
    assert!(stage.until_known(&event) <= TimeDelta::minutes(1));
}

#[test]
fn renewals_that_fail_show_before_the_channel_ends() {
    let mut stage = Stage::new();
    let ends = stage.state().channel.unwrap().expires_at;
    stage.fault("calendar.events.watch", 503, "backendError", When::Always);
    let before = stage.calls("calendar.events.watch");
    stage.settle(ends - TimeDelta::hours(10) - stage.world.now());
    assert_eq!(stage.push()["state"], "healthy", "there is time yet");
    // (The schedule of each hour comes when something else does.)
    (0..6).for_each(|_| stage.settle(TimeDelta::hours(1)));
    assert!(stage.calls("calendar.events.watch") > before, "attempts failed");
    let push = stage.push();
    assert_eq!(push["state"], "unhealthy");
    assert!(push["description"].as_str().unwrap().contains("should have been renewed and was not"), "{push}");
    stage.world.sim.state().google.clear_faults();
    (0..2).for_each(|_| stage.settle(TimeDelta::hours(1)));
    assert_eq!(stage.push()["state"], "healthy");
}

#[test]
fn a_channel_that_was_refused_is_asked_for_again_by_the_end_of_the_open_one() {
    let mut stage = Stage::new();
    let ends = stage.state().channel.unwrap().expires_at;
    stage.fault("calendar.events.watch", 403, "forbidden", When::Next(1));
    while stage.world.now() < ends + TimeDelta::hours(1) {
        stage.settle(TimeDelta::minutes(30));
    }
    assert!(stage.state().channel.unwrap().expires_at > ends);
    assert_eq!(stage.push()["state"], "healthy");
}

/// Channels that are to be closed, and Google never answers that.
fn closing_hangs(stage: &Stage) {
    stage.change_state(|state| state.retired_channels = (0..5).map(|n| ChannelId(format!("stray {n}"))).collect());
    stage.world.sim.state().google.inject(Fault::new("calendar.channels.stop", Effect::Timeout));
}

#[test]
fn an_outage_of_closing_channels_holds_up_neither_lessons_nor_listings() {
    let mut stage = Stage::new();
    closing_hangs(&stage);
    stage.add_lesson();
    let event = stage.plan();
    stage.settle(TimeDelta::seconds(10));
    assert_eq!((stage.calls("calendar.events.insert"), stage.is_known(&event)), (1, true));
    stage.settle(TimeDelta::minutes(5));
    assert_eq!((stage.state().retired_channels.len(), stage.state().failures), (5, 0));
    stage.world.sim.state().google.clear_faults();
    stage.send(SyncMessage::new(stage.party.key, SyncTrigger::Poll, vec![SyncTask::PullEvents]));
    stage.settle(TimeDelta::minutes(1));
    stage.assert_one_channel("after the outage");
}

#[test]
fn a_switch_is_turned_off_in_time_although_no_channel_can_be_closed() {
    let mut stage = Stage::new();
    closing_hangs(&stage);
    stage.change_settings(SettingsPatch { auto_sync: Some(false), ..SettingsPatch::default() });
    stage.settle(TimeDelta::seconds(20));
    let SyncState { channel, retired_channels, lease, .. } = stage.state();
    assert_eq!((channel, retired_channels, lease.owner), (None, vec![], None));
}

#[test]
fn a_disconnect_removes_our_events_although_no_channel_can_be_closed() {
    let mut stage = Stage::new();
    stage.add_lesson();
    stage.settle(TimeDelta::minutes(5));
    closing_hangs(&stage);
    let (key, now, disconnect) = (stage.party.key, stage.world.now(), stage.world.product().handler.disconnect);
    let began =
        async move { disconnect.begin(key, Keep::default(), &person(), now + TimeDelta::seconds(20)).await.map(drop) };
    stage.world.request(began);
    stage.settle(TimeDelta::seconds(20));
    assert_eq!(stage.calls("calendar.events.delete"), 1);
}
