//! The tables with keys, indexes, expiry and streams. A test compares them with `template.yaml`.

use aws_sdk_dynamodb::{
    Client,
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex,
        Projection, ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
    },
};

use super::requests::failure;
use crate::{Error, Result, config::TableNames};

/// Connections whose poll is due: sparse, sharded, keys alone.
pub const CONNECTIONS_DUE: &str = "connections_due";
/// Connections whose channel is to be renewed: sparse, sharded, keys alone.
pub const CHANNELS_TO_RENEW: &str = "channels_to_renew";
/// The specification's view: the instructors of a tenant whose sync is on.
pub const INSTRUCTORS_WITH_CALENDAR_SYNC: &str = "instructors_with_calendar_sync";
/// The connections of a tenant that administrators should look at: sparse, keys alone. Credentials and state each stand in it
/// for what they know, so a connection may stand in it twice.
pub const CONNECTIONS_NEEDING_ATTENTION: &str = "connections_needing_attention";
/// Mappings by the time of their lesson.
pub const MAPPINGS_BY_START: &str = "mappings_by_start";
/// Dirty mappings, the longest waiting first; sparse.
pub const DIRTY_MAPPINGS: &str = "dirty_mappings";
/// Mappings whose sync failed, by their lesson's end; sparse.
pub const FAILED_MAPPINGS: &str = "failed_mappings";
/// Conflicts by the event that they name; sparse.
pub const CONFLICTS_BY_EVENT: &str = "conflicts_by_event";
/// The specification's view: events by the time until which they matter.
pub const UPCOMING_EXTERNAL_EVENTS: &str = "upcoming_external_events";
/// Logins in progress by tenant and instructor, to erase them.
pub const LOGINS_BY_TENANT: &str = "logins_by_tenant";
/// What a row of [`UPCOMING_EXTERNAL_EVENTS`] is read for: when an event occurs, whether it blocks, and what is shown of it.
const OF_EXTERNAL_EVENTS: &[&str] = &[
    "calendar_id",
    "google_event_id",
    "event_start",
    "event_end",
    "event_status",
    "event_type",
    "summary",
    "location",
    "start",
    "end",
    "recurrence",
    "recurring_event_id",
    "original_start",
    "transparent",
    "private",
    "declined",
    "lesson_id",
];
/// Lessons by instructor and start.
pub const LESSONS_BY_INSTRUCTOR: &str = "lessons_by_instructor";
/// In seconds: when the row of a lesson that the feed removed expires. Other rows do not have it.
pub const TOMBSTONE: &str = "feed_forget_at";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyKind {
    Text,
    Number,
}

pub type KeyAttribute = (&'static str, KeyKind);

/// The attributes that an index holds besides the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Keys,
    Also(&'static [&'static str]),
}

/// A secondary index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexDefinition {
    pub name: &'static str,
    /// A local index is read consistently.
    pub local: bool,
    pub partition: KeyAttribute,
    pub sort: KeyAttribute,
    pub holds: Holds,
}

#[derive(Debug, Clone, Copy)]
pub struct TableDefinition {
    pub name: fn(&TableNames) -> &String,
    pub partition: &'static str,
    pub sort: Option<&'static str>,
    pub indexes: &'static [IndexDefinition],
    /// The attribute with an item's expiry, in seconds.
    pub ttl: Option<&'static str>,
    /// Whether changes are streamed, with old and new image.
    pub stream: bool,
}

const fn text(name: &'static str) -> KeyAttribute {
    (name, KeyKind::Text)
}

const fn local(name: &'static str, sort: &'static str, holds: Holds) -> IndexDefinition {
    IndexDefinition { name, local: true, partition: text("connection"), sort: text(sort), holds }
}

const fn global(name: &'static str, partition: KeyAttribute, sort: &'static str, holds: Holds) -> IndexDefinition {
    IndexDefinition { name, local: false, partition, sort: text(sort), holds }
}

const SHARD: KeyAttribute = ("shard", KeyKind::Number);

/// All tables, the host's two included.
///
/// Local indexes of the mappings hold keys alone: a mapping is written several times for each read through an index,
/// and writing a wider index costs five times as much as fetching the item.
pub const TABLES: [TableDefinition; 10] = [
    TableDefinition {
        name: |names| &names.credentials,
        partition: "tenant_id",
        sort: Some("instructor_id"),
        indexes: &[
            global(CONNECTIONS_DUE, SHARD, "next_sync_at", Holds::Keys),
            global(CHANNELS_TO_RENEW, SHARD, "renew_at", Holds::Keys),
            global(
                INSTRUCTORS_WITH_CALENDAR_SYNC,
                text("tenant_id"),
                "synced_instructor_id",
                Holds::Also(&["google_calendar_id", "sync_direction", "auto_sync", "connection_status"]),
            ),
            global(CONNECTIONS_NEEDING_ATTENTION, text("tenant_id"), "attention_instructor_id", Holds::Keys),
        ],
        ttl: None,
        stream: false,
    },
    TableDefinition {
        name: |names| &names.mappings,
        partition: "connection",
        sort: Some("item"),
        indexes: &[
            local(MAPPINGS_BY_START, "event_start", Holds::Keys),
            local(DIRTY_MAPPINGS, "dirty_since", Holds::Keys),
            local(FAILED_MAPPINGS, "failed_until", Holds::Keys),
            local(CONFLICTS_BY_EVENT, "conflict_event", Holds::Keys),
        ],
        ttl: None,
        stream: false,
    },
    TableDefinition {
        name: |names| &names.external_events,
        partition: "connection",
        sort: Some("event"),
        indexes: &[local(UPCOMING_EXTERNAL_EVENTS, "agenda", Holds::Also(OF_EXTERNAL_EVENTS))],
        ttl: Some("ttl"),
        stream: false,
    },
    TableDefinition {
        name: |names| &names.sync_logs,
        partition: "connection",
        sort: Some("id"),
        indexes: &[],
        ttl: Some("ttl"),
        stream: false,
    },
    TableDefinition {
        name: |names| &names.oauth_states,
        partition: "state",
        sort: None,
        indexes: &[global(LOGINS_BY_TENANT, text("tenant_id"), "instructor_id", Holds::Keys)],
        ttl: Some("ttl"),
        stream: false,
    },
    TableDefinition {
        name: |names| &names.google_accounts,
        partition: "account",
        sort: None,
        indexes: &[],
        ttl: Some("ttl"),
        stream: false,
    },
    TableDefinition {
        name: |names| &names.rate_limits,
        partition: "bucket",
        sort: None,
        indexes: &[],
        ttl: None,
        stream: false,
    },
    TableDefinition {
        name: |names| &names.erasures,
        partition: "tenant_id",
        sort: Some("item"),
        indexes: &[],
        ttl: Some("ttl"),
        stream: false,
    },
    TableDefinition {
        name: |names| &names.instructors,
        partition: "tenant_id",
        sort: Some("id"),
        indexes: &[],
        ttl: None,
        stream: false,
    },
    TableDefinition {
        name: |names| &names.lessons,
        partition: "tenant_id",
        sort: Some("id"),
        indexes: &[global(LESSONS_BY_INSTRUCTOR, text("instructor_id"), "starts_at", Holds::Keys)],
        ttl: Some(TOMBSTONE),
        stream: true,
    },
];

impl TableDefinition {
    /// The attributes of all keys, each once, sorted by name.
    pub fn key_attributes(&self) -> Vec<KeyAttribute> {
        let mut attributes: Vec<_> = std::iter::once(self.partition)
            .chain(self.sort)
            .map(text)
            .chain(self.indexes.iter().flat_map(|index| [index.partition, index.sort]))
            .collect();
        attributes.sort_unstable();
        attributes.dedup();
        attributes
    }
}

/// Creates missing tables, for the local stack and for tests. On AWS, `template.yaml` does.
pub async fn create_all(client: &Client, names: &TableNames) -> Result<()> {
    for table in &TABLES {
        create(client, (table.name)(names), table).await?;
    }
    Ok(())
}

async fn create(client: &Client, name: &str, table: &TableDefinition) -> Result<()> {
    let definition = |(name, kind)| {
        let kind = match kind {
            KeyKind::Text => ScalarAttributeType::S,
            KeyKind::Number => ScalarAttributeType::N,
        };
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build()
    };
    let attributes: Vec<_> =
        table.key_attributes().into_iter().map(definition).collect::<Result<_, _>>().map_err(Error::internal)?;
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes))
        .set_key_schema(Some(key_schema(table.partition, table.sort)?));
    for index in table.indexes {
        let keys = key_schema(index.partition.0, Some(index.sort.0))?;
        request = if index.local {
            let index = LocalSecondaryIndex::builder()
                .index_name(index.name)
                .set_key_schema(Some(keys))
                .projection(projection(index.holds));
            request.local_secondary_indexes(index.build().map_err(Error::internal)?)
        } else {
            let index = GlobalSecondaryIndex::builder()
                .index_name(index.name)
                .set_key_schema(Some(keys))
                .projection(projection(index.holds));
            request.global_secondary_indexes(index.build().map_err(Error::internal)?)
        };
    }
    if table.stream {
        let stream =
            StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
        request = request.stream_specification(stream.build().map_err(Error::internal)?);
    }
    match request.send().await {
        Ok(_) => {}
        Err(error) if error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception) => {
            return Ok(());
        }
        Err(error) => return Err(failure(error)),
    }
    if let Some(attribute) = table.ttl {
        let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute).build();
        let request = client.update_time_to_live().table_name(name);
        request.time_to_live_specification(expiry.map_err(Error::internal)?).send().await.map_err(failure)?;
    }
    Ok(())
}

fn key_schema(partition: &str, sort: Option<&str>) -> Result<Vec<KeySchemaElement>> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    std::iter::once(element(partition, KeyType::Hash))
        .chain(sort.map(|sort| element(sort, KeyType::Range)))
        .collect::<Result<_, _>>()
        .map_err(Error::internal)
}

fn projection(holds: Holds) -> Projection {
    let projection = Projection::builder();
    match holds {
        Holds::Keys => projection.projection_type(ProjectionType::KeysOnly),
        Holds::Also(names) => projection
            .projection_type(ProjectionType::Include)
            .set_non_key_attributes(Some(names.iter().map(|name| (*name).to_owned()).collect())),
    }
    .build()
}
