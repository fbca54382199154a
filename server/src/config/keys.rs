//! The settings of signing keys: when they change, and what their private parts are encrypted under.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use protocol::numeric_date::Seconds;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::hidden::Hidden;
use super::written::duration;

/// How long the JWK Set may be kept by whoever asked for it.
pub const JWKS_MAX_AGE: Seconds = Seconds::minutes(5);
/// The largest file with an encryption key, in bytes.
const LARGEST_FILE: u64 = 1024;

/// `[keys]`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeySettings {
    /// How long a key signs before the next one does.
    #[serde(deserialize_with = "duration")]
    pub rotate_every: Seconds,
    /// How long a key is published before it signs.
    #[serde(deserialize_with = "duration")]
    pub overlap: Seconds,
    /// The key that private keys and other secrets in the database are encrypted under.
    pub encryption_key: Option<Hidden>,
    /// A file that holds it.
    pub encryption_key_file: Option<PathBuf>,
    /// The key that they were encrypted under before.
    pub encryption_key_previous: Option<Hidden>,
    /// A file that holds it.
    pub encryption_key_previous_file: Option<PathBuf>,
    /// Whether private keys may be kept without encryption where the issuer is not this very machine.
    pub allow_plaintext: bool,
}

impl Default for KeySettings {
    fn default() -> Self {
        Self {
            rotate_every: Seconds::days(90),
            overlap: Seconds::days(1),
            encryption_key: None,
            encryption_key_file: None,
            encryption_key_previous: None,
            encryption_key_previous_file: None,
            allow_plaintext: false,
        }
    }
}

/// Why a text is no encryption key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "must be 32 random bytes in base64 or in hexadecimal digits, such as `openssl rand -base64 32` prints"
)]
pub struct NotAnEncryptionKey;

impl KeySettings {
    /// The encryption key, if there is one.
    ///
    /// # Errors
    /// [`NotAnEncryptionKey`].
    pub fn key(&self) -> Result<Option<Zeroizing<[u8; 32]>>, NotAnEncryptionKey> {
        self.encryption_key.as_ref().map(|text| parse(text.reveal())).transpose()
    }

    /// The encryption key before it, if there was one.
    ///
    /// # Errors
    /// [`NotAnEncryptionKey`].
    pub fn previous_key(&self) -> Result<Option<Zeroizing<[u8; 32]>>, NotAnEncryptionKey> {
        self.encryption_key_previous.as_ref().map(|text| parse(text.reveal())).transpose()
    }

    /// Reads the files that are named, relative to `folder`; what is wrong, by its key.
    pub(super) fn read_files(&mut self, folder: &Path) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let places = [
            ("keys.encryption_key_file", &self.encryption_key_file, &mut self.encryption_key),
            (
                "keys.encryption_key_previous_file",
                &self.encryption_key_previous_file,
                &mut self.encryption_key_previous,
            ),
        ];
        for (name, file, key) in places {
            let Some(file) = file else { continue };
            if key.is_some() {
                wrong.push((name, "the key itself is set too: set one of them".to_owned()));
                continue;
            }
            match read(&folder.join(file)) {
                Ok(text) => *key = Some(text),
                Err(reason) => wrong.push((name, reason)),
            }
        }
        wrong
    }

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self, issuer_is_local: bool) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        let (hour, two_years) = (3600, 2 * 366 * 86_400);
        if !(hour..=two_years).contains(&self.rotate_every.0) {
            wrong.push(("keys.rotate_every", format!("must be from {hour} to {two_years} seconds")));
        }
        if self.overlap < JWKS_MAX_AGE || self.overlap >= self.rotate_every {
            let reason = format!(
                "must be at least {} seconds, for which the keys may be kept by whoever has asked for them, and \
                 shorter than keys.rotate_every",
                JWKS_MAX_AGE.0
            );
            wrong.push(("keys.overlap", reason));
        }
        let keys =
            [("keys.encryption_key", self.key()), ("keys.encryption_key_previous", self.previous_key())];
        wrong.extend(keys.into_iter().filter_map(|(name, key)| Some((name, key.err()?.to_string()))));
        if self.encryption_key_previous.is_some() && self.encryption_key.is_none() {
            let reason = "there is no keys.encryption_key to encrypt under from now on".to_owned();
            wrong.push(("keys.encryption_key_previous", reason));
        }
        if self.encryption_key.is_none() && !issuer_is_local && !self.allow_plaintext {
            let reason = "must be set, so that private keys are not stored for everybody to read who reads the \
                          database: set it in the environment as PROCURA_KEYS__ENCRYPTION_KEY, or name a file with \
                          keys.encryption_key_file; or say keys.allow_plaintext = true";
            wrong.push(("keys.encryption_key", reason.to_owned()));
        }
        wrong
    }
}

fn read(file: &Path) -> Result<Hidden, String> {
    let told = |error: std::io::Error| format!("{} cannot be read: {error}", file.display());
    if std::fs::metadata(file).map_err(told)?.len() > LARGEST_FILE {
        return Err(format!("{} is too large to be a file with one key", file.display()));
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(told)?);
    match parse(text.trim()) {
        Ok(_) => Ok(Hidden::from(text.trim())),
        Err(reason) => Err(format!("what is in {} {reason}", file.display())),
    }
}

/// 32 bytes: 64 hexadecimal digits, or base64 in either alphabet, padded or not.
fn parse(text: &str) -> Result<Zeroizing<[u8; 32]>, NotAnEncryptionKey> {
    let mut key = Zeroizing::new([0; 32]);
    if text.len() == 64 {
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'));
            *byte = digits.and_then(|d| u8::from_str_radix(d, 16).ok()).ok_or(NotAnEncryptionKey)?;
        }
        return Ok(key);
    }
    let bare = text.strip_suffix('=').unwrap_or(text);
    let bytes = STANDARD_NO_PAD.decode(bare).or_else(|_| URL_SAFE_NO_PAD.decode(bare));
    let bytes = Zeroizing::new(bytes.map_err(|_| NotAnEncryptionKey)?);
    if bytes.len() != key.len() {
        return Err(NotAnEncryptionKey);
    }
    key.copy_from_slice(&bytes);
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE64: &str = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=";

    #[test]
    fn an_encryption_key_is_32_bytes_in_base64_or_hexadecimal() {
        let bytes = [0xfb_u8; 32];
        let url_safe = BASE64.replace('+', "-").replace('/', "_");
        for text in [BASE64, BASE64.trim_end_matches('='), &url_safe, &"fb".repeat(32), &"FB".repeat(32)] {
            assert_eq!(parse(text).as_deref(), Ok(&bytes), "{text}");
        }
        let short = STANDARD_NO_PAD.encode([1; 31]);
        for bad in
            ["", "secret", &"fb".repeat(31), &"+b".repeat(32), &"zz".repeat(32), &short, &"ä".repeat(32)]
        {
            assert_eq!(parse(bad), Err(NotAnEncryptionKey), "{bad}");
        }
    }

    fn wrong(change: impl FnOnce(&mut KeySettings), local: bool) -> Vec<&'static str> {
        let mut settings = KeySettings::default();
        change(&mut settings);
        settings.wrong(local).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn an_issuer_that_others_reach_needs_an_encryption_key_or_says_that_it_wants_none() {
        assert_eq!(wrong(|_| {}, false), ["keys.encryption_key"]);
        assert!(wrong(|_| {}, true).is_empty());
        assert!(wrong(|s| s.allow_plaintext = true, false).is_empty());
        assert!(wrong(|s| s.encryption_key = Some(Hidden::from(BASE64)), false).is_empty());
        assert_eq!(wrong(|s| s.encryption_key = Some(Hidden::from("short")), false), ["keys.encryption_key"]);
        let previous = Some(Hidden::from(BASE64));
        assert_eq!(wrong(|s| s.encryption_key_previous = previous, true), ["keys.encryption_key_previous"]);
    }

    #[test]
    fn a_key_is_published_longer_than_others_keep_the_set_and_shorter_than_it_signs() {
        assert_eq!(wrong(|s| s.overlap = Seconds(299), true), ["keys.overlap"]);
        assert!(wrong(|s| s.overlap = Seconds(300), true).is_empty());
        assert_eq!(wrong(|s| s.overlap = s.rotate_every, true), ["keys.overlap"]);
        assert_eq!(
            wrong(|s| (s.rotate_every, s.overlap) = (Seconds(3599), Seconds(300)), true),
            ["keys.rotate_every"]
        );
    }

    #[test]
    fn a_key_may_lie_in_a_file_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), format!("{BASE64}\n")).unwrap();
        std::fs::write(folder.path().join("short"), "abc").unwrap();
        std::fs::write(folder.path().join("large"), "a".repeat(2000)).unwrap();
        let with =
            |file: &str| KeySettings { encryption_key_file: Some(file.into()), ..KeySettings::default() };
        let mut settings = with("key");
        assert!(settings.read_files(folder.path()).is_empty());
        assert_eq!(settings.key().unwrap().as_deref(), Some(&[0xfb; 32]));
        for bad in ["short", "large", "absent"] {
            let told = with(bad).read_files(folder.path());
            assert_eq!(
                told.iter().map(|(key, _)| *key).collect::<Vec<_>>(),
                ["keys.encryption_key_file"],
                "{bad}"
            );
        }
        let mut both = KeySettings { encryption_key: Some(Hidden::from(BASE64)), ..with("key") };
        assert_eq!(both.read_files(folder.path()).len(), 1);
    }
}
