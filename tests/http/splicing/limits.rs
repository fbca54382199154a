//! How long and how large: as much as there may be, and not one more.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Value, json};
use tests::{
    Answer, Authentication, Client, Database, House, INVENTORY, Key, ORDERS, on_both_databases, random,
    unverified_claims,
};

on_both_databases! {
    a_chain_of_ten_is_one_and_an_eleventh_actor_is_refused,
    who_acted_elsewhere_counts_in_the_depth_of_a_chain_and_in_its_size,
    as_many_and_as_large_details_as_there_may_be_are_exchanged_and_one_more_is_not,
    no_token_is_issued_that_would_be_too_long_to_be_presented,
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const PARTNER: &str = "https://partner.example";
const READ: [(&str, &str); 2] = [("scope", "orders:read"), ("resource", ORDERS)];
/// The largest `act`, the largest `authorization_details`, and the longest token.
const LARGEST_ACT: usize = 8 * 1024;
const LARGEST_DETAILS: usize = 16 * 1024;
const LONGEST_TOKEN: usize = 16 * 1024;

/// A house where chains may be ten long, with as many agents that have one key among them, each under a name of its own.
async fn crowded(database: Database, more: &str) -> (House, Vec<Client>) {
    let keys: Vec<Arc<Key>> = (0..11).map(|_| Arc::new(Key::generate())).collect();
    let mut declared = format!("max_chain_depth = 10\n{more}");
    for (nth, key) in keys.iter().enumerate() {
        let _ = write!(
            declared,
            "[[agents]]\nid = \"agent-{nth}\"\nname = \"{nth}\"\nowner = \"bob\"\npurpose = \"Stands in a row.\"\n\
             expires = 2099-01-01T00:00:00Z\nredirect_uris = [\"https://agent-{nth}.example/callback\"]\n\
             scope = \"openid offline_access orders:read\"\nresources = [\"{ORDERS}\"]\njwks = {}\n",
            key.jwks_toml()
        );
    }
    let house = House::on_with(database, &declared).await;
    let agents = keys.into_iter().enumerate();
    let client = |(nth, key)| {
        Client::new(house.door(), &format!("agent-{nth}"), Authentication::PrivateKeyJwt(key)).with_dpop()
    };
    let agents = agents.map(client).collect();
    (house, agents)
}

fn depth(token: &str) -> usize {
    let claims = unverified_claims(token);
    std::iter::successors(claims.get("act"), |act| act.get("act")).count()
}

/// `token` goes from the first of these to the last, each of whom then acts.
async fn passed_along(agents: &[Client], token: String) -> String {
    let mut token = token;
    for pair in agents.windows(2) {
        let to = [("audience", pair[1].id.as_str()), READ[0], READ[1]];
        let handed = pair[0].exchange(&token, &to).await.ok();
        token = pair[1].exchange(handed.access_token(), &READ).await.ok().access_token().to_owned();
    }
    token
}

async fn a_chain_of_ten_is_one_and_an_eleventh_actor_is_refused(database: Database) {
    let (house, agents) = crowded(database, "").await;
    let code = house.ask(&agents[0]).scope("orders:read").resource(ORDERS);
    let code = code.approved_by(&house.signed_in("alice").await).await;
    let first = code.redeem(&agents[0]).await.ok().access_token().to_owned();
    let tenth = passed_along(&agents[..10], first).await;
    assert_eq!(depth(&tenth), 10);
    assert!(house.is_active(&tenth).await);
    // Whoever acts may still narrow what it has.
    agents[9].exchange(&tenth, &READ).await.ok();
    let to = [("audience", agents[10].id.as_str()), READ[0], READ[1]];
    agents[9].exchange(&tenth, &to).await.refused("invalid_target");
    house.told("token.exchange", "invalid_target").await;
}

/// What is declared of a partner that says of users who acts for them there.
fn partner(key: &Key) -> String {
    format!(
        "[[trusted_issuers]]\nissuer = \"{PARTNER}\"\njwks = {}\npurposes = [\"subject_tokens\"]\n\
         clients = [\"agent-0\"]\nscope = \"orders:read\"\n",
        key.jwks_toml()
    )
}

/// Brings a token of the partner's of alice, for whom this acts there.
async fn bring(house: &House, key: &Key, agent: &Client, act: &Value) -> Answer {
    let now = house.door().now().0;
    let claims = json!({
        "iss": PARTNER, "sub": "alice", "aud": house.issuer(), "iat": now, "exp": now + 250,
        "jti": random(), "act": act
    });
    let token = key.sign(&json!({ "alg": "ES256", "typ": "JWT" }), &claims);
    let kind = "urn:ietf:params:oauth:token-type:jwt";
    let params = [("grant_type", EXCHANGE), ("subject_token", token.as_str()), ("subject_token_type", kind)];
    agent.token(&[params.as_slice(), &READ].concat()).await
}

/// So many who acted one after the other, the inner ones in namespaces with names like these.
fn acted(namespaces: &[String]) -> Value {
    let outer = json!({ "sub": "their-bot", "iss": PARTNER });
    let inner = namespaces.iter().rev().fold(None, |inner: Option<Value>, iss| {
        let mut act = json!({ "sub": "bot", "iss": iss });
        if let Some(inner) = inner {
            act["act"] = inner;
        }
        Some(act)
    });
    match inner {
        Some(inner) => json!({ "sub": outer["sub"], "iss": outer["iss"], "act": inner }),
        None => outer,
    }
}

async fn who_acted_elsewhere_counts_in_the_depth_of_a_chain_and_in_its_size(database: Database) {
    let key = Key::generate();
    let (house, agents) = crowded(database, &partner(&key)).await;
    let code = house.ask(&agents[0]).scope("orders:read").resource(ORDERS);
    let code = code.approved_by(&house.signed_in("alice").await).await;
    code.redeem(&agents[0]).await.ok();
    let four = vec!["https://x.example".to_owned(); 4];
    let first = bring(&house, &key, &agents[0], &acted(&four)).await.ok();
    assert_eq!(depth(first.access_token()), 6);
    let tenth = passed_along(&agents[..5], first.access_token().to_owned()).await;
    assert_eq!(depth(&tenth), 10);
    let to = [("audience", agents[5].id.as_str()), READ[0], READ[1]];
    agents[4].exchange(&tenth, &to).await.refused("invalid_target");
    let five = vec!["https://x.example".to_owned(); 5];
    bring(&house, &key, &agents[0], &acted(&five)).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;

    // Names that take six times as much room in JSON as they are long.
    let strange = |rest: usize| -> Vec<String> {
        (0..4)
            .map(|nth| {
                format!(
                    "{}{}",
                    "\u{1}".repeat(if nth < 2 { 480 } else { 150 }),
                    "x".repeat(if nth == 3 { rest } else { 0 })
                )
            })
            .collect()
    };
    let size = |answer: &Answer| answer.claims()["act"].to_string().len();
    let small = size(&bring(&house, &key, &agents[0], &acted(&strange(0))).await.ok());
    let rest = LARGEST_ACT - small;
    assert!(small < LARGEST_ACT && rest < 300, "{small}");
    let largest = bring(&house, &key, &agents[0], &acted(&strange(rest))).await.ok();
    assert_eq!(size(&largest), LARGEST_ACT);
    assert!(house.is_active(largest.access_token()).await);
    bring(&house, &key, &agents[0], &acted(&strange(rest + 1))).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;
    // Narrowing adds nobody; the next one who acts is one too many.
    agents[0].exchange(largest.access_token(), &READ).await.ok();
    let to = [("audience", agents[1].id.as_str()), READ[0], READ[1]];
    let handed = agents[0].exchange(largest.access_token(), &to).await.ok();
    agents[1].exchange(handed.access_token(), &READ).await.refused("invalid_request");
}

/// Notes of any length, at resource servers of which one takes references.
const NOTES: &str = r#"
[[details_types]]
name = "note"
schema_json = '''{ "required": ["type", "text"], "properties": { "text": { "type": "string" } } }'''
narrowing = { text = "any" }
words = { en = { name = "Notes", sentence = "Notes" } }
"#;

async fn noted(database: Database) -> (House, Client, String) {
    let house = House::build(database, |town| {
        let town = town.replace("\"mcp_tool\"]", "\"mcp_tool\", \"note\"]");
        let opaque = format!("identifier = \"{INVENTORY}\"\ntoken_format = \"opaque\"");
        format!("{NOTES}\n{}", town.replacen(&format!("identifier = \"{INVENTORY}\""), &opaque, 1))
    })
    .await;
    let agent = house.client("agent-a");
    let ask = house
        .ask(&agent)
        .scope("orders:read inventory:read")
        .details(&json!([{ "type": "note", "text": "" }]));
    let code = ask.resource(ORDERS).resource(INVENTORY);
    let code = code.approved_by(&house.signed_in("alice").await).await;
    let both = [("resource", ORDERS), ("resource", INVENTORY)];
    let token = agent.token(&[code.params(), both.to_vec()].concat()).await.ok();
    let token = token.access_token().to_owned();
    (house, agent, token)
}

/// One note, as a parameter of exactly this size.
fn of_size(size: usize) -> String {
    let empty = r#"[{"text":"","type":"note"}]"#;
    empty.replacen("\"\"", &format!("\"{}\"", "x".repeat(size - empty.len())), 1)
}

async fn exchange(agent: &Client, token: &str, place: &str, details: &str) -> Answer {
    agent.exchange(token, &[("resource", place), ("authorization_details", details)]).await
}

async fn as_many_and_as_large_details_as_there_may_be_are_exchanged_and_one_more_is_not(database: Database) {
    let (house, agent, token) = noted(database).await;
    let refused = "invalid_authorization_details";
    let list = |n: usize| format!("[{}]", vec![r#"{"type":"note","text":""}"#; n].join(","));
    let twenty = exchange(&agent, &token, ORDERS, &list(20)).await.ok();
    assert_eq!(twenty.json["authorization_details"].as_array().unwrap().len(), 20);
    assert_eq!(twenty.claims()["authorization_details"], twenty.json["authorization_details"]);
    exchange(&agent, &token, ORDERS, &list(21)).await.refused(refused);

    let largest = of_size(LARGEST_DETAILS);
    assert_eq!(largest.len(), LARGEST_DETAILS);
    let answer = exchange(&agent, &token, INVENTORY, &largest).await.ok();
    assert_eq!(answer.json["authorization_details"].to_string(), largest);
    let seen = house.client("inventory-api").introspect(answer.access_token()).await.ok();
    assert_eq!(seen.json["active"], true);
    assert_eq!(seen.json["authorization_details"], answer.json["authorization_details"]);
    exchange(&agent, &token, INVENTORY, &of_size(LARGEST_DETAILS + 1)).await.refused(refused);
    house.told("token.request", refused).await;
}

async fn no_token_is_issued_that_would_be_too_long_to_be_presented(database: Database) {
    let (house, agent, token) = noted(database).await;
    let ask = async |size: usize| exchange(&agent, &token, ORDERS, &of_size(size)).await;
    // Somewhere between these a token with it grows too long.
    let (mut fits, mut beyond) = (1_000, LARGEST_DETAILS);
    ask(fits).await.ok();
    let refused = ask(beyond).await.refused("invalid_authorization_details");
    house.told("token.exchange", "invalid_authorization_details").await;
    assert!(refused.text("error_description").contains("fewer"), "{}", refused.body);
    let mut longest = String::new();
    while beyond - fits > 1 {
        let middle = fits.midpoint(beyond);
        let answer = ask(middle).await;
        if answer.status == 200 {
            fits = middle;
            longest = answer.access_token().to_owned();
        } else {
            answer.refused("invalid_authorization_details");
            beyond = middle;
        }
    }
    assert!((LONGEST_TOKEN - 2..=LONGEST_TOKEN).contains(&longest.len()), "{}", longest.len());
    assert!(house.is_active(&longest).await);
    exchange(&agent, &longest, ORDERS, &of_size(100)).await.ok();
    agent.revoke(&longest).await.ok();
    assert!(!house.is_active(&longest).await);
}
