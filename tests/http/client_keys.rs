//! Where clients' keys come from, and what each profile permits of client assertions (RFC 7523, FAPI 2.0 §5.3.2).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tests::{Answer, Authentication, Client, House, Key, ORDERS};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const OWN: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("scope", "orders:read"), ("resource", ORDERS)];
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that publishes its keys, and counts who looks.
struct Publisher {
    uri: String,
    says: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Publisher {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/jwks", listener.local_addr().unwrap());
        let (says, asked) = (Arc::new(Mutex::new(String::new())), Arc::new(AtomicUsize::new(0)));
        let (said, counted) = (Arc::clone(&says), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                counted.fetch_add(1, Ordering::SeqCst);
                let body = said.lock().unwrap().clone();
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length";
                let _ = stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
            }
        });
        Self { uri, says, asked }
    }

    fn publish(&self, keys: &[(&Key, &str)]) {
        let keys: Vec<_> = keys.iter().map(|(key, kid)| with_kid(key, kid)).collect();
        *self.says.lock().unwrap() = json!({ "keys": keys }).to_string();
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn with_kid(key: &Key, kid: &str) -> Value {
    let mut jwk = key.jwk.clone();
    jwk["kid"] = kid.into();
    jwk
}

fn declared(id: &str, more: &str) -> String {
    format!(
        "[[clients]]\nid = \"{id}\"\nname = \"The {id}\"\nkind = \"service\"\nauthentication = \"private_key_jwt\"\n\
         scope = \"orders:read\"\nresources = [\"{ORDERS}\"]\n{more}\n"
    )
}

fn robot(house: &House, id: &str) -> Client {
    Client::new(house.door(), id, Authentication::None)
}

async fn send(house: &House, assertion: &str, dpop: Option<&Client>) -> Answer {
    let form =
        [OWN.to_vec(), vec![("client_assertion_type", JWT_BEARER), ("client_assertion", assertion)]].concat();
    let request = house.request("POST", "/token").form(&form);
    let request = match dpop {
        Some(client) => request.header("DPoP", client.proof("POST", &house.url("/token"), None).sign()),
        None => request,
    };
    house.send(request).await
}

async fn asserted(house: &House, id: &str, key: &Key, kid: &str) -> Answer {
    let assertion = key.sign(&json!({ "alg": "ES256", "kid": kid }), &robot(house, id).assertion());
    send(house, &assertion, None).await
}

#[tokio::test]
async fn published_keys_are_found_looked_for_again_when_missing_and_never_often() {
    let publisher = Publisher::open().await;
    let settings = "[outbound]\npermitted_addresses = [\"127.0.0.0/8\"]\n";
    let client = declared("robot", &format!("jwks_uri = \"{}\"", publisher.uri));
    let house = House::open_with(&format!("{settings}{client}")).await;
    let (one, two, stranger) = (Key::generate(), Key::generate(), Key::generate());
    publisher.publish(&[(&one, "1")]);
    asserted(&house, "robot", &one, "1").await.ok();
    house.told("token.client_credentials", "granted").await;
    asserted(&house, "robot", &one, "1").await.ok();
    assert_eq!(publisher.asked(), 1);

    // A stranger with made-up key names makes us look once in a while and no more.
    house.later(60);
    for n in 0..20 {
        asserted(&house, "robot", &stranger, &format!("x{n}")).await.refused("invalid_client");
    }
    house.told("client.authenticate", "invalid_client").await;
    assert_eq!(publisher.asked(), 2);
    // And one with a name that is there, not at all.
    house.later(60);
    asserted(&house, "robot", &stranger, "1").await.refused("invalid_client");
    assert_eq!(publisher.asked(), 2);

    // The client turns its key.
    publisher.publish(&[(&two, "2")]);
    asserted(&house, "robot", &two, "2").await.ok();
    assert_eq!(publisher.asked(), 3);
    asserted(&house, "robot", &one, "1").await.refused("invalid_client");

    // While it does not publish anything sensible, its keys are still those.
    "nothing".clone_into(&mut publisher.says.lock().unwrap());
    house.later(3600);
    asserted(&house, "robot", &two, "2").await.ok();
    house.later(24 * 3600);
    asserted(&house, "robot", &two, "2").await.refused("invalid_client");
}

#[tokio::test]
async fn keys_are_not_fetched_from_within_unless_that_is_permitted() {
    let publisher = Publisher::open().await;
    let house = House::open_with(&declared("robot", &format!("jwks_uri = \"{}\"", publisher.uri))).await;
    let key = Key::generate();
    publisher.publish(&[(&key, "1")]);
    asserted(&house, "robot", &key, "1").await.refused("invalid_client");
    assert_eq!(publisher.asked(), 0);
}

#[tokio::test]
async fn endpoints_are_an_audience_for_the_profiles_that_have_it_so_and_for_no_other() {
    let key = Key::generate();
    let keys = format!("jwks = {}\n", key.jwks_toml());
    let profiles = ["oauth2.1", "oidc", "fapi2", "fapi2-message-signing"];
    for profile in profiles {
        let house = House::open_with(&declared("robot", &format!("{keys}profile = \"{profile}\""))).await;
        let robot = robot(&house, "robot").with_dpop();
        let issuer = house.issuer();
        let endpoint_too = profile == "oidc";
        for (aud, fine) in [
            (json!(issuer), true),
            (json!(house.url("/token")), endpoint_too),
            (json!([issuer]), endpoint_too),
            (json!([issuer, house.url("/token")]), endpoint_too),
            (json!(house.url("/par")), false),
            (json!([issuer, "https://other.example"]), false),
            (json!(format!("{issuer}/")), false),
        ] {
            let mut claims = robot.assertion();
            claims["aud"] = aud.clone();
            let mut answer = send(&house, &key.sign(&json!({ "alg": "ES256" }), &claims), Some(&robot)).await;
            if answer.json["error"] == "use_dpop_nonce" {
                let nonce = answer.header("dpop-nonce").to_owned();
                claims["jti"] = tests::random().into();
                let proof =
                    robot.proof("POST", &house.url("/token"), None).claim("nonce", nonce.into()).sign();
                let assertion = key.sign(&json!({ "alg": "ES256" }), &claims);
                let more =
                    vec![("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())];
                let form = [OWN.to_vec(), more].concat();
                answer = house.send(house.request("POST", "/token").header("DPoP", proof).form(&form)).await;
            }
            if fine {
                assert_eq!(answer.status, 200, "{profile} {aud}: {}", answer.body);
            } else {
                assert_eq!(answer.json["error"], "invalid_client", "{profile} {aud}: {}", answer.body);
                house.told("client.authenticate", "invalid_client").await;
            }
        }
    }
}

/// An RSA key, which signs with either padding.
struct RsaKey(KeyPair);

impl RsaKey {
    fn generate() -> Self {
        Self(KeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    fn jwk(&self) -> Value {
        let public = self.0.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let n = number(public.modulus().big_endian_without_leading_zero());
        let e = number(public.exponent().big_endian_without_leading_zero());
        json!({ "kty": "RSA", "n": n, "e": e })
    }

    fn jwks_toml(&self) -> String {
        let jwk = self.jwk();
        let member = |name: &str| jwk[name].as_str().unwrap().to_owned();
        format!("{{ keys = [{{ kty = \"RSA\", n = \"{}\", e = \"{}\" }}] }}", member("n"), member("e"))
    }

    fn sign(&self, alg: &str, claims: &Value) -> String {
        self.sign_with(alg, &json!({ "alg": alg }), claims)
    }

    fn sign_with(&self, alg: &str, header: &Value, claims: &Value) -> String {
        let padding: &'static dyn RsaEncoding =
            if alg == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", encode(header), encode(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(padding, &SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

#[tokio::test]
async fn a_client_signs_with_what_its_profile_permits_and_with_what_it_registered() {
    let key = RsaKey::generate();
    let keys = format!("jwks = {}\n", key.jwks_toml());
    for (more, rs256, ps256) in [
        ("", true, true),
        ("token_endpoint_auth_signing_alg = \"PS256\"", false, true),
        ("token_endpoint_auth_signing_alg = \"RS256\"", true, false),
        // The assertion is taken, and then a bound token is demanded.
        ("profile = \"fapi2\"", false, true),
    ] {
        let house = House::open_with(&declared("robot", &format!("{keys}{more}"))).await;
        for (alg, fine) in [("RS256", rs256), ("PS256", ps256)] {
            let answer = send(&house, &key.sign(alg, &robot(&house, "robot").assertion()), None).await;
            let refused = answer.json["error"] == "invalid_client";
            assert_eq!(!refused, fine, "{more} {alg}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn fapi_clients_get_bound_tokens_or_none() {
    let key = Key::generate();
    let keys = format!("jwks = {}\nprofile = \"fapi2\"", key.jwks_toml());
    let house = House::open_with(&declared("robot", &keys)).await;
    let assertion = key.sign(&json!({ "alg": "ES256" }), &robot(&house, "robot").assertion());
    send(&house, &assertion, None).await.refused("invalid_request");
    house.told("token.client_credentials", "invalid_request").await;
    let robot =
        robot(&house, "robot").authenticating(Authentication::PrivateKeyJwt(Arc::new(key))).with_dpop();
    let answer = robot.token(&OWN).await.ok();
    assert_eq!(answer.text("token_type"), "DPoP");
}

#[tokio::test]
async fn fapi_clients_prove_no_key_with_rs256() {
    let (key, rsa) = (Key::generate(), RsaKey::generate());
    for (profile, alg, fine) in
        [("oauth2.1", "RS256", true), ("fapi2", "RS256", false), ("fapi2", "PS256", true)]
    {
        let client = declared("robot", &format!("jwks = {}\nprofile = \"{profile}\"", key.jwks_toml()));
        let house = House::open_with(&format!("[dpop]\nnonce = \"off\"\n{client}")).await;
        let assertion = key.sign(&json!({ "alg": "ES256" }), &robot(&house, "robot").assertion());
        let header = json!({ "typ": "dpop+jwt", "alg": alg, "jwk": rsa.jwk() });
        let now = house.door().now().0;
        let claims = json!({ "jti": tests::random(), "htm": "POST", "htu": house.url("/token"), "iat": now });
        let more = vec![("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())];
        let form = [OWN.to_vec(), more].concat();
        let request = house.request("POST", "/token").header("DPoP", rsa.sign_with(alg, &header, &claims));
        let answer = house.send(request.form(&form)).await;
        if fine {
            assert_eq!(answer.ok().text("token_type"), "DPoP");
        } else {
            answer.refused("invalid_dpop_proof");
            house.told("client.authenticate", "invalid_dpop_proof").await;
        }
    }
}

#[tokio::test]
async fn a_refresh_token_outlives_the_keys_of_its_client() {
    let publisher = Publisher::open().await;
    let client = format!(
        "[outbound]\npermitted_addresses = [\"127.0.0.0/8\"]\n[[clients]]\nid = \"rp\"\nname = \"The rp\"\n\
         kind = \"application\"\nauthentication = \"private_key_jwt\"\njwks_uri = \"{}\"\n\
         redirect_uris = [\"https://rp.example/callback\"]\nscope = \"offline_access orders:read\"\n\
         resources = [\"{ORDERS}\"]\n",
        publisher.uri
    );
    let house = House::open_with(&client).await;
    let (one, two) = (Key::generate(), Key::generate());
    publisher.publish(&[(&one, "1")]);
    let alice = house.signed_in("alice").await;
    let code = house.ask(&robot(&house, "rp")).scope("offline_access orders:read").approved_by(&alice).await;
    let sign = |key: &Key, kid: &str| {
        key.sign(&json!({ "alg": "ES256", "kid": kid }), &robot(&house, "rp").assertion())
    };
    let ask = async |assertion: String, more: &[(&str, &str)]| {
        let by = [("client_assertion_type", JWT_BEARER), ("client_assertion", assertion.as_str())];
        house.send(house.request("POST", "/token").form(&[more, by.as_slice()].concat())).await
    };
    let tokens = ask(sign(&one, "1"), &code.params()).await.ok();
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.text("refresh_token"))];
    publisher.publish(&[(&two, "2")]);
    house.later(3600);
    ask(sign(&two, "2"), &refresh).await.ok();
    house.told("token.refresh", "granted").await;
    ask(sign(&one, "1"), &refresh).await.refused("invalid_client");
}

#[tokio::test]
async fn keys_that_have_one_name_are_all_tried() {
    let (ec, rsa) = (Key::generate(), RsaKey::generate());
    let member = |jwk: &Value, name: &str| jwk[name].as_str().unwrap().to_owned();
    let jwk = rsa.jwk();
    let keys = format!(
        "jwks = {{ keys = [{{ kty = \"RSA\", kid = \"same\", n = \"{}\", e = \"{}\" }}, \
         {{ kty = \"EC\", crv = \"P-256\", kid = \"same\", x = \"{}\", y = \"{}\" }}] }}",
        member(&jwk, "n"),
        member(&jwk, "e"),
        member(&ec.jwk, "x"),
        member(&ec.jwk, "y")
    );
    let house = House::open_with(&declared("robot", &keys)).await;
    asserted(&house, "robot", &ec, "same").await.ok();
    let header = json!({ "alg": "PS256", "kid": "same" });
    send(&house, &rsa.sign_with("PS256", &header, &robot(&house, "robot").assertion()), None).await.ok();
    asserted(&house, "robot", &Key::generate(), "same").await.refused("invalid_client");
    // What the house publishes itself is told apart by its names.
    let published = house.send(house.request("GET", "/jwks")).await.ok().json;
    let mut kids: Vec<_> =
        published["keys"].as_array().unwrap().iter().map(|key| key["kid"].to_string()).collect();
    let all = kids.len();
    kids.sort();
    kids.dedup();
    assert_eq!(kids.len(), all);
    assert!(!published.to_string().contains("x5u") && !published.to_string().contains("jku"));
}

#[tokio::test]
async fn fapi_clients_sign_no_request_with_rs256() {
    let rsa = RsaKey::generate();
    let members = format!(
        "kind = \"application\"\nredirect_uris = [\"https://rp.example/callback\"]\n\
         profile = \"fapi2-message-signing\"\njwks = {}\n",
        rsa.jwks_toml()
    );
    let client = declared("rp", &members).replacen("kind = \"service\"\n", "", 1);
    let client = client.replace("scope = \"orders:read\"", "scope = \"openid orders:read\"");
    let house = House::open_with(&client).await;
    let rp = robot(&house, "rp");
    let ask = house.ask(&rp).scope("openid").with("nonce", "n").with("response_mode", "jwt");
    for (alg, fine) in [("RS256", false), ("PS256", true)] {
        let object = rsa.sign(alg, &Value::Object(crate::rp::object(&house, &ask)));
        let assertion = rsa.sign("PS256", &rp.assertion());
        let form = [
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion.as_str()),
            ("request", object.as_str()),
        ];
        let answer = house.send(house.request("POST", "/par").form(&form)).await;
        if fine {
            answer.ok();
        } else {
            answer.refused("invalid_request_object");
            house.told("authorization.push", "invalid_request_object").await;
        }
    }
}
