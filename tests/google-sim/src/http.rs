//! Requests and answers as plain data, so that the same machine runs in process and behind a socket.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A request as it came off the wire: the path still percent-encoded, the query already decoded.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, percent-encoded.
    pub path: String,
    /// The decoded query, in order, with repetitions.
    pub query: Vec<(String, String)>,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// A request for `target`, a path with an optional query.
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self { method: method.to_owned(), path: path.to_owned(), query: pairs(query.as_bytes()), ..Self::default() }
    }

    /// The same request with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// The same request with an access token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// The same request with a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("content-type", "application/json")
    }

    /// The same request with a form as its body.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.body = form.finish().into_bytes();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// The request that a POST stands for where a client cannot send it as it is: another method, or an address that is
    /// too long, whose query then travels as a form.
    pub(crate) fn overridden(&self) -> Cow<'_, Self> {
        let Some(method) = self.header_value("x-http-method-override").filter(|_| self.method == "POST") else {
            return Cow::Borrowed(self);
        };
        let mut meant = Self { method: method.to_ascii_uppercase(), ..self.clone() };
        if meant.method == "GET" {
            meant.query.extend(self.form_fields());
            meant.body.clear();
        }
        Cow::Owned(meant)
    }

    /// The first header of that name, given in lower case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        lookup(&self.headers, name)
    }

    /// The first query parameter of that name.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        lookup(&self.query, name)
    }

    /// Every query parameter of that name.
    pub(crate) fn params(&self, name: &str) -> Vec<String> {
        self.query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// The body read as a form.
    pub(crate) fn form_fields(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// The segments of the path, decoded one by one: calendar ids hold `@` and `#`.
    pub(crate) fn segments(&self) -> Vec<Cow<'_, str>> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy())
            .collect()
    }

    /// Where this request reached the simulator, for the addresses that it hands out.
    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.header_value("host").unwrap_or("localhost:3001"))
    }
}

/// The first value under `name`.
pub(crate) fn lookup<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// The decoded pairs of a query or form.
pub(crate) fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// How the shell hands an answer over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    #[default]
    Normal,
    /// After so many milliseconds.
    After(u64),
    /// Never: the connection stays open and silent.
    Never,
    /// The connection is closed without an answer.
    Cut,
}

/// An answer, with the way in which it is to be delivered.
#[derive(Clone, Debug, Default)]
pub struct Response {
    pub status: u16,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, not compressed.
    pub body: Vec<u8>,
    /// What an injected fault makes of the delivery.
    pub delivery: Delivery,
}

impl Response {
    /// An answer without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A JSON answer, printed as Google prints it: indented by one space.
    pub(crate) fn pretty<T: Serialize>(status: u16, value: &T) -> Self {
        let mut body = Vec::with_capacity(1024);
        let indent = serde_json::ser::PrettyFormatter::with_indent(b" ");
        let mut printer = serde_json::Serializer::with_formatter(&mut body, indent);
        // Writing plain data to memory cannot fail.
        let _ = value.serialize(&mut printer);
        body.push(b'\n');
        Self::typed(status, "application/json; charset=UTF-8", body)
    }

    /// A JSON answer without white space.
    pub(crate) fn compact<T: Serialize>(status: u16, value: &T) -> Self {
        let body = serde_json::to_vec(value).unwrap_or_default();
        Self::typed(status, "application/json; charset=UTF-8", body)
    }

    pub(crate) fn html(status: u16, page: String) -> Self {
        Self::typed(status, "text/html; charset=utf-8", page.into_bytes())
    }

    /// A redirection that a browser follows with GET.
    pub(crate) fn redirect(location: &str) -> Self {
        Self::empty(303).with("location", location)
    }

    fn typed(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body,
            delivery: Delivery::Normal,
        }
    }

    /// The same answer with one more header.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The first header of that name, given in lower case.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        lookup(&self.headers, name)
    }

    /// The body as JSON; `Null` when it is none.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as `T`, when it is one.
    pub fn parse<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
