//! Clients that are slow or send too much: each is bounded, and nobody else waits for them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use server::app::App;
use server::serve::serve;
use tempfile::TempDir;
use tests::load::scene::Scene;
use tests::load::wire::{self, Answer, Wire};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// A house in this process.
struct Open {
    scene: Scene,
    app: Arc<App>,
    _folder: TempDir,
}

async fn open() -> Open {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/procura.db?mode=rwc", folder.path().display());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scene = Scene::set(folder.path(), &database, listener.local_addr().unwrap()).await.unwrap();
    let app = scene.open().await.unwrap();
    tokio::spawn(serve(Arc::clone(&app), listener, std::future::pending()));
    Open { scene, app, _folder: folder }
}

impl Open {
    async fn send(&self, request: &[u8]) -> Answer {
        Wire::connect(self.scene.address).await.unwrap().send(request).await.unwrap()
    }

    async fn answers_others(&self) {
        let nonce = self.scene.nonce().await.unwrap();
        let request = self.scene.exchange(&nonce).unwrap();
        let answer = timeout(Duration::from_secs(5), self.send(&request)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.json());
    }

    async fn begin(&self, request: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.scene.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream
    }
}

#[tokio::test]
async fn a_head_that_dribbles_in_is_cut_off_and_keeps_nobody_waiting() {
    let house = open().await;
    let mut many = Vec::new();
    for _ in 0..200 {
        many.push(house.begin(b"POST /token HTTP/1.1\r\nhost: localhost\r\nx-slow: ").await);
    }
    house.answers_others().await;
    let mut slow = many.pop().unwrap();
    let started = Instant::now();
    while slow.write_all(b"a").await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(15), "it may dribble for ever");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut byte = [0];
        if let Ok(Ok(0) | Err(_)) = timeout(Duration::from_millis(100), slow.read(&mut byte)).await {
            break;
        }
    }
    assert!(started.elapsed() > Duration::from_secs(5), "a slow but honest client has no time");
    house.answers_others().await;
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up_after_a_while() {
    let house = open().await;
    let head = b"POST /token HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\ngrant_type=";
    let stream = house.begin(head).await;
    house.answers_others().await;
    let answer = timeout(Duration::from_secs(45), Wire::over(stream).receive()).await;
    let answer = answer.expect("it may wait for ever");
    assert!(answer.is_err() || answer.unwrap().status >= 400);
    house.answers_others().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_with_the_status_that_says_so() {
    let house = open().await;
    let limits = &house.app.settings.limits;
    let body = "a".repeat(limits.body_bytes + 1);
    assert_eq!(house.send(&wire::post("/token", &[], &[("grant_type", &body)])).await.status, 413);
    let field = "a".repeat(limits.header_bytes + 1);
    let answer = house.send(&wire::post("/token", &[("x-large", &field)], &[])).await;
    assert_eq!(answer.status, 431);
    let uri = format!("/healthz?{}", "a".repeat(limits.uri_bytes));
    assert_eq!(house.send(&wire::get(&uri)).await.status, 414);
    house.answers_others().await;
}

#[tokio::test]
async fn a_body_in_chunks_is_bounded_too() {
    let house = open().await;
    let head = b"POST /token HTTP/1.1\r\nhost: localhost\r\n\
        content-type: application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut stream = house.begin(head).await;
    let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
    for _ in 0..=house.app.settings.limits.body_bytes / 0x1000 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let answer = timeout(Duration::from_secs(5), Wire::over(stream).receive()).await.unwrap();
    assert!(answer.is_err() || answer.unwrap().status == 413);
    house.answers_others().await;
}

#[tokio::test]
async fn nonsense_on_the_line_is_answered_with_400_or_silence() {
    let house = open().await;
    for nonsense in
        [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET\r\n\r\n", b"POST /token HTTP/9.9\r\n\r\n", &[0; 64]]
    {
        let stream = house.begin(nonsense).await;
        let answer = timeout(Duration::from_secs(15), Wire::over(stream).receive()).await.unwrap();
        assert!(answer.is_err() || answer.unwrap().status >= 400);
    }
    house.answers_others().await;
}
