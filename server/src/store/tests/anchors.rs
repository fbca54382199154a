//! What must be alive for a change to be written.

use sea_orm::TransactionTrait as _;

use super::*;

promises! {
    a_change_whose_anchor_ended_writes_nothing;
    an_anchor_lives_only_as_long_as_it_says;
    a_task_lives_only_while_its_ancestors_do;
    nobody_waits_in_a_circle_for_the_tasks_of_one_line;
    of_many_at_once_as_many_tasks_are_opened_as_there_is_room_for;
    a_session_begins_only_with_the_password_that_it_was_proven_by;
    an_account_is_written_only_as_it_was_read;
}

async fn an_account_is_written_only_as_it_was_read(place: &Place) {
    let admin = |admin| User { admin, ..user("alice") };
    let write = |before: &User, after: User| {
        let change = Change::housekeeping(NOW).requires_unchanged(before);
        place.store.commit(change.keep(Record::User { user: after, origin: Origin::Admin }))
    };
    let changed = Err(CommitError::Conflict(Conflict::Changed));
    place.keep(vec![Record::User { user: admin(true), origin: Origin::Admin }]).await;
    // Somebody takes the right away while somebody else, who read it before, writes another name.
    assert!(write(&admin(true), admin(false)).await.is_ok());
    let stale = User { name: "Alice B.".into(), ..admin(true) };
    assert_eq!(write(&admin(true), stale).await, changed);
    let now = place.store.find_user_now(&id("alice")).await.unwrap().unwrap();
    assert_eq!(*now, admin(false), "what was taken away stays away");
    let named = |name: &str| User { name: name.into(), ..admin(false) };
    let before = admin(false);
    let (a, b, c) =
        tokio::join!(write(&before, named("a")), write(&before, named("b")), write(&before, named("c")));
    let won = [&a, &b, &c].iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(won, 1, "of several at one moment one: {a:?} {b:?} {c:?}");
    assert_eq!(write(&user("nobody"), user("nobody")).await, changed, "there is no such account");
}

async fn a_session_begins_only_with_the_password_that_it_was_proven_by(place: &Place) {
    let with = |hash: Option<&str>| User { password_hash: hash.map(str::to_owned), ..user("alice") };
    let (old, new, none) = (with(Some("old")), with(Some("new")), with(None));
    let begin = |user: &User, cookie: &str| {
        Change::housekeeping(NOW)
            .requires_password(id("alice"), crate::store::password_mark(user))
            .keep(Record::BrowserSession(session(cookie, cookie)))
    };
    let out = Err(CommitError::Conflict(Conflict::NotAlive(Anchor::User(id("alice")))));
    let is_there = async |cookie: &str| place.lives(Anchor::Session(id(cookie))).await;
    assert_eq!(place.store.commit(begin(&none, "nobody")).await, out, "there is no such user");
    for (now, others) in [(&old, [&new, &none]), (&none, [&old, &new]), (&new, [&old, &none])] {
        place.keep(vec![Record::User { user: now.clone(), origin: Origin::Admin }]).await;
        for other in others {
            assert_eq!(place.store.commit(begin(other, "other")).await, out);
        }
        assert!(!is_there("other").await);
        place.commit(begin(now, "same")).await;
        assert!(is_there("same").await);
    }
}

async fn a_change_whose_anchor_ended_writes_nothing(place: &Place) {
    place.keep(vec![Record::Consent(consent("k"))]).await;
    place.commit(Change::housekeeping(NOW).end(Ending::Consent(id("k")))).await;
    let key = ReplayKey::new("jti", &["1"]);
    let change = || {
        Change::new(event())
            .requires(Anchor::Consent(id("k")))
            .first_time(key, LATER)
            .keep(kept(under("k", "t")))
    };
    let dead = Err(CommitError::Conflict(Conflict::NotAlive(Anchor::Consent(id("k")))));
    assert_eq!(place.store.commit(change()).await, dead);
    assert_eq!(place.store.commit(change()).await, dead, "not even its key was marked");
    assert!(place.store.find_token(&digest("t")).await.unwrap().is_none());
    assert!(place.log().await.is_empty());
    let found = place.store.find_consent(&id("k")).await.unwrap().unwrap();
    assert_eq!(found.state, ConsentState::Revoked);
}

async fn an_anchor_lives_only_as_long_as_it_says(place: &Place) {
    let agent = Agent { owner: id("alice"), purpose: "p".into(), expires_at: LATER, max_chain_depth: None };
    let origin = Origin::Admin;
    let agent = Client { kind: ClientKind::Agent(agent), ..client("agent", "A") };
    let suspended = Client { status: ClientStatus::Suspended, ..client("off", "O") };
    let disabled = User { enabled: false, ..user("bob") };
    place
        .keep(vec![
            Record::Client { client: agent, origin },
            Record::Client { client: suspended, origin },
            Record::Client { client: client("app", "App"), origin },
            Record::User { user: user("alice"), origin },
            Record::User { user: disabled, origin },
            Record::Consent(consent("k")),
            Record::Task(task("w", "k", None)),
            Record::BrowserSession(session("cookie", "s")),
            kept(token("t")),
        ])
        .await;
    let ending = [
        Anchor::Client(id("agent")),
        Anchor::Consent(id("k")),
        Anchor::Task(id("w")),
        Anchor::Session(id("s")),
        Anchor::Token(id("t")),
    ];
    let lasting = [Anchor::Client(id("app")), Anchor::User(id("alice")), Anchor::Family(id("f"))];
    let all = [ending.as_slice(), &lasting].concat();
    assert_eq!(place.store.is_alive(&all, NOW).await.unwrap(), Ok(()));
    assert_eq!(place.store.is_alive(&lasting, LATER).await.unwrap(), Ok(()));
    for anchor in ending {
        let asked = [anchor.clone()];
        assert_eq!(place.store.is_alive(&asked, LATER).await.unwrap(), Err(anchor));
    }
    for dead in [
        Anchor::Client(id("off")),
        Anchor::User(id("bob")),
        Anchor::Client(id("nobody")),
        Anchor::Token(id("nobody")),
    ] {
        assert!(!place.lives(dead.clone()).await, "{dead:?}");
    }
}

async fn a_task_lives_only_while_its_ancestors_do(place: &Place) {
    let of = |name: &str| TaskRef { authority_hash: String::new(), id: id(name), root: id("top") };
    place
        .keep(vec![
            Record::Task(task("top", "k", None)),
            Record::Task(task("mid", "k2", Some("top"))),
            Record::Task(task("low", "k2", Some("mid"))),
            Record::Task(task("lost", "k2", Some("nowhere"))),
            kept(Token { task: Some(of("low")), ..token("t") }),
            kept(token("free")),
        ])
        .await;
    assert!(place.lives(Anchor::Task(id("low"))).await);
    assert!(!place.lives(Anchor::Task(id("lost"))).await);
    let done = place.commit(Change::housekeeping(NOW).end(Ending::Task(id("top")))).await;
    assert_eq!(done.ended, Ended { tasks: 3, tokens: 1, ..Ended::default() });
    assert!(!place.lives(Anchor::Task(id("low"))).await);
    assert!(!place.token_lives("t").await && place.token_lives("free").await);
    let found = place.store.find_task(&id("mid")).await.unwrap().unwrap();
    assert_eq!((found.status, found.version), (TaskStatus::Revoked, 2));
}

async fn nobody_waits_in_a_circle_for_the_tasks_of_one_line(place: &Place) {
    let postgres = place.url.starts_with("postgres");
    // PostgreSQL finds a circle after this long; with one order for all there is none to find.
    if let Some(name) = place.url.rsplit('/').next().filter(|_| postgres) {
        let patient = format!("ALTER DATABASE {name} SET deadlock_timeout = '10min'");
        sql::execute(&place.store.0.core.writer, &patient, Vec::new()).await.unwrap();
    }
    let nodes = [Store::open(&place.url).await.unwrap(), Store::open(&place.url).await.unwrap()];
    place.keep(vec![Record::Consent(consent("k"))]).await;
    let pause = || tokio::time::sleep(std::time::Duration::from_millis(300));
    // The part comes before its giver's task in the order of names, and after it.
    for (part, whole, made) in [("a-part", "z-whole", "t1"), ("z-part", "a-whole", "t2")] {
        place
            .keep(vec![Record::Task(task(whole, "k", None)), Record::Task(task(part, "k", Some(whole)))])
            .await;
        let reader = sea_orm::Database::connect(&place.url).await.unwrap();
        let held = reader.begin().await.unwrap();
        if postgres {
            // Somebody looks at the part, so that whoever ends the whole waits in the middle of it.
            let look = "SELECT id FROM task WHERE id = $1 FOR SHARE";
            sql::query(&held, look, vec![part.into()]).await.unwrap();
        }
        let take = Take::Task { id: id(whole), version: 1, status: TaskStatus::Revoked, suspended_by: None };
        let change = Change::housekeeping(NOW).take(take).end(Ending::Task(id(whole)));
        let (one, other) = (nodes[0].clone(), nodes[1].clone());
        let ender = tokio::spawn(async move { one.commit(change).await });
        pause().await;
        let change = Change::housekeeping(NOW).requires(Anchor::Task(id(part))).keep(kept(token(made)));
        let deriver = tokio::spawn(async move { other.commit(change).await });
        pause().await;
        held.commit().await.unwrap();
        let both = async { (ender.await.unwrap(), deriver.await.unwrap()) };
        let (ended, derived) = tokio::time::timeout(std::time::Duration::from_secs(60), both).await.unwrap();
        assert!(ended.is_ok(), "{ended:?}");
        // Either it was there before the end, or it was refused.
        let dead = Err(CommitError::Conflict(Conflict::NotAlive(Anchor::Task(id(part)))));
        assert!(derived.is_ok() || derived == dead, "{derived:?}");
        reader.close().await.unwrap();
    }
    for node in nodes {
        node.close().await;
    }
}

async fn of_many_at_once_as_many_tasks_are_opened_as_there_is_room_for(place: &Place) {
    let other = Store::open(&place.url).await.unwrap();
    place.keep(vec![Record::Consent(consent("k")), Record::Task(task("w", "k", None))]).await;
    // There are one, four and eight tasks under the consent when it begins with a kind.
    let roots = |most| Room::Tasks { consent: id("k"), most };
    let parts = |most| Room::Parts { parent: id("w"), most };
    let kept = |most| Room::Kept { consent: id("k"), most };
    for (rooms, parent, most) in [
        ([roots(4), kept(99)], None, 3),
        ([parts(4), kept(99)], Some("w"), 4),
        ([roots(99), kept(10)], None, 2),
    ] {
        let open = |n: usize| {
            let name = format!("{}{}{n}", parent.unwrap_or("root"), rooms[0].most());
            let task = Record::Task(task(&name, "k", parent));
            let change = Change::housekeeping(NOW).requires(Anchor::Consent(id("k")));
            let change =
                parent.map(|parent| Anchor::Task(id(parent))).into_iter().fold(change, Change::requires);
            let change = rooms.clone().into_iter().fold(change, Change::room).keep(task);
            let store = if n.is_multiple_of(2) { place.store.clone() } else { other.clone() };
            tokio::spawn(async move { store.commit(change).await })
        };
        let opened: Vec<_> = (0..20).map(open).collect();
        let mut in_there = 0;
        for one in opened {
            match one.await.unwrap() {
                Ok(_) => in_there += 1,
                Err(error) => assert_eq!(error, CommitError::Conflict(Conflict::NoRoom)),
            }
        }
        assert_eq!(in_there, most, "{rooms:?}");
    }
    other.close().await;
}
