//! The clients that the guests are, as the house knows them and as they know themselves.

use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use serde_json::{Value, json};
use tests::{Key, ORDERS, Secured, Wanted};

/// RFC 8628 §3.4.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Client-Initiated Backchannel Authentication §10.1.
const CIBA: &str = "urn:openid:params:grant-type:ciba";

/// The clients that the guests are.
pub struct Guests {
    /// As the house is told.
    pub toml: String,
    /// As the guests are told.
    pub told: Value,
}

/// A public key as a TOML value.
fn public(jwk: &Value, purpose: &str) -> String {
    let members = ["kty", "crv", "x", "y", "n", "e", "kid"];
    let members = members.iter().filter_map(|name| Some(format!("{name} = {}", jwk.get(name)?)));
    format!("{{ use = \"{purpose}\", {} }}", members.collect::<Vec<_>>().join(", "))
}

/// The public key with the name that the private one goes by.
fn jwks(key: &Key) -> String {
    format!("jwks = {{ keys = [{}] }}", public(&key.private_jwk(), "sig"))
}

/// A private key for what is encrypted to its owner.
fn named(mut key: Jwk, kid: &str) -> Value {
    key.set_key_id(kid);
    serde_json::to_value(key).unwrap()
}

/// Declares the clients: by secret in the header, by secret in the body, by key, by nothing, by certificate, one that
/// signs its requests, one to which everything is encrypted, one whose user is elsewhere, and a resource server.
pub fn guests(secured: &Secured) -> Guests {
    let [jwt, api, signed, afar, sealed] = [(); 5].map(|()| Key::generate());
    let ec = named(Jwk::generate_ec_key(EcCurve::P256).unwrap(), "sealed-ec");
    let rsa = named(Jwk::generate_rsa_key(2048).unwrap(), "sealed-rsa");
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
                "{}\ndpop_bound_access_tokens = true\nid_token_signed_response_alg = \"PS256\"\n\
                 grant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\"]",
                jwks(&jwt)
            ),
        ),
        app("guest-open", "none", ""),
        app(
            "guest-afar",
            "private_key_jwt",
            &format!(
                "{}\ngrant_types = [\"{DEVICE_CODE}\", \"{CIBA}\"]\n\
                 backchannel_token_delivery_mode = \"poll\"",
                jwks(&afar)
            ),
        ),
        app(
            "guest-signed",
            "private_key_jwt",
            &format!(
                "{}\nrequest_object_signing_alg = \"ES256\"\nrequire_signed_request_object = true\n\
                 authorization_signed_response_alg = \"PS256\"",
                jwks(&signed)
            ),
        ),
        app(
            "guest-sealed",
            "private_key_jwt",
            &format!(
                "jwks = {{ keys = [{}, {}, {}] }}\n\
                 id_token_encrypted_response_alg = \"ECDH-ES\"\nid_token_encrypted_response_enc = \"A256GCM\"\n\
                 userinfo_signed_response_alg = \"ES256\"\nuserinfo_encrypted_response_alg = \"RSA-OAEP-256\"\n\
                 authorization_signed_response_alg = \"PS256\"\n\
                 authorization_encrypted_response_alg = \"RSA-OAEP-256\"\n\
                 authorization_encrypted_response_enc = \"A256CBC-HS512\"",
                public(&sealed.private_jwk(), "sig"),
                public(&ec, "enc"),
                public(&rsa, "enc")
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
             authentication = \"private_key_jwt\"\n{}\nresource_server = \"{ORDERS}\"\n\
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
        "sealed": client("guest-sealed", json!({ "jwk": sealed.private_jwk(), "ec": ec, "rsa": rsa })),
        "afar": client("guest-afar", json!({ "jwk": afar.private_jwk() })),
        "mtls": client("guest-mtls", json!({ "certificate": shown.pem, "key": shown.key_pem })),
        "api": client("guest-api", json!({ "jwk": api.private_jwk() })),
    });
    Guests { toml: toml.concat(), told: json!({ "orders": ORDERS, "clients": clients }) }
}
