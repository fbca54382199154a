//! RFC 7662: token introspection.

use serde_json::json;

use crate::check::{Verdict, skip};
use crate::world::World;
use crate::{checks, demand, jose};

checks! {
    "R-7662-1" Must "RFC 7662 §2.1" "The request is a form, and JSON is not." => form_only;
    "R-7662-2" Must "RFC 7662 §2.1" "A missing token is invalid_request." => token_required;
    "R-7662-3" Must "RFC 7662 §2.1" "A wrong or unknown hint hides nothing." => hints;
    "R-7662-4" Must "RFC 7662 §2.1" "Nobody is told anything without authentication, nor for a client_id alone." => authenticated;
    "R-7662-5" Must "RFC 7662 §2.2" "Members have their JSON types." => member_types;
    "R-7662-6" Must "RFC 7662 §2.2" "token_type is that of RFC 6749, and a refresh token is nothing to a resource server." => token_types;
    "R-7662-7" Must "RFC 7662 §2.2" "sub, client_id and aud are those of the token." => same_claims;
    "R-7662-9" Must "RFC 7662 §2.2" "Garbage, a token for others and one that was revoked are answered alike, with 200." => inactive;
    "R-7662-10" Should "RFC 7662 §2.2" "An inactive answer says nothing else." => nothing_else;
    "R-7662-11" Must "RFC 7662 §2.3" "Wrong credentials are 401." => wrong_credentials;
    "R-7662-12" Must "RFC 7662 §4" "The answer is not to be kept." => no_store;
    "R-7662-13" Must "RFC 7662 §4" "An expired token is inactive." => expired;
    "R-7662-15" Must "RFC 7662 §4" "A revoked token is inactive." => revoked;
    "R-7662-16" Must "RFC 7662 §4" "A resource server learns nothing about a token for another." => other_audience;
    "R-7662-17" Must "RFC 7662 §4" "A tampered token is inactive." => tampered;
    "R-7662-18" Must "RFC 7662 §2.1" "GET is refused." => no_get;
}

async fn form_only(world: &World) -> Verdict {
    let url = world.endpoint("introspection_endpoint")?;
    let sent = world.http.post(url).json(&json!({ "token": "x" })).send().await?;
    let answer = crate::answer::Answer::read(sent).await?;
    answer.is(&[400, 401, 415], "a JSON body")
}

async fn token_required(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let answer = world.post("introspection_endpoint", service)?.send().await?;
    answer.refused(&["invalid_request"], "without token")
}

async fn hints(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let tokens = world.users_tokens().await?;
    for hint in ["refresh_token", "access_token", "zzz"] {
        let request = world.post("introspection_endpoint", service)?.with("token", tokens.token());
        let answer = request.with("token_type_hint", hint).send().await?;
        demand!(answer.json["active"] == true, "with the hint {hint}: {}", answer.brief());
    }
    Ok(())
}

async fn authenticated(world: &World) -> Verdict {
    let tokens = world.users_tokens().await?;
    let nobody = world.post_unknown("introspection_endpoint")?.with("token", tokens.token());
    let mut requests = vec![nobody.clone()];
    for client in [&world.profile.clients.public, &world.profile.clients.service].into_iter().flatten() {
        requests.push(nobody.clone().with("client_id", &client.id));
    }
    for request in requests {
        let answer = request.send().await?;
        answer.is(&[401], "without credentials")?;
        demand!(answer.json.get("active").is_none(), "it is told: {}", answer.brief());
    }
    Ok(())
}

async fn member_types(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let answer = world.introspect(service, world.users_tokens().await?.token()).await?;
    demand!(answer.json["active"].is_boolean(), "active is {}", answer.json["active"]);
    for name in ["exp", "iat", "nbf"] {
        demand!(answer.json.get(name).is_none_or(serde_json::Value::is_u64), "{name} is no integer");
    }
    for name in ["scope", "client_id", "sub", "iss", "jti", "token_type", "username"] {
        demand!(answer.json.get(name).is_none_or(serde_json::Value::is_string), "{name} is no text");
    }
    let aud = &answer.json["aud"];
    demand!(aud.is_null() || aud.is_string() || aud.is_array(), "aud is {aud}");
    Ok(())
}

async fn token_types(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let kind = world.introspect(service, world.users_tokens().await?.token()).await?;
    let kind = kind.text("token_type").to_ascii_lowercase();
    demand!(matches!(kind.as_str(), "bearer" | "dpop" | ""), "token_type is {kind}");
    let web = world.client(&world.profile.clients.web)?;
    let scope = format!("{} offline_access", world.targets().scope);
    let tokens = world.authorize(web).with("scope", &scope).with("prompt", "consent").tokens().await?;
    if tokens.text("refresh_token").is_empty() {
        return skip("there is no refresh token");
    }
    let answer = world.introspect(service, tokens.text("refresh_token")).await?;
    demand!(answer.json["active"] == false, "a refresh token is shown: {}", answer.brief());
    Ok(())
}

async fn same_claims(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let tokens = world.users_tokens().await?;
    if !jose::is_jwt(tokens.token()) {
        return skip("the token is no JWT");
    }
    let (claims, answer) = (jose::payload(tokens.token())?, world.introspect(service, tokens.token()).await?);
    for name in ["sub", "client_id", "aud", "iss", "exp"] {
        let told = answer.json.get(name);
        demand!(told.is_none_or(|told| *told == claims[name]), "{name}: {told:?} is not {}", claims[name]);
    }
    Ok(())
}

async fn inactive(world: &World) -> Verdict {
    let other = world.client(&world.profile.clients.other_service)?;
    let garbage = world.introspect(other, "garbage").await?;
    let foreign = world.introspect(other, world.users_tokens().await?.token()).await?;
    demand!(garbage.json["active"] == false, "garbage: {}", garbage.brief());
    demand!(garbage.text == foreign.text, "{} is not {}", foreign.brief(), garbage.brief());
    Ok(())
}

async fn nothing_else(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let answer = world.introspect(service, "garbage").await?;
    demand!(answer.json == json!({ "active": false }), "{}", answer.brief());
    Ok(())
}

async fn wrong_credentials(world: &World) -> Verdict {
    let basic = world.client(&world.profile.clients.secret_basic)?;
    let request = world.post_unknown("introspection_endpoint")?.with("token", "x");
    let answer = request.header("authorization", &crate::post::basic(&basic.id, "wrong")).send().await?;
    answer.is(&[401], "a wrong secret")?;
    demand!(answer.error() == "invalid_client", "error is {}", answer.error());
    Ok(())
}

async fn no_store(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    demand!(world.introspect(service, "garbage").await?.is_no_store(), "the answer may be kept");
    Ok(())
}

async fn expired(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let token = world.own_token(service)?.send().await?.granted()?;
    let life = token.json["expires_in"].as_u64().unwrap_or(u64::MAX);
    if life > 600 {
        return skip(format!("it lives {life} s, too long to wait for"));
    }
    demand!(world.is_active(token.token()).await?, "a fresh token is not active");
    world.clock.pass(life + 1).await;
    demand!(!world.is_active(token.token()).await?, "it is active after its end");
    Ok(())
}

async fn revoked(world: &World) -> Verdict {
    let web = world.client(&world.profile.clients.web)?;
    let tokens = world.authorize(web).tokens().await?;
    demand!(world.is_active(tokens.token()).await?, "a fresh token is not active");
    world.post("revocation_endpoint", web)?.with("token", tokens.token()).send().await?.is(&[200], "revocation")?;
    demand!(!world.is_active(tokens.token()).await?, "it is active after its revocation");
    Ok(())
}

async fn other_audience(world: &World) -> Verdict {
    let other = world.client(&world.profile.clients.other_service)?;
    let answer = world.introspect(other, world.users_tokens().await?.token()).await?;
    demand!(answer.json["active"] == false, "{}", answer.brief());
    Ok(())
}

async fn tampered(world: &World) -> Verdict {
    let tokens = world.users_tokens().await?;
    demand!(!world.is_active(&jose::tampered(tokens.token())).await?, "a tampered token is active");
    let claims = jose::payload(tokens.token()).unwrap_or_default();
    let forged = jose::unsigned(&json!({ "alg": "none", "typ": "at+jwt" }), &claims);
    demand!(!world.is_active(&forged).await?, "an unsigned token is active");
    Ok(())
}

async fn no_get(world: &World) -> Verdict {
    let url = world.endpoint("introspection_endpoint")?;
    world.get(&format!("{url}?token=x")).await?.is(&[400, 401, 405], "GET")
}
