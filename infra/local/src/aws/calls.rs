//! Which function has made which calls on what: the least that its role has to allow.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, header::USER_AGENT};
use serde_json::Value;

/// A call as roles name it: who makes it, what it does, and on what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    pub function: String,
    /// `dynamodb:GetItem`, `kms:Decrypt`, ….
    pub action: String,
    /// A table, an index as `table/index/name`, a queue, a key, a secret or a bus.
    pub resource: String,
}

/// All calls so far, each once.
#[derive(Debug, Default)]
pub struct Calls(Mutex<BTreeSet<Call>>);

impl Calls {
    /// What was called so far.
    pub fn made(&self) -> BTreeSet<Call> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes a call by the function that its client names as the application (`app/<name>`). Other calls are ignored.
    pub(super) fn note(&self, headers: &HeaderMap, service: &str, operation: &str, body: &[u8]) {
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let Some(function) = agent.split(' ').find_map(|part| part.strip_prefix("app/")) else { return };
        let service = match service {
            "DynamoDB_20120810" => "dynamodb",
            "TrentService" => "kms",
            "AWSEvents" => "events",
            "AmazonSQS" => "sqs",
            other => other,
        };
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let called = match service {
            "dynamodb" => tables(operation, &body),
            "sqs" => vec![(operation, queue(&body))],
            "events" => buses(&body).into_iter().map(|bus| (operation, bus)).collect(),
            "kms" => vec![(operation, text(&body["KeyId"]))],
            _ => vec![(operation, text(&body["SecretId"]))],
        };
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend(called.into_iter().map(|(action, resource)| Call {
            function: function.to_owned(),
            action: format!("{service}:{action}"),
            resource,
        }));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn buses(body: &Value) -> BTreeSet<String> {
    body["Entries"].as_array().into_iter().flatten().map(|entry| text(&entry["EventBusName"])).collect()
}

/// The name of a queue is the last part of its URL.
fn queue(body: &Value) -> String {
    body["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default().to_owned()
}

/// The tables that a call of DynamoDB touches, and by which action: a transaction needs those of its parts.
fn tables<'a>(operation: &'a str, body: &Value) -> Vec<(&'a str, String)> {
    let table = |part: &Value| text(&part["TableName"]);
    match operation {
        "TransactWriteItems" => {
            let parts = body["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
            parts
                .map(|(kind, part)| {
                    let action = match kind.as_str() {
                        "Put" => "PutItem",
                        "Update" => "UpdateItem",
                        "Delete" => "DeleteItem",
                        _ => "ConditionCheckItem",
                    };
                    (action, table(part))
                })
                .collect()
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(table, _)| (operation, table.clone())).collect()
        }
        _ => vec![match body["IndexName"].as_str() {
            Some(index) => (operation, format!("{}/index/{index}", table(body))),
            None => (operation, table(body)),
        }],
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_is_noted_by_function_action_and_resource() {
        let calls = Calls::default();
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("aws-sdk-rust/1 os/linux app/sync-worker"));
        let transaction = json!({ "TransactItems": [
            { "Put": { "TableName": "a" } }, { "Delete": { "TableName": "b" } }, { "ConditionCheck": { "TableName": "c" } },
        ]});
        calls.note(&headers, "DynamoDB_20120810", "TransactWriteItems", transaction.to_string().as_bytes());
        let query = json!({ "TableName": "a", "IndexName": "i" });
        calls.note(&headers, "DynamoDB_20120810", "Query", query.to_string().as_bytes());
        calls.note(&headers, "AmazonSQS", "SendMessage", br#"{ "QueueUrl": "https://sqs/0/q" }"#);
        calls.note(&headers, "TrentService", "Decrypt", br#"{ "KeyId": "k" }"#);
        calls.note(
            &headers,
            "AWSEvents",
            "PutEvents",
            br#"{ "Entries": [{ "EventBusName": "b" }, { "EventBusName": "b" }] }"#,
        );
        calls.note(&headers, "secretsmanager", "GetSecretValue", br#"{ "SecretId": "s" }"#);
        calls.note(&HeaderMap::new(), "TrentService", "Encrypt", b"{}");
        let made = calls.made().into_iter().map(|call| format!("{} {}", call.action, call.resource));
        assert_eq!(
            made.collect::<Vec<_>>(),
            [
                "dynamodb:ConditionCheckItem c",
                "dynamodb:DeleteItem b",
                "dynamodb:PutItem a",
                "dynamodb:Query a/index/i",
                "events:PutEvents b",
                "kms:Decrypt k",
                "secretsmanager:GetSecretValue s",
                "sqs:SendMessage q"
            ]
        );
    }
}
