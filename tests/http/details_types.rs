//! Details types: a consent keeps the version it was given under, and that version judges whatever comes of it.

use serde_json::{Value, json};
use server::store::Origin;
use tests::{Answer, Client, Database, House, ORDERS, on_both_databases};

on_both_databases! {
    a_changed_declaration_is_a_new_version_and_an_unchanged_one_is_not,
    what_comes_of_a_consent_is_judged_by_the_version_it_was_given_under,
    what_is_stricter_today_holds_for_every_version,
    each_rule_narrows_at_the_token_endpoint_at_refresh_at_exchange_and_for_tasks,
    what_was_allowed_in_other_words_is_asked_for_again,
    the_example_of_the_documentation_does_what_it_says,
    admins_see_how_users_see_it_and_who_holds_which_version,
    what_is_declared_no_longer_cannot_be_asked_for_and_what_was_allowed_goes_on,
}

/// A details type of which the amount narrows by `rule`, and which reads `words`.
fn refund(rule: &str, words: &str, more: &str) -> String {
    format!(
        "\n[[details_types]]\nname = \"refund\"\nmay_be_passed_on = true\n{more}\n\
         schema_json = '{{\"required\": [\"type\", \"amount\"], \"properties\": {{\"amount\": {{\"type\": \"number\"}}}}}}'\n\
         narrowing = {{ amount = \"{rule}\" }}\n\
         words = {{ en = {{ name = \"Refunds\", sentence = \"{words}\" }} }}\n"
    )
}

const FIRST: &str = "Refund up to {amount}";

async fn house(database: Database, declared: &str) -> House {
    let known = |town: String| town.replace("\"mcp_tool\"]", "\"mcp_tool\", \"refund\"]");
    let declared = declared.to_owned();
    House::build(database, move |town| format!("{}{declared}", known(town))).await
}

fn of(amount: u32) -> String {
    json!([{"type": "refund", "amount": amount}]).to_string()
}

/// Alice lets the agent refund 100.
async fn allowed(house: &House, agent: &Client) -> Answer {
    code(house, agent).await.redeem(agent).await.ok()
}

async fn code(house: &House, agent: &Client) -> tests::Code {
    let details: Value = serde_json::from_str(&of(100)).unwrap();
    let ask = house.ask(agent).scope("offline_access").details(&details).resource(ORDERS);
    ask.approved_by(&house.signed_in("alice").await).await
}

async fn task(agent: &Client, grant: &str, amount: u32) -> Answer {
    let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    let details: Value = serde_json::from_str(&of(amount)).unwrap();
    let body = json!({"grant_id": grant, "authorization_details": details, "purpose": "Refund"});
    agent.call_with("POST", "/tasks", own.access_token(), &[], Some(&body)).await
}

async fn version(house: &House) -> u32 {
    let name = "refund".parse().unwrap();
    house.store().find_details_type(&name).await.unwrap().unwrap().version
}

async fn a_changed_declaration_is_a_new_version_and_an_unchanged_one_is_not(database: Database) {
    let mut house = house(database, &refund("max", FIRST, "")).await;
    assert_eq!(version(&house).await, 1);
    house.restart().await;
    assert_eq!(version(&house).await, 1);
    house.restart_changed(|config| config.replace(FIRST, "Pay back {amount}")).await;
    assert_eq!(version(&house).await, 2);
    let event = house.told("configuration.apply", "granted").await;
    assert_eq!(event["reason"], "details type refund");
    // What was said before can be said again: that is another version still.
    house.restart_changed(|config| config.replace("Pay back {amount}", FIRST)).await;
    house.restart().await;
    assert_eq!(version(&house).await, 3);
    let name = "refund".parse().unwrap();
    let versions = house.store().versions_of_details_type(&name).await.unwrap();
    let numbers: Vec<_> = versions.iter().map(|known| known.version).collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(versions[0].document, versions[2].document);
    assert_ne!(versions[0].document, versions[1].document);
}

async fn what_comes_of_a_consent_is_judged_by_the_version_it_was_given_under(database: Database) {
    let mut house = house(database, &refund("max", FIRST, "")).await;
    let agent = house.client("agent-a");
    let before = allowed(&house, &agent).await;
    let pending = code(&house, &agent).await;
    house
        .restart_changed(|config| {
            config.replace("amount = \"max\"", "amount = \"equal\"").replace(FIRST, "Pay {amount}")
        })
        .await;
    let agent = house.client("agent-a");
    let after = allowed(&house, &agent).await;

    let (half, here) = (of(50), ("resource", ORDERS));
    let less = [("authorization_details", half.as_str()), here];
    let wide = of(101);
    let more = [("authorization_details", wide.as_str()), here];
    // At the token endpoint, with a code that was given before.
    let got = agent.token(&[pending.params(), less.to_vec()].concat()).await.ok();
    assert_eq!(got.json["authorization_details"][0]["amount"], 50);
    let fresh = code(&house, &agent).await;
    agent.token(&[fresh.params(), less.to_vec()].concat()).await.refused("invalid_authorization_details");
    // At refresh.
    agent.refresh(before.text("refresh_token"), &less).await.ok();
    let refused = "invalid_authorization_details";
    agent.refresh(before.text("refresh_token"), &more).await.refused(refused);
    agent.refresh(after.text("refresh_token"), &less).await.refused(refused);
    house.told("token.refresh", refused).await;
    // At exchange, where the agent narrows its own token.
    let before_now = agent.refresh(before.text("refresh_token"), &[]).await.ok();
    agent.exchange(before_now.access_token(), &less).await.ok();
    agent.exchange(before_now.access_token(), &more).await.refused(refused);
    agent.exchange(after.access_token(), &less).await.refused(refused);
    house.told("token.exchange", refused).await;
    // For tasks.
    assert_eq!(task(&agent, before.text("grant_id"), 50).await.status, 201);
    task(&agent, before.text("grant_id"), 101).await.refused(refused);
    task(&agent, after.text("grant_id"), 50).await.refused(refused);

    // Each is read in the words that it was allowed in.
    let account = house.signed_in("alice").await.page("/account").await.text();
    assert!(account.contains("Refund up to 100") && account.contains("Pay 100"), "{account}");
}

/// The same agent, with the same key, after the house was closed.
fn same(house: &House, agent: &Client) -> Client {
    let mut same = house.client(&agent.id);
    same.dpop.clone_from(&agent.dpop);
    same
}

async fn what_is_stricter_today_holds_for_every_version(database: Database) {
    let mut house = house(database, &refund("max", FIRST, "max_life = \"4m\"")).await;
    let agent = house.client("agent-a");
    let before = allowed(&house, &agent).await;
    assert_eq!(before.json["expires_in"], 240);
    let life = |answer: &Answer| answer.json["expires_in"].as_i64().unwrap();
    house.restart_changed(|config| config.replace("max_life = \"4m\"", "max_life = \"30s\"")).await;
    let agent = same(&house, &agent);
    let now = agent.refresh(before.text("refresh_token"), &[]).await.ok();
    assert_eq!(life(&now), 30);
    let half = of(50);
    let less = [("authorization_details", half.as_str()), ("resource", ORDERS)];
    assert!(life(&agent.exchange(before.access_token(), &less).await.ok()) <= 30);
    house.restart_changed(|config| config.replace("max_life = \"30s\"", "max_life = \"1h\"")).await;
    let agent = same(&house, &agent);
    let now = agent.refresh(before.text("refresh_token"), &[]).await.ok();
    assert_eq!(life(&now), 240, "what was allowed for so long is not allowed for longer");

    // Nor is anything passed on any more that must not be.
    let on = |receiver| {
        vec![("audience", receiver), ("resource", ORDERS), ("authorization_details", half.as_str())]
    };
    let ok = agent.exchange(now.access_token(), &on("agent-b")).await;
    assert_eq!(ok.status, 200, "{}", ok.body);
    house.restart_changed(|config| config.replace("may_be_passed_on = true\nmax_life", "max_life")).await;
    let agent = same(&house, &agent);
    let now = agent.refresh(before.text("refresh_token"), &[]).await.ok();
    let refused = agent.exchange(now.access_token(), &on("agent-b")).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
}

/// A details type with a field for each rule, and for each a value within the other, and one that is not.
const RULES: [(&str, &str, &str, &str); 8] = [
    ("subset", r#"["a","b"]"#, r#"["a"]"#, r#"["a","c"]"#),
    ("equal", r#""a""#, r#""a""#, r#""b""#),
    ("max", "10", "9", "11"),
    ("min", "10", "11", "9"),
    ("prefix", r#""/a""#, r#""/a/b""#, r#""/ab""#),
    ("glob", r#""a*""#, r#""ab""#, r#""b""#),
    ("before", r#""2030-01-01T00:00:00Z""#, r#""2029-01-01T00:00:00Z""#, r#""2031-01-01T00:00:00Z""#),
    ("any", r#""a""#, r#""b""#, ""),
];

async fn each_rule_narrows_at_the_token_endpoint_at_refresh_at_exchange_and_for_tasks(database: Database) {
    let properties: Vec<_> = RULES.iter().map(|(rule, ..)| format!("\"{rule}\": {{}}")).collect();
    let narrowing: Vec<_> = RULES.iter().map(|(rule, ..)| format!("{rule} = \"{rule}\"")).collect();
    let declared = format!(
        "\n[[details_types]]\nname = \"refund\"\nschema_json = '{{\"properties\": {{{}}}}}'\n\
         narrowing = {{ {} }}\nwords = {{ en = {{ name = \"R\", sentence = \"R\" }} }}\n",
        properties.join(","),
        narrowing.join(", ")
    );
    let house = house(database, &declared).await;
    let agent = house.client("agent-a");
    let whole: Vec<_> = RULES.iter().map(|(rule, given, ..)| format!("\"{rule}\": {given}")).collect();
    let with = |changed: &str, value: &str| {
        let field = |(rule, given, ..): &(&str, &str, &str, &str)| {
            format!("\"{rule}\": {}", if *rule == changed { value } else { given })
        };
        let fields: Vec<_> = RULES.iter().map(field).collect();
        format!("[{{\"type\": \"refund\", {}}}]", fields.join(","))
    };
    let given: Value =
        serde_json::from_str(&format!("[{{\"type\": \"refund\", {}}}]", whole.join(","))).unwrap();
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&agent).scope("offline_access").details(&given).resource(ORDERS);
    let token = ask.approved_by(&alice).await.redeem(&agent).await.ok();
    let own = agent.token(&[("grant_type", "client_credentials"), ("scope", "tasks")]).await.ok();
    for (rule, _, less, more) in RULES {
        for (value, fits) in [(less, true), (more, false)] {
            if value.is_empty() {
                continue;
            }
            let details = with(rule, value);
            let asked = [("authorization_details", details.as_str()), ("resource", ORDERS)];
            let body = json!({"grant_id": token.text("grant_id"), "purpose": "p",
                "authorization_details": serde_json::from_str::<Value>(&details).unwrap()});
            let code = ask.approved_by(&alice).await;
            let answers = [
                agent.token(&[code.params(), asked.to_vec()].concat()).await,
                agent.refresh(token.text("refresh_token"), &asked).await,
                agent.exchange(token.access_token(), &asked).await,
                agent.call_with("POST", "/tasks", own.access_token(), &[], Some(&body)).await,
            ];
            for (place, answer) in ["code", "refresh", "exchange", "task"].iter().zip(answers) {
                assert_eq!(answer.status < 300, fits, "{rule} {value} at {place}: {}", answer.body);
                if !fits {
                    answer.refused("invalid_authorization_details");
                }
            }
        }
    }
}

async fn what_was_allowed_in_other_words_is_asked_for_again(database: Database) {
    let mut house = house(database, &refund("max", FIRST, "")).await;
    let web = house.client("web");
    let details: Value = serde_json::from_str(&of(100)).unwrap();
    let ask = |house: &House| house.ask(&web).details(&details).resource(ORDERS);
    let first = ask(&house).approved_by(&house.signed_in("alice").await).await.redeem(&web).await.ok();
    let alice = house.signed_in("alice").await;
    assert!(matches!(ask(&house).brought_by(&alice).await, tests::Arrival::Away(_)), "allowed before");
    house.restart_changed(|config| config.replace(FIRST, "Pay back {amount}")).await;
    let web = house.client("web");
    let alice = house.signed_in("alice").await;
    let ask = house.ask(&web).details(&details).resource(ORDERS);
    let page = ask.brought_by(&alice).await.page();
    assert!(page.text().contains("Pay back 100"), "{}", page.text());
    // One grant has one measure: what holds the older version is not added to.
    let merge = ask.with("grant_management_action", "merge").with("grant_id", first.text("grant_id"));
    assert_eq!(merge.brought_by(&alice).await.param("error"), "invalid_authorization_details");
    let replace =
        house.ask(&web).details(&details).resource(ORDERS).with("grant_management_action", "replace");
    let replace = replace.with("grant_id", first.text("grant_id"));
    let after = replace.approved_by(&alice).await.redeem(&web).await.ok();
    let consent =
        house.store().find_consent_now(&after.text("grant_id").parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(consent.versions().into_values().collect::<Vec<_>>(), [2]);
}

/// The declaration on the page about details types.
fn documented() -> String {
    let page = include_str!("../../docs/details-types.md");
    let (_, after) = page.split_once("```toml\n").unwrap();
    format!("\n{}", after.split_once("```").unwrap().0)
}

async fn the_example_of_the_documentation_does_what_it_says(database: Database) {
    let known = |town: String| town.replace("\"mcp_tool\"]", "\"mcp_tool\", \"order_refund\"]");
    let house = House::build(database, move |town| format!("{}{}", known(town), documented())).await;
    let agent = house.client("agent-a");
    let of = |actions: Value, amount: u32| json!([{"type": "order_refund", "actions": actions, "shops": ["bonn"], "max_amount": amount}]);
    let whole = of(json!(["look_up", "refund"]), 50);
    let ask = house.ask(&agent).details(&whole).resource(ORDERS);
    let page = ask.brought_by(&house.signed_in("alice").await).await.page();
    for words in ["Refunds", "High risk", "look_up, refund orders of bonn", "At most 50 euros each"] {
        assert!(page.text().contains(words), "{words} is not in {}", page.text());
    }
    let approved = page.approve(|form| {
        form.untick("passing_on", "yes");
    });
    let token = ask.code_from(&approved.await.away()).redeem(&agent).await.ok();
    assert_eq!(token.json["expires_in"], 120);
    let exchange = async |details: Value, more: &[(&str, &str)]| {
        let details = details.to_string();
        let asked = [&[("authorization_details", details.as_str()), ("resource", ORDERS)], more].concat();
        agent.exchange(token.access_token(), &asked).await
    };
    exchange(of(json!(["refund"]), 20), &[]).await.ok();
    exchange(of(json!(["refund"]), 51), &[]).await.refused("invalid_authorization_details");
    assert_eq!(
        exchange(of(json!(["look_up"]), 50), &[("audience", "agent-b")]).await.status,
        400,
        "not ticked"
    );
    let unknown = json!([{"type": "order_refund", "actions": ["fly"], "shops": ["bonn"], "max_amount": 1}]);
    exchange(unknown, &[]).await.refused("invalid_authorization_details");
}

async fn admins_see_how_users_see_it_and_who_holds_which_version(database: Database) {
    let mut house = house(database, &refund("max", FIRST, "max_life = \"4m\"")).await;
    let agent = house.client("agent-a");
    let first = allowed(&house, &agent).await;
    allowed(&house, &agent).await;
    house.restart_changed(|config| config.replace(FIRST, "Pay back {amount}")).await;
    let agent = house.client("agent-a");
    let second = allowed(&house, &agent).await;
    let admin = house.signed_in("admin").await;
    let list = admin.page("/admin/details-types").await;
    for words in ["Refunds", "refund", "Tools of an MCP server", "agent_task", "the configuration", "In use"]
    {
        assert!(list.text().contains(words), "{words} is not in {}", list.text());
    }
    let page = admin.page("/admin/details-types/refund").await;
    for words in ["Pay back 10", "A number that is not greater", "Medium risk", "4 minutes", "counts now"] {
        assert!(page.text().contains(words), "{words} is not in {}", page.text());
    }
    let held = |page: &tests::Page| {
        let (_, table) = page.html.split_once("id=\"details-versions\"").unwrap();
        let rows = table.split("<tr>").skip(2).map(|row| {
            let cell = row.rsplit_once("<td").unwrap().1.split_once('>').unwrap().1;
            cell.split('<').next().unwrap().parse::<u64>().unwrap()
        });
        rows.collect::<Vec<_>>()
    };
    assert_eq!(held(&page), [1, 2], "the newest first");
    // What ends, or is replaced, holds it no more.
    let grant = first.text("grant_id").parse().unwrap();
    let now = house.door().now();
    let event = protocol::audit::AuditEvent::new(
        protocol::audit::Action::ConsentEnd,
        protocol::audit::Outcome::Granted,
        now,
    );
    let end = server::store::Change::new(event).end(server::store::Ending::Consent(grant));
    house.store().commit(end).await.unwrap();
    let again =
        house.ask(&agent).scope("orders:read").resource(ORDERS).with("grant_management_action", "replace");
    let again = again.with("grant_id", second.text("grant_id"));
    again.approved_by(&house.signed_in("alice").await).await.redeem(&agent).await.ok();
    assert_eq!(held(&admin.page("/admin/details-types/refund").await), [0, 1]);

    assert_eq!(admin.page("/admin/details-types/nothing").await.status, 404);
    let alice = house.signed_in("alice").await;
    for path in ["/admin/details-types", "/admin/details-types/refund"] {
        assert_eq!(alice.page(path).await.status, 403);
    }
    let nobody = house.person();
    assert!(nobody.page("/admin/details-types").await.path.starts_with("/sign-in"));
}

async fn what_is_declared_no_longer_cannot_be_asked_for_and_what_was_allowed_goes_on(database: Database) {
    let declared = refund("max", FIRST, "");
    let mut house = house(database, &declared).await;
    let with = house.config().to_owned();
    let without = with.replace(&declared, "").replace(", \"refund\"]", "]");
    assert!(with != without && !without.contains("refund"));
    let agent = house.client("agent-a");
    let before = allowed(&house, &agent).await;
    let kept = async |house: &House| {
        let kept = house.store().find_details_type(&"refund".parse().unwrap()).await.unwrap().unwrap();
        (kept.version, kept.retired_at.is_some(), kept.origin)
    };

    let now = without.clone();
    house.restart_changed(move |_| now).await;
    let event = house.told("configuration.apply", "granted").await;
    assert!(
        event["reason"].as_str().unwrap().contains("details type refund, which is declared no longer"),
        "{event}"
    );
    assert_eq!(kept(&house).await, (1, true, Origin::Config));
    // Nothing of it can be asked for.
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let details: Value = serde_json::from_str(&of(10)).unwrap();
    let ask = house.ask(&agent).details(&details).resource(ORDERS);
    assert_eq!(ask.brought_by(&alice).await.param("error"), "invalid_authorization_details");
    // What was allowed goes on under its version, and narrows by it.
    let (half, more, here) = (of(50), of(101), ("resource", ORDERS));
    let refresh_token = before.text("refresh_token");
    let got = agent.refresh(refresh_token, &[("authorization_details", half.as_str()), here]).await.ok();
    assert_eq!(got.json["authorization_details"][0]["amount"], 50);
    let refused = agent.refresh(refresh_token, &[("authorization_details", more.as_str()), here]).await;
    refused.refused("invalid_authorization_details");
    let less = of(20);
    agent.exchange(got.access_token(), &[("authorization_details", less.as_str()), here]).await.ok();
    assert!(alice.page("/account").await.text().contains("Refund up to 100"));
    // Admins see that, and why.
    let admin = house.signed_in("admin").await;
    assert!(admin.page("/admin/details-types").await.text().contains("No longer declared"));
    let page = admin.page("/admin/details-types/refund").await;
    assert!(
        page.html.contains("id=\"details-type-undeclared\"")
            && !page.html.contains("id=\"details-type-retired\"")
    );
    // Once: the next start changes nothing.
    let applied = async |house: &House| {
        let events = house.events().await;
        let events = events.iter().map(|event| serde_json::to_value(event).unwrap());
        events.filter(|event| event["action"] == "configuration.apply").count()
    };
    let times = applied(&house).await;
    house.restart().await;
    assert_eq!((applied(&house).await, kept(&house).await), (times, (1, true, Origin::Config)));

    // Declared again in the same words, it is in use again as what it was; in others, as a new version.
    let again = with.clone();
    house.restart_changed(move |_| again).await;
    assert_eq!(kept(&house).await, (1, false, Origin::Config));
    let agent = house.client("agent-a");
    allowed(&house, &agent).await;
    house.restart_changed(move |_| without).await;
    house.restart_changed(move |_| with.replace(FIRST, "Pay back {amount}")).await;
    assert_eq!(kept(&house).await, (2, false, Origin::Config));
}
