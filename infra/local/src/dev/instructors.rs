//! The host's instructors.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::{
    Json,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::StatusCode,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Host, Refusal, session::Caller};

/// What the host knows of an instructor.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instructor {
    pub name: String,
    pub email: String,
}

/// `POST /dev/instructors`: adds the one whom the query names; one who is there already stays as they are.
pub async fn create(
    State(host): State<Arc<Host>>,
    caller: Result<Query<Caller>, QueryRejection>,
    instructor: Result<Json<Instructor>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let (Query(caller), Json(instructor)) = (caller?, instructor?);
    let added = host.add_instructor(caller.tenant, caller.instructor, &instructor).await?;
    Ok(if added { StatusCode::CREATED } else { StatusCode::OK })
}

impl Host {
    /// Adds an instructor; false if they are there already.
    pub(super) async fn add_instructor(
        &self,
        tenant: Uuid,
        id: Uuid,
        Instructor { name, email }: &Instructor,
    ) -> Result<bool, aws_sdk_dynamodb::Error> {
        let text = |value: &dyn ToString| AttributeValue::S(value.to_string());
        let put = self
            .client
            .put_item()
            .table_name(&self.instructors)
            .item("tenant_id", text(&tenant))
            .item("id", text(&id))
            .item("name", text(name))
            .item("email", text(email))
            .condition_expression("attribute_not_exists(id)");
        match put.send().await.map_err(aws_sdk_dynamodb::Error::from) {
            Ok(_) => Ok(true),
            Err(aws_sdk_dynamodb::Error::ConditionalCheckFailedException(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
