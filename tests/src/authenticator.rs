//! What people prove who they are with, besides a password: an authenticator app, and a device with passkeys that can
//! also do what no honest device does.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::numeric_date::NumericDate;
use serde_json::{Value, json};
use server::secret::{Entropy as _, SystemEntropy};

/// The code that an authenticator app shows at a time (RFC 6238), for a secret in base32.
#[must_use]
pub fn code_at(secret: &str, time: NumericDate) -> String {
    let mut bits = String::new();
    for letter in secret.chars().filter(|c| !c.is_whitespace()) {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("base 32");
        bits.push_str(&format!("{value:05b}"));
    }
    let bytes: Vec<u8> =
        bits.as_bytes().chunks_exact(8).map(|b| b.iter().fold(0, |n, bit| n << 1 | (bit - b'0'))).collect();
    let step = u64::try_from(time.0).unwrap() / 30;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 15);
    let number = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// A passkey on a device. Everything that it says of itself can be set.
pub struct Passkey {
    pair: EcdsaKeyPair,
    id: Vec<u8>,
    user_handle: String,
    /// The site that the browser believes to be at.
    pub origin: String,
    /// How often it signed; it counts up by itself.
    pub counter: u32,
    /// Whether it asks its user.
    pub verifies: bool,
    /// Whether it is copied to other devices.
    pub synced: bool,
    /// Whether it tells whose it is.
    pub tells_user: bool,
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Passkey {
    /// Makes a passkey as `navigator.credentials.create` would with these options; and what the browser says then.
    #[must_use]
    pub fn make(origin: &str, options: &Value) -> (Self, String) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let mut id = vec![0; 32];
        SystemEntropy.fill(&mut id);
        let user_handle = options["user"]["id"].as_str().unwrap().to_owned();
        let passkey = Self {
            pair,
            id,
            user_handle,
            origin: origin.into(),
            counter: 0,
            verifies: true,
            synced: false,
            tells_user: true,
        };
        let answer = passkey.attest(options);
        (passkey, answer)
    }

    /// What the browser says when this very key is made.
    #[must_use]
    pub fn attest_again(&self, options: &Value) -> String {
        self.attest(options)
    }

    fn attest(&self, options: &Value) -> String {
        let point = self.pair.public_key().as_ref();
        // COSE: EC2, ES256, P-256.
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        key.extend_from_slice(&point[1..33]);
        key.extend_from_slice(&[0x22, 0x58, 0x20]);
        key.extend_from_slice(&point[33..]);
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), 0x40);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&[0, 32]);
        data.extend_from_slice(&self.id);
        data.extend_from_slice(&key);
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = vec![0xa3, 0x63];
        object.extend_from_slice(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend_from_slice(&data);
        let said = self.client_data("webauthn.create", options);
        let response = json!({ "clientDataJSON": text(&said), "attestationObject": text(&object), "transports": ["usb"] });
        self.credential(&response)
    }

    /// Signs as `navigator.credentials.get` would with these options.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "a device has its own generator")]
    pub fn sign(&mut self, options: &Value) -> String {
        self.counter += 1;
        let data = self.data(options["rpId"].as_str().unwrap(), 0);
        let said = self.client_data("webauthn.get", options);
        let signed = [data.clone(), sha256(&said)].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "clientDataJSON": text(&said),
            "authenticatorData": text(&data),
            "signature": text(signature.as_ref()),
            "userHandle": self.tells_user.then_some(&self.user_handle),
        });
        self.credential(&response)
    }

    /// What the device says: the site, whether its user was there and was verified, how it is kept, how often it signed.
    fn data(&self, site: &str, more: u8) -> Vec<u8> {
        let flags = 1 | if self.verifies { 4 } else { 0 } | if self.synced { 0x18 } else { 0 } | more;
        let mut data = sha256(site.as_bytes());
        data.push(flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let said = json!({
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": false,
        });
        said.to_string().into_bytes()
    }

    fn credential(&self, response: &Value) -> String {
        let id = text(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_app_shows_what_the_rfc_prints() {
        // RFC 6238, appendix B, the last six of eight digits.
        let secret = "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ";
        assert_eq!(code_at(secret, NumericDate(59)), "287082");
        assert_eq!(code_at(secret, NumericDate(1_234_567_890)), "005924");
    }
}
