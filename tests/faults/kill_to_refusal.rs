//! What is ended at one node is refused at the other: by its first answer, while both are busy, and while an ending that
//! is large still goes on.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use protocol::delegation::Issuable;
use protocol::token::Token;
use serde_json::{Value, json};
use server::secret::SecretDigest;
use server::store::{Change, Record};
use sqlx::{Connection as _, Row as _};
use tests::{Answer, Authentication, Client, Database, House, Key, Neighbour, ORDERS, Person, random};

/// How many orders at each level.
const ORDERED: usize = 8;
/// How many exchanges are under way beside them.
const BESIDE: usize = 6;

/// A house of two nodes with a program that ends things at the first.
struct Nodes {
    house: House,
    far: Neighbour,
    ops: Client,
    /// The keys of the agents that are stopped.
    keys: Vec<Arc<Key>>,
    alice: Person,
}

/// An agent that is stopped, as it is declared.
fn declared(n: usize, key: &Key) -> String {
    format!(
        "[[agents]]\nid = \"runner-{n}\"\nname = \"Runner {n}\"\nowner = \"bob\"\npurpose = \"Runs.\"\n\
         expires = 2099-01-01T00:00:00Z\nredirect_uris = [\"https://runner-{n}.example/callback\"]\n\
         scope = \"openid offline_access orders:read orders:write\"\nresources = [\"{ORDERS}\"]\njwks = {}\n",
        key.jwks_toml()
    )
}

impl Nodes {
    async fn open() -> Self {
        let key = Arc::new(Key::generate());
        let ops = format!(
            "[[clients]]\nid = \"ops\"\nname = \"Ops\"\nkind = \"service\"\nauthentication = \"private_key_jwt\"\n\
             admin_api = true\nscope = \"admin:endings\"\njwks = {}\n",
            key.jwks_toml()
        );
        let keys: Vec<Arc<Key>> = (0..ORDERED).map(|_| Arc::new(Key::generate())).collect();
        let runners: String = keys.iter().enumerate().map(|(n, key)| declared(n, key)).collect();
        let house = House::build(Database::Postgres, |town| format!("{town}\n{ops}\n{runners}")).await;
        let far = house.neighbour().await;
        let ops = Client::new(house.door(), "ops", Authentication::PrivateKeyJwt(key)).with_dpop();
        let alice = house.signed_in("alice").await;
        Self { house, far, ops, keys, alice }
    }

    /// Who acts in the story of an order: an agent of its own where it is the agent that is stopped.
    fn agent(&self, level: Level, n: usize) -> Client {
        if level != Level::Agent {
            return self.house.client("agent-a");
        }
        let authentication = Authentication::PrivateKeyJwt(Arc::clone(&self.keys[n]));
        Client::new(self.house.door(), &format!("runner-{n}"), authentication).with_dpop()
    }

    /// A token for the admin API.
    async fn word(&self) -> String {
        let resource = self.house.url("/admin/api");
        let params = [("grant_type", "client_credentials"), ("resource", resource.as_str())];
        self.ops.token(&params).await.ok().access_token().to_owned()
    }

    /// Alice lets the agent act in her absence, and the other node knows all of it by heart.
    async fn story(&self, agent: &Client) -> Story {
        let ask = self.house.ask(agent).scope("openid offline_access orders:read orders:write");
        let first = ask.approved_by(&self.alice).await.redeem(agent).await.ok();
        let agent = self.far.serving(agent.clone());
        let again = agent.refresh(first.text("refresh_token"), &[]).await.ok();
        let refresh = again.json["refresh_token"].as_str().unwrap_or(first.text("refresh_token")).to_owned();
        let mut story = Story {
            api: self.far.serving(self.house.client("orders-api")),
            derived: String::new(),
            token: again.access_token().to_owned(),
            consent: first.text("grant_id").to_owned(),
            claims: again.claims(),
            agent,
            refresh,
        };
        story.derived = story.exchange().await.ok().access_token().to_owned();
        assert_eq!(story.introspect().await.json["active"], true);
        story.userinfo().await.ok();
        story
    }
}

/// What an agent has, asking at the other node.
struct Story {
    agent: Client,
    api: Client,
    consent: String,
    token: String,
    /// What came of it.
    derived: String,
    refresh: String,
    claims: Value,
}

impl Story {
    async fn exchange(&self) -> Answer {
        self.agent.exchange(&self.token, &[("scope", "orders:read"), ("resource", ORDERS)]).await
    }

    async fn introspect(&self) -> Answer {
        self.api.introspect(&self.derived).await
    }

    async fn userinfo(&self) -> Answer {
        self.agent.call("GET", "/userinfo", &self.token).await
    }

    async fn refresh(&self) -> Answer {
        self.agent.refresh(&self.refresh, &[]).await
    }

    /// Asks everything at once; each first answer is a refusal.
    async fn is_refused(&self, level: Level) {
        let refreshes = async {
            // A token that is ended alone leaves the refresh token that it came with.
            if level == Level::Token { None } else { Some(self.refresh().await) }
        };
        let (told, userinfo, exchanged, refreshed) =
            tokio::join!(self.introspect(), self.userinfo(), self.exchange(), refreshes);
        assert_eq!((told.status, &told.json), (200, &json!({ "active": false })), "{level}");
        userinfo.refused_with(401, "invalid_token");
        let refused = |answer: Answer, codes: &[&str]| {
            assert!(
                [400, 401].contains(&answer.status) && codes.contains(&answer.text("error")),
                "{level}: {} {}",
                answer.status,
                answer.body
            );
        };
        match level {
            // Whether it may still authenticate is known a moment later than that it gets nothing.
            Level::Agent => {
                refused(exchanged, &["invalid_client", "invalid_request"]);
                refused(refreshed.unwrap(), &["invalid_client", "invalid_grant"]);
            }
            _ => {
                refused(exchanged, &["invalid_request"]);
                if let Some(refreshed) = refreshed {
                    refused(refreshed, &["invalid_grant"]);
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Token,
    Task,
    Consent,
    Agent,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token => "token",
            Self::Task => "task",
            Self::Consent => "consent",
            Self::Agent => "agent",
        })
    }
}

impl Level {
    const ALL: [Self; 4] = [Self::Token, Self::Task, Self::Consent, Self::Agent];

    fn order(self, story: &Story) -> Value {
        let id = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, operation) = match self {
            Self::Token => (id(&story.claims["jti"]), "revoke"),
            Self::Task => (id(&story.claims["task"]["id"]), "revoke"),
            Self::Consent => (story.consent.clone(), "revoke"),
            Self::Agent => (story.agent.id.clone(), "suspend"),
        };
        json!({ "level": self.to_string(), "id": id, "operation": operation })
    }
}

const ENDINGS: &str = "/admin/api/v1/endings";

/// Another agent exchanges at both nodes until it is told to stop.
fn load(
    nodes: &Nodes,
    subject: &str,
    done: &Arc<AtomicBool>,
) -> (Arc<AtomicUsize>, Vec<tokio::task::JoinHandle<()>>) {
    let answered = Arc::new(AtomicUsize::new(0));
    let runners = (0..BESIDE).map(|n| {
        let agent = nodes.house.client("agent-b");
        let agent = if n.is_multiple_of(2) { agent } else { nodes.far.serving(agent) };
        let (subject, done, answered) = (subject.to_owned(), Arc::clone(done), Arc::clone(&answered));
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let answer = agent.exchange(&subject, &[("scope", "orders:read")]).await;
                answered.fetch_add(usize::from(answer.status == 200), Ordering::Relaxed);
            }
        })
    });
    let runners = runners.collect();
    (answered, runners)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_ended_at_one_node_is_refused_by_the_first_answer_of_the_other_under_load() {
    if !Database::postgres_is_there("what_is_ended_at_one_node") {
        return;
    }
    let nodes = Nodes::open().await;
    let subject = nodes.house.token_for(&nodes.house.client("agent-b"), "orders:read").await;
    // What each order ends hangs on no other one's.
    let mut stories = Vec::new();
    for level in Level::ALL {
        for n in 0..ORDERED {
            stories.push((level, nodes.story(&nodes.agent(level, n)).await));
        }
    }
    let word = nodes.word().await;
    let done = Arc::new(AtomicBool::new(false));
    let (answered, runners) = load(&nodes, &subject, &done);
    for told in stories.chunks(ORDERED) {
        let before = answered.load(Ordering::Relaxed);
        let (level, mut took, mut spoken) = (told[0].0, Vec::new(), Vec::new());
        for (_, story) in told {
            let order = level.order(story);
            let ordered = Instant::now();
            let ended = nodes.ops.call_with("POST", ENDINGS, &word, &[], Some(&order)).await.ok();
            spoken.push(ordered.elapsed());
            story.is_refused(level).await;
            took.push(ordered.elapsed());
            assert!(ended.json["ended"]["counts"]["tokens"].as_u64().unwrap() >= 2, "{}", ended.body);
        }
        let beside = answered.load(Ordering::Relaxed) - before;
        assert!(beside > 0, "there was no load: this shows nothing");
        eprintln!(
            "{level}: from the order to its answer {}; to the last of the first refusals at the other node {}; \
             {beside} exchanges beside",
            Spread::of(spoken),
            Spread::of(took)
        );
    }
    done.store(true, Ordering::Relaxed);
    for runner in runners {
        runner.await.unwrap();
    }
}

/// How long something took, half of the time and nearly always.
struct Spread {
    half: Duration,
    last: Duration,
}

impl Spread {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self { half: all[all.len() / 2], last: all[all.len() * 99 / 100] }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.0?}, p99 {:.0?}", self.half, self.last)
    }
}

/// How many tokens the agent holds beside those of its story.
const HELD: u32 = 3000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_holds_thousands_of_tokens_is_refused_at_the_other_node_while_its_ending_still_goes_on()
{
    if !Database::postgres_is_there("an_agent_that_holds_thousands") {
        return;
    }
    let nodes = Nodes::open().await;
    let (store, now) = (nodes.house.store(), nodes.house.door().now());
    let story = nodes.story(&nodes.house.client("agent-a")).await;
    let jti = story.claims["jti"].as_str().unwrap();
    let token = store.find_token_by_id(&jti.parse().unwrap()).await.unwrap().unwrap();
    let texts: Vec<String> = (0..HELD).map(|_| random()).collect();
    for some in texts.chunks(500) {
        let change = some.iter().fold(Change::housekeeping(now), |change, text| {
            let id = format!("tok_{text}").parse().unwrap();
            let token = Token { id, parent: None, status: None, ..Token::clone(&token) };
            let token = Issuable::root(token).unwrap();
            change.keep(Record::Token { token, digest: SecretDigest::of(text) })
        });
        store.commit(change).await.unwrap();
    }
    let mut database = sqlx::PgConnection::connect(nodes.house.database_url()).await.unwrap();
    assert!(alive(&mut database).await > i64::from(HELD));

    // Somebody holds one of them, so that the ending cannot be through before they let go.
    let mut somebody = sqlx::PgConnection::connect(nodes.house.database_url()).await.unwrap();
    let mut busy = somebody.begin().await.unwrap();
    let hold = sqlx::query("SELECT id FROM token WHERE id = $1 FOR UPDATE").bind(format!("tok_{}", texts[0]));
    hold.fetch_one(&mut *busy).await.unwrap();
    let (word, order) = (nodes.word().await, Level::Agent.order(&story));
    let ops = nodes.ops.clone();
    let ending = tokio::spawn(async move { ops.call_with("POST", ENDINGS, &word, &[], Some(&order)).await });
    let agent = &story.agent;
    let mut stopped = false;
    loop {
        let answer = agent.own_token("orders:read", ORDERS).await;
        assert!(!ending.is_finished(), "nothing was held up: this shows nothing");
        assert!(!stopped || answer.status != 200, "it was refused, and then was not: {}", answer.body);
        stopped = answer.status != 200;
        // Until the node hears that it is stopped it believes who comes, looks at what is being ended, and says to try again.
        if answer.json["error"] == "invalid_client" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    story.is_refused(Level::Agent).await;
    for text in texts.iter().step_by(300) {
        let told = story.api.introspect(text).await.ok();
        assert_eq!(told.json, json!({ "active": false }), "{text}");
    }
    assert!(!ending.is_finished(), "nothing was held up: this shows nothing");
    assert!(alive(&mut database).await > i64::from(HELD), "nothing of it is marked yet");

    busy.commit().await.unwrap();
    let ended = ending.await.unwrap().ok();
    let counts = &ended.json["ended"]["counts"];
    assert!(counts["tokens"].as_u64().unwrap() > u64::from(HELD) && counts["agents"] == 1, "{}", ended.body);
    assert_eq!(alive(&mut database).await, 0);
}

/// How many tokens of the agent are not marked as ended.
async fn alive(database: &mut sqlx::PgConnection) -> i64 {
    let count = "SELECT COUNT(*) FROM token WHERE client_id = 'agent-a' AND ended_at IS NULL";
    sqlx::query(count).fetch_one(database).await.unwrap().get(0)
}
