//! Agents that prove themselves with a certificate (RFC 8705 §2): wherever an agent is asked who it is, and when it
//! acts for somebody.

use tests::{Client, Database, House, Identity, ORDERS, Secured, Wanted, on_both_databases};

use super::methods::{client, with_x5c};

on_both_databases! {
    an_agent_acts_by_its_certificate_with_tokens_bound_to_it,
    an_agent_known_by_an_authority_binds_its_tokens_to_a_key_of_its_own,
}

/// An agent that authenticates by `method`, with more in its table.
fn declared(id: &str, method: &str, more: &str) -> String {
    format!(
        "[[agents]]\nid = \"{id}\"\nname = \"{id} the agent\"\nowner = \"bob\"\npurpose = \"Does what it is told.\"\n\
         expires = 2099-01-01T00:00:00Z\nauthentication = \"{method}\"\nscope = \"openid orders:read orders:write\"\n\
         redirect_uris = [\"https://{id}.example/callback\"]\nresources = [\"{ORDERS}\"]\n{more}\n"
    )
}

const ASKED: [(&str, &str); 2] = [("scope", "orders:read"), ("resource", ORDERS)];

async fn an_agent_acts_by_its_certificate_with_tokens_bound_to_it(database: Database) {
    let secured = Secured::prepare();
    let own = Wanted::client("agent-t").self_signed();
    let more = format!("{}\ntls_client_certificate_bound_access_tokens = true", with_x5c(&own));
    let agent = declared("agent-t", "self_signed_tls_client_auth", &more);
    let house = House::on_secured(database, &secured, &agent).await;
    let agent = client(&house, "agent-t");
    let showing = |identity: Option<&Identity>| secured.showing(&agent, identity);
    let other = Wanted::client("agent-t").self_signed();
    let (right, wrong) = (showing(Some(&own)), [showing(Some(&other)), showing(None), agent.clone()]);

    // The exchange: nobody else's certificate, and none at all, makes anybody this agent.
    let subject = house.token_for(&agent, "orders:read").await;
    for wrong in &wrong {
        wrong.exchange(&subject, &ASKED).await.refused("invalid_client");
        house.told("client.authenticate", "invalid_client").await;
    }
    let token = right.exchange(&subject, &ASKED).await.ok();
    let told = house.told("token.exchange", "granted").await;
    assert_eq!(told["client"], "agent-t");
    let claims = token.claims();
    assert_eq!((claims["act"]["sub"].as_str(), token.text("token_type")), (Some("agent-t"), "Bearer"));
    assert_eq!(claims["cnf"]["x5t#S256"], own.x5t_s256());
    // Its tokens have one binding, and a key beside the certificate makes them have none.
    right.clone().with_dpop().exchange(&subject, &ASKED).await.refused("invalid_request");

    // What the agent holds is good with its certificate alone.
    let mine = right.own_token("orders:read", ORDERS).await.ok();
    assert_eq!(mine.claims()["cnf"]["x5t#S256"], own.x5t_s256());
    let ask = house.ask(&agent).scope("orders:read").resource(ORDERS);
    assert_eq!(right.introspect(mine.access_token()).await.ok().json["active"], true);
    right.push(&ask.params()).await.ok();
    for wrong in &wrong {
        wrong.introspect(mine.access_token()).await.refused("invalid_client");
        wrong.revoke(mine.access_token()).await.refused("invalid_client");
        wrong.push(&ask.params()).await.refused("invalid_client");
    }
    assert!(house.is_active(mine.access_token()).await);
    right.revoke(mine.access_token()).await.ok();
    assert!(!house.is_active(mine.access_token()).await);
}

async fn an_agent_known_by_an_authority_binds_its_tokens_to_a_key_of_its_own(database: Database) {
    let secured = Secured::prepare();
    let named = "tls_client_auth_subject_dn = \"CN=agent-v,O=Example\\\\, Inc.\"";
    let house = House::on_secured(database, &secured, &declared("agent-v", "tls_client_auth", named)).await;
    let agent = client(&house, "agent-v");
    let own = secured.clients.issue(Wanted::client("agent-v"));
    let subject = house.token_for(&agent, "orders:read").await;
    let right: Client = secured.showing(&agent, Some(&own)).with_dpop();
    let token = right.exchange(&subject, &ASKED).await.ok();
    let claims = token.claims();
    assert_eq!(claims["act"]["sub"], "agent-v");
    assert_eq!(claims["cnf"]["jkt"], right.dpop.as_ref().unwrap().thumbprint());
    // It did not register that its tokens are bound to a certificate, and an unbound one it never gets.
    secured.showing(&agent, Some(&own)).exchange(&subject, &ASKED).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;
    for stranger in [
        secured.clients.issue(Wanted::client("agent-w")),
        secured.authority.issue(Wanted::client("agent-v")),
        Wanted::client("agent-v").self_signed(),
    ] {
        let stranger = secured.showing(&agent, Some(&stranger)).with_dpop();
        stranger.exchange(&subject, &ASKED).await.refused("invalid_client");
        house.told("client.authenticate", "invalid_client").await;
    }
}
