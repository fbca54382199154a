//! RFC 8414: authorization server metadata.

use serde_json::Value;
use url::Url;

use crate::check::Verdict;
use crate::schema::{Document, Schema};
use crate::world::{World, well_known};
use crate::{checks, demand};

checks! {
    "R-8414-1" Must "RFC 8414 §2" "The issuer is an https URL (http on the loopback) without query and fragment." => issuer;
    "R-8414-2" Must "RFC 8414 §3.1" "The metadata is a JSON object, got by GET and not by POST." => get_only;
    "R-8414-3" Must "RFC 8414 §3" "The well-known path stands between the issuer's host and its path." => location;
    "R-8414-4" Must "RFC 8414 §3" "The documents of RFC 8414 and of OpenID Connect Discovery do not contradict each other." => both_agree;
    "R-8414-5" Must "RFC 8414 §3.3" "The issuer in the document is the one the document was found by." => same_issuer;
    "R-8414-6" Must "RFC 8414 §3.3" "A forged Host header changes nothing in the document." => forged_host;
    "R-8414-7" Must "RFC 8414 §2" "Authorization and token endpoint and the response types are there." => required;
    "R-8414-8" Must "RFC 8414 §3.2" "Members are of the types and values that their specifications give them, and no list is empty." => well_formed;
    "R-8414-9" Must "RFC 8414 §2" "Members with unwelcome defaults are published." => no_defaults;
    "R-8414-10" Must "RFC 8414 §2" "A grant type and a client authentication that are not listed are refused." => honest;
    "R-8414-11" Must "RFC 8414 §2" "Where JWTs authenticate clients their algorithms are listed, none never." => assertion_algs;
    "R-8414-12" Must "RFC 8414 §2" "A token authenticates at introspection only if its type is listed." => no_unlisted_type;
    "R-8414-13" Must "RFC 8414 §2" "PKCE is listed, with S256 and without plain." => pkce;
    "R-8414-15" Must "RFC 8414 §2" "The key set holds public keys only, each with its own kid." => public_keys;
    "R-8414-17" Must "RFC 8414 §2" "Each endpoint of the document answers." => endpoints_answer;
    "R-8414-18" Should "RFC 9700 §2.6" "Metadata and keys can be read from other origins." => cors;
}

async fn issuer(world: &World) -> Verdict {
    let url = Url::parse(world.told("issuer").as_str().unwrap_or_default())?;
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    demand!(url.scheme() == "https" || loopback, "{url} is not https");
    demand!(url.query().is_none() && url.fragment().is_none(), "{url} has a query or fragment");
    Ok(())
}

async fn get_only(world: &World) -> Verdict {
    let kind = world.metadata.header("content-type");
    demand!(kind.starts_with("application/json"), "the content type is {kind}");
    let [place, _] = well_known(&world.issuer);
    let posted = world.http.post(place).send().await?.status().as_u16();
    demand!(posted == 405 || posted == 404, "POST is answered with {posted}");
    Ok(())
}

async fn location(world: &World) -> Verdict {
    let [place, _] = well_known(&world.issuer);
    world.get(&place).await?.is(&[200], &place)
}

async fn both_agree(world: &World) -> Verdict {
    let [oauth, openid] = well_known(&world.issuer);
    let (oauth, openid) = (world.get(&oauth).await?, world.get(&openid).await?);
    if openid.status != 200 {
        return crate::check::skip("there is no OpenID Connect Discovery document");
    }
    for (name, value) in oauth.json.as_object().into_iter().flatten() {
        let other = openid.json.get(name);
        demand!(other.is_none_or(|other| other == value), "they differ in {name}");
    }
    Ok(())
}

async fn same_issuer(world: &World) -> Verdict {
    let told = world.told("issuer");
    demand!(*told == world.issuer.as_str(), "the document says {told}");
    Ok(())
}

async fn forged_host(world: &World) -> Verdict {
    let [place, _] = well_known(&world.issuer);
    let forged =
        world.http.get(place).header("host", "evil.example").header("x-forwarded-host", "evil.example");
    let forged = crate::answer::Answer::read(forged.send().await?).await?;
    demand!(!forged.text.contains("evil.example"), "the forged host is in the document");
    Ok(())
}

async fn required(world: &World) -> Verdict {
    for name in ["authorization_endpoint", "token_endpoint"] {
        demand!(world.told(name).is_string(), "{name} is missing");
    }
    demand!(!world.listed("response_types_supported").is_empty(), "response_types_supported is missing");
    Ok(())
}

async fn well_formed(world: &World) -> Verdict {
    let [_, openid] = well_known(&world.issuer);
    let openid = world.get(&openid).await?;
    let mut documents = vec![(Document::AuthorizationServer, &world.metadata.json)];
    if openid.status == 200 {
        documents.push((Document::OpenIdConfiguration, &openid.json));
    }
    for (document, told) in documents {
        // Members of the server's own are its own business.
        let faults = Schema::of(document)?.faults(told).into_iter().filter(|fault| !fault.unregistered);
        let faults: Vec<_> = faults.map(|fault| format!("{} {}", fault.place, fault.what)).collect();
        demand!(faults.is_empty(), "{document:?}: {}", faults.join("; "));
    }
    Ok(())
}

async fn no_defaults(world: &World) -> Verdict {
    for name in ["grant_types_supported", "response_modes_supported", "token_endpoint_auth_methods_supported"]
    {
        demand!(!world.listed(name).is_empty(), "{name} is left to its default");
    }
    demand!(!world.listed("grant_types_supported").contains(&"implicit"), "implicit is listed");
    Ok(())
}

async fn honest(world: &World) -> Verdict {
    let client = world.client(&world.profile.clients.service)?;
    let unknown = world.token(client, "urn:example:no-such-grant")?.send().await?;
    unknown.refused(&["unsupported_grant_type"], "an unknown grant type")?;
    for listed in world.listed("grant_types_supported") {
        let answer = world.token(client, listed)?.send().await?;
        demand!(answer.error() != "unsupported_grant_type", "{listed} is listed but unsupported");
    }
    Ok(())
}

async fn assertion_algs(world: &World) -> Verdict {
    for endpoint in ["token", "revocation", "introspection"] {
        let methods = world.listed(&format!("{endpoint}_endpoint_auth_methods_supported")).join(" ");
        if methods.contains("_jwt") {
            let algs = world.listed(&format!("{endpoint}_endpoint_auth_signing_alg_values_supported"));
            demand!(!algs.is_empty() && !algs.contains(&"none"), "{endpoint}: the algorithms are {algs:?}");
        }
    }
    Ok(())
}

async fn pkce(world: &World) -> Verdict {
    let methods = world.listed("code_challenge_methods_supported");
    demand!(methods.contains(&"S256") && !methods.contains(&"plain"), "the methods are {methods:?}");
    Ok(())
}

async fn public_keys(world: &World) -> Verdict {
    let keys = world.jwks["keys"].as_array().cloned().unwrap_or_default();
    demand!(!keys.is_empty(), "there are no keys");
    for key in &keys {
        let private =
            ["d", "p", "q", "dp", "dq", "qi", "k"].iter().find(|member| key.get(**member).is_some());
        demand!(private.is_none(), "a key has the private member {private:?}");
        let same = keys.iter().filter(|other| other["kid"] == key["kid"]).count();
        demand!(same == 1 && key["kid"].is_string(), "a kid is missing or not unique");
    }
    Ok(())
}

async fn endpoints_answer(world: &World) -> Verdict {
    for (name, value) in world.metadata.json.as_object().into_iter().flatten() {
        let (true, Value::String(url)) = (name.ends_with("_endpoint") || name == "jwks_uri", value) else {
            continue;
        };
        let answer = world.get(url).await?;
        // What wants an id behind it has no page of its own.
        let nowhere = answer.status == 404 && name != "grant_management_endpoint";
        demand!(!nowhere && answer.status < 500, "{name} {url}: {}", answer.brief());
    }
    Ok(())
}

async fn cors(world: &World) -> Verdict {
    let [place, _] = well_known(&world.issuer);
    for url in [place.as_str(), world.endpoint("jwks_uri")?] {
        let answer = world.call(url, &[("origin", "https://app.example")]).await?;
        let allowed = answer.header("access-control-allow-origin");
        demand!(allowed == "*" || allowed == "https://app.example", "{url} does not allow other origins");
    }
    Ok(())
}

async fn no_unlisted_type(world: &World) -> Verdict {
    let listed = world.listed("introspection_endpoint_auth_methods_supported");
    let service = world.client(&world.profile.clients.service)?;
    let own = world.own_token(service)?.send().await?.granted()?;
    let bearer = format!("Bearer {}", own.token());
    let request = world.post_unknown("introspection_endpoint")?.with("token", own.token());
    let answer = request.header("Authorization", &bearer).send().await?;
    if listed.iter().any(|method| method.eq_ignore_ascii_case("bearer")) {
        return answer.is(&[200], "a bearer token, which is listed");
    }
    answer.is(&[400, 401], "a bearer token, which is not listed")?;
    demand!(answer.json.get("active").is_none(), "it is told all the same: {}", answer.brief());
    Ok(())
}
