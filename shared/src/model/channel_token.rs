//! The token of a push channel. Google sends it back with every push notification, so that a notification is known to
//! be ours, and whose connection it is about, without a look at any table.

use data_encoding::{BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Deserializer, de::Error as _};
use sha2::Sha256;
use uuid::Uuid;

use super::{ChannelId, ConnectionKey, InstructorId, TenantId};

/// Keeps these MACs apart from others that are made with the same keys.
const PURPOSE: &[u8] = b"calendar-sync channel token v1";
const ID_BYTES: usize = 16;
const MAC_BYTES: usize = 32;
/// As long as the MAC: a shorter key makes the MAC weaker.
const MIN_KEY_BYTES: usize = 32;

/// The keys that channel tokens are signed with: the first key signs, all keys verify.
#[derive(Debug, Clone)]
pub struct WebhookKeys(Vec<SecretSlice<u8>>);

impl WebhookKeys {
    /// Reads base64 keys, the signing key first. `Err` says what is wrong with them, never what they are.
    pub fn from_base64(keys: &[SecretString]) -> Result<Self, &'static str> {
        if keys.is_empty() {
            return Err("there is no webhook key");
        }
        let decoded = keys.iter().map(|key| {
            let bytes = BASE64.decode(key.expose_secret().as_bytes()).map_err(|_| "a webhook key is not base64")?;
            if bytes.len() < MIN_KEY_BYTES {
                return Err("a webhook key is shorter than 32 bytes");
            }
            Ok(bytes.into())
        });
        decoded.collect::<Result<_, _>>().map(Self)
    }

    /// The token of `channel`: tenant, instructor and a MAC over both and the channel; 86 of the 256 characters that
    /// Google allows.
    pub fn sign(&self, channel: &ChannelId, key: ConnectionKey) -> SecretString {
        let mut bytes = [key.tenant_id.0.into_bytes(), key.instructor_id.0.into_bytes()].concat();
        let tag = self.0.first().and_then(|secret| mac(secret, channel, &bytes)).map(|mac| mac.finalize().into_bytes());
        bytes.extend(tag.unwrap_or_default());
        BASE64URL_NOPAD.encode(&bytes).into()
    }

    /// The connection that `token` was signed for, if one of the keys signed it for `channel`. Compared in constant
    /// time.
    pub fn verify(&self, channel: &ChannelId, token: &str) -> Option<ConnectionKey> {
        if token.len() != BASE64URL_NOPAD.encode_len(2 * ID_BYTES + MAC_BYTES) {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let (ids, tag) = bytes.split_at_checked(2 * ID_BYTES)?;
        let signed =
            self.0.iter().any(|secret| mac(secret, channel, ids).is_some_and(|mac| mac.verify_slice(tag).is_ok()));
        let (tenant, instructor) = ids.split_at_checked(ID_BYTES)?;
        signed.then_some(ConnectionKey {
            tenant_id: TenantId(Uuid::from_slice(tenant).ok()?),
            instructor_id: InstructorId(Uuid::from_slice(instructor).ok()?),
        })
    }
}

fn mac(secret: &SecretSlice<u8>, channel: &ChannelId, ids: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose_secret()).ok()?;
    // The ids have a fixed length, so the boundary between them and the channel is unambiguous.
    mac.update(PURPOSE);
    mac.update(ids);
    mac.update(channel.as_str().as_bytes());
    Some(mac)
}

impl<'de> Deserialize<'de> for WebhookKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let keys = Vec::<SecretString>::deserialize(deserializer)?;
        Self::from_base64(&keys).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::key;

    fn keys(seeds: &[u8]) -> WebhookKeys {
        let keys: Vec<SecretString> = seeds.iter().map(|seed| BASE64.encode(&[*seed; 32]).into()).collect();
        WebhookKeys::from_base64(&keys).unwrap()
    }
    fn channel(id: &str) -> ChannelId {
        ChannelId::from(id)
    }

    #[test]
    fn a_token_says_whose_channel_it_is_within_googles_limit() {
        let token = keys(&[1]).sign(&channel("c"), key(1, 2));
        assert!(token.expose_secret().len() <= 256);
        assert_eq!(keys(&[1]).verify(&channel("c"), token.expose_secret()), Some(key(1, 2)));
    }

    #[test]
    fn a_token_is_good_for_its_own_channel_and_keys_only() {
        let token = keys(&[1]).sign(&channel("c"), key(1, 2));
        assert_eq!(keys(&[1]).verify(&channel("d"), token.expose_secret()), None);
        assert_eq!(keys(&[2]).verify(&channel("c"), token.expose_secret()), None);
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused() {
        let token = keys(&[1]).sign(&channel("c"), key(1, 2));
        let bytes = BASE64URL_NOPAD.decode(token.expose_secret().as_bytes()).unwrap();
        for at in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 1;
            assert_eq!(keys(&[1]).verify(&channel("c"), &BASE64URL_NOPAD.encode(&forged)), None, "byte {at}");
        }
    }

    #[test]
    fn a_text_that_is_no_channel_token_is_refused() {
        for text in ["", "v1", "é", &"A".repeat(86), &"A".repeat(4096), &"!".repeat(86)] {
            assert_eq!(keys(&[1]).verify(&channel("c"), text), None, "{text}");
        }
    }

    #[test]
    fn the_first_key_signs_and_all_verify() {
        let (old, rotating, new) = (keys(&[1]), keys(&[2, 1]), keys(&[2]));
        let by_old = old.sign(&channel("c"), key(1, 2));
        let by_rotating = rotating.sign(&channel("c"), key(1, 2));
        assert_eq!(rotating.verify(&channel("c"), by_old.expose_secret()), Some(key(1, 2)));
        assert_eq!(new.verify(&channel("c"), by_rotating.expose_secret()), Some(key(1, 2)));
        assert_eq!(new.verify(&channel("c"), by_old.expose_secret()), None);
    }

    #[test]
    fn keys_that_are_missing_short_or_no_base64_are_refused() {
        for bad in [vec![], vec!["AAAA"], vec!["not base64"]] {
            let bad: Vec<SecretString> = bad.into_iter().map(SecretString::from).collect();
            assert!(WebhookKeys::from_base64(&bad).is_err());
        }
    }
}
