//! RFC 9207: `iss` in authorization responses.

use crate::check::Verdict;
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-9207-1" Must "RFC 9207 §2" "A successful authorization response carries iss." => success;
    "R-9207-2" Must "RFC 9207 §2" "An error response carries it too, for each of several errors." => errors;
    "R-9207-3" Must "RFC 9207 §2" "It is a URL without query and fragment, and is there once." => form;
    "R-9207-4" Must "RFC 9207 §2.3" "It equals the issuer of the metadata, character by character." => same;
    "R-9207-5" Must "RFC 9207 §3" "The metadata tells that it is sent." => told;
    "R-9207-7" Must "RFC 9207 §2.4" "In a signed response iss is a claim, and not beside it." => signed;
    "R-9207-9" Must "RFC 6749 §4.1.2.1" "Nothing is sent where the redirect URI is not the client's." => nowhere;
}

pub(crate) async fn success(world: &World) -> Verdict {
    let landing = world.authorize(world.client(&world.profile.clients.web)?).finish().await?;
    demand!(landing.param("iss") == world.issuer, "iss is {:?}", landing.param("iss"));
    Ok(())
}

pub(crate) async fn errors(world: &World) -> Verdict {
    let asked = || world.client(&world.profile.clients.web).map(|web| world.authorize(web));
    for (asked, codes) in [
        (asked()?.with("scope", "no-such-scope"), ["invalid_scope"]),
        (asked()?.with("prompt", "none"), ["login_required"]),
        (asked()?.with("response_type", "token"), ["unsupported_response_type"]),
        (asked()?.with("resource", "https://nowhere.example"), ["invalid_target"]),
        (asked()?.with("authorization_details", "[{}]"), ["invalid_authorization_details"]),
    ] {
        let landing = asked.refused(&codes).await?;
        demand!(landing.param("iss") == world.issuer, "{codes:?}: iss is {:?}", landing.param("iss"));
    }
    Ok(())
}

async fn form(world: &World) -> Verdict {
    let landing = world.authorize(world.client(&world.profile.clients.web)?).finish().await?;
    let url = url::Url::parse(landing.param("iss"))?;
    demand!(url.query().is_none() && url.fragment().is_none(), "{url} has a query or fragment");
    let there = url::Url::parse(&landing.url)?.query_pairs().filter(|(name, _)| name == "iss").count();
    demand!(there == 1, "iss is there {there} times");
    Ok(())
}

async fn same(world: &World) -> Verdict {
    let landing = world.authorize(world.client(&world.profile.clients.web)?).finish().await?;
    let told = world.told("issuer");
    demand!(*told == landing.param("iss"), "{:?} is not {told}", landing.param("iss"));
    Ok(())
}

pub(crate) async fn told(world: &World) -> Verdict {
    let told = world.told("authorization_response_iss_parameter_supported");
    demand!(*told == true, "authorization_response_iss_parameter_supported is {told}");
    Ok(())
}

async fn nowhere(world: &World) -> Verdict {
    let asked = world.authorize(world.client(&world.profile.clients.web)?);
    asked.with("redirect_uri", "https://evil.example/cb").stays().await.map(|_| ())
}

async fn signed(world: &World) -> Verdict {
    crate::jarm::parties(world).await?;
    crate::jarm::alone(world).await
}
