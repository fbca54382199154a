//! A house that speaks TLS: to everybody at one address, and at another to those who show a certificate.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::client::Client;
use crate::house::House;
use crate::pki::{Authority, Identity, Wanted};

/// The files of a house that speaks TLS, and who issued what is in them.
pub struct Secured {
    /// Who issued the house's own certificate.
    pub authority: Authority,
    /// Who vouches for clients.
    pub clients: Authority,
    /// The certificate that the house shows.
    pub shown: Identity,
    mtls: String,
    listener: Mutex<Option<TcpListener>>,
    folder: TempDir,
}

impl Secured {
    /// Writes the files.
    #[must_use]
    pub fn prepare() -> Self {
        // Whoever comes first names the provider; the others find it named.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let (authority, clients) =
            (Authority::new("The servers' authority"), Authority::new("The clients' authority"));
        let shown = authority.issue(Wanted::server("the house"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let mtls = listener.local_addr().unwrap().to_string();
        let listener = Mutex::new(Some(listener));
        let secured = Self { authority, clients, mtls, listener, folder, shown };
        secured.show(&secured.shown);
        std::fs::write(secured.file("clients.pem"), &secured.clients.pem).unwrap();
        secured
    }

    /// The listener for certificates, for the first house that asks.
    pub(crate) fn listener(&self) -> Option<tokio::net::TcpListener> {
        self.listener
            .lock()
            .unwrap()
            .take()
            .map(|listener| tokio::net::TcpListener::from_std(listener).unwrap())
    }

    /// The path of one of the files.
    #[must_use]
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Puts another certificate into the house's files.
    pub fn show(&self, identity: &Identity) {
        std::fs::write(self.file("key.pem"), &identity.key_pem).unwrap();
        std::fs::write(self.file("chain.pem"), &identity.pem).unwrap();
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> String {
        let path = |name: &str| Path::display(&self.file(name)).to_string();
        format!(
            "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\nreload = \"1s\"\n[mtls]\nlisten = \"{}\"\nca_file = \"{}\"\n",
            path("chain.pem"),
            path("key.pem"),
            self.mtls,
            path("clients.pem"),
        )
    }

    /// Who trusts the house, and shows this certificate where it is asked for one.
    #[must_use]
    pub fn visitor(&self, identity: Option<&Identity>) -> reqwest::Client {
        let trusted = reqwest::Certificate::from_pem(self.authority.pem.as_bytes()).unwrap();
        let visitor =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).tls_certs_only([trusted]);
        match identity {
            Some(identity) => visitor.identity(identity.to_show()).build().unwrap(),
            None => visitor.build().unwrap(),
        }
    }

    /// Where certificates are asked for.
    #[must_use]
    pub fn base(&self) -> String {
        format!("https://{}", self.mtls)
    }

    /// `client` as it comes to where certificates are asked for, with this one or with none.
    #[must_use]
    pub fn showing(&self, client: &Client, identity: Option<&Identity>) -> Client {
        client.clone().going(self.base(), self.visitor(identity))
    }
}

impl House {
    /// On SQLite, speaking TLS, with a fragment of TOML in the configuration: tables of settings first.
    pub async fn open_secured(secured: &Secured, fragment: &str) -> Self {
        Self::on_secured(crate::Database::Sqlite, secured, fragment).await
    }

    /// On SQLite, speaking TLS as these settings say.
    pub async fn on_settings(secured: &Secured, settings: &str) -> Self {
        Self::with_settings(crate::Database::Sqlite, secured, settings).await
    }
}
