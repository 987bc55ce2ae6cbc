//! The hot part of a connection, an item beside its credentials: progress, lease and pending requests.

use std::collections::BTreeSet;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, number, text, time},
    keys,
    requests::Written,
};
use crate::{
    Error, Result,
    model::{
        Channel, ChannelId, ConnectionKey, Cursor, InstructorId, Lease, ListingProgress, PendingRequests, PushHealth,
        Removals, SyncState, SyncTask, timestamp,
    },
    ports::{LeaseAttempt, ReleaseOutcome, SyncStateStore},
};

/// The attributes that the holder of the lease changes.
#[derive(Serialize, Deserialize)]
struct ProgressRow {
    sync_token: Option<String>,
    token_shape: Option<String>,
    sync_token_past_strays: Option<bool>,
    listing: Option<ListingProgress>,
    days_move: Option<bool>,
    calendar_time_zone: Tz,
    #[serde(default, with = "timestamp::option")]
    horizon: Option<DateTime<Utc>>,
    #[serde(default, with = "timestamp::option")]
    reconciled_at: Option<DateTime<Utc>>,
    #[serde(default, with = "timestamp::option")]
    last_synced_at: Option<DateTime<Utc>>,
    #[serde(default, with = "timestamp::option")]
    listed_at: Option<DateTime<Utc>>,
    #[serde(default, with = "timestamp::option")]
    doubted_since: Option<DateTime<Utc>>,
    failures: u32,
    cuts: Option<u32>,
    #[serde(default, with = "timestamp::option")]
    backoff_until: Option<DateTime<Utc>>,
    last_error: Option<String>,
    client_refused: Option<String>,
    webhook_channel_id: Option<ChannelId>,
    webhook_resource_id: Option<String>,
    #[serde(default, with = "timestamp::option")]
    webhook_expiration: Option<DateTime<Utc>>,
    #[serde(default, with = "timestamp::option")]
    webhook_opened_at: Option<DateTime<Utc>>,
    #[serde(default)]
    retired_channel_ids: Vec<ChannelId>,
    #[serde(default, with = "timestamp::option")]
    renew_at: Option<DateTime<Utc>>,
    push_health: PushHealth,
    removals: Option<Removals>,
    /// Present while the state needs attention: it puts the row into the index of those that do.
    attention_instructor_id: Option<InstructorId>,
}

/// The attributes that others change too: written conditionally.
#[derive(Deserialize)]
struct SharedRow {
    lease_owner: Option<Uuid>,
    lease_cut_owner: Option<Uuid>,
    #[serde(with = "timestamp")]
    lease_until: DateTime<Utc>,
    lease_fence: u64,
    request_counter: u64,
    #[serde(default)]
    pending_tasks: BTreeSet<SyncTask>,
    #[serde(default, with = "timestamp::option")]
    next_sync_at: Option<DateTime<Utc>>,
}

impl ProgressRow {
    fn of(key: ConnectionKey, state: &SyncState) -> Self {
        Self {
            sync_token: state.cursor.as_ref().map(|cursor| cursor.token.clone()),
            token_shape: state.cursor.as_ref().map(|cursor| cursor.shape.clone()),
            sync_token_past_strays: state.cursor.as_ref().filter(|cursor| cursor.past_strays).map(|_| true),
            listing: state.listing.clone(),
            days_move: state.days_move.then_some(true),
            calendar_time_zone: state.calendar_time_zone,
            horizon: state.horizon,
            reconciled_at: state.reconciled_at,
            last_synced_at: state.last_synced_at,
            listed_at: state.listed_at,
            doubted_since: state.doubted_since,
            failures: state.failures,
            cuts: Some(state.cuts).filter(|cuts| *cuts > 0),
            backoff_until: state.backoff_until,
            last_error: state.last_error.clone(),
            client_refused: state.client_refused.clone(),
            webhook_channel_id: state.channel.as_ref().map(|channel| channel.id.clone()),
            webhook_resource_id: state.channel.as_ref().map(|channel| channel.resource_id.clone()),
            webhook_expiration: state.channel.as_ref().map(|channel| channel.expires_at),
            webhook_opened_at: state.channel_opened_at,
            retired_channel_ids: state.retired_channels.clone(),
            renew_at: state.renew_at,
            push_health: state.push_health.clone(),
            removals: state.removals,
            attention_instructor_id: state.needs_attention().then_some(key.instructor_id),
        }
    }
}

pub(super) fn read(item: Item) -> Result<SyncState> {
    let shared: SharedRow = from_item(item.clone())?;
    let progress: ProgressRow = from_item(item)?;
    let channel = (progress.webhook_channel_id, progress.webhook_resource_id, progress.webhook_expiration);
    Ok(SyncState {
        cursor: progress.sync_token.zip(progress.token_shape).map(|(token, shape)| Cursor {
            token,
            shape,
            past_strays: progress.sync_token_past_strays.unwrap_or_default(),
        }),
        listing: progress.listing,
        days_move: progress.days_move.unwrap_or_default(),
        calendar_time_zone: progress.calendar_time_zone,
        lease: Lease {
            owner: shared.lease_owner,
            cut: shared.lease_cut_owner,
            until: shared.lease_until,
            fence: shared.lease_fence,
        },
        pending: PendingRequests { counter: shared.request_counter, tasks: shared.pending_tasks },
        horizon: progress.horizon,
        reconciled_at: progress.reconciled_at,
        next_sync_at: shared.next_sync_at,
        last_synced_at: progress.last_synced_at,
        listed_at: progress.listed_at,
        doubted_since: progress.doubted_since,
        failures: progress.failures,
        cuts: progress.cuts.unwrap_or_default(),
        backoff_until: progress.backoff_until,
        last_error: progress.last_error,
        client_refused: progress.client_refused,
        channel: match channel {
            (Some(id), Some(resource_id), Some(expires_at)) => Some(Channel { id, resource_id, expires_at }),
            _ => None,
        },
        channel_opened_at: progress.webhook_opened_at,
        retired_channels: progress.retired_channel_ids,
        renew_at: progress.renew_at,
        push_health: progress.push_health,
        removals: progress.removals,
    })
}

/// A new state. The fence continues from the old one, so that a holder of the old lease has lost it.
pub(super) fn start_anew(key: ConnectionKey, state: &SyncState) -> Result<Change> {
    let change = Change::default()
        .row(&ProgressRow::of(key, state))?
        .set("shard", number(keys::connection_shard(key)))
        .count_up_from("lease_fence", state.lease.fence)
        .set("request_counter", number(state.pending.counter))
        .set_or_remove("next_sync_at", state.next_sync_at.map(time));
    Ok(free(with_pending(change, state)))
}

/// The pending tasks. DynamoDB has no empty set.
fn with_pending(change: Change, state: &SyncState) -> Change {
    let kinds = names(&state.pending.tasks);
    change.set_or_remove("pending_tasks", Some(kinds).filter(|kinds| !kinds.is_empty()).map(AttributeValue::Ss))
}

fn free(change: Change) -> Change {
    change.remove("lease_owner").remove("lease_cut_owner").set("lease_until", time(DateTime::UNIX_EPOCH))
}

fn taken(change: Change, owner: Uuid, until: DateTime<Utc>) -> Change {
    change.set("lease_owner", text(owner)).set("lease_until", time(until)).count_up("lease_fence")
}

fn names(kinds: &BTreeSet<SyncTask>) -> Vec<String> {
    let name = |kind: &SyncTask| match kind {
        SyncTask::PullEvents => "pull_events",
        SyncTask::PushLessons => "push_lessons",
        SyncTask::FullReconcile => "full_reconcile",
        SyncTask::RetryGivenUp => "retry_given_up",
        SyncTask::Noticed => "noticed",
    };
    kinds.iter().map(name).map(str::to_owned).collect()
}

#[async_trait]
impl SyncStateStore for DynamoStore {
    async fn state(&self, key: ConnectionKey) -> Result<Option<SyncState>> {
        self.get(&self.names.credentials, keys::state(key)).await?.map(read).transpose()
    }

    async fn acquire_lease(
        &self,
        key: ConnectionKey,
        owner: Uuid,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        tasks: &BTreeSet<SyncTask>,
    ) -> Result<LeaseAttempt> {
        let table = &self.names.credentials;
        for _ in 0..MAX_LEASE_READS {
            let free =
                Change::when("#lease_until <= :now AND attribute_not_exists(#lease_owner)").with("now", time(now));
            match self.update(table, keys::state(key), taken(free, owner, until)).await? {
                Written::Done(item) => return Ok(LeaseAttempt::Granted(Box::new(read(item)?))),
                Written::Refused(None) => return Ok(LeaseAttempt::NotConnected),
                Written::Refused(Some(item)) => {
                    let state = read(item)?;
                    if let Some(cut) = state.lease.owner.filter(|_| state.lease.until <= now) {
                        let found = Change::when(LEASE_STANDS).with("fence", number(state.lease.fence));
                        let found = found.set("lease_cut_owner", text(cut)).set("next_sync_at", time(until));
                        let found = taken(found, owner, until);
                        if let Written::Done(item) = self.update(table, keys::state(key), found).await? {
                            return Ok(LeaseAttempt::Granted(Box::new(read(item)?)));
                        }
                        continue;
                    }
                    // The answer to a first attempt was lost, and the SDK repeated it.
                    if state.lease.owner == Some(owner)
                        && timestamp::format(state.lease.until) == timestamp::format(until)
                    {
                        return Ok(LeaseAttempt::Granted(Box::new(state)));
                    }
                }
            }
            let raise = Change::when("#lease_until > :now")
                .with("now", time(now))
                .count_up("request_counter")
                .assign("#next_sync_at = #lease_until");
            let raise = if tasks.is_empty() { raise } else { raise.add("pending_tasks", names(tasks)) };
            match self.update(table, keys::state(key), raise).await? {
                Written::Done(item) => return Ok(LeaseAttempt::Held { until: read(item)?.lease.until }),
                Written::Refused(None) => return Ok(LeaseAttempt::NotConnected),
                Written::Refused(Some(_)) => {} // it was given back between the two
            }
        }
        Err(Error::unavailable("lease_contended", "the lease changed hands at each look"))
    }

    async fn save_state(&self, key: ConnectionKey, state: &SyncState) -> Result<bool> {
        let change =
            Change::when(LEASE_STANDS).with("fence", number(state.lease.fence)).row(&ProgressRow::of(key, state))?;
        let written = self.update(&self.names.credentials, keys::state(key), change).await?;
        Ok(matches!(written, Written::Done(_)))
    }

    async fn release_lease(&self, key: ConnectionKey, state: &SyncState) -> Result<ReleaseOutcome> {
        let change = Change::when(format!("{LEASE_STANDS} AND #request_counter = :counter"))
            .with("fence", number(state.lease.fence))
            .with("counter", number(state.pending.counter))
            .row(&ProgressRow::of(key, state))?
            .set_or_remove("next_sync_at", state.next_sync_at.map(time));
        let change = free(with_pending(change, state));
        match self.update(&self.names.credentials, keys::state(key), change).await? {
            Written::Done(_) => Ok(ReleaseOutcome::Released),
            Written::Refused(None) => Ok(ReleaseOutcome::Lost),
            Written::Refused(Some(item)) => {
                let now = read(item)?;
                Ok(if now.lease.fence != state.lease.fence {
                    ReleaseOutcome::Lost
                } else if now.lease.owner.is_some() {
                    ReleaseOutcome::NewRequests(Box::new(now))
                } else {
                    // The answer to a first attempt was lost, and the SDK repeated it: another holder would have raised
                    // the fence.
                    ReleaseOutcome::Released
                })
            }
        }
    }
}

/// How often the lease may change hands between two attempts before the call fails as unavailable.
const MAX_LEASE_READS: u32 = 5;

/// That nobody has taken the lease of this fence or given it back.
const LEASE_STANDS: &str = "#lease_fence = :fence AND attribute_exists(#lease_owner)";
