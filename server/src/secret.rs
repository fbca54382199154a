//! Chance, and the secrets made of it. A secret leaves the house once, in a reply; only its digest is stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator, through aws-lc-rs.
#[derive(Clone, Copy, Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::disallowed_methods, reason = "the one place that rolls the dice")]
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            // Without chance there are no secrets: nothing may go on.
            std::process::abort();
        }
    }
}

/// 128 random bits as 22 base64url characters behind `prefix`: an identifier nobody can guess, but no secret.
#[must_use]
pub fn random_id(entropy: &dyn Entropy, prefix: &str) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    let mut id = String::with_capacity(prefix.len() + 22);
    id.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(bytes, &mut id);
    id
}

/// A secret that nobody can print by accident.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// 256 random bits as 43 base64url characters behind `prefix`.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy, prefix: &str) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut());
        let mut text = String::with_capacity(prefix.len() + 43);
        text.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(bytes.as_ref(), &mut text);
        Self(Zeroizing::new(text))
    }

    /// Takes over a text that is a secret, such as a signed token.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }

    /// The secret itself, for the one reply that it leaves with.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a secret, by which it is found again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of what somebody presented.
    #[must_use]
    pub fn of(presented: &str) -> Self {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, presented.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// The digest that stands in the database as this text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// As it stands in the database: base64url without padding, 43 characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares with a stored digest in constant time.
    #[must_use]
    pub fn matches(&self, stored: &str) -> bool {
        self.to_text().as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::generate(&SystemEntropy, "x_");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.reveal().len(), 45);
    }

    #[test]
    fn a_digest_matches_the_secret_it_was_made_of_and_no_other() {
        let secret = Secret::generate(&SystemEntropy, "");
        assert!(SecretDigest::of(secret.reveal()).matches(&secret.digest().to_text()));
        assert!(!SecretDigest::of("other").matches(&secret.digest().to_text()));
    }
}
