//! Grants for the authorization servers of other domains (Identity Assertion JWT Authorization Grant §4.3, Identity
//! Chaining §2.3): what they say, and to whom they are refused.

use serde_json::json;
use server::store::{Change, Ending};
use tests::{Answer, Client, Database, House, INVENTORY, ORDERS, on_both_databases, unverified_header};

on_both_databases! {
    a_login_becomes_an_identity_assertion_for_a_declared_server,
    a_token_becomes_a_short_grant_that_chains_domains,
    nobody_else_and_nothing_more_goes_to_another_domain,
}

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const SAAS: &str = "https://saas.example";
const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

async fn house(database: Database, more: &str) -> House {
    let server = format!(
        "[[resource_authorization_servers]]\nissuer = \"{SAAS}\"\ngrants = [\"id-jag\", \"jwt\"]\n\
         clients = {{ \"agent-a\" = \"crm-agent\", \"web\" = \"crm-web\" }}\n\
         resources = [\"https://orders.example\"]\nscope = \"orders:read\"\nlife = \"1m\"\n{more}\n"
    );
    House::on_with(database, &server).await
}

async fn exchange(
    client: &Client,
    token: &str,
    kind: &str,
    requested: &str,
    more: &[(&str, &str)],
) -> Answer {
    let kind = format!("urn:ietf:params:oauth:token-type:{kind}");
    let mut params = vec![
        ("grant_type", EXCHANGE),
        ("subject_token", token),
        ("subject_token_type", kind.as_str()),
        ("requested_token_type", requested),
    ];
    params.extend_from_slice(more);
    client.token(&params).await
}

const READ: [(&str, &str); 2] = [("scope", "orders:read"), ("audience", SAAS)];

async fn signed_in(house: &House, agent: &Client) -> Answer {
    let ask = house.ask(agent).scope("openid offline_access orders:read orders:write inventory:read");
    let code = ask.approved_by(&house.signed_in("alice").await).await;
    agent.token(&[code.params(), vec![("resource", ORDERS)]].concat()).await.ok()
}

async fn a_login_becomes_an_identity_assertion_for_a_declared_server(database: Database) {
    let house = house(database, "claims = [\"email\"]").await;
    let agent = house.client("agent-a");
    let got = signed_in(&house, &agent).await;
    for (token, kind) in [("id_token", "id_token"), ("refresh_token", "refresh_token")] {
        let answer = exchange(&agent, got.text(token), kind, ID_JAG, &READ).await.ok();
        let event = house.told("token.exchange", "granted").await;
        assert_eq!(event["reason"], format!("for {SAAS}"));
        assert_eq!((answer.text("issued_token_type"), answer.text("token_type")), (ID_JAG, "N_A"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.json.get("refresh_token").is_none() && answer.json["expires_in"].as_i64() == Some(60));
        assert_eq!(unverified_header(answer.access_token())["typ"], "oauth-id-jag+jwt");
        let (said, first) = (answer.claims(), got.claims());
        assert_eq!((&said["iss"], &said["aud"]), (&json!(house.issuer()), &json!(SAAS)));
        assert_eq!((&said["sub"], &said["client_id"]), (&first["sub"], &json!("crm-agent")));
        assert_eq!((&said["scope"], &said["resource"]), (&json!("orders:read"), &json!(ORDERS)));
        assert_eq!((&said["auth_time"], &said["amr"]), (&first["auth_time"], &first["amr"]));
        assert_eq!((&said["act"]["sub"], &said["act"]["iss"]), (&json!("agent-a"), &json!(house.issuer())));
        assert_eq!(said["cnf"]["jkt"], agent.dpop.as_ref().unwrap().thumbprint());
        assert_eq!((&said["email"], said.get("name")), (&json!("alice@people.example"), None));
        assert_eq!(said["jti"], event["token"]);
        for missing in ["groups", "task", "txn", "status"] {
            assert!(said.get(missing).is_none(), "{missing} is nobody's business there");
        }
        // It is good for nothing here: not as an access token, not for another, not as a grant of our own.
        assert!(!house.is_active(answer.access_token()).await);
        let userinfo = agent.call("GET", "/userinfo", answer.access_token()).await;
        assert_eq!(userinfo.status, 401, "{}", userinfo.body);
        for kind in ["id-jag", "jwt", "access_token"] {
            let again = exchange(&agent, answer.access_token(), kind, ID_JAG, &READ).await;
            again.refused("invalid_request");
        }
    }
    let document = house.send(house.request("GET", "/.well-known/oauth-authorization-server")).await.json;
    assert_eq!(document["identity_chaining_requested_token_types_supported"], json!([ID_JAG, JWT]));
    assert!(!document.to_string().contains(SAAS));
}

async fn a_token_becomes_a_short_grant_that_chains_domains(database: Database) {
    let house = house(database, "").await;
    let agent = house.client("agent-a");
    let token = house.delegated_token(&agent, "orders:read").await;
    for named in ["audience", "resource"] {
        let params = [("scope", "orders:read"), (named, SAAS)];
        let answer = exchange(&agent, token.access_token(), "access_token", JWT, &params).await.ok();
        house.told("token.exchange", "granted").await;
        assert_eq!((answer.text("issued_token_type"), answer.text("token_type")), (JWT, "N_A"));
        assert_eq!(unverified_header(answer.access_token())["typ"], "authorization-grant+jwt");
        let said = answer.claims();
        assert_eq!((&said["aud"], &said["client_id"]), (&json!(SAAS), &json!("crm-agent")));
        // Of the login only when it was.
        assert_eq!((&said["act"]["sub"], said.get("amr")), (&json!("agent-a"), None));
        assert!(said["auth_time"].is_i64());
        assert!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap() <= 60);
    }
    // No place is named, or several.
    let read = ("scope", "orders:read");
    exchange(&agent, token.access_token(), "access_token", JWT, &[read]).await.refused("invalid_target");
    let two = [read, ("audience", SAAS), ("audience", "https://other.example")];
    exchange(&agent, token.access_token(), "access_token", JWT, &two).await.refused("invalid_target");
    // Nothing follows once what it comes from is over.
    let change = Change::housekeeping(house.door().now());
    let consent = token.text("grant_id").parse().unwrap();
    house.store().commit(change.end(Ending::Consent(consent))).await.unwrap();
    exchange(&agent, token.access_token(), "access_token", JWT, &READ).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;
}

async fn nobody_else_and_nothing_more_goes_to_another_domain(database: Database) {
    let house = house(database, "").await;
    let [a, b] = ["agent-a", "agent-b"].map(|id| house.client(id));
    let got = signed_in(&house, &a).await;
    let login = got.text("id_token");
    let elsewhere = ("audience", "https://other.example");
    let read = READ[0];
    for (params, code) in [
        (vec![read], "invalid_target"),
        (vec![read, elsewhere], "invalid_target"),
        (vec![read, READ[1], elsewhere], "invalid_target"),
        (vec![read, READ[1], ("resource", INVENTORY)], "invalid_target"),
        (vec![read, ("audience", ORDERS)], "invalid_target"),
        (vec![read, ("audience", "agent-b")], "invalid_target"),
        (vec![("scope", "orders:write"), READ[1]], "invalid_scope"),
        (vec![("scope", "inventory:read"), READ[1]], "invalid_scope"),
        (vec![READ[1]], "invalid_scope"),
    ] {
        exchange(&a, login, "id_token", ID_JAG, &params).await.refused(code);
        house.told("token.exchange", code).await;
    }
    // What another client got, or one that may not go there; and a thief without the key gets nothing bound to none.
    exchange(&b, login, "id_token", ID_JAG, &READ).await.refused("invalid_target");
    let of_b = signed_in(&house, &b).await;
    exchange(&b, of_b.text("id_token"), "id_token", ID_JAG, &READ).await.refused("invalid_target");
    exchange(&a, of_b.text("id_token"), "id_token", ID_JAG, &READ).await.refused("invalid_request");
    exchange(&a.clone().without_dpop(), login, "id_token", ID_JAG, &READ).await.refused("invalid_request");
    house.later(301);
    exchange(&a, login, "id_token", ID_JAG, &READ).await.refused("invalid_request");
    exchange(&a, got.text("refresh_token"), "refresh_token", ID_JAG, &READ).await.ok();
    // The agent's own token speaks of no user.
    let own = a.own_token("orders:read", ORDERS).await.ok();
    exchange(&a, own.access_token(), "access_token", JWT, &READ).await.refused("invalid_target");
}

#[tokio::test]
async fn a_server_knows_users_by_the_names_of_its_sign_in_client_and_hears_of_its_groups_alone() {
    let more = "sign_in_client = \"post\"\ngroups = [\"sales\"]\nclaims = [\"groups\"]\n";
    let server = format!(
        "[[resource_authorization_servers]]\nissuer = \"{SAAS}\"\nclients = {{ \"agent-a\" = \"crm-agent\" }}\n\
         resources = [\"https://orders.example\"]\n{more}\n"
    );
    let house = House::build(Database::Sqlite, move |town| {
        let pairwise = "id = \"post\"\nsubject_type = \"pairwise\"";
        let town = town.replacen("id = \"post\"", pairwise, 1);
        let alice = "username = \"alice\"\nclaims = { groups = [\"sales\", \"all\"] }";
        format!("{server}{}", town.replacen("username = \"alice\"", alice, 1))
    })
    .await;
    let agent = house.client("agent-a");
    let got = signed_in(&house, &agent).await;
    let said = exchange(&agent, got.text("id_token"), "id_token", ID_JAG, &READ).await.ok().claims();
    let post = house.store().find_client(&"post".parse().unwrap()).await.unwrap().unwrap();
    let alice = house.store().find_user_by_username("alice").await.unwrap().unwrap();
    assert_eq!(said["sub"], house.app().subject_for(&post, &alice.id));
    assert_ne!(said["sub"], alice.id.as_str());
    assert_eq!(said["groups"], json!(["all", "sales"]));
    let known = house.store().find_user_by_pairwise_subject(said["sub"].as_str().unwrap()).await.unwrap();
    assert_eq!(known.unwrap().id, alice.id);
    // Bob is in no group that it may hear of.
    let ask = house.ask(&agent).scope("openid orders:read").resource(ORDERS);
    let code = ask.approved_by(&house.signed_in("bob").await).await;
    let bobs = agent.token(&[code.params(), vec![("resource", ORDERS)]].concat()).await.ok();
    exchange(&agent, bobs.text("id_token"), "id_token", ID_JAG, &READ).await.refused("invalid_target");
    // Here it gets no other grant than those that are written down.
    exchange(&agent, got.access_token(), "access_token", JWT, &READ).await.refused("invalid_target");
}
