//! Client-Initiated Backchannel Authentication: clients whose users are elsewhere, by polling.

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::forms;
use crate::jose;
use crate::post::Post;
use crate::profile::{Authentication, Client};
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-CIBA-1" Must "CIBA Core §7.1" "The client asks by POST, and authenticates." => who_asks;
    "R-CIBA-2" Must "CIBA Core §7.1" "Without the scope openid it is no such request." => openid;
    "R-CIBA-3" Must "CIBA Core §7.1" "There is exactly one hint." => one_hint;
    "R-CIBA-4" Must "CIBA Core §7.3" "The answer has its members, of their JSON types, and is not to be kept." => members;
    "R-CIBA-5" Must "CIBA Core §7.3" "auth_req_id cannot be guessed, and is written in few characters." => unguessable;
    "R-CIBA-6" Must "CIBA Core §7.1" "A binding message that cannot be shown is refused as such." => binding_message;
    "R-CIBA-7" Must "CIBA Core §7.1" "requested_expiry is a positive number of seconds." => requested_expiry;
    "R-CIBA-8" Must "CIBA Core §7.1.1" "A signed request is signed; one that is not is refused." => signed_request;
    "R-CIBA-9" Must "CIBA Core §13" "A client without the grant type is unauthorized_client." => without_the_grant;
    "R-CIBA-10" Must "CIBA Core §13" "Hints that are not ours are refused." => foreign_hints;
    "R-CIBA-11" Must "CIBA Core §10.1.1" "Approved, the request is answered with an ID token and an access token for the client." => approved;
    "R-CIBA-12" Must "CIBA Core §11" "Undecided, it is authorization_pending." => pending;
    "R-CIBA-13" Must "CIBA Core §11" "Too soon is slow_down, and the interval grows for good." => slow_down;
    "R-CIBA-14" Must "CIBA Core §11" "Denied, it is access_denied." => denied;
    "R-CIBA-15" Must "CIBA Core §11" "Over, it is expired_token." => expired;
    "R-CIBA-16" Must "CIBA Core §11" "An auth_req_id is used once." => once;
    "R-CIBA-17" Must "CIBA Core §11" "It is of use to its client only, which authenticates." => own_client;
    "R-CIBA-18" Must "CIBA Core §4" "The metadata tells of the endpoint, its modes and its algorithms." => told;
    "R-CIBA-19" Must "RFC 9396 §3" "Scope, resource and details count as they do elsewhere." => targets;
}

const ENDPOINT: &str = "backchannel_authentication_endpoint";
const GRANT: &str = "urn:openid:params:grant-type:ciba";

fn client(world: &World) -> Result<&Client, Problem> {
    world.endpoint(ENDPOINT)?;
    world.client(&world.profile.clients.from_afar)
}

/// A good request, but for the hint.
fn without_hint(world: &World) -> Result<Post<'_>, Problem> {
    let scope = format!("openid {}", world.targets().scope);
    Ok(world
        .post(ENDPOINT, client(world)?)?
        .with("scope", &scope)
        .with("resource", &world.targets().resource))
}

fn request(world: &World) -> Result<Post<'_>, Problem> {
    Ok(without_hint(world)?.with("login_hint", &world.profile.user.username))
}

/// What the client is told. Whatever waited before is answered first: a user is not asked too much at once.
async fn asked(world: &World) -> Result<Answer, Problem> {
    decide(world, &world.profile.pages.ciba_deny).await?;
    let answer = request(world)?.send().await?;
    answer.is(&[200], "a good request")?;
    Ok(answer)
}

/// The client asks for its answer.
async fn poll(world: &World, asked: &Answer) -> Result<Answer, Problem> {
    world.token(client(world)?, GRANT)?.with("auth_req_id", asked.text("auth_req_id")).send().await
}

fn wait(asked: &Answer) -> u64 {
    asked.json["interval"].as_u64().unwrap_or(5)
}

/// The user answers everything that waits with this button.
async fn decide(world: &World, button: &str) -> Verdict {
    let pages = &world.profile.pages;
    let list = url::Url::parse(&world.issuer)?.join(&pages.approvals)?;
    let below = format!("{}/", pages.approvals);
    let mut browser = world.browser.lock().await;
    for _ in 0..50 {
        let page = browser.walk(list.as_str(), &world.profile, &[], &[]).await?;
        let Some(question) = forms::links(&page.text).into_iter().find(|link| link.starts_with(&below))
        else {
            return Ok(());
        };
        let answer = browser.walk(list.join(&question)?.as_str(), &world.profile, &[], &[button]).await?;
        demand!(answer.status < 400, "the answer: {}", answer.brief());
    }
    Err(Problem::Failed("there is no end to the questions".to_owned()))
}

async fn approve(world: &World) -> Verdict {
    decide(world, &world.profile.pages.ciba_approve).await
}

async fn who_asks(world: &World) -> Verdict {
    let client = client(world)?;
    asked(world).await?;
    world.get(world.endpoint(ENDPOINT)?).await?.is(&[405], "GET")?;
    let bare = world.post_unknown(ENDPOINT)?.with("client_id", &client.id).with("scope", "openid");
    let bare = bare.with("login_hint", &world.profile.user.username);
    bare.send().await?.refused(&["invalid_client"], "with its client_id alone")
}

async fn openid(world: &World) -> Verdict {
    let plain = request(world)?.with("scope", &world.targets().scope);
    plain.send().await?.refused(&["invalid_scope", "invalid_request"], "without openid")
}

async fn one_hint(world: &World) -> Verdict {
    without_hint(world)?.send().await?.refused(&["invalid_request"], "without a hint")?;
    let tokens = world.openid_tokens().await?;
    let two = request(world)?.with("id_token_hint", tokens.text("id_token"));
    two.send().await?.refused(&["invalid_request"], "with two hints")
}

async fn members(world: &World) -> Verdict {
    let answer = asked(world).await?;
    demand!(!answer.text("auth_req_id").is_empty(), "auth_req_id is {}", answer.json["auth_req_id"]);
    demand!(answer.json["expires_in"].as_u64().is_some_and(|s| s > 0), "{}", answer.brief());
    let interval = &answer.json["interval"];
    demand!(interval.is_null() || interval.as_u64().is_some_and(|s| s > 0), "interval is {interval}");
    demand!(answer.is_no_store(), "Cache-Control: {}", answer.header("cache-control"));
    Ok(())
}

async fn unguessable(world: &World) -> Verdict {
    let (one, other) = (asked(world).await?, asked(world).await?);
    let id = one.text("auth_req_id");
    demand!(id != other.text("auth_req_id"), "two requests have one auth_req_id");
    demand!(id.len() >= 22, "it has {} characters", id.len());
    demand!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "it is {id}");
    Ok(())
}

async fn binding_message(world: &World) -> Verdict {
    asked(world).await?;
    request(world)?.with("binding_message", "W4SCT").send().await?.is(&[200], "a good one")?;
    for wrong in ["a\u{7}b", &"much too long. ".repeat(100)] {
        let answer = request(world)?.with("binding_message", wrong).send().await?;
        answer.refused(&["invalid_binding_message"], "one that cannot be shown")?;
    }
    Ok(())
}

async fn requested_expiry(world: &World) -> Verdict {
    for wrong in ["soon", "0", "-5", "1.5"] {
        let answer = request(world)?.with("requested_expiry", wrong).send().await?;
        answer.refused(&["invalid_request"], wrong)?;
    }
    decide(world, &world.profile.pages.ciba_deny).await?;
    let answer = request(world)?.with("requested_expiry", "60").send().await?;
    answer.is(&[200], "a minute")?;
    demand!(
        answer.json["expires_in"].as_u64().is_some_and(|s| s <= 60),
        "it lives {}",
        answer.json["expires_in"]
    );
    Ok(())
}

async fn signed_request(world: &World) -> Verdict {
    let client = client(world)?;
    if world.listed("backchannel_authentication_request_signing_alg_values_supported").is_empty()
        || client.authentication != Authentication::PrivateKeyJwt
    {
        return skip("requests are not signed here");
    }
    let (key, now) = (client.key()?, world.now());
    let claims = serde_json::json!({
        "iss": client.id, "aud": world.issuer, "iat": now, "nbf": now, "exp": now + 300, "jti": jose::fresh(),
        "scope": "openid", "login_hint": world.profile.user.username,
    });
    let mut header = serde_json::json!({ "alg": key.alg });
    if let Some(kid) = key.kid() {
        header["kid"] = kid.into();
    }
    let good = key.sign(&header, &claims)?;
    let send = |jwt: String| async move { world.post(ENDPOINT, client)?.with("request", &jwt).send().await };
    decide(world, &world.profile.pages.ciba_deny).await?;
    for wrong in [
        jose::unsigned(&serde_json::json!({ "alg": "none" }), &claims),
        jose::tampered(&good),
        jose::Key::generate()?.sign(&serde_json::json!({ "alg": "ES256" }), &claims)?,
    ] {
        send(wrong).await?.refused(&["invalid_request"], "one that the client did not sign")?;
    }
    send(good).await?.is(&[200], "one that it did")
}

async fn without_the_grant(world: &World) -> Verdict {
    world.endpoint(ENDPOINT)?;
    let web = world.client(&world.profile.clients.web)?;
    let request = world.post(ENDPOINT, web)?.with("scope", "openid");
    let answer = request.with("login_hint", &world.profile.user.username).send().await?;
    answer.refused(&["unauthorized_client"], "without the grant type")
}

async fn foreign_hints(world: &World) -> Verdict {
    let tokens = world.openid_tokens().await?;
    let altered = jose::tampered(tokens.text("id_token"));
    for (name, hint) in
        [("id_token_hint", altered.as_str()), ("id_token_hint", "x"), ("login_hint_token", "x.y.z")]
    {
        let answer = without_hint(world)?.with(name, hint).send().await?;
        answer.refused(&["invalid_request", "unknown_user_id"], name)?;
    }
    Ok(())
}

async fn approved(world: &World) -> Verdict {
    let asked = asked(world).await?;
    approve(world).await?;
    let tokens = poll(world, &asked).await?.granted()?;
    let id_token = tokens.text("id_token");
    jose::verify(id_token, &world.jwks)?;
    let claims = jose::payload(id_token)?;
    demand!(claims["iss"] == world.issuer.as_str(), "iss is {}", claims["iss"]);
    let client = client(world)?;
    let aud = &claims["aud"];
    demand!(*aud == client.id.as_str() || *aud == serde_json::json!([client.id]), "aud is {aud}");
    demand!(world.is_active(tokens.token()).await?, "the access token is not active");
    Ok(())
}

async fn pending(world: &World) -> Verdict {
    poll(world, &asked(world).await?).await?.refused(&["authorization_pending"], "at once")
}

async fn slow_down(world: &World) -> Verdict {
    let asked = asked(world).await?;
    poll(world, &asked).await?.refused(&["authorization_pending"], "the first time")?;
    poll(world, &asked).await?.refused(&["slow_down"], "at once again")?;
    world.clock.pass(wait(&asked)).await;
    poll(world, &asked).await?.refused(&["slow_down"], "after the old interval")?;
    world.clock.pass(wait(&asked) + 11).await;
    poll(world, &asked).await?.refused(&["authorization_pending"], "after the new one")
}

async fn denied(world: &World) -> Verdict {
    let asked = asked(world).await?;
    decide(world, &world.profile.pages.ciba_deny).await?;
    poll(world, &asked).await?.refused(&["access_denied"], "after a no")
}

async fn expired(world: &World) -> Verdict {
    let asked = asked(world).await?;
    world.clock.pass(asked.json["expires_in"].as_u64().unwrap_or(600) + 1).await;
    poll(world, &asked).await?.refused(&["expired_token"], "when it is over")
}

async fn once(world: &World) -> Verdict {
    let asked = asked(world).await?;
    approve(world).await?;
    poll(world, &asked).await?.granted()?;
    world.clock.pass(wait(&asked) + 6).await;
    poll(world, &asked).await?.refused(&["invalid_grant"], "a second time")
}

async fn own_client(world: &World) -> Verdict {
    let (asked, client) = (asked(world).await?, client(world)?);
    approve(world).await?;
    let web = world.client(&world.profile.clients.web)?;
    let other = world.token(web, GRANT)?.with("auth_req_id", asked.text("auth_req_id"));
    other.send().await?.refused(&["invalid_grant", "unauthorized_client"], "another client")?;
    let bare = world.post_unknown("token_endpoint")?.with("grant_type", GRANT).with("client_id", &client.id);
    let bare = bare.with("auth_req_id", asked.text("auth_req_id"));
    bare.send().await?.refused(&["invalid_client"], "with its client_id alone")?;
    poll(world, &asked).await?.granted().map(|_| ())
}

async fn told(world: &World) -> Verdict {
    world.endpoint(ENDPOINT)?;
    let modes = world.listed("backchannel_token_delivery_modes_supported");
    demand!(
        !modes.is_empty() && modes.iter().all(|m| ["poll", "ping", "push"].contains(m)),
        "the modes are {modes:?}"
    );
    demand!(world.listed("grant_types_supported").contains(&GRANT), "the grant type is not listed");
    let algs = world.listed("backchannel_authentication_request_signing_alg_values_supported");
    demand!(!algs.iter().any(|alg| *alg == "none" || alg.starts_with("HS")), "the algorithms are {algs:?}");
    Ok(())
}

async fn targets(world: &World) -> Verdict {
    for (name, value, code) in [
        ("scope", "openid no-such-scope", "invalid_scope"),
        ("resource", "https://nowhere.example", "invalid_target"),
        ("authorization_details", "[{\"type\":\"no-such-type\"}]", "invalid_authorization_details"),
    ] {
        request(world)?.with(name, value).send().await?.refused(&[code], name)?;
    }
    Ok(())
}
