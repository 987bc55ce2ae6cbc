//! What a test's own thread logs.
//!
//! One subscriber hears the whole process and keeps the threads apart. One that is set for a thread would miss lines:
//! `tracing` remembers of each place that logs whether anybody listens, and may have asked on the thread of another
//! test, where nobody did.

use std::{
    cell::RefCell,
    io::{self, Write},
    marker::PhantomData,
    sync::Once,
};

use tracing_subscriber::{
    Layer as _, filter::dynamic_filter_fn, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

thread_local! {
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Keeps what this thread logs, at any level and from any library, as lines of JSON, until it is dropped.
pub struct Listening(PhantomData<*const ()>);

pub fn listen() -> Listening {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        let lines = fmt::layer().json().flatten_event(true).with_writer(|| ToThisThread);
        let heard = dynamic_filter_fn(|_, _| LINES.with_borrow(Option::is_some));
        tracing_subscriber::registry().with(lines.with_filter(heard)).init();
    });
    LINES.set(Some(Vec::new()));
    Listening(PhantomData)
}

impl Listening {
    /// What was logged since it was asked last.
    pub fn take(&self) -> String {
        String::from_utf8(LINES.replace(Some(Vec::new())).unwrap()).unwrap()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LINES.set(None);
    }
}

struct ToThisThread;

impl Write for ToThisThread {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.as_mut().map_or(Ok(line.len()), |lines| lines.write(line)))
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
