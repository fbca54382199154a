//! What proxies say is believed of those that are trusted, and of nobody else.

use tests::{Answer, Authentication, Client, House, ORDERS, Secured, Wanted};

const OWN: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("scope", "orders:read"), ("resource", ORDERS)];

/// The proxy is this very machine, or it is somebody else.
fn settings(trusted: &str, more: &str) -> String {
    format!(
        "[limits]\nfailed_client_authentications_per_minute = 1\n[proxy]\ntrusted = [\"{trusted}\"]\n{more}\n"
    )
}

async fn guess(house: &House, headers: &[(&str, &str)], secret: &str) -> Answer {
    let form = [OWN.to_vec(), vec![("client_id", "post"), ("client_secret", secret)]].concat();
    let request = headers
        .iter()
        .fold(house.request("POST", "/token"), |request, (name, value)| request.header(*name, *value));
    house.send(request.form(&form)).await
}

const RIGHT: &str = "the secret of post";

#[tokio::test]
async fn behind_a_trusted_proxy_guesses_are_counted_for_the_address_it_names() {
    for (header, more) in [("x-forwarded-for", ""), ("forwarded", "address_header = \"forwarded\"")] {
        let house = House::open_with(&settings("127.0.0.0/8", more)).await;
        let from = |address: &str| match header {
            "forwarded" => format!("for={address};proto=http"),
            _ => address.to_owned(),
        };
        let (a, b) = (from("192.0.2.1"), from("192.0.2.2"));
        guess(&house, &[(header, &a)], "wrong").await.refused("invalid_client");
        guess(&house, &[(header, &a)], RIGHT).await.refused("invalid_client");
        guess(&house, &[(header, &b)], RIGHT).await.ok();
        // Whatever the one who asks wrote in front of what the proxy saw.
        let spoofed = format!("{}, {}", from("192.0.2.2"), from("192.0.2.1"));
        guess(&house, &[(header, &spoofed)], RIGHT).await.refused("invalid_client");
    }
}

#[tokio::test]
async fn without_a_trusted_proxy_nobody_can_name_another_address() {
    let house = House::open_with(&settings("10.0.0.0/8", "")).await;
    guess(&house, &[("x-forwarded-for", "192.0.2.1")], "wrong").await.refused("invalid_client");
    for address in ["192.0.2.2", "10.0.0.1", "127.0.0.1"] {
        let said = [("x-forwarded-for", address), ("forwarded", "for=192.0.2.9")];
        guess(&house, &said, RIGHT).await.refused("invalid_client");
    }
}

#[tokio::test]
async fn all_addresses_of_one_network_of_ipv6_are_counted_as_one() {
    let house = House::open_with(&settings(
        "127.0.0.0/8",
        &format!(
            "[registration]\nenabled = \"open\"\nrequests_per_minute = 1\nscope = \"orders:read\"\n\
             resources = [\"{ORDERS}\"]"
        ),
    ))
    .await;
    let (one, same, other) = ("2001:db8:7:1::1", "2001:db8:7:1:ffff::2", "2001:db8:7:2::1");
    guess(&house, &[("x-forwarded-for", one)], "wrong").await.refused("invalid_client");
    guess(&house, &[("x-forwarded-for", same)], RIGHT).await.refused("invalid_client");
    guess(&house, &[("x-forwarded-for", other)], RIGHT).await.ok();
    let register = async |address: &str| {
        let metadata = serde_json::json!({ "redirect_uris": ["https://rp.example/callback"] });
        let request = house.request("POST", "/register").header("x-forwarded-for", address);
        house.send(request.json(&metadata)).await.status
    };
    assert_eq!(register(one).await, 201);
    assert_eq!(register(same).await, 429);
    assert_eq!(register(other).await, 201);
}

fn robot(x5c: &str) -> String {
    let key = tests::Key::generate();
    let member = |name: &str| key.jwk[name].as_str().unwrap().to_owned();
    format!(
        "[[clients]]\nid = \"robot\"\nname = \"The robot\"\nkind = \"service\"\n\
         authentication = \"self_signed_tls_client_auth\"\nscope = \"orders:read\"\nresources = [\"{ORDERS}\"]\n\
         tls_client_certificate_bound_access_tokens = true\n\
         jwks = {{ keys = [{{ kty = \"EC\", crv = \"P-256\", x = \"{}\", y = \"{}\", x5c = [\"{x5c}\"] }}] }}\n",
        member("x"),
        member("y")
    )
}

#[tokio::test]
async fn a_certificate_in_a_header_is_taken_from_a_trusted_proxy_alone() {
    let own = Wanted::client("robot").self_signed();
    let rfc9440 = format!(":{}:", own.x5c());
    let pem = own.pem.replace('\n', "%0A").replace('+', "%2B").replace('=', "%3D");
    for (trusted, believed) in [("127.0.0.0/8", true), ("10.0.0.0/8", false)] {
        let settings = settings(trusted, "client_certificate_header = \"X-Client-Cert\"");
        let house = House::open_with(&format!("{settings}{}", robot(&own.x5c()))).await;
        let form = [OWN.to_vec(), vec![("client_id", "robot")]].concat();
        for value in [&rfc9440, &pem] {
            let answer =
                house.send(house.request("POST", "/token").header("x-client-cert", value).form(&form)).await;
            if believed {
                assert_eq!(answer.ok().claims()["cnf"]["x5t#S256"], own.x5t_s256());
            } else {
                answer.refused("invalid_client");
                house.told("client.authenticate", "invalid_client").await;
            }
        }
        // Other names of the header mean nothing, and neither does one that is not there.
        for name in ["client-cert", "x-ssl-cert", "x-client-cert-chain"] {
            let request = house.request("POST", "/token").header(name, &rfc9440).form(&form);
            house.send(request).await.refused("invalid_client");
        }
        let told = house.send(house.request("GET", "/.well-known/openid-configuration")).await.ok().json;
        assert_eq!(told["tls_client_certificate_bound_access_tokens"], true);
        assert!(told.get("mtls_endpoint_aliases").is_none());
    }
}

#[tokio::test]
async fn a_proxy_that_shows_a_certificate_of_its_own_does_not_lend_it_to_its_visitors() {
    let secured = Secured::prepare();
    let proxy = Wanted::client("robot").self_signed();
    let fragment = format!(
        "[proxy]\ntrusted = [\"127.0.0.0/8\"]\nclient_certificate_header = \"client-cert\"\n{}",
        robot(&proxy.x5c())
    );
    let house = House::open_secured(&secured, &fragment).await;
    let robot = Client::new(house.door(), "robot", Authentication::None);
    secured.showing(&robot, Some(&proxy)).token(&OWN).await.refused("invalid_client");
}

#[tokio::test]
async fn behind_a_proxy_a_proof_is_for_the_url_that_the_world_knows() {
    let mut house = House::open_with("[dpop]\nnonce = \"off\"\n").await;
    let internal = house.issuer().to_owned();
    let public = "https://login.example";
    house
        .restart_changed(|config| {
            let there =
                config.replace(&format!("issuer = \"{internal}\""), &format!("issuer = \"{public}\""));
            format!("{there}\n[keys]\nallow_plaintext = true\n")
        })
        .await;
    let web = house.client("web").with_dpop();
    let send = async |url: String| {
        let request = web.authenticated(house.request("POST", "/token"), &OWN);
        house.send(request.header("DPoP", web.proof("POST", &url, None).sign())).await
    };
    send(format!("{internal}/token")).await.refused("invalid_dpop_proof");
    house.told("client.authenticate", "invalid_dpop_proof").await;
    assert_eq!(send(format!("{public}/token")).await.ok().text("token_type"), "DPoP");
    // Browsers are kept on https there, which nobody asks of them at the address within.
    let page = house.send(house.request("GET", "/sign-in")).await;
    assert!(page.header("strict-transport-security").contains("max-age="), "{page:?}");
    // What is said of the way there changes nothing.
    let request = web.authenticated(house.request("POST", "/token"), &OWN);
    let request = request.header("X-Forwarded-Host", "evil.example").header("Forwarded", "host=evil.example");
    let proof = web.proof("POST", "https://evil.example/token", None);
    house.send(request.header("DPoP", proof.sign())).await.refused("invalid_dpop_proof");
}
