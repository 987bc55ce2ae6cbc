//! Event ids derived from lessons: an event of ours is recognised by its id alone, and an insert that is repeated gets
//! a 409 instead of making a second event.

use chrono::{NaiveDate, NaiveDateTime};
use data_encoding::{BASE32HEX_NOPAD, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::{ConnectionKey, EventId, LessonId};

/// Lesson (16 bytes), generation (2) and MAC (7): 25 bytes are exactly 40 characters, with no padding bits.
const ID_BYTES: usize = 25;
const ID_CHARS: usize = 40;
const MAC_BYTES: usize = 7;

/// What the id of an event of ours encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnEventId {
    pub lesson_id: LessonId,
    /// The ordinal of the event among those of this lesson, from 0. It goes up when Google refuses to revive a deleted
    /// id.
    pub generation: u16,
}

impl EventId {
    /// The prefix of the ids of this series' exceptions (`<stem>_<original start>`). For a series that was split off
    /// another (`<id>_R20260301T090000`) it is the id of that other series.
    pub fn stem(&self) -> &str {
        self.0.rsplit_once("_R").map_or(&self.0, |(stem, _)| stem)
    }

    /// What an event shares with its series, its exceptions and all that was split off it. Events with different
    /// families are unrelated. The leading character is kept, since an id may begin with the separator.
    pub fn family(&self) -> &str {
        let next = self.0.get(1..).and_then(|rest| rest.find('_'));
        next.map_or(&self.0, |end| &self.0[..=end])
    }

    /// Whether it is that of an exception: it ends in when that would have begun (`<series>_20260301T090000Z`, of whole days
    /// `<series>_20260301`).
    pub fn is_exception(&self) -> bool {
        let is_start = |text: &str| {
            NaiveDate::parse_from_str(text, "%Y%m%d").is_ok()
                || NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ").is_ok()
        };
        self.0.rsplit_once('_').is_some_and(|(_, part)| is_start(part))
    }
}

impl OwnEventId {
    /// The id in Google: base32hex in small letters, the alphabet that Google allows for client-chosen ids.
    pub fn encode(self, key: ConnectionKey) -> EventId {
        let mut bytes = Vec::with_capacity(ID_BYTES);
        bytes.extend(self.lesson_id.0.as_bytes());
        bytes.extend(self.generation.to_be_bytes());
        let mac = mac(key, &bytes);
        bytes.extend(mac);
        EventId(BASE32HEX_NOPAD.encode(&bytes).to_ascii_lowercase())
    }

    /// Reads an id: `Some` only for the events that this very connection made, their instances
    /// (`<id>_20260301T090000Z`) and what Google splits off them (`<id>_R20260301T090000`).
    pub fn decode(key: ConnectionKey, id: &EventId) -> Option<Self> {
        let base = Self::base(id)?;
        let encoding: Encoding = BASE32HEX_NOPAD;
        let bytes = encoding.decode(base.to_ascii_uppercase().as_bytes()).ok()?;
        let (content, tag) = bytes.split_at(bytes.len() - MAC_BYTES);
        if mac(key, content) != tag {
            return None;
        }
        Some(Self {
            lesson_id: LessonId(Uuid::from_slice(content.get(..16)?).ok()?),
            generation: u16::from_be_bytes(content.get(16..18)?.try_into().ok()?),
        })
    }

    /// Whether the id has the form of ours; whose it is, its MAC says.
    pub fn is_form_of(id: &EventId) -> bool {
        Self::base(id).is_some()
    }

    /// The id without what Google adds to it.
    fn base(id: &EventId) -> Option<&str> {
        let base = id.0.split_once('_').map_or(id.as_str(), |(base, _)| base);
        (base.len() == ID_CHARS && !base.bytes().any(|byte| byte.is_ascii_uppercase())).then_some(base)
    }

    /// The suffix that Google adds to our id: the original start for an instance, `R` and a time for a series that was
    /// split off.
    pub fn part(id: &EventId) -> Option<&str> {
        id.0.split_once('_').map(|(_, part)| part)
    }
}

/// Ties the id to tenant and instructor: another instructor's event, which a guest's calendar shows a copy of, has a
/// foreign id. It guards against mistakes, not against forgery: an attacker who can write to the calendar can delete
/// our events anyway.
fn mac(key: ConnectionKey, content: &[u8]) -> [u8; MAC_BYTES] {
    let mut owner = [0; 64]; // one block of SHA-256, the rest of it zero
    owner[..16].copy_from_slice(key.tenant_id.0.as_bytes());
    owner[16..32].copy_from_slice(key.instructor_id.0.as_bytes());
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&owner.into());
    mac.update(b"calendar-event-id");
    mac.update(content);
    let mut tag = [0; MAC_BYTES];
    tag.copy_from_slice(&mac.finalize().into_bytes()[..MAC_BYTES]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;

    fn own() -> OwnEventId {
        OwnEventId { lesson_id: LessonId(Uuid::from_u128(7)), generation: 3 }
    }

    #[test]
    fn an_id_says_its_lesson_and_generation_in_googles_alphabet() {
        let id = own().encode(key(1, 2));
        assert!(id.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'v')), "{id}");
        assert_eq!(OwnEventId::decode(key(1, 2), &id), Some(own()));
    }

    #[test]
    fn a_series_its_exceptions_and_what_was_split_off_are_one_family() {
        for id in ["abc", "abc_R20260301T090000", "abc_R20260301", "abc_20260308T090000Z", "abc_20260308"] {
            assert_eq!(EventId::from(id).family(), "abc", "{id}");
        }
        let imported = "_60q30c1g60o30e1i60o4ac1g60rj8gpl";
        assert_eq!(EventId::from(imported).family(), imported);
        assert_eq!(EventId(format!("{imported}_20260308")).family(), imported);
        for odd in ["", "_", "ü", "ü_20260308"] {
            assert!(odd.starts_with(EventId::from(odd).family()), "{odd}");
        }
    }

    #[test]
    fn exceptions_are_known_by_their_ids() {
        for (id, is_exception) in [
            ("abc_20260308T090000Z", true),
            ("abc_20260308", true),
            ("abc_R20260301T090000_20260308T090000Z", true),
            ("abc", false),
            ("abc_R20260301T090000", false),
            ("abc_R20260301", false),
            ("_60q30c1g60o30e1i60o4ac1g60rj8gpl", false),
            ("abc_20269999", false),
            ("20260308", false),
        ] {
            assert_eq!(EventId::from(id).is_exception(), is_exception, "{id}");
        }
    }

    #[test]
    fn exceptions_of_what_was_split_off_are_named_after_the_first_series() {
        for (id, stem) in [("abc", "abc"), ("abc_R20260301T090000", "abc"), ("abc_20260308", "abc_20260308")] {
            assert_eq!(EventId::from(id).stem(), stem);
        }
    }

    #[test]
    fn instances_of_our_events_are_ours() {
        let id = own().encode(key(1, 2));
        for part in ["_20260301T090000Z", "_20260301", "_R20260301T090000"] {
            assert_eq!(OwnEventId::decode(key(1, 2), &EventId(format!("{id}{part}"))), Some(own()));
        }
    }

    #[test]
    fn another_connections_event_is_not_ours() {
        assert_eq!(OwnEventId::decode(key(1, 3), &own().encode(key(1, 2))), None);
    }

    #[test]
    fn foreign_and_altered_ids_are_not_ours() {
        let id = own().encode(key(1, 2)).0;
        let altered = id.replacen(&id[..1], if id.starts_with('a') { "b" } else { "a" }, 1);
        for foreign in ["", "abc", "primary", &id[1..], &altered, &id.to_ascii_uppercase(), &"ü".repeat(20)] {
            assert_eq!(OwnEventId::decode(key(1, 2), &EventId::from(foreign)), None, "{foreign}");
        }
    }
}
