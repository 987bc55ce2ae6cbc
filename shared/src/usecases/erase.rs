//! Erases all that is kept of an instructor or of a tenant, a piece for each message. A piece first takes a connection
//! down, as a person does who disconnects, then erases rows. Each can be repeated, so that one that was cut comes again.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use super::disconnect::{Disconnect, Disconnected, Keep};
use crate::{
    Error, ErrorKind, Result,
    decide::erase::{Next, Piece, next},
    model::{ConnectionKey, ConnectionStatus, Erasure, ErasureScope, Person, TenantId},
    ports::{Clock, EraseMessage, EraseQueue, NoticeBus, Store},
};

/// A message is sent before the erasure is stored, and comes when the function that stores it has ended: so none is stored
/// without a message, whenever that function dies, and one for an erasure that is not stored does nothing.
pub const BEGUN_WITHIN: Duration = Duration::from_secs(20);
/// Rows that one message erases.
const ROWS_PER_PIECE: usize = 500;

/// Begins erasures and shows how they stand.
pub struct Erasures {
    pub store: Arc<dyn Store>,
    pub erase_queue: Arc<dyn EraseQueue>,
    pub clock: Arc<dyn Clock>,
}

impl Erasures {
    /// Begins an erasure, as `person` asks for. Who asks again for the one that is under way has it go on.
    pub async fn begin(
        &self,
        tenant: TenantId,
        scope: ErasureScope,
        keep_events: bool,
        person: &Person,
    ) -> Result<Erasure> {
        if scope != ErasureScope::Tenant && under_way(&*self.store, tenant, ErasureScope::Tenant).await? {
            return Err(Error::erasing());
        }
        let message = EraseMessage::first(tenant, scope);
        self.erase_queue.send_erase(&message, BEGUN_WITHIN).await?;
        let erasure = Erasure {
            tenant_id: tenant,
            scope,
            keep_events,
            asked_by: person.clone(),
            began_at: self.clock.now(),
            instructors_erased: 0,
            ended_at: None,
        };
        let stored = self.store.begin_erasure(&erasure).await?;
        if stored.keep_events != keep_events {
            return Err(Error::erasing());
        }
        self.erase_queue.send_erase(&message, Duration::ZERO).await?;
        tracing::info!(%tenant, %scope, person = person.subject, keep_events, "an erasure was asked for");
        Ok(stored)
    }

    pub async fn show(&self, tenant: TenantId, scope: ErasureScope) -> Result<Erasure> {
        let found = self.store.erasure(tenant, scope).await?;
        let now = self.clock.now();
        found.filter(|erasure| !erasure.has_expired(now)).ok_or_else(Error::unknown_erasure)
    }
}

/// Refuses to connect an instructor who is being erased.
pub async fn refuse_while_erasing(store: &dyn Store, key: ConnectionKey) -> Result<()> {
    for scope in [ErasureScope::Instructor(key.instructor_id), ErasureScope::Tenant] {
        if under_way(store, key.tenant_id, scope).await? {
            return Err(Error::erasing());
        }
    }
    Ok(())
}

async fn under_way(store: &dyn Store, tenant: TenantId, scope: ErasureScope) -> Result<bool> {
    Ok(store.erasure(tenant, scope).await?.is_some_and(|erasure| erasure.is_under_way()))
}

/// The worker's part.
#[derive(Clone)]
pub struct Erase {
    pub disconnect: Disconnect,
    pub erase_queue: Arc<dyn EraseQueue>,
    pub bus: Arc<dyn NoticeBus>,
}

impl Erase {
    /// Does the piece that `message` asks for, as far as `deadline` allows, and asks for the next. After an error it comes
    /// again.
    pub async fn handle(&self, message: &EraseMessage, deadline: DateTime<Utc>) -> Result<()> {
        let (tenant, scope) = (message.tenant_id, message.scope);
        let store = &self.disconnect.google.store;
        let Some(erasure) = store.erasure(tenant, scope).await?.filter(Erasure::is_under_way) else { return Ok(()) };
        let instructor = match scope {
            ErasureScope::Instructor(instructor) => Some(instructor),
            ErasureScope::Tenant => store.known_instructor(tenant, message.after).await?,
        };
        let piece = match instructor {
            Some(instructor) => self.piece(&erasure, erasure.key_of(instructor), deadline).await?,
            None if message.after.is_some() || store.erase_logins(tenant, ROWS_PER_PIECE).await? == 0 => {
                Piece::NoneBehind
            }
            None => Piece::LoginsErased,
        };
        match next(message, piece) {
            Next::Send(message, delay) => self.erase_queue.send_erase(&message, delay).await,
            Next::End => {
                self.bus.tell_erased(&erasure).await?;
                store.end_erasure(tenant, scope, self.disconnect.google.clock.now()).await
            }
        }
    }

    async fn piece(&self, erasure: &Erasure, key: ConnectionKey, deadline: DateTime<Utc>) -> Result<Piece> {
        let store = &self.disconnect.google.store;
        let instructor = key.instructor_id;
        if let Some(credentials) = store.credentials(key).await? {
            return self.leave(erasure, key, &credentials.status, deadline).await;
        }
        if store.erase_rows(key, ROWS_PER_PIECE).await? > 0 {
            return Ok(Piece::Erased(instructor));
        }
        store.forget_instructor(key, erasure.scope).await?;
        Ok(Piece::Gone(instructor))
    }

    /// Begins to disconnect, or leaves the disconnect to itself that was begun.
    async fn leave(
        &self,
        erasure: &Erasure,
        key: ConnectionKey,
        status: &ConnectionStatus,
        deadline: DateTime<Utc>,
    ) -> Result<Piece> {
        let keep = Keep { events: erasure.keep_events, imported: false };
        let begun = ConnectionStatus::Disconnecting { keep_events: keep.events, keep_imported: keep.imported };
        if *status == begun {
            return Ok(Piece::Leaving(key.instructor_id));
        }
        match self.disconnect.begin(key, keep, &erasure.asked_by, deadline).await {
            Ok(Disconnected::Continues) => Ok(Piece::Leaving(key.instructor_id)),
            Ok(Disconnected::Done) => Ok(Piece::Erased(key.instructor_id)),
            // It was taken down meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Piece::Erased(key.instructor_id)),
            Err(error) => Err(error),
        }
    }
}
