//! Stopping agents and people, and everything that they hold.

use protocol::audience::Audience;
use protocol::deferred::{Asked, Deferred, Polling};
use protocol::ending::{AccountOperation, Halt, Operation};
use protocol::identifier::{ClientId, UserId};
use protocol::token::Subject;

use super::*;

promises! {
    what_an_admin_stopped_stays_so_whatever_is_declared;
    an_agent_is_resumed_as_it_is_declared_and_nothing_that_ended_comes_back;
    what_is_retired_stays_so_for_good;
    each_operation_is_done_once;
    what_an_agent_waits_for_is_void;
    what_waits_for_a_user_is_void_and_nothing_of_others;
    nothing_is_issued_to_an_agent_that_is_stopped_at_the_same_moment;
    nothing_is_issued_for_a_user_whose_things_end_at_the_same_moment;
    nothing_is_issued_to_agents_of_an_owner_who_ends_at_the_same_moment;
    stopping_waits_for_what_is_being_issued_and_ends_it_too;
    what_an_admin_disabled_stays_so_whatever_is_declared;
    whoever_was_revoked_has_to_sign_in_before_what_requires_it_is_written;
    what_ended_is_named_and_no_more_of_it_than_a_hundred;
    an_ending_ends_what_is_alive_and_leaves_what_is_over;
    an_ending_looks_only_at_what_hangs_on_it;
}

fn agent(name: &str, owner: &str) -> Client {
    let agent =
        Agent { owner: id(owner), purpose: "Works.".into(), expires_at: LATER, max_chain_depth: None };
    Client { kind: ClientKind::Agent(agent), ..client(name, name) }
}

fn declared(client: Client) -> Record {
    Record::Client { client, origin: Origin::Config }
}

fn operate(operation: Operation) -> Change {
    Change::new(event()).operate(id("agent"), operation)
}

async fn status(place: &Place) -> ClientStatus {
    place.store.find_client(&id("agent")).await.unwrap().unwrap().status
}

async fn halt(place: &Place) -> Option<Halt> {
    place.store.find_halt(&id("agent")).await.unwrap().map(|halted| halted.halt)
}

async fn what_an_admin_stopped_stays_so_whatever_is_declared(place: &Place) {
    place.keep(vec![declared(agent("agent", "olga"))]).await;
    assert!(place.lives(Anchor::Client(id("agent"))).await);
    place.commit(operate(Operation::Suspend)).await;
    let halted = place.store.find_halt(&id("agent")).await.unwrap();
    assert_eq!(halted, Some(Halted { halt: Halt::Suspended, at: NOW }));
    // The configuration says that it is active, and says another name; that alone is taken.
    let renamed = Client { name: "Renamed".into(), ..agent("agent", "olga") };
    for origin in [Origin::Config, Origin::Admin] {
        place.keep(vec![Record::Client { client: renamed.clone(), origin }]).await;
        let found = place.store.find_client(&id("agent")).await.unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.status), ("Renamed", ClientStatus::Suspended));
        assert!(!place.lives(Anchor::Client(id("agent"))).await);
    }
    let declared = place.store.find_declaration(&id("agent")).await.unwrap();
    assert_eq!(declared, Some(renamed), "what is declared is told as it was declared");
    assert_eq!(place.store.find_halt(&id("nobody")).await.unwrap(), None);
    let all = place.store.clients().await.unwrap();
    assert_eq!(all[0].status, ClientStatus::Suspended);
}

async fn an_agent_is_resumed_as_it_is_declared_and_nothing_that_ended_comes_back(place: &Place) {
    place.keep(vec![declared(agent("agent", "olga")), Record::Consent(consent("k"))]).await;
    place.keep(vec![kept(under("k", "t"))]).await;
    let done = place.commit(operate(Operation::Suspend)).await;
    assert_eq!(done.ended, Ended { consents: 1, tokens: 1, agents: 1, ..Ended::default() });
    let done = place.commit(operate(Operation::Resume)).await;
    assert_eq!(done.ended, Ended::default());
    assert_eq!((status(place).await, halt(place).await), (ClientStatus::Active, None));
    assert!(place.lives(Anchor::Client(id("agent"))).await);
    assert!(!place.token_lives("t").await && !place.lives(Anchor::Consent(id("k"))).await);
    // One that is declared no more is not given back by lifting what the admin did.
    let undeclared = Client { status: ClientStatus::Suspended, ..agent("agent", "olga") };
    place.commit(operate(Operation::Suspend)).await;
    place.keep(vec![declared(undeclared)]).await;
    place.commit(operate(Operation::Resume)).await;
    assert_eq!((status(place).await, halt(place).await), (ClientStatus::Suspended, None));
    place.keep(vec![declared(agent("agent", "olga"))]).await;
    assert_eq!(status(place).await, ClientStatus::Active);
}

async fn what_is_retired_stays_so_for_good(place: &Place) {
    place.keep(vec![declared(agent("agent", "olga"))]).await;
    place.commit(operate(Operation::Suspend)).await;
    place.commit(operate(Operation::Retire)).await;
    for operation in Operation::ALL {
        let refused = place.store.commit(operate(operation)).await;
        assert!(matches!(refused, Err(CommitError::Conflict(Conflict::AlreadyTaken))), "{operation:?}");
    }
    place.commit(Change::new(event()).end(Ending::Owner(id("olga")))).await;
    place.keep(vec![declared(agent("agent", "olga"))]).await;
    assert_eq!((status(place).await, halt(place).await), (ClientStatus::Retired, Some(Halt::Retired)));
}

async fn each_operation_is_done_once(place: &Place) {
    place.keep(vec![declared(agent("agent", "olga"))]).await;
    for operation in [Operation::Suspend, Operation::Resume, Operation::Retire] {
        let (won, lost) = place.race(|_| operate(operation)).await;
        assert_eq!((won, lost.len()), (1, 49), "{operation:?}");
        let taken = |error: &CommitError| matches!(error, CommitError::Conflict(Conflict::AlreadyTaken));
        assert!(lost.iter().all(taken), "{lost:?}");
    }
    assert_eq!(place.log().await, [1, 2, 3], "what was not done is not told");
    let nobody = Change::new(event()).operate(id("nobody"), Operation::Suspend);
    assert!(place.store.commit(nobody).await.is_err());
}

fn deferred(name: &str, client: &str, user: Option<&str>) -> Record {
    Record::Deferred(DeferredRequest {
        digest: digest(name),
        id: format!("req_{name}"),
        user: user.map(id),
        user_code: None,
        polling: Polling { interval: Seconds(5), polled_at: None, expires_at: LATER },
        answered: false,
        delivery: Some("sealed".into()),
        request: Deferred {
            client: id(client),
            instance: None,
            asked: Asked {
                scope: None,
                resources: BTreeSet::new(),
                authorization_details: None,
                requested_actor: None,
                acr_values: Vec::new(),
                grant_management: None,
            },
            way: protocol::deferred::Way::Device { from: None },
            dpop_jkt: None,
            certificate: None,
            asked_at: NOW,
        },
    })
}

fn pushed(name: &str, client: &str) -> Record {
    Record::PushedRequest {
        digest: digest(name),
        client: id(client),
        instance: None,
        document: json!({}),
        expires_at: LATER,
    }
}

async fn waits(place: &Place, name: &str) -> bool {
    place.store.find_deferred(&digest(name)).await.unwrap().unwrap().waits(NOW)
}

async fn what_an_agent_waits_for_is_void(place: &Place) {
    let delivery = AnswerDelivery { digest: digest("d1"), due_at: NOW, expires_at: LATER };
    place
        .keep(vec![
            declared(agent("agent", "olga")),
            pushed("p1", "agent"),
            pushed("p2", "app"),
            deferred("d1", "agent", Some("alice")),
            deferred("d2", "app", Some("alice")),
            Record::AnswerDelivery(delivery),
        ])
        .await;
    let done = place.commit(operate(Operation::Suspend)).await;
    assert_eq!(done.ended, Ended { pending: 2, agents: 1, ..Ended::default() });
    assert!(place.store.find_pushed_request(&digest("p1"), NOW).await.unwrap().is_none());
    assert!(place.store.find_pushed_request(&digest("p2"), NOW).await.unwrap().is_some());
    assert!(!waits(place, "d1").await && waits(place, "d2").await);
    let told = place.store.claim_answers(None, NOW, Seconds(10), 10).await.unwrap();
    assert!(told.is_empty(), "it is told nothing any more");
    assert_eq!(place.store.find_deferred(&digest("d1")).await.unwrap().unwrap().delivery, None);
}

async fn what_waits_for_a_user_is_void_and_nothing_of_others(place: &Place) {
    let link = |name: &str, user: &str| {
        let (digest, user) = (digest(name), id(user));
        Record::OneTimeLink(OneTimeLink { digest, user, purpose: "set_password".into(), expires_at: LATER })
    };
    let of = |name: &str, user: &str| BrowserSession { user: Some(id(user)), ..session(name, name) };
    place
        .keep(vec![
            deferred("d1", "app", Some("alice")),
            deferred("d2", "app", Some("bob")),
            deferred("d3", "app", None),
            link("l1", "alice"),
            link("l2", "bob"),
            Record::BrowserSession(of("s1", "alice")),
            Record::BrowserSession(of("s2", "alice")),
            Record::BrowserSession(of("s3", "bob")),
            Record::Consent(consent("k")),
            code("c", "k"),
        ])
        .await;
    let done = place.commit(Change::new(event()).end(Ending::User(id("alice")))).await;
    assert_eq!(done.ended, Ended { consents: 1, sessions: 2, pending: 3, ..Ended::default() });
    assert!(!waits(place, "d1").await && waits(place, "d2").await && waits(place, "d3").await);
    assert!(place.store.find_one_time_link(&digest("l1"), NOW).await.unwrap().is_none());
    assert!(place.store.find_one_time_link(&digest("l2"), NOW).await.unwrap().is_some());
    for (name, alive) in [("s1", false), ("s2", false), ("s3", true)] {
        assert_eq!(place.lives(Anchor::Session(id(name))).await, alive, "{name}");
    }
    assert!(place.store.find_code(&digest("c")).await.unwrap().unwrap().redeemed);
}

/// What every grant requires of a token of this client for this user.
fn issue(n: usize, client: &str, user: Option<&str>) -> Change {
    let parent = if n.is_multiple_of(2) { "root" } else { "other" };
    let subject = match user {
        Some(user) => Subject::User(id(user)),
        None => token("t").subject,
    };
    let token = Token { client: id(client), subject, ..token(&format!("n{n}")) };
    let change = Change::new(event())
        .requires(Anchor::Client(id(client)))
        .requires(Anchor::User(id("alice")))
        .requires(Anchor::Token(id(parent)));
    change.keep(kept(child(parent, token)))
}

/// Two roots that live, each of them alice's; `root` is the agent's.
async fn prepare(place: &Place) {
    let mut records = vec![
        Record::User { user: user("alice"), origin: Origin::Config },
        kept(Token { client: id("agent"), ..token("root") }),
        kept(token("other")),
    ];
    let names = ["agent", "second"].map(|name| agent(name, "olga"));
    records.extend(names.into_iter().chain([client("app", "app")]).map(declared));
    place.keep(records).await;
}

async fn nothing_is_issued_to_an_agent_that_is_stopped_at_the_same_moment(place: &Place) {
    prepare(place).await;
    race(place, || operate(Operation::Suspend), |n| issue(n, "agent", None)).await;
    place.commit(operate(Operation::Resume)).await;
    for n in 0..50 {
        assert!(!place.token_lives(&format!("n{n}")).await, "n{n} came back");
    }
    assert!(place.token_lives("other").await);
}

async fn nothing_is_issued_for_a_user_whose_things_end_at_the_same_moment(place: &Place) {
    prepare(place).await;
    let end = || Change::new(event()).end(Ending::User(id("alice")));
    race(place, end, |n| issue(n, if n.is_multiple_of(3) { "app" } else { "agent" }, Some("alice"))).await;
    assert!(!place.token_lives("root").await && !place.token_lives("other").await);
}

async fn nothing_is_issued_to_agents_of_an_owner_who_ends_at_the_same_moment(place: &Place) {
    prepare(place).await;
    let end = || Change::new(event()).end(Ending::Owner(id("olga")));
    race(place, end, |n| issue(n, if n.is_multiple_of(3) { "second" } else { "agent" }, None)).await;
    for name in ["agent", "second"] {
        assert!(!place.lives(Anchor::Client(id::<ClientId>(name))).await, "{name}");
    }
    assert!(place.lives(Anchor::User(id::<UserId>("alice"))).await && place.token_lives("other").await);
}

/// Issues 49 tokens and ends once, all at the same moment; then none lives, and none can be issued any more.
async fn race(place: &Place, end: impl Fn() -> Change, issue: impl Fn(usize) -> Change) {
    let (won, lost) = place.race(|n| if n == 25 { end() } else { issue(n) }).await;
    assert!(won >= 1 && lost.iter().all(|e| matches!(e, CommitError::Conflict(_))), "{lost:?}");
    for n in 0..50 {
        assert!(!place.token_lives(&format!("n{n}")).await, "n{n}");
    }
    for n in [2, 4, 6] {
        let after = place.store.commit(issue(100 + n)).await;
        assert!(matches!(after, Err(CommitError::Conflict(Conflict::NotAlive(_)))), "{after:?}");
    }
    assert_eq!(place.log().await, (1..=i64::try_from(won).unwrap()).collect::<Vec<_>>());
}

async fn stopping_waits_for_what_is_being_issued_and_ends_it_too(place: &Place) {
    use sea_orm::TransactionTrait as _;
    prepare(place).await;
    // Another writer, half way: the agent was alive to it, and the token that it issues, derived from nothing, is not
    // yet to be seen.
    let other = place.store.0.core.writer.begin().await.unwrap();
    let issue = Change::housekeeping(NOW).requires(Anchor::Client(id("agent")));
    let lives = crate::store::anchors::Lives::hold(&other, &[&issue]).await.unwrap();
    assert!(lives.first_dead(&issue.requires, NOW).is_none());
    let late = Token { client: id("agent"), ..token("late") };
    let rows = keeping::Rows::of(vec![kept(late)]).unwrap();
    keeping::write(&other, &[&rows]).await.unwrap();
    let store = place.store.clone();
    let stopping = tokio::spawn(async move { store.commit(operate(Operation::Suspend)).await });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!stopping.is_finished());
    other.commit().await.unwrap();
    let named = Named { agents: vec!["agent".into()], ..Named::default() };
    let wanted = Ended { tokens: 2, agents: 1, named, ..Ended::default() };
    assert_eq!(stopping.await.unwrap().unwrap().ended, wanted);
    assert!(!place.token_lives("late").await && !place.token_lives("root").await);
    assert!(place.token_lives("other").await);
}

fn set_account(operation: AccountOperation) -> Change {
    Change::new(event()).set_account(id("alice"), operation)
}

async fn what_an_admin_disabled_stays_so_whatever_is_declared(place: &Place) {
    let declared = |name: &str| Record::User {
        user: User { name: name.into(), ..user("alice") },
        origin: Origin::Config,
    };
    place.keep(vec![declared("Alice"), Record::Consent(consent("k"))]).await;
    let done = place.commit(set_account(AccountOperation::Disable)).await;
    assert_eq!(done.ended, Ended { consents: 1, ..Ended::default() });
    assert_eq!(place.store.find_account_halt(&id("alice")).await.unwrap(), Some(NOW));
    let again = place.store.commit(set_account(AccountOperation::Disable)).await;
    assert_eq!(again, Err(CommitError::Conflict(Conflict::AlreadyTaken)));
    place.keep(vec![declared("Alice A.")]).await;
    let found = place.store.find_user(&id("alice")).await.unwrap().unwrap();
    assert_eq!((found.name.as_str(), found.enabled), ("Alice A.", false));
    assert!(!place.lives(Anchor::User(id("alice"))).await);
    let written = place.store.find_declared_user("alice").await.unwrap().unwrap();
    assert!(written.enabled, "what is declared is told as it was declared");

    place.commit(set_account(AccountOperation::Enable)).await;
    assert!(place.lives(Anchor::User(id("alice"))).await);
    let again = place.store.commit(set_account(AccountOperation::Enable)).await;
    assert_eq!(again, Err(CommitError::Conflict(Conflict::AlreadyTaken)));
    // Whom the configuration does not know any more, no admin brings back.
    place.commit(set_account(AccountOperation::Disable)).await;
    let gone = User { enabled: false, ..user("alice") };
    place.keep(vec![Record::User { user: gone, origin: Origin::Config }]).await;
    place.commit(set_account(AccountOperation::Enable)).await;
    assert!(!place.lives(Anchor::User(id("alice"))).await);
}

async fn whoever_was_revoked_has_to_sign_in_before_what_requires_it_is_written(place: &Place) {
    place.keep(vec![Record::User { user: user("alice"), origin: Origin::Config }]).await;
    let issue = || {
        Change::new(event())
            .requires(Anchor::User(id("alice")))
            .requires_signed_in(SignedIn::Here(id("alice")))
    };
    place.commit(issue()).await;
    place.commit(set_account(AccountOperation::Revoke)).await;
    assert!(place.lives(Anchor::User(id("alice"))).await, "they can sign in");
    let refused = place.store.commit(issue()).await;
    assert_eq!(refused, Err(CommitError::Conflict(Conflict::NotSignedIn)));
    for _ in 0..2 {
        place.commit(set_account(AccountOperation::SignIn)).await;
        place.commit(issue()).await;
    }
}

async fn what_ended_is_named_and_no_more_of_it_than_a_hundred(place: &Place) {
    let names: Vec<String> = (0..120).map(|n| format!("k{n:03}")).collect();
    place.keep(names.iter().map(|name| Record::Consent(consent(name))).collect()).await;
    place.keep(vec![Record::Task(task("t", "k000", None))]).await;
    let ending = Change::new(event()).end(Ending::User(id("alice")));
    let done = place.store.commit(ending).await.unwrap().ended;
    assert_eq!((done.consents, done.named.consents.len()), (120, Named::MOST));
    assert!(done.named.consents.iter().all(|id| names.contains(id)));
    assert_eq!((done.tasks, done.named.tasks), (1, vec!["t".to_owned()]));
}

async fn an_ending_ends_what_is_alive_and_leaves_what_is_over(place: &Place) {
    let over = |name: &str| {
        let plain = token(name);
        let authority = Authority { until: NOW, ..plain.authority.clone() };
        Token { client: id("agent"), authority, ..plain }
    };
    let alive = |name: &str| Token { client: id("agent"), ..token(name) };
    let handed = |name: &str| Token { audience: Audience::Actor(id("agent")), ..token(name) };
    let mut records = vec![declared(agent("agent", "olga"))];
    records.extend((0..50).map(|n| kept(over(&format!("over-{n}")))));
    records.extend([kept(alive("alive")), kept(handed("handed"))]);
    place.keep(records).await;
    // Otherwise whoever had many tokens yesterday would take long to stop today.
    let ended = place.commit(operate(Operation::Suspend)).await.ended;
    assert_eq!(ended.tokens, 2, "what was issued to it, and what was handed over to it");
    for (name, lives) in [("alive", false), ("handed", false)] {
        assert_eq!(place.lives(Anchor::Token(id(name))).await, lives, "{name}");
    }
}

async fn an_ending_looks_only_at_what_hangs_on_it(place: &Place) {
    let reader = &place.store.0.core.reader;
    if reader.get_database_backend() != sea_orm::DbBackend::Sqlite {
        return;
    }
    for ending in [
        Ending::Token(id("t")),
        Ending::Family(id("f")),
        Ending::Task(id("w")),
        Ending::Consent(id("k")),
        Ending::Instance(protocol::instance::Instance::new(&id("agent"), &id("run-1"))),
        Ending::Agent(id("agent")),
        Ending::User(id("alice")),
        Ending::Session(id("s")),
    ] {
        let (tasks, tokens) = crate::store::endings::statements(&ending);
        for statement in tasks.into_iter().chain([tokens]) {
            let all = vec!["x".into(), NOW.0.into()];
            let values = if statement.contains("$2") { all } else { vec!["x".into()] };
            for row in sql::query(reader, &format!("EXPLAIN QUERY PLAN {statement}"), values).await.unwrap() {
                let step: String = row.try_get_by_index(3).unwrap();
                let whole = ["SCAN token", "SCAN t", "SCAN task"].contains(&step.as_str());
                assert!(!whole && !step.contains("token_expires_at"), "{ending:?}: {step}\n{statement}");
            }
        }
    }
}
