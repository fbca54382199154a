//! OpenID Connect Discovery 1.0.

use serde_json::Value;
use url::Url;

use crate::answer::Answer;
use crate::check::{Problem, Verdict};
use crate::world::{World, well_known};
use crate::{checks, demand, jose};

checks! {
    "R-DISC-1" Must "OIDC Discovery §4" "The document is found by appending to the issuer; it is JSON, and read by GET." => place;
    "R-DISC-2" Must "OIDC Discovery §4.1" "A slash at the end of the issuer goes before the path is appended." => trailing_slash;
    "R-DISC-3" Must "OIDC Discovery §4.3" "The issuer is what was asked, and what ID tokens say; it has no query and no fragment." => issuer;
    "R-DISC-4" Must "OIDC Discovery §3" "What must be there is there." => required;
    "R-DISC-5" Must "OIDC Discovery §3" "RS256 is listed for ID tokens, and none is not." => algorithms;
    "R-DISC-6" Should "OIDC Discovery §3" "userinfo, scopes and claims are told of, openid among the scopes." => recommended;
    "R-DISC-7" Must "OIDC Discovery §3" "Endpoints are https, but on this very machine, and published keys are public." => https;
    "R-DISC-8" Must "OIDC Discovery §4.2" "No member is empty." => nothing_empty;
    "R-DISC-9" Must "OIDC Discovery §3" "none is no algorithm for client assertions." => no_none;
    "R-DISC-10" Must "OIDC Discovery §3" "What a default would widen is said." => defaults;
    "R-DISC-11" Should "OIDC Discovery §3" "Scripts of other origins may read it, and the keys." => cors;
    "R-DISC-12" Must "OIDC Discovery §2" "WebFinger, where it is answered, names the issuer." => webfinger;
}

/// The document where OpenID Connect wants it.
async fn document(world: &World) -> Result<Answer, Problem> {
    let [_, openid] = well_known(&world.issuer);
    let answer = world.get(&openid).await?;
    answer.is(&[200], &openid)?;
    Ok(answer)
}

/// Whether a URL is https, or plain http to this very machine.
pub(crate) fn is_safe(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let here = url.host_str().is_some_and(|host| ["127.0.0.1", "[::1]", "localhost"].contains(&host));
    url.scheme() == "https" || (url.scheme() == "http" && here)
}

async fn place(world: &World) -> Verdict {
    let answer = document(world).await?;
    let kind = answer.header("content-type");
    demand!(kind.starts_with("application/json") && answer.json.is_object(), "Content-Type: {kind}");
    let [_, openid] = well_known(&world.issuer);
    Answer::read(world.http.post(&openid).send().await?).await?.is(&[405], "POST")
}

async fn trailing_slash(world: &World) -> Verdict {
    let place = format!("{}/.well-known/openid-configuration", world.issuer.trim_end_matches('/'));
    let answer = world.get(&place).await?;
    answer.is(&[200], &place)?;
    demand!(answer.text("issuer") == world.issuer, "issuer is {}", answer.text("issuer"));
    Ok(())
}

async fn issuer(world: &World) -> Verdict {
    let told = document(world).await?;
    demand!(told.text("issuer") == world.issuer, "issuer is {}", told.text("issuer"));
    let url = Url::parse(told.text("issuer"))?;
    demand!(url.query().is_none() && url.fragment().is_none() && is_safe(url.as_str()), "issuer is {url}");
    let tokens = world.openid_tokens().await?;
    let said = jose::payload(tokens.text("id_token"))?;
    demand!(said["iss"] == world.issuer.as_str(), "an ID token says {}", said["iss"]);
    Ok(())
}

async fn required(world: &World) -> Verdict {
    let told = document(world).await?.json;
    for name in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
        demand!(told[name].as_str().is_some_and(|text| !text.is_empty()), "{name} is {}", told[name]);
    }
    for name in
        ["response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"]
    {
        let texts = told[name].as_array().filter(|list| !list.is_empty());
        demand!(texts.is_some_and(|list| list.iter().all(Value::is_string)), "{name} is {}", told[name]);
    }
    Ok(())
}

async fn algorithms(world: &World) -> Verdict {
    let told = document(world).await?.json["id_token_signing_alg_values_supported"].clone();
    let has = |alg: &str| told.as_array().is_some_and(|list| list.iter().any(|known| known == alg));
    demand!(has("RS256") && !has("none"), "the algorithms are {told}");
    Ok(())
}

async fn recommended(world: &World) -> Verdict {
    let told = document(world).await?.json;
    for name in ["userinfo_endpoint", "scopes_supported", "claims_supported"] {
        demand!(!told[name].is_null(), "{name} is missing");
    }
    let scopes = told["scopes_supported"].as_array();
    demand!(
        scopes.is_some_and(|list| list.contains(&"openid".into())),
        "scopes: {}",
        told["scopes_supported"]
    );
    Ok(())
}

async fn https(world: &World) -> Verdict {
    let told = document(world).await?.json;
    for (name, value) in told.as_object().into_iter().flatten() {
        if name.ends_with("_endpoint")
            || ["jwks_uri", "issuer", "check_session_iframe"].contains(&name.as_str())
        {
            demand!(value.as_str().is_some_and(is_safe), "{name} is {value}");
        }
    }
    let keys = world.jwks["keys"].as_array().cloned().unwrap_or_default();
    demand!(!keys.is_empty(), "there are no keys");
    for key in keys {
        let private =
            ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().find(|name| key.get(**name).is_some());
        demand!(private.is_none() && key["kty"] != "oct", "{private:?} of {} is published", key["kid"]);
    }
    Ok(())
}

async fn nothing_empty(world: &World) -> Verdict {
    for (name, value) in document(world).await?.json.as_object().into_iter().flatten() {
        let empty = value.is_null() || *value == "" || value.as_array().is_some_and(Vec::is_empty);
        demand!(!empty, "{name} is {value}");
    }
    Ok(())
}

async fn no_none(world: &World) -> Verdict {
    for endpoint in ["token", "revocation", "introspection"] {
        let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        let algs = world.listed(&name);
        demand!(!algs.contains(&"none"), "{name}: {algs:?}");
    }
    let service = world.client(&world.profile.clients.service)?;
    let claims = crate::post::assertion_claims(&service.id, &world.issuer, world.now());
    let unsigned = jose::unsigned(&serde_json::json!({ "alg": "none" }), &claims);
    let request = world.own_token(service)?.with("client_assertion_type", crate::post::ASSERTION_TYPE);
    request.with("client_assertion", &unsigned).send().await?.refused(&["invalid_client"], "alg none")
}

async fn defaults(world: &World) -> Verdict {
    let told = document(world).await?.json;
    for name in
        ["request_uri_parameter_supported", "request_parameter_supported", "claims_parameter_supported"]
    {
        demand!(told[name].is_boolean(), "{name} is {}", told[name]);
    }
    for name in ["grant_types_supported", "response_modes_supported"] {
        demand!(told[name].is_array(), "{name} is {}", told[name]);
    }
    if told["request_uri_parameter_supported"] == true {
        let name = "require_request_uri_registration";
        demand!(told[name].is_boolean(), "{name} is {}", told[name]);
    }
    Ok(())
}

async fn cors(world: &World) -> Verdict {
    let [_, openid] = well_known(&world.issuer);
    for url in [openid.as_str(), world.endpoint("jwks_uri")?] {
        let answer = world.call(url, &[("Origin", "https://app.example")]).await?;
        demand!(!answer.header("access-control-allow-origin").is_empty(), "{url} is closed to scripts");
    }
    Ok(())
}

async fn webfinger(world: &World) -> Verdict {
    let mut url = Url::parse(&world.issuer)?.join("/.well-known/webfinger")?;
    url.query_pairs_mut()
        .append_pair("resource", &format!("acct:{}@conformance.example", world.profile.user.username))
        .append_pair("rel", "http://openid.net/specs/connect/1.0/issuer");
    let answer = world.get(url.as_str()).await?;
    if answer.status == 404 {
        return Ok(());
    }
    answer.is(&[200], "WebFinger")?;
    let links = answer.json["links"].as_array().cloned().unwrap_or_default();
    demand!(links.iter().any(|link| link["href"] == world.issuer.as_str()), "{}", answer.brief());
    Ok(())
}
