//! A certificate that a client holds. Whoever makes one has seen the proof that it is held: the TLS handshake, or
//! the word of a trusted proxy that saw it.

use std::fmt;

use protocol::certificate::{AttributeValue, CertificateNames, DistinguishedName, x5t_s256};
use protocol::identifier::X5tS256;
use protocol::numeric_date::NumericDate;
use protocol::workload::spiffe::Svid;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::X509Name;

/// A client's certificate, with those that it was sent with.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    leaf: CertificateDer<'static>,
    intermediates: Vec<CertificateDer<'static>>,
    x5t_s256: X5tS256,
}

/// The largest certificate, in bytes.
const LARGEST: usize = 16 * 1024;
/// The longest chain.
const LONGEST_CHAIN: usize = 8;

impl ClientCertificate {
    /// A certificate and those that vouch for it, in order; `None` where there is none, or more than anybody needs.
    #[must_use]
    pub fn of_chain(chain: impl IntoIterator<Item = Vec<u8>>) -> Option<Self> {
        let mut chain = chain.into_iter();
        let leaf = CertificateDer::from(chain.next()?);
        let intermediates: Vec<_> = chain.take(LONGEST_CHAIN).map(CertificateDer::from).collect();
        let small = |der: &CertificateDer<'_>| der.len() <= LARGEST;
        let fits = small(&leaf) && intermediates.iter().all(small) && intermediates.len() < LONGEST_CHAIN;
        fits.then(|| Self { x5t_s256: x5t_s256(&leaf), leaf, intermediates })
    }

    /// Its DER encoding.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.leaf
    }

    /// Its thumbprint (RFC 8705 §3.1).
    #[must_use]
    pub const fn x5t_s256(&self) -> &X5tS256 {
        &self.x5t_s256
    }

    /// Itself, and those that it was sent with.
    pub(super) fn chain(&self) -> (&CertificateDer<'static>, &[CertificateDer<'static>]) {
        (&self.leaf, &self.intermediates)
    }

    /// Whom it names; `None` where it cannot be read.
    #[must_use]
    pub fn names(&self) -> Option<CertificateNames> {
        let parsed = self.parsed()?;
        let mut names = CertificateNames { subject: name(parsed.subject())?, ..CertificateNames::default() };
        let alternative = parsed.subject_alternative_name().ok()?;
        for general in alternative.iter().flat_map(|extension| &extension.value.general_names) {
            match general {
                GeneralName::DNSName(dns) => names.dns.push((*dns).to_owned()),
                GeneralName::URI(uri) => names.uris.push((*uri).to_owned()),
                GeneralName::IPAddress(ip) => names.ips.push((*ip).to_owned()),
                GeneralName::RFC822Name(email) => names.emails.push((*email).to_owned()),
                _ => {}
            }
        }
        Some(names)
    }

    /// Whether it is within its time (RFC 5280 §4.1.2.5).
    #[must_use]
    pub fn is_current(&self, now: NumericDate) -> bool {
        self.parsed().is_some_and(|parsed| {
            let validity = parsed.validity();
            (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now.0)
        })
    }

    /// What it says of whose it is and what it may be used for; `None` where it cannot be read. Without a key usage it
    /// may be used for nothing.
    #[must_use]
    pub fn svid(&self) -> Option<Svid> {
        let parsed = self.parsed()?;
        let usage = parsed.key_usage().ok()?.map(|usage| usage.value);
        Some(Svid {
            uris: self.names()?.uris,
            is_authority: parsed.basic_constraints().ok()?.is_some_and(|constraints| constraints.value.ca),
            may_issue: usage.is_some_and(|usage| usage.key_cert_sign() || usage.crl_sign()),
            may_sign: usage.is_some_and(|usage| usage.digital_signature()),
            expires_at: NumericDate(parsed.validity().not_after.timestamp()),
        })
    }

    fn parsed(&self) -> Option<X509Certificate<'_>> {
        let (rest, parsed) = X509Certificate::from_der(&self.leaf).ok()?;
        rest.is_empty().then_some(parsed)
    }
}

fn name(name: &X509Name<'_>) -> Option<DistinguishedName> {
    let mut names = Vec::new();
    for relative in name.iter_rdn() {
        let mut attributes = Vec::new();
        for attribute in relative.iter() {
            let tag = u8::try_from(attribute.attr_value().tag().0).ok()?;
            let value = AttributeValue::of(tag, attribute.as_slice())?;
            attributes.push((attribute.attr_type().to_id_string(), value));
        }
        names.push(attributes);
    }
    Some(DistinguishedName::of(names))
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate").field("x5t_s256", &self.x5t_s256).finish_non_exhaustive()
    }
}
