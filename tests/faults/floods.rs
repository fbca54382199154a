//! Clients that open more than anybody needs: connections, handshakes, HTTP/2 streams. Each has its bound, and
//! nobody else waits behind it.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tests::load::scene::Scene;
use tests::load::wire::{self, Wire};
use tests::program::{Program, free_address};
use tests::{House, Secured, browser};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How many connections are open at once (`server/src/serve/mod.rs`).
const MOST_CONNECTIONS: usize = 4096;
/// How many handshakes are under way at once (the same).
const MOST_HANDSHAKES: usize = 1024;
/// How many streams of a connection are answered at once (`server/src/serve/connection.rs`).
const MOST_STREAMS: u32 = 100;

/// The types of frames (RFC 9113 §6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// Flags: the stream ends here; the header ends here.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// Error codes (RFC 9113 §7).
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;
const ENHANCE_YOUR_CALM: u32 = 11;
/// `SETTINGS_MAX_CONCURRENT_STREAMS` (RFC 9113 §6.5.2).
const MAX_CONCURRENT_STREAMS: u16 = 3;
/// `:status: 200` in the static table of HPACK (RFC 7541, Appendix A).
const STATUS_200: u8 = 0x88;

struct Frame {
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    /// The number that stands there in the payload.
    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// The value of a setting, in a frame of settings.
    fn setting(&self, id: u16) -> Option<u32> {
        let each = self.payload.chunks_exact(6);
        each.filter(|one| one[..2] == id.to_be_bytes())
            .map(|one| u32::from_be_bytes(one[2..].try_into().unwrap()))
            .next()
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The header of a request, as HPACK without any table of its own: `:method` and `:scheme` by their index, `:path`
/// and `:authority` in letters.
fn request(stream: u32, method: u8, path: &str, flags: u8) -> Vec<u8> {
    let mut block = vec![method, 0x87];
    for (name, text) in [(0x04, path), (0x01, "127.0.0.1")] {
        block.extend([name, u8::try_from(text.len()).unwrap()]);
        block.extend(text.as_bytes());
    }
    frame(HEADERS, END_HEADERS | flags, stream, &block)
}

fn get(stream: u32) -> Vec<u8> {
    request(stream, 0x82, "/healthz", END_STREAM)
}

/// A request whose body is still to come.
fn post(stream: u32) -> Vec<u8> {
    request(stream, 0x83, "/token", 0)
}

/// An HTTP/2 connection, frame by frame, so that it can do what no client would.
struct Line(TlsStream<TcpStream>);

impl Line {
    async fn open(secured: &Secured, house: &House) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(secured.authority.pem.as_bytes()).unwrap()).unwrap();
        let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = TcpStream::connect(address(house)).await.unwrap();
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let mut line = Self(stream);
        line.send(&[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, &[])].concat()).await;
        line
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
        self.0.flush().await.unwrap();
    }

    async fn read(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, _, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind, stream: u32::from_be_bytes(stream), payload })
    }

    /// The next frame of this type, on this stream.
    async fn next(&mut self, kind: u8, stream: u32) -> Frame {
        let found = async {
            loop {
                let frame = self.read().await.unwrap_or_else(|| panic!("closed before {kind} on {stream}"));
                if (frame.kind, frame.stream) == (kind, stream) {
                    return frame;
                }
            }
        };
        timeout(Duration::from_secs(20), found).await.unwrap_or_else(|_| panic!("no {kind} on {stream}"))
    }
}

fn address(house: &House) -> &str {
    house.issuer().split_once("://").unwrap().1
}

/// The streams that a client opens, from this one on.
fn streams(from: u32) -> impl Iterator<Item = u32> {
    (from..).step_by(2)
}

fn reset(streams: impl Iterator<Item = u32>) -> Vec<u8> {
    let pair = |stream| [get(stream), frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())].concat();
    streams.flat_map(pair).collect()
}

#[tokio::test]
async fn a_flood_of_streams_that_are_reset_at_once_ends_its_connection_and_no_other() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let mut other = Line::open(&secured, &house).await;
    let mut flood = Line::open(&secured, &house).await;
    flood.send(&reset(streams(1).take(500))).await;
    let goodbye = flood.next(GOAWAY, 0).await;
    assert_eq!(goodbye.number(4), ENHANCE_YOUR_CALM);
    let silence = async { while flood.read().await.is_some() {} };
    timeout(Duration::from_secs(20), silence).await.expect("the connection is closed");

    other.send(&get(1)).await;
    assert_eq!(other.next(HEADERS, 1).await.payload[0], STATUS_200);
}

#[tokio::test]
async fn a_client_that_changes_its_mind_a_few_times_is_still_answered() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let mut line = Line::open(&secured, &house).await;
    line.send(&[reset(streams(1).take(10)), get(101)].concat()).await;
    assert_eq!(line.next(HEADERS, 101).await.payload[0], STATUS_200);
}

#[tokio::test]
async fn one_stream_more_than_are_answered_at_once_is_refused_and_the_others_go_on() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let mut line = Line::open(&secured, &house).await;
    assert_eq!(line.next(SETTINGS, 0).await.setting(MAX_CONCURRENT_STREAMS), Some(MOST_STREAMS));
    let all: Vec<_> = streams(1).take(MOST_STREAMS as usize + 1).collect();
    line.send(&all.iter().flat_map(|stream| post(*stream)).collect::<Vec<_>>()).await;
    let last = *all.last().unwrap();
    assert_eq!(line.next(RST_STREAM, last).await.number(0), REFUSED_STREAM);
    // The first is finished, is answered, and leaves its place.
    line.send(&frame(DATA, END_STREAM, 1, &[])).await;
    line.next(HEADERS, 1).await;
    line.next(DATA, 1).await;
    line.send(&get(last + 2)).await;
    assert_eq!(line.next(HEADERS, last + 2).await.payload[0], STATUS_200);
}

/// Whether the server closes this connection within so many seconds, without a word.
async fn is_closed(stream: &mut TcpStream, seconds: u64) -> bool {
    matches!(timeout(Duration::from_secs(seconds), stream.read(&mut [0])).await, Ok(Ok(0) | Err(_)))
}

/// Whether somebody who comes now is turned away.
async fn is_turned_away(address: &str) -> bool {
    is_closed(&mut TcpStream::connect(address).await.unwrap(), 5).await
}

/// So many who came, each with a word.
async fn crowd(address: &str, number: usize, word: &[u8]) -> Vec<TcpStream> {
    let mut crowd = Vec::with_capacity(number);
    for _ in 0..number {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(word).await.unwrap();
        crowd.push(stream);
    }
    crowd
}

#[tokio::test]
async fn one_handshake_more_than_may_be_under_way_is_turned_away_until_they_end() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let address = address(&house);
    let mut dawdling = crowd(address, MOST_HANDSHAKES, &[22, 3, 1]).await;
    assert!(!is_closed(dawdling.last_mut().unwrap(), 1).await, "there was room for the last one");
    assert!(is_turned_away(address).await);
    drop(dawdling);
    let answered = async {
        while house.request("GET", "/healthz").send().await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(20), answered).await.expect("those who come after are let in");
}

/// How many files this process may hold open.
fn most_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    line.split_whitespace().nth(3).map_or(0, |soft| soft.parse().unwrap_or(usize::MAX))
}

#[tokio::test]
async fn one_connection_more_than_may_be_open_is_closed_at_once_until_another_leaves() {
    if most_files() < MOST_CONNECTIONS + 500 {
        let name = "one_connection_more_than_may_be_open_is_closed_at_once_until_another_leaves";
        return browser::skip(name, "fewer files may be open than connections: ulimit -n");
    }
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/procura.db?mode=rwc", folder.path().display());
    let scene = Scene::set(folder.path(), &database, free_address().unwrap()).await.unwrap();
    let _program = Program::start(&scene.config, scene.address).await.unwrap();
    let address = scene.address.to_string();
    // A head without its body is waited for longer than nothing at all.
    let head = b"POST /token HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\n";
    let mut all = crowd(&address, MOST_CONNECTIONS, head).await;
    assert!(!is_closed(all.last_mut().unwrap(), 1).await, "there was room for the last one");
    assert!(is_turned_away(&address).await);
    all.truncate(MOST_CONNECTIONS - 10);
    let answered = async {
        loop {
            let Ok(mut wire) = Wire::connect(scene.address).await else { continue };
            match wire.send(&wire::get("/healthz")).await {
                Ok(answer) => return answer.status,
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    assert_eq!(timeout(Duration::from_secs(20), answered).await.unwrap(), 200);
}
