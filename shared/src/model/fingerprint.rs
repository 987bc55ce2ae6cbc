//! Fingerprints: they tell whether a lesson and its event show the same, without storing the content of either.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Event, EventTime, LessonContent, rendering};

/// A digest of the fields that we own, and the zone in which the times are shown. It names the optional fields that it
/// covers (`d` description, `l` location), so that an event is compared in those fields alone: a field that is not ours
/// never differs. The zone stands apart as text, since Google may use another name for it than we do (`Europe/Kiev` for
/// `Europe/Kyiv`). On both sides, texts are taken as Google renders them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// Of the content that a lesson should show.
    pub fn of_lesson(content: &LessonContent) -> Self {
        digest(&Fields {
            title: &content.title,
            times: [Some(content.starts_at.timestamp()), Some(content.ends_at.timestamp())],
            zone: content.time_zone.name(),
            recurs: false,
            description: content.description.as_deref(),
            location: content.location.as_deref(),
        })
    }

    /// Of what `event` shows, in the fields that `self` covers. An event whose zone we do not know counts as shown in
    /// ours.
    #[must_use]
    pub fn of_event_like(&self, event: &Event) -> Self {
        let moment = |time: Option<EventTime>| match time {
            Some(EventTime::At { instant, .. }) => Some(instant.timestamp()),
            Some(EventTime::Day(_)) | None => None,
        };
        let zone = match event.start {
            Some(EventTime::At { zone, .. }) => zone.map(|zone| zone.to_string()),
            Some(EventTime::Day(_)) | None => None,
        };
        digest(&Fields {
            title: event.summary.as_deref().unwrap_or_default(),
            times: [moment(event.start), moment(event.end)],
            zone: zone.as_deref().unwrap_or(self.split().1),
            recurs: event.is_series(),
            description: self.covers_description().then(|| event.description.as_deref().unwrap_or_default()),
            location: self.covers_location().then(|| event.location.as_deref().unwrap_or_default()),
        })
    }

    /// Whether both show the same at the same moments, possibly in different zones.
    pub fn is_but_for_zone(&self, other: &Self) -> bool {
        self.split().0 == other.split().0
    }

    pub fn covers_description(&self) -> bool {
        self.covers('d')
    }

    pub fn covers_location(&self) -> bool {
        self.covers('l')
    }

    fn covers(&self, field: char) -> bool {
        self.0.split_once('.').is_some_and(|(fields, _)| fields.contains(field))
    }

    /// The digest, and the zone.
    fn split(&self) -> (&str, &str) {
        self.0.split_once('@').unwrap_or((&self.0, ""))
    }
}

struct Fields<'a> {
    title: &'a str,
    times: [Option<i64>; 2],
    zone: &'a str,
    recurs: bool,
    description: Option<&'a str>,
    location: Option<&'a str>,
}

fn digest(fields: &Fields<'_>) -> Fingerprint {
    let mut hash = Sha256::new();
    let title = Some(rendering::line(fields.title));
    let description = fields.description.map(rendering::description);
    // Lengths stand before texts, so that two different sets of fields never hash the same input.
    for text in [title, description.as_deref(), fields.location.map(rendering::line)] {
        match text {
            Some(text) => {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
            None => hash.update(u64::MAX.to_be_bytes()),
        }
    }
    for time in fields.times {
        hash.update(time.unwrap_or(i64::MIN).to_be_bytes());
    }
    hash.update([u8::from(fields.recurs)]);
    let covered: String = [(fields.description.is_some(), 'd'), (fields.location.is_some(), 'l')]
        .iter()
        .filter_map(|(is, c)| is.then_some(*c))
        .collect();
    Fingerprint(format!("{covered}.{}@{}", BASE64URL_NOPAD.encode(&hash.finalize()[..15]), fields.zone))
}
