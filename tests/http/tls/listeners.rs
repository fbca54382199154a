//! The listeners: versions, protocols, certificates that are replaced, and visitors that dawdle.

use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::version::{TLS12, TLS13};
use tests::{House, Secured, Wanted};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::handshake::{Handshake, address};

const BOTH: [&rustls::SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

fn offers<'a>(secured: &'a Secured, protocols: &'a [&'static str]) -> Handshake<'a> {
    Handshake { authority: &secured.authority, versions: &BOTH, protocols }
}

#[tokio::test]
async fn https_is_spoken_with_http_2_where_the_visitor_can_and_http_1_1_else() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let told = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok();
    assert_eq!(told.text("issuer"), house.issuer());
    assert!(house.issuer().starts_with("https://"));

    let agreed = offers(&secured, &["h2", "http/1.1"]).with(address(&house)).await.unwrap();
    assert_eq!(agreed.stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut requests, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(agreed.stream)).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get(house.url("/healthz")).body(String::new()).unwrap();
    let answer = requests.send_request(request).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));

    let agreed = offers(&secured, &["http/1.1"]).with(address(&house)).await.unwrap();
    assert_eq!(agreed.stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_in_http_2_and_the_connection_goes_on() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "[limits]\nheader_bytes = 8192").await;
    let agreed = offers(&secured, &["h2"]).with(address(&house)).await.unwrap();
    let (mut requests, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(agreed.stream)).await.unwrap();
    tokio::spawn(connection);
    for (length, fine) in [(100, true), (20_000, false), (100, true)] {
        let request = hyper::Request::get(house.url("/healthz")).header("x-long", "x".repeat(length));
        let answer = requests.send_request(request.body(String::new()).unwrap()).await;
        let answered = answer.is_ok_and(|answer| answer.status() == 200);
        assert_eq!(answered, fine, "{length}");
    }
}

#[tokio::test]
async fn plain_http_gets_nothing_where_tls_is_spoken_and_tls_nothing_where_it_is_not() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let mut plain = TcpStream::connect(address(&house)).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut heard = Vec::new();
    let _ = plain.read_to_end(&mut heard).await;
    assert!(!heard.starts_with(b"HTTP/"), "{heard:?}");
    let open = House::open().await;
    assert!(offers(&secured, &["http/1.1"]).with(address(&open)).await.is_err());
    // HTTP/2 without TLS is not spoken either.
    let mut prior = TcpStream::connect(address(&open)).await.unwrap();
    prior.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut heard = Vec::new();
    let _ = prior.read_to_end(&mut heard).await;
    assert!(heard.is_empty() || heard.starts_with(b"HTTP/1.1 4"), "{heard:?}");
}

#[tokio::test]
async fn the_oldest_version_is_each_listeners_own() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let old = Handshake { authority: &secured.authority, versions: &[&TLS12], protocols: &[] };
    let agreed = old.with(address(&house)).await.unwrap();
    let suite = agreed.stream.get_ref().1.negotiated_cipher_suite().unwrap().suite();
    let name = format!("{suite:?}");
    assert!(name.contains("ECDHE") && (name.contains("GCM") || name.contains("POLY1305")), "{name}");
    assert!(old.with(secured.base()[8..].parse().unwrap()).await.is_ok());

    let strict = Secured::prepare();
    let strictly = |settings: String| settings.replacen("reload", "minimum_version = \"1.3\"\nreload", 1);
    let house = House::on_settings(&strict, &strictly(strict.settings())).await;
    let old = Handshake { authority: &strict.authority, ..old };
    assert!(old.with(address(&house)).await.is_err());
    assert!(old.with(strict.base()[8..].parse().unwrap()).await.is_ok());
    let new = Handshake { versions: &[&TLS13], ..old };
    assert!(new.with(address(&house)).await.is_ok());
}

#[tokio::test]
async fn a_replaced_certificate_is_shown_from_the_next_handshake_on_and_a_bad_one_never() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let look = async || offers(&secured, &["http/1.1"]).with(address(&house)).await.unwrap();
    let mut before = look().await;
    assert_eq!(before.shown(), secured.shown.der);

    let next = secured.authority.issue(Wanted::server("the house, renewed"));
    secured.show(&next);
    let mut shown = look().await.shown();
    for _ in 0..50 {
        if shown == next.der {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        shown = look().await.shown();
    }
    assert_eq!(shown, next.der);
    // Whoever was there is still answered.
    before.stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut heard = [0; 12];
    before.stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"HTTP/1.1 200");

    // A certificate of another key, and something that is none.
    let other = secured.authority.issue(Wanted::server("another"));
    std::fs::write(secured.file("chain.pem"), &other.pem).unwrap();
    tokio::time::sleep(Duration::from_millis(2200)).await;
    assert_eq!(look().await.shown(), next.der);
    std::fs::write(secured.file("key.pem"), "nothing").unwrap();
    tokio::time::sleep(Duration::from_millis(2200)).await;
    assert_eq!(look().await.shown(), next.der);
}

#[tokio::test]
async fn only_the_listener_for_certificates_asks_for_one() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let handshake = offers(&secured, &["http/1.1"]);
    assert!(!handshake.with(address(&house)).await.unwrap().asked);
    assert!(handshake.with(secured.base()[8..].parse().unwrap()).await.unwrap().asked);
}

#[tokio::test]
async fn a_handshake_that_dawdles_is_ended_and_holds_up_nobody() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let mut idle = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address(&house)).await.unwrap();
        // The beginning of a handshake that never goes on.
        stream.write_all(&[22, 3, 1, 2, 0]).await.unwrap();
        idle.push(stream);
    }
    house.send(house.request("GET", "/healthz")).await.ok();
    let mut heard = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), idle[0].read_to_end(&mut heard)).await;
    assert!(ended.is_ok(), "still open after 20 seconds");
}

#[tokio::test]
async fn a_house_that_closes_waits_for_nobody_who_asks_nothing() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let there = address(&house);
    let mut idle = offers(&secured, &["http/1.1"]).with(there).await.unwrap();
    let waiting = offers(&secured, &["h2"]).with(there).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), house.close()).await.unwrap();
    let mut heard = Vec::new();
    let _ = idle.stream.read_to_end(&mut heard).await;
    assert!(heard.is_empty());
    drop(waiting);
    assert!(TcpStream::connect(there).await.is_err());
}

/// A ClientHello of this version with these cipher suites, as a visitor of other days would send it.
fn hello(version: [u8; 2], suites: &[[u8; 2]]) -> Vec<u8> {
    let short = |length: usize| u16::try_from(length).unwrap().to_be_bytes();
    // Groups x25519 and P-256, uncompressed points, and signatures by ECDSA and RSA.
    let extensions: &[u8] =
        &[0, 10, 0, 6, 0, 4, 0, 29, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 8, 0, 6, 4, 3, 8, 4, 4, 1];
    let mut body = [&version[..], &[7; 32], &[0], &short(suites.len() * 2)].concat();
    body.extend(suites.concat());
    body.extend([&[1, 0][..], &short(extensions.len()), extensions].concat());
    let handshake = [&[1, 0][..], &short(body.len()), &body].concat();
    [&[22, 3, 1][..], &short(handshake.len()), &handshake].concat()
}

#[tokio::test]
async fn older_versions_and_weaker_suites_are_refused() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    // ECDHE with AES-GCM, which the house takes; CBC, and no forward secrecy, which it does not.
    let (good, weak) =
        ([[0xc0, 0x2b], [0xc0, 0x2f]], [[0xc0, 0x09], [0xc0, 0x13], [0x00, 0x2f], [0x00, 0x9c]]);
    for (what, hello, fine) in [
        ("TLS 1.2", hello([3, 3], &good), true),
        ("TLS 1.2 with CBC", hello([3, 3], &weak), false),
        ("TLS 1.1", hello([3, 2], &[good.as_slice(), &weak].concat()), false),
        ("TLS 1.0", hello([3, 1], &[good.as_slice(), &weak].concat()), false),
    ] {
        let mut stream = TcpStream::connect(address(&house)).await.unwrap();
        stream.write_all(&hello).await.unwrap();
        let mut heard = [0; 7];
        stream.read_exact(&mut heard).await.unwrap();
        // A handshake goes on, or an alert that is fatal ends it.
        if fine {
            assert_eq!((heard[0], heard[5]), (22, 2), "{what}: {heard:?}");
        } else {
            assert_eq!((heard[0], heard[5]), (21, 2), "{what}: {heard:?}");
        }
    }
}
