//! What the database keeps of secrets: sealed under a key that the database does not have (AES-256-GCM,
//! NIST SP 800-38D).
//!
//! A sealed text is `v1.<key>.<nonce>.<ciphertext>`: the format, the name of the encryption key, a random nonce and
//! the ciphertext with its tag, in base64url. What it is for is authenticated with it, so that the secret of one
//! place does not open in another. Since it names its key, the key can be changed: what the former one sealed still
//! opens, and is sealed anew.
//!
//! Without an encryption key, secrets are kept as `v0.<text>`, for everybody to read who reads the database.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::JoseError;
use crate::secret::{Entropy, SecretDigest};

/// Seals under the current encryption key, opens what any known one sealed.
pub struct AtRest {
    current: Option<EncryptionAtRest>,
    previous: Vec<EncryptionAtRest>,
}

struct EncryptionAtRest {
    name: String,
    key: LessSafeKey,
}

/// What a secret is for, and whose it is. Both are authenticated with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    /// Such as `signing_key`.
    pub kind: &'a str,
    /// Which one of its kind.
    pub of: &'a [&'a str],
}

/// Why a sealed text does not open.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotOpened {
    /// It is sealed, and there is no key at all.
    #[error(
        "the database holds secrets that are encrypted under the key named {0}, and no encryption key is configured: \
         set keys.encryption_key or keys.encryption_key_file"
    )]
    NoKey(String),
    /// It is sealed under a key that is not here.
    #[error(
        "the database holds secrets that are encrypted under the key named {sealed}, and the configured encryption key \
         is another one, named {configured}: set keys.encryption_key to the right one, or name it as \
         keys.encryption_key_previous"
    )]
    OtherKey {
        /// The name of the key it is sealed under.
        sealed: String,
        /// The name of the key that is configured.
        configured: String,
    },
    /// It was changed, belongs to another place, or is no sealed text.
    #[error("a secret in the database was changed, or does not belong where it stands")]
    Corrupt,
}

impl AtRest {
    /// Seals under `current`, if there is one, and opens what it or one of `previous` sealed.
    pub fn new(current: Option<&[u8; 32]>, previous: &[[u8; 32]]) -> Result<Self, JoseError> {
        let current = current.map(EncryptionAtRest::new).transpose()?;
        let previous = previous.iter().map(EncryptionAtRest::new).collect::<Result<_, _>>()?;
        Ok(Self { current, previous })
    }

    /// Seals under `secret`, which nobody keeps: only whoever presents it again can open it. It is long and random.
    ///
    /// # Errors
    /// The cryptographic library's.
    pub fn under(secret: &str) -> Result<Self, JoseError> {
        // Not the digest that it is found by, which is in the database.
        Self::new(Some(SecretDigest::of(&format!("seals\0{secret}")).as_bytes()), &[])
    }

    /// Whether secrets are encrypted.
    #[must_use]
    pub const fn encrypts(&self) -> bool {
        self.current.is_some()
    }

    /// The name of the key that seals, which tells nothing of it.
    #[must_use]
    pub fn key_name(&self) -> Option<&str> {
        self.current.as_ref().map(|key| key.name.as_str())
    }

    /// `secret` as the database keeps it.
    pub fn seal(&self, place: Place<'_>, secret: &[u8], entropy: &dyn Entropy) -> Result<String, JoseError> {
        let Some(current) = &self.current else {
            return Ok(format!("v0.{}", URL_SAFE_NO_PAD.encode(secret)));
        };
        let mut start = [0; NONCE_LEN];
        entropy.fill(&mut start);
        let mut sealed = secret.to_vec();
        // 96 random bits: the keys of a house and its few secrets stay far below the 2^32 of SP 800-38D §8.3.
        let nonce = Nonce::assume_unique_for_key(start);
        current
            .key
            .seal_in_place_append_tag(nonce, place.aad(), &mut sealed)
            .map_err(|_| JoseError::Engine)?;
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(format!("v1.{}.{}.{}", current.name, text(&start), text(&sealed)))
    }

    /// The secret that was sealed for this place.
    ///
    /// # Errors
    /// [`NotOpened`].
    pub fn open(&self, place: Place<'_>, sealed: &str) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| NotOpened::Corrupt);
        let parts: Vec<&str> = sealed.split('.').collect();
        let (name, start, ciphertext) = match parts.as_slice() {
            ["v0", plain] => return bytes(plain).map(Zeroizing::new),
            ["v1", name, start, ciphertext] => (*name, bytes(start)?, bytes(ciphertext)?),
            _ => return Err(NotOpened::Corrupt),
        };
        let key = self.key(name)?;
        let start: [u8; NONCE_LEN] = start.try_into().map_err(|_| NotOpened::Corrupt)?;
        let mut opened = Zeroizing::new(ciphertext);
        let nonce = Nonce::assume_unique_for_key(start);
        let length =
            key.open_in_place(nonce, place.aad(), &mut opened).map_err(|_| NotOpened::Corrupt)?.len();
        opened.truncate(length);
        Ok(opened)
    }

    /// Whether `sealed` is as it would be sealed now: under the current key, or, without one, under none.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        let mut parts = sealed.split('.');
        match (&self.current, parts.next()) {
            (Some(current), Some("v1")) => parts.next() == Some(current.name.as_str()),
            (None, Some("v0")) => true,
            _ => false,
        }
    }

    fn key(&self, name: &str) -> Result<&LessSafeKey, NotOpened> {
        let known = self.current.iter().chain(&self.previous).find(|key| key.name == name);
        match (known, &self.current) {
            (Some(known), _) => Ok(&known.key),
            (None, None) => Err(NotOpened::NoKey(name.to_owned())),
            (None, Some(current)) => {
                Err(NotOpened::OtherKey { sealed: name.to_owned(), configured: current.name.clone() })
            }
        }
    }
}

impl EncryptionAtRest {
    /// The name is taken from a digest of the key: 256 random bits cannot be guessed from it.
    fn new(key: &[u8; 32]) -> Result<Self, JoseError> {
        let named = Zeroizing::new(format!("procura encryption key {}", URL_SAFE_NO_PAD.encode(key)));
        let name = SecretDigest::of(&named).to_text().chars().take(12).collect();
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| JoseError::Engine)?;
        Ok(Self { name, key: LessSafeKey::new(key) })
    }
}

impl Place<'_> {
    /// Each part with its length, so that no two places are one.
    fn aad(&self) -> Aad<Vec<u8>> {
        let mut text = b"procura v1".to_vec();
        for part in std::iter::once(&self.kind).chain(self.of) {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        Aad::from(text)
    }
}

impl fmt::Debug for AtRest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtRest").field("key", &self.key_name()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    const PLACE: Place<'_> = Place { kind: "signing_key", of: &["kid", "ES256"] };

    fn box_of(current: Option<u8>, previous: &[u8]) -> AtRest {
        let previous: Vec<[u8; 32]> = previous.iter().map(|byte| [*byte; 32]).collect();
        AtRest::new(current.map(|byte| [byte; 32]).as_ref(), &previous).unwrap()
    }

    #[test]
    fn what_is_sealed_under_a_secret_opens_with_that_secret_alone() {
        let place = Place { kind: "request", of: &["1"] };
        let sealed =
            AtRest::under("one").unwrap().seal(place, b"hush", &crate::secret::SystemEntropy).unwrap();
        assert_eq!(*AtRest::under("one").unwrap().open(place, &sealed).unwrap(), b"hush");
        assert!(AtRest::under("other").unwrap().open(place, &sealed).is_err());
    }

    #[test]
    fn what_is_sealed_opens_again_and_cannot_be_read_or_guessed_from_its_text() {
        let boxed = box_of(Some(1), &[]);
        let one = boxed.seal(PLACE, b"the secret", &SystemEntropy).unwrap();
        let two = boxed.seal(PLACE, b"the secret", &SystemEntropy).unwrap();
        assert_ne!(one, two);
        assert_eq!(boxed.open(PLACE, &one).unwrap().as_slice(), b"the secret");
        assert!(one.starts_with(&format!("v1.{}.", boxed.key_name().unwrap())));
        assert!(!one.contains(&URL_SAFE_NO_PAD.encode(b"the secret")));
        assert!(boxed.is_current(&one));
    }

    #[test]
    fn a_secret_opens_only_where_it_belongs_and_unchanged() {
        let boxed = box_of(Some(1), &[]);
        let sealed = boxed.seal(PLACE, b"the secret", &SystemEntropy).unwrap();
        for place in [
            Place { kind: "setting", ..PLACE },
            Place { of: &["kid", "EdDSA"], ..PLACE },
            Place { of: &["kidES256"], ..PLACE },
            Place { of: &["kid"], ..PLACE },
        ] {
            assert_eq!(boxed.open(place, &sealed), Err(NotOpened::Corrupt), "{place:?}");
        }
        let name = boxed.key_name().unwrap();
        let start = sealed.rfind('.').unwrap() + 1;
        for at in [5 + name.len(), start, sealed.len() - 4] {
            let mut bent = sealed.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).unwrap();
            assert_eq!(boxed.open(PLACE, &bent), Err(NotOpened::Corrupt), "{bent}");
        }
        for bad in
            ["", "v1", "v1.a.b", "v2.a.b.c", "v0", &format!("v1.{name}..AAAA"), &format!("v1.{name}.AAAA.")]
        {
            assert_eq!(boxed.open(PLACE, bad), Err(NotOpened::Corrupt), "{bad}");
        }
    }

    #[test]
    fn another_key_and_no_key_say_which_one_is_missing() {
        let (first, second) = (box_of(Some(1), &[]), box_of(Some(2), &[]));
        let sealed = first.seal(PLACE, b"x", &SystemEntropy).unwrap();
        let (name, other) = (first.key_name().unwrap().to_owned(), second.key_name().unwrap().to_owned());
        assert_eq!(
            second.open(PLACE, &sealed),
            Err(NotOpened::OtherKey { sealed: name.clone(), configured: other })
        );
        assert_eq!(box_of(None, &[]).open(PLACE, &sealed), Err(NotOpened::NoKey(name)));
    }

    #[test]
    fn what_the_former_key_sealed_opens_and_is_to_be_sealed_anew() {
        let sealed = box_of(Some(1), &[]).seal(PLACE, b"x", &SystemEntropy).unwrap();
        let changed = box_of(Some(2), &[1]);
        assert_eq!(changed.open(PLACE, &sealed).unwrap().as_slice(), b"x");
        assert!(!changed.is_current(&sealed));
        let anew = changed.seal(PLACE, b"x", &SystemEntropy).unwrap();
        assert!(changed.is_current(&anew));
        assert!(box_of(Some(1), &[]).open(PLACE, &anew).is_err());
    }

    #[test]
    fn without_a_key_a_secret_is_kept_as_it_is_and_sealed_once_there_is_one() {
        let (plain, sealing) = (box_of(None, &[]), box_of(Some(1), &[]));
        let kept = plain.seal(PLACE, b"x", &SystemEntropy).unwrap();
        assert_eq!(kept, "v0.eA");
        assert!(plain.is_current(&kept) && !sealing.is_current(&kept) && !plain.encrypts());
        assert_eq!(sealing.open(PLACE, &kept).unwrap().as_slice(), b"x");
    }

    #[test]
    fn the_key_does_not_print() {
        let boxed = box_of(Some(7), &[8]);
        assert_eq!(
            format!("{boxed:?}"),
            format!("AtRest {{ key: Some({:?}), .. }}", boxed.key_name().unwrap())
        );
    }
}
