//! A history: the acts that follow from one seed, and the checks when it is over.

use std::{collections::BTreeSet, fmt};

use calendar_sync::model::SyncTask;
use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    acts::{Act, host, people, trouble},
    checks::{self, Rest},
    coverage::Coverage,
    dice::Dice,
    invariants,
    memory_store::Table,
    ports::take_written,
    push, told,
    world::{Rival, World},
};

/// One act, the seed of its details, and how many effects follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub act: Act,
    pub seed: u64,
    /// How many effects of the running processes come after it.
    pub turns: usize,
}

/// The acts that follow from a seed.
#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    /// Whether no message or notification gets lost: then everything has to converge within minutes.
    pub lossless: bool,
    /// Whether the clocks of two workers may differ. (A notice that came after a listing may be taken for one from before
    /// it then, and the change be found by the next poll: nothing here is lossless.)
    pub clocks_differ: bool,
    pub steps: Vec<Step>,
}

/// How often another tool's change may be undone without new faults: three times, and three times more for each change
/// of the lesson and each sync by hand that were still running. An endless loop would give several hundred.
const MAX_UNDONE: u32 = 100;

/// The fewest and the most steps of a history.
const STEPS: (i64, i64) = (60, 100);

impl Script {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let count = dice.between(STEPS.0, STEPS.1);
        let lossless = dice.percent(40);
        let clocks_differ = !lossless && dice.percent(20);
        let step = |dice: &mut Dice| {
            let mut act = Act::any(dice);
            while lossless && act.may_lose() {
                act = Act::any(dice);
            }
            let turns = if dice.percent(30) { dice.below(6) } else { dice.below(50) };
            Step { act, seed: dice.roll(), turns }
        };
        Self { seed, lossless, clocks_differ, steps: (0..count).map(|_| step(&mut dice)).collect() }
    }
}

/// What was wrong after a history.
#[derive(Debug, Clone)]
pub struct Failure {
    pub stage: &'static str,
    pub violations: Vec<String>,
    pub trace: Vec<String>,
}

impl Failure {
    /// What kind of failure it is: when it was found, and the words of the first violation without what they are about.
    pub fn kind(&self) -> String {
        let words = self.violations.first().map(String::as_str).unwrap_or_default().split(' ');
        let plain = words.filter(|word| word.chars().all(|c| c.is_ascii_lowercase()) && !word.is_empty());
        format!("{}: {}", self.stage, plain.take(5).collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "  {line}")?;
        }
        writeln!(f, "{}:", self.stage)?;
        for violation in self.violations.iter().take(6) {
            writeln!(f, "  - {violation}")?;
        }
        Ok(())
    }
}

pub fn play(script: &Script) -> (Coverage, Result<(), Failure>) {
    play_in(World::of(script.seed), script)
}

/// Lets a script happen, and writes down all that does.
pub fn tell(script: &Script) -> Result<(), Failure> {
    let world = World::of(script.seed);
    world.sim.state().tells = true;
    play_in(world, script).1
}

fn play_in(mut world: World, script: &Script) -> (Coverage, Result<(), Failure>) {
    world.lossless = script.lossless;
    world.clocks_differ = script.clocks_differ;
    let ended = acted(&mut world, script);
    let coverage = world.sim.state().coverage.clone();
    (coverage, ended)
}

fn acted(world: &mut World, script: &Script) -> Result<(), Failure> {
    for party in world.parties.clone() {
        world.connect(party);
    }
    world.turns(150);
    for step in &script.steps {
        world.sim.state().dice = Dice::new(step.seed);
        step.act.happen(world);
        world.turns(step.turns);
        if step.act == Act::Wait {
            demand(world, "on the way", invariants::broken)?;
        }
    }
    // (Other dice than those of the beginning: ids are not to come twice.)
    world.sim.state().dice = Dice::new(!script.seed);
    host::mend_all(world);
    trouble::end(world);
    if world.sim.state().dice.percent(50) {
        people::mend_all(world);
    }
    world.rival.iter_mut().for_each(|rival| rival.changes = 0);

    // The product converges by itself, within minutes where nothing was lost, …
    world.sim.tell(|| "── calm ──".to_owned());
    // (A calendar for which no channel could be opened is polled each quarter of an hour.)
    let calm = TimeDelta::minutes(21);
    world.settle(calm);
    let contended = world.rival.as_ref().is_some_and(|rival| rival.changes > 0);
    demand(world, "in calm", tug_of_war)?;
    // (What the other tool did last is found by the next poll.)
    if contended {
        world.settle(calm);
    }
    // (What one connection wrote at the very end, others of the same calendar are about to hear of.)
    let is_awaited = world.sim.state().google.next_notice_at().is_some();
    if is_awaited {
        world.settle(TimeDelta::seconds(10));
    }
    demand(world, "in calm", invariants::broken)?;
    demand(world, "in calm", push::misjudged)?;
    demand(world, "a request was not followed by a listing", unanswered_requests)?;
    demand(world, "after some minutes", |world| checks::violations(world, Rest::Minutes))?;
    // … and within a day and a half where something was.
    for _ in 0..5 {
        world.settle(TimeDelta::hours(8));
    }
    demand(world, "after a day and a half", |world| checks::violations(world, Rest::ByItself))?;
    demand(world, "after a day and a half", checks::still_taken_down)?;
    at_rest(world)
}

/// What has to hold of a product that has converged.
fn at_rest(world: &mut World) -> Result<(), Failure> {
    // It retries what it gave up when a person asks for a sync. (Twice, since one sync may write into the
    // calendar of another connection.)
    for _ in 0..2 {
        for party in world.parties.clone() {
            people::sync(world, party, None, None);
        }
        world.settle(TimeDelta::minutes(5));
    }
    demand(world, "after a sync by hand", |world| checks::violations(world, Rest::Asked))?;
    demand(world, "after a sync by hand", push::channels_left_open)?;
    demand(world, "the next sync writes", |world| {
        // The lease and the next poll are written, an access token that ended is renewed, and Google's quota shared.
        let expected = [Table::State, Table::Credentials, Table::RateLimits, Table::Mentions];
        written_otherwise(world, &expected, |world| {
            for party in world.parties.clone() {
                let tables = &mut *world.store.tables();
                if let Some(state) = tables.states.get_mut(&party.key).filter(|state| state.next_sync_at.is_some()) {
                    state.next_sync_at = Some(world.sim.state().now);
                }
            }
            world.settle(TimeDelta::minutes(3));
        })
    })?;
    demand(world, "something is left", left_over)?;
    demand(world, "what was told is not what stands", told::otherwise)?;
    demand(world, "a sync by hand for the second time", needless_writes)?;
    demand(world, "on the way", |world| std::mem::take(&mut world.sim.state().truth.violations))
}

fn demand(world: &mut World, stage: &'static str, find: impl FnOnce(&mut World) -> Vec<String>) -> Result<(), Failure> {
    let violations = find(world);
    if violations.is_empty() {
        return Ok(());
    }
    Err(Failure { stage, violations, trace: world.sim.state().trace.clone() })
}

/// A full sync that finds nothing new writes nothing but its outcome.
fn needless_writes(world: &mut World) -> Vec<String> {
    let outcome =
        [Table::State, Table::Credentials, Table::RateLimits, Table::Mentions, Table::SyncLogs, Table::Instructors];
    written_otherwise(world, &outcome, |world| {
        for party in world.parties.clone() {
            people::sync(world, party, None, None);
        }
        world.settle(TimeDelta::minutes(5));
    })
}

/// What is written meanwhile into Google, and into the store beside the `expected` tables.
fn written_otherwise(world: &mut World, expected: &[Table], meanwhile: impl FnOnce(&mut World)) -> Vec<String> {
    take_written(&world.sim);
    let before = crate::truth::stamps(&world.sim.state().google);
    meanwhile(world);
    let mut written = take_written(&world.sim);
    written.retain(|table, _| !expected.contains(table));
    let mut found = Vec::new();
    if !written.is_empty() {
        found.push(format!("the store was written: {written:?}"));
    }
    if crate::truth::stamps(&world.sim.state().google) != before {
        found.push("Google was written".to_owned());
    }
    found
}

/// Whether the product and another tool undo each other's changes endlessly. From here on that tool is gone.
fn tug_of_war(world: &mut World) -> Vec<String> {
    let rival = world.rival.take().filter(|rival| rival.changes > MAX_UNDONE);
    rival
        .map(|Rival { place, changes }| format!("{} in {} was changed {changes} times", place.1, place.0))
        .into_iter()
        .collect()
}

/// Connections with a requested listing that did not happen.
fn unanswered_requests(world: &mut World) -> Vec<String> {
    let tables = world.store.tables();
    let state = world.sim.state();
    let mut found = Vec::new();
    for party in &world.parties {
        let follows = tables
            .credentials
            .get(&party.key)
            .is_some_and(|row| checks::is_automatic(row) && row.settings.sync_direction.imports());
        let rests = tables.states.get(&party.key).is_none_or(|state| state.failures > 0);
        // (A message sent at the last moment is received later.)
        let comes = state.queue.values().any(|message| {
            let looks = message.body.key == party.key && message.body.tasks.contains(&SyncTask::PullEvents);
            looks && message.visible_at > state.now
        });
        let excused = world.clocks_differ && state.truth.missed(party.key);
        let (requested, listed) = (state.truth.requested.get(&party.key), state.truth.listed.get(&party.key));
        if follows && !rests && !comes && !excused && requested > listed {
            found.push(format!("{} was to look at {requested:?} and looked at {listed:?}", party.key));
        }
    }
    found
}

/// Messages, notices or work that no process takes care of.
fn left_over(world: &mut World) -> Vec<String> {
    let mut found = Vec::new();
    let waiting = world.store.tables().notices.len();
    if waiting > 0 {
        found.push(format!("{waiting} notices were never delivered"));
    }
    let outbox: BTreeSet<Uuid> = world.store.tables().notices.keys().map(|(.., id)| *id).collect();
    let told: BTreeSet<Uuid> = world.sim.state().bus.iter().map(|notice| notice.id).collect();
    let lost = world.store.tables().committed.iter().filter(|id| !told.contains(id) && !outbox.contains(id)).count();
    if lost > 0 {
        found.push(format!("{lost} notices were dropped"));
    }
    let queued = world.sim.state().queue.len();
    if queued > 0 || !world.actors.is_empty() || !world.stream.is_empty() {
        let (actors, stream) = (world.actors.len(), world.stream.len());
        found.push(format!("{queued} messages, {actors} processes and {stream} lesson changes are left"));
    }
    found
}
