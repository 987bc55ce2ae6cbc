//! The log row of a run, and the instructor's row of the host.

use chrono::{DateTime, Utc};

use super::{SyncCalendar, SyncRequest, SyncRun, report::Report};
use crate::{
    Result,
    decide::ending::Left,
    model::{CalendarSyncLog, SyncCounts, SyncDirection, SyncLogId, SyncOutcome, SyncState, SyncTrigger},
    ports::ReleaseOutcome,
};

impl SyncCalendar {
    /// Ends the log row of a run that cannot continue: one that was promised to a person, or one whose earlier parts
    /// did something.
    pub(super) async fn end_in_vain(
        &self,
        request: &SyncRequest,
        mut report: Report,
        why: &str,
        started_at: DateTime<Utc>,
    ) -> Result<()> {
        if report.is_worth_a_row() || request.log_id.is_some() {
            report.say(why);
            let did_something = report.counts != SyncCounts::default();
            let outcome = if did_something { SyncOutcome::Partial } else { SyncOutcome::Failed };
            self.record(request, report, SyncDirection::TwoWay, outcome, started_at).await?;
        }
        Ok(())
    }

    /// Ends the log row of a run that found the lease held each time.
    pub async fn give_up(&self, request: &SyncRequest) -> Result<()> {
        let why = "Other syncs were under way all the time; this one was given up.";
        self.end_in_vain(request, Report::default(), why, self.now()).await
    }

    /// Ends a run that a listing of the meantime has answered. `None` where it has not, or where requests came since:
    /// `state` has them then.
    pub(super) async fn end_answered(
        &self,
        request: &SyncRequest,
        state: &mut SyncState,
        started_at: DateTime<Utc>,
    ) -> Result<Option<SyncRun>> {
        if !request.is_answered(state) {
            return Ok(None);
        }
        match self.google.store.release_lease(request.key, state).await? {
            ReleaseOutcome::Released => {
                let (report, direction) = (Report::default(), SyncDirection::TwoWay);
                self.record(request, report, direction, SyncOutcome::Completed, started_at).await.map(Some)
            }
            ReleaseOutcome::Lost => Ok(Some(SyncRun::Held)),
            ReleaseOutcome::NewRequests(fresh) => {
                *state = *fresh;
                Ok(None)
            }
        }
    }

    /// Writes the log row and the instructor's row, where there is something to tell.
    pub(super) async fn record(
        &self,
        request: &SyncRequest,
        report: Report,
        direction: SyncDirection,
        outcome: SyncOutcome,
        started_at: DateTime<Utc>,
    ) -> Result<SyncRun> {
        let asked_for =
            request.log_id.is_some() || matches!(request.trigger, SyncTrigger::Manual | SyncTrigger::Connect);
        let tell = asked_for || report.is_worth_a_row() || outcome != SyncOutcome::Completed;
        let daily = report.reconciled;
        let now = self.now();
        let id = request.log_id.unwrap_or_else(|| SyncLogId(self.random.time_ordered_id(started_at)));
        let throttled = matches!(report.left, Left::Throttled | Left::QuotaExceeded);
        let mut log = report.into_log(id, request, direction, outcome, [started_at, now]);
        log_end(request, &log, throttled, now);
        if let Some(earlier) = self.promised(request).await? {
            log = log.after(earlier);
        }
        if tell {
            self.google.store.put_log(&log).await?;
        }
        if (tell || daily) && outcome != SyncOutcome::Failed {
            self.google.store.flag_instructor(request.key, None, Some(now)).await?;
        }
        Ok(SyncRun::Ran(Box::new(log)))
    }

    /// The log row that a person follows: that their run waits, or what its earlier parts did.
    async fn promised(&self, request: &SyncRequest) -> Result<Option<CalendarSyncLog>> {
        let Some(id) = request.log_id else { return Ok(None) };
        self.google.store.log(request.key, id).await
    }
}

/// Logs what this part of a run did, with its metrics.
fn log_end(request: &SyncRequest, log: &CalendarSyncLog, throttled: bool, now: DateTime<Utc>) {
    let took = Latencies::of(request, log, now);
    tracing::info!(
        connection = %request.key, trigger = ?log.trigger, outcome = ?log.outcome, google_calls = log.google_calls,
        duration_ms = log.duration_ms, throttled_runs = u64::from(throttled),
        push_to_stored_ms = took.push_to_stored_ms, lesson_to_google_ms = took.lesson_to_google_ms, "synced"
    );
}

/// How long what caused a run waited until it was done, in milliseconds.
#[derive(Debug, PartialEq, Eq)]
struct Latencies {
    /// From the receipt of a push notification. A run without a call to Google stored nothing.
    push_to_stored_ms: Option<u64>,
    /// From the host's write of a lesson. A run that wrote nothing found it in Google, or waits.
    lesson_to_google_ms: Option<u64>,
}

impl Latencies {
    fn of(request: &SyncRequest, log: &CalendarSyncLog, now: DateTime<Utc>) -> Self {
        let did_something = log.outcome != SyncOutcome::Failed;
        let since = |cause: Option<DateTime<Utc>>, is_done: bool| {
            let took = now - cause.filter(|_| did_something && is_done)?;
            u64::try_from(took.num_milliseconds()).ok()
        };
        Self {
            push_to_stored_ms: since(request.notified_at, log.google_calls > 0),
            lesson_to_google_ms: since(request.changed_at, log.counts.written() > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;
    use crate::{model::SyncCounts, ports::SyncMessage, testing::key};

    /// The latencies of a run that `cause` sets apart, with its calls to Google and the events it made.
    fn latencies(
        cause: impl FnOnce(&mut SyncMessage),
        google_calls: u32,
        events_created: u32,
        outcome: SyncOutcome,
    ) -> (Option<u64>, Option<u64>) {
        let mut message = SyncMessage::new(key(0, 0), SyncTrigger::Webhook, Vec::new());
        cause(&mut message);
        let log = CalendarSyncLog {
            id: SyncLogId(Uuid::nil()),
            key: key(0, 0),
            trigger: SyncTrigger::Webhook,
            asked_by: None,
            direction: SyncDirection::TwoWay,
            started_at: now(),
            duration_ms: 0,
            counts: SyncCounts { events_created, ..SyncCounts::default() },
            google_calls,
            outcome,
            reasons: Vec::new(),
        };
        let Latencies { push_to_stored_ms, lesson_to_google_ms } =
            Latencies::of(&SyncRequest::of(message, now()), &log, now());
        (push_to_stored_ms, lesson_to_google_ms)
    }

    fn now() -> DateTime<Utc> {
        "2026-03-01T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn only_a_run_that_listed_for_a_push_notification_tells_how_long_it_took_to_store() {
        let notified = |after: i64| {
            move |message: &mut SyncMessage| message.notified_at = Some(now() - TimeDelta::milliseconds(after))
        };
        let took = |after, google_calls, outcome| latencies(notified(after), google_calls, 0, outcome).0;
        assert_eq!(took(900, 1, SyncOutcome::Completed), Some(900));
        assert_eq!(took(900, 1, SyncOutcome::Running), Some(900), "the listing comes first");
        assert_eq!(took(900, 0, SyncOutcome::Completed), None, "answered by an earlier listing");
        assert_eq!(took(900, 1, SyncOutcome::Failed), None);
        assert_eq!(took(-1_000, 1, SyncOutcome::Completed), None, "a clock that is ahead");
        assert_eq!(latencies(|_| (), 1, 0, SyncOutcome::Completed), (None, None), "a poll");
    }

    #[test]
    fn only_a_run_that_wrote_for_a_changed_lesson_tells_how_long_it_took_to_reach_google() {
        let took = |created, outcome| {
            let changed = |message: &mut SyncMessage| message.changed_at = Some(now() - TimeDelta::milliseconds(1_200));
            latencies(changed, 1, created, outcome)
        };
        assert_eq!(took(1, SyncOutcome::Completed), (None, Some(1_200)));
        assert_eq!(took(1, SyncOutcome::Running), (None, Some(1_200)), "more are to come");
        assert_eq!(took(0, SyncOutcome::Completed), (None, None), "there already");
        assert_eq!(took(1, SyncOutcome::Failed), (None, None));
    }
}
