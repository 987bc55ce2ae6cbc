//! Ports without a service behind them: a queue, a bus, a vault and randomness.

use std::{
    mem,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use calendar_sync::{
    Error, Result,
    adapters::system::SystemRandom,
    model::{ConnectionKey, Erasure, Notice, SealedSecret},
    ports::{Clock, NoticeBus, Random, SyncMessage, SyncQueue, TokenVault},
};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

/// A queue that hands each message out once.
pub struct TestQueue {
    clock: Arc<dyn Clock>,
    messages: Mutex<Vec<Queued>>,
    sent: AtomicUsize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    pub message: SyncMessage,
    pub delay: Duration,
    /// When the delay is over.
    pub visible_at: DateTime<Utc>,
}

impl TestQueue {
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, messages: Mutex::default(), sent: AtomicUsize::new(0) })
    }

    /// Takes the first message of that kind whose delay is over.
    pub fn receive(&self, of_kind: impl Fn(&SyncMessage) -> bool) -> Option<Queued> {
        let (mut messages, now) = (self.messages.lock().unwrap(), self.clock.now());
        let place = messages.iter().position(|queued| queued.visible_at <= now && of_kind(&queued.message))?;
        Some(messages.remove(place))
    }

    /// How many messages were sent since this was asked last.
    pub fn take_sent(&self) -> usize {
        self.sent.swap(0, Ordering::SeqCst)
    }

    /// Takes all messages, also those that are delayed.
    pub fn take(&self) -> Vec<Queued> {
        mem::take(&mut self.messages.lock().unwrap())
    }

    /// How many messages of that kind wait.
    pub fn waiting(&self, of_kind: impl Fn(&SyncMessage) -> bool) -> usize {
        self.messages.lock().unwrap().iter().filter(|queued| of_kind(&queued.message)).count()
    }
}

#[async_trait]
impl SyncQueue for TestQueue {
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        let visible_at = self.clock.now() + delay;
        self.messages.lock().unwrap().push(Queued { message: message.clone(), delay, visible_at });
        Ok(())
    }
}

#[derive(Default)]
pub struct TestBus(Mutex<Vec<Notice>>);

impl TestBus {
    pub fn take(&self) -> Vec<Notice> {
        mem::take(&mut self.0.lock().unwrap())
    }
}

#[async_trait]
impl NoticeBus for TestBus {
    async fn publish(&self, notices: &[Notice]) -> Result<()> {
        self.0.lock().unwrap().extend_from_slice(notices);
        Ok(())
    }
    async fn tell_erased(&self, _: &Erasure) -> Result<()> {
        Ok(())
    }
}

/// Seals a secret by writing down whose it is.
pub struct PlainVault;

/// What [`PlainVault`] makes of a secret. It adds a few bytes only: DynamoDB counts its price in kilobytes.
pub fn seal_plainly(key: ConnectionKey, secret: &str) -> SealedSecret {
    SealedSecret(format!("{}{secret}", owner(key)))
}

fn owner(key: ConnectionKey) -> String {
    format!("{:x}.{:x}:", key.tenant_id.0.as_u128(), key.instructor_id.0.as_u128())
}

#[async_trait]
impl TokenVault for PlainVault {
    async fn seal(&self, key: ConnectionKey, secret: &SecretString) -> Result<SealedSecret> {
        Ok(seal_plainly(key, secret.expose_secret()))
    }
    async fn open(&self, key: ConnectionKey, sealed: &SealedSecret) -> Result<SecretString> {
        let own = sealed.0.strip_prefix(&owner(key));
        own.map(SecretString::from).ok_or_else(|| Error::internal("it was sealed for another connection"))
    }
    fn is_stale(&self, _: &SealedSecret) -> bool {
        false
    }
}

/// The same jitter each time. What has to be unguessable is chance.
pub struct FixedJitter(pub u16);

impl Random for FixedJitter {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > 4 {
            return SystemRandom.fill(bytes);
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = self.0.to_be_bytes()[place % 2];
        }
    }
}
