//! From Google: lists what changed, a page a round, and stores it. The cursor moves only at the end of a round, when
//! everything that it covers is stored.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::{
    Failure,
    delta::Delta,
    listed::Listed,
    own_events::{self, Unmentioned},
    round::Round,
};
use crate::{
    Error, ErrorKind,
    decide::{
        ending::Left,
        inbound::{self, InboundPlan},
        push::Brought,
    },
    model::{
        CalendarId, Cursor, EventId, ExternalCalendarEvent, InstructorCalendarCredentials, ListingProgress, Mentions,
        OwnEventId, SkippedEvent,
        listing::{Coverage, Scope},
    },
    ports::{CalendarError, Page, PageOutcome, PageRequest},
    services::{concurrently::concurrently, google_session::GoogleSession},
};

/// How far a round came with the calendar's list.
#[derive(Debug)]
pub enum Imported {
    /// A page is stored, and others follow.
    InPart,
    /// Everything is stored.
    Wholly(Listed),
}

impl Imported {
    /// Whether the cursor may move.
    pub fn is_good(&self) -> bool {
        match self {
            Self::InPart => false,
            Self::Wholly(listed) => listed.is_good(),
        }
    }
}

/// A page that came, and the listing that it belongs to, as it stood before the page.
struct Listing<'a> {
    calendar: &'a CalendarId,
    scope: Scope,
    /// Whether orphans may be deleted.
    writes: bool,
    progress: ListingProgress,
    plan: InboundPlan,
    /// How many items the page has.
    items: usize,
}

/// Lists the next page and stores what it shows.
pub async fn import(
    round: &mut Round<'_>,
    credentials: &InstructorCalendarCredentials,
    google: &mut GoogleSession<'_>,
    scope: Scope,
    writes: bool,
    changed: &mut Delta,
) -> Result<Imported, Failure> {
    let calendar = &credentials.google_calendar_id;
    let began = round.sync.now();
    let (under_way, cursor) = (round.state.listing.as_ref(), round.state.cursor.as_ref());
    let next = ListingProgress::next(under_way, cursor, scope.shape(calendar), writes, began);
    let (progress, page) = next_page(round, google, next).await?;
    changed.zone = learn_zone(round, scope, &progress, page.time_zone).await?;
    let items = page.items.len();
    let plan = inbound::plan(credentials.key, calendar, changed.zone, began, page.items);
    say_unread(round, scope, &plan);
    let listing = Listing { calendar, scope, writes, progress, plan, items };
    match page.outcome {
        PageOutcome::Last { sync_token } if listing.progress.is_at_first_page() => {
            close(round, google, listing, sync_token, began, changed).await.map(Imported::Wholly)
        }
        outcome => go_on(round, google, listing, outcome, changed.zone).await.map(|()| Imported::InPart),
    }
}

/// The page after `progress`. Where Google no longer takes the tokens, the first page of a listing of everything.
async fn next_page(
    round: &mut Round<'_>,
    google: &mut GoogleSession<'_>,
    mut progress: ListingProgress,
) -> Result<(ListingProgress, Page), Failure> {
    let deadline = round.request.deadline;
    let mut page = google.list(request(&progress), deadline).await?;
    if page.outcome == PageOutcome::CursorLost && !progress.is_second {
        round
            .report
            .say("Google no longer accepted our place in its list of changes, so the whole calendar was listed anew.");
        round.report.changed = true;
        let anew = ListingProgress::complete(progress.shape, round.sync.now());
        progress = ListingProgress { is_second: true, ..anew };
        page = google.list(request(&progress), deadline).await?;
    }
    match page.outcome {
        PageOutcome::More { .. } | PageOutcome::Last { .. } => Ok((progress, page)),
        PageOutcome::Failed(error) => Err(failure(error)),
        PageOutcome::CursorLost => {
            round.state.listing = None;
            Err(failure(CalendarError::Unavailable("no listing".into())))
        }
    }
}

fn request(progress: &ListingProgress) -> PageRequest<'_> {
    PageRequest { sync_token: progress.sync_token.as_deref(), page_token: progress.page_token.as_deref() }
}

/// Takes in the calendar's zone. Rows of whole days that are stored already are placed in it once the listing is closed,
/// by whichever run that is.
async fn learn_zone(
    round: &mut Round<'_>,
    scope: Scope,
    progress: &ListingProgress,
    named: Option<Tz>,
) -> Result<Tz, Failure> {
    let known = round.state.calendar_time_zone;
    let zone = named.unwrap_or(known);
    let has_rows = scope == Scope::Imports && (round.state.cursor.is_some() || progress.pages > 0);
    round.state.calendar_time_zone = zone;
    if zone != known && has_rows {
        round.report.say(format!("The calendar moved to the time zone {zone}; its whole days were worked out anew."));
        round.state.days_move = true;
        round.save().await?;
    }
    Ok(zone)
}

fn say_unread(round: &mut Round<'_>, scope: Scope, plan: &InboundPlan) {
    match scope {
        Scope::Imports => {
            round.report.say_skipped(&plan.skipped);
            round.report.say_misread(&plan.misread);
        }
        Scope::OwnEvents => {
            let key = round.request.key;
            let may_be_own =
                |skipped: &&SkippedEvent| skipped.id.as_ref().is_none_or(|id| OwnEventId::decode(key, id).is_some());
            round.report.say_skipped(&plan.skipped.iter().filter(may_be_own).cloned().collect::<Vec<_>>());
        }
    }
}

/// Stores a page of several, and notes where the listing goes on. What it says by absence waits for its end.
async fn go_on(
    round: &mut Round<'_>,
    google: &mut GoogleSession<'_>,
    listing: Listing<'_>,
    outcome: PageOutcome,
    zone: Tz,
) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let (began, pages) = (listing.progress.began, listing.progress.pages);
    let own = own_events::observe(round, &listing.plan, Unmentioned::AsBefore, zone).await?;
    let spared = if listing.plan.gone_series.is_empty() {
        Mentions::default()
    } else {
        store.mentions(key, began, listing.progress.pages_before).await?
    };
    let gone = gone(round, &listing, Unmentioned::AsBefore, &spared).await?;
    if pages == 0 {
        // Before the mentions of another listing go: it is not to be resumed without them.
        round.state.listing = Some(listing.progress.clone());
        round.save().await?;
        round.sync.google.store.forget_mentions(key).await?;
    }
    let store = &round.sync.google.store;
    store.put_mentions(key, began, pages, &listing.plan.mentions()).await?;
    let Listing { calendar, scope, writes, progress, plan, items } = listing;
    let has_changes = progress.has_changes || own.has_changes() || !plan.put.is_empty() || !gone.is_empty();
    if scope == Scope::Imports {
        store_rows(round, &Delta { put: plan.put, gone, ..Delta::nothing(calendar.clone(), zone) }).await?;
    }
    let past_strays = progress.past_strays || !writes && !own.orphans.is_empty();
    if writes && !own_events::remove_orphans(round, own.orphans, google).await? {
        return Ok(());
    }
    let progress = ListingProgress { has_changes, past_strays, ..progress };
    round.state.listing = Some(match outcome {
        PageOutcome::More { page_token } => progress.after_page(page_token, items),
        PageOutcome::Last { sync_token } => progress.after_last_page(sync_token, items),
        PageOutcome::CursorLost | PageOutcome::Failed(_) => progress,
    });
    round.report.leave(Left::MoreAtOnce, "The calendar's list has more pages; the rest follows at once.");
    Ok(())
}

/// Stores the page that ends a listing, and what the listing says by absence.
async fn close(
    round: &mut Round<'_>,
    google: &mut GoogleSession<'_>,
    listing: Listing<'_>,
    token: String,
    began: DateTime<Utc>,
    changed: &mut Delta,
) -> Result<Listed, Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let Listing { calendar, scope, writes, ref progress, items, .. } = listing;
    let is_delta = progress.covers == Coverage::Changes;
    let is_one_page = progress.pages == 0;
    let mentions;
    let unmentioned = match (is_delta, is_one_page) {
        (true, _) => Unmentioned::AsBefore,
        (false, true) => Unmentioned::Gone,
        (false, false) => {
            mentions = store.mentions(key, progress.began, 0).await?;
            Unmentioned::InDoubt(&mentions)
        }
    };
    let own = own_events::observe(round, &listing.plan, unmentioned, changed.zone).await?;
    let mut brought = if is_delta { Brought::Nothing } else { Brought::Everything };
    if scope == Scope::Imports {
        changed.gone = gone(round, &listing, unmentioned, &Mentions::default()).await?;
        let forgotten = changed.gone.difference(&listing.plan.remove).count();
        if !is_delta && forgotten > 0 {
            round.report.say(format!(
                "{forgotten} events that the calendar no longer holds, or that ended over 30 days ago, were forgotten."
            ));
        }
        let has_changes =
            progress.has_changes || own.has_changes() || !listing.plan.put.is_empty() || !changed.gone.is_empty();
        if is_delta {
            brought = Brought::of_delta(items == 0, has_changes);
        }
        changed.put.clone_from(&listing.plan.put);
        store_rows(round, changed).await?;
        if round.state.days_move {
            replace_days(round, calendar, changed.zone).await?;
        }
        // A dead run, or an earlier page, may have stored rows without their conflicts. A delta mentions those rows again;
        // in a full listing they cannot be told from the others.
        changed.everything |= !is_delta || !is_one_page || round.state.days_move;
    }
    // An orphan is listed once: until it is deleted, the cursor stays before it. Where nothing may be deleted, the
    // cursor passes it, and is not used any more once deletions are allowed.
    let past_strays = !writes && (progress.past_strays || !own.orphans.is_empty());
    let shape = progress.shape.clone();
    let clean = !writes || own_events::remove_orphans(round, own.orphans, google).await?;
    Ok(Listed { cursor: clean.then_some(Cursor { token, shape, past_strays }), began, brought })
}

async fn store_rows(round: &mut Round<'_>, changed: &Delta) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    store.put_external(key, &changed.put).await?;
    store.delete_external(key, &changed.removals()).await?;
    round.report.imported(changed);
    Ok(())
}

/// Where nothing is imported: reads our own events alone, which may have been changed too, and stores nothing of the
/// others. False when there is more to read, or when a removal was refused and may succeed with the next try.
pub async fn look_after_own(
    round: &mut Round<'_>,
    credentials: &InstructorCalendarCredentials,
    google: &mut GoogleSession<'_>,
    changed: &mut Delta,
) -> Result<bool, Failure> {
    let is_done = import(round, credentials, google, Scope::OwnEvents, true, changed).await?.is_good();
    if is_done {
        round.state.listing = None;
    }
    Ok(is_done)
}

/// Deletes all imports, since the direction no longer includes them.
pub async fn clear(round: &mut Round<'_>) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let ids = store.external_ids(key).await?;
    if ids.is_empty() && round.state.cursor.is_none() {
        return Ok(());
    }
    // The cursor goes first: rows that were deleted while it remained would never come back.
    round.state.cursor = None;
    round.state.listing = None;
    round.state.days_move = false;
    round.save().await?;
    let (store, key) = (&round.sync.google.store, round.request.key);
    store.delete_external(key, &ids).await?;
    round.report.changed = true;
    round.report.say("Events are no longer imported; those that were are forgotten.");
    Ok(())
}

fn failure(error: CalendarError) -> Failure {
    let refused = |code, text: String| Failure::Other(Error::new(ErrorKind::Refused, code, text));
    match error {
        CalendarError::QuotaExceeded => Failure::QuotaExceeded,
        CalendarError::Paced => Failure::Paced,
        CalendarError::CalendarGone(refusal) => {
            refused("calendar_gone", format!("Google no longer shows this calendar ({refusal})."))
        }
        CalendarError::Refused(refusal)
        | CalendarError::PushNotPossible(refusal)
        | CalendarError::PermissionWithdrawn(refusal)
        | CalendarError::ClientRefused(refusal) => {
            refused("google_refused", format!("Google refuses to show this calendar ({refusal})."))
        }
        error @ (CalendarError::Unauthorized(_) | CalendarError::RateLimited | CalendarError::Unavailable(_)) => {
            Failure::Other(Error::unavailable("google_unavailable", error))
        }
    }
}

/// The rows that are gone: those that the page names, exceptions whose series it names, and those that the whole listing
/// did not mention. The exceptions in `spared` live on.
async fn gone(
    round: &Round<'_>,
    listing: &Listing<'_>,
    unmentioned: Unmentioned<'_>,
    spared: &Mentions,
) -> Result<BTreeSet<EventId>, Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let plan = &listing.plan;
    let live: BTreeSet<&EventId> = plan.put.iter().map(ExternalCalendarEvent::id).collect();
    let mut gone = plan.remove.clone();
    for series in &plan.gone_series {
        let exceptions = store.exceptions_of(key, listing.calendar, series).await?;
        let ids = exceptions.iter().map(ExternalCalendarEvent::id);
        gone.extend(ids.filter(|id| !live.contains(id) && !spared.contains(id)).cloned());
    }
    if listing.progress.sync_token.is_some() {
        gone.extend(plan.past.iter().cloned());
    }
    let earlier = match unmentioned {
        Unmentioned::AsBefore => return Ok(gone),
        Unmentioned::Gone => &Mentions::default(),
        Unmentioned::InDoubt(mentions) => mentions,
    };
    let left_out = plan.mentioned();
    let is_mentioned = |id: &EventId| live.contains(id) || left_out.contains(id) || earlier.contains(id);
    let stored = store.external_ids(key).await?;
    gone.extend(stored.into_iter().map(|(_, id)| id).filter(|id| !is_mentioned(id)));
    Ok(gone)
}

/// Stores whole-day events again, since days begin at another time now.
async fn replace_days(round: &mut Round<'_>, calendar: &CalendarId, zone: Tz) -> Result<(), Failure> {
    let (store, key) = (&round.sync.google.store, round.request.key);
    let ids = store.external_ids(key).await?;
    let looks = ids.iter().map(|(calendar, id)| store.external_event(key, calendar, id));
    let rows = concurrently(looks.collect()).await?;
    let events =
        rows.into_iter().flatten().map(|row| row.event).filter(|event| event.start.is_some_and(|start| start.is_day()));
    store
        .put_external(key, &inbound::plan(key, calendar, zone, round.sync.now(), events.map(Ok).collect()).put)
        .await?;
    Ok(())
}
