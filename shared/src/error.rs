//! The one error type: what went wrong in words that a caller may read, and its private cause for the log.

use std::{borrow::Cow, fmt, time::Duration};

/// A result with the crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What an error means to whoever asked; transports turn it into a status code, a retry or a drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request itself is wrong; asking again the same way fails again.
    Invalid,
    /// The request is larger than what is read.
    TooLarge,
    /// The caller did not say who they are.
    Unauthenticated,
    /// There is no such thing, or the caller may not know of it: both look the same.
    NotFound,
    /// The request clashes with the present state (a connection that is switched off, a login already used).
    Conflict,
    /// Google refuses for good until a person acts (consent withdrawn, a calendar taken away).
    Refused,
    /// Too many requests; `retry_after` says when to come again.
    RateLimited,
    /// A passing failure of Google or AWS; trying again helps.
    Unavailable,
    /// A defect of ours or of the set-up.
    Internal,
}

/// One field of a request and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// The field as the caller spelled it.
    pub field: Cow<'static, str>,
    /// What is wrong with it.
    pub message: Cow<'static, str>,
}

/// An error with a public code and text, and a private cause that only the log sees.
pub struct Error {
    kind: ErrorKind,
    code: &'static str,
    message: Cow<'static, str>,
    details: Vec<FieldError>,
    retry_after: Option<Duration>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a `snake_case` code and a text that may be shown to the caller.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, code, message: message.into(), details: Vec::new(), retry_after: None, cause: None }
    }

    /// A wrong field: `invalid_request` with the field named.
    pub fn field(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        let (field, message) = (field.into(), message.into());
        let text = format!("`{field}` {message}");
        let mut error = Self::new(ErrorKind::Invalid, "invalid_request", text);
        error.details.push(FieldError { field, message });
        error
    }

    /// The answer to everything that is not there or not the caller's.
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "not_found", "There is no such instructor or connection.")
    }

    /// A passing failure of a service that we depend on.
    pub fn unavailable(code: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Unavailable, code, "A service we depend on did not answer. Please try again.")
            .because(cause)
    }

    /// A defect of ours.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, "internal", "Something went wrong on our side.").because(cause)
    }

    /// The same error with its private cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same error with the time after which asking again helps.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// What it means to the caller.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
    /// The stable `snake_case` code.
    pub fn code(&self) -> &'static str {
        self.code
    }
    /// The text for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }
    /// Which fields are wrong.
    pub fn details(&self) -> &[FieldError] {
        &self.details
    }
    /// When asking again helps.
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// For the log: the public part and the chain of causes.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.cause.as_ref().map(|cause| &**cause as &dyn std::error::Error);
        while let Some(error) = cause {
            write!(f, " ← {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as &dyn std::error::Error)
    }
}
