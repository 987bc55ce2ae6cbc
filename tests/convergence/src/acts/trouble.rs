//! Faults: processes that die or are paused, a store and a queue that refuse, errors of Google, and a clock that jumps.

use calendar_sync::model::{ConnectionKey, Lesson};
use chrono::TimeDelta;
use google_sim::{Effect, Fault as GoogleFault, GrantEnd, When};

use super::manners;
use crate::{
    coverage::Fault,
    exchange::FOR_GOOD,
    sim::{Actor, Halfway, Role, SendFaults, StoreFaults},
    world::{ACCOUNTS, World},
};

fn any_account(world: &World) -> &'static str {
    ACCOUNTS[world.sim.state().dice.below(ACCOUNTS.len())]
}

/// A process dies. The messages and records that it was handling come again.
pub(super) fn crash(world: &mut World) -> Option<String> {
    if world.actors.is_empty() {
        return None;
    }
    // Preferably one that leaves something half done, and often one that is about to.
    let (halfway, waits) = match world.sim.state().dice.below(10) {
        0..4 => (Halfway::GoogleWritten, 40),
        4..6 => (Halfway::RowsStored, 40),
        _ => (Halfway::GoogleWritten, 0),
    };
    let is_halfway = |actor: &Actor| actor.halfway == Some(halfway);
    for _ in 0..waits {
        if world.actors.iter().any(is_halfway) {
            break;
        }
        world.turns(1);
    }
    if world.actors.is_empty() {
        return None;
    }
    let found = world.actors.iter().position(is_halfway);
    let chosen = found.unwrap_or_else(|| world.sim.state().dice.below(world.actors.len()));
    let actor = world.actors.remove(chosen);
    world.come_again(&actor.role);
    world.sim.met(match actor.halfway {
        Some(Halfway::GoogleWritten) => Fault::CrashAfterGoogleWrite,
        Some(Halfway::RowsStored) => Fault::CrashAfterRowsStored,
        None => Fault::Crash,
    });
    Some(format!("{:?} dies", actor.role))
}

/// A process is paused, perhaps for longer than its lease.
pub(super) fn hold_up(world: &mut World) -> Option<String> {
    let workers: Vec<usize> =
        (0..world.actors.len()).filter(|&index| matches!(world.actors[index].role, Role::Worker(_))).collect();
    if workers.is_empty() {
        return None;
    }
    let mut state = world.sim.state();
    let chosen = *state.dice.pick(&workers);
    let seconds = *state.dice.pick(&[2, 10, 40, 80, 80, 150]);
    world.actors[chosen].held_until = Some(state.now + TimeDelta::seconds(seconds));
    state.coverage.met(if seconds > 75 { Fault::HeldUpPastLease } else { Fault::HeldUp });
    Some(format!("{:?} for {seconds} s", world.actors[chosen].role))
}

pub(super) fn lose_stream_record(world: &mut World) -> Option<String> {
    // Those that are being delivered are not lost.
    let delivered = world.actors.iter().find_map(|actor| match actor.role {
        Role::Stream(records) => Some(records),
        _ => None,
    });
    if world.stream.len() <= delivered.unwrap_or(0) {
        return None;
    }
    let lost = world.stream.pop_back()?;
    world.sim.met(Fault::StreamRecordLost);
    // (A lesson that changes hands is the concern of two. Of rows that cannot be read, see `host::put`.)
    let lessons: Vec<Lesson> = [lost.old, lost.new].into_iter().flatten().collect();
    let mut state = world.sim.state();
    let of = |lesson: &Lesson| ConnectionKey { tenant_id: lesson.tenant_id, instructor_id: lesson.instructor_id };
    state.truth.miss(lessons.iter().map(of));
    let lesson = lessons.first()?;
    state.truth.records_lost.insert((lesson.tenant_id, lesson.id));
    Some(lesson.id.to_string())
}

pub(super) fn store_fault(world: &mut World) -> Option<String> {
    let mut state = world.sim.state();
    let count = u32::try_from(state.dice.between(1, 3)).unwrap_or(1);
    let after = u32::try_from(state.dice.below(12)).unwrap_or(0);
    let faults = if state.dice.percent(50) {
        StoreFaults { throttled: count, unanswered: 0, after }
    } else {
        StoreFaults { throttled: 0, unanswered: count, after }
    };
    state.store_faults = faults;
    Some(format!("{faults:?}"))
}

pub(super) fn index_lag(world: &mut World) -> Option<String> {
    let lags = world.sim.state().dice.percent(50);
    if lags {
        world.store.lag();
        world.miss(None);
        world.sim.met(Fault::IndexLag);
    } else {
        world.store.caught_up();
    }
    Some(if lags { "indexes lag" } else { "indexes catch up" }.to_owned())
}

pub(super) fn queue_fault(world: &mut World) -> Option<String> {
    let mut state = world.sim.state();
    let count = u32::try_from(state.dice.between(1, 3)).unwrap_or(1);
    state.send_faults = if state.dice.percent(50) {
        SendFaults { refused: count, unanswered: 0 }
    } else {
        SendFaults { refused: 0, unanswered: count }
    };
    Some(format!("{:?}", state.send_faults))
}

pub(super) fn google_fault(world: &mut World) -> Option<String> {
    let writes =
        ["calendar.events.insert", "calendar.events.update", "calendar.events.patch", "calendar.events.delete"];
    let mut state = world.sim.state();
    let method = match state.dice.below(8) {
        0 | 1 => "calendar.events.list",
        2 | 3 => *state.dice.pick(&writes),
        4 | 5 => "batch",
        6 => *state.dice.pick(&["calendar.events.get", "calendar.events.watch", "calendar.channels.stop"]),
        _ => *state.dice.pick(&["oauth2.token", "oauth2.revoke"]),
    };
    let mut effects = vec![
        Effect::refuse(500, "backendError"),
        Effect::refuse(503, "backendError"),
        Effect::RefuseAfterwards { status: 503 },
        Effect::Timeout,
        Effect::TimeoutAfterwards,
        Effect::Cut,
        Effect::CutAfterwards,
        Effect::Slow(3_000),
        Effect::Garbage("<html>".to_owned()),
    ];
    // The calendar is gone for a while, or no longer the person's to see.
    if method == "calendar.events.list" {
        effects.extend([
            Effect::refuse(404, "notFound"),
            Effect::refuse(403, "forbidden"),
            Effect::refuse(403, "requiredAccessLevel"),
        ]);
    }
    if method.starts_with("calendar.") {
        effects.extend([
            Effect::refuse(403, "rateLimitExceeded"),
            Effect::refuse(403, "userRateLimitExceeded"),
            Effect::refuse(429, "rateLimitExceeded"),
            Effect::refuse(403, "quotaExceeded"),
            Effect::refuse(401, "authError"),
        ]);
    }
    // (A permission that lacks a scope is given anew by a person alone.)
    if method.starts_with("calendar.events.") && method != "calendar.events.watch" && !world.lossless {
        effects.push(Effect::refuse(403, "insufficientPermissions"));
    }
    // (What Google refuses for good is tried again only after a change.)
    if writes.contains(&method) && !world.lossless {
        effects.extend(std::iter::repeat_n(Effect::refuse(403, FOR_GOOD), 20));
    }
    let effect = state.dice.pick(&effects).clone();
    let when = match state.dice.below(4) {
        0 => When::Nth(2),
        1 => When::Next(7),
        _ => When::Next(1),
    };
    if method == "calendar.events.list" && when == When::Nth(2) {
        // So that it hits a listing between two pages.
        state.google.behaviour_mut().thin_pages = 0.8;
    }
    let told = format!("{method} {effect:?} {when:?}");
    state.google.inject(GoogleFault::new(method, effect).on(when));
    Some(told)
}

/// Google issues no access tokens for a while, and those that exist expire.
pub(super) fn stop_tokens(world: &mut World) -> Option<String> {
    let account = any_account(world);
    let mut state = world.sim.state();
    let now = state.now;
    state.google.expire_access_tokens(now, account);
    let effect = match state.dice.below(4) {
        0 => Effect::refuse(500, "backendError"),
        1 => Effect::refuse(503, "backendError"),
        2 => Effect::Garbage("<html>".to_owned()),
        _ => Effect::Cut,
    };
    let told = format!("{account}: {effect:?}");
    state.google.inject(GoogleFault::new("oauth2.token", effect).on(When::Next(4)));
    Some(told)
}

/// The other processes of the fleet have used up the quota for a while, and the processes here are new and have no
/// reserved units left.
pub(super) fn take_quota(world: &mut World) -> Option<String> {
    let seconds = world.sim.state().dice.between(30, 150);
    world.take_quota(TimeDelta::seconds(seconds));
    Some(format!("for {seconds} s"))
}

pub(super) fn forget_cursors(world: &mut World) -> Option<String> {
    let account = any_account(world);
    let mut state = world.sim.state();
    let now = state.now;
    state.google.expire_cursors(now, account);
    if state.dice.percent(40) {
        // The new listing breaks off between two pages.
        let over = Effect::refuse(403, "quotaExceeded");
        state.google.inject(GoogleFault::new("calendar.events.list", over).on(When::Nth(3)));
    }
    Some(account.to_owned())
}

/// A calendar is shared with another account, which voids every cursor.
pub(super) fn change_access(world: &mut World) -> Option<String> {
    let account = any_account(world);
    let mut state = world.sim.state();
    let now = state.now;
    state.google.share(now, account, "somebody@example.com", "reader");
    state.coverage.met(Fault::AccessChanged);
    Some(account.to_owned())
}

pub(super) fn end_access_tokens(world: &mut World) -> Option<String> {
    let account = any_account(world);
    let mut state = world.sim.state();
    let now = state.now;
    state.google.expire_access_tokens(now, account);
    Some(account.to_owned())
}

/// The person, or an administrator, withdraws the permission.
pub(super) fn withdraw_grant(world: &mut World) -> Option<String> {
    let account = any_account(world);
    let users: Vec<ConnectionKey> =
        world.parties.iter().filter(|party| party.account == account).map(|party| party.key).collect();
    let mut state = world.sim.state();
    let now = state.now;
    state.truth.miss(users);
    let end =
        *state.dice.pick(&[GrantEnd::Revoked, GrantEnd::Expired, GrantEnd::AdminPolicy, GrantEnd::AccountDisabled]);
    state.google.end_grants(now, account, end);
    if end == GrantEnd::AccountDisabled {
        state.coverage.met(Fault::AccountDisabled);
    }
    Some(format!("{account} {end:?}"))
}

pub(super) fn end_channels(world: &mut World) -> Option<String> {
    world.miss(None);
    let mut state = world.sim.state();
    let now = state.now;
    state.google.expire_channels(now);
    state.coverage.met(Fault::ChannelsExpired);
    Some("all".to_owned())
}

pub(super) fn darken_push(world: &mut World) -> Option<String> {
    world.miss(None);
    let mut state = world.sim.state();
    let dark = state.dice.percent(60);
    state.google.darken_push(dark);
    if dark {
        state.coverage.met(Fault::PushDark);
    }
    Some(dark.to_string())
}

/// Google sends short and empty pages that go on.
pub(super) fn thin_pages(world: &mut World) -> Option<String> {
    let mut state = world.sim.state();
    let share = if state.dice.percent(60) { 0.6 } else { 0.0 };
    state.google.behaviour_mut().thin_pages = share;
    Some(share.to_string())
}

pub(super) fn wait(world: &mut World) -> Option<String> {
    let time = {
        let mut state = world.sim.state();
        let seconds = *state.dice.pick(&[1, 5, 20, 60, 60, 300, 900, 3600, 6 * 3600, 30 * 3600]);
        TimeDelta::seconds(seconds)
    };
    if time > TimeDelta::minutes(1) {
        // What is under way comes to its end first, as it would.
        world.turns(200);
    }
    world.wait(time);
    Some(format!("{} s", time.num_seconds()))
}

pub(super) fn jump_clock(world: &mut World) -> Option<String> {
    let seconds = *world.sim.state().dice.pick(&[30, 100, 4000]);
    world.wait(TimeDelta::seconds(seconds));
    world.sim.met(Fault::ClockJump);
    Some(format!("{seconds} s"))
}

pub(crate) fn end(world: &mut World) {
    world.calm = true;
    world.store.caught_up();
    let mut state = world.sim.state();
    state.store_faults = StoreFaults::default();
    state.send_faults = SendFaults::default();
    state.google.clear_faults();
    state.google.reset_quotas();
    state.google.darken_push(false);
    drop(state);
    manners::end(world);
}
