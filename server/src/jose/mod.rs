//! Signatures and seals: the one room that signs, verifies and encrypts (RFC 7515, RFC 7516, RFC 7519).
//!
//! josekit does the formats, aws-lc-rs the cryptography; [`engine`] joins them. Only asymmetric algorithms exist
//! here ([`protocol::client::SigningAlg`]), so neither `none` nor a public key taken for a secret can verify.
//! What a verified claim means, and whether it is still true, is judged elsewhere.

pub mod at_rest;
mod claims_set;
pub mod client_keys;
pub mod client_side;
pub mod compact;
pub mod encryption_key;
mod engine;
pub mod key_ring;
pub mod keys;
pub mod nonce_box;
pub mod pairwise;
pub mod signing_key;
pub mod stored_key;
pub mod verifying_key;

use protocol::client::SigningAlg;

pub use at_rest::{AtRest, NotOpened, Place};
pub use client_keys::{ClientKeyCache, ClientKeys};
pub use client_side::{public_members, sign_as_client};
pub use compact::{EmbeddedKeyJwt, Unverified, decode, verify, verify_dpop, verify_with_jwk};
pub use encryption_key::EncryptionKey;
pub use key_ring::KeyRing;
pub use keys::{Keys, Published};
pub use nonce_box::{NonceBox, NoncePurpose};
pub use pairwise::PairwiseKey;
pub use signing_key::{SigningKey, SigningKeyDocument};
pub use stored_key::{KeyNotOpened, is_sealed_as_now, without_private_part};
pub use verifying_key::VerifyingKey;

/// Why a JWT, a key or a key set was not taken. Callers map it to the error of the place where it was presented.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum JoseError {
    /// Longer than [`compact::LONGEST_JWT`].
    #[error("the JWT is too long")]
    TooLong,
    /// Not three base64url parts with a dot between them (RFC 7515 §7.1): an encrypted or JSON-serialized one, or none.
    #[error("the JWT is not a signed one in compact serialization")]
    NotCompact,
    /// A header or payload that is not a JSON object, or names a member twice.
    #[error("the JWT's header or claims are not a JSON object with distinct names")]
    NotAnObject,
    /// The header has `crit` or `b64` (RFC 7515 §4.1.11, RFC 7797 §3): no extension is understood.
    #[error("the JWT's header demands an extension")]
    Critical,
    /// `alg` is missing, not one of ours, or not the one expected.
    #[error("the JWT's alg is not the expected one")]
    WrongAlg,
    /// `typ` is not the one expected (RFC 8725 §3.11).
    #[error("the JWT's typ is not the expected one")]
    WrongTyp,
    /// No key for this `kid` and `alg`.
    #[error("no key is known for this JWT")]
    UnknownKey,
    /// Whoever publishes the keys does not answer, and never did of late.
    #[error("the keys cannot be had now")]
    KeysAway,
    /// The client has no public key for the algorithm that it wants things encrypted with.
    #[error("the client has no key to encrypt to with the algorithm it registered")]
    NoEncryptionKey,
    /// The signature does not fit.
    #[error("the JWT's signature is not valid")]
    BadSignature,
    /// The JWK is not a public key for this algorithm (RFC 7517 §4, RFC 7518 §6).
    #[error("the JWK is not a public key for this algorithm")]
    NotAKey,
    /// A JWK with a private or symmetric member where a public key belongs.
    #[error("the JWK has a private member")]
    PrivateMember,
    /// Not a JWK Set (RFC 7517 §5) of at most [`client_keys::MOST_KEYS`] keys.
    #[error("not a JWK Set of at most ten keys")]
    NotAKeySet,
    /// A stored signing key that is not what it says it is.
    #[error("a stored signing key does not fit its description")]
    NotASigningKey,
    /// Two active keys for one algorithm, or one `kid` twice.
    #[error("two keys stand in the same place of the key ring")]
    Ambiguous,
    /// The ring holds no active key for this algorithm.
    #[error("there is no active signing key for {}", .0.as_str())]
    NoSigningKey(SigningAlg),
    /// The cryptographic library failed at something that does not depend on input.
    #[error("the cryptographic library failed")]
    Engine,
}
