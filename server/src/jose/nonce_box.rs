//! Nonces for DPoP (RFC 9449 §8, §9) that need no storage: a nonce is the sealed time of its own birth.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::numeric_date::{NumericDate, Seconds};

use super::JoseError;
use crate::secret::Entropy;

/// Where a nonce is to be used. One from the authorization server is worth nothing at a resource server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoncePurpose {
    /// RFC 9449 §8.
    AuthorizationServer,
    /// RFC 9449 §9.
    ResourceServer,
    /// A challenge for client attestations (OAuth 2.0 Attestation-Based Client Authentication).
    Attestation,
}

impl NoncePurpose {
    fn aad(self) -> Aad<&'static [u8]> {
        Aad::from(match self {
            Self::AuthorizationServer => b"dpop nonce, authorization server",
            Self::ResourceServer => b"dpop nonce, resource server",
            Self::Attestation => b"client attestation challenge",
        })
    }
}

/// Issues nonces and knows its own again. Every node with the same key knows them all.
///
/// The seal is AES-256-GCM-SIV (RFC 8452): unlike plain GCM it survives two nonces drawing the same random start,
/// which would come about in time, since every response carries one and the key does not change.
pub struct NonceBox(LessSafeKey);

/// How far the clock of the node that issued a nonce may run ahead of ours.
const AHEAD: Seconds = Seconds(10);
const TIME_LEN: usize = size_of::<i64>();
const TAG_LEN: usize = 16;

impl NonceBox {
    /// A box that seals with `key`.
    pub fn new(key: &[u8; 32]) -> Result<Self, JoseError> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).map_err(|_| JoseError::Engine)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// A new nonce: 48 base64url characters, as RFC 9449 §8.1 allows them.
    #[must_use]
    pub fn issue(&self, now: NumericDate, purpose: NoncePurpose, entropy: &dyn Entropy) -> String {
        let mut start = [0; NONCE_LEN];
        entropy.fill(&mut start);
        let mut time = now.0.to_be_bytes();
        let nonce = Nonce::assume_unique_for_key(start);
        let mut sealed = Vec::with_capacity(NONCE_LEN + TIME_LEN + TAG_LEN);
        sealed.extend_from_slice(&start);
        // Sealing eight bytes does not fail. If it did, what leaves is random and no nonce; the client asks again.
        if let Ok(tag) = self.0.seal_in_place_separate_tag(nonce, purpose.aad(), &mut time) {
            sealed.extend_from_slice(&time);
            sealed.extend_from_slice(tag.as_ref());
        }
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Whether `nonce` was issued here for `purpose`, less than `life` before `now`.
    #[must_use]
    pub fn is_recent(&self, nonce: &str, purpose: NoncePurpose, now: NumericDate, life: Seconds) -> bool {
        self.birth(nonce, purpose)
            .is_some_and(|birth| !birth.plus(life).is_over(now) && birth.since(now) <= AHEAD)
    }

    fn birth(&self, nonce: &str, purpose: NoncePurpose) -> Option<NumericDate> {
        let mut sealed = [0; NONCE_LEN + TIME_LEN + TAG_LEN];
        let length = URL_SAFE_NO_PAD.decode_slice(nonce, &mut sealed).ok()?;
        if length != sealed.len() {
            return None;
        }
        let (start, sealed) = sealed.split_first_chunk_mut::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*start);
        let time = self.0.open_in_place(nonce, purpose.aad(), sealed).ok()?;
        Some(NumericDate(i64::from_be_bytes((&*time).try_into().ok()?)))
    }
}

impl fmt::Debug for NonceBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceBox(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::NoncePurpose::{AuthorizationServer, ResourceServer};
    use super::*;
    use crate::secret::SystemEntropy;

    const NOW: NumericDate = NumericDate(1_800_000_000);
    const LIFE: Seconds = Seconds(300);

    fn nonce_box() -> NonceBox {
        NonceBox::new(&[7; 32]).unwrap()
    }

    #[test]
    fn a_nonce_is_recent_until_its_life_is_over() {
        let nonce = nonce_box().issue(NOW, AuthorizationServer, &SystemEntropy);
        for (offset, recent) in [(0, true), (299, true), (300, false), (-10, true), (-11, false)] {
            let now = NOW.plus(Seconds(offset));
            assert_eq!(nonce_box().is_recent(&nonce, AuthorizationServer, now, LIFE), recent, "{offset}");
        }
    }

    #[test]
    fn a_nonce_counts_only_for_its_purpose_and_its_key() {
        let nonce = nonce_box().issue(NOW, ResourceServer, &SystemEntropy);
        assert!(nonce_box().is_recent(&nonce, ResourceServer, NOW, LIFE));
        assert!(!nonce_box().is_recent(&nonce, AuthorizationServer, NOW, LIFE));
        assert!(!NonceBox::new(&[8; 32]).unwrap().is_recent(&nonce, ResourceServer, NOW, LIFE));
    }

    #[test]
    fn an_altered_shortened_or_made_up_nonce_is_not_recent() {
        let nonce = nonce_box().issue(NOW, ResourceServer, &SystemEntropy);
        for at in 0..nonce.len() {
            let mut altered = nonce.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(!nonce_box().is_recent(&altered, ResourceServer, NOW, LIFE), "{at}");
        }
        let longer = format!("{nonce}AAAA");
        for bad in ["", "A", &nonce[..44], &longer, &"A".repeat(48), &"A".repeat(100_000), "é", &nonce[1..]]
        {
            assert!(!nonce_box().is_recent(bad, ResourceServer, NOW, LIFE), "{bad}");
        }
    }

    #[test]
    fn a_thousand_nonces_of_one_second_are_distinct_and_share_no_character() {
        let nonces: Vec<String> =
            (0..1000).map(|_| nonce_box().issue(NOW, AuthorizationServer, &SystemEntropy)).collect();
        assert_eq!(nonces.iter().collect::<BTreeSet<_>>().len(), 1000);
        for at in 0..48 {
            let here: BTreeSet<u8> = nonces.iter().map(|nonce| nonce.as_bytes()[at]).collect();
            assert!(here.len() > 32, "position {at} shows too few characters: {}", here.len());
        }
    }

    #[test]
    fn a_nonce_has_only_the_characters_of_rfc_9449_and_never_shows_the_time() {
        let nonce = nonce_box().issue(NOW, AuthorizationServer, &SystemEntropy);
        assert_eq!(nonce.len(), 48);
        assert!(nonce.bytes().all(|b| b == 0x21 || (0x23..=0x5b).contains(&b) || (0x5d..=0x7e).contains(&b)));
        let bytes = URL_SAFE_NO_PAD.decode(&nonce).unwrap();
        assert!(!bytes.windows(8).any(|window| window == NOW.0.to_be_bytes()));
    }
}
