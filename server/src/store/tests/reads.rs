//! What was written is found again.

use protocol::key_rotation::{KeyFacts, KeyState};

use protocol::task::Task;

use super::*;

promises! {
    what_was_written_is_there_when_opened_again;
    the_configuration_leaves_alone_what_an_admin_declared;
    another_process_is_believed_after_a_second;
    a_hot_read_asks_nothing_of_the_database;
    sweeping_deletes_what_is_over_and_nothing_else;
    a_row_that_fits_no_type_is_corrupt;
}

async fn what_was_written_is_there_when_opened_again(place: &Place) {
    let origin = Origin::Config;
    let server = protocol::resource_server::ResourceServer {
        identifier: id("https://api.example"),
        name: "API".into(),
        scopes: std::collections::BTreeMap::new(),
        scope_groups: std::collections::BTreeMap::new(),
        details_types: BTreeSet::new(),
        token_format: Default::default(),
        signing_alg: SigningAlg::Es256,
        token_life: None,
    };
    let key = SigningKey {
        facts: KeyFacts {
            kid: "k1".into(),
            alg: SigningAlg::Es256,
            state: KeyState::Active,
            since: NOW,
            longest_life: Seconds(300),
        },
        created_at: NOW,
        document: json!({"d": "private"}),
    };
    assert!(!format!("{key:?}").contains("private"));
    let mut records = vec![
        Record::Client { client: client("app", "App"), origin },
        Record::User { user: user("alice"), origin },
        Record::ResourceServer { resource_server: server.clone(), origin },
        Record::Consent(consent("k")),
        Record::Task(task("w", "k", None)),
        kept(under("k", "t")),
        code("c", "k"),
        Record::SigningKey(key.clone()),
        Record::Setting { name: "issuer".into(), value: "https://as.example".into() },
    ];
    let details_types = built_in();
    records.extend(details_types.iter().cloned().map(|details_type| Record::DetailsType {
        details_type,
        version: 1,
        retired_at: None,
        origin,
    }));
    let change = records.into_iter().fold(Change::new(event()), Change::keep);
    place.commit(change).await;
    place.store.close().await;

    let store = Store::open(&place.url).await.unwrap();
    assert_eq!(*store.find_client(&id("app")).await.unwrap().unwrap(), client("app", "App"));
    assert_eq!(store.clients().await.unwrap().len(), 1);
    assert_eq!(*store.find_user(&id("alice")).await.unwrap().unwrap(), user("alice"));
    assert_eq!(store.find_user_by_username("aLiCe").await.unwrap().unwrap().id, id("alice"));
    assert_eq!(store.count_users().await.unwrap(), 1);
    assert_eq!(*store.resource_servers().await.unwrap(), [server]);
    let kept: Vec<_> =
        store.details_types().await.unwrap().iter().map(|kept| kept.document.clone()).collect();
    assert_eq!(kept, details_types);
    assert_eq!(*store.find_consent(&id("k")).await.unwrap().unwrap(), consent("k"));
    assert_eq!(store.consents_of_user(&id("alice")).await.unwrap(), [consent("k")]);
    assert_eq!(store.recent_consents(5).await.unwrap(), [consent("k")]);
    assert_eq!(*store.find_task(&id("w")).await.unwrap().unwrap(), task("w", "k", None));
    assert_eq!(store.tasks_of_consent(&id("k")).await.unwrap(), [vec![task("w", "k", None)]]);
    assert_eq!(*store.find_token(&digest("t")).await.unwrap().unwrap(), under("k", "t"));
    assert_eq!(store.find_token_by_id(&id("t")).await.unwrap().unwrap().id, id::<TokenId>("t"));
    assert_eq!(store.find_code(&digest("c")).await.unwrap().unwrap().code.consent, id("k"));
    assert_eq!(store.signing_keys().await.unwrap(), SigningKeys { version: 0, keys: vec![key] });
    assert_eq!(store.setting("issuer").await.unwrap().unwrap(), "https://as.example");
    assert_eq!(store.commit(Change::new(event())).await.unwrap().seq, Some(2));
    store.close().await;
}

async fn the_configuration_leaves_alone_what_an_admin_declared(place: &Place) {
    let declare = |shown: &str, origin| Record::Client { client: client("app", shown), origin };
    let steps = [
        ("one", Origin::Config, "one"),
        ("two", Origin::Config, "two"),
        ("three", Origin::Admin, "three"),
        ("four", Origin::Config, "three"),
        ("five", Origin::Admin, "five"),
    ];
    for (shown, origin, expected) in steps {
        place.keep(vec![declare(shown, origin)]).await;
        assert_eq!(place.store.find_client(&id("app")).await.unwrap().unwrap().name, expected);
    }
}

async fn another_process_is_believed_after_a_second(place: &Place) {
    place.keep(vec![Record::Consent(consent("k"))]).await;
    let other = Store::open(&place.url).await.unwrap();
    assert_eq!(other.find_consent(&id("k")).await.unwrap().unwrap().state, ConsentState::Active);
    place.commit(Change::housekeeping(NOW).end(Ending::Consent(id("k")))).await;
    assert!(other.is_alive(&[Anchor::Consent(id("k"))], NOW).await.unwrap().is_err(), "at once");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(other.find_consent(&id("k")).await.unwrap().unwrap().state, ConsentState::Revoked);
    // Both write to one log.
    assert_eq!(other.commit(Change::new(event())).await.unwrap().seq, Some(1));
    assert_eq!(place.commit(Change::new(event())).await.seq, Some(2));
    other.close().await;
}

async fn a_hot_read_asks_nothing_of_the_database(place: &Place) {
    let origin = Origin::Config;
    place
        .keep(vec![
            Record::Client { client: client("app", "App"), origin },
            Record::User { user: user("alice"), origin },
            Record::Consent(consent("k")),
            Record::Task(task("w", "k", None)),
            kept(under("k", "t")),
        ])
        .await;
    let store = &place.store;
    let mut reads = Vec::new();
    for _ in 0..2 {
        assert!(store.find_client(&id("app")).await.unwrap().is_some());
        assert!(store.find_user(&id("alice")).await.unwrap().is_some());
        assert!(store.find_consent(&id("k")).await.unwrap().is_some());
        assert!(store.find_task(&id("w")).await.unwrap().is_some());
        assert!(store.find_token(&digest("t")).await.unwrap().is_some());
        assert!(store.find_token_by_id(&id("t")).await.unwrap().is_some());
        let types = store.details_types().await.unwrap();
        assert!(Arc::ptr_eq(&types, &store.details_types().await.unwrap()));
        store.resource_servers().await.unwrap();
        reads.push(store.statistics().reads);
    }
    assert_eq!(reads[0], reads[1]);
}

async fn sweeping_deletes_what_is_over_and_nothing_else(place: &Place) {
    let key =
        |n: u32, until| Change::housekeeping(NOW).first_time(ReplayKey::new("j", &[&n.to_string()]), until);
    for n in 0..3 {
        place.commit(key(n, NOW)).await;
    }
    place.commit(key(3, LATER)).await;
    let until = |until| Authority { until, ..authority() };
    let old = Token { authority: until(NumericDate(NOW.0 - 86_400)), ..token("old") };
    let just = Token { authority: until(NOW), ..token("just") };
    place
        .keep(vec![kept(old), kept(just), kept(token("live")), Record::BrowserSession(session("c", "s"))])
        .await;
    assert_eq!(place.store.sweep(NOW).await.unwrap(), 4);
    assert_eq!(place.store.sweep(NOW).await.unwrap(), 0);
    // People look at tasks a while longer; what is a part of one goes before it.
    let long_ago = NumericDate(NOW.0 - 31 * 86_400);
    let done = |name: &str, parent| Task { deadline: long_ago, ..task(name, "k", parent) };
    place
        .keep(vec![
            Record::Task(done("w", None)),
            Record::Task(done("part", Some("w"))),
            Record::Task(Task { deadline: NOW, ..task("now", "k", None) }),
        ])
        .await;
    assert_eq!(place.store.sweep(NOW).await.unwrap() + place.store.sweep(NOW).await.unwrap(), 2);
    let left = place.store.tasks_of_consent(&id("k")).await.unwrap();
    assert_eq!(left.iter().map(|line| line[0].id.as_str()).collect::<Vec<_>>(), ["now"]);
    assert!(place.token_lives("live").await && place.lives(Anchor::Session(id("s"))).await);
    assert!(place.store.commit(key(3, LATER)).await.is_err());
    assert!(place.store.commit(key(2, LATER)).await.is_ok());
}

async fn a_row_that_fits_no_type_is_corrupt(place: &Place) {
    place.keep(vec![Record::Consent(consent("k"))]).await;
    let writer = &place.store.0.core.writer;
    sql::execute(writer, "UPDATE consent SET document = '{}'", vec![]).await.unwrap();
    let other = Store::open(&place.url).await.unwrap();
    let corrupt = StoreError::Corrupt { table: "consent", id: "k".into() };
    assert_eq!(other.find_consent(&id("k")).await, Err(corrupt));
    other.close().await;
}
