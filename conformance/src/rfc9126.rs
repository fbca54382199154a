//! RFC 9126: pushed authorization requests.

use serde_json::json;

use crate::browser::{Browser, asks_to_sign_in};
use crate::check::{Problem, Verdict, skip};
use crate::flow::Authorization;
use crate::jose;
use crate::post;
use crate::profile::Authentication;
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-9126-1" Must "RFC 9126 §2.3" "The endpoint takes POST; GET is answered with 405." => post_only;
    "R-9126-2" Must "RFC 9126 §2" "The client authenticates as at the token endpoint." => authenticated;
    "R-9126-3" Must "RFC 7523bis §5" "An assertion for the PAR or token endpoint is refused; its audience is the issuer." => audience;
    "R-9126-4" Must "RFC 9126 §2.1" "A pushed request_uri is refused." => no_request_uri;
    "R-9126-5" Must "RFC 9126 §2.1" "Another client's client_id is refused." => other_client_id;
    "R-9126-6" Must "RFC 9126 §2.1" "What would be refused at the authorization endpoint is refused here." => validated;
    "R-9126-7" Must "RFC 9126 §2.4" "A public client cannot push an unregistered redirect URI." => public_redirect_uri;
    "R-9126-8" Must "RFC 9126 §2.1" "A grant_type has no meaning here." => no_meaning;
    "R-9126-9" Must "RFC 9126 §2.2" "Success is 201 with request_uri and expires_in, not to be kept." => created;
    "R-9126-10" Must "RFC 9126 §7.1" "The request_uri cannot be guessed and is never the same." => unguessable;
    "R-9126-11" Must "RFC 9126 §2.2" "It lives between 5 and 600 seconds." => short_life;
    "R-9126-12" Must "RFC 9126 §4" "An expired request_uri leads to no sign-in page." => expired;
    "R-9126-13" Must "RFC 9126 §2.2" "Another client cannot use it." => bound_to_client;
    "R-9126-14" Must "RFC 9126 §2.3" "prompt=none is pushed without asking for interaction." => no_interaction_codes;
    "R-9126-15" Should "RFC 9126 §7.3" "It is used once, though its page may be loaded twice." => used_once;
    "R-9126-16" Must "RFC 9126 §4" "client_id and request_uri are all that the authorization endpoint needs." => both_suffice;
    "R-9126-17" Must "RFC 9126 §4" "Parameters beside request_uri override nothing." => no_override;
    "R-9126-19" Must "RFC 9126 §6" "A client that must push is refused where it did not." => must_push;
    "R-9126-22" Must "RFC 9126 §2.3" "A request of 10 MB is refused." => too_large;
    "R-9126-24" Must "RFC 9449 §10.1" "A push binds the code to a key by dpop_jkt or a proof, which agree." => key;
    "R-9126-25" Must "RFC 9126 §2.1" "Extensions work through it: resource, nonce and authorization_details reach the tokens." => extensions;
}

fn asked(world: &World) -> Result<Authorization<'_>, Problem> {
    Ok(world.authorize(world.client(&world.profile.clients.web)?))
}

async fn post_only(world: &World) -> Verdict {
    asked(world)?.push()?.send().await?.is(&[201], "POST")?;
    world.get(world.endpoint("pushed_authorization_request_endpoint")?).await?.is(&[405], "GET")
}

async fn authenticated(world: &World) -> Verdict {
    let asked = asked(world)?;
    let mut anonymous = world.post_unknown("pushed_authorization_request_endpoint")?;
    for (name, value) in &asked.params {
        anonymous = anonymous.and(name, value);
    }
    anonymous.send().await?.refused(&["invalid_client"], "a confidential client with its client_id alone")
}

async fn audience(world: &World) -> Verdict {
    let asked = asked(world)?;
    if asked.client.authentication != Authentication::PrivateKeyJwt {
        return skip("the web client does not use private_key_jwt");
    }
    let key = asked.client.key()?;
    for member in ["pushed_authorization_request_endpoint", "token_endpoint"] {
        let claims = post::assertion_claims(&asked.client.id, world.endpoint(member)?, world.now());
        let request = asked.push()?.with("client_assertion_type", post::ASSERTION_TYPE);
        let answer = request.with("client_assertion", &post::assertion(&key, &claims)?).send().await?;
        answer.refused(&["invalid_client"], member)?;
    }
    Ok(())
}

async fn no_request_uri(world: &World) -> Verdict {
    let request = asked(world)?.push()?.with("request_uri", "urn:ietf:params:oauth:request_uri:x");
    request.send().await?.refused(&["invalid_request"], "request_uri")
}

async fn other_client_id(world: &World) -> Verdict {
    let other = world.client(&world.profile.clients.other_web)?;
    let answer = asked(world)?.push()?.with("client_id", &other.id).send().await?;
    answer.refused(&["invalid_request", "invalid_client"], "another client_id")
}

async fn validated(world: &World) -> Verdict {
    for (name, value, codes) in [
        ("redirect_uri", "https://evil.example/cb", &["invalid_request"] as &[&str]),
        ("scope", "no-such-scope", &["invalid_scope"]),
        ("response_type", "token", &["unsupported_response_type", "unauthorized_client"]),
        ("code_challenge_method", "plain", &["invalid_request"]),
        ("resource", "https://nowhere.example", &["invalid_target"]),
        ("authorization_details", "[{\"type\":\"no-such-type\"}]", &["invalid_authorization_details"]),
    ] {
        asked(world)?.with(name, value).push()?.send().await?.refused(codes, name)?;
    }
    Ok(())
}

async fn public_redirect_uri(world: &World) -> Verdict {
    let public = world.client(&world.profile.clients.public)?;
    let asked = world.authorize(public).with("redirect_uri", "https://evil.example/cb");
    asked
        .push()?
        .with("client_id", &public.id)
        .send()
        .await?
        .refused(&["invalid_request"], "an unregistered one")
}

async fn no_meaning(world: &World) -> Verdict {
    asked(world)?.push()?.with("grant_type", "x").send().await?.is(&[201], "with grant_type")
}

async fn created(world: &World) -> Verdict {
    let answer = asked(world)?.push()?.send().await?;
    answer.is(&[201], "a good request")?;
    demand!(!answer.text("request_uri").is_empty(), "request_uri is missing");
    demand!(
        answer.json["expires_in"].as_u64().is_some_and(|s| s > 0),
        "expires_in is {}",
        answer.json["expires_in"]
    );
    demand!(answer.is_no_store(), "the answer may be kept");
    Ok(())
}

async fn unguessable(world: &World) -> Verdict {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let answer = asked(world)?.push()?.send().await?;
        let uri = answer.text("request_uri").to_owned();
        let part = uri.rsplit(':').next().unwrap_or_default();
        demand!(part.len() >= 22, "{uri} can hold less than 128 bits");
        demand!(seen.insert(uri.clone()), "{uri} came twice");
    }
    Ok(())
}

async fn short_life(world: &World) -> Verdict {
    let answer = asked(world)?.push()?.send().await?;
    let life = answer.json["expires_in"].as_u64().unwrap_or_default();
    demand!((5..=600).contains(&life), "expires_in is {life}");
    Ok(())
}

async fn expired(world: &World) -> Verdict {
    let asked = asked(world)?;
    let pushed = asked.push()?.send().await?;
    let life = pushed.json["expires_in"].as_u64().unwrap_or_default();
    if life > 60 {
        return skip(format!("it lives {life} s, too long to wait for"));
    }
    world.clock.pass(life + 1).await;
    let url = asked.pushed_url(pushed.text("request_uri"))?;
    let answer = Browser::new(world.http.clone()).get(&url).await?;
    demand!(
        answer.header("location").is_empty() || answer.header("location").contains("error="),
        "it goes on"
    );
    demand!(!asks_to_sign_in(&answer.text, &world.profile.pages), "the sign-in page is shown");
    Ok(())
}

async fn bound_to_client(world: &World) -> Verdict {
    let other = world.client(&world.profile.clients.other_web)?;
    let pushed = asked(world)?.push()?.send().await?;
    let url = world.authorize(other).pushed_url(pushed.text("request_uri"))?;
    let answer = Browser::new(world.http.clone()).get(&url).await?;
    demand!(answer.status >= 400 && answer.header("location").is_empty(), "{}", answer.brief());
    Ok(())
}

async fn no_interaction_codes(world: &World) -> Verdict {
    asked(world)?.with("prompt", "none").push()?.send().await?.is(&[201], "prompt=none")
}

async fn used_once(world: &World) -> Verdict {
    let asked = asked(world)?;
    let pushed = asked.push()?.send().await?;
    let url = asked.pushed_url(pushed.text("request_uri"))?;
    Browser::new(world.http.clone()).get(&url).await?;
    let landing = asked.follow(&url).await?;
    demand!(!landing.param("code").is_empty(), "loading the page twice broke the request: {}", landing.url);
    match asked.follow(&url).await {
        Ok(again) => {
            demand!(again.param("code").is_empty(), "a second code was given");
            Ok(())
        }
        Err(_) => Ok(()),
    }
}

async fn both_suffice(world: &World) -> Verdict {
    let asked = asked(world)?;
    let pushed = asked.push()?.send().await?;
    let landing = asked.follow(&asked.pushed_url(pushed.text("request_uri"))?).await?;
    demand!(
        landing.param("state") == asked.param("state"),
        "the pushed state did not come back: {}",
        landing.url
    );
    asked.redeem(landing.param("code"))?.send().await?.granted().map(|_| ())
}

async fn no_override(world: &World) -> Verdict {
    let asked = asked(world)?;
    let pushed = asked.push()?.send().await?;
    let mut url = url::Url::parse(&asked.pushed_url(pushed.text("request_uri"))?)?;
    let more = [("state", "other"), ("scope", "no-such-scope"), ("redirect_uri", "https://evil.example/cb")];
    url.query_pairs_mut().extend_pairs(more);
    let landing = asked.follow(url.as_str()).await?;
    demand!(landing.param("state") == asked.param("state"), "the state was overridden: {}", landing.url);
    asked.redeem(landing.param("code"))?.send().await?.granted().map(|_| ())
}

async fn must_push(world: &World) -> Verdict {
    let client = world.client(&world.profile.clients.pushing)?;
    let asked = world.authorize(client);
    let landing = asked.refused(&["invalid_request"]).await?;
    demand!(landing.param("iss") == world.issuer, "iss is missing");
    asked.push()?.send().await?.is(&[201], "a pushed one")
}

async fn too_large(world: &World) -> Verdict {
    // A server may well hang up before it has read it all.
    match asked(world)?.push()?.with("nonce", &"x".repeat(10_000_000)).send().await {
        Ok(answer) => answer.is(&[400, 413], "10 MB"),
        Err(_) => Ok(()),
    }
}

async fn extensions(world: &World) -> Verdict {
    world.needs("scopes_supported", "openid")?;
    let asked = asked(world)?;
    let scope = format!("openid {}", world.targets().scope);
    let mut asked = asked.with("scope", &scope).with("nonce", "n-par");
    if let Some(detail) = &world.targets().detail {
        asked = asked.with("authorization_details", &json!([detail]).to_string());
    }
    let pushed = asked.push()?.send().await?;
    let landing = asked.follow(&asked.pushed_url(pushed.text("request_uri"))?).await?;
    let request = asked.redeem(landing.param("code"))?.with("resource", &world.targets().resource);
    let tokens = request.send().await?.granted()?;
    let claims = world.claims(tokens.token()).await?;
    demand!(
        crate::rfc8707::audiences(&claims) == [world.targets().resource.as_str()],
        "aud is {}",
        claims["aud"]
    );
    demand!(jose::payload(tokens.text("id_token"))?["nonce"] == "n-par", "the nonce is not in the ID token");
    let details = tokens.json["authorization_details"].as_array().map_or(0, Vec::len);
    demand!(details == usize::from(world.targets().detail.is_some()), "there are {details} details");
    Ok(())
}

async fn key(world: &World) -> Verdict {
    crate::rfc9449::pushed_jkt(world).await?;
    crate::rfc9449::pushed_proof(world).await?;
    crate::rfc9449::pushed_mismatch(world).await
}
