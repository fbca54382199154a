//! RFC 9701: introspection answered by a signed JWT.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::check::{Problem, Verdict};
use crate::profile::Client;
use crate::world::World;
use crate::{checks, demand, jose};

checks! {
    "R-9701-1" Must "RFC 9701 §4" "Whoever asks for the media type gets a JWT, and everybody else JSON." => on_demand;
    "R-9701-2" Must "RFC 9701 §5" "Nobody who does not authenticate gets one." => authenticated;
    "R-9701-3" Must "RFC 9701 §5" "Its media type is application/token-introspection+jwt." => media_type;
    "R-9701-4" Must "RFC 9701 §5" "Its typ is token-introspection+jwt." => typ;
    "R-9701-5" Must "RFC 9701 §5" "It says iss, aud, iat, and under token_introspection what JSON would say." => claims;
    "R-9701-6" Should "RFC 9701 §5" "It has neither sub nor exp of its own." => no_token;
    "R-9701-7" Must "RFC 9701 §5" "Of garbage it says inactive and nothing else." => inactive;
    "R-9701-8" Must "RFC 9701 §5" "Of a token for another resource it says inactive." => other_audience;
    "R-9701-9" Must "RFC 9701 §5" "It is signed with a published key." => signed;
    "R-9701-10" Must "RFC 9701 §6" "A client registers no content encryption without a key's." => registered;
    "R-9701-11" Should "RFC 9701 §7" "The metadata lists the algorithms." => told;
    "R-9701-13" Must "RFC 9701 §8.1" "It is no access token." => no_access_token;
}

const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// What a client is told about a token, as a JWT.
async fn ask(world: &World, by: &Client, token: &str) -> Result<Answer, Problem> {
    world.needs_any("introspection_signing_alg_values_supported")?;
    let request = world.post("introspection_endpoint", by)?.with("token", token);
    let answer = request.header("Accept", MEDIA_TYPE).send().await?;
    answer.is(&[200], "introspection")?;
    Ok(answer)
}

/// The first resource, a good token for it, and what it is told.
async fn told_of_good(world: &World) -> Result<(Answer, Answer), Problem> {
    let service = world.client(&world.profile.clients.service)?;
    let tokens = world.users_tokens().await?;
    let told = ask(world, service, tokens.token()).await?;
    Ok((tokens, told))
}

async fn on_demand(world: &World) -> Verdict {
    let (tokens, told) = told_of_good(world).await?;
    demand!(jose::is_jwt(&told.text), "no JWT: {}", told.brief());
    let service = world.client(&world.profile.clients.service)?;
    let plain = world.introspect(service, tokens.token()).await?;
    demand!(plain.json["active"] == true, "no JSON: {}", plain.brief());
    Ok(())
}

async fn authenticated(world: &World) -> Verdict {
    let (tokens, _) = told_of_good(world).await?;
    let nobody = world.post_unknown("introspection_endpoint")?.with("token", tokens.token());
    let answer = nobody.header("Accept", MEDIA_TYPE).send().await?;
    answer.is(&[400], "without authentication")?;
    demand!(!jose::is_jwt(&answer.text), "a JWT all the same");
    Ok(())
}

async fn media_type(world: &World) -> Verdict {
    let (_, told) = told_of_good(world).await?;
    demand!(told.header("content-type") == MEDIA_TYPE, "{}", told.header("content-type"));
    Ok(())
}

async fn typ(world: &World) -> Verdict {
    let header = jose::header(&told_of_good(world).await?.1.text)?;
    demand!(header["typ"] == "token-introspection+jwt", "typ is {}", header["typ"]);
    Ok(())
}

async fn claims(world: &World) -> Verdict {
    let (tokens, told) = told_of_good(world).await?;
    let said = jose::payload(&told.text)?;
    demand!(said["iss"] == world.issuer.as_str(), "iss is {}", said["iss"]);
    demand!(said["iat"].as_i64().is_some_and(|iat| (iat - world.now()).abs() < 60), "iat is {}", said["iat"]);
    let service = world.client(&world.profile.clients.service)?;
    let plain = world.introspect(service, tokens.token()).await?.json;
    demand!(said["token_introspection"] == plain, "{} beside {plain}", said["token_introspection"]);
    // Each of two that ask is the audience of what it is told.
    let other = world.client(&world.profile.clients.other_service)?;
    let others = jose::payload(&ask(world, other, "x").await?.text)?;
    demand!(!said["aud"].is_null() && said["aud"] != others["aud"], "aud is {} for both", said["aud"]);
    Ok(())
}

async fn no_token(world: &World) -> Verdict {
    let said = jose::payload(&told_of_good(world).await?.1.text)?;
    demand!(said.get("sub").is_none() && said.get("exp").is_none(), "{said}");
    Ok(())
}

fn says_nothing(told: &Answer) -> Verdict {
    let said: Value = jose::payload(&told.text)?["token_introspection"].clone();
    demand!(said == json!({ "active": false }), "it says {said}");
    Ok(())
}

async fn inactive(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    says_nothing(&ask(world, service, "garbage").await?)
}

async fn other_audience(world: &World) -> Verdict {
    let (tokens, _) = told_of_good(world).await?;
    let other = world.client(&world.profile.clients.other_service)?;
    says_nothing(&ask(world, other, tokens.token()).await?)
}

async fn signed(world: &World) -> Verdict {
    let (_, told) = told_of_good(world).await?;
    Ok(jose::verify(&told.text, &world.jwks)?)
}

async fn registered(world: &World) -> Verdict {
    world.needs_any("introspection_encryption_alg_values_supported")?;
    let enc = json!({ "introspection_encrypted_response_enc": "A128GCM" });
    crate::rfc7591::refused(world, enc, &["invalid_client_metadata"]).await
}

async fn told(world: &World) -> Verdict {
    told_of_good(world).await?;
    let algs = world.listed("introspection_signing_alg_values_supported");
    demand!(!algs.contains(&"none"), "the algorithms are {algs:?}");
    Ok(())
}

async fn no_access_token(world: &World) -> Verdict {
    let (_, told) = told_of_good(world).await?;
    let bearer = format!("Bearer {}", told.text);
    let answer = world.call(world.endpoint("userinfo_endpoint")?, &[("Authorization", &bearer)]).await?;
    answer.is(&[401], "userinfo")
}
