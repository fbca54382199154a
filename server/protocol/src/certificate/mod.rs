//! Whom a client certificate names, and whether that is whom a client registered (RFC 8705 §2.1).
//!
//! Who vouches for the certificate is not asked here. A name is compared as its own kind: distinguished names by the
//! rules of directories, addresses as bytes, and everything else as text; never as part of a text, and no wildcard
//! matches anything but itself.

mod distinguished_name;

use core::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::identifier::X5tS256;

pub use distinguished_name::{AttributeValue, DistinguishedName, InvalidName};

/// The thumbprint of a certificate: SHA-256 of its DER encoding, base64url (RFC 8705 §3.1).
#[must_use]
pub fn x5t_s256(der: &[u8]) -> X5tS256 {
    X5tS256::of_digest(&Sha256::digest(der).into())
}

/// The certificates that a JWK Set holds: of each key the first of its `x5c`, which is the key's own (RFC 7517 §4.7,
/// RFC 8705 §2.2.2). What is not base64 of something is passed over.
pub fn certificates_of(jwks: &Value) -> impl Iterator<Item = Vec<u8>> {
    let keys = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let first = |key: &Value| key.get("x5c")?.as_array()?.first()?.as_str().map(str::to_owned);
    keys.iter().filter_map(first).filter_map(|text| STANDARD.decode(text).ok()).filter(|der| !der.is_empty())
}

/// The names in a certificate.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CertificateNames {
    /// `subject`.
    pub subject: DistinguishedName,
    /// Every `dNSName` of the subject alternative name.
    pub dns: Vec<String>,
    /// Every `uniformResourceIdentifier`.
    pub uris: Vec<String>,
    /// Every `iPAddress`: four or sixteen bytes (RFC 5280 §4.2.1.6).
    pub ips: Vec<Vec<u8>>,
    /// Every `rfc822Name`.
    pub emails: Vec<String>,
}

/// The one name by which a client registered to be known (RFC 8705 §2.1.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RegisteredName {
    /// `tls_client_auth_subject_dn`.
    SubjectDn(DistinguishedName),
    /// `tls_client_auth_san_dns`.
    SanDns(String),
    /// `tls_client_auth_san_uri`.
    SanUri(String),
    /// `tls_client_auth_san_ip`.
    SanIp(IpAddr),
    /// `tls_client_auth_san_email`.
    SanEmail(String),
}

/// Why what was registered is no name to be known by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRegisteredName {
    /// None, or more than one.
    #[error(
        "tls_client_auth needs exactly one of tls_client_auth_subject_dn, tls_client_auth_san_dns, \
         tls_client_auth_san_uri, tls_client_auth_san_ip and tls_client_auth_san_email"
    )]
    NotExactlyOne,
    /// A distinguished name that cannot be read.
    #[error("tls_client_auth_subject_dn {0}")]
    SubjectDn(InvalidName),
    /// Not an address.
    #[error("tls_client_auth_san_ip must be an IPv4 or IPv6 address")]
    SanIp,
    /// Empty, or much too long.
    #[error("a name that a certificate is known by must be 1 to 2048 characters")]
    Length,
}

/// The longest registered name.
const LONGEST: usize = 2048;

/// The members of a client's metadata that name its certificate, as they are registered.
#[derive(Clone, Copy, Default, Debug)]
pub struct WrittenNames<'a> {
    /// `tls_client_auth_subject_dn`.
    pub subject_dn: Option<&'a str>,
    /// `tls_client_auth_san_dns`.
    pub san_dns: Option<&'a str>,
    /// `tls_client_auth_san_uri`.
    pub san_uri: Option<&'a str>,
    /// `tls_client_auth_san_ip`.
    pub san_ip: Option<&'a str>,
    /// `tls_client_auth_san_email`.
    pub san_email: Option<&'a str>,
}

impl RegisteredName {
    /// Reads what was registered: exactly one name (RFC 8705 §2.1.2).
    ///
    /// # Errors
    /// [`InvalidRegisteredName`].
    pub fn parse(written: WrittenNames<'_>) -> Result<Self, InvalidRegisteredName> {
        let WrittenNames { subject_dn, san_dns, san_uri, san_ip, san_email } = written;
        let all = [subject_dn, san_dns, san_uri, san_ip, san_email];
        let mut present = all.into_iter().flatten();
        match (present.next(), present.next()) {
            (Some(one), None) if one.is_empty() || one.len() > LONGEST => {
                return Err(InvalidRegisteredName::Length);
            }
            (Some(_), None) => {}
            _ => return Err(InvalidRegisteredName::NotExactlyOne),
        }
        match all {
            [Some(dn), ..] => dn.parse().map(Self::SubjectDn).map_err(InvalidRegisteredName::SubjectDn),
            [_, Some(dns), ..] => Ok(Self::SanDns(dns.to_owned())),
            [_, _, Some(uri), ..] => Ok(Self::SanUri(uri.to_owned())),
            [_, _, _, Some(ip), _] => ip.parse().map(Self::SanIp).map_err(|_| InvalidRegisteredName::SanIp),
            [.., Some(email)] => Ok(Self::SanEmail(email.to_owned())),
            _ => Err(InvalidRegisteredName::NotExactlyOne),
        }
    }

    /// Whether the certificate bears this name.
    #[must_use]
    pub fn is_in(&self, certificate: &CertificateNames) -> bool {
        match self {
            Self::SubjectDn(dn) => !dn.is_empty() && *dn == certificate.subject,
            Self::SanDns(dns) => certificate.dns.iter().any(|name| name.eq_ignore_ascii_case(dns)),
            Self::SanUri(uri) => certificate.uris.contains(uri),
            Self::SanIp(IpAddr::V4(ip)) => certificate.ips.iter().any(|bytes| *bytes == ip.octets()),
            Self::SanIp(IpAddr::V6(ip)) => certificate.ips.iter().any(|bytes| *bytes == ip.octets()),
            Self::SanEmail(email) => certificate.emails.iter().any(|name| is_same_mailbox(name, email)),
        }
    }
}

/// Hosts are the same in any case, mailboxes are not (RFC 5280 §7.5).
fn is_same_mailbox(a: &str, b: &str) -> bool {
    match (a.rsplit_once('@'), b.rsplit_once('@')) {
        (Some((a_name, a_host)), Some((b_name, b_host))) => {
            a_name == b_name && a_host.eq_ignore_ascii_case(b_host)
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> CertificateNames {
        CertificateNames {
            subject: "CN=client,O=Example".parse().unwrap(),
            dns: vec!["client.example".into(), "*.wild.example".into()],
            uris: vec!["spiffe://example/client".into()],
            ips: vec![
                vec![192, 0, 2, 1],
                "2001:db8::1".parse::<core::net::Ipv6Addr>().unwrap().octets().into(),
            ],
            emails: vec!["Client@mail.example".into()],
        }
    }

    fn parse(written: WrittenNames<'_>) -> Result<RegisteredName, InvalidRegisteredName> {
        RegisteredName::parse(written)
    }

    fn known_by(written: WrittenNames<'_>) -> bool {
        parse(written).unwrap().is_in(&certificate())
    }

    #[test]
    fn of_each_key_the_first_certificate_is_its_own() {
        let jwks = serde_json::json!({"keys": [
            {"kty": "EC", "x5c": ["AQI=", "Aw=="]}, {"kty": "EC"}, {"x5c": []}, {"x5c": ["_-"]}, {"x5c": [1]}, {"x5c": ["BA=="]}
        ]});
        assert_eq!(certificates_of(&jwks).collect::<Vec<_>>(), [vec![1, 2], vec![4]]);
        assert_eq!(certificates_of(&serde_json::json!({"keys": {}})).count(), 0);
    }

    #[test]
    fn exactly_one_name_is_registered() {
        let dn = WrittenNames { subject_dn: Some("CN=a"), ..WrittenNames::default() };
        assert!(parse(dn).is_ok());
        let two = WrittenNames { san_dns: Some("a"), ..dn };
        for wrong in [WrittenNames::default(), two] {
            assert_eq!(parse(wrong), Err(InvalidRegisteredName::NotExactlyOne));
        }
        let empty = WrittenNames { san_uri: Some(""), ..WrittenNames::default() };
        assert_eq!(parse(empty), Err(InvalidRegisteredName::Length));
        let no_ip = WrittenNames { san_ip: Some("client.example"), ..WrittenNames::default() };
        assert_eq!(parse(no_ip), Err(InvalidRegisteredName::SanIp));
        let no_dn = WrittenNames { subject_dn: Some("client"), ..WrittenNames::default() };
        assert!(matches!(parse(no_dn), Err(InvalidRegisteredName::SubjectDn(_))));
    }

    #[test]
    fn a_host_is_known_in_any_case_but_never_by_a_wildcard_or_a_part() {
        let dns = |dns| known_by(WrittenNames { san_dns: Some(dns), ..WrittenNames::default() });
        assert!(dns("client.example") && dns("Client.EXAMPLE"));
        for near in ["a.wild.example", "lient.example", "client.example.", "example", "client.example.com"] {
            assert!(!dns(near), "{near}");
        }
    }

    #[test]
    fn a_uri_is_known_code_point_by_code_point() {
        let uri = |uri| known_by(WrittenNames { san_uri: Some(uri), ..WrittenNames::default() });
        assert!(uri("spiffe://example/client"));
        for near in
            ["spiffe://example/client/", "spiffe://EXAMPLE/client", "spiffe://example", "client.example"]
        {
            assert!(!uri(near), "{near}");
        }
    }

    #[test]
    fn an_address_is_known_by_its_bytes_however_it_is_written() {
        let ip = |ip| known_by(WrittenNames { san_ip: Some(ip), ..WrittenNames::default() });
        assert!(ip("192.0.2.1") && ip("2001:db8::1") && ip("2001:0DB8:0:0:0:0:0:1"));
        for near in ["192.0.2.2", "2001:db8::2", "::ffff:192.0.2.1"] {
            assert!(!ip(near), "{near}");
        }
    }

    #[test]
    fn a_mailbox_is_known_by_its_name_exactly_and_its_host_in_any_case() {
        let email = |email| known_by(WrittenNames { san_email: Some(email), ..WrittenNames::default() });
        assert!(email("Client@mail.example") && email("Client@MAIL.example"));
        for near in ["client@mail.example", "Client@example", "Client", "x@Client@mail.example"] {
            assert!(!email(near), "{near}");
        }
    }

    #[test]
    fn a_name_of_one_kind_is_not_found_among_another() {
        let nothing = CertificateNames::default();
        for written in [
            WrittenNames { subject_dn: Some("CN=client,O=Example"), ..WrittenNames::default() },
            WrittenNames { san_dns: Some("client.example"), ..WrittenNames::default() },
            WrittenNames { san_uri: Some("client.example"), ..WrittenNames::default() },
        ] {
            assert!(!parse(written).unwrap().is_in(&nothing));
        }
        let emails = CertificateNames { emails: vec!["client.example".into()], ..nothing };
        let dns = WrittenNames { san_dns: Some("client.example"), ..WrittenNames::default() };
        assert!(!parse(dns).unwrap().is_in(&emails));
    }
}
