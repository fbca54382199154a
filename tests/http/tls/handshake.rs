//! A visitor that does one handshake at a time, and looks at what was agreed on.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, SignatureScheme, SupportedProtocolVersion};
use tests::{Authority, House};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How a handshake is tried.
pub struct Handshake<'a> {
    /// Who is trusted.
    pub authority: &'a Authority,
    /// The versions that are offered.
    pub versions: &'a [&'static SupportedProtocolVersion],
    /// The protocols that are offered (ALPN).
    pub protocols: &'a [&'static str],
}

/// What was agreed on.
pub struct Agreed {
    /// The connection.
    pub stream: TlsStream<TcpStream>,
    /// Whether a certificate was asked for.
    pub asked: bool,
}

impl Handshake<'_> {
    /// Tries it.
    pub async fn with(&self, address: SocketAddr) -> io::Result<Agreed> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.pem.as_bytes()).unwrap()).unwrap();
        let asked = Arc::new(Asked::default());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::<Asked>::clone(&asked));
        config.alpn_protocols = self.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Agreed { stream, asked: asked.0.load(Ordering::SeqCst) })
    }
}

impl Agreed {
    /// The certificate that the house showed.
    pub fn shown(&self) -> Vec<u8> {
        self.stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
    }
}

/// Where the house listens.
pub fn address(house: &House) -> SocketAddr {
    house.issuer().split_once("://").unwrap().1.parse().unwrap()
}

/// Notes that it was asked for a certificate, and has none.
#[derive(Default, Debug)]
struct Asked(AtomicBool);

impl ResolvesClientCert for Asked {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::SeqCst);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}
