//! What a token is bound to: its `cnf` claim (RFC 7800 §3.1), by the thumbprint of a key (RFC 9449 §6.1) or of a
//! certificate (RFC 8705 §3.1); and what a caller proved to hold.

use serde::{Deserialize, Deserializer, Serialize};

use crate::identifier::{Jkt, X5tS256};
use crate::refusal::{ErrorCode, Refuse};

/// The one thing whose holder alone may use a token. As JSON it is the `cnf` claim.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Confirmation {
    /// A key, proven with DPoP (RFC 9449 §6).
    #[serde(rename = "jkt")]
    Jkt(Jkt),
    /// A certificate, proven in the TLS handshake (RFC 8705 §3).
    #[serde(rename = "x5t#S256")]
    X5tS256(X5tS256),
}

/// What a caller proved to hold with this very request.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Held {
    /// A key, by a DPoP proof.
    pub key: Option<Jkt>,
    /// A client certificate, by the TLS handshake.
    pub certificate: Option<X5tS256>,
}

/// How the tokens of a client are to be bound.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Demand {
    /// To a key: `dpop_bound_access_tokens` (RFC 9449 §5.2).
    pub key: bool,
    /// To a certificate: `tls_client_certificate_bound_access_tokens` (RFC 8705 §3.4).
    pub certificate: bool,
    /// To either, but to something.
    pub either: bool,
}

/// Why a token cannot be bound as it must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BindingRefused {
    /// No DPoP proof.
    #[error("tokens of this client are bound to its key; send a DPoP proof")]
    KeyRequired,
    /// No certificate.
    #[error("tokens of this client are bound to its certificate; call the mtls_endpoint_aliases with it")]
    CertificateRequired,
    /// Neither.
    #[error(
        "this token must be bound; send a DPoP proof, or call the mtls_endpoint_aliases with a certificate"
    )]
    EitherRequired,
    /// A DPoP proof where the token is bound to the certificate. A token carries one binding, and what was sent to
    /// get another is not dropped in silence.
    #[error("tokens of this client are bound to its certificate; send no DPoP proof")]
    OneBindingOnly,
}

impl Refuse for BindingRefused {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidRequest
    }
}

impl Confirmation {
    /// The key's thumbprint, if it is a key.
    #[must_use]
    pub const fn jkt(&self) -> Option<&Jkt> {
        match self {
            Self::Jkt(jkt) => Some(jkt),
            Self::X5tS256(_) => None,
        }
    }
}

impl Held {
    /// Nothing but this key.
    #[must_use]
    pub const fn key(jkt: Jkt) -> Self {
        Self { key: Some(jkt), certificate: None }
    }

    /// Whether it is what a token is bound to.
    #[must_use]
    pub fn proves(&self, cnf: &Confirmation) -> bool {
        match cnf {
            Confirmation::Jkt(jkt) => self.key.as_ref() == Some(jkt),
            Confirmation::X5tS256(x5t) => self.certificate.as_ref() == Some(x5t),
        }
    }
}

impl Demand {
    /// The same, and to something in any case.
    #[must_use]
    pub const fn or_either(self, either: bool) -> Self {
        Self { either: self.either || either, ..self }
    }

    /// What a token is bound to, for whoever holds this. A key that was proven always binds, unless the tokens are
    /// bound to the certificate; a certificate binds where that is demanded and no key was proven, since a resource
    /// server must be ready for it.
    ///
    /// # Errors
    /// [`BindingRefused`] where what is demanded was not proven.
    pub fn bind(self, held: &Held) -> Result<Option<Confirmation>, BindingRefused> {
        let key = held.key.clone().map(Confirmation::Jkt);
        let certificate = held.certificate.clone().map(Confirmation::X5tS256);
        match (key, certificate) {
            (Some(_), _) if self.certificate => Err(BindingRefused::OneBindingOnly),
            (None, None) if self.certificate => Err(BindingRefused::CertificateRequired),
            (None, bound) if self.certificate => Ok(bound),
            (Some(key), _) => Ok(Some(key)),
            (None, _) if self.key => Err(BindingRefused::KeyRequired),
            (None, None) if self.either => Err(BindingRefused::EitherRequired),
            (None, bound) if self.either => Ok(bound),
            (None, _) => Ok(None),
        }
    }
}

/// A confirmation as it is stored. Tokens written when there were only keys hold the thumbprint alone.
pub(crate) fn stored<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Confirmation>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Thumbprint(Jkt),
        Confirmation(Confirmation),
    }
    Ok(Option::<Stored>::deserialize(from)?.map(|stored| match stored {
        Stored::Thumbprint(jkt) => Confirmation::Jkt(jkt),
        Stored::Confirmation(cnf) => cnf,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn held(key: Option<&str>, certificate: Option<&str>) -> Held {
        let (key, certificate) = (key.map(|k| k.parse().unwrap()), certificate.map(|c| c.parse().unwrap()));
        Held { key, certificate }
    }

    fn jkt(text: &str) -> Confirmation {
        Confirmation::Jkt(text.parse().unwrap())
    }

    fn x5t(text: &str) -> Confirmation {
        Confirmation::X5tS256(text.parse().unwrap())
    }

    #[test]
    fn as_json_it_is_the_cnf_claim() {
        for (cnf, claim) in [(jkt("k"), json!({"jkt": "k"})), (x5t("c"), json!({"x5t#S256": "c"}))] {
            assert_eq!(serde_json::to_value(&cnf).unwrap(), claim);
            assert_eq!(stored(claim).unwrap(), Some(cnf));
        }
    }

    #[test]
    fn a_thumbprint_alone_is_that_of_a_key_and_nothing_is_no_binding() {
        assert_eq!(stored(json!("k")).unwrap(), Some(jkt("k")));
        assert_eq!(stored(json!(null)).unwrap(), None);
        for bad in [json!({}), json!({"jkt": ""}), json!(1), json!({"kid": "k"})] {
            assert!(stored(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_binding_is_proven_by_the_very_thing_and_by_no_other_of_the_same_name() {
        let both = held(Some("a"), Some("b"));
        assert!(both.proves(&jkt("a")) && both.proves(&x5t("b")));
        assert!(!both.proves(&jkt("b")) && !both.proves(&x5t("a")));
        assert!(!Held::default().proves(&jkt("a")) && !Held::default().proves(&x5t("b")));
    }

    #[test]
    fn a_token_is_bound_as_its_client_demands_or_not_issued() {
        let free = Demand::default();
        let (key, certificate) = (Demand { key: true, ..free }, Demand { certificate: true, ..free });
        let either = free.or_either(true);
        let (none, k, c) = (held(None, None), held(Some("k"), None), held(None, Some("c")));
        let both = held(Some("k"), Some("c"));
        for (demand, held, bound) in [
            (free, &none, Ok(None)),
            (free, &c, Ok(None)),
            (free, &k, Ok(Some(jkt("k")))),
            (free, &both, Ok(Some(jkt("k")))),
            (key, &none, Err(BindingRefused::KeyRequired)),
            (key, &c, Err(BindingRefused::KeyRequired)),
            (key, &both, Ok(Some(jkt("k")))),
            (certificate, &none, Err(BindingRefused::CertificateRequired)),
            (certificate, &c, Ok(Some(x5t("c")))),
            (certificate, &k, Err(BindingRefused::OneBindingOnly)),
            (certificate, &both, Err(BindingRefused::OneBindingOnly)),
            (either, &none, Err(BindingRefused::EitherRequired)),
            (either, &c, Ok(Some(x5t("c")))),
            (either, &k, Ok(Some(jkt("k")))),
            (either, &both, Ok(Some(jkt("k")))),
            (certificate.or_either(true), &none, Err(BindingRefused::CertificateRequired)),
        ] {
            assert_eq!(demand.bind(held), bound, "{demand:?} {held:?}");
        }
    }
}
