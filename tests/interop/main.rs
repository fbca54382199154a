//! Clients that we did not write, from npm and PyPI, against a house that speaks TLS. Each script says what works,
//! step by step, and ends with the first thing that does not.

mod guest;

use serde_json::{Value, json};
use tests::{Database, House, Key, ORDERS, Secured, Wanted};

/// RFC 8628 §3.4.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Client-Initiated Backchannel Authentication §10.1.
const CIBA: &str = "urn:openid:params:grant-type:ciba";

/// The clients that the guests are.
struct Guests {
    toml: String,
    told: Value,
}

/// The public key with the name that the private one goes by.
fn jwks(key: &Key) -> String {
    key.jwks_toml().replace("use = \"sig\"", &format!("use = \"sig\", kid = \"{}\"", key.thumbprint()))
}

/// Declares the clients: by secret in the header, by secret in the body, by key, by nothing,
/// by certificate, one that signs its requests, and a resource server.
fn guests(secured: &Secured) -> Guests {
    let [jwt, api, signed, afar] = [(); 4].map(|()| Key::generate());
    let shown = secured.clients.issue(Wanted::client("guest-mtls"));
    let reach = format!("resources = [\"{ORDERS}\"]");
    let app = |id: &str, authentication: &str, more: &str| {
        format!(
            "[[clients]]\nid = \"{id}\"\nname = \"Guest {id}\"\nkind = \"application\"\n\
             authentication = \"{authentication}\"\nredirect_uris = [\"https://{id}.example/callback\"]\n\
             post_logout_redirect_uris = [\"https://{id}.example/bye\"]\n\
             scope = \"openid profile email offline_access orders:read\"\n{reach}\n{more}\n\n"
        )
    };
    let secret =
        |id: &str| format!("secret_sha256 = \"{}\"", tests::secret_sha256(&format!("the secret of {id}")));
    let toml = [
        app("guest-basic", "client_secret_basic", &secret("guest-basic")),
        app(
            "guest-post",
            "client_secret_post",
            &format!("{}\nid_token_signed_response_alg = \"RS256\"", secret("guest-post")),
        ),
        app(
            "guest-jwt",
            "private_key_jwt",
            &format!(
                "jwks = {}\ndpop_bound_access_tokens = true\nid_token_signed_response_alg = \"PS256\"\n\
                 grant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\"]",
                jwks(&jwt)
            ),
        ),
        app("guest-open", "none", ""),
        app(
            "guest-afar",
            "private_key_jwt",
            &format!(
                "jwks = {}\ngrant_types = [\"{DEVICE_CODE}\", \"{CIBA}\"]\n\
                 backchannel_token_delivery_mode = \"poll\"",
                jwks(&afar)
            ),
        ),
        app(
            "guest-signed",
            "private_key_jwt",
            &format!(
                "jwks = {}\nrequest_object_signing_alg = \"ES256\"\nrequire_signed_request_object = true\n\
                 authorization_signed_response_alg = \"PS256\"",
                jwks(&signed)
            ),
        ),
        app(
            "guest-mtls",
            "tls_client_auth",
            "tls_client_auth_subject_dn = \"cn=guest-mtls,o=Example\\\\, Inc.\"\n\
             tls_client_certificate_bound_access_tokens = true",
        ),
        format!(
            "[[clients]]\nid = \"guest-api\"\nname = \"Guest API\"\nkind = \"service\"\n\
             authentication = \"private_key_jwt\"\njwks = {}\nresource_server = \"{ORDERS}\"\n\
             scope = \"orders:read\"\n{reach}\n\n",
            jwks(&api)
        ),
    ];
    let client = |id: &str, more: Value| {
        let mut client = json!({
            "id": id,
            "redirect_uri": format!("https://{id}.example/callback"),
            "post_logout_redirect_uri": format!("https://{id}.example/bye"),
        });
        client.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client
    };
    let secret = |id: &str| json!({ "secret": format!("the secret of {id}") });
    let clients = json!({
        "basic": client("guest-basic", secret("guest-basic")),
        "post": client("guest-post", secret("guest-post")),
        "jwt": client("guest-jwt", json!({ "jwk": jwt.private_jwk() })),
        "open": client("guest-open", json!({})),
        "signed": client("guest-signed", json!({ "jwk": signed.private_jwk() })),
        "afar": client("guest-afar", json!({ "jwk": afar.private_jwk() })),
        "mtls": client("guest-mtls", json!({ "certificate": shown.pem, "key": shown.key_pem })),
        "api": client("guest-api", json!({ "jwk": api.private_jwk() })),
    });
    Guests { toml: toml.concat(), told: json!({ "orders": ORDERS, "clients": clients }) }
}

async fn receive(command: Option<std::process::Command>) {
    let Some(command) = command else { return };
    let secured = Secured::prepare();
    let Guests { toml, mut told } = guests(&secured);
    let house = House::on_secured(Database::Sqlite, &secured, &toml).await;
    let trusted = secured.file("authority.pem");
    std::fs::write(&trusted, &secured.authority.pem).unwrap();
    told["issuer"] = house.issuer().into();
    let alice = house.signed_in("alice").await;
    guest::receive(command, &trusted, &told, house.issuer(), &alice).await;
}

#[tokio::test]
async fn openid_client_from_npm() {
    receive(guest::npm("openid-client.mjs")).await;
}

#[tokio::test]
async fn oauth4webapi_from_npm() {
    receive(guest::npm("oauth4webapi.mjs")).await;
}

#[tokio::test]
async fn authlib_from_pypi() {
    receive(guest::pypi("with_authlib.py")).await;
}

#[tokio::test]
async fn requests_oauth2client_from_pypi() {
    receive(guest::pypi("with_requests_oauth2client.py")).await;
}
