//! `[tls]`, `[mtls]` and `[proxy]`: how connections arrive, and whose word about them is taken.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use protocol::client::AuthMethod;
use protocol::numeric_date::Seconds;
use serde::Deserialize;

use super::declared::Declared;
use super::settings::Settings;
use super::written::duration;

/// TLS on the address that is listened on. Without a certificate it speaks plain HTTP.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate and those that vouch for it, in order, as PEM.
    pub certificate: Option<PathBuf>,
    /// The certificate's private key, as PEM.
    pub key: Option<PathBuf>,
    /// The oldest version of TLS that is spoken.
    pub minimum_version: TlsVersion,
    /// How often all files for TLS are looked at for changes.
    #[serde(deserialize_with = "duration")]
    pub reload: Seconds,
}

/// A listener of its own that asks clients for a certificate (RFC 8705).
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MtlsSettings {
    /// The address to listen on.
    pub listen: Option<SocketAddr>,
    /// The base URL under which clients reach it: what `mtls_endpoint_aliases` begin with (RFC 8705 §5).
    pub url: Option<String>,
    /// Its certificate, unless it is that of `[tls]`.
    pub certificate: Option<PathBuf>,
    /// The key of that certificate.
    pub key: Option<PathBuf>,
    /// The oldest version of TLS that is spoken.
    pub minimum_version: TlsVersion,
    /// The authorities that vouch for certificates of clients with `tls_client_auth`, as PEM (RFC 8705 §2.1).
    pub ca_file: Option<PathBuf>,
}

/// The proxies in front of this server.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxySettings {
    /// Their addresses. Nobody else's word about a request is taken.
    pub trusted: Vec<IpNet>,
    /// In which header field they say for whom they ask.
    pub address_header: AddressHeader,
    /// In which header field they pass on the certificate that a client proved to them.
    pub client_certificate_header: Option<String>,
}

/// A version of TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum TlsVersion {
    /// RFC 5246, with the cipher suites of BCP 195 only.
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// RFC 8446.
    #[serde(rename = "1.3")]
    Tls13,
}

/// The header field with the address for which a proxy asks. Only one is read: of the other, a proxy that does not
/// know it would pass on whatever a stranger wrote into it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// A certificate and its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self { certificate: None, key: None, minimum_version: TlsVersion::default(), reload: Seconds(10) }
    }
}

impl TlsSettings {
    /// The files, where they are named.
    #[must_use]
    pub fn files(&self) -> Option<TlsFiles> {
        files(&self.certificate, &self.key)
    }

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.certificate.is_some() != self.key.is_some() {
            wrong.push(("tls.certificate", "certificate and key must be named together".to_owned()));
        }
        if !(1..=3600).contains(&self.reload.0) {
            wrong.push(("tls.reload", "must be from 1 to 3600 seconds".to_owned()));
        }
        wrong
    }
}

impl MtlsSettings {
    /// The files, where they are named.
    #[must_use]
    pub fn files(&self) -> Option<TlsFiles> {
        files(&self.certificate, &self.key)
    }

    /// The base URL of `mtls_endpoint_aliases`.
    #[must_use]
    pub fn base(&self) -> Option<String> {
        self.url.clone().or_else(|| self.listen.map(|listen| format!("https://{listen}")))
    }

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self, tls: &TlsSettings, proxy: &ProxySettings) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.certificate.is_some() != self.key.is_some() {
            wrong.push(("mtls.certificate", "certificate and key must be named together".to_owned()));
        }
        if self.listen.is_some() && self.files().is_none() && tls.files().is_none() {
            wrong.push(("mtls.listen", "needs certificate and key, here or under [tls]".to_owned()));
        }
        if let Some(url) = &self.url {
            let parsed = url::Url::parse(url).ok();
            let fit = parsed.is_some_and(|url| {
                url.scheme() == "https"
                    && url.query().is_none()
                    && url.fragment().is_none()
                    && url.username().is_empty()
            });
            if !fit || url.ends_with('/') {
                wrong.push(("mtls.url", "must be an https URL without a slash at its end".to_owned()));
            }
            if self.listen.is_none() && proxy.client_certificate_header.is_none() {
                wrong.push(("mtls.url", "needs mtls.listen, or proxy.client_certificate_header".to_owned()));
            }
        }
        wrong
    }
}

impl ProxySettings {
    /// Whether this is the address of a trusted proxy.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|range| range.contains(&address))
    }

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let Some(name) = &self.client_certificate_header else { return Vec::new() };
        let token = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let fit = !name.is_empty() && name.len() <= 64 && name.bytes().all(token);
        let mut wrong = Vec::new();
        if !fit {
            wrong.push(("proxy.client_certificate_header", "must be the name of a header field".to_owned()));
        }
        if self.trusted.is_empty() {
            let reason = "needs proxy.trusted: nobody else's certificates are taken".to_owned();
            wrong.push(("proxy.client_certificate_header", reason));
        }
        wrong
    }
}

/// What is missing for the methods of client authentication that are declared.
pub(super) fn missing(settings: &Settings, declared: &Declared) -> Option<(&'static str, String)> {
    let uses = |method: AuthMethod| {
        declared
            .clients
            .iter()
            .find(|client| client.authentication.method() == method)
            .map(|client| &client.id)
    };
    let shown = settings.takes_certificates();
    let vouched = uses(AuthMethod::TlsClientAuth);
    if let Some(id) = vouched.filter(|_| settings.mtls.ca_file.is_none()) {
        return Some((
            "mtls.ca_file",
            format!("is missing: {:?} authenticates with tls_client_auth", id.as_str()),
        ));
    }
    let others = [AuthMethod::SelfSignedTlsClientAuth, AuthMethod::SpiffeX509];
    let any = vouched.or_else(|| others.into_iter().find_map(uses)).filter(|_| !shown)?;
    let reason = format!("is missing: {:?} authenticates with a certificate", any.as_str());
    Some(("mtls.listen", reason))
}

fn files(certificate: &Option<PathBuf>, key: &Option<PathBuf>) -> Option<TlsFiles> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(TlsFiles { certificate: certificate.clone(), key: key.clone() })
        }
        _ => None,
    }
}

/// Makes paths that are not absolute begin at the folder of the configuration file.
pub(super) fn settle(tls: &mut TlsSettings, mtls: &mut MtlsSettings, folder: &Path) {
    let files = [&mut tls.certificate, &mut tls.key, &mut mtls.certificate, &mut mtls.key, &mut mtls.ca_file];
    for file in files.into_iter().flatten() {
        *file = folder.join(&*file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_range_holds_its_own_addresses_however_they_arrive() {
        let proxy = ProxySettings {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            ..ProxySettings::default()
        };
        for (address, trusted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("fd00::1", true),
            ("11.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(proxy.trusts(address.parse().unwrap()), trusted, "{address}");
        }
        assert!(!ProxySettings::default().trusts("127.0.0.1".parse().unwrap()));
    }

    fn read(text: &str) -> Result<crate::config::Config, String> {
        let file = crate::config::ConfigFile {
            name: "t.toml".into(),
            text: text.into(),
            folder: PathBuf::from("/etc/procura"),
        };
        let told = |problems: Vec<crate::config::Problem>| {
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        };
        crate::config::read(Some(&file), []).map_err(told)
    }

    const PAIR: &str = "certificate = \"c.pem\"\nkey = \"k.pem\"\n";

    #[test]
    fn files_are_found_beside_the_configuration_and_the_issuer_follows_the_certificate() {
        let settings = read(&format!("listen = \"127.0.0.1:9000\"\n[tls]\n{PAIR}")).unwrap().settings;
        assert_eq!(settings.issuer, "https://127.0.0.1:9000");
        let files = settings.tls.files().unwrap();
        assert_eq!(files.certificate, Path::new("/etc/procura/c.pem"));
        assert_eq!(files.key, Path::new("/etc/procura/k.pem"));
        let absolute = read("[mtls]\nca_file = \"/ca.pem\"").unwrap().settings;
        assert_eq!(absolute.mtls.ca_file.as_deref(), Some(Path::new("/ca.pem")));
        assert_eq!(absolute.issuer, "http://127.0.0.1:8080");
    }

    #[test]
    fn certificates_are_asked_for_at_the_url_that_is_set_or_the_address_that_is_listened_on() {
        let mtls = |more: &str| read(&format!("[tls]\n{PAIR}[mtls]\n{more}")).unwrap().settings.mtls.base();
        assert_eq!(mtls(""), None);
        assert_eq!(mtls("listen = \"0.0.0.0:8443\"").as_deref(), Some("https://0.0.0.0:8443"));
        let named = mtls("listen = \"0.0.0.0:8443\"\nurl = \"https://mtls.example\"");
        assert_eq!(named.as_deref(), Some("https://mtls.example"));
    }

    #[test]
    fn what_cannot_be_is_told_by_its_key() {
        let client = |method: &str, more: &str| {
            format!(
                "[[clients]]\nid = \"c\"\nname = \"C\"\nkind = \"service\"\nauthentication = \"{method}\"\n{more}"
            )
        };
        let agent = |method: &str, more: &str| {
            format!(
                "[[users]]\nusername = \"bob\"\nname = \"Bob\"\n[[agents]]\nid = \"a\"\nname = \"A\"\nowner = \"bob\"\n\
                 purpose = \"Helps.\"\nexpires = 2099-01-01T00:00:00Z\ngrant_types = [\"client_credentials\"]\n\
                 authentication = \"{method}\"\n{more}"
            )
        };
        let named = "tls_client_auth_san_dns = \"c.example\"";
        let shown = format!("[tls]\n{PAIR}[mtls]\nlisten = \"127.0.0.1:8443\"\nca_file = \"ca.pem\"\n");
        assert!(read(&format!("{shown}{}", client("tls_client_auth", named))).is_ok());
        assert_eq!(read(&format!("{shown}{}", agent("tls_client_auth", named))).err(), None);
        for (text, told) in [
            ("[tls]\ncertificate = \"c.pem\"".to_owned(), "tls.certificate"),
            ("[tls]\nminimum_version = \"1.1\"".to_owned(), "tls.minimum_version"),
            ("[tls]\nreload = 0".to_owned(), "tls.reload"),
            (format!("issuer = \"http://127.0.0.1:8080\"\n[tls]\n{PAIR}"), "issuer: must be https"),
            ("[mtls]\nlisten = \"127.0.0.1:8443\"".to_owned(), "mtls.listen: needs certificate"),
            ("[mtls]\nurl = \"https://mtls.example\"".to_owned(), "mtls.url: needs"),
            (format!("{shown}url = \"http://mtls.example\""), "mtls.url: must be an https URL"),
            (format!("{shown}url = \"https://mtls.example/\""), "mtls.url: must be an https URL"),
            ("[proxy]\ntrusted = [\"10.0.0.0/33\"]".to_owned(), "proxy.trusted"),
            ("[proxy]\naddress_header = \"x-real-ip\"".to_owned(), "proxy.address_header"),
            (
                "[proxy]\nclient_certificate_header = \"client-cert\"".to_owned(),
                "proxy.client_certificate_header: needs proxy.trusted",
            ),
            (
                "[proxy]\ntrusted = [\"10.0.0.0/8\"]\nclient_certificate_header = \"a b\"".to_owned(),
                "proxy.client_certificate_header: must be the name",
            ),
            (client("tls_client_auth", named), "mtls.ca_file: is missing"),
            (format!("[mtls]\nca_file = \"ca.pem\"\n{}", client("tls_client_auth", named)), "mtls.listen"),
            (format!("{shown}{}", client("tls_client_auth", "")), "exactly one of"),
            (
                format!("{shown}{}", client("tls_client_auth", "tls_client_auth_subject_dn = \"c\"")),
                "tls_client_auth_subject_dn must be attributes",
            ),
            (
                format!(
                    "{shown}{}",
                    client("tls_client_auth", &format!("{named}\ntls_client_auth_san_ip = \"::1\""))
                ),
                "exactly one of",
            ),
            (format!("{shown}{}", client("self_signed_tls_client_auth", "")), "clients[0].jwks"),
            (agent("tls_client_auth", named), "mtls.ca_file: is missing"),
            (format!("{shown}{}", agent("tls_client_auth", "")), "exactly one of"),
            (format!("{shown}{}", agent("self_signed_tls_client_auth", "")), "agents[0].jwks"),
            (agent("none", ""), "agents[0].authentication: an agent proves itself"),
            (agent("client_secret_basic", ""), "agents[0].authentication: an agent proves itself"),
            (agent("client_secret_post", ""), "agents[0].authentication: an agent proves itself"),
        ] {
            let problems = read(&text).err().unwrap_or_default();
            assert!(problems.contains(told), "{text}\n-> {problems:?}");
        }
    }
}
