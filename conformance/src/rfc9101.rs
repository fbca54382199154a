//! RFC 9101: signed authorization requests.

use serde_json::{Map, Value, json};

use crate::browser::Landing;
use crate::check::{Problem, Verdict, skip};
use crate::flow::Authorization;
use crate::jose::{self, Key};
use crate::profile::{Authentication, Client};
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-9101-1" Must "RFC 9101 §4" "Texts are texts in an object, and numbers numbers." => types;
    "R-9101-2" Must "RFC 9101 §4" "Every parameter that counts stands in it." => whole;
    "R-9101-3" Must "RFC 9101 §4" "An object holds no request and no request_uri." => nested;
    "R-9101-4" Must "RFC 9101 §5" "request and request_uri are not sent together." => both;
    "R-9101-5" Must "RFC 9101 §5" "It is signed." => unsigned;
    "R-9101-7" Must "RFC 9101 §6.2" "A key of the client signed it." => signature;
    "R-9101-8" Must "RFC 9101 §6.3" "client_id is outside too, and the same." => same_client;
    "R-9101-9" Must "RFC 9101 §6.3" "What stands outside alone does not count." => outside;
    "R-9101-10" Should "RFC 9101 §4" "iss is the client, and aud is the server." => parties;
    "R-9101-11" Must "RFC 7519 §4.1.4" "exp and nbf hold where they stand." => times;
    "R-9101-12" Must "RFC 9101 §10.8" "Its typ is that of a request, or absent." => typ;
    "R-9101-13" Must "RFC 9101 §6.3" "An object that is not proven leads nowhere." => unproven;
    "R-9101-15" Should "RFC 9101 §10.4" "A request_uri that is not expected is not fetched." => foreign;
    "R-9101-17" Must "RFC 9101 §10.8" "A client assertion is no request, and a request no assertion." => credentials;
    "R-9101-20" Must "RFC 9101 §10.5" "The metadata tells what is supported." => told;
}

/// A client that signs, and its key.
pub(crate) fn signer(world: &World) -> Result<(&Client, Key), Problem> {
    if *world.told("request_parameter_supported") != true {
        return skip("request is not supported");
    }
    let client = world.client(&world.profile.clients.agent)?;
    if client.authentication != Authentication::PrivateKeyJwt || client.redirect_uri().is_empty() {
        return skip("the agent has no key, or no code flow");
    }
    Ok((client, client.key()?))
}

/// The claims of an object that asks what `asked` asks.
pub(crate) fn claims(world: &World, asked: &Authorization<'_>) -> Map<String, Value> {
    let mut claims: Map<String, Value> =
        asked.params.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let now = world.now();
    for (name, value) in [
        ("iss", json!(asked.client.id)),
        ("aud", json!(world.issuer)),
        ("iat", json!(now)),
        ("nbf", json!(now)),
        ("exp", json!(now + 300)),
        ("jti", json!(jose::fresh())),
    ] {
        claims.insert(name.to_owned(), value);
    }
    claims
}

pub(crate) fn sign(key: &Key, typ: Option<&str>, claims: &Map<String, Value>) -> Result<String, Problem> {
    let mut header = json!({ "alg": key.alg });
    if let Some(kid) = key.kid() {
        header["kid"] = kid.into();
    }
    if let Some(typ) = typ {
        header["typ"] = typ.into();
    }
    Ok(key.sign(&header, &Value::Object(claims.clone()))?)
}

/// A request that holds an object, with nothing beside it but who it is from.
pub(crate) fn with_object<'w>(asked: &Authorization<'w>, object: &str) -> Authorization<'w> {
    let mut bare = asked.clone();
    bare.params.retain(|(name, _)| name == "client_id");
    bare.and("request", object)
}

/// The object of a good request, changed.
fn changed<'w>(
    world: &'w World,
    change: impl FnOnce(&mut Map<String, Value>),
) -> Result<Authorization<'w>, Problem> {
    let (client, key) = signer(world)?;
    let asked = world.authorize(client);
    let mut claims = claims(world, &asked);
    change(&mut claims);
    Ok(with_object(&asked, &sign(&key, Some("oauth-authz-req+jwt"), &claims)?))
}

/// Refused, by a page or at the address that the object holds.
async fn refused(asked: &Authorization<'_>, what: &str) -> Result<(), Problem> {
    let answer = asked.open().await?;
    let location = answer.header("location").to_owned();
    let no_page = answer.status >= 400 && location.is_empty();
    let told = location.starts_with(asked.client.redirect_uri()) && location.contains("error=");
    demand!(no_page || told, "{what}: {} {location}", answer.brief());
    Ok(())
}

/// Taken: the user is asked to sign in.
async fn taken(asked: &Authorization<'_>, what: &str) -> Result<(), Problem> {
    let answer = asked.open().await?;
    let location = answer.header("location");
    demand!(answer.status < 400 && !location.contains("error="), "{what}: {} {location}", answer.brief());
    Ok(())
}

async fn types(world: &World) -> Verdict {
    let number = changed(world, |claims| {
        claims.insert("max_age".into(), json!(1000));
    })?;
    taken(&number, "max_age as a number").await?;
    let wrong = changed(world, |claims| {
        claims.insert("state".into(), json!(5));
    })?;
    refused(&wrong, "state as a number").await
}

async fn whole(world: &World) -> Verdict {
    let without = changed(world, |claims| {
        claims.remove("response_type");
    })?;
    refused(&without.and("response_type", "code"), "response_type outside alone").await
}

async fn nested(world: &World) -> Verdict {
    for name in ["request", "request_uri"] {
        let nested = changed(world, |claims| {
            claims.insert(name.into(), json!("https://rp.example/r"));
        })?;
        refused(&nested, name).await?;
    }
    Ok(())
}

async fn both(world: &World) -> Verdict {
    let asked = changed(world, |_| {})?;
    refused(&asked.and("request_uri", "https://rp.example/r"), "both at once").await
}

async fn unsigned(world: &World) -> Verdict {
    let (client, key) = signer(world)?;
    let asked = world.authorize(client);
    let claims = Value::Object(claims(world, &asked));
    for object in [
        jose::unsigned(&json!({ "alg": "none" }), &claims),
        jose::hmac(&json!({ "alg": "HS256" }), &claims, key.public().to_string().as_bytes()),
    ] {
        refused(&with_object(&asked, &object), "not signed").await?;
    }
    Ok(())
}

async fn signature(world: &World) -> Verdict {
    let (client, key) = signer(world)?;
    let asked = world.authorize(client);
    let claims = claims(world, &asked);
    let good = sign(&key, Some("oauth-authz-req+jwt"), &claims)?;
    taken(&with_object(&asked, &good), "a good object").await?;
    with_object(&asked, &jose::tampered(&good)).stays().await?;
    let foreign = sign(&Key::generate()?, None, &claims)?;
    with_object(&asked, &foreign).stays().await.map(|_| ())
}

async fn same_client(world: &World) -> Verdict {
    changed(world, |_| {})?.without("client_id").stays().await?;
    let other = changed(world, |claims| {
        claims.insert("client_id".into(), json!("somebody-else"));
    })?;
    other.stays().await.map(|_| ())
}

async fn outside(world: &World) -> Verdict {
    let refused_inside = changed(world, |claims| {
        claims.insert("scope".into(), json!("no-such-scope"));
        claims.remove("state");
    })?;
    let outside = refused_inside.and("scope", &world.targets().scope).and("state", "outside");
    let answer = outside.open().await?;
    let landing = Landing::read(answer.header("location"), Vec::new())?;
    demand!(landing.param("error") == "invalid_scope", "{}", landing.url);
    demand!(landing.param("state").is_empty(), "state came from outside: {}", landing.url);
    Ok(())
}

async fn parties(world: &World) -> Verdict {
    for (name, value) in [("aud", json!("https://other.example")), ("iss", json!("somebody-else"))] {
        let wrong = changed(world, |claims| {
            claims.insert(name.into(), value);
        })?;
        refused(&wrong, name).await?;
    }
    let several = changed(world, |claims| {
        claims.insert("aud".into(), json!(["https://other.example", world.issuer]));
    })?;
    taken(&several, "several audiences").await
}

async fn times(world: &World) -> Verdict {
    let now = world.now();
    for (name, value) in [("exp", now - 300), ("nbf", now + 300)] {
        let wrong = changed(world, |claims| {
            claims.insert(name.into(), value.into());
        })?;
        refused(&wrong, name).await?;
    }
    let ahead = changed(world, |claims| {
        claims.insert("nbf".into(), (now + 8).into());
    })?;
    taken(&ahead, "nbf 8 seconds ahead").await
}

async fn typ(world: &World) -> Verdict {
    let (client, key) = signer(world)?;
    let asked = world.authorize(client);
    let claims = claims(world, &asked);
    for right in [Some("oauth-authz-req+jwt"), Some("JWT"), None] {
        taken(&with_object(&asked, &sign(&key, right, &claims)?), &format!("{right:?}")).await?;
    }
    for wrong in ["dpop+jwt", "at+jwt"] {
        refused(&with_object(&asked, &sign(&key, Some(wrong), &claims)?), wrong).await?;
    }
    Ok(())
}

async fn unproven(world: &World) -> Verdict {
    let (client, _) = signer(world)?;
    let asked = world.authorize(client);
    let mut claims = claims(world, &asked);
    claims.insert("redirect_uri".into(), json!("https://evil.example/cb"));
    let forged = sign(&Key::generate()?, None, &claims)?;
    with_object(&asked, &forged).stays().await?;
    let elsewhere = changed(world, |claims| {
        claims.insert("redirect_uri".into(), json!("https://evil.example/cb"));
    })?;
    elsewhere.stays().await.map(|_| ())
}

async fn foreign(world: &World) -> Verdict {
    let (client, _) = signer(world)?;
    let mut asked = world.authorize(client);
    asked.params.retain(|(name, _)| name == "client_id");
    for place in ["https://evil.example/request", "http://127.0.0.1:1/request", "file:///etc/passwd"] {
        refused(&asked.clone().and("request_uri", place), place).await?;
    }
    Ok(())
}

async fn credentials(world: &World) -> Verdict {
    let (client, key) = signer(world)?;
    let asked = world.authorize(client);
    let assertion = crate::post::assertion_claims(&client.id, &world.issuer, world.now());
    let assertion = crate::post::assertion(&key, &assertion)?;
    refused(&with_object(&asked, &assertion), "a client assertion").await?;
    let object = sign(&key, None, &claims(world, &asked))?;
    let request = world.own_token(client)?.with("client_assertion_type", crate::post::ASSERTION_TYPE);
    request.with("client_assertion", &object).send().await?.refused(&["invalid_client"], "a request object")
}

async fn told(world: &World) -> Verdict {
    for name in ["request_parameter_supported", "request_uri_parameter_supported"] {
        demand!(world.told(name).is_boolean(), "{name} is {}", world.told(name));
    }
    if *world.told("request_parameter_supported") == true {
        let algs = world.listed("request_object_signing_alg_values_supported");
        demand!(!algs.is_empty() && !algs.contains(&"none"), "the algorithms are {algs:?}");
    }
    Ok(())
}
