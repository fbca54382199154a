//! Opening a database, losing it, and what lies on the disk.

use super::*;
use crate::secret::Secret;

#[tokio::test]
async fn an_url_of_no_known_database_and_a_database_that_is_not_there_are_unavailable() {
    for url in
        ["mysql://x/y", "nonsense", "postgres://nobody@127.0.0.1:1/x", "sqlite:///proc/none/x.db?mode=rwc"]
    {
        let refused = Store::open(url).await.map(|_| ());
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn a_digest_is_all_that_is_stored_of_a_secret() {
    let place = Site::sqlite().open().await;
    let secret = Secret::generate(&SystemEntropy, "x_");
    let record = Record::Unissued { token: token("t"), digest: secret.digest() };
    place.keep(vec![record]).await;
    place.store.close().await;
    let folder = place.folder.as_ref().unwrap().path().join("deep/er");
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes.windows(secret.reveal().len()).any(|window| window == secret.reveal().as_bytes());
        assert!(!found);
    }
}

#[tokio::test]
async fn stores_that_are_opened_at_the_same_moment_make_the_tables_once() {
    for site in [Some(Site::sqlite()), Site::postgres().await].into_iter().flatten() {
        let open = || {
            let url = site.url.clone();
            tokio::spawn(async move { Store::open(&url).await })
        };
        for store in [open(), open(), open(), open()] {
            let store = store.await.unwrap().unwrap();
            assert!(store.commit(Change::new(event())).await.unwrap().seq.is_some());
            store.close().await;
        }
    }
}

#[tokio::test]
async fn sqlite_writes_through_to_the_disk_and_readers_cannot_write() {
    let place = Site::sqlite().open().await;
    let core = &place.store.0.core;
    let journal = sql::query(&core.writer, "PRAGMA journal_mode", vec![]).await.unwrap();
    assert_eq!(journal[0].try_get_by_index::<String>(0).unwrap(), "wal");
    let synchronous = sql::query(&core.writer, "PRAGMA synchronous", vec![]).await.unwrap();
    assert_eq!(synchronous[0].try_get_by_index::<i32>(0).unwrap(), 2, "FULL");
    assert!(sql::execute(&core.reader, "DELETE FROM setting", vec![]).await.is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_database_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Site::sqlite().open().await;
    place.commit(Change::new(event())).await;
    let folder = place.folder.as_ref().unwrap().path().join("deep/er");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o077, 0);
        files += 1;
    }
    assert!(files >= 2, "the database and its log");
}

#[tokio::test]
async fn a_lost_database_gives_errors_soon_and_is_used_again_when_it_is_back() {
    let Some(site) = Site::postgres().await else { return };
    let place = site.open().await;
    let (base, name) = place.url.rsplit_once('/').unwrap();
    let base = format!("{base}/postgres");
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    place.commit(Change::new(event())).await;

    execute_at(&base, std::slice::from_ref(&cut)).await;
    assert!(place.store.commit(Change::new(event())).await.is_ok(), "cut connections are made anew");
    place.store.ping().await.unwrap();

    execute_at(&base, &[format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"), cut]).await;
    let begun = std::time::Instant::now();
    let refused = place.store.commit(Change::new(event())).await;
    assert!(matches!(refused, Err(CommitError::Broken(StoreError::Unavailable(_)))), "{refused:?}");
    let refused = place.store.find_client(&id("app")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(6), "{:?}", begun.elapsed());

    execute_at(&base, &[format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")]).await;
    assert_eq!(place.commit(Change::new(event())).await.seq, Some(3));
}
