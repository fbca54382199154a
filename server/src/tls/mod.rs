//! TLS: what our listeners show and demand, and the certificates that clients show (RFC 8446, BCP 195, RFC 8705).
//!
//! The library is rustls with aws-lc-rs, whose protocol versions and cipher suites are those that BCP 195 and FAPI 2.0
//! §5.2 permit: TLS 1.2 with ECDHE and AEAD ciphers only, and TLS 1.3. Nothing weaker can be configured.

mod authorities;
mod client_certificate;
mod listener;
mod watched;

use crate::config::Settings;

pub use authorities::{Authorities, Bundle};
pub use client_certificate::ClientCertificate;
pub use listener::{Accepted, ListenerTls};

/// Everything about TLS that one process holds.
#[derive(Default)]
pub struct Tls {
    /// For the listener that everybody comes to, where it speaks TLS.
    pub main: Option<ListenerTls>,
    /// For the listener that asks for client certificates.
    pub mtls: Option<ListenerTls>,
    /// Who vouches for the certificates of clients (RFC 8705 §2.1).
    pub authorities: Option<Authorities>,
}

/// Why a file for TLS cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct TlsUnfit {
    /// The key that names the file.
    pub key: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl Tls {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// [`TlsUnfit`] for the first file that cannot be used.
    pub fn open(settings: &Settings) -> Result<Self, TlsUnfit> {
        let (tls, mtls) = (&settings.tls, &settings.mtls);
        let main = match &tls.files() {
            Some(files) => Some(ListenerTls::open("tls.certificate", files, tls.minimum_version, false)?),
            None => None,
        };
        let own = mtls.files().or_else(|| tls.files());
        let mtls_listener = match (mtls.listen, own) {
            (Some(_), Some(files)) => {
                Some(ListenerTls::open("mtls.certificate", &files, mtls.minimum_version, true)?)
            }
            (Some(_), None) => {
                let reason = "is missing, and tls.certificate is too".to_owned();
                return Err(TlsUnfit { key: "mtls.certificate", reason });
            }
            (None, _) => None,
        };
        let authorities = mtls.ca_file.as_deref().map(Authorities::open).transpose()?;
        Ok(Self { main, mtls: mtls_listener, authorities })
    }

    /// Reads every file again. One that changed is used from the next handshake on; one that changed into something
    /// unusable is told in the log, and what was there before is used on.
    pub fn reload(&self) {
        for listener in [&self.main, &self.mtls].into_iter().flatten() {
            listener.reload();
        }
        if let Some(authorities) = &self.authorities {
            authorities.reload();
        }
    }
}
