//! A quiet end: what was begun is answered.

use std::time::Duration;

use server::store::Store;
use tests::load::scene::{self, Scene};
use tests::load::wire::Wire;
use tests::program::{Program, free_address};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_request_that_was_begun_is_answered_and_written_before_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/procura.db?mode=rwc", folder.path().display());
    let scene = Scene::set(folder.path(), &database, free_address().unwrap()).await.unwrap();
    let mut program = Program::start(&scene.config, scene.address).await.unwrap();
    let request = scene.exchange(&scene.nonce().await.unwrap()).unwrap();
    let (begun, rest) = request.split_at(request.len() - 100);

    let mut stream = TcpStream::connect(scene.address).await.unwrap();
    stream.write_all(begun).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    program.terminate().unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(Wire::connect(scene.address).await.is_err(), "somebody was let in after the end began");
    stream.write_all(rest).await.unwrap();
    let answer = Wire::over(stream).receive().await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.json());

    assert!(program.ended(Duration::from_secs(10)).await.unwrap());
    let id = scene::claims(answer.json()["access_token"].as_str().unwrap()).unwrap()["jti"].clone();
    let store = Store::open(&database).await.unwrap();
    let id = id.as_str().unwrap().parse().unwrap();
    assert!(store.find_token_by_id(&id).await.unwrap().is_some());
    assert_eq!(store.audit_tail(1).await.unwrap()[0].event.token, Some(id));
}

#[tokio::test]
async fn who_keeps_a_line_open_and_says_nothing_holds_up_the_end_for_a_bounded_time() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/procura.db?mode=rwc", folder.path().display());
    let scene = Scene::set(folder.path(), &database, free_address().unwrap()).await.unwrap();
    let mut program = Program::start(&scene.config, scene.address).await.unwrap();
    let mut half = TcpStream::connect(scene.address).await.unwrap();
    half.write_all(b"POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf")
        .await
        .unwrap();
    let _idle = TcpStream::connect(scene.address).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    program.terminate().unwrap();
    assert!(program.ended(Duration::from_secs(20)).await.unwrap());
}

#[tokio::test]
async fn a_start_that_waits_for_its_database_is_called_off_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let database = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://nobody@{}/procura?sslmode=disable", database.local_addr().unwrap());
    let scene = Scene::write(folder.path(), &url, free_address().unwrap()).unwrap();
    let mut program = Program::begin(&scene.config, scene.address).unwrap();
    // Somebody who calls and gets no answer: the program waits for its database, and for nothing else.
    let (_line, _) = tokio::time::timeout(Duration::from_secs(60), database.accept()).await.unwrap().unwrap();
    program.terminate().unwrap();
    assert!(program.ended(Duration::from_secs(20)).await.unwrap(), "it was killed, or failed");
}

#[tokio::test]
async fn whoever_is_told_to_end_in_the_moment_it_is_ready_ends_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/procura.db?mode=rwc", folder.path().display());
    let scene = Scene::set(folder.path(), &database, free_address().unwrap()).await.unwrap();
    for _ in 0..20 {
        let mut program = Program::start(&scene.config, scene.address).await.unwrap();
        program.terminate().unwrap();
        assert!(program.ended(Duration::from_secs(20)).await.unwrap(), "it was killed, or failed");
    }
}
