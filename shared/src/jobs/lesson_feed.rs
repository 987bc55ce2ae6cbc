//! The messages of the lesson feed: one version of a lesson each, or a list of them (`docs/lesson-feed.md`). A field
//! that is missing, malformed, too long, unknown or of the wrong type refuses the message; the reason names the field
//! and quotes nothing of the message.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::{
    Error, ErrorKind, Result,
    model::{FedLesson, Lesson, LessonContent, LessonStatus, LessonVersion},
    usecases::take_lessons::Told,
};

pub const MAX_MESSAGES_PER_LIST: usize = 100;
/// The longest title and place, in characters.
pub const MAX_LINE_CHARS: usize = 1000;
/// The longest description, in characters.
pub const MAX_TEXT_CHARS: usize = 8000;

/// Reads the body of a queue message. Each message of a list is read on its own; the reasons name refused ones by their
/// place, counted from 1, one per line.
pub fn read(body: &str) -> Told {
    let nothing = |reason: String| Told { refused: Some(reason), ..Told::default() };
    match serde_json::from_str(body) {
        Ok(Value::Array(messages)) if messages.is_empty() => nothing("The list is empty.".to_owned()),
        Ok(Value::Array(messages)) if messages.len() > MAX_MESSAGES_PER_LIST => {
            nothing(format!("The list holds more than {MAX_MESSAGES_PER_LIST} messages."))
        }
        Ok(Value::Array(messages)) => list(&messages),
        Ok(message) => match version(&message) {
            Ok(version) => Told { versions: vec![version], refused: None },
            Err(error) => nothing(error.message().to_owned()),
        },
        Err(error) => nothing(format!("The body is not JSON: {error}.")),
    }
}

fn list(messages: &[Value]) -> Told {
    let (mut versions, mut reasons) = (Vec::new(), Vec::new());
    for (place, message) in (1..).zip(messages) {
        match version(message) {
            Ok(version) => versions.push(version),
            Err(error) => reasons.push(format!("{place}: {}", error.message())),
        }
    }
    Told { versions, refused: (!reasons.is_empty()).then(|| reasons.join("\n")) }
}

fn version(message: &Value) -> Result<LessonVersion> {
    let Value::Object(fields) = message else {
        return Err(Error::new(ErrorKind::Invalid, "invalid_request", "The message is not a JSON object."));
    };
    let message = Fields { path: "", fields };
    let kind = message.text("type", MAX_LINE_CHARS)?;
    let lesson = match kind {
        "lesson.changed" => {
            message.only(&["type", "tenantId", "lessonId", "version", "lesson"])?;
            Some(lesson(message.get("lesson")?)?)
        }
        "lesson.removed" => {
            message.only(&["type", "tenantId", "lessonId", "version"])?;
            None
        }
        _ => return Err(Error::field("type", "is neither lesson.changed nor lesson.removed")),
    };
    Ok(LessonVersion {
        tenant_id: message.parsed("tenantId", "is not a UUID")?,
        lesson_id: message.parsed("lessonId", "is not a UUID")?,
        version: number(message.get("version")?)?,
        lesson,
    })
}

/// At most 63 bits, as databases count.
fn number(value: &Value) -> Result<u64> {
    let wrong = || Error::field("version", "is not a whole number from 1 to 9223372036854775807");
    value.as_i64().and_then(|number| u64::try_from(number).ok()).filter(|number| *number > 0).ok_or_else(wrong)
}

fn lesson(value: &Value) -> Result<FedLesson> {
    let fields = value.as_object().ok_or_else(|| Error::field("lesson", "is not an object"))?;
    let lesson = Fields { path: "lesson.", fields };
    lesson.only(&["instructorId", "title", "startsAt", "endsAt", "timeZone", "status", "description", "location"])?;
    let (starts_at, ends_at) = (lesson.moment("startsAt")?, lesson.moment("endsAt")?);
    if ends_at <= starts_at {
        return Err(Error::field("lesson.endsAt", "is not after lesson.startsAt"));
    }
    if ends_at - starts_at > Lesson::MAX_DURATION {
        return Err(Error::field("lesson.endsAt", "is more than a day after lesson.startsAt"));
    }
    let status = match lesson.text("status", MAX_LINE_CHARS)? {
        "scheduled" => LessonStatus::Scheduled,
        "cancelled" => LessonStatus::Cancelled,
        _ => return Err(Error::field("lesson.status", "is neither scheduled nor cancelled")),
    };
    let content = LessonContent {
        title: lesson.text("title", MAX_LINE_CHARS)?.to_owned(),
        starts_at,
        ends_at,
        time_zone: lesson.parsed::<Tz>("timeZone", "is not a time zone of the IANA database")?,
        description: lesson.optional_text("description", MAX_TEXT_CHARS)?,
        location: lesson.optional_text("location", MAX_LINE_CHARS)?,
    };
    Ok(FedLesson { instructor_id: lesson.parsed("instructorId", "is not a UUID")?, status, content })
}

/// The fields of a JSON object, and its place in the message.
struct Fields<'a> {
    path: &'static str,
    fields: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn wrong(&self, name: &str, what: &'static str) -> Error {
        Error::field(format!("{}{name}", self.path), what)
    }

    /// Accepts `known` fields alone: a misspelled optional name would otherwise drop a value silently. The error does
    /// not quote the name; the dead letter has it.
    fn only(&self, known: &[&str]) -> Result<()> {
        if self.fields.keys().all(|name| known.contains(&name.as_str())) {
            return Ok(());
        }
        Err(self.wrong("…", "is unknown"))
    }

    fn present(&self, name: &str) -> Option<&'a Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn get(&self, name: &'static str) -> Result<&'a Value> {
        self.present(name).ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// A text that is not blank.
    fn text(&self, name: &'static str, longest: usize) -> Result<&'a str> {
        let text = self.get(name)?.as_str().ok_or_else(|| self.wrong(name, "is not a text"))?;
        if text.trim().is_empty() {
            return Err(self.wrong(name, "is empty"));
        }
        if text.chars().count() > longest {
            return Err(self.wrong(name, "is too long"));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(self.wrong(name, "holds a control character"));
        }
        Ok(text)
    }

    /// A text that may be absent, `null` or blank, all of which mean none.
    fn optional_text(&self, name: &'static str, longest: usize) -> Result<Option<String>> {
        match self.present(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => Ok(None),
            Some(_) => Ok(Some(self.text(name, longest)?.to_owned())),
        }
    }

    fn parsed<T: std::str::FromStr>(&self, name: &'static str, what: &'static str) -> Result<T> {
        self.text(name, MAX_LINE_CHARS)?.parse().map_err(|_| self.wrong(name, what))
    }

    /// A timestamp, cut to milliseconds, as all are stored.
    fn moment(&self, name: &'static str) -> Result<DateTime<Utc>> {
        let malformed = || self.wrong(name, "is not a moment with an offset (RFC 3339)");
        let moment = DateTime::parse_from_rfc3339(self.text(name, MAX_LINE_CHARS)?).map_err(|_| malformed())?;
        let moment = DateTime::from_timestamp_millis(moment.timestamp_millis()).ok_or_else(malformed)?;
        if !(1970..=2199).contains(&moment.year()) {
            return Err(self.wrong(name, "is before 1970 or after 2199"));
        }
        Ok(moment)
    }
}

#[cfg(test)]
#[path = "lesson_feed_tests.rs"]
mod tests;
