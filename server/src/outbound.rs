//! Every request that this server makes of others: bounded in time and size, without redirects, and never to an
//! address within, unless the configuration permits it.
//!
//! Whom to ask is often said by somebody who registered himself. So the address itself is judged, after its name was
//! resolved and by the very resolver that the connection uses: a name that points elsewhere the second time gains
//! nothing.

mod address;

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use url::{Host, Url};

use crate::config::OutboundSettings;
use crate::secret::Secret;

pub use address::Permitted;

/// Makes requests of others.
pub struct Outbound {
    client: Client,
    permitted: Arc<Permitted>,
    most_bytes: usize,
}

/// What came back, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// `Content-Type`, in lower case and without its parameters.
    pub content_type: Option<String>,
    /// How many seconds the answer says that it is fresh (`max-age`, RFC 9111 §5.2.2.1).
    pub max_age: Option<i64>,
    /// `DPoP-Nonce` (RFC 9449 §8).
    pub dpop_nonce: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why nothing came back. For the operator's log: none of it holds what was sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OutboundError {
    /// Not https, or plain http to an address that was not permitted by the configuration.
    #[error("the URL is not https")]
    NotHttps,
    /// An address within, which the configuration does not permit.
    #[error("the address is not permitted")]
    NotPermitted,
    /// The answer is longer than permitted.
    #[error("the answer is too long")]
    TooLong,
    /// It took too long.
    #[error("no answer came in time")]
    TimedOut,
    /// It answers, and says that it cannot now (RFC 9110 §15.6). Any status is an answer: this is for who reads them.
    #[error("it says that it is out of order")]
    OutOfOrder,
    /// No connection, no certificate that we trust, or an answer that was broken off.
    #[error("the connection failed")]
    Failed,
}

/// Why there can be no outgoing requests at all.
#[derive(Debug, thiserror::Error)]
pub enum OutboundUnfit {
    /// A file of certificates that cannot be read.
    #[error("outbound.ca_file cannot be read: {0}")]
    CaFile(String),
    /// The TLS library failed.
    #[error("outbound: TLS could not be set up")]
    Tls,
}

impl Outbound {
    /// What asks within the bounds of `settings`.
    ///
    /// # Errors
    /// [`OutboundUnfit`].
    pub fn new(settings: &OutboundSettings) -> Result<Self, OutboundUnfit> {
        // One provider for the process; it may be there already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let permitted = Arc::new(Permitted::new(settings.permitted_addresses.clone()));
        let timeout = std::time::Duration::from_secs(u64::try_from(settings.timeout.0).unwrap_or(5));
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .timeout(timeout)
            .connect_timeout(timeout)
            .pool_max_idle_per_host(2)
            .dns_resolver(Arc::new(Judge(Arc::clone(&permitted))));
        if let Some(file) = &settings.ca_file {
            let pem = std::fs::read(file).map_err(|error| OutboundUnfit::CaFile(error.to_string()))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem)
                .map_err(|_| OutboundUnfit::CaFile("it holds no certificates".into()))?;
            builder = builder.tls_certs_merge(certificates);
        }
        let client = builder.build().map_err(|_| OutboundUnfit::Tls)?;
        Ok(Self { client, permitted, most_bytes: settings.most_bytes })
    }

    /// `GET url`, asking for `accept`.
    ///
    /// # Errors
    /// [`OutboundError`]. Any status is an answer.
    pub async fn get(&self, url: &Url, accept: &str) -> Result<Answer, OutboundError> {
        self.send(url, self.client.get(url.clone()).header(ACCEPT, accept)).await
    }

    /// `GET url` with a bearer token.
    ///
    /// # Errors
    /// [`OutboundError`]. Any status is an answer.
    pub async fn get_with(&self, url: &Url, accept: &str, bearer: &Secret) -> Result<Answer, OutboundError> {
        let request = self.client.get(url.clone()).header(ACCEPT, accept).bearer_auth(bearer.reveal());
        self.send(url, request).await
    }

    /// `POST url` with a form.
    ///
    /// # Errors
    /// [`OutboundError`]. Any status is an answer.
    pub async fn post_form(&self, url: &Url, fields: &[(&str, &str)]) -> Result<Answer, OutboundError> {
        self.send(url, self.client.post(url.clone()).form(fields)).await
    }

    /// `POST url` with JSON, and a bearer token where there is one.
    ///
    /// # Errors
    /// [`OutboundError`]. Any status is an answer.
    pub async fn post_json(
        &self,
        url: &Url,
        body: &Value,
        bearer: Option<&Secret>,
    ) -> Result<Answer, OutboundError> {
        let request = self.client.post(url.clone()).json(body);
        let request = match bearer {
            Some(bearer) => request.bearer_auth(bearer.reveal()),
            None => request,
        };
        self.send(url, request).await
    }

    /// `POST url` with a text of this media type, where an answer says nothing but that it was taken.
    ///
    /// # Errors
    /// [`OutboundError`]. Any status is an answer.
    pub async fn post_text(
        &self,
        url: &Url,
        content_type: &'static str,
        text: &str,
    ) -> Result<Answer, OutboundError> {
        let request = self.client.post(url.clone()).header(CONTENT_TYPE, content_type);
        self.send(url, request.header(ACCEPT, "application/json").body(text.to_owned())).await
    }

    /// A request as another library made it: its method, header fields and body.
    ///
    /// # Errors
    /// [`OutboundError`]. Any status is an answer.
    pub async fn request(
        &self,
        method: reqwest::Method,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<Answer, OutboundError> {
        self.send(url, self.client.request(method, url.clone()).headers(headers).body(body)).await
    }

    /// A request in plain words, for whoever writes its header fields themselves.
    ///
    /// # Errors
    /// [`OutboundError`]. Any status is an answer.
    pub async fn call(
        &self,
        method: &str,
        url: &Url,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, OutboundError> {
        let method = method.parse::<reqwest::Method>().map_err(|_| OutboundError::Failed)?;
        let request = self.client.request(method, url.clone()).body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(url, request).await
    }

    async fn send(&self, url: &Url, request: RequestBuilder) -> Result<Answer, OutboundError> {
        self.check(url).await?;
        // What is not https goes only where it was permitted, which `check` has seen.
        let answer = request.send().await.map_err(|error| plain(&error))?;
        let status = answer.status().as_u16();
        let content_type = text(answer.headers(), CONTENT_TYPE.as_str())
            .and_then(|value| value.split(';').next().map(|kind| kind.trim().to_ascii_lowercase()));
        let max_age = text(answer.headers(), CACHE_CONTROL.as_str()).and_then(max_age);
        let dpop_nonce = text(answer.headers(), "dpop-nonce").map(str::to_owned);
        let body = self.bounded(answer).await?;
        Ok(Answer { status, content_type, max_age, dpop_nonce, body })
    }

    /// An address that stands in the URL is never resolved, so it is judged here; and plain http is for addresses
    /// that the configuration names.
    async fn check(&self, url: &Url) -> Result<(), OutboundError> {
        let host = url.host().ok_or(OutboundError::NotHttps)?;
        let literal = match host {
            Host::Ipv4(ip) => Some(ip.into()),
            Host::Ipv6(ip) => Some(ip.into()),
            Host::Domain(_) => None,
        };
        if literal.is_some_and(|ip| !self.permitted.reaches(ip)) {
            return Err(OutboundError::NotPermitted);
        }
        match (url.scheme(), literal, host) {
            ("https", ..) => Ok(()),
            ("http", Some(ip), _) if self.permitted.names(ip) => Ok(()),
            ("http", None, Host::Domain(name)) => {
                let port = url.port_or_known_default().unwrap_or(80);
                let found = tokio::net::lookup_host((name, port)).await.map_err(|_| OutboundError::Failed)?;
                let mut found = found.map(|address| address.ip()).peekable();
                let all = found.peek().is_some() && found.all(|ip| self.permitted.names(ip));
                if all { Ok(()) } else { Err(OutboundError::NotHttps) }
            }
            _ => Err(OutboundError::NotHttps),
        }
    }

    async fn bounded(&self, mut answer: Response) -> Result<Vec<u8>, OutboundError> {
        if answer.content_length().is_some_and(|length| length > self.most_bytes as u64) {
            return Err(OutboundError::TooLong);
        }
        let mut body = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| plain(&error))? {
            if body.len() + piece.len() > self.most_bytes {
                return Err(OutboundError::TooLong);
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn max_age(directives: &str) -> Option<i64> {
    // What may not be kept is old at once (RFC 9111 §5.2.2.4, §5.2.2.5).
    let forbids =
        |one: &str| ["no-store", "no-cache"].iter().any(|word| one.trim().eq_ignore_ascii_case(word));
    if directives.split(',').any(forbids) {
        return Some(0);
    }
    let mut named = directives.split(',').filter_map(|directive| directive.trim().split_once('='));
    let (_, seconds) = named.find(|(name, _)| name.eq_ignore_ascii_case("max-age"))?;
    seconds.trim_matches('"').parse().ok()
}

fn plain(error: &reqwest::Error) -> OutboundError {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(one) = cause {
        if one.is::<Forbidden>() {
            return OutboundError::NotPermitted;
        }
        cause = one.source();
    }
    if error.is_timeout() { OutboundError::TimedOut } else { OutboundError::Failed }
}

/// Resolves names, and passes on only addresses that may be reached.
struct Judge(Arc<Permitted>);

/// All addresses of a name are forbidden ones.
#[derive(Debug, thiserror::Error)]
#[error("the address is not permitted")]
struct Forbidden;

impl Resolve for Judge {
    fn resolve(&self, name: Name) -> Resolving {
        let permitted = Arc::clone(&self.0);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One forbidden address among them is enough: whoever mixes them means no good.
            if found.iter().any(|address| !permitted.reaches(address.ip())) {
                return Err(Forbidden.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use protocol::numeric_date::Seconds;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn outbound(permitted: &[&str]) -> Outbound {
        let permitted_addresses = permitted.iter().map(|range| range.parse().unwrap()).collect();
        let settings = OutboundSettings {
            permitted_addresses,
            timeout: Seconds(1),
            most_bytes: 1000,
            ..OutboundSettings::default()
        };
        Outbound::new(&settings).unwrap()
    }

    /// Answers every connection with the same text, or never.
    async fn peer(answer: Option<String>) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut heard = [0; 4096];
                let _ = stream.read(&mut heard).await;
                if let Some(answer) = &answer {
                    let _ = stream.write_all(answer.as_bytes()).await;
                }
                kept.push(stream);
            }
        });
        url.parse().unwrap()
    }

    fn answer(head: &str, body: &str) -> Option<String> {
        Some(format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    #[tokio::test]
    async fn an_address_within_is_not_asked_unless_it_is_permitted() {
        let url = peer(answer("200 OK\r\nCache-Control: public, max-age=60", "hello")).await;
        assert_eq!(outbound(&[]).get(&url, "*/*").await.unwrap_err(), OutboundError::NotPermitted);
        let heard = outbound(&["127.0.0.0/8"]).get(&url, "*/*").await.unwrap();
        assert_eq!((heard.status, heard.body.as_slice(), heard.max_age), (200, &b"hello"[..], Some(60)));
    }

    #[tokio::test]
    async fn a_name_is_judged_by_the_address_it_resolves_to() {
        let mut url = peer(answer("200 OK", "hello")).await;
        url.set_host(Some("localhost")).unwrap();
        assert_eq!(outbound(&[]).get(&url, "*/*").await.unwrap_err(), OutboundError::NotHttps);
        url.set_scheme("https").unwrap();
        assert_eq!(outbound(&[]).get(&url, "*/*").await.unwrap_err(), OutboundError::NotPermitted);
        url.set_scheme("http").unwrap();
        assert_eq!(outbound(&["127.0.0.0/8", "::1/128"]).get(&url, "*/*").await.unwrap().status, 200);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let url = peer(answer("302 Found\r\nLocation: http://169.254.169.254/", "")).await;
        assert_eq!(outbound(&["127.0.0.1/32"]).get(&url, "*/*").await.unwrap().status, 302);
    }

    #[tokio::test]
    async fn a_long_answer_and_a_slow_one_are_given_up() {
        let long = peer(answer("200 OK", &"x".repeat(1001))).await;
        let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000)).repeat(2);
        let unannounced =
            peer(Some(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"))).await;
        let slow = peer(None).await;
        let outbound = outbound(&["127.0.0.1/32"]);
        assert_eq!(outbound.get(&long, "*/*").await.unwrap_err(), OutboundError::TooLong);
        assert_eq!(outbound.get(&unannounced, "*/*").await.unwrap_err(), OutboundError::TooLong);
        assert_eq!(outbound.get(&slow, "*/*").await.unwrap_err(), OutboundError::TimedOut);
    }

    #[test]
    fn what_may_not_be_kept_is_old_at_once() {
        for (directives, seconds) in [
            ("max-age=60", Some(60)),
            ("public, MAX-AGE=\"60\"", Some(60)),
            ("no-store, max-age=60", Some(0)),
            ("No-Cache", Some(0)),
            ("private", None),
            ("max-age=x", None),
        ] {
            assert_eq!(max_age(directives), seconds, "{directives}");
        }
    }

    #[tokio::test]
    async fn other_schemes_are_not_spoken() {
        for url in ["ftp://example.com/", "file:///etc/passwd", "data:text/plain,x", "http://8.8.8.8/"] {
            let refused = outbound(&[]).get(&url.parse().unwrap(), "*/*").await.unwrap_err();
            assert_eq!(refused, OutboundError::NotHttps, "{url}");
        }
    }
}
