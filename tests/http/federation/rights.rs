//! What somebody may do because of the groups of their upstream: which words they may grant, and that all of it goes
//! when the upstream cannot give it any more.

use serde_json::{Value, json};
use tests::{Arrival, Database, House, ORDERS, on_both_databases};

use super::World;

on_both_databases! {
    a_house_whose_only_admin_came_from_an_upstream_makes_no_other,
    a_word_that_is_kept_for_a_group_is_granted_by_its_members_alone_and_goes_with_the_group,
    an_agent_gets_no_word_that_its_user_may_not_grant_any_more,
    an_upstream_that_is_gone_from_the_configuration_leaves_no_rights_behind,
}

const SALES: &str = "[[upstreams.groups]]\ngroup = \"sales\"\ngroups = [\"support\"]\n";
const OPS: &str = "[[upstreams.groups]]\ngroup = \"ops\"\nadmin = true\n";
const WRITE_FOR_SUPPORT: &str = "scope_groups = { \"orders:write\" = [\"support\", \"bosses\"] }";

/// The scope that a resource server is told of a token; nothing, where it is told that there is none.
async fn told_scope(house: &House, token: &str) -> Value {
    house.client("orders-api").introspect(token).await.ok().json["scope"].clone()
}

async fn a_word_that_is_kept_for_a_group_is_granted_by_its_members_alone_and_goes_with_the_group(
    database: Database,
) {
    let world = World::keeping_for_groups(database, SALES, WRITE_FOR_SUPPORT).await;
    let web = world.house.client("web");
    let ask = || world.house.ask(&web).scope("offline_access orders:read orders:write").resource(ORDERS);

    // Alice is in no group: she is not even asked about it.
    let alice = world.house.signed_in("alice").await;
    let page = ask().brought_by(&alice).await.page();
    assert!(page.text().contains("See your orders"), "{}", page.text());
    assert!(!page.text().contains("Change your orders"), "{}", page.text());
    let got = ask().approved_by(&alice).await.redeem(&web).await.ok();
    assert_eq!(got.json["scope"], "orders:read");
    let event = world.house.told("token.authorization_code", "granted").await;
    assert_eq!(event["scope"], "orders:read");
    // Where nothing else is asked for, her no is the server's.
    let only = world.house.ask(&web).scope("orders:write").resource(ORDERS);
    assert_eq!(only.brought_by(&alice).await.param("error"), "access_denied");
    world.house.told("authorization.request", "access_denied").await;

    world.groups(&["sales"]);
    let zoe = world.signed_in().await;
    let page = ask().brought_by(&zoe).await.page();
    assert!(page.text().contains("Change your orders"), "{}", page.text());
    let code = ask().approved_by(&zoe).await;
    let got = code.redeem(&web).await.ok();
    assert_eq!(got.json["scope"], "orders:read orders:write");
    let (first, refresh) = (got.access_token().to_owned(), got.text("refresh_token").to_owned());
    assert_eq!(told_scope(&world.house, &first).await, "orders:read orders:write");
    let waits = ask().approved_by(&zoe).await;

    // She changes her place there, and signs in once more.
    world.groups(&["other"]);
    world.signed_in().await;
    world.house.later(2);
    assert_eq!(told_scope(&world.house, &first).await, "orders:read", "what is out there is worth less");
    let again = web.refresh(&refresh, &[]).await.ok();
    assert_eq!(again.json["scope"], "orders:read");
    web.refresh(&refresh, &[("scope", "orders:write")]).await.refused("invalid_scope");
    assert_eq!(waits.redeem(&web).await.ok().claims()["scope"], "orders:read");

    // And back: what she approved is worth again what it was.
    world.groups(&["sales"]);
    world.signed_in().await;
    world.house.later(2);
    assert_eq!(web.refresh(&refresh, &[]).await.ok().claims()["scope"], "orders:read orders:write");
}

async fn an_agent_gets_no_word_that_its_user_may_not_grant_any_more(database: Database) {
    let world = World::keeping_for_groups(database, SALES, WRITE_FOR_SUPPORT).await;
    let (shop, agent) = (world.house.client("shop"), world.house.client("agent-a"));
    world.groups(&["sales"]);
    let zoe = world.signed_in().await;
    let ask = world.house.ask(&shop).actor("agent-a").scope("orders:read orders:write").resource(ORDERS);
    let subject = ask.approved_by(&zoe).await.redeem(&shop).await.ok().access_token().to_owned();
    let both = [("scope", "orders:read orders:write"), ("resource", ORDERS)];
    let token = agent.exchange(&subject, &both).await.ok();
    assert_eq!(token.claims()["scope"], "orders:read orders:write");

    world.there.claim("groups", Value::Null);
    world.signed_in().await;
    world.house.later(2);
    agent.exchange(&subject, &both).await.refused("invalid_scope");
    world.house.told("token.exchange", "invalid_scope").await;
    let read = [("scope", "orders:read"), ("resource", ORDERS)];
    let token = agent.exchange(&subject, &read).await.ok();
    assert_eq!(token.claims()["scope"], "orders:read");
    let write = [("scope", "orders:write"), ("resource", ORDERS)];
    agent.exchange(&subject, &write).await.refused("invalid_scope");
}

/// The configuration without its upstreams.
fn without_upstreams(config: &str) -> String {
    let begin = config.find("[[upstreams]]").expect("an upstream");
    let end = config.find("[[users]]").expect("users");
    format!("{}{}", &config[..begin], &config[end..])
}

async fn an_upstream_that_is_gone_from_the_configuration_leaves_no_rights_behind(database: Database) {
    let mut world = World::on(database, &format!("{OPS}{SALES}")).await;
    world.groups(&["ops", "sales"]);
    let zoe = world.signed_in().await;
    assert_eq!(zoe.page("/admin").await.status, 200);

    // One of its groups is worth nothing any more; nobody has to come back for that.
    world.house.restart_changed(|config| config.replace(SALES.trim_end(), "")).await;
    let user = world.user("zoe").await;
    assert!(user.admin && !user.claims.contains_key("groups"), "{user:?}");
    let event = world.house.told("user.update", "granted").await;
    assert_eq!(event["user"], user.id.as_str());
    world.house.restart().await;
    assert_eq!(world.count("user.update").await, 1, "nothing changed, nothing is told");

    world.house.restart_changed(|config| without_upstreams(&config)).await;
    let user = world.user("zoe").await;
    assert!(!user.admin && user.enabled, "{user:?}");
    assert_eq!(world.count("user.update").await, 2);
    assert_ne!(zoe.page("/admin").await.status, 200);
    let admin = world.user("admin").await;
    assert!(admin.admin, "what was given here stays");
}

async fn a_house_whose_only_admin_came_from_an_upstream_makes_no_other(database: Database) {
    let rename = |town: String| town.replace("username = \"admin\"", "username = \"ada\"");
    let mut world = World::with_town(database, OPS, rename).await;
    world.groups(&["ops"]);
    world.signed_in().await;
    // The database was made with an `admin`, who is not declared any more: out of the way with them.
    let former = protocol::user::User { username: "former".into(), ..world.user("admin").await };
    assert!(!former.enabled);
    let record = server::store::Record::User { user: former, origin: server::store::Origin::Config };
    let change = server::store::Change::housekeeping(world.house.door().now()).keep(record);
    world.house.store().commit(change).await.unwrap();
    // Ada is an admin no more; zoe is.
    let config = |config: String| config.replace("admin = true\nemail", "admin = false\nemail");
    world.house.restart_changed(config).await;
    assert!(world.user("zoe").await.admin && !world.user("ada").await.admin);
    assert!(world.house.store().find_user_by_username("admin").await.unwrap().is_none());
    assert!(world.house.notices.iter().all(|notice| !notice.admin));
    // Without her upstream there is none left, and somebody has to be the first again.
    world.house.restart_changed(|config| without_upstreams(&config)).await;
    assert!(world.user("admin").await.admin);
    assert!(world.house.notices.iter().any(|notice| notice.admin));
}

#[tokio::test]
async fn the_account_and_security_pages_lead_to_the_accounts_elsewhere_where_there_may_be_any() {
    let world = World::open("").await;
    let alice = world.house.signed_in("alice").await;
    let house = House::open().await;
    let nowhere_else = house.signed_in("alice").await;
    for path in ["/account", "/account/security"] {
        let page = alice.page(path).await;
        let link = "id=\"connections-link\" href=\"/account/connections\"";
        assert!(page.html.contains(link), "{path}: {}", page.html);
        let page = nowhere_else.page(path).await;
        assert!(page.status == 200 && !page.html.contains("/account/connections"), "{path}: {}", page.html);
    }
    assert_eq!(alice.page("/account/connections").await.status, 200);
}

#[tokio::test]
async fn a_local_group_counts_like_one_that_came_from_an_upstream() {
    let world = World::keeping_for_groups(Database::Sqlite, "", WRITE_FOR_SUPPORT).await;
    let mut alice = world.user("alice").await;
    alice.claims.insert("groups".into(), json!(["bosses"]));
    let record = server::store::Record::User { user: alice, origin: server::store::Origin::Config };
    let change = server::store::Change::housekeeping(world.house.door().now()).keep(record);
    world.house.store().commit(change).await.unwrap();
    let person = world.house.signed_in("alice").await;
    let ask = world.house.ask(&world.house.client("shop")).scope("orders:write").resource(ORDERS);
    let Arrival::Page(page) = ask.brought_by(&person).await else { panic!("led away") };
    assert!(page.text().contains("Change your orders"), "{}", page.text());
}
