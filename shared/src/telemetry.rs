//! Logs: one JSON object per line on standard output.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Starts logging, filtered by `RUST_LOG` or else `LOG_LEVEL` (both take any filter of tracing), else at `info`. Only
/// the first call in a process has an effect.
pub fn init() {
    let filter = ["RUST_LOG", "LOG_LEVEL"].iter().find_map(|name| EnvFilter::try_from_env(name).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("info"));
    let lines = fmt::layer().json().flatten_event(true).with_current_span(true).with_span_list(false);
    let _ = tracing_subscriber::registry().with(filter).with(lines.with_filter(filter_fn(may_be_logged))).try_init();
}

/// Below `info`, libraries log bodies and headers, tokens included. No setting may turn that on.
fn may_be_logged(event: &tracing::Metadata<'_>) -> bool {
    *event.level() <= LevelFilter::INFO || event.target().starts_with("calendar_")
}
