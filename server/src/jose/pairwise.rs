//! Pairwise subjects (OpenID Connect Core §8.1): a name for a user that one sector sees, and that says nothing to
//! another one.

use std::fmt;

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::identifier::UserId;
use protocol::subject::Sector;

/// The secret that the names are computed with. It never changes: with another one everybody would be somebody else.
pub struct PairwiseKey(Key);

impl PairwiseKey {
    /// The key of these bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Key::new(HMAC_SHA256, bytes))
    }

    /// The `sub` by which `sector` knows `user`: 43 base64url characters.
    #[must_use]
    pub fn subject(&self, sector: &Sector, user: &UserId) -> String {
        // The length keeps the two apart, so that no two pairs are one text.
        let text = format!("{}:{sector}:{user}", sector.as_str().len());
        URL_SAFE_NO_PAD.encode(sign(&self.0, text.as_bytes()))
    }
}

impl fmt::Debug for PairwiseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairwiseKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use protocol::subject::sector;

    use super::*;

    fn named(key: u8, host: &str, user: &str) -> String {
        let sector = sector(None, &[format!("https://{host}/cb")]).unwrap();
        PairwiseKey::new(&[key; 32]).subject(&sector, &user.parse().unwrap())
    }

    #[test]
    fn a_sector_sees_one_name_for_each_user_and_every_other_sector_another() {
        assert_eq!(named(1, "a.example", "alice"), named(1, "a.example", "alice"));
        let others =
            [named(1, "b.example", "alice"), named(1, "a.example", "bob"), named(2, "a.example", "alice")];
        assert!(others.iter().all(|other| *other != named(1, "a.example", "alice")));
    }

    #[test]
    fn the_name_is_a_subject_and_does_not_hold_the_users() {
        let name = named(1, "a.example", "alice");
        assert!(name.len() == 43 && name.parse::<UserId>().is_ok() && !name.contains("alice"));
        assert_eq!(format!("{:?}", PairwiseKey::new(&[1; 32])), "PairwiseKey(…)");
    }
}
