//! Which events the pages of a listing mentioned, as digests: eight bytes an event, and no id of anybody's.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::EventId;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions(HashSet<u64>);

impl Mentions {
    pub fn contains(&self, id: &EventId) -> bool {
        self.0.contains(&digest(id))
    }

    /// All digests in a row, lowest first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut digests: Vec<u64> = self.0.iter().copied().collect();
        digests.sort_unstable();
        digests.into_iter().flat_map(u64::to_be_bytes).collect()
    }

    /// Adds what [`Self::to_bytes`] gave.
    pub fn extend_from_bytes(&mut self, bytes: &[u8]) {
        self.0.extend(bytes.as_chunks().0.iter().map(|digest| u64::from_be_bytes(*digest)));
    }
}

impl<'a> FromIterator<&'a EventId> for Mentions {
    fn from_iter<I: IntoIterator<Item = &'a EventId>>(ids: I) -> Self {
        Self(ids.into_iter().map(digest).collect())
    }
}

fn digest(id: &EventId) -> u64 {
    let digest = Sha256::digest(id.as_str());
    digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mentioned_is_found_again_in_the_bytes_of_several_pages() {
        let id = |n: usize| EventId(format!("event{n}"));
        let page = |numbers: std::ops::Range<usize>| numbers.map(id).collect::<Vec<_>>().iter().collect::<Mentions>();
        let mut all = Mentions::default();
        all.extend_from_bytes(&page(0..3).to_bytes());
        all.extend_from_bytes(&page(3..5).to_bytes());
        assert_eq!(all, page(0..5));
        assert_eq!(page(0..3).to_bytes().len(), 24);
        assert!(all.contains(&id(4)) && !all.contains(&id(5)));
    }
}
