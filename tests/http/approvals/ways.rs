//! The requests by which something that needs approval is asked for.

use super::*;

on_both_databases! {
    what_needs_approval_is_left_out_of_the_first_token_and_had_by_refresh,
    a_client_waits_for_a_token_of_its_own_too,
    a_receiver_of_a_hand_over_is_asked_about_with_the_whole_chain,
    by_backchannel_it_is_the_user_who_approves_and_nobody_in_their_place,
    a_token_of_a_trusted_issuer_waits_and_counts_as_shown_from_then_on,
    a_service_that_does_not_appear_in_a_token_needs_approval_as_any_other,
}

async fn what_needs_approval_is_left_out_of_the_first_token_and_had_by_refresh(database: Database) {
    let house = open(database).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let ask = house.ask(&agent).scope("openid offline_access orders:read orders:write").resource(ORDERS);
    let code = ask.approved_by(&alice).await;
    let first = code.redeem(&agent).await.ok();
    assert_eq!(first.json["scope"], "openid orders:read", "{}", first.body);
    let told = house.told("token.authorization_code", "granted").await;
    assert!(told["reason"].as_str().unwrap().contains("approve each time"), "{told}");
    let refresh = first.text("refresh_token").to_owned();
    agent.refresh(&refresh, &[("scope", "orders:read")]).await.ok();
    agent.refresh(&refresh, &[]).await.refused("access_denied");
    house.told("token.refresh", "access_denied").await;
    let wait = [("scope", "orders:write"), ("completion_mode", "deferred")];
    let asked = agent.refresh(&refresh, &wait).await.refused("authorization_pending");
    assert_eq!(asked.json["expires_in"], 3600);
    approve(&alice).await;
    let token = poll(&agent, &asked).await.ok();
    assert_eq!(token.claims()["scope"], "orders:write");
    assert!(token.json["expires_in"].as_i64().unwrap() <= 300);
    house.told("token.refresh", "granted").await;
    agent.refresh(&refresh, &wait).await.refused("authorization_pending");

    // What is denied nobody gets, on no way.
    let details = json!([{"type": "agent_task", "actions": ["read", "delete"]}]);
    let ask = house.ask(&agent).scope("orders:read").details(&details).resource(ORDERS);
    let first = ask.pushed(&agent).await.approved_by(&alice).await.redeem(&agent).await.ok();
    assert!(first.json.get("authorization_details").is_none(), "{}", first.body);
}

async fn a_client_waits_for_a_token_of_its_own_too(database: Database) {
    let house = open(database).await;
    let (api, ada) = (house.client("orders-api"), house.signed_in("admin").await);
    api.own_token("inventory:read", INVENTORY).await.ok();
    api.own_token("inventory:write", INVENTORY).await.refused("access_denied");
    let wait = [
        ("grant_type", "client_credentials"),
        ("scope", "inventory:write"),
        ("resource", INVENTORY),
        ("completion_mode", "deferred"),
    ];
    let asked = api.token(&wait).await.refused("authorization_pending");
    let page = question(&ada).await;
    assert!(page.text().contains("on its own account"), "{}", page.text());
    approve(&ada).await;
    assert_eq!(poll(&api, &asked).await.ok().claims()["sub"], "orders-api");
    // Where the subject is to approve and there is none, nobody can.
    let agent = house.client("agent-a");
    let wait = [
        ("grant_type", "client_credentials"),
        ("scope", "orders:write"),
        ("resource", ORDERS),
        ("completion_mode", "deferred"),
    ];
    let refused = agent.token(&wait).await.refused("access_denied");
    assert!(refused.text("error_description").contains("nobody"), "{}", refused.body);
}

async fn a_receiver_of_a_hand_over_is_asked_about_with_the_whole_chain(database: Database) {
    let house = open(database).await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let details = json!([{"type": "agent_task", "actions": ["refund"], "purpose": "Refund order 4711"}]);
    let details_text = details.to_string();
    let more = "[[rules]]\nid = \"refunds\"\neffect = \"ask\"\napprover = \"owner\"\ndetails_type = \"agent_task\"\n\
                actions = [\"refund\"]\n";
    drop(house);
    let house = House::on_with(database, &format!("{RULES}\n{more}")).await;
    let [a, b] = [a.id, b.id].map(|id| house.client(&id));
    let (alice, bob) = (house.signed_in("alice").await, house.signed_in("bob").await);
    let shop = house.client("shop");
    let ask = house.ask(&shop).actor("agent-a").scope("orders:read").details(&details).resource(ORDERS);
    let given = ask.pushed(&shop).await.approved_by(&alice).await.redeem(&shop).await.ok();
    let read = [("scope", "orders:read"), ("resource", ORDERS)];
    a.exchange(given.access_token(), &read).await.ok();
    let wait = [
        ("authorization_details", details_text.as_str()),
        ("resource", ORDERS),
        ("completion_mode", "deferred"),
    ];
    let asked = a.exchange(given.access_token(), &wait).await.refused("authorization_pending");
    let page = question(&bob).await;
    for words in ["Do this: refund", "Refund order 4711", "for Alice Arnold"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    approve(&bob).await;
    let token = poll(&a, &asked).await.ok();
    assert_eq!(token.json["authorization_details"], details);
    let over =
        [("audience", "agent-b"), ("authorization_details", details_text.as_str()), ("resource", ORDERS)];
    let handed = a.exchange(token.access_token(), &over).await.ok();
    b.exchange(handed.access_token(), &wait[..2]).await.refused("access_denied");
    let asked = b.exchange(handed.access_token(), &wait).await.refused("authorization_pending");
    let page = question(&bob).await;
    let way = page.text();
    let (alice, a, b_at) =
        (way.rfind("Alice Arnold"), way.rfind("agent-a the agent"), way.rfind("agent-b the agent"));
    assert!(alice < a && a < b_at, "{way}");
    approve(&bob).await;
    let token = poll(&b, &asked).await.ok();
    assert_eq!(token.claims()["act"]["act"]["sub"], "agent-a");
}

async fn by_backchannel_it_is_the_user_who_approves_and_nobody_in_their_place(database: Database) {
    for (approver, in_token) in [("subject", true), ("owner", false)] {
        let rule = format!(
            "[[rules]]\nid = \"refunds\"\neffect = \"ask\"\napprover = \"{approver}\"\n\
             details_type = \"agent_task\"\nactions = [\"refund\"]\n"
        );
        let town = Elsewhere::with(database, &rule).await;
        let (agent, alice) = (town.client("agent-d"), town.house.signed_in("alice").await);
        let details =
            json!([{ "type": "agent_task", "actions": ["refund"], "purpose": "Refund order 4711" }]);
        let details_text = details.to_string();
        let asked = town.ask_alice(&agent, &[("authorization_details", &details_text)]).await.ok();
        town.question(&alice).await.approve(|_| {}).await.page();
        let token = town.poll(&agent, &asked).await.ok();
        let granted = token.json.get("authorization_details").unwrap_or(&Value::Null);
        assert_eq!(granted == &details, in_token, "{approver}: {}", token.body);
    }
}

#[tokio::test]
async fn a_details_type_can_need_approval_for_some_of_its_actions() {
    let more = r#"
[[details_types]]
name = "mcp_tool"
approval_needed = ["pay"]

[details_types.schema]
required = ["type", "tools"]

[details_types.schema.properties]
tools = { type = "array", items = { type = "string" } }

[details_types.words.en]
name = "Tools"
sentence = "Use {tools}"

[details_types.risk]
field = "tools"
levels = { look = "low", pay = "high" }
"#;
    let house = House::open_with(more).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let details = json!([{"type": "mcp_tool", "tools": ["look", "pay"]}]);
    let shop = house.client("shop");
    let ask = house.ask(&shop).actor("agent-a").details(&details).resource(ORDERS);
    let given = ask.approved_by(&alice).await.redeem(&shop).await.ok();
    let exchange = |tools: Value, more: &[(&'static str, &'static str)]| {
        let details = json!([{"type": "mcp_tool", "tools": tools}]).to_string();
        let (agent, given, more) = (agent.clone(), given.access_token().to_owned(), more.to_vec());
        async move {
            let mut params = vec![("authorization_details", details.as_str()), ("resource", ORDERS)];
            params.extend(more);
            agent.exchange(&given, &params).await
        }
    };
    exchange(json!(["look"]), &[]).await.ok();
    exchange(json!(["pay"]), &[]).await.refused("access_denied");
    let told = house.told("token.exchange", "access_denied").await;
    assert!(told.get("rule").is_none(), "{told}");
    let asked = exchange(json!(["pay"]), &[("completion_mode", "deferred")]).await;
    let asked = asked.refused("authorization_pending");
    let page = question(&alice).await;
    assert!(page.text().contains("Use pay") && page.text().contains("High risk"), "{}", page.text());
    approve(&alice).await;
    let token = poll(&agent, &asked).await.ok();
    assert_eq!(token.json["authorization_details"][0]["tools"], json!(["pay"]));
    // An application with its user in front of it has their word.
    let ask = house.ask(&shop).details(&details).resource(ORDERS);
    let own = ask.approved_by(&alice).await.redeem(&shop).await.ok();
    assert_eq!(own.json["authorization_details"], details);
}

async fn a_token_of_a_trusted_issuer_waits_and_counts_as_shown_from_then_on(database: Database) {
    let key = tests::Key::generate();
    let issuer = format!(
        "[[trusted_issuers]]\nissuer = \"https://partner.example\"\njwks = {}\npurposes = [\"subject_tokens\"]\n\
         clients = [\"agent-a\"]\nscope = \"orders:read orders:write\"\n",
        key.jwks_toml()
    );
    let mut house = House::on_with(database, &format!("{RULES}\n{issuer}")).await;
    let (agent, alice) = (house.client("agent-a"), house.signed_in("alice").await);
    let consent = house.token_for(&agent, "orders:read orders:write").await;
    let theirs = |house: &House| {
        let now = house.door().now().0;
        let claims = json!({
            "iss": "https://partner.example", "sub": "alice", "aud": house.issuer(), "iat": now, "exp": now + 120,
            "jti": tests::random(),
        });
        key.sign(&json!({ "alg": "ES256" }), &claims)
    };
    let token = theirs(&house);
    let refused = exchange_of(&agent, &token, "jwt", &WAITING[..2]).await.refused("access_denied");
    assert!(refused.text("error_description").contains("completion_mode=deferred"), "{}", refused.body);
    let asked = exchange_of(&agent, &token, "jwt", &WAITING).await.refused("authorization_pending");
    assert!((1..=120).contains(&asked.json["expires_in"].as_i64().unwrap()), "{}", asked.body);
    house.told("deferral.ask", "granted").await;
    exchange_of(&agent, &token, "jwt", &WAITING).await.refused("invalid_request");
    approve(&alice).await;
    let issued = poll(&agent, &asked).await.ok();
    let claims = issued.claims();
    assert_eq!((&claims["scope"], &claims["act"]["sub"]), (&json!("orders:write"), &json!("agent-a")));
    let told = house.told("token.exchange", "granted").await;
    assert!(told["parent"].is_string() && told["consent"].is_string(), "{told}");
    assert!(house.is_active(issued.access_token()).await);
    poll(&agent, &asked).await.refused("invalid_grant");
    exchange_of(&agent, &token, "jwt", &WAITING).await.refused("invalid_request");

    // It ends while it waits, with its user; and is read anew: an issuer that is trusted no more brings nothing.
    let asked = exchange_of(&agent, &theirs(&house), "jwt", &WAITING).await.refused("authorization_pending");
    house.later(INTERVAL);
    let user = house.store().find_user_by_username("alice").await.unwrap().unwrap().id.clone();
    let change = server::store::Change::housekeeping(house.door().now());
    house.store().commit(change.end(server::store::Ending::User(user))).await.unwrap();
    poll(&agent, &asked).await.refused("access_denied");
    assert!(!house.is_active(issued.access_token()).await && !house.is_active(&consent).await);
    house.token_for(&agent, "orders:read orders:write").await;
    let asked = exchange_of(&agent, &theirs(&house), "jwt", &WAITING).await.refused("authorization_pending");
    approve(&house.signed_in("alice").await).await;
    house.restart_changed(|config| config.replace("https://partner.example", "https://rival.example")).await;
    poll(&again(&house, &agent), &asked).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;
}

async fn a_service_that_does_not_appear_in_a_token_needs_approval_as_any_other(database: Database) {
    let more = r#"
[approvals]
interval = 60

[[rules]]
id = "orders-api-stands-in"
client = "orders-api"
effect = "impersonate"
subjects = ["alice"]
resources = ["https://orders.example"]

[[rules]]
id = "orders-api-presents"
client = "orders-api"
effect = "may_present"
resources = ["https://orders.example"]

[[details_types]]
name = "mcp_tool"
approval_needed = ["pay"]

[details_types.schema]
required = ["type", "tools"]

[details_types.schema.properties]
tools = { type = "array", items = { type = "string" } }

[details_types.words.en]
name = "Tools"
sentence = "Use {tools}"

[details_types.risk]
field = "tools"
"#;
    let house = House::on_with(database, more).await;
    let (web, api, alice) = (house.client("web"), house.client("orders-api"), house.signed_in("alice").await);
    let details = json!([{"type": "mcp_tool", "tools": ["look", "pay"]}]);
    let ask = house.ask(&web).scope("offline_access orders:read").details(&details).resource(ORDERS);
    // Alice is there herself: what she approves on the consent page is hers to have at once.
    let login = ask.approved_by(&alice).await.redeem(&web).await.ok();
    assert_eq!(login.json["authorization_details"], details);

    let exchange = async |tools: Value, more: &[(&str, &str)]| {
        let details = json!([{"type": "mcp_tool", "tools": tools}]).to_string();
        let params =
            [("authorization_details", details.as_str()), ("scope", "orders:read"), ("resource", ORDERS)];
        api.exchange(login.access_token(), &[&params, more].concat()).await
    };
    let looking = exchange(json!(["look"]), &[]).await.ok();
    assert!(looking.claims().get("act").is_none(), "{}", looking.body);
    exchange(json!(["pay"]), &[]).await.refused("access_denied");
    house.told("token.exchange", "access_denied").await;
    let asked = exchange(json!(["pay"]), &[("completion_mode", "deferred")]).await;
    let asked = asked.refused("authorization_pending");
    approve(&alice).await;
    let paying = poll(&api, &asked).await.ok();
    assert!(paying.claims().get("act").is_none(), "{}", paying.body);
    assert_eq!(paying.json["authorization_details"][0]["tools"], json!(["pay"]));
    // By refresh nobody is there either.
    let refresh = async |tool: &str| {
        let details = json!([{"type": "mcp_tool", "tools": [tool]}]).to_string();
        let params = [("authorization_details", details.as_str()), ("resource", ORDERS)];
        web.refresh(login.text("refresh_token"), &params).await
    };
    refresh("look").await.ok();
    refresh("pay").await.refused("access_denied");
}
