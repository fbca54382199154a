//! Tokens that are bound to a certificate (RFC 8705 §3, §4).

use tests::{
    Answer, Authentication, Client, Database, House, Identity, ORDERS, Secured, Wanted, on_both_databases,
};

on_both_databases! {
    a_bound_token_is_good_with_its_certificate_alone,
    a_public_clients_refresh_token_is_bound_to_its_certificate,
}

const BOUND: &str = "tls_client_certificate_bound_access_tokens = true";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

fn own(scope: &str) -> [(&'static str, String); 2] {
    [("grant_type", "client_credentials".into()), ("scope", scope.to_owned())]
}

async fn own_token(client: &Client, scope: &str) -> Answer {
    let own = own(scope);
    client.token(&own.each_ref().map(|(name, value)| (*name, value.as_str()))).await
}

/// A confidential application whose tokens are bound to certificates.
fn bank() -> String {
    // The SHA-256 of "hello".
    let hex = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    format!(
        "[[clients]]\nid = \"bank\"\nname = \"The bank\"\nkind = \"application\"\n\
         authentication = \"client_secret_post\"\nsecret_sha256 = \"{hex}\"\n{BOUND}\n\
         redirect_uris = [\"https://bank.example/callback\"]\n\
         grant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\", \"{EXCHANGE}\"]\n\
         scope = \"openid offline_access grant_management_query orders:read\"\nresources = [\"{ORDERS}\"]\n"
    )
}

fn client(house: &House) -> Client {
    Client::new(house.door(), "bank", Authentication::Post("hello".into()))
}

async fn a_bound_token_is_good_with_its_certificate_alone(database: Database) {
    let secured = Secured::prepare();
    let house = House::on_secured(database, &secured, &bank()).await;
    let bank = client(&house);
    let (own, other) = (Wanted::client("bank").self_signed(), Wanted::client("bank").self_signed());
    let holding = secured.showing(&bank, Some(&own));
    let answer = own_token(&holding, "grant_management_query").await.ok();
    house.told("token.client_credentials", "granted").await;
    assert_eq!(answer.text("token_type"), "Bearer");
    let cnf = serde_json::json!({ "x5t#S256": own.x5t_s256() });
    assert_eq!(answer.claims()["cnf"], cnf);
    assert_eq!(own.x5t_s256().len(), 43);
    let told = holding.introspect(answer.access_token()).await.ok().json;
    assert_eq!((&told["cnf"], &told["token_type"]), (&cnf, &"Bearer".into()));

    // At our own resource: the consent is not there, which is told only to whoever may ask.
    let path = "/grants/nothing";
    assert_eq!(holding.call("GET", path, answer.access_token()).await.status, 404);
    for wrong in [secured.showing(&bank, Some(&other)), secured.showing(&bank, None), bank.clone()] {
        let refused = wrong.call("GET", path, answer.access_token()).await.refused_with(401, "invalid_token");
        let challenges: Vec<_> = refused.headers.get_all("www-authenticate").iter().collect();
        assert!(challenges.iter().any(|c| c.to_str().unwrap().contains("error=\"invalid_token\"")));
    }
    // A key does not stand in for the certificate.
    let with_key = secured.showing(&bank, Some(&own)).with_dpop();
    with_key.call("GET", path, answer.access_token()).await.refused_with(401, "invalid_token");
}

#[tokio::test]
async fn a_client_with_bound_tokens_gets_none_without_a_certificate_and_none_with_two_bindings() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, &bank()).await;
    let bank = client(&house);
    let identity = Wanted::client("bank").self_signed();
    for wrong in [
        bank.clone(),
        secured.showing(&bank, None),
        bank.clone().with_dpop(),
        secured.showing(&bank, Some(&identity)).with_dpop(),
    ] {
        own_token(&wrong, "orders:read").await.refused("invalid_request");
        house.told("token.client_credentials", "invalid_request").await;
    }
}

#[tokio::test]
async fn a_certificate_binds_nothing_where_nobody_wants_it_and_a_proof_comes_first() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let identity = Wanted::client("web").self_signed();
    let web = secured.showing(&house.client("web"), Some(&identity));
    let answer = web.own_token("orders:read", ORDERS).await.ok();
    assert!(answer.claims().get("cnf").is_none());
    // The proof is for the URL that is called, which is not the issuer's.
    let web = web.with_dpop();
    let answer = web.own_token("orders:read", ORDERS).await.ok();
    assert_eq!(answer.claims()["cnf"]["jkt"], web.dpop.as_ref().unwrap().thumbprint());
}

async fn tokens(house: &House, client: &Client, scope: &str) -> Answer {
    let code = house.ask(client).scope(scope).approved_by(&house.signed_in("alice").await).await;
    code.redeem(client).await
}

async fn a_public_clients_refresh_token_is_bound_to_its_certificate(database: Database) {
    let secured = Secured::prepare();
    let app = format!(
        "[[clients]]\nid = \"app\"\nname = \"The app\"\nkind = \"application\"\nauthentication = \"none\"\n{BOUND}\n\
         redirect_uris = [\"https://app.example/callback\"]\nscope = \"openid offline_access orders:read\"\n\
         resources = [\"{ORDERS}\"]\n"
    );
    let house = House::on_secured(database, &secured, &app).await;
    let app = Client::new(house.door(), "app", Authentication::None);
    let (own, other) = (Wanted::client("app").self_signed(), Wanted::client("app").self_signed());
    let showing = |identity: Option<&Identity>| secured.showing(&app, identity);
    let first = tokens(&house, &showing(Some(&own)), "offline_access orders:read").await.ok();
    let refresh = first.text("refresh_token");
    for wrong in [Some(&other), None] {
        showing(wrong).refresh(refresh, &[]).await.refused("invalid_grant");
        house.told("token.refresh", "invalid_grant").await;
    }
    let again = showing(Some(&own)).refresh(refresh, &[]).await.ok();
    assert_eq!(again.claims()["cnf"]["x5t#S256"], own.x5t_s256());
    // Bound as it is, it stays.
    assert!(again.json.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_confidential_client_may_renew_its_certificate_and_new_tokens_are_bound_to_the_new_one() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, &bank()).await;
    let bank = client(&house);
    let (old, new) = (Wanted::client("bank").self_signed(), Wanted::client("bank").self_signed());
    let first = tokens(&house, &secured.showing(&bank, Some(&old)), "openid offline_access").await.ok();
    assert_eq!(first.claims()["cnf"]["x5t#S256"], old.x5t_s256());
    let renewed = secured.showing(&bank, Some(&new));
    let again = renewed.refresh(first.text("refresh_token"), &[]).await.ok();
    assert_eq!(again.claims()["cnf"]["x5t#S256"], new.x5t_s256());
    renewed.call("GET", "/userinfo", again.access_token()).await.ok();
    renewed.call("GET", "/userinfo", first.access_token()).await.refused_with(401, "invalid_token");
}

#[tokio::test]
async fn a_bound_subject_token_never_becomes_a_bearer_token_and_the_actors_own_key_binds_the_new_one() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, &bank()).await;
    let identity = Wanted::client("bank").self_signed();
    let bank = secured.showing(&client(&house), Some(&identity));
    let agent = house.client("agent-a");
    let ask = house.ask(&bank).actor("agent-a").scope("orders:read").resource(ORDERS);
    let subject = ask.approved_by(&house.signed_in("alice").await).await.redeem(&bank).await.ok();
    assert_eq!(subject.claims()["cnf"]["x5t#S256"], identity.x5t_s256());
    let asked = [("scope", "orders:read"), ("resource", ORDERS)];
    agent.clone().without_dpop().exchange(subject.access_token(), &asked).await.refused("invalid_request");
    house.told("token.exchange", "invalid_request").await;
    let answer = agent.exchange(subject.access_token(), &asked).await.ok();
    assert_eq!(answer.claims()["cnf"]["jkt"], agent.dpop.as_ref().unwrap().thumbprint());
    assert_eq!(answer.claims()["act"]["sub"], "agent-a");
}
