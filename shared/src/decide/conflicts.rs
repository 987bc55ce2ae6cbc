//! Which lessons overlap which busy occurrences, and how the stored conflicts change.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::occurrences::Occurrences;
use crate::{
    model::{
        CalendarEventMapping, CalendarId, ConflictChange, EventId, ExternalCalendarEvent, LessonId, PairChange,
        SchedulingConflict, Window,
    },
    ports::{ConflictChanges, ConflictFlags, ExternalLookup},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LessonSpan {
    pub lesson_id: LessonId,
    pub start: DateTime<Utc>,
    /// Exclusive.
    pub end: DateTime<Utc>,
}

impl From<&CalendarEventMapping> for LessonSpan {
    fn from(mapping: &CalendarEventMapping) -> Self {
        Self { lesson_id: mapping.lesson_id, start: mapping.event_start, end: mapping.event_end }
    }
}

impl From<&LessonSpan> for Window {
    fn from(span: &LessonSpan) -> Self {
        Self { from: span.start, to: span.end }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusySpan {
    pub calendar_id: CalendarId,
    /// An event, a series or an exception.
    pub google_event_id: EventId,
    pub start: DateTime<Utc>,
    /// Exclusive.
    pub end: DateTime<Utc>,
    /// The lesson in the event's private properties, if any. The event never conflicts with that lesson, in any
    /// calendar.
    pub carries: Option<LessonId>,
}

/// The occurrences of `lookup` in `window`, one of the windows of `occurrences`: those that block, and those that leave
/// their owner free.
pub fn busy_and_free(
    lookup: &ExternalLookup,
    window: Window,
    occurrences: &mut Occurrences,
) -> (Vec<BusySpan>, Vec<BusySpan>) {
    let (mut busy, mut free) = (Vec::new(), Vec::new());
    occurrences.each(lookup, window, |row, start, end| {
        let spans = if row.event.blocks() { &mut busy } else { &mut free };
        spans.push(BusySpan {
            calendar_id: row.calendar_id.clone(),
            google_event_id: row.id().clone(),
            start,
            end,
            carries: row.event.lesson_id,
        });
    });
    (busy, free)
}

/// The lessons that an occurrence of `rows` overlaps. Exceptions of a series are rows of their own.
pub fn touched<'a>(
    lessons: &[LessonSpan],
    rows: impl IntoIterator<Item = &'a ExternalCalendarEvent>,
    occurrences: &mut Occurrences,
) -> BTreeSet<LessonId> {
    let (series, events): (Vec<_>, Vec<_>) = rows.into_iter().cloned().partition(|row| row.event.is_series());
    let lookup = ExternalLookup { events, series: series.into_iter().map(|row| (row, Vec::new())).collect() };
    let mut touched = BTreeSet::new();
    for window in occurrences.windows().to_vec() {
        let (busy, free) = busy_and_free(&lookup, window, occurrences);
        for spans in [busy, free] {
            touched.extend(overlaps(lessons, &spans, window.from).into_iter().map(|pair| pair.lesson_id));
        }
    }
    touched
}

/// All overlapping pairs, by one sweep over both in order of their start: the cost grows with the input and the pairs
/// found, not with lessons times events. `[start, end)` that touch do not overlap.
pub fn overlaps(lessons: &[LessonSpan], busy: &[BusySpan], found_at: DateTime<Utc>) -> Vec<SchedulingConflict> {
    let mut lessons: Vec<&LessonSpan> = lessons.iter().filter(|span| span.start < span.end).collect();
    let mut busy: Vec<&BusySpan> = busy.iter().filter(|span| span.start < span.end).collect();
    lessons.sort_by_key(|span| span.start);
    busy.sort_by_key(|span| span.start);
    let (mut open_lessons, mut open_busy): (Vec<&LessonSpan>, Vec<&BusySpan>) = (Vec::new(), Vec::new());
    let mut found = Vec::new();
    let (mut lessons, mut busy) = (lessons.into_iter().peekable(), busy.into_iter().peekable());
    loop {
        let lesson_first = match (lessons.peek(), busy.peek()) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(lesson), Some(busy)) => lesson.start <= busy.start,
        };
        if lesson_first {
            let Some(lesson) = lessons.next() else { break };
            open_busy.retain(|span| span.end > lesson.start);
            found.extend(open_busy.iter().filter_map(|span| pair(lesson, span, found_at)));
            open_lessons.push(lesson);
        } else {
            let Some(span) = busy.next() else { break };
            open_lessons.retain(|lesson| lesson.end > span.start);
            found.extend(open_lessons.iter().filter_map(|lesson| pair(lesson, span, found_at)));
            open_busy.push(span);
        }
    }
    found
}

fn pair(lesson: &LessonSpan, busy: &BusySpan, found_at: DateTime<Utc>) -> Option<SchedulingConflict> {
    (busy.carries != Some(lesson.lesson_id)).then(|| SchedulingConflict {
        lesson_id: lesson.lesson_id,
        lesson_start: lesson.start,
        lesson_end: lesson.end,
        calendar_id: busy.calendar_id.clone(),
        google_event_id: busy.google_event_id.clone(),
        occurrence_start: busy.start,
        overlap_start: lesson.start.max(busy.start),
        overlap_end: lesson.end.min(busy.end),
        found_at,
        ignored: None,
    })
}

/// The conflicts of one lesson.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LessonConflicts {
    /// One for each event, the earliest first: those that are live, then those that are ignored.
    pub pairs: Vec<SchedulingConflict>,
    /// How many more events overlap the lesson.
    pub left_out: u32,
}

impl LessonConflicts {
    /// What the lesson's mapping says of them; `seen` is the version of what it says now.
    pub fn flags(&self, lesson_id: LessonId, seen: u64) -> ConflictFlags {
        let has_conflict = self.pairs.iter().any(SchedulingConflict::is_live);
        ConflictFlags { lesson_id, has_conflict, left_out: self.left_out, seen }
    }
}

/// What a lesson keeps of its `overlaps`: the first with each event, and of these the earliest. Those that a person
/// ignores in the `stored` pairs are kept besides, while they overlap at the same times: so a live one takes no place
/// from them, nor they from a live one.
pub fn kept(mut overlaps: Vec<SchedulingConflict>, stored: &[SchedulingConflict]) -> LessonConflicts {
    overlaps.sort_by(|one, other| place(one).cmp(&place(other)));
    let mut events = BTreeSet::new();
    overlaps.retain(|pair| events.insert((pair.calendar_id.clone(), pair.google_event_id.family().to_owned())));
    for pair in &mut overlaps {
        pair.ignored = stored.iter().find(|known| known.same_overlap(pair)).and_then(|known| known.ignored.clone());
    }
    let (mut pairs, ignored): (Vec<_>, Vec<_>) = overlaps.into_iter().partition(SchedulingConflict::is_live);
    let left_out = pairs.len().saturating_sub(SchedulingConflict::MAX_PER_LESSON);
    pairs.truncate(SchedulingConflict::MAX_PER_LESSON);
    pairs.extend(ignored);
    LessonConflicts { pairs, left_out: u32::try_from(left_out).unwrap_or(u32::MAX) }
}

/// The order of a lesson's overlaps.
fn place(pair: &SchedulingConflict) -> impl Ord {
    let event = &pair.google_event_id;
    (pair.overlap_start, pair.occurrence_start, pair.overlap_end, event.family().to_owned(), event.clone())
}

/// Compares the stored pairs of a lesson with those that it should have. One that is ignored no more, since it overlaps at
/// other times, is found anew.
pub fn changes(stored: &[SchedulingConflict], wanted: &[SchedulingConflict]) -> Vec<PairChange> {
    let cleared = stored.iter().filter(|known| !wanted.iter().any(|pair| pair.same_pair(known)));
    let mut changes: Vec<PairChange> = cleared.cloned().map(PairChange::Cleared).collect();
    for pair in wanted {
        let known = stored.iter().find(|known| known.same_pair(pair));
        let Some(known) = known.filter(|known| known.is_live() || !pair.is_live()) else {
            changes.push(PairChange::Found(pair.clone()));
            continue;
        };
        let moved = SchedulingConflict { found_at: known.found_at, ..pair.clone() };
        if moved != *known {
            changes.push(PairChange::Moved(moved));
        }
    }
    changes
}

/// Divides the changes of lessons into parts that are stored one by one, each with one notice.
pub fn parts(lessons: impl IntoIterator<Item = (ConflictFlags, Vec<PairChange>)>) -> Vec<ConflictChanges> {
    const MAX_PAIRS: usize = ConflictChange::MAX_PER_NOTICE;
    let mut parts: Vec<ConflictChanges> = Vec::new();
    let mut part = ConflictChanges::default();
    for (mut flags, changes) in lessons {
        let mut changes = changes.into_iter().peekable();
        loop {
            if part.pairs.len() == MAX_PAIRS || part.lessons.len() == MAX_PAIRS {
                parts.push(std::mem::take(&mut part));
            }
            part.lessons.push(flags);
            // The next part finds what this one stored.
            flags.seen += 1;
            part.pairs.extend(changes.by_ref().take(MAX_PAIRS - part.pairs.len()));
            if changes.peek().is_none() {
                break;
            }
        }
    }
    parts.extend(Some(part).filter(|part| !part.lessons.is_empty()));
    parts
}

/// Windows that cover all `spans`, merged where they are less than a day apart: few reads, and none of long times
/// without a span.
pub fn joined(spans: impl IntoIterator<Item = Window>) -> Vec<Window> {
    let mut spans: Vec<Window> = spans.into_iter().collect();
    spans.sort_by_key(|span| span.from);
    let mut joined: Vec<Window> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.from - last.to < chrono::TimeDelta::days(1) => last.to = last.to.max(span.to),
            Some(_) | None => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
#[path = "conflicts_tests.rs"]
mod tests;
