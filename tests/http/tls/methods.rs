//! `tls_client_auth` and `self_signed_tls_client_auth` (RFC 8705 §2), at every endpoint that knows its callers.

use rcgen::{KeyPair, SanType};
use serde_json::json;
use tests::{Answer, Authentication, Authority, Client, House, Identity, ORDERS, Secured, Wanted};

const OWN: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("scope", "orders:read"), ("resource", ORDERS)];

/// A client of this id and method, with more in its table.
fn declared(id: &str, method: &str, more: &str) -> String {
    format!(
        "[[clients]]\nid = \"{id}\"\nname = \"The {id}\"\nkind = \"service\"\nauthentication = \"{method}\"\n\
         scope = \"orders:read\"\nresources = [\"{ORDERS}\"]\n{more}\n"
    )
}

/// A key with the certificate, as a table of TOML. What the key is does not matter here but must be a key.
pub(super) fn with_x5c(identity: &Identity) -> String {
    let key = tests::Key::generate();
    let member = |name: &str| key.jwk[name].as_str().unwrap().to_owned();
    format!(
        "jwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", x = \"{}\", y = \"{}\", x5c = [\"{}\"] }}] }}",
        member("x"),
        member("y"),
        identity.x5c()
    )
}

pub(super) fn client(house: &House, id: &str) -> Client {
    Client::new(house.door(), id, Authentication::None)
}

async fn own_token(house: &House, secured: &Secured, id: &str, identity: Option<&Identity>) -> Answer {
    secured.showing(&client(house, id), identity).token(&OWN).await
}

#[tokio::test]
async fn a_certificate_of_an_authority_lets_in_whom_its_registered_name_names() {
    let secured = Secured::prepare();
    let named = [
        ("by-dn", "tls_client_auth_subject_dn = \"cn=by-dn,  o=Example\\\\, Inc.\""),
        ("by-dns", "tls_client_auth_san_dns = \"Client.example\""),
        ("by-uri", "tls_client_auth_san_uri = \"spiffe://example/client\""),
        ("by-ip", "tls_client_auth_san_ip = \"2001:DB8:0::1\""),
        ("by-email", "tls_client_auth_san_email = \"ops@MAIL.example\""),
    ];
    let clients: String = named.iter().map(|(id, more)| declared(id, "tls_client_auth", more)).collect();
    let house = House::open_secured(&secured, &clients).await;
    let ia5 = |text: &str| text.try_into().unwrap();
    let everything = |name: &str| {
        Wanted::client(name)
            .known_as(SanType::DnsName(ia5("client.example")))
            .known_as(SanType::URI(ia5("spiffe://example/client")))
            .known_as(SanType::IpAddress("2001:db8::1".parse().unwrap()))
            .known_as(SanType::Rfc822Name(ia5("ops@mail.example")))
    };
    let right = secured.clients.issue(everything("by-dn"));
    let near = secured.clients.issue(
        Wanted::client("by-dn2")
            .known_as(SanType::DnsName(ia5("*.example")))
            .known_as(SanType::DnsName(ia5("client.example.com")))
            .known_as(SanType::URI(ia5("spiffe://example/client/")))
            .known_as(SanType::IpAddress("2001:db8::2".parse().unwrap()))
            .known_as(SanType::Rfc822Name(ia5("Ops@mail.example"))),
    );
    for (id, _) in named {
        own_token(&house, &secured, id, Some(&right)).await.ok();
        house.told("token.client_credentials", "granted").await;
        for wrong in [Some(&near), None] {
            own_token(&house, &secured, id, wrong).await.refused("invalid_client");
            house.told("client.authenticate", "invalid_client").await;
        }
    }
}

#[tokio::test]
async fn a_certificate_counts_only_if_a_known_authority_vouches_for_it_now_and_for_clients() {
    let secured = Secured::prepare();
    let name = "tls_client_auth_subject_dn = \"CN=robot,O=Example\\\\, Inc.\"";
    let house = House::open_secured(&secured, &declared("robot", "tls_client_auth", name)).await;
    let same_name = Authority::new("The clients' authority");
    own_token(&house, &secured, "robot", Some(&secured.clients.issue(Wanted::client("robot")))).await.ok();
    for (what, wrong) in [
        ("another authority", secured.authority.issue(Wanted::client("robot"))),
        ("one of the same name", same_name.issue(Wanted::client("robot"))),
        ("nobody", Wanted::client("robot").self_signed()),
        ("expired", secured.clients.issue(Wanted::client("robot").expired())),
        ("for servers", secured.clients.issue(Wanted::server("robot"))),
    ] {
        let answer = own_token(&house, &secured, "robot", Some(&wrong)).await;
        assert_eq!((answer.status, answer.text("error")), (401, "invalid_client"), "{what}");
        house.told("client.authenticate", "invalid_client").await;
    }
}

#[tokio::test]
async fn authorities_are_read_again_when_their_file_changes() {
    let secured = Secured::prepare();
    let name = "tls_client_auth_subject_dn = \"CN=robot,O=Example\\\\, Inc.\"";
    let house = House::open_secured(&secured, &declared("robot", "tls_client_auth", name)).await;
    let next = Authority::new("The next authority");
    let identity = next.issue(Wanted::client("robot"));
    own_token(&house, &secured, "robot", Some(&identity)).await.refused("invalid_client");
    std::fs::write(secured.file("clients.pem"), &next.pem).unwrap();
    for _ in 0..50 {
        if own_token(&house, &secured, "robot", Some(&identity)).await.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the new authority is not known");
}

#[tokio::test]
async fn a_self_signed_certificate_lets_in_if_it_is_the_registered_one() {
    let secured = Secured::prepare();
    let key = KeyPair::generate().unwrap();
    let own = Wanted::client("robot").self_signed_with(&key);
    let over = Wanted::client("late").expired().self_signed();
    let clients = [("robot", &own), ("late", &over)]
        .map(|(id, identity)| declared(id, "self_signed_tls_client_auth", &with_x5c(identity)));
    let house = House::open_secured(&secured, &clients.concat()).await;
    own_token(&house, &secured, "robot", Some(&own)).await.ok();
    house.told("token.client_credentials", "granted").await;
    let twin = Wanted::client("robot").known_as(SanType::DnsName("x.example".try_into().unwrap()));
    for wrong in [
        Some(&Wanted::client("robot").self_signed()),
        Some(&twin.self_signed_with(&key)),
        Some(&secured.clients.issue(Wanted::client("robot"))),
        None,
    ] {
        own_token(&house, &secured, "robot", wrong).await.refused("invalid_client");
        house.told("client.authenticate", "invalid_client").await;
    }
    own_token(&house, &secured, "late", Some(&over)).await.refused("invalid_client");
}

#[tokio::test]
async fn a_certificate_without_client_id_or_beside_another_method_lets_nobody_in() {
    let secured = Secured::prepare();
    let own = Wanted::client("robot").self_signed();
    let clients = declared("robot", "self_signed_tls_client_auth", &with_x5c(&own));
    let house = House::open_secured(&secured, &clients).await;
    let visitor = secured.visitor(Some(&own));
    let token = || visitor.post(format!("{}/token", secured.base()));
    house.send(token().form(&OWN)).await.refused("invalid_client");
    let with = |more: &[(&'static str, &'static str)]| [OWN.to_vec(), more.to_vec()].concat();
    house.send(token().form(&with(&[("client_id", "robot")]))).await.ok();
    let secret = with(&[("client_id", "robot"), ("client_secret", "x")]);
    house.send(token().form(&secret)).await.refused("invalid_client");
    // The certificate of one client is no proof of being another.
    let web = secured.showing(&client(&house, "web"), Some(&own));
    web.token(&OWN).await.refused("invalid_client");
    // A certificate that nobody asked for changes nothing for clients with other methods.
    let api = secured.showing(&house.client("orders-api").without_dpop(), Some(&own));
    api.token(&OWN).await.ok();
}

#[tokio::test]
async fn every_endpoint_that_knows_its_callers_knows_them_by_certificate() {
    let secured = Secured::prepare();
    let own = Wanted::client("robot").self_signed();
    let more = format!(
        "{}\ngrant_types = [\"authorization_code\", \"client_credentials\"]\n\
         redirect_uris = [\"https://robot.example/callback\"]",
        with_x5c(&own)
    );
    let house = House::open_secured(&secured, &declared("robot", "self_signed_tls_client_auth", &more)).await;
    let robot = client(&house, "robot");
    let right = secured.showing(&robot, Some(&own));
    let wrong = [
        secured.showing(&robot, Some(&Wanted::client("robot").self_signed())),
        secured.showing(&robot, None),
    ];
    let token = right.token(&OWN).await.ok();
    let ask = house.ask(&robot).scope("orders:read").resource(ORDERS);
    right.push(&ask.params()).await.ok();
    assert_eq!(right.introspect(token.access_token()).await.ok().json["active"], true);
    for wrong in &wrong {
        wrong.push(&ask.params()).await.refused("invalid_client");
        wrong.introspect(token.access_token()).await.refused("invalid_client");
        wrong.revoke(token.access_token()).await.refused("invalid_client");
    }
    right.revoke(token.access_token()).await.ok();
    assert_eq!(right.introspect(token.access_token()).await.ok().json, json!({"active": false}));
    // Where nobody is asked for a certificate, nobody can prove to hold one.
    robot.token(&OWN).await.refused("invalid_client");
}

#[tokio::test]
async fn discovery_tells_where_to_come_with_a_certificate() {
    let secured = Secured::prepare();
    let house = House::open_secured(&secured, "").await;
    let told = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok().json;
    assert_eq!(told["tls_client_certificate_bound_access_tokens"], true);
    let methods = told["token_endpoint_auth_methods_supported"].to_string();
    assert!(methods.contains("\"tls_client_auth\"") && methods.contains("self_signed_tls_client_auth"));
    assert_eq!(told["mtls_endpoint_aliases"]["token_endpoint"], format!("{}/token", secured.base()));
    assert_eq!(told["token_endpoint"], house.url("/token"));
    assert!(told["mtls_endpoint_aliases"].get("authorization_endpoint").is_none());

    let plain = House::open().await;
    let told = plain.send(plain.request("GET", "/.well-known/openid-configuration")).await.ok().json;
    assert!(told.get("mtls_endpoint_aliases").is_none());
    assert!(!told["token_endpoint_auth_methods_supported"].to_string().contains("tls_client_auth"));
}
