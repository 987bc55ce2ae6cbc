//! Logs: one JSON object per line on standard output. Where `METRICS_NAMESPACE` names one, lines that carry metrics tell
//! `CloudWatch` of them.

pub mod metrics;

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, filter_fn},
    fmt,
    layer::{Filter, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use self::metrics::WithMetrics;

/// Starts logging, filtered by `RUST_LOG` or else `LOG_LEVEL` (both take any filter of tracing), else at `info`. Only
/// the first call in a process has an effect.
pub fn init() {
    let chosen = ["RUST_LOG", "LOG_LEVEL"].iter().find_map(|name| EnvFilter::try_from_env(name).ok());
    let chosen = chosen.unwrap_or_else(|| EnvFilter::new("info"));
    let namespace = std::env::var("METRICS_NAMESPACE").ok().filter(|name| !name.is_empty());
    let logged = logged(chosen, namespace.is_some());
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .map_event_format(|json| WithMetrics::new(json, namespace));
    let _ = tracing_subscriber::registry().with(lines.with_filter(logged)).try_init();
}

/// What is written: what the level lets through and, since alarms watch them at every level, lines with metrics.
fn logged<S>(chosen: EnvFilter, measures: bool) -> impl Filter<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let numbers = filter_fn(move |event| measures && metrics::are_in(event)).with_max_level_hint(LevelFilter::INFO);
    chosen.or(numbers).and(filter_fn(may_be_logged))
}

/// Below `info`, libraries log bodies and headers, tokens included. No setting may turn that on.
fn may_be_logged(event: &tracing::Metadata<'_>) -> bool {
    *event.level() <= LevelFilter::INFO || event.target().starts_with("calendar_")
}
