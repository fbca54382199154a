//! RFC 7591: dynamic client registration, where it is open.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::check::{Problem, Verdict};
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-7591-1" Must "RFC 7591 §3.1" "A form is no registration." => only_json;
    "R-7591-4" Must "RFC 7591 §2" "A member that is not understood is ignored." => unknown;
    "R-7591-5" Must "RFC 7591 §2" "Whoever says nothing gets the defaults." => defaults;
    "R-7591-6" Must "RFC 7591 §2" "jwks and jwks_uri do not come together." => two_key_sources;
    "R-7591-7" Must "RFC 7591 §2" "Keys are public." => private_key;
    "R-7591-8" Must "RFC 7591 §5" "A client with redirects registers where to." => no_redirect_uri;
    "R-7591-9" Must "RFC 7591 §5" "A redirect URI is https or leads to the user's own machine." => redirect_uris;
    "R-7591-10" Should "RFC 7591 §2.1" "Grant and response types fit together." => inconsistent;
    "R-7591-13" Must "RFC 7591 §3.1.1" "A software statement that nobody signed is refused." => statement;
    "R-7591-14" Must "RFC 7591 §3.2.1" "Success is 201, JSON, and not kept." => created;
    "R-7591-15" Must "RFC 7591 §3.2.1" "The server names the client, and no two alike." => client_id;
    "R-7591-16" Must "RFC 7591 §3.2.1" "A secret comes with its end, and no two are alike." => secret;
    "R-7591-17" Must "RFC 7591 §3.2.1" "What was registered is told." => echo;
    "R-7591-19" Must "RFC 7591 §3.2.2" "An error is 400, JSON, with its code." => errors;
    "R-7591-20" Must "RFC 7591 §2" "A public client gets no secret." => public;
    "R-7591-26" Must "OpenID Connect Registration §5" "Pairwise subjects of several hosts need a sector." => sector;
    "R-7591-27" Must "OpenID Connect Registration §2" "initiate_login_uri is https, and enc comes with alg." => openid;
    "R-7591-28" Must "RFC 7592 §3" "registration_client_uri and registration_access_token come together." => both;
}

pub(crate) const BACK: &str = "https://conformance.example/callback";

/// Registers a client with one redirect URI and `more`.
pub(crate) async fn register(world: &World, more: &Value) -> Result<Answer, Problem> {
    let mut metadata = json!({ "redirect_uris": [BACK] });
    if let (Some(metadata), Some(more)) = (metadata.as_object_mut(), more.as_object()) {
        metadata.extend(more.clone());
    }
    let request = world.http.post(world.endpoint("registration_endpoint")?).json(&metadata);
    let answer = Answer::read(request.send().await?).await?;
    if matches!(answer.status, 401 | 403) {
        return Err(Problem::Skipped("registration is not open to everybody".to_owned()));
    }
    Ok(answer)
}

/// The same; it must have gone well.
pub(crate) async fn registered(world: &World, more: &Value) -> Result<Answer, Problem> {
    let answer = register(world, more).await?;
    answer.is(&[201], &more.to_string())?;
    Ok(answer)
}

const METADATA: [&str; 1] = ["invalid_client_metadata"];
const EITHER: [&str; 2] = ["invalid_redirect_uri", "invalid_client_metadata"];

/// Registers a client with `more`; it must be refused.
pub(crate) async fn refused(world: &World, more: Value, codes: &[&str]) -> Verdict {
    register(world, &more).await?.refused(codes, &more.to_string())
}

async fn only_json(world: &World) -> Verdict {
    registered(world, &json!({})).await?;
    let request = world.http.post(world.endpoint("registration_endpoint")?).form(&[("redirect_uris", BACK)]);
    Answer::read(request.send().await?).await?.is(&[400, 415], "a form")
}

async fn unknown(world: &World) -> Verdict {
    let answer = registered(world, &json!({ "zz_unheard_of": { "a": 1 } })).await?;
    demand!(answer.json.get("zz_unheard_of").is_none(), "it is told as if it were registered");
    Ok(())
}

async fn defaults(world: &World) -> Verdict {
    let told = registered(world, &json!({})).await?.json;
    demand!(told["token_endpoint_auth_method"] == "client_secret_basic", "{told}");
    demand!(told["grant_types"] == json!(["authorization_code"]), "{told}");
    demand!(told["response_types"] == json!(["code"]), "{told}");
    Ok(())
}

fn jwk() -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": "og1b0QL38pVYeuKR-NFIST98pr8tiQaSba2AcdQAwQQ",
            "y": "i8zz-FfbhIe6R68cllVeh3fa2zGYmzNz3K2JQxQ-SJI" })
}

async fn two_key_sources(world: &World) -> Verdict {
    let jwks = json!({ "keys": [jwk()] });
    registered(world, &json!({ "jwks": jwks })).await?;
    refused(world, json!({ "jwks": jwks, "jwks_uri": "https://conformance.example/jwks" }), &METADATA).await
}

async fn private_key(world: &World) -> Verdict {
    let mut private = jwk();
    private["d"] = "og1b0QL38pVYeuKR-NFIST98pr8tiQaSba2AcdQAwQQ".into();
    refused(world, json!({ "jwks": { "keys": [private] } }), &METADATA).await
}

async fn no_redirect_uri(world: &World) -> Verdict {
    registered(world, &json!({})).await?;
    refused(world, json!({ "redirect_uris": [] }), &EITHER).await
}

pub(crate) async fn redirect_uris(world: &World) -> Verdict {
    registered(world, &json!({ "redirect_uris": ["http://127.0.0.1/callback"] })).await?;
    for uri in [
        "http://conformance.example/callback",
        "https://conformance.example/callback#fragment",
        "/callback",
        "javascript:alert(1)",
        "data:text/html,x",
    ] {
        refused(world, json!({ "redirect_uris": [uri] }), &EITHER).await?;
    }
    Ok(())
}

async fn inconsistent(world: &World) -> Verdict {
    let asked = json!({ "grant_types": ["client_credentials"], "response_types": ["code"] });
    let answer = register(world, &asked).await?;
    let corrected = answer.json["response_types"] == json!([])
        || answer.json["grant_types"]
            .as_array()
            .is_some_and(|all| all.contains(&"authorization_code".into()));
    if answer.status == 201 && corrected {
        return Ok(());
    }
    answer.refused(&METADATA, "they contradict each other")
}

async fn statement(world: &World) -> Verdict {
    registered(world, &json!({})).await?;
    let codes = ["invalid_software_statement", "unapproved_software_statement"];
    refused(world, json!({ "software_statement": "garbage" }), &codes).await?;
    // {"alg":"none"} and {"iss":"https://nobody.example"}.
    let unsigned = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL25vYm9keS5leGFtcGxlIn0.";
    refused(world, json!({ "software_statement": unsigned }), &codes).await
}

async fn created(world: &World) -> Verdict {
    let answer = registered(world, &json!({})).await?;
    let kind = answer.header("content-type");
    demand!(kind.starts_with("application/json"), "Content-Type: {kind}");
    demand!(answer.is_no_store(), "Cache-Control: {}", answer.header("cache-control"));
    Ok(())
}

async fn client_id(world: &World) -> Verdict {
    let wish = json!({ "client_id": "my-own-choice" });
    let (one, other) = (registered(world, &wish).await?, registered(world, &wish).await?);
    demand!(!one.text("client_id").is_empty() && one.text("client_id") != "my-own-choice", "{}", one.brief());
    demand!(one.text("client_id") != other.text("client_id"), "two clients have one id");
    Ok(())
}

async fn secret(world: &World) -> Verdict {
    let (one, other) = (registered(world, &json!({})).await?, registered(world, &json!({})).await?);
    demand!(!one.text("client_secret").is_empty(), "there is no secret: {}", one.brief());
    demand!(one.text("client_secret") != other.text("client_secret"), "two clients have one secret");
    demand!(
        one.json["client_secret_expires_at"].is_i64(),
        "client_secret_expires_at is missing or no number"
    );
    Ok(())
}

async fn echo(world: &World) -> Verdict {
    let asked = json!({
        "client_name": "Conformance", "client_name#de": "Konformität", "client_uri": "https://conformance.example/",
        "contacts": ["ops@conformance.example"], "software_id": "suite", "scope": "openid",
    });
    let told = registered(world, &asked).await?.json;
    for (member, value) in asked.as_object().into_iter().flatten() {
        demand!(told[member] == *value, "{member} is told as {}", told[member]);
    }
    demand!(told["redirect_uris"] == json!([BACK]), "redirect_uris are told as {}", told["redirect_uris"]);
    Ok(())
}

async fn errors(world: &World) -> Verdict {
    let answer = register(world, &json!({ "jwks": "none" })).await?;
    answer.is(&[400], "jwks that are none")?;
    answer.refused(&METADATA, "jwks that are none")?;
    demand!(answer.header("content-type").starts_with("application/json"), "it is no JSON");
    Ok(())
}

async fn public(world: &World) -> Verdict {
    let answer = registered(world, &json!({ "token_endpoint_auth_method": "none" })).await?;
    for member in ["client_secret", "client_secret_expires_at"] {
        demand!(answer.json.get(member).is_none(), "{member} is there");
    }
    Ok(())
}

async fn sector(world: &World) -> Verdict {
    let several = json!({
        "subject_type": "pairwise",
        "redirect_uris": ["https://conformance.example/callback", "https://elsewhere.example/callback"],
    });
    refused(world, several, &METADATA).await
}

async fn openid(world: &World) -> Verdict {
    registered(world, &json!({ "initiate_login_uri": "https://conformance.example/login" })).await?;
    refused(world, json!({ "initiate_login_uri": "http://conformance.example/login" }), &METADATA).await?;
    refused(world, json!({ "id_token_encrypted_response_enc": "A128GCM" }), &METADATA).await
}

async fn both(world: &World) -> Verdict {
    let answer = registered(world, &json!({})).await?;
    let has = |member: &str| answer.json.get(member).is_some();
    demand!(has("registration_client_uri") == has("registration_access_token"), "{}", answer.brief());
    Ok(())
}
