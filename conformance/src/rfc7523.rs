//! RFC 7523 and its revision: JWTs that authenticate clients.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::jose::{self, Key};
use crate::post::{self, ASSERTION_TYPE};
use crate::profile::{Authentication, Client};
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-7523-1" Must "RFC 7523 §2.2" "Another assertion type, and two JWTs in one, are refused." => one_jwt;
    "R-7523-3" Must "RFC 7521 §4.2" "A client_id beside the assertion must name the same client." => same_client;
    "R-7523-4" Must "RFC 7523 §3" "iss and sub are there, and both are the client." => iss_and_sub;
    "R-7523-6" Must "RFC 7523bis §4" "The audience is the issuer and nothing else: no endpoint, no list." => audience;
    "R-7523-7" Must "RFC 7523bis §5" "The same holds at introspection and revocation." => audience_elsewhere;
    "R-7523-9" Must "RFC 7523 §3" "exp is there, has not passed, and is not a day ahead." => expiry;
    "R-7523-10" Must "OIDC Core §9" "jti is there and used once." => once;
    "R-7523-11" Must "RFC 7523 §3" "A tampered, unsigned or foreign signature is refused." => signature;
    "R-7523-12" Must "RFC 7523 §3" "A public key is no HMAC secret." => no_hmac;
    "R-7523-13" Must "RFC 7515 §4.1.11" "A critical header parameter that is not understood is refused; an unknown claim is not." => critical;
    "R-7523-14" Should "RFC 7523bis §4" "typ may be absent or that of a client assertion, but of nothing else." => typ;
    "R-7523-17" Must "RFC 7523 §3.2" "Whatever is wrong with it is invalid_client, and the answer gives no token." => one_voice;
    "R-7523-21" Must "OAuth 2.1 §2.4" "An assertion beside a secret is refused." => one_method;
    "R-7523-22" Must "RFC 7523bis §3" "SAML assertions do not authenticate clients." => no_saml;
    "R-7523-23" Must "RFC 7523bis §4" "An assertion for the issuer of the metadata is accepted." => accepted;
}

fn service(world: &World) -> Result<(&Client, Key), Problem> {
    let client = world.client(&world.profile.clients.service)?;
    if client.authentication != Authentication::PrivateKeyJwt {
        return skip("the service does not use private_key_jwt");
    }
    Ok((client, client.key()?))
}

/// A token request with exactly this assertion.
async fn present(world: &World, client: &Client, assertion: &str) -> Result<Answer, Problem> {
    let request = world.own_token(client)?.with("client_assertion_type", ASSERTION_TYPE);
    request.with("client_assertion", assertion).send().await
}

fn good(world: &World, client: &Client) -> Value {
    post::assertion_claims(&client.id, &world.issuer, world.now())
}

async fn with_claims(world: &World, change: impl Fn(&mut Value)) -> Result<Answer, Problem> {
    let (client, key) = service(world)?;
    let mut claims = good(world, client);
    change(&mut claims);
    present(world, client, &post::assertion(&key, &claims)?).await
}

async fn one_jwt(world: &World) -> Verdict {
    let (client, key) = service(world)?;
    let jwt = post::assertion(&key, &good(world, client))?;
    present(world, client, &format!("{jwt} {jwt}")).await?.refused(&["invalid_client"], "two JWTs")?;
    let request = world.own_token(client)?.with("client_assertion", &jwt).with("client_assertion_type", "urn:x");
    request.send().await?.refused(&["invalid_client", "invalid_request"], "another type")
}

async fn same_client(world: &World) -> Verdict {
    let (client, _) = service(world)?;
    let other = world.own_token(client)?.with("client_id", "somebody-else").send().await?;
    other.refused(&["invalid_client", "invalid_request"], "another client_id")?;
    world.own_token(client)?.with("client_id", &client.id).send().await?.granted().map(|_| ())
}

async fn iss_and_sub(world: &World) -> Verdict {
    for member in ["iss", "sub"] {
        let gone = with_claims(world, |claims| {
            claims.as_object_mut().map(|claims| claims.remove(member));
        });
        gone.await?.refused(&["invalid_client"], &format!("without {member}"))?;
        let other = with_claims(world, |claims| claims[member] = "somebody-else".into());
        other.await?.refused(&["invalid_client"], &format!("another {member}"))?;
    }
    Ok(())
}

fn wrong_audiences(world: &World) -> Vec<Value> {
    let mut wrong = vec![json!(format!("{}/", world.issuer)), json!([world.issuer, "https://x.example"]), json!(null)];
    let endpoints = ["token_endpoint", "pushed_authorization_request_endpoint", "introspection_endpoint"];
    wrong.extend(endpoints.map(|name| world.told(name).clone()));
    wrong
}

async fn audience(world: &World) -> Verdict {
    for wrong in wrong_audiences(world) {
        let answer = with_claims(world, |claims| claims["aud"] = wrong.clone()).await?;
        answer.refused(&["invalid_client"], &format!("aud {wrong}"))?;
    }
    Ok(())
}

async fn audience_elsewhere(world: &World) -> Verdict {
    let (client, key) = service(world)?;
    for endpoint in ["introspection_endpoint", "revocation_endpoint"] {
        for wrong in wrong_audiences(world) {
            let mut claims = good(world, client);
            claims["aud"] = wrong.clone();
            let request = world.post(endpoint, client)?.with("token", "x").with("client_assertion_type", ASSERTION_TYPE);
            let answer = request.with("client_assertion", &post::assertion(&key, &claims)?).send().await?;
            answer.refused(&["invalid_client"], &format!("{endpoint}, aud {wrong}"))?;
        }
    }
    Ok(())
}

async fn expiry(world: &World) -> Verdict {
    let now = world.now();
    let gone = with_claims(world, |claims| {
        claims.as_object_mut().map(|claims| claims.remove("exp"));
    });
    gone.await?.refused(&["invalid_client"], "without exp")?;
    for wrong in [json!(now - 300), json!(now + 86_400), json!("soon")] {
        let answer = with_claims(world, |claims| claims["exp"] = wrong.clone()).await?;
        answer.refused(&["invalid_client"], &format!("exp {wrong}"))?;
    }
    for name in ["nbf", "iat"] {
        let future = with_claims(world, |claims| claims[name] = (now + 600).into()).await?;
        future.refused(&["invalid_client"], &format!("{name} in the future"))?;
    }
    Ok(())
}

async fn once(world: &World) -> Verdict {
    let (client, key) = service(world)?;
    let jwt = post::assertion(&key, &good(world, client))?;
    present(world, client, &jwt).await?.granted()?;
    present(world, client, &jwt).await?.refused(&["invalid_client"], "the same assertion again")?;
    let gone = with_claims(world, |claims| {
        claims.as_object_mut().map(|claims| claims.remove("jti"));
    });
    gone.await?.refused(&["invalid_client"], "without jti")
}

async fn signature(world: &World) -> Verdict {
    let (client, key) = service(world)?;
    let claims = good(world, client);
    let tampered = jose::tampered(&post::assertion(&key, &claims)?);
    present(world, client, &tampered).await?.refused(&["invalid_client"], "a tampered signature")?;
    let unsigned = jose::unsigned(&json!({ "alg": "none" }), &claims);
    present(world, client, &unsigned).await?.refused(&["invalid_client"], "alg none")?;
    let mut header = json!({ "alg": world.key.alg });
    if let Some(kid) = key.kid() {
        header["kid"] = kid.into();
    }
    let foreign = world.key.sign(&header, &claims)?;
    present(world, client, &foreign).await?.refused(&["invalid_client"], "a foreign key")?;
    let mut embedded = header.clone();
    embedded["jwk"] = world.key.public();
    let embedded = world.key.sign(&embedded, &claims)?;
    present(world, client, &embedded).await?.refused(&["invalid_client"], "a key in the header")
}

async fn no_hmac(world: &World) -> Verdict {
    let (client, key) = service(world)?;
    let mut header = json!({ "alg": "HS256" });
    if let Some(kid) = key.kid() {
        header["kid"] = kid.into();
    }
    let jwt = jose::hmac(&header, &good(world, client), key.public().to_string().as_bytes());
    present(world, client, &jwt).await?.refused(&["invalid_client"], "HS256 with the public key")
}

async fn critical(world: &World) -> Verdict {
    let (client, key) = service(world)?;
    let mut header = json!({ "alg": key.alg, "crit": ["x"], "x": 1 });
    if let Some(kid) = key.kid() {
        header["kid"] = kid.into();
    }
    let jwt = key.sign(&header, &good(world, client))?;
    present(world, client, &jwt).await?.refused(&["invalid_client"], "crit")?;
    with_claims(world, |claims| claims["zz"] = 1.into()).await?.granted().map(|_| ())
}

async fn typ(world: &World) -> Verdict {
    let (client, key) = service(world)?;
    for (typ, fine) in [
        (None, true),
        (Some("client-authentication+jwt"), true),
        (Some("dpop+jwt"), false),
        (Some("at+jwt"), false),
        (Some("oauth-authz-req+jwt"), false),
    ] {
        let mut header = json!({ "alg": key.alg });
        if let Some(kid) = key.kid() {
            header["kid"] = kid.into();
        }
        if let Some(typ) = typ {
            header["typ"] = typ.into();
        }
        let answer = present(world, client, &key.sign(&header, &good(world, client))?).await?;
        if fine {
            answer.granted()?;
        } else {
            answer.refused(&["invalid_client"], &format!("typ {typ:?}"))?;
        }
    }
    Ok(())
}

async fn one_voice(world: &World) -> Verdict {
    let (client, key) = service(world)?;
    let unknown = post::assertion(&key, &post::assertion_claims("no-such-client", &world.issuer, world.now()))?;
    let unknown = present(world, client, &unknown).await?;
    unknown.refused(&["invalid_client"], "an unknown client")?;
    let tampered = jose::tampered(&post::assertion(&key, &good(world, client))?);
    let tampered = present(world, client, &tampered).await?;
    demand!(tampered.text == unknown.text, "a wrong signature and an unknown client are answered differently");
    Ok(())
}

async fn one_method(world: &World) -> Verdict {
    let (client, _) = service(world)?;
    let header = world.own_token(client)?.header("authorization", &post::basic(&client.id, "secret"));
    header.send().await?.refused(&["invalid_request", "invalid_client"], "assertion and Basic")?;
    let body = world.own_token(client)?.with("client_id", &client.id).with("client_secret", "secret");
    body.send().await?.refused(&["invalid_request", "invalid_client"], "assertion and secret")
}

async fn no_saml(world: &World) -> Verdict {
    let (client, _) = service(world)?;
    let saml = ASSERTION_TYPE.replace("jwt-bearer", "saml2-bearer");
    let request = world.own_token(client)?.with("client_assertion_type", &saml).with("client_assertion", "PHNhbWw");
    request.send().await?.refused(&["invalid_client", "invalid_request"], "a SAML assertion")
}

async fn accepted(world: &World) -> Verdict {
    with_claims(world, |_| ()).await?.granted().map(|_| ())
}
