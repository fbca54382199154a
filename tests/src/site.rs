//! Somebody else's web site, over https: it shows what it was given, and remembers what it was asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rcgen::SanType;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::pki::{Authority, Wanted};

/// A web site.
pub struct Site {
    /// Where it is: scheme, host and port.
    pub origin: String,
    port: u16,
    pages: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    asked: Arc<Mutex<Vec<String>>>,
    folder: TempDir,
}

impl Site {
    /// A site without any page yet.
    pub async fn open() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let authority = Authority::new("The web's authority");
        let localhost = SanType::DnsName("localhost".try_into().unwrap());
        let shown = authority.issue(Wanted::server("a site").known_as(localhost));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), &authority.pem).unwrap();
        let certificate = CertificateDer::from_pem_slice(shown.pem.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(shown.key_pem.as_bytes()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
        let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let site = Self {
            origin: format!("https://127.0.0.1:{port}"),
            port,
            pages: Arc::default(),
            asked: Arc::default(),
            folder,
        };
        let (pages, asked) = (Arc::clone(&site.pages), Arc::clone(&site.asked));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, pages, asked) = (acceptor.clone(), Arc::clone(&pages), Arc::clone(&asked));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut heard = vec![0; 8192];
                    let length = stream.read(&mut heard).await.unwrap_or_default();
                    let text = String::from_utf8_lossy(&heard[..length]).into_owned();
                    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                    let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                    let page = pages.lock().unwrap().get(&path).cloned().unwrap_or_else(|| missing.to_vec());
                    asked.lock().unwrap().push(path);
                    let _ = stream.write_all(&page).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        site
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The same by the name `localhost`.
    #[must_use]
    pub fn url_by_name(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Shows `body` at `path`, with a status line's end such as `200 OK` and header fields, a line each.
    pub fn shows(&self, path: &str, status: &str, fields: &[&str], body: &[u8]) {
        let mut page =
            format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
        for field in fields {
            page.push_str(field);
            page.push_str("\r\n");
        }
        let page = [page.as_bytes(), b"\r\n", body].concat();
        self.pages.lock().unwrap().insert(path.to_owned(), page);
    }

    /// Shows JSON.
    pub fn shows_json(&self, path: &str, body: &serde_json::Value) {
        self.shows(path, "200 OK", &["Content-Type: application/json"], body.to_string().as_bytes());
    }

    /// How often `path` was asked for.
    #[must_use]
    pub fn asked_for(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == path).count()
    }

    /// The settings of a house that may reach this site and trusts its certificate.
    #[must_use]
    pub fn reachable(&self) -> String {
        let ca = self.folder.path().join("ca.pem");
        format!(
            "[outbound]\npermitted_addresses = [\"127.0.0.0/8\", \"::1/128\"]\nca_file = \"{}\"\n",
            ca.display()
        )
    }

    /// The settings of a house that trusts its certificate, and may not reach it.
    #[must_use]
    pub fn out_of_reach(&self) -> String {
        let ca = self.folder.path().join("ca.pem");
        format!("[outbound]\nca_file = \"{}\"\n", ca.display())
    }
}
