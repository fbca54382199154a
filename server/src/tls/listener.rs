//! What a listener shows in the handshake, and what it asks for.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme, client};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::watched::{Content, Watched};
use super::{ClientCertificate, TlsUnfit};
use crate::config::{TlsFiles, TlsVersion};

/// The side of a listener that speaks TLS.
pub struct ListenerTls {
    certificates: Arc<Certificates>,
    acceptor: TlsAcceptor,
}

/// A connection after its handshake.
pub struct Accepted<S> {
    /// It.
    pub stream: TlsStream<S>,
    /// Whether both agreed on HTTP/2 (RFC 9113 §3.2).
    pub http2: bool,
    /// The certificate that the client proved to hold.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// HTTP/2 rather than HTTP/1.1, if the client can (RFC 7301, RFC 9113 §3.2).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The one library for the cryptography, with its own choice of algorithms.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

impl ListenerTls {
    /// What shows the certificate in `files`, and asks for those of clients or never does. `key` is the setting that
    /// names the files.
    ///
    /// # Errors
    /// [`TlsUnfit`].
    pub fn open(
        key: &'static str,
        files: &TlsFiles,
        minimum: TlsVersion,
        asks: bool,
    ) -> Result<Self, TlsUnfit> {
        let unfit = |error: rustls::Error| TlsUnfit { key, reason: error.to_string() };
        let files: Vec<PathBuf> = vec![files.certificate.clone(), files.key.clone()];
        let certificates = Arc::new(Certificates(Watched::open(key, files, read)?));
        let provider = provider();
        let algorithms = provider.signature_verification_algorithms;
        let versions: &[&rustls::SupportedProtocolVersion] = match minimum {
            TlsVersion::Tls12 => &[&rustls::version::TLS13, &rustls::version::TLS12],
            TlsVersion::Tls13 => &[&rustls::version::TLS13],
        };
        let config =
            ServerConfig::builder_with_provider(provider).with_protocol_versions(versions).map_err(unfit)?;
        let config = match asks {
            true => config.with_client_cert_verifier(Arc::new(AnyCertificate(algorithms))),
            false => config.with_no_client_auth(),
        };
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Certificates>::clone(&certificates);
        let mut config = config.with_cert_resolver(resolver);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(Self { certificates, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// What the handshake ended with.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<Accepted<S>> {
        let stream = self.acceptor.accept(stream).await?;
        let (_, connection) = stream.get_ref();
        let http2 = connection.alpn_protocol() == Some(PROTOCOLS[0]);
        let chain = connection.peer_certificates().unwrap_or_default().iter().map(|der| der.to_vec());
        let certificate = ClientCertificate::of_chain(chain).map(Arc::new);
        Ok(Accepted { stream, http2, certificate })
    }

    pub(super) fn reload(&self) {
        self.certificates.0.reload();
    }
}

/// Our certificates and their key, as they are in the files now.
struct Certificates(Watched<CertifiedKey>);

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificates(…)")
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current())
    }
}

fn read(contents: &[Content]) -> Result<CertifiedKey, String> {
    let [certificate, key] = contents else { return Err("needs a certificate and a key".into()) };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|error| format!("the certificate is not PEM: {error}"))?;
    if chain.is_empty() {
        return Err("the file holds no certificate".into());
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key is not PEM: {error}"))?;
    CertifiedKey::from_der(chain, key, &provider())
        .map_err(|error| format!("certificate and key cannot be used: {error}"))
}

/// Asks for a certificate, takes any, and lets in who has none.
///
/// The handshake proves that the client holds the certificate's key. Who must have vouched for it depends on the
/// client, which is known only once its `client_id` was read: an authority for `tls_client_auth`, and nobody at all
/// for `self_signed_tls_client_auth` and for public clients whose tokens are bound (RFC 8705 §2.1, §2.2, §4). So that
/// is judged where the caller is, request by request, and with the house's clock.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<client::danger::HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
