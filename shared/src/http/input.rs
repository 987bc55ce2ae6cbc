//! Query parameters and JSON bodies. Each error names the field that is wrong.

use lambda_http::{Request, RequestExt};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    Error, ErrorKind, Result,
    model::{ConflictId, ErasureScope, InstructorId},
};

/// The largest accepted body, in bytes.
pub const MAX_BODY_BYTES: usize = 16 * 1024;
/// The longest accepted parameter, in bytes.
pub const MAX_PARAMETER_BYTES: usize = 2048;

/// A query parameter; an empty one counts as absent.
pub fn query(request: &Request, name: &'static str) -> Result<Option<String>> {
    match request.query_string_parameters_ref().and_then(|parameters| parameters.first(name)) {
        None | Some("") => Ok(None),
        Some(value) if value.len() > MAX_PARAMETER_BYTES => Err(Error::field(name, "is too long")),
        Some(value) => Ok(Some(value.to_owned())),
    }
}

pub fn required_query(request: &Request, name: &'static str) -> Result<String> {
    query(request, name)?.ok_or_else(|| Error::field(name, "is missing"))
}

/// A boolean query parameter; false when it is absent.
pub fn flag(request: &Request, name: &'static str) -> Result<bool> {
    match query(request, name)?.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Error::field(name, "is not true or false")),
    }
}

/// A query parameter that is read as `T`; `what` says in the error what was expected.
pub fn parsed_query<T: DeserializeOwned>(
    request: &Request,
    name: &'static str,
    what: &'static str,
) -> Result<Option<T>> {
    query(request, name)?.map(|text| parsed(&text, name, what)).transpose()
}

/// A query parameter that is a whole number from 1 to `most`.
pub fn up_to(request: &Request, name: &'static str, most: usize) -> Result<Option<usize>> {
    let number = |text: String| {
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| Error::field(name, format!("is not a whole number from 1 to {most}")))
    };
    query(request, name)?.map(number).transpose()
}

pub fn instructor_in_path(request: &Request) -> Result<InstructorId> {
    const NAME: &str = "instructorId";
    let value = request.path_parameters_ref().and_then(|parameters| parameters.first(NAME));
    instructor(value.ok_or_else(|| Error::field(NAME, "is missing"))?)
}

pub fn instructor(text: &str) -> Result<InstructorId> {
    text.parse().map_err(|_| Error::field("instructorId", "is not a UUID"))
}

/// A text that is no id of a conflict names none.
pub fn conflict_in_path(request: &Request) -> Result<ConflictId> {
    let value = request.path_parameters_ref().and_then(|parameters| parameters.first("conflictId"));
    value.and_then(|text| text.parse().ok()).ok_or_else(Error::unknown_conflict)
}

/// A text that is no id of an erasure names none.
pub fn erasure_in_path(request: &Request) -> Result<ErasureScope> {
    let value = request.path_parameters_ref().and_then(|parameters| parameters.first("id"));
    value.and_then(|text| text.parse().ok()).ok_or_else(Error::unknown_erasure)
}

/// The JSON object of a request's body.
#[derive(Debug)]
pub struct JsonBody(Map<String, Value>);

impl JsonBody {
    pub fn of(request: &Request) -> Result<Self> {
        let bytes: &[u8] = request.body().as_ref();
        if bytes.len() > MAX_BODY_BYTES {
            return Err(Error::new(ErrorKind::TooLarge, "body_too_large", "The body is larger than 16 kB."));
        }
        let wrong = |text: String| Error::new(ErrorKind::Invalid, "malformed_json", text);
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(wrong("The body is not a JSON object.".to_owned())),
            Err(error) => Err(wrong(format!("The body is not JSON: {error}."))),
        }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub fn text(&self, name: &'static str) -> Result<Option<&str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() > MAX_PARAMETER_BYTES => Err(Error::field(name, "is too long")),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Error::field(name, "is not a text")),
        }
    }

    pub fn required_text(&self, name: &'static str) -> Result<&str> {
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(|| Error::field(name, "is missing"))
    }

    pub fn flag(&self, name: &'static str) -> Result<Option<bool>> {
        self.get(name)
            .map(|value| value.as_bool().ok_or_else(|| Error::field(name, "is not true or false")))
            .transpose()
    }

    pub fn whole(&self, name: &'static str) -> Result<Option<u32>> {
        self.get(name).map(|value| whole(value).ok_or_else(|| Error::field(name, "is not a whole number"))).transpose()
    }

    pub fn instructor(&self) -> Result<InstructorId> {
        instructor(self.required_text("instructorId")?)
    }

    /// A text that is read as `T`; `what` says in the error what was expected.
    pub fn parsed<T: DeserializeOwned>(&self, name: &'static str, what: &'static str) -> Result<Option<T>> {
        self.text(name)?.map(|text| parsed(text, name, what)).transpose()
    }
}

fn parsed<T: DeserializeOwned>(text: &str, name: &'static str, what: &'static str) -> Result<T> {
    serde_json::from_value(Value::String(text.to_owned())).map_err(|_| Error::field(name, what))
}

/// In JSON `5.0` is the same number as `5`.
fn whole(value: &Value) -> Option<u32> {
    if let Some(number) = value.as_u64() {
        return u32::try_from(number).ok();
    }
    let number =
        value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and in range")]
    Some(number as u32)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_number_may_be_written_with_a_fraction_of_zero() {
        for (value, number) in [
            (json!(5), Some(5)),
            (json!(5.0), Some(5)),
            (json!(1e3), Some(1000)),
            (json!(-0.0), Some(0)),
            (json!(4_294_967_295.0), Some(u32::MAX)),
            (json!(4_294_967_296.0), None),
            (json!(4_294_967_296_u64), None),
            (json!(5.5), None),
            (json!(-5.0), None),
            (json!(-5), None),
            (json!("5"), None),
            (json!(true), None),
        ] {
            let body = JsonBody(Map::from_iter([("minutes".to_owned(), value.clone())]));
            match (body.whole("minutes"), number) {
                (Ok(read), number) => assert_eq!((read, number.is_some()), (number, true), "{value}"),
                (Err(error), None) => assert_eq!(error.details()[0].field, "minutes", "{value}"),
                (Err(error), Some(_)) => panic!("{value}: {error:?}"),
            }
        }
    }
}
