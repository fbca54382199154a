//! Algorithms for signatures and encryption (RFC 7518, RFC 8037): those that Procura knows, and no others.

use serde::{Deserialize, Serialize};

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1) that Procura signs and verifies with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum SigningAlg {
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
}

impl SigningAlg {
    /// Every algorithm, in the order discovery lists them.
    pub const ALL: [Self; 4] = [Self::Es256, Self::EdDsa, Self::Ps256, Self::Rs256];

    /// As it stands in a JOSE header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
        }
    }

    /// The algorithm of this name, if it is one of ours: never `none`, never a symmetric one.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.as_str() == name)
    }
}

/// How the key of a JWE is managed (RFC 7518 §4.1). RSA1_5 and passwords are not among them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum KeyManagementAlg {
    /// RSAES-OAEP with SHA-256 (RFC 7518 §4.3).
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    /// RSAES-OAEP with default parameters (RFC 7518 §4.3).
    #[serde(rename = "RSA-OAEP")]
    RsaOaep,
    /// ECDH-ES in direct key agreement (RFC 7518 §4.6).
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    /// ECDH-ES with AES key wrap (RFC 7518 §4.6).
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
}

/// How the content of a JWE is encrypted (RFC 7518 §5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub enum ContentEncryptionAlg {
    /// AES-CBC with HMAC SHA-256: what OpenID Connect Registration (§2) and JARM (§3) have as the default.
    #[default]
    #[serde(rename = "A128CBC-HS256")]
    A128CbcHs256,
    /// AES-CBC with HMAC SHA-512.
    #[serde(rename = "A256CBC-HS512")]
    A256CbcHs512,
    /// AES GCM with a 128-bit key.
    #[serde(rename = "A128GCM")]
    A128Gcm,
    /// AES GCM with a 256-bit key.
    #[serde(rename = "A256GCM")]
    A256Gcm,
}

impl KeyManagementAlg {
    /// Every algorithm, in the order discovery lists them.
    pub const ALL: [Self; 4] = [Self::RsaOaep256, Self::RsaOaep, Self::EcdhEs, Self::EcdhEsA256Kw];

    /// As it stands in a JOSE header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::RsaOaep => "RSA-OAEP",
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
        }
    }
}

impl ContentEncryptionAlg {
    /// Every algorithm, in the order discovery lists them.
    pub const ALL: [Self; 4] = [Self::A128CbcHs256, Self::A256CbcHs512, Self::A128Gcm, Self::A256Gcm];

    /// As it stands in a JOSE header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A128CbcHs256 => "A128CBC-HS256",
            Self::A256CbcHs512 => "A256CBC-HS512",
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_wire_are_the_names_in_storage() {
        for alg in SigningAlg::ALL {
            assert_eq!(serde_json::to_value(alg).unwrap(), alg.as_str());
        }
        for alg in KeyManagementAlg::ALL {
            assert_eq!(serde_json::to_value(alg).unwrap(), alg.as_str());
        }
        for enc in ContentEncryptionAlg::ALL {
            assert_eq!(serde_json::to_value(enc).unwrap(), enc.as_str());
        }
    }

    #[test]
    fn none_and_symmetric_algorithms_are_not_ours() {
        for alg in ["none", "HS256", "ES512", "es256", ""] {
            assert_eq!(SigningAlg::find(alg), None, "{alg}");
        }
    }
}
