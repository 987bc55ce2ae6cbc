//! AWS's JSON protocols (1.0 and 1.1): how an input is read and an output or error is written.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The largest body read: DynamoDB takes 16 MB in a batch, all others less.
const MAX_BODY_BYTES: usize = 16 << 20;

/// A refusal that the SDK turns into a typed error by its code.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// AWS's name of the error, as `InvalidCiphertextException`.
    pub code: &'static str,
    pub message: String,
}

impl Fault {
    /// A refusal with AWS's error code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The operation is none that this stand-in knows.
    pub fn unknown_operation(target: &str) -> Self {
        Self::new("UnknownOperationException", format!("the local stack does not answer `{target}`"))
    }
}

/// A failing disk is the server's fault; the SDK tries such calls again.
impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::new(INTERNAL_FAILURE, error.to_string())
    }
}

const JSON: &str = "application/x-amz-json-1.0";
const INTERNAL_FAILURE: &str = "InternalFailure";

pub async fn body(body: Body) -> Result<Bytes, Fault> {
    axum::body::to_bytes(body, MAX_BODY_BYTES)
        .await
        .map_err(|error| Fault::new("SerializationException", error.to_string()))
}

pub fn input<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::new("SerializationException", error.to_string()))
}

pub fn answer(outcome: Result<Value, Fault>) -> Response {
    let Fault { code, message } = match outcome {
        Ok(output) => return ([(CONTENT_TYPE, JSON)], output.to_string()).into_response(),
        Err(fault) => fault,
    };
    let status = if code == INTERNAL_FAILURE { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
    // SQS once spoke another protocol, and its clients still go by that one's names of errors.
    let query_code = match code {
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        same => same,
    };
    (
        status,
        [
            (CONTENT_TYPE, JSON.to_owned()),
            (HeaderName::from_static("x-amzn-query-error"), format!("{query_code};Sender")),
        ],
        json!({ "__type": code, "message": message }).to_string(),
    )
        .into_response()
}
