//! The authorities that vouch for the certificates of clients: `tls_client_auth` (RFC 8705 §2.1).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protocol::numeric_date::NumericDate;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use super::watched::{Content, Watched};
use super::{ClientCertificate, TlsUnfit, listener};

/// The certificates in `mtls.ca_file`, read again when it changes.
pub struct Authorities(Watched<Arc<dyn ClientCertVerifier>>);

impl Authorities {
    /// Reads the file.
    ///
    /// # Errors
    /// [`TlsUnfit`].
    pub fn open(file: &Path) -> Result<Self, TlsUnfit> {
        Watched::open("mtls.ca_file", vec![file.to_owned()], read).map(Self)
    }

    /// Whether one of them vouches for the certificate at `now`: an unbroken chain to it, every link within its time,
    /// and a certificate that may be used by clients (RFC 5280 §6, §4.2.1.12).
    #[must_use]
    pub fn vouch_for(&self, certificate: &ClientCertificate, now: NumericDate) -> bool {
        vouches(&**self.0.current(), certificate, now)
    }

    pub(super) fn reload(&self) {
        self.0.reload();
    }
}

/// Authorities that are given as certificates: those of a SPIFFE trust domain (X509-SVID §6).
pub struct Bundle(Arc<dyn ClientCertVerifier>);

impl Bundle {
    /// These, as DER; those that cannot be used are passed over. None, where nobody is left.
    #[must_use]
    pub fn of(certificates: impl IntoIterator<Item = Vec<u8>>) -> Option<Self> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.into_iter().map(CertificateDer::from));
        verifier(roots).ok().map(Self)
    }

    /// Whether one of them vouches for the certificate at `now`, in the same way.
    #[must_use]
    pub fn vouches_for(&self, certificate: &ClientCertificate, now: NumericDate) -> bool {
        vouches(&*self.0, certificate, now)
    }
}

fn vouches(verifier: &dyn ClientCertVerifier, certificate: &ClientCertificate, now: NumericDate) -> bool {
    let Ok(now) = u64::try_from(now.0) else { return false };
    let now = UnixTime::since_unix_epoch(Duration::from_secs(now));
    let (leaf, intermediates) = certificate.chain();
    let verdict = verifier.verify_client_cert(leaf, intermediates, now);
    if let Err(error) = &verdict {
        tracing::info!(%error, "no authority vouches for a client's certificate");
    }
    verdict.is_ok()
}

fn read(contents: &[Content]) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in contents.iter().flat_map(|content| CertificateDer::pem_slice_iter(content)) {
        let certificate = certificate.map_err(|error| format!("is not PEM: {error}"))?;
        roots
            .add(certificate)
            .map_err(|error| format!("holds a certificate that cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err("holds no certificate".into());
    }
    verifier(roots)
}

fn verifier(roots: RootCertStore) -> Result<Arc<dyn ClientCertVerifier>, String> {
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), listener::provider())
        .build()
        .map_err(|error| error.to_string())
}
