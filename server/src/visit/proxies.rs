//! What proxies say of a request: for whom they ask (RFC 7239, `X-Forwarded-For`), and which certificate that one
//! proved to them (RFC 9440, or PEM with percent escapes). Only trusted ones are believed; what anybody else says is
//! taken out before any other room can see it. Scheme and host are never taken from a request: the issuer rules.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::{AddressHeader, ProxySettings};
use crate::tls::ClientCertificate;

/// `Forwarded` (RFC 7239 §4).
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
/// `X-Forwarded-For`.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// How many proxies one after the other are followed.
const MOST_HOPS: usize = 32;
/// The longest certificate header, in bytes.
const LONGEST_CERTIFICATE: usize = 64 * 1024;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Arrival {
    /// The address of whoever is the nearest that is not one of our proxies.
    pub(super) from: Option<IpAddr>,
    /// The certificate that it proved to hold.
    pub(super) certificate: Option<Arc<ClientCertificate>>,
}

/// Reads what was said, and takes it out of the header fields. `shown` is the certificate of the handshake with us.
pub(super) fn read(
    settings: &ProxySettings,
    peer: Option<IpAddr>,
    shown: Option<Arc<ClientCertificate>>,
    headers: &mut HeaderMap,
) -> Arrival {
    let hops = match settings.address_header {
        AddressHeader::XForwardedFor => listed(&taken(headers, &X_FORWARDED_FOR)),
        AddressHeader::Forwarded => forwarded(&taken(headers, &FORWARDED)),
    };
    headers.remove(&X_FORWARDED_FOR);
    headers.remove(&FORWARDED);
    let names = settings.client_certificate_header.as_deref().and_then(certificate_headers);
    let said = names.map(|[leaf, chain]| (taken(headers, &leaf), taken(headers, &chain)));
    let trusted = peer.is_some_and(|peer| settings.trusts(peer));
    let certificate = match said {
        // A proxy's own certificate, if it showed one, is not its client's.
        Some((leaf, chain)) if trusted => certificate(&leaf, &chain).map(Arc::new),
        _ => shown,
    };
    let from = peer.map(|peer| origin(settings, peer, &hops));
    Arrival { from, certificate }
}

fn taken(headers: &mut HeaderMap, name: &HeaderName) -> Vec<HeaderValue> {
    let values = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    values
}

/// The header with the certificate, and the one with those that vouch for it (RFC 9440 §2.3).
fn certificate_headers(name: &str) -> Option<[HeaderName; 2]> {
    let header = |name: &str| HeaderName::from_bytes(name.as_bytes()).ok();
    Some([header(name)?, header(&format!("{name}-chain"))?])
}

/// The nearest hop that is not one of our proxies. Each is believed about the one before it, and where a proxy says
/// something that is no address, it is itself the last that is known.
fn origin(settings: &ProxySettings, peer: IpAddr, hops: &[Option<IpAddr>]) -> IpAddr {
    let mut nearest = peer.to_canonical();
    for hop in hops.iter().rev().take(MOST_HOPS) {
        if !settings.trusts(nearest) {
            break;
        }
        match hop {
            Some(hop) => nearest = hop.to_canonical(),
            None => break,
        }
    }
    nearest
}

/// `X-Forwarded-For: client, proxy`, several of them in order.
fn listed(values: &[HeaderValue]) -> Vec<Option<IpAddr>> {
    let texts = values.iter().map(|value| value.to_str().unwrap_or_default());
    texts.flat_map(|text| text.split(',').map(node)).collect()
}

/// `Forwarded: for=client;proto=https, for="[2001:db8::1]:4711"` (RFC 7239 §4).
fn forwarded(values: &[HeaderValue]) -> Vec<Option<IpAddr>> {
    let texts = values.iter().map(|value| value.to_str().unwrap_or_default());
    texts.flat_map(|text| split(text, ',').into_iter().map(element)).collect()
}

/// The `for` of one element; it must be there once.
fn element(element: &str) -> Option<IpAddr> {
    let pairs = split(element, ';').into_iter().filter_map(|pair| pair.split_once('='));
    let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    match (named.next(), named.next()) {
        (Some((_, value)), None) => {
            let value = value.trim();
            let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            node(unquoted.unwrap_or(value))
        }
        _ => None,
    }
}

/// Splits where `at` stands outside of quotes.
fn split(text: &str, at: char) -> Vec<&str> {
    let mut quoted = false;
    let outside = |c: char| {
        quoted ^= c == '"';
        c == at && !quoted
    };
    text.split(outside).collect()
}

/// An address, with or without brackets and port (RFC 7239 §6). `unknown` and hidden names are none.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

/// The certificate, and those that were passed on with it.
fn certificate(leaf: &[HeaderValue], chain: &[HeaderValue]) -> Option<ClientCertificate> {
    let [leaf] = leaf else {
        if leaf.len() > 1 {
            tracing::warn!("a proxy sent several client certificates; none was taken");
        }
        return None;
    };
    let text = leaf.to_str().ok().filter(|text| !text.is_empty() && text.len() <= LONGEST_CERTIFICATE)?;
    let read = match text.starts_with(':') {
        true => {
            let others =
                chain.iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
            byte_sequence(text).map(|leaf| {
                let mut all = vec![leaf];
                all.extend(others.filter_map(|text| byte_sequence(text.trim())));
                all
            })
        }
        false => pem(text),
    };
    let certificate = read.and_then(ClientCertificate::of_chain);
    if certificate.is_none() {
        tracing::warn!("a proxy sent a client certificate that cannot be read");
    }
    certificate
}

/// `:base64:` (RFC 8941 §3.3.5).
fn byte_sequence(text: &str) -> Option<Vec<u8>> {
    let inner = text.strip_prefix(':')?.strip_suffix(':')?;
    STANDARD.decode(inner).ok().filter(|bytes| !bytes.is_empty())
}

/// PEM, percent-encoded: plus signs stand for themselves.
fn pem(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                bytes.push(digit(high)? << 4 | digit(low)?);
                rest = after;
            }
            (b'%', _) => return None,
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    let all: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(&bytes).map(|der| der.map(|der| der.to_vec())).collect();
    all.ok().filter(|all| !all.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(address_header: AddressHeader) -> ProxySettings {
        ProxySettings {
            trusted: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            address_header,
            client_certificate_header: Some("Client-Cert".into()),
        }
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    fn from(header: AddressHeader, peer: &str, said: &[(&'static str, &str)]) -> String {
        let arrival = read(&settings(header), Some(peer.parse().unwrap()), None, &mut headers(said));
        arrival.from.unwrap().to_string()
    }

    #[test]
    fn the_nearest_hop_that_is_not_a_proxy_of_ours_is_who_asks() {
        let x = |peer: &str, said: &[&str]| {
            let said: Vec<_> = said.iter().map(|value| ("x-forwarded-for", *value)).collect();
            from(AddressHeader::XForwardedFor, peer, &said)
        };
        assert_eq!(x("10.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(x("10.0.0.1", &["1.1.1.1, 192.0.2.7, 10.0.0.2"]), "192.0.2.7");
        assert_eq!(x("10.0.0.1", &["1.1.1.1", "192.0.2.7", "10.0.0.2"]), "192.0.2.7");
        assert_eq!(x("::ffff:10.0.0.1", &["192.0.2.7:4711"]), "192.0.2.7");
        assert_eq!(x("fd00::1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(x("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(x("10.0.0.1", &["192.0.2.7, nonsense"]), "10.0.0.1");
        assert_eq!(x("10.0.0.1", &["192.0.2.7, unknown, 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn nobody_else_is_believed_about_where_they_come_from() {
        let said = [("x-forwarded-for", "10.0.0.9"), ("forwarded", "for=10.0.0.9")];
        for header in [AddressHeader::XForwardedFor, AddressHeader::Forwarded] {
            assert_eq!(from(header, "192.0.2.7", &said), "192.0.2.7");
        }
    }

    #[test]
    fn only_the_configured_header_is_read() {
        let said = [("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=2.2.2.2")];
        assert_eq!(from(AddressHeader::XForwardedFor, "10.0.0.1", &said), "1.1.1.1");
        assert_eq!(from(AddressHeader::Forwarded, "10.0.0.1", &said), "2.2.2.2");
    }

    #[test]
    fn forwarded_elements_are_read_as_rfc_7239_writes_them() {
        let f = |value: &str| from(AddressHeader::Forwarded, "10.0.0.1", &[("forwarded", value)]);
        assert_eq!(f("for=192.0.2.43, for=10.1.1.1;proto=https"), "192.0.2.43");
        assert_eq!(f("For=\"[2001:db8:cafe::17]:4711\""), "2001:db8:cafe::17");
        assert_eq!(f("proto=http;by=203.0.113.43;for=\"192.0.2.60:80\""), "192.0.2.60");
        assert_eq!(f("for=1.1.1.1, for=\"_x,for=2.2.2.2\""), "10.0.0.1");
        for nothing in ["for=_hidden", "for=unknown", "by=1.1.1.1", "for=1.1.1.1;for=2.2.2.2", ""] {
            assert_eq!(f(nothing), "10.0.0.1", "{nothing}");
        }
    }

    #[test]
    fn a_certificate_is_taken_from_a_trusted_proxy_alone_and_the_header_is_gone_for_everybody() {
        let settings = settings(AddressHeader::XForwardedFor);
        let der = b"any bytes: what they mean is asked later";
        let said = format!(":{}:", STANDARD.encode(der));
        let shown = ClientCertificate::of_chain([b"own".to_vec()]).map(Arc::new);
        let expected = ClientCertificate::of_chain([der.to_vec()]).map(Arc::new);
        for (peer, shown, taken) in [
            ("10.0.0.1", None, expected.clone()),
            ("10.0.0.1", shown.clone(), expected),
            ("192.0.2.7", None, None),
            ("192.0.2.7", shown.clone(), shown.clone()),
        ] {
            let mut headers = headers(&[("client-cert", said.as_str()), ("client-cert-chain", ":AA==:")]);
            let arrival = read(&settings, Some(peer.parse().unwrap()), shown, &mut headers);
            assert_eq!(
                arrival.certificate.map(|c| c.der().to_vec()),
                taken.map(|c| c.der().to_vec()),
                "{peer}"
            );
            assert!(headers.is_empty());
        }
    }

    #[test]
    fn a_proxy_that_says_nothing_or_something_unreadable_passes_on_no_certificate() {
        let settings = settings(AddressHeader::XForwardedFor);
        let shown = ClientCertificate::of_chain([b"the proxy's own".to_vec()]).map(Arc::new);
        for said in [
            vec![],
            vec![("client-cert", "")],
            vec![("client-cert", ":!:")],
            vec![("client-cert", "::")],
            vec![("client-cert", "%2")],
            vec![("client-cert", "-----BEGIN CERTIFICATE-----")],
            vec![("client-cert", ":AQI=:"), ("client-cert", ":AQI=:")],
        ] {
            let mut headers = headers(&said);
            let arrival = read(&settings, Some("10.0.0.1".parse().unwrap()), shown.clone(), &mut headers);
            assert_eq!(arrival.certificate, None, "{said:?}");
        }
    }

    #[test]
    fn pem_with_percent_escapes_is_read_whole() {
        let block = |bytes: &[u8]| {
            format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(bytes))
        };
        let text = format!("{}{}", block(&[0xfb, 0xff]), block(b"two"));
        let escaped = text.replace('\n', "%0A").replace('+', "%2B").replace(' ', "%20");
        assert_eq!(pem(&escaped), Some(vec![vec![0xfb, 0xff], b"two".to_vec()]));
        assert_eq!(pem(&escaped.replace("%2B", "+")), Some(vec![vec![0xfb, 0xff], b"two".to_vec()]));
    }
}
