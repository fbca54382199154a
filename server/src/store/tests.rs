//! The store's promises, on SQLite always and on PostgreSQL where `PROCURA_TEST_DATABASE_URL` names one in which
//! databases may be made.

use std::collections::BTreeSet;

use protocol::actor::Chain;
use protocol::audience::Audience;
use protocol::audit::{Action, AuditEvent, Outcome};
use protocol::authority::Authority;
use protocol::authorization_details::{AuthorizationDetails, built_in};
use protocol::client::{Agent, Client, ClientAuthentication, ClientKind, ClientStatus, SigningAlg};
use protocol::code::Code;
use protocol::consent::{Consent, ConsentState, PassingOn};
use protocol::identifier::{ConsentId, TokenId};
use protocol::numeric_date::NumericDate;
use protocol::task::{Intent, Task, TaskStatus};
use protocol::token::{Login, Subject, TaskRef, Token, TokenKind};
use protocol::user::User;
use serde_json::json;

use super::*;
use crate::secret::{Secret, SecretDigest, SystemEntropy, random_id};

const NOW: NumericDate = NumericDate(1_800_000_000);
const LATER: NumericDate = NumericDate(1_800_003_600);

/// A database that nobody opened yet.
struct Site {
    url: String,
    folder: Option<tempfile::TempDir>,
}

impl Site {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/deep/er/store.db?mode=rwc", folder.path().display());
        Self { url, folder: Some(folder) }
    }

    async fn postgres() -> Option<Self> {
        let base = std::env::var("PROCURA_TEST_DATABASE_URL").ok()?;
        let name = random_id(&SystemEntropy, "t").to_lowercase().replace(['-', '_'], "x");
        execute_at(&base, &[format!("CREATE DATABASE {name}")]).await;
        let url = format!("{}/{name}", base.rsplit_once('/').unwrap().0);
        Some(Self { url, folder: None })
    }

    async fn open(self) -> Place {
        let store = Store::open(&self.url).await.unwrap();
        Place { store, url: self.url, folder: self.folder }
    }
}

/// Executes statements at another database.
async fn execute_at(url: &str, statements: &[String]) {
    use sea_orm::ConnectionTrait as _;
    let db = sea_orm::Database::connect(url).await.unwrap();
    for statement in statements {
        db.execute_unprepared(statement).await.unwrap();
    }
    db.close().await.unwrap();
}

/// A store of its own, and where it lies.
struct Place {
    store: Store,
    url: String,
    folder: Option<tempfile::TempDir>,
}

impl Place {
    async fn commit(&self, change: Change) -> Committed {
        self.store.commit(change).await.unwrap()
    }

    async fn keep(&self, records: Vec<Record>) {
        self.commit(records.into_iter().fold(Change::housekeeping(NOW), Change::keep)).await;
    }

    async fn lives(&self, anchor: Anchor) -> bool {
        self.store.is_alive(&[anchor], NOW).await.unwrap().is_ok()
    }

    async fn token_lives(&self, id: &str) -> bool {
        self.lives(Anchor::Token(id.parse().unwrap())).await
    }

    async fn log(&self) -> Vec<i64> {
        self.store.audit_after(0, 10_000).await.unwrap().iter().map(|event| event.seq).collect()
    }

    /// Commits what `make` makes, 50 times at once; how many went through, and what the others were told.
    async fn race(&self, make: impl Fn(usize) -> Change) -> (usize, Vec<CommitError>) {
        let commits: Vec<_> = (0..50)
            .map(|n| {
                let (store, change) = (self.store.clone(), make(n));
                tokio::spawn(async move { store.commit(change).await })
            })
            .collect();
        let (mut won, mut lost) = (0, Vec::new());
        for commit in commits {
            match commit.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => lost.push(error),
            }
        }
        (won, lost)
    }
}

/// Makes of each promise one test for SQLite and one for PostgreSQL.
macro_rules! promises {
    ($($name:ident;)*) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::promise::$name(&super::Site::sqlite().open().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(site) = super::Site::postgres().await {
                    super::promise::$name(&site.open().await).await;
                }
            }
        }
    )*};
}

promises! {
    a_code_is_redeemed_once;
    a_refresh_token_is_rotated_once;
    a_key_is_seen_once;
    a_one_time_thing_is_taken_once_and_in_time;
    equal_keys_in_one_batch_have_one_winner;
    a_change_whose_anchor_ended_writes_nothing;
    an_anchor_lives_only_as_long_as_it_says;
    a_task_lives_only_while_its_ancestors_do;
    ending_a_consent_ends_its_subtree_and_nothing_else;
    nothing_is_derived_from_a_consent_that_ends_at_the_same_moment;
    ending_a_family_ends_what_came_of_it;
    ending_a_session_ends_what_hangs_on_it;
    a_code_that_comes_again_ends_what_it_produced;
    the_log_has_no_gaps;
    a_change_that_lost_is_not_told_in_the_log;
    a_poisonous_change_fails_alone;
    what_was_written_is_there_when_opened_again;
    the_configuration_leaves_alone_what_an_admin_declared;
    another_process_is_believed_after_a_second;
    a_hot_read_asks_nothing_of_the_database;
    sweeping_deletes_what_is_over_and_nothing_else;
    a_closed_store_writes_what_waited_and_nothing_more;
    a_row_that_fits_no_type_is_corrupt;
    many_changes_share_a_transaction;
}

fn digest(text: &str) -> SecretDigest {
    SecretDigest::of(text)
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn event() -> AuditEvent {
    AuditEvent::new(Action::TokenExchange, Outcome::Granted, NOW)
}

fn authority() -> Authority {
    Authority {
        scope: "read".parse().unwrap(),
        details: AuthorizationDetails::none(),
        resources: BTreeSet::new(),
        until: LATER,
    }
}

fn consent(name: &str) -> Consent {
    Consent {
        id: id(name),
        user: id("alice"),
        client: id("app"),
        actor: id("agent"),
        authority: authority(),
        passing_on: PassingOn::UpTo(2),
        offline_access: false,
        created_at: NOW,
        state: ConsentState::Active,
    }
}

fn task(name: &str, consent: &str, parent: Option<&str>) -> Task {
    Task {
        id: id(name),
        root: id(parent.unwrap_or(name)),
        parent: parent.map(id),
        consent: id(consent),
        user: id("alice"),
        actor: id("agent"),
        intent: Intent::default(),
        intent_hash: String::new(),
        details: AuthorizationDetails::none(),
        authority_hash: String::new(),
        deadline: LATER,
        status: TaskStatus::Active,
        version: 1,
        created_at: NOW,
    }
}

fn token(name: &str) -> Token {
    Token {
        id: id(name),
        kind: TokenKind::Access,
        client: id("app"),
        subject: Subject::User(id("alice")),
        chain: Chain::none(),
        may_act: None,
        audience: Audience::Resources,
        authority: authority(),
        jkt: None,
        issued_at: NOW,
        login: None,
        consent: None,
        task: None,
        parent: None,
        family: None,
        session: None,
    }
}

fn under(consent: &str, name: &str) -> Token {
    Token { consent: Some(id(consent)), ..token(name) }
}

fn child(parent: &str, token: Token) -> Token {
    Token { parent: Some(id(parent)), ..token }
}

fn kept(token: Token) -> Record {
    let digest = digest(token.id.as_str());
    Record::Token { token, digest }
}

fn refresh(name: &str, family: &str) -> Record {
    kept(Token { kind: TokenKind::Refresh, family: Some(id(family)), ..token(name) })
}

fn code(name: &str, consent: &str) -> Record {
    let code = Code {
        client: id("app"),
        user: id("alice"),
        consent: id(consent),
        task: None,
        requested_actor: None,
        authority: authority(),
        redirect_uri: "https://app.example/cb".into(),
        code_challenge: None,
        nonce: None,
        dpop_jkt: None,
        login: Login { auth_time: NOW, acr: None, amr: vec![] },
        session: id("s1"),
        auth_time_requested: false,
    };
    Record::Code { digest: digest(name), code, expires_at: LATER }
}

fn client(name: &str, shown: &str) -> Client {
    Client {
        id: id(name),
        name: shown.into(),
        kind: ClientKind::Service,
        authentication: ClientAuthentication::None,
        redirect_uris: vec![],
        post_logout_redirect_uris: vec![],
        grant_types: BTreeSet::new(),
        scope: "read".parse().unwrap(),
        resources: BTreeSet::new(),
        authorization_details_types: BTreeSet::new(),
        dpop_bound_access_tokens: false,
        require_pushed_authorization_requests: false,
        id_token_signed_response_alg: SigningAlg::Es256,
        resource_server: None,
        status: ClientStatus::Active,
    }
}

fn user(name: &str) -> User {
    User {
        id: id(name),
        username: name.to_uppercase(),
        name: name.into(),
        password_hash: None,
        claims: serde_json::Map::new(),
        admin: false,
        enabled: true,
    }
}

fn session(name: &str, session: &str) -> BrowserSession {
    BrowserSession {
        id: name.into(),
        session: id(session),
        user: Some(id("alice")),
        expires_at: LATER,
        document: json!({"n": 1}),
    }
}

mod promise {
    use super::*;

    pub(super) async fn a_code_is_redeemed_once(place: &Place) {
        place.keep(vec![code("c", "k")]).await;
        let redeem = |n: usize| {
            let token = token(&format!("t{n}"));
            Change::new(event())
                .take(Take::Code { digest: digest("c"), token: Some(token.id.clone()) })
                .keep(kept(token))
        };
        let (won, lost) = place.race(redeem).await;
        assert_eq!(won, 1);
        assert!(lost.iter().all(|e| *e == CommitError::Conflict(Conflict::AlreadyTaken)), "{lost:?}");
        assert!(place.store.find_code(&digest("c")).await.unwrap().unwrap().redeemed);
        let mut issued = 0;
        for n in 0..50 {
            issued += usize::from(place.token_lives(&format!("t{n}")).await);
        }
        assert_eq!(issued, 1);
        // The code names the winner's token, whoever else was in the batch.
        place.commit(Change::new(event()).end(Ending::CodeTokens(digest("c")))).await;
        for n in 0..50 {
            assert!(!place.token_lives(&format!("t{n}")).await);
        }
    }

    pub(super) async fn a_refresh_token_is_rotated_once(place: &Place) {
        place.keep(vec![refresh("r", "f")]).await;
        let rotate = |n: usize| {
            Change::new(event())
                .requires(Anchor::Token(id("r")))
                .requires(Anchor::Family(id("f")))
                .take(Take::Refresh(id("r")))
                .keep(refresh(&format!("r{n}"), "f"))
        };
        let (won, lost) = place.race(rotate).await;
        assert_eq!((won, lost.len()), (1, 49));
        assert!(lost.iter().all(|e| matches!(e, CommitError::Conflict(_))), "{lost:?}");
        assert!(!place.token_lives("r").await);
    }

    pub(super) async fn a_key_is_seen_once(place: &Place) {
        let key = ReplayKey::new("dpop", &["k", "jti"]);
        let (won, lost) = place.race(|_| Change::housekeeping(NOW).first_time(key, LATER)).await;
        assert_eq!(won, 1);
        assert!(lost.iter().all(|e| *e == CommitError::Conflict(Conflict::Replayed(key))), "{lost:?}");
    }

    pub(super) async fn a_one_time_thing_is_taken_once_and_in_time(place: &Place) {
        let link = OneTimeLink {
            digest: digest("l"),
            user: id("alice"),
            purpose: "password".into(),
            expires_at: LATER,
        };
        let (document, expires_at) = (json!({"a": 1}), LATER);
        let pushed = Record::PushedRequest { digest: digest("p"), client: id("app"), document, expires_at };
        let waiting = Record::Interaction { id: "i".into(), document: json!({"b": 1}), expires_at };
        place.keep(vec![Record::OneTimeLink(link.clone()), pushed, waiting]).await;
        let store = &place.store;
        assert_eq!(store.find_one_time_link(&digest("l"), NOW).await.unwrap(), Some(link));
        assert_eq!(
            store.find_pushed_request(&digest("p"), NOW).await.unwrap().unwrap().document,
            json!({"a": 1})
        );
        assert_eq!(store.find_interaction("i", NOW).await.unwrap().unwrap().document, json!({"b": 1}));
        assert!(store.find_interaction("i", LATER).await.unwrap().is_none());
        for take in
            [Take::OneTimeLink(digest("l")), Take::PushedRequest(digest("p")), Take::Interaction("i".into())]
        {
            let taken = Err(CommitError::Conflict(Conflict::AlreadyTaken));
            let late = store.commit(Change::housekeeping(LATER).take(take.clone())).await;
            assert_eq!(late, taken, "{take:?} is over");
            place.commit(Change::housekeeping(NOW).take(take.clone())).await;
            let again = store.commit(Change::housekeeping(NOW).take(take.clone())).await;
            assert_eq!(again, taken, "{take:?} twice");
        }
        assert!(store.find_one_time_link(&digest("l"), NOW).await.unwrap().is_none());
        assert!(store.find_pushed_request(&digest("p"), NOW).await.unwrap().is_none());
        assert!(store.find_interaction("i", NOW).await.unwrap().is_none());
    }

    pub(super) async fn equal_keys_in_one_batch_have_one_winner(place: &Place) {
        let key = |n: usize| ReplayKey::new("jti", &[&n.to_string()]);
        place.keep(vec![code("c", "k")]).await;
        let prepared = |n: usize, change: Change| {
            let rows = keeping::Rows::of(vec![kept(token(&format!("t{n}")))]).unwrap();
            batch::Prepared { change, rows }
        };
        let take = || Take::Code { digest: digest("c"), token: None };
        let changes = [
            prepared(0, Change::new(event()).first_time(key(1), LATER)),
            prepared(1, Change::new(event()).first_time(key(1), LATER).first_time(key(2), LATER)),
            prepared(2, Change::new(event()).first_time(key(3), LATER).take(take())),
            prepared(3, Change::new(event()).first_time(key(4), LATER).take(take())),
        ];
        let batch: Vec<_> = changes.iter().collect();
        let Ok(verdicts) = batch::run(&place.store.0.core.writer, &batch).await else { panic!("no commit") };
        let seq = |seq| Ok(Committed { seq: Some(seq), ended: Ended::default() });
        assert_eq!(verdicts, [seq(1), Err(Conflict::Replayed(key(1))), seq(2), Err(Conflict::AlreadyTaken)]);
        assert!(place.token_lives("t0").await && !place.token_lives("t1").await);
        assert!(place.token_lives("t2").await && !place.token_lives("t3").await);
    }

    pub(super) async fn a_change_whose_anchor_ended_writes_nothing(place: &Place) {
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

    pub(super) async fn an_anchor_lives_only_as_long_as_it_says(place: &Place) {
        let agent =
            Agent { owner: id("alice"), purpose: "p".into(), expires_at: LATER, max_chain_depth: None };
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

    pub(super) async fn a_task_lives_only_while_its_ancestors_do(place: &Place) {
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
        assert_eq!(done.ended, Ended { consents: 0, tasks: 3, tokens: 1 });
        assert!(!place.lives(Anchor::Task(id("low"))).await);
        assert!(!place.token_lives("t").await && place.token_lives("free").await);
        let found = place.store.find_task(&id("mid")).await.unwrap().unwrap();
        assert_eq!((found.status, found.version), (TaskStatus::Revoked, 2));
    }

    pub(super) async fn ending_a_consent_ends_its_subtree_and_nothing_else(place: &Place) {
        let of = TaskRef { authority_hash: String::new(), id: id("w"), root: id("w") };
        place
            .keep(vec![
                Record::Consent(consent("k")),
                Record::Consent(consent("other")),
                Record::Task(task("w", "k", None)),
                Record::Task(task("ow", "other", None)),
                code("c", "k"),
                code("oc", "other"),
                kept(under("k", "t1")),
                kept(Token { task: Some(of), ..under("k", "t2") }),
                kept(child("t1", under("other", "t3"))),
                kept(child("t3", under("other", "t4"))),
                kept(under("other", "o1")),
                kept(child("o1", under("other", "o2"))),
            ])
            .await;
        let done = place.commit(Change::new(event()).end(Ending::Consent(id("k")))).await;
        assert_eq!(done.ended, Ended { consents: 1, tasks: 1, tokens: 4 });
        for dead in ["t1", "t2", "t3", "t4"] {
            assert!(!place.token_lives(dead).await, "{dead}");
        }
        for alive in ["o1", "o2"] {
            assert!(place.token_lives(alive).await, "{alive}");
        }
        assert!(!place.lives(Anchor::Task(id("w"))).await && place.lives(Anchor::Task(id("ow"))).await);
        assert!(place.store.find_code(&digest("c")).await.unwrap().unwrap().redeemed);
        assert!(!place.store.find_code(&digest("oc")).await.unwrap().unwrap().redeemed);
        assert!(place.lives(Anchor::Consent(id("other"))).await);
        let again = place.commit(Change::new(event()).end(Ending::Consent(id("k")))).await;
        assert_eq!(again.ended, Ended::default());
        assert!(place.store.tokens_of_consent(&id("k"), NOW).await.unwrap().is_empty());
        assert_eq!(place.store.tokens_of_consent(&id("other"), NOW).await.unwrap().len(), 2);
        let live = place.store.consents_for(&id("alice"), &id("agent"), None, NOW).await.unwrap();
        assert_eq!(live.into_iter().map(|c| c.id).collect::<Vec<_>>(), [id::<ConsentId>("other")]);
    }

    pub(super) async fn nothing_is_derived_from_a_consent_that_ends_at_the_same_moment(place: &Place) {
        place.keep(vec![Record::Consent(consent("k")), kept(under("k", "root"))]).await;
        let derive = |n: usize| {
            if n == 25 {
                return Change::new(event()).end(Ending::Consent(id("k")));
            }
            let change = Change::new(event()).requires(Anchor::Token(id("root")));
            // Half of them under another consent: only the lineage leads to them.
            let consent = if n.is_multiple_of(2) { "k" } else { "elsewhere" };
            change.keep(kept(child("root", under(consent, &format!("d{n}")))))
        };
        let (won, lost) = place.race(derive).await;
        assert!(won >= 1 && lost.iter().all(|e| matches!(e, CommitError::Conflict(_))), "{lost:?}");
        for n in 0..50 {
            assert!(!place.token_lives(&format!("d{n}")).await, "d{n}");
        }
        assert_eq!(place.log().await, (1..=i64::try_from(won).unwrap()).collect::<Vec<_>>());
    }

    pub(super) async fn ending_a_family_ends_what_came_of_it(place: &Place) {
        place
            .keep(vec![refresh("r1", "f"), kept(child("r1", token("a1"))), kept(child("a1", token("e1")))])
            .await;
        let rotate = Change::housekeeping(NOW).take(Take::Refresh(id("r1"))).keep(refresh("r2", "f"));
        place.commit(rotate).await;
        assert!(place.token_lives("a1").await, "rotation ends the refresh token and nothing else");
        place.keep(vec![refresh("x", "g")]).await;
        let done = place.commit(Change::new(event()).end(Ending::Family(id("f")))).await;
        assert_eq!(done.ended.tokens, 3);
        for dead in ["r2", "a1", "e1"] {
            assert!(!place.token_lives(dead).await, "{dead}");
        }
        assert!(place.token_lives("x").await);
        assert!(!place.lives(Anchor::Family(id("f"))).await && place.lives(Anchor::Family(id("g"))).await);
    }

    pub(super) async fn ending_a_session_ends_what_hangs_on_it(place: &Place) {
        let on = |name: &str, session: &str| Token { session: Some(id(session)), ..token(name) };
        place
            .keep(vec![
                Record::BrowserSession(session("c1", "s1")),
                Record::BrowserSession(session("c2", "s2")),
                kept(on("t1", "s1")),
                kept(child("t1", token("t2"))),
                kept(on("u", "s2")),
            ])
            .await;
        place.commit(Change::new(event()).end(Ending::Session(id("s1")))).await;
        assert!(!place.token_lives("t1").await && !place.token_lives("t2").await);
        assert!(place.token_lives("u").await && place.lives(Anchor::Session(id("s2"))).await);
        place.keep(vec![Record::BrowserSession(session("c1", "s1"))]).await;
        assert!(
            place.store.find_browser_session("c1", NOW).await.unwrap().is_none(),
            "it does not rise again"
        );
        let there = place.store.find_browser_session("c2", NOW).await.unwrap();
        assert_eq!(there, Some(session("c2", "s2")));
        place.commit(Change::housekeeping(NOW).drop_session("c2")).await;
        assert!(place.store.find_browser_session("c2", NOW).await.unwrap().is_none());
        assert!(place.token_lives("u").await, "dropping a cookie ends nothing");
    }

    pub(super) async fn a_code_that_comes_again_ends_what_it_produced(place: &Place) {
        place.keep(vec![code("c", "k"), kept(token("free"))]).await;
        let access = Token { family: Some(id("f")), ..token("a") };
        let redeem = Change::new(event())
            .take(Take::Code { digest: digest("c"), token: Some(access.id.clone()) })
            .keep(kept(access))
            .keep(refresh("r", "f"));
        place.commit(redeem).await;
        place.keep(vec![kept(child("a", token("e")))]).await;
        let again = Change::new(event()).bump_attempts(digest("c")).end(Ending::CodeTokens(digest("c")));
        assert_eq!(place.commit(again).await.ended.tokens, 3);
        for dead in ["a", "r", "e"] {
            assert!(!place.token_lives(dead).await, "{dead}");
        }
        assert!(place.token_lives("free").await && !place.lives(Anchor::Family(id("f"))).await);
        assert_eq!(place.store.find_code(&digest("c")).await.unwrap().unwrap().attempts, 1);
    }

    pub(super) async fn the_log_has_no_gaps(place: &Place) {
        let key = |n: usize| ReplayKey::new("jti", &[&(n % 40).to_string()]);
        let mut given = Vec::new();
        let commits: Vec<_> = (0..200)
            .map(|n| {
                let store = place.store.clone();
                let change = Change::new(event()).first_time(key(n), LATER);
                tokio::spawn(async move { store.commit(change).await })
            })
            .collect();
        for commit in commits {
            if let Ok(committed) = commit.await.unwrap() {
                given.push(committed.seq.unwrap());
            }
        }
        given.sort_unstable();
        assert_eq!(given, (1..=40).collect::<Vec<_>>());
        assert_eq!(place.log().await, given);
        let newest: Vec<_> = place.store.audit_tail(3).await.unwrap().iter().map(|e| e.seq).collect();
        assert_eq!(newest, [40, 39, 38]);
    }

    pub(super) async fn a_change_that_lost_is_not_told_in_the_log(place: &Place) {
        let take = || Change::new(event()).take(Take::Interaction("nothing".into()));
        assert!(place.store.commit(take()).await.is_err());
        assert!(place.log().await.is_empty());
        assert_eq!(place.commit(Change::new(event())).await.seq, Some(1));
        assert_eq!(place.store.audit_tail(1).await.unwrap()[0].event, event());
    }

    pub(super) async fn a_poisonous_change_fails_alone(place: &Place) {
        place.keep(vec![kept(token("twice"))]).await;
        let change = |n: usize| {
            let name = if n == 7 { "twice".to_owned() } else { format!("t{n}") };
            Change::new(event()).keep(kept(token(&name)))
        };
        let (won, lost) = place.race(change).await;
        assert_eq!(won, 49);
        assert!(matches!(&lost[..], [CommitError::Broken(StoreError::Database(_))]), "{lost:?}");
        assert_eq!(place.log().await, (1..=49).collect::<Vec<_>>());
    }

    pub(super) async fn what_was_written_is_there_when_opened_again(place: &Place) {
        let origin = Origin::Config;
        let server = protocol::resource_server::ResourceServer {
            identifier: id("https://api.example"),
            name: "API".into(),
            scopes: std::collections::BTreeMap::new(),
            details_types: BTreeSet::new(),
            token_format: Default::default(),
            signing_alg: SigningAlg::Es256,
            token_life: None,
        };
        let key = SigningKey {
            kid: "k1".into(),
            alg: "ES256".into(),
            state: "active".into(),
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
        records.extend(
            details_types.iter().cloned().map(|details_type| Record::DetailsType { details_type, origin }),
        );
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
        assert_eq!(*store.details_types().await.unwrap(), details_types);
        assert_eq!(*store.find_consent(&id("k")).await.unwrap().unwrap(), consent("k"));
        assert_eq!(store.consents_of_user(&id("alice")).await.unwrap(), [consent("k")]);
        assert_eq!(store.recent_consents(5).await.unwrap(), [consent("k")]);
        assert_eq!(*store.find_task(&id("w")).await.unwrap().unwrap(), task("w", "k", None));
        assert_eq!(store.tasks_of_consent(&id("k")).await.unwrap(), [task("w", "k", None)]);
        assert_eq!(*store.find_token(&digest("t")).await.unwrap().unwrap(), under("k", "t"));
        assert_eq!(store.find_token_by_id(&id("t")).await.unwrap().unwrap().id, id::<TokenId>("t"));
        assert_eq!(store.find_code(&digest("c")).await.unwrap().unwrap().code.consent, id("k"));
        assert_eq!(store.signing_keys().await.unwrap(), [key]);
        assert_eq!(store.setting("issuer").await.unwrap().unwrap(), "https://as.example");
        assert_eq!(store.commit(Change::new(event())).await.unwrap().seq, Some(2));
        store.close().await;
    }

    pub(super) async fn the_configuration_leaves_alone_what_an_admin_declared(place: &Place) {
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

    pub(super) async fn another_process_is_believed_after_a_second(place: &Place) {
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

    pub(super) async fn a_hot_read_asks_nothing_of_the_database(place: &Place) {
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

    pub(super) async fn sweeping_deletes_what_is_over_and_nothing_else(place: &Place) {
        let key = |n: u32, until| {
            Change::housekeeping(NOW).first_time(ReplayKey::new("j", &[&n.to_string()]), until)
        };
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
        assert!(place.token_lives("live").await && place.lives(Anchor::Session(id("s"))).await);
        assert!(place.store.commit(key(3, LATER)).await.is_err());
        assert!(place.store.commit(key(2, LATER)).await.is_ok());
    }

    pub(super) async fn a_closed_store_writes_what_waited_and_nothing_more(place: &Place) {
        let waiting: Vec<_> = (0..20)
            .map(|n| {
                let store = place.store.clone();
                let change = Change::new(event()).keep(kept(token(&format!("t{n}"))));
                tokio::spawn(async move { store.commit(change).await })
            })
            .collect();
        tokio::task::yield_now().await;
        place.store.close().await;
        let mut answered = 0;
        for one in waiting {
            match one.await.unwrap() {
                Ok(_) => answered += 1,
                Err(error) => assert!(matches!(error, CommitError::Broken(StoreError::Unavailable(_)))),
            }
        }
        let refused = place.store.commit(Change::new(event())).await;
        assert!(matches!(refused, Err(CommitError::Broken(StoreError::Unavailable(_)))), "{refused:?}");
        assert!(place.store.ping().await.is_err());
        let again = Store::open(&place.url).await.unwrap();
        assert_eq!(again.audit_after(0, 100).await.unwrap().len(), answered);
        again.close().await;
    }

    pub(super) async fn a_row_that_fits_no_type_is_corrupt(place: &Place) {
        place.keep(vec![Record::Consent(consent("k"))]).await;
        let writer = &place.store.0.core.writer;
        sql::execute(writer, "UPDATE consent SET document = '{}'", vec![]).await.unwrap();
        let other = Store::open(&place.url).await.unwrap();
        let corrupt = StoreError::Corrupt { table: "consent", id: "k".into() };
        assert_eq!(other.find_consent(&id("k")).await, Err(corrupt));
        other.close().await;
    }

    pub(super) async fn many_changes_share_a_transaction(place: &Place) {
        let (won, _) = place.race(|n| Change::new(event()).keep(kept(token(&format!("t{n}"))))).await;
        let statistics = place.store.statistics();
        assert_eq!((won, statistics.changes), (50, 50));
        assert!(statistics.commits < 50, "{statistics:?}");
        place.store.ping().await.unwrap();
    }
}

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
    let record = Record::Token { token: token("t"), digest: secret.digest() };
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
