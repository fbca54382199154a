//! What waits, and what was approved and not fetched, ends with everything that it comes from, and nothing else does.

use crate::admin_api::{Ops, token};
use crate::workload::instances;

use super::*;

on_both_databases! {
    what_waits_ends_with_the_consent_and_the_page_says_so,
    at_each_level_of_ending_exactly_what_hangs_on_it_waits_no_longer,
    what_was_asked_in_other_ways_and_not_had_yet_ends_at_its_levels_too,
}

async fn what_waits_ends_with_the_consent_and_the_page_says_so(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    for approved in [false, true] {
        let asked = waits(&house, &agent).await;
        let page = question(&alice).await;
        if approved {
            approve(&alice).await;
        }
        let account = alice.page("/account").await;
        let ended = account.submit(&account.form_to("/account/consents/end"), None).await.page().text();
        assert!(ended.contains("1 code or request"), "{ended}");
        house.told("consent.end", "granted").await;
        poll(&agent, &asked).await.refused("access_denied");
        house.told("deferral.poll", "access_denied").await;
        assert!(alice.page("/approvals").await.html.contains("no-approvals"));
        assert_eq!(page.approve(|_| {}).await.page().status, 400);
    }
}

/// What is ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Level {
    Token,
    Family,
    Task,
    /// The same, by the agent's own hand.
    OwnTask,
    Consent,
    Instance,
    Agent,
    Subject,
    Approver,
    Owner,
    Revocation,
}

const LEVELS: [Level; 11] = [
    Level::Token,
    Level::Family,
    Level::Task,
    Level::OwnTask,
    Level::Consent,
    Level::Instance,
    Level::Agent,
    Level::Subject,
    Level::Approver,
    Level::Owner,
    Level::Revocation,
];

impl Level {
    /// Who asks, and who is to approve.
    const fn parties(self) -> (&'static str, &'static str) {
        match self {
            Self::Instance => ("runner", "alice"),
            Self::Subject | Self::Revocation => ("agent-b", "bob"),
            Self::Approver => ("agent-c", "admin"),
            _ => ("agent-a", "alice"),
        }
    }

    /// What the client is told that asks for its answer.
    const fn poll(self) -> &'static str {
        match self {
            // It cannot authenticate any more.
            Self::Instance | Self::Agent | Self::Owner => "invalid_client",
            _ => "access_denied",
        }
    }

    /// What the audit log calls it.
    const fn action(self) -> &'static str {
        match self {
            Self::Token | Self::Family => "token.revoke",
            Self::Task | Self::OwnTask => "task.revoke",
            Self::Consent => "consent.end",
            Self::Instance => "instance.end",
            Self::Agent => "agent.suspend",
            Self::Subject | Self::Approver => "user.end",
            Self::Owner => "owner.end",
            Self::Revocation => "user.revoke",
        }
    }

    /// Whether another request of the same client, of another consent, goes on waiting.
    const fn has_sibling(self) -> bool {
        matches!(
            self,
            Self::Token | Self::Family | Self::Task | Self::OwnTask | Self::Consent | Self::Instance
        )
    }

    /// Ends it; `told` is the event of a request that hangs on it, `jti` a token of its family.
    async fn end(self, ops: &Ops, told: &Value, jti: &str) {
        let id = |name: &str| told[name].as_str().unwrap().to_owned();
        let ended = match self {
            Self::Token => ops.end("token", &id("parent"), "revoke").await,
            Self::Family => ops.end("family", jti, "revoke").await,
            Self::Task => ops.end("task", &id("task"), "revoke").await,
            Self::OwnTask => {
                let agent = ops.house.client("agent-a");
                let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
                agent.call("POST", &format!("/tasks/{}/revoke", id("task")), own.access_token()).await
            }
            Self::Consent => ops.end("consent", &id("consent"), "revoke").await,
            Self::Instance => ops.end_instance("runner", "run-1").await,
            Self::Agent => ops.end("agent", "agent-a", "suspend").await,
            Self::Subject => ops.end("user", &ops.user("alice").await, "revoke").await,
            Self::Approver => ops.end("user", &ops.user("admin").await, "revoke").await,
            Self::Owner => ops.end("owner", &ops.user("bob").await, "suspend").await,
            Self::Revocation => {
                let whom = json!({ "sub_id": { "format": "opaque", "id": ops.user("alice").await } });
                let issued = token(&ops.house, &ops.ops).await;
                let path = "/global-token-revocation";
                let done = ops.ops.call_with("POST", path, &issued, &[], Some(&whom)).await;
                assert_eq!(done.status, 204, "{}", done.body);
                done
            }
        };
        if self != Self::Revocation {
            let ended = ended.ok().json["ended"].clone();
            let counts = if self == Self::OwnTask { &ended } else { &ended["counts"] };
            let pending = counts["pending"].as_u64().unwrap();
            assert!(pending >= 2, "{self:?}: {pending}");
        }
    }

    /// Lets those act again who were suspended.
    async fn resume(self, ops: &Ops) {
        let suspended: &[&str] = match self {
            Self::Agent => &["agent-a"],
            Self::Owner => &["agent-a", "agent-b", "agent-c", "runner", "other"],
            _ => &[],
        };
        for agent in suspended {
            ops.end("agent", agent, "resume").await.ok();
        }
    }
}

/// A story of `client`'s own, from which it asks by refresh or by exchange, as often as it wants.
struct Story {
    client: Client,
    /// The token to exchange, or to refresh.
    from: String,
    by_refresh: bool,
    jti: String,
}

impl Story {
    async fn begin(house: &House, client: &Client, by_refresh: bool) -> Self {
        if !by_refresh {
            let from = given(house, client).await;
            let jti = unverified_claims(&from)["jti"].as_str().unwrap().to_owned();
            return Self { client: client.clone(), from, by_refresh, jti };
        }
        let ask = house.ask(client).scope("offline_access orders:read orders:write").resource(ORDERS);
        let got = ask.approved_by(&house.signed_in("alice").await).await.redeem(client).await.ok();
        let jti = got.claims()["jti"].as_str().unwrap().to_owned();
        Self { client: client.clone(), from: got.text("refresh_token").to_owned(), by_refresh, jti }
    }

    async fn ask(&self) -> Answer {
        let answer = match self.by_refresh {
            true => self.client.refresh(&self.from, &WAITING).await,
            false => self.client.exchange(&self.from, &WAITING).await,
        };
        answer.refused("authorization_pending")
    }
}

const RUNNERS: &str = r#"
[[rules]]
id = "alice-approves-runs"
client = "runner"
effect = "ask"
scope = "orders:write"
"#;

async fn at_each_level_of_ending_exactly_what_hangs_on_it_waits_no_longer(database: Database) {
    let platform = instances::platform().await;
    let ops =
        Ops::on_with(database, &format!("{}\n{RULES}\n{RUNNERS}", instances::declared(&platform))).await;
    let house = &ops.house;
    let stock = [
        ("grant_type", "client_credentials"),
        ("scope", "inventory:write"),
        ("resource", INVENTORY),
        ("completion_mode", "deferred"),
    ];
    for level in LEVELS {
        let (client, approver) = level.parties();
        let named = |run: &str| match client {
            "runner" => instances::run(&platform, house, run),
            client => house.client(client),
        };
        let story = Story::begin(house, &named("run-1"), level == Level::Family).await;
        // Whose request has nothing to do with any of it.
        let (stranger, theirs) = match level {
            Level::Approver => (house.client("agent-b"), "bob"),
            _ => (house.client("orders-api"), "admin"),
        };
        let other = match level {
            Level::Approver => waits(house, &stranger).await,
            _ => stranger.token(&stock).await.refused("authorization_pending"),
        };
        let person = house.signed_in(approver).await;
        let approved = story.ask().await;
        approve(&person).await;
        let waiting = story.ask().await;
        let told = house.told("deferral.ask", "granted").await;
        let page = question(&person).await;
        let sibling = match level.has_sibling() {
            true => {
                let client = if level == Level::Instance { named("run-2") } else { named("run-1") };
                let story = Story::begin(house, &client, false).await;
                Some((story.ask().await, story.client))
            }
            false => None,
        };

        level.end(&ops, &told, &story.jti).await;
        house.told(level.action(), "granted").await;
        for asked in [&approved, &waiting] {
            let refused = poll(&story.client, asked).await;
            assert_eq!(refused.text("error"), level.poll(), "{level:?}: {}", refused.body);
        }
        let person = house.signed_in(approver).await;
        let list = person.page("/approvals").await.html;
        assert!(!list.contains(&page.path), "{level:?}");
        assert_eq!(list.contains("no-approvals"), sibling.is_none(), "{level:?}");
        assert_eq!(person.page(&page.path).await.status, 400, "{level:?}");
        let mut form = page.form();
        form.fill("csrf", person.page("/approvals").await.form_to("/approvals/user-code").value("csrf"));
        let fields = [form.fields.clone(), vec![("decision".to_owned(), "approve".to_owned())]].concat();
        assert_eq!(person.post(&form.action, &fields).await.page().status, 400, "{level:?}");

        if let Some((asked, client)) = sibling {
            poll(&client, &asked).await.refused("authorization_pending");
            client.post("/revoke", &[("token", asked.text("deferral_code"))]).await.ok();
        }
        poll(&stranger, &other).await.refused("authorization_pending");
        approve(&house.signed_in(theirs).await).await;
        poll(&stranger, &other).await.ok();
        // What ended stays ended.
        level.resume(&ops).await;
        if matches!(level, Level::Agent | Level::Owner) {
            for asked in [&approved, &waiting] {
                poll(&story.client, asked).await.refused("access_denied");
            }
        }
    }
}

/// A question from afar that was answered and not asked for again, a code that was not redeemed, and a pushed request.
async fn what_was_asked_in_other_ways_and_not_had_yet_ends_at_its_levels_too(database: Database) {
    // The pushed request is nobody's yet: it ends with its client alone.
    for (level, pushed_ends) in [
        (Level::Consent, false),
        (Level::Agent, true),
        (Level::Owner, true),
        (Level::Subject, false),
        (Level::Revocation, false),
    ] {
        let town = Elsewhere::on(database).await;
        let house = &town.house;
        let store = house.store();
        let (asker, agent) = (town.client("agent-d"), house.client("agent-a"));
        let alice = house.signed_in("alice").await;
        let asked = town.ask_alice(&asker, &[]).await.ok();
        town.question(&alice).await.approve(|_| {}).await.page();
        let answered = house.last_event().await;
        let open = town.ask_alice(&asker, &[]).await.ok();
        let ask = || house.ask(&agent).scope("orders:read").resource(ORDERS);
        let code = ask().approved_by(&alice).await;
        let of_code = house.last_event().await;
        let pushed = ask().pushed(&agent).await;
        // Bob's, who has nothing to do with any of it.
        let shop = house.client("shop");
        let bob = house.signed_in("bob").await;
        let bobs = house.ask(&shop).scope("orders:read").resource(ORDERS).approved_by(&bob).await;

        let user = store.find_user_by_username("alice").await.unwrap().unwrap().id.clone();
        let owner = store.find_user_by_username("bob").await.unwrap().unwrap().id.clone();
        let consent = |event: &Value| event["consent"].as_str().unwrap().parse().unwrap();
        use server::store::{Change, Ending};
        let change = || Change::housekeeping(house.door().now());
        let change = match level {
            Level::Consent => {
                let both = [consent(&answered), consent(&of_code)].map(Ending::Consent);
                both.into_iter().fold(change(), Change::end)
            }
            Level::Agent => {
                let both = ["agent-d", "agent-a"].map(|id| Ending::Agent(id.parse().unwrap()));
                both.into_iter().fold(change(), Change::end)
            }
            Level::Owner => change().end(Ending::Owner(owner.clone())),
            Level::Revocation => {
                change().set_account(user.clone(), protocol::ending::AccountOperation::Revoke)
            }
            _ => change().end(Ending::User(user.clone())),
        };
        let ended = store.commit(change).await.unwrap().ended;
        assert!(ended.pending >= 2, "{level:?} {ended:?}");
        // Whoever was suspended with their owner acts again.
        if level == Level::Owner {
            for agent in ["agent-a", "agent-d"] {
                let resume = change_to(house, agent);
                store.commit(resume).await.unwrap();
            }
        }
        let refused = town.poll(&asker, &asked).await;
        assert!(
            ["invalid_grant", "access_denied"].contains(&refused.text("error")),
            "{level:?} {}",
            refused.body
        );
        if level != Level::Consent {
            let refused = town.poll(&asker, &open).await;
            assert_eq!(refused.text("error"), "access_denied", "{level:?} {}", refused.body);
        }
        code.redeem(&agent).await.refused("invalid_grant");
        let alice = house.signed_in("alice").await;
        let brought = pushed.brought_by(&alice).await.page();
        assert_eq!(brought.status == 400, pushed_ends, "{level:?} {}", brought.text());
        bobs.redeem(&shop).await.ok();
    }
}

/// Lets an agent act again.
fn change_to(house: &House, agent: &str) -> server::store::Change {
    let change = server::store::Change::housekeeping(house.door().now());
    change.operate(agent.parse().unwrap(), protocol::ending::Operation::Resume)
}
