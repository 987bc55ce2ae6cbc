//! The consequences of a change: the exceptions of a series, its former rules, and their order in deltas.

use super::event::{Event, FormerShape, Status};
use super::series;
use super::store::{Calendars, Change};

impl Calendars {
    /// Stores a changed event, with the consequences for its series.
    pub(super) fn change(&mut self, change: Change, calendar: &str, before: &Event, mut event: Event) {
        if let Some(place) = event.occurrence.clone() {
            self.put(change, calendar, event);
            self.touch_series(change, calendar, &place.series);
            return;
        }
        let reshaped = before.start != event.start || before.recurrence != event.recurrence;
        if reshaped {
            remember_shape(change, before, &mut event);
        }
        if only_reminders(before, &event) {
            self.put_reminders(change, calendar, event);
            return;
        }
        if reshaped {
            self.cut_off(change, calendar, &event);
        }
        if before.is_cancelled() {
            self.retell_cut_off(change, calendar, &event.id);
        }
        self.touch_exceptions(change, calendar, &event.id);
        self.put(change, calendar, event);
    }

    /// Stores `event` as cancelled; the exceptions of a series go with it, and are not listed.
    pub(super) fn cancel(&mut self, change: Change, calendar: &str, mut event: Event) {
        if let Some(place) = event.occurrence.clone() {
            self.put(change, calendar, event);
            self.touch_series(change, calendar, &place.series);
            return;
        }
        if event.is_series() {
            let before = event.clone();
            remember_shape(change, &before, &mut event);
            let exceptions = self.exceptions(calendar, &event.id);
            if let Some(place) = self.all.get_mut(calendar) {
                for exception in exceptions {
                    place.replace(change.version, Event { status: Status::Cancelled, bare: true, ..exception });
                }
            }
        }
        self.put(change, calendar, event);
    }

    /// Exceptions whose occurrence the series no longer has become bare tombstones.
    fn cut_off(&mut self, change: Change, calendar: &str, master: &Event) {
        let Some(place) = self.all.get(calendar) else {
            return;
        };
        let gone: Vec<Event> = place
            .exceptions(&master.id)
            .filter(|exception| !exception.bare)
            .filter(|exception| {
                exception.occurrence.as_ref().is_some_and(|occurrence| {
                    !master.is_series() || !series::occurs_at(master, occurrence.original, place.zone)
                })
            })
            .cloned()
            .collect();
        for mut exception in gone {
            exception.status = Status::Cancelled;
            exception.bare = true;
            self.put(change, calendar, exception);
        }
    }

    /// Exceptions that a series lost while it was deleted do not return with it.
    fn retell_cut_off(&mut self, change: Change, calendar: &str, series: &str) {
        for exception in self.exceptions(calendar, series) {
            if exception.bare {
                self.put(change, calendar, exception);
            }
        }
    }

    /// An edit of one instance brings its series along in the next delta, and all its exceptions.
    fn touch_series(&mut self, change: Change, calendar: &str, series: &str) {
        self.touch_exceptions(change, calendar, series);
        let master = self
            .all
            .get(calendar)
            .and_then(|calendar| calendar.events.get(series))
            .filter(|master| !master.is_cancelled())
            .cloned();
        if let Some(master) = master {
            self.put(change, calendar, master);
        }
    }

    /// Before their series, so that a delta names exceptions whose series comes only later.
    fn touch_exceptions(&mut self, change: Change, calendar: &str, series: &str) {
        for exception in self.exceptions(calendar, series) {
            if !exception.bare {
                self.put(change, calendar, exception);
            }
        }
    }

    pub(super) fn exceptions(&self, calendar: &str, series: &str) -> Vec<Event> {
        let calendar = self.all.get(calendar);
        calendar.map(|calendar| calendar.exceptions(series).cloned().collect()).unwrap_or_default()
    }
}

/// Records the former rule of a series, for clients that follow single instances.
fn remember_shape(change: Change, before: &Event, event: &mut Event) {
    let (start, recurrence) = (before.start, before.recurrence.clone());
    event.former.push(FormerShape { until: change.version, start, recurrence });
}

fn only_reminders(before: &Event, after: &Event) -> bool {
    let without = |event: &Event| {
        let mut event = event.clone();
        event.details.remove("reminders");
        event
    };
    before.details.get("reminders") != after.details.get("reminders") && without(before) == without(after)
}
