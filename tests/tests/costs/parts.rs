//! What stands in for the world around the use-cases: time, chance, messages, and people who do things meanwhile.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, http::HeaderMap, routing::post};
use calendar_sync::{
    Result,
    adapters::{google::GoogleCalendar, system::SystemRandom},
    model::{Channel, ConnectionKey, Notice, SealedSecret},
    ports::{
        Access, Calendar, CalendarError, Clock, Listing, NewChannel, NoticeBus, Operation, OperationOutcome, Random,
        SyncMessage, SyncQueue, TokenVault,
    },
};
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, stream::FuturesUnordered};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, watch},
};

/// Jitter is neither early nor late; all else is chance.
pub struct MiddleRandom;
impl Random for MiddleRandom {
    fn fill(&self, bytes: &mut [u8]) {
        match bytes {
            jitter @ [_, _] => jitter.copy_from_slice(&[0x7f, 0xff]),
            other => SystemRandom.fill(other),
        }
    }
}

/// Time stands still but for what moves it.
pub struct MovableClock(pub watch::Sender<Time>);

pub struct Time {
    pub now: DateTime<Utc>,
    sleepers: Vec<DateTime<Utc>>,
}

impl MovableClock {
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(watch::Sender::new(Time { now, sleepers: Vec::new() }))
    }

    /// Goes on with what is under way until all but so many have ended or wait for the clock.
    pub async fn work<T>(&self, under_way: &mut FuturesUnordered<impl Future<Output = T>>, but: usize) {
        let mut time = self.0.subscribe();
        let waiting = |time: &Time| time.sleepers.iter().filter(|until| **until > time.now).count();
        while under_way.len() > waiting(&time.borrow_and_update()) + but {
            tokio::select! {
                _ = under_way.next() => {}
                _ = time.changed() => {}
            }
        }
    }
}

#[async_trait]
impl Clock for MovableClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.borrow().now
    }
    async fn sleep(&self, time: Duration) {
        let until = self.now() + time;
        let mut clock = self.0.subscribe();
        self.0.send_modify(|time| time.sleepers.push(until));
        clock.wait_for(|time| time.now >= until).await.unwrap();
        self.0.send_modify(|time| {
            let place = time.sleepers.iter().position(|sleeper| *sleeper == until);
            time.sleepers.swap_remove(place.unwrap());
        });
    }
}

/// What Google's notices that something changed carry: the channel, and its token.
pub type Mailbox = Arc<Mutex<Vec<[String; 2]>>>;

/// A webhook that keeps what it is told until a test brings it.
pub async fn mailbox() -> (String, Mailbox) {
    let mailbox = Mailbox::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let kept = mailbox.clone();
    let keep = async move |headers: HeaderMap| {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        if header("x-goog-resource-state") == "exists" {
            kept.lock().unwrap().push([header("x-goog-channel-id"), header("x-goog-channel-token")]);
        }
    };
    tokio::spawn(axum::serve(listener, Router::new().route("/", post(keep))).into_future());
    (address, mailbox)
}

/// Messages that wait to be answered.
#[derive(Default)]
pub struct TestQueue {
    pub waiting: Mutex<Vec<SyncMessage>>,
    pub sent: AtomicU64,
}
#[async_trait]
impl SyncQueue for TestQueue {
    async fn send(&self, message: &SyncMessage, _: Duration) -> Result<()> {
        self.sent.fetch_add(1, Ordering::SeqCst);
        self.waiting.lock().unwrap().push(message.clone());
        Ok(())
    }
}

#[derive(Default)]
pub struct Bus(pub AtomicU64);
#[async_trait]
impl NoticeBus for Bus {
    async fn publish(&self, notices: &[Notice]) -> Result<()> {
        self.0.fetch_add(notices.len() as u64, Ordering::SeqCst);
        Ok(())
    }
}

/// Seals nothing: what keys cost is not counted here.
pub struct OpenVault;
#[async_trait]
impl TokenVault for OpenVault {
    async fn seal(&self, _: ConnectionKey, secret: &SecretString) -> Result<SealedSecret> {
        Ok(SealedSecret(secret.expose_secret().to_owned()))
    }
    async fn open(&self, _: ConnectionKey, sealed: &SealedSecret) -> Result<SecretString> {
        Ok(SecretString::from(sealed.0.clone()))
    }
    fn is_stale(&self, _: &SealedSecret) -> bool {
        false
    }
}

type Doing = futures::future::BoxFuture<'static, ()>;

/// What others do while a listing is under way.
#[derive(Default)]
pub struct Meanwhile(AsyncMutex<Option<Doing>>);
impl Meanwhile {
    pub async fn set(&self, doing: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().await = Some(Box::pin(doing));
    }
}

pub struct Interrupted {
    pub calendar: GoogleCalendar,
    pub meanwhile: Arc<Meanwhile>,
}

#[async_trait]
impl Calendar for Interrupted {
    async fn list(&self, access: &Access, token: Option<&str>, deadline: DateTime<Utc>) -> Listing {
        let listing = self.calendar.list(access, token, deadline).await;
        let doing = self.meanwhile.0.lock().await.take();
        if let Some(doing) = doing {
            doing.await;
        }
        listing
    }
    async fn batch(
        &self,
        access: &Access,
        operations: &[Operation],
        deadline: DateTime<Utc>,
    ) -> (Vec<OperationOutcome>, u32) {
        self.calendar.batch(access, operations, deadline).await
    }
    async fn watch(
        &self,
        access: &Access,
        channel: &NewChannel,
        deadline: DateTime<Utc>,
    ) -> Result<Channel, CalendarError> {
        self.calendar.watch(access, channel, deadline).await
    }
    async fn stop(&self, access: &Access, channel: &Channel, deadline: DateTime<Utc>) -> Result<(), CalendarError> {
        self.calendar.stop(access, channel, deadline).await
    }
}
