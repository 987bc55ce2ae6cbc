//! The crate's error type: a public code and text, and a private cause for the log.

use std::{borrow::Cow, fmt, time::Duration};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What an error means to the caller. Transports turn it into a status code, a retry or a drop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong: repeating it unchanged fails again.
    Invalid,
    TooLarge,
    /// The caller is not authenticated.
    Unauthenticated,
    /// The caller may know that it exists, and not do this with it.
    Forbidden,
    /// It does not exist, or the caller may not know that it does: both look the same.
    NotFound,
    /// The request contradicts the present state (a connection that is switched off, a login that was used already).
    Conflict,
    /// Google refuses until a person acts (consent withdrawn, a calendar no longer shared).
    Refused,
    /// Too many requests; [`Error::wait`] says when to retry.
    RateLimited,
    /// A transient failure of Google or AWS: a retry may succeed.
    Unavailable,
    /// A defect of the product or of its configuration.
    Internal,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// In the caller's spelling.
    pub field: Cow<'static, str>,
    pub message: Cow<'static, str>,
}

/// An error with a public code and text, and a private cause that goes to the log alone.
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

    /// For what does not exist and what is not the caller's.
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound, "not_found", "There is no such instructor or connection.")
    }

    /// For a conflict that the instructor does not have, or no longer.
    pub fn unknown_conflict() -> Self {
        Self::new(ErrorKind::NotFound, "unknown_conflict", "There is no such conflict, or no longer.")
    }

    /// For an erasure that was never begun, or whose record has expired.
    pub fn unknown_erasure() -> Self {
        Self::new(ErrorKind::NotFound, "unknown_erasure", "There is no such erasure, or no longer.")
    }

    /// For a login, or an erasure of another kind, while one is under way that it would contradict.
    pub fn erasing() -> Self {
        Self::new(
            ErrorKind::Conflict,
            "erasing",
            "What is kept of the instructor is being erased. Please wait for its end.",
        )
    }

    /// A transient failure of a service that we depend on.
    pub fn unavailable(code: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Unavailable, code, "A service we depend on did not answer. Please try again.")
            .because(cause)
    }

    /// A defect of the product.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, "internal", "Something went wrong on our side.").because(cause)
    }

    /// Adds the private cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds the time after which a retry may succeed.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
    /// The stable `snake_case` code.
    pub fn code(&self) -> &'static str {
        self.code
    }
    pub fn message(&self) -> &str {
        &self.message
    }
    pub fn details(&self) -> &[FieldError] {
        &self.details
    }
    pub fn wait(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// For the log: the public part, then the chain of causes.
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
