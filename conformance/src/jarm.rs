//! JARM: authorization responses as signed JWTs.

use serde_json::Value;

use crate::browser::Landing;
use crate::check::{Problem, Verdict, skip};
use crate::flow::Authorization;
use crate::jose;
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-JARM-1" Must "JARM §2.1" "The JWT says iss, aud and exp." => parties;
    "R-JARM-2" Should "JARM §2.1" "It lives ten minutes at most." => life;
    "R-JARM-3" Must "JARM §2.1" "The parameters of the response are its claims." => parameters;
    "R-JARM-4" Must "JARM §2.1" "An error comes in it too." => errors;
    "R-JARM-5" Must "JARM §2.3" "There is nothing beside it." => alone;
    "R-JARM-6" Must "JARM §2.2" "It is signed with a published key, and never with none." => signed;
    "R-JARM-9" Must "JARM §2.3.4" "For a code, jwt is query.jwt." => in_query;
    "R-JARM-11" Should "JARM §4" "The metadata lists the algorithms." => told;
    "R-JARM-13" Must "JARM §2.3" "A wrong redirect URI gets no JWT either." => nowhere;
}

/// A request for a signed response.
fn asked(world: &World) -> Result<Authorization<'_>, Problem> {
    if !world.listed("response_modes_supported").contains(&"jwt") {
        return skip("the response mode jwt is not supported");
    }
    Ok(world.authorize(world.client(&world.profile.clients.web)?).with("response_mode", "jwt"))
}

/// What a response says.
fn said(landing: &Landing) -> Result<Value, Problem> {
    let response = landing.param("response");
    demand!(!response.is_empty(), "there is no response in {}", landing.url);
    Ok(jose::payload(response)?)
}

pub(crate) async fn parties(world: &World) -> Verdict {
    let asked = asked(world)?;
    let said = said(&asked.finish().await?)?;
    demand!(said["iss"] == world.issuer.as_str(), "iss is {}", said["iss"]);
    demand!(said["aud"] == asked.client.id.as_str(), "aud is {}", said["aud"]);
    demand!(said["exp"].as_i64().is_some_and(|exp| exp > world.now()), "exp is {}", said["exp"]);
    Ok(())
}

async fn life(world: &World) -> Verdict {
    let said = said(&asked(world)?.finish().await?)?;
    let left = said["exp"].as_i64().unwrap_or_default() - world.now();
    demand!((1..=600).contains(&left), "it lives {left} seconds");
    Ok(())
}

async fn parameters(world: &World) -> Verdict {
    let asked = asked(world)?;
    let said = said(&asked.finish().await?)?;
    demand!(said["code"].as_str().is_some_and(|code| !code.is_empty()), "code is {}", said["code"]);
    demand!(said["state"] == asked.param("state"), "state is {}", said["state"]);
    Ok(())
}

async fn errors(world: &World) -> Verdict {
    let asked = asked(world)?.with("scope", "no-such-scope");
    let said = said(&asked.finish().await?)?;
    demand!(said["error"] == "invalid_scope", "error is {}", said["error"]);
    demand!(said["state"] == asked.param("state"), "state is {}", said["state"]);
    demand!(said.get("code").is_none(), "there is a code");
    Ok(())
}

pub(crate) async fn alone(world: &World) -> Verdict {
    for asked in [asked(world)?, asked(world)?.with("scope", "no-such-scope")] {
        let landing = asked.finish().await?;
        let names: Vec<_> = landing.params.keys().map(String::as_str).collect();
        demand!(names == ["response"], "beside it: {names:?}");
    }
    Ok(())
}

async fn signed(world: &World) -> Verdict {
    let landing = asked(world)?.finish().await?;
    let header = jose::header(landing.param("response"))?;
    let alg = header["alg"].as_str().unwrap_or_default();
    demand!(!["", "none"].contains(&alg), "alg is {alg:?}");
    let keys = world.get(world.endpoint("jwks_uri")?).await?;
    let keys = keys.json["keys"].as_array().cloned().unwrap_or_default();
    demand!(keys.iter().any(|key| key["kid"] == header["kid"]), "no published key is {}", header["kid"]);
    Ok(jose::verify(landing.param("response"), &world.jwks)?)
}

async fn in_query(world: &World) -> Verdict {
    let landing = asked(world)?.finish().await?;
    demand!(!landing.url.contains('#'), "{}", landing.url);
    Ok(())
}

async fn told(world: &World) -> Verdict {
    asked(world)?;
    let algs = world.listed("authorization_signing_alg_values_supported");
    demand!(!algs.is_empty() && !algs.contains(&"none"), "the algorithms are {algs:?}");
    Ok(())
}

async fn nowhere(world: &World) -> Verdict {
    asked(world)?.with("redirect_uri", "https://evil.example/cb").stays().await.map(|_| ())
}
