//! The settings: one value each, with a default for every one of them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use protocol::client::AuthMethod;
use protocol::identifier::DetailsTypeName;
use protocol::numeric_date::Seconds;
use protocol::registration::Policy;
use protocol::registration::redirect_uris::is_loopback;
use serde::Deserialize;

use super::certification::CertificationSettings;
use super::deferred::{ApprovalSettings, CibaSettings, DeviceSettings};
use super::grant_management::GrantManagementSettings;
use super::hidden::Hidden;
use super::keys::KeySettings;
use super::mail::{MailSettings, PasswordSettings};
use super::outbound::OutboundSettings;
use super::registration::RegistrationSettings;
use super::status_lists::StatusListSettings;
use super::tasks::TaskSettings;
use super::transaction_tokens::TransactionTokenSettings;
use super::transport::{MtlsSettings, ProxySettings, TlsSettings};
use super::userinfo::UserinfoSettings;
use super::written::duration;

/// All settings. `config/example.toml` says what each is for.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The issuer identifier (RFC 8414 §2); unless set, `http://` and the address listened on.
    pub issuer: String,
    /// Where the data is.
    pub database_url: Hidden,
    /// What is logged: a level, or directives such as `info,server=debug`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// The life of an access token, unless its resource server says otherwise.
    #[serde(deserialize_with = "duration")]
    pub token_life: Seconds,
    /// The life of an authorization code (RFC 6749 §4.1.2 recommends ten minutes at most).
    #[serde(deserialize_with = "duration")]
    pub code_life: Seconds,
    /// The life of a pushed authorization request (RFC 9126 §2.2).
    #[serde(deserialize_with = "duration")]
    pub pushed_request_life: Seconds,
    /// The life of a refresh token.
    #[serde(deserialize_with = "duration")]
    pub refresh_token_life: Seconds,
    /// The life of a browser session.
    #[serde(deserialize_with = "duration")]
    pub session_life: Seconds,
    /// The longest life of a consent to an application.
    #[serde(deserialize_with = "duration")]
    pub consent_life: Seconds,
    /// The longest life of a consent to an agent.
    #[serde(deserialize_with = "duration")]
    pub agent_consent_life: Seconds,
    /// The longest chain of actors.
    pub max_chain_depth: usize,
    /// Details types that are declared by the admin API, so that what names them is no mistake.
    pub program_details_types: BTreeSet<DetailsTypeName>,
    /// Proof of possession.
    pub dpop: DpopSettings,
    /// The device flow.
    pub device: DeviceSettings,
    /// Client-Initiated Backchannel Authentication.
    pub ciba: CibaSettings,
    /// Token requests that a person has to approve.
    pub approvals: ApprovalSettings,
    /// The bounds of requests that are made of others.
    pub outbound: OutboundSettings,
    /// How mail is sent.
    pub mail: MailSettings,
    /// What a password must be.
    pub passwords: PasswordSettings,
    /// Clients that nobody declared.
    pub registration: RegistrationSettings,
    /// TLS on the address that is listened on.
    pub tls: TlsSettings,
    /// The listener that asks for client certificates.
    pub mtls: MtlsSettings,
    /// The proxies in front.
    pub proxy: ProxySettings,
    /// What is too much.
    pub limits: Limits,
    /// Signing keys.
    pub keys: KeySettings,
    /// What makes a test server of this one.
    pub certification: Option<CertificationSettings>,
    /// What those who validate offline are told of ended tokens.
    pub status_lists: StatusListSettings,
    /// How many tasks there may be.
    pub tasks: TaskSettings,
    /// Grant Management.
    pub grant_management: GrantManagementSettings,
    /// What userinfo asks of a login.
    pub userinfo: UserinfoSettings,
    /// The trust domain.
    pub transaction_tokens: TransactionTokenSettings,
}

/// How logs are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// DPoP (RFC 9449).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DpopSettings {
    /// Whether proofs must carry a nonce of ours (RFC 9449 §8).
    pub nonce: DpopNonce,
    /// How far `iat` of a proof may lie from now.
    #[serde(deserialize_with = "duration")]
    pub proof_window: Seconds,
    /// How long a nonce is accepted.
    #[serde(deserialize_with = "duration")]
    pub nonce_life: Seconds,
}

/// Whether DPoP proofs must carry a nonce.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DpopNonce {
    /// They must.
    Required,
    /// They need not, and none is given out.
    Off,
}

/// Limits on what one request may hold and how often one may fail.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest request body, in bytes.
    pub body_bytes: usize,
    /// The largest request head, in bytes.
    pub header_bytes: usize,
    /// The longest request URI, in bytes.
    pub uri_bytes: usize,
    /// Attempts to sign in per minute, for a user name from one address.
    pub sign_in_attempts_per_minute: NonZeroU32,
    /// Failures to sign in per minute from one address, whatever the names.
    pub failed_sign_ins_per_minute_from_one_address: NonZeroU32,
    /// Failures to sign in per hour for one name, from browsers that its owner was never signed in with.
    pub failed_sign_ins_per_hour_for_one_name: NonZeroU32,
    /// Failed client authentications per minute, for a client from one address.
    pub failed_client_authentications_per_minute: NonZeroU32,
}

impl Default for Settings {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8080));
        Self {
            listen,
            issuer: issuer_of(listen),
            database_url: Hidden::from("sqlite://data/procura.db?mode=rwc"),
            log: "info".into(),
            log_format: LogFormat::Text,
            token_life: Seconds::minutes(5),
            code_life: Seconds(60),
            pushed_request_life: Seconds(60),
            refresh_token_life: Seconds::days(30),
            session_life: Seconds::minutes(12 * 60),
            consent_life: Seconds::days(30),
            agent_consent_life: Seconds::minutes(8 * 60),
            max_chain_depth: 5,
            program_details_types: BTreeSet::new(),
            dpop: DpopSettings::default(),
            device: DeviceSettings::default(),
            ciba: CibaSettings::default(),
            approvals: ApprovalSettings::default(),
            outbound: OutboundSettings::default(),
            mail: MailSettings::default(),
            passwords: PasswordSettings::default(),
            registration: RegistrationSettings::default(),
            tls: TlsSettings::default(),
            mtls: MtlsSettings::default(),
            proxy: ProxySettings::default(),
            limits: Limits::default(),
            keys: KeySettings::default(),
            certification: None,
            status_lists: StatusListSettings::default(),
            tasks: TaskSettings::default(),
            grant_management: GrantManagementSettings::default(),
            userinfo: UserinfoSettings::default(),
            transaction_tokens: TransactionTokenSettings::default(),
        }
    }
}

impl Default for DpopSettings {
    fn default() -> Self {
        Self { nonce: DpopNonce::Required, proof_window: Seconds(60), nonce_life: Seconds::minutes(5) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        const TEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
        Self {
            body_bytes: 64 * 1024,
            header_bytes: 16 * 1024,
            uri_bytes: 8 * 1024,
            sign_in_attempts_per_minute: TEN,
            failed_sign_ins_per_minute_from_one_address: TEN.saturating_mul(TEN),
            failed_sign_ins_per_hour_for_one_name: TEN.saturating_mul(TEN),
            failed_client_authentications_per_minute: TEN.saturating_mul(TEN),
        }
    }
}

/// The issuer of a server that was told nothing but where to listen, by plain HTTP.
#[must_use]
pub fn issuer_of(listen: SocketAddr) -> String {
    format!("http://{listen}")
}

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;
const YEAR: i64 = 366 * DAY;
const KIB: usize = 1024;

impl Settings {
    /// Whether clients can show a certificate: to a listener of ours, or to a proxy that passes it on.
    #[must_use]
    pub const fn takes_certificates(&self) -> bool {
        self.mtls.listen.is_some() || self.proxy.client_certificate_header.is_some()
    }

    /// What clients that register themselves get, and may have at most.
    #[must_use]
    pub fn registration_policy(&self) -> Policy {
        let methods = AuthMethod::offered(self.takes_certificates(), self.mtls.ca_file.is_some());
        self.registration.policy(methods.collect())
    }

    /// Whether the issuer, by plain HTTP and so without anything in between, is another port than the one listened on:
    /// then what is told of this server leads past it.
    #[must_use]
    pub fn links_lead_elsewhere(&self) -> bool {
        let issuer = url::Url::parse(&self.issuer).ok().filter(|issuer| issuer.scheme() == "http");
        issuer
            .and_then(|issuer| issuer.port_or_known_default())
            .is_some_and(|port| port != self.listen.port())
    }

    /// What is wrong with the values, each by its key.
    pub(super) fn wrong(&self) -> Vec<(&'static str, String)> {
        let lives = [
            ("token_life", self.token_life, 1, DAY),
            ("code_life", self.code_life, 1, 10 * MINUTE),
            ("pushed_request_life", self.pushed_request_life, 5, 10 * MINUTE),
            ("refresh_token_life", self.refresh_token_life, MINUTE, YEAR),
            ("session_life", self.session_life, MINUTE, 30 * DAY),
            ("consent_life", self.consent_life, MINUTE, 10 * YEAR),
            ("agent_consent_life", self.agent_consent_life, MINUTE, YEAR),
            ("dpop.proof_window", self.dpop.proof_window, 1, 10 * MINUTE),
            ("dpop.nonce_life", self.dpop.nonce_life, 1, DAY),
            ("device.code_life", self.device.code_life, 10, 30 * MINUTE),
            ("device.interval", self.device.interval, 1, MINUTE),
            ("ciba.request_life", self.ciba.request_life, 10, DAY),
            ("ciba.longest_request_life", self.ciba.longest_request_life, 10, 30 * DAY),
            ("ciba.interval", self.ciba.interval, 1, MINUTE),
            ("approvals.request_life", self.approvals.request_life, 10, 30 * DAY),
            ("approvals.approval_life", self.approvals.approval_life, 10, DAY),
            ("approvals.interval", self.approvals.interval, 1, MINUTE),
            ("status_lists.ttl", self.status_lists.ttl, 1, 60 * MINUTE),
            ("outbound.timeout", self.outbound.timeout, 1, MINUTE),
        ];
        let sizes = [
            ("max_chain_depth", self.max_chain_depth, 1, 10),
            ("outbound.most_bytes", self.outbound.most_bytes, 4 * KIB, 16 * KIB * KIB),
            ("limits.body_bytes", self.limits.body_bytes, 16 * KIB, 16 * KIB * KIB),
            ("limits.header_bytes", self.limits.header_bytes, 8 * KIB, KIB * KIB),
            ("limits.uri_bytes", self.limits.uri_bytes, KIB, 64 * KIB),
            (
                "passwords.min_length",
                self.passwords.min_length,
                *protocol::password::SHORTEST.start(),
                *protocol::password::SHORTEST.end(),
            ),
        ];
        let lives = lives
            .into_iter()
            .filter(|(_, life, least, most)| !(*least..=*most).contains(&life.0))
            .map(|(key, _, least, most)| (key, format!("must be from {least} to {most} seconds")));
        let sizes = sizes
            .into_iter()
            .filter(|(_, size, least, most)| !(*least..=*most).contains(size))
            .map(|(key, _, least, most)| (key, format!("must be from {least} to {most}")));
        let texts = [
            ("issuer", issuer_is_wrong(&self.issuer)),
            ("database_url", database_is_wrong(self.database_url.reveal())),
            ("log", log_is_wrong(&self.log)),
        ];
        let texts = texts.into_iter().filter_map(|(key, wrong)| Some((key, wrong?.to_owned())));
        // Of an issuer that is wrong anyway nothing more is asked.
        let is_local = issuer_is_wrong(&self.issuer).is_some()
            || url::Url::parse(&self.issuer).is_ok_and(|issuer| is_loopback(&issuer));
        let keys = self.keys.wrong(is_local);
        let transport = [self.tls.wrong(), self.mtls.wrong(&self.tls, &self.proxy), self.proxy.wrong()];
        let certification = self.certification.iter().flat_map(|table| table.wrong(&self.issuer));
        let mut wrong: Vec<_> = texts
            .chain(lives)
            .chain(sizes)
            .chain(certification)
            .chain(transport.into_iter().flatten())
            .chain(self.userinfo.wrong())
            .chain(self.transaction_tokens.wrong())
            .chain(keys)
            .chain(self.mail.wrong())
            .collect();
        wrong.extend(self.registration.wrong());
        if self.tls.files().is_some() && !self.issuer.starts_with("https://") {
            wrong.push(("issuer", "must be https, since [tls] names a certificate".to_owned()));
        }
        wrong
    }
}

/// RFC 8414 §2: an https URL without query or fragment. Plain http is for trying things out on one machine.
/// Clients compare it code point by code point (RFC 9207 §2.4), so it must stand here in its one plain form.
fn issuer_is_wrong(issuer: &str) -> Option<&'static str> {
    if issuer.contains(['?', '#']) {
        return Some("must have neither query nor fragment");
    }
    if issuer.ends_with('/') {
        return Some("must not end with a slash");
    }
    let Ok(url) = url::Url::parse(issuer) else {
        return Some("must be a URL such as https://login.example");
    };
    let fit = match url.scheme() {
        "https" => true,
        "http" => is_loopback(&url),
        _ => false,
    };
    if !fit {
        return Some("must be https, unless its host is 127.0.0.1, [::1] or localhost");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some("must not name a user");
    }
    let plain = url.as_str();
    let same = plain == issuer || plain.strip_suffix('/') == Some(issuer);
    (!same).then_some("must be in its plain form: lower case, no default port, nothing escaped without need")
}

fn database_is_wrong(url: &str) -> Option<&'static str> {
    let known = ["sqlite:", "postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    (!known).then_some("must begin with sqlite: or postgres://")
}

fn log_is_wrong(directives: &str) -> Option<&'static str> {
    let parsed = tracing_subscriber::EnvFilter::try_new(directives);
    (directives.trim().is_empty() || parsed.is_err())
        .then_some("must be error, warn, info, debug or trace, or directives such as info,server=debug")
}
