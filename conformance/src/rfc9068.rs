//! RFC 9068: JWT access tokens.

use serde_json::{Value, json};

use crate::check::{Problem, Verdict, skip};
use crate::rfc8707::audiences;
use crate::world::{World, well_known};
use crate::{checks, demand, jose};

checks! {
    "R-9068-1" Must "RFC 9068 §2.1" "typ is at+jwt." => typ;
    "R-9068-2" Must "RFC 9068 §2.1" "It is signed with a key of the key set, never with none." => signed;
    "R-9068-4" Must "RFC 9068 §2.2" "iss equals the issuer of the metadata." => issuer;
    "R-9068-5" Must "RFC 9068 §2.2" "iss, exp, aud, sub, client_id, iat and jti are in every token." => claims;
    "R-9068-6" Should "RFC 9068 §2.2" "sub is the user where there is one, else the client." => subject;
    "R-9068-7" Must "RFC 8693 §4.3" "client_id is the client that asked." => client_id;
    "R-9068-8" Must "RFC 9068 §2.2" "jti is unique." => unique;
    "R-9068-9" Must "RFC 9068 §2.2.1" "auth_time, acr and amr stay those of the login after exchange." => login_kept;
    "R-9068-11" Should "RFC 9068 §2.2.3" "scope is one text." => scope;
    "R-9068-12" Must "RFC 9068 §2.2.3" "Each scope in it has a meaning at its audience." => scope_fits;
    "R-9068-14" Should "RFC 9068 §3" "aud is the resource that was asked for." => asked_audience;
    "R-9068-15" Must "RFC 9068 §3" "Without a resource, aud follows from the scope." => default_audience;
    "R-9068-16" Should "RFC 9068 §3" "Scopes of several resources without a resource are refused." => ambiguous;
    "R-9068-20" Should "RFC 9068 §4" "Both well-known documents name the same keys." => same_keys;
    "R-9068-21" Must "RFC 9068 §4" "A token that was altered, or signed by somebody else, opens nothing." => altered;
    "R-9068-22" Must "RFC 9068 §4" "An ID token is no access token." => no_id_token;
    "R-9068-23" Must "RFC 9068 §6" "A client learns scope and life of its token without reading it." => response_says;
}

/// A user's and a client's own token, where they are JWTs.
async fn tokens(world: &World) -> Result<Vec<String>, Problem> {
    let service = world.client(&world.profile.clients.service)?;
    let own = world.own_token(service)?.send().await?.granted()?;
    let all = vec![world.users_tokens().await?.token().to_owned(), own.token().to_owned()];
    if all.iter().all(|token| jose::is_jwt(token)) { Ok(all) } else { skip("access tokens are no JWTs") }
}

async fn typ(world: &World) -> Verdict {
    for token in tokens(world).await? {
        let typ = jose::header(&token)?["typ"].clone();
        demand!(typ == "at+jwt" || typ == "application/at+jwt", "typ is {typ}");
    }
    Ok(())
}

async fn signed(world: &World) -> Verdict {
    for token in tokens(world).await? {
        jose::verify(&token, &world.jwks)?;
    }
    Ok(())
}

async fn issuer(world: &World) -> Verdict {
    for token in tokens(world).await? {
        let iss = jose::payload(&token)?["iss"].clone();
        demand!(iss == *world.told("issuer"), "iss is {iss}");
    }
    Ok(())
}

async fn claims(world: &World) -> Verdict {
    for token in tokens(world).await? {
        let claims = jose::payload(&token)?;
        for name in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
            demand!(!claims[name].is_null(), "{name} is missing");
        }
        demand!(claims["exp"].is_u64() && claims["iat"].is_u64(), "exp or iat is no number");
        demand!(claims["exp"].as_i64() > Some(world.now()), "exp has passed");
    }
    Ok(())
}

async fn subject(world: &World) -> Verdict {
    let all = tokens(world).await?;
    let own = jose::payload(&all[1])?;
    demand!(own["sub"] == own["client_id"], "the client's own token has the sub {}", own["sub"]);
    let id_token = world.openid_tokens().await?;
    let user = jose::payload(id_token.text("id_token"))?["sub"].clone();
    demand!(jose::payload(&all[0])?["sub"] == user, "the user is {user} in the ID token");
    Ok(())
}

async fn client_id(world: &World) -> Verdict {
    let all = tokens(world).await?;
    let web = world.client(&world.profile.clients.web)?;
    let id = jose::payload(&all[0])?["client_id"].clone();
    demand!(id == web.id.as_str(), "client_id is {id}");
    Ok(())
}

async fn unique(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let token = world.own_token(service)?.send().await?.granted()?;
        let jti = world.claims(token.token()).await?["jti"].to_string();
        demand!(jti != "null" && seen.insert(jti.clone()), "jti {jti} came twice or not at all");
    }
    Ok(())
}

async fn login_kept(world: &World) -> Verdict {
    let subject = world.users_tokens().await?;
    let before = world.claims(subject.token()).await?;
    let exchanged = crate::rfc8693::exchange(world, subject.token()).await?;
    let after = world.claims(exchanged.token()).await?;
    for name in ["auth_time", "acr", "amr"] {
        demand!(before[name] == after[name], "{name} was {} and is {}", before[name], after[name]);
    }
    Ok(())
}

async fn scope(world: &World) -> Verdict {
    for token in tokens(world).await? {
        let scope = jose::payload(&token)?["scope"].clone();
        demand!(scope.as_str().is_some_and(|scope| !scope.is_empty()), "scope is {scope}");
    }
    Ok(())
}

async fn scope_fits(world: &World) -> Verdict {
    let (web, targets) = (world.client(&world.profile.clients.web)?, world.targets());
    let scope = format!("{} {}", targets.scope, targets.other_scope);
    let asked = world.authorize(web).with("scope", &scope).and("resource", &targets.other_resource);
    let request = asked.redeem(&asked.code().await?)?.with("resource", &targets.resource);
    let tokens = request.send().await?.granted()?;
    let claims = world.claims(tokens.token()).await?;
    demand!(claims["scope"] == targets.scope.as_str(), "scope is {}", claims["scope"]);
    Ok(())
}

async fn asked_audience(world: &World) -> Verdict {
    for token in tokens(world).await? {
        let claims = jose::payload(&token)?;
        demand!(audiences(&claims) == [world.targets().resource.as_str()], "aud is {}", claims["aud"]);
    }
    Ok(())
}

async fn default_audience(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let token = world.own_token(service)?.without("resource").send().await?.granted()?;
    let claims: Value = world.claims(token.token()).await?;
    demand!(audiences(&claims) == [world.targets().resource.as_str()], "aud is {}", claims["aud"]);
    Ok(())
}

async fn ambiguous(world: &World) -> Verdict {
    let (service, targets) = (world.client(&world.profile.clients.service)?, world.targets());
    let request = world.own_token(service)?.without("resource").with("scope", &targets.common_scope);
    request.send().await?.refused(&["invalid_scope", "invalid_target"], "a scope of two resources")
}

async fn same_keys(world: &World) -> Verdict {
    let [oauth, openid] = well_known(&world.issuer);
    let (oauth, openid) = (world.get(&oauth).await?, world.get(&openid).await?);
    if openid.status != 200 || oauth.status != 200 {
        return skip("there is only one document");
    }
    for name in ["issuer", "jwks_uri"] {
        demand!(oauth.json[name] == openid.json[name], "{name} differs");
    }
    Ok(())
}

async fn no_id_token(world: &World) -> Verdict {
    let url = world.endpoint("userinfo_endpoint")?;
    let tokens = world.openid_tokens().await?;
    let bearer = format!("Bearer {}", tokens.text("id_token"));
    world.call(url, &[("authorization", &bearer)]).await?.is(&[401], "an ID token at userinfo")
}

async fn altered(world: &World) -> Verdict {
    let tokens = world.openid_tokens().await?;
    let url = world.endpoint("userinfo_endpoint")?;
    if !jose::is_jwt(tokens.token()) {
        return skip("access tokens are no JWTs");
    }
    let (header, claims) = (jose::header(tokens.token())?, jose::payload(tokens.token())?);
    let mut own = header.clone();
    own["alg"] = world.key.alg.into();
    for wrong in [
        jose::tampered(tokens.token()),
        jose::unsigned(&json!({ "alg": "none", "typ": "at+jwt" }), &claims),
        world.key.sign(&own, &claims)?,
    ] {
        let answer = world.call(url, &[("Authorization", &format!("Bearer {wrong}"))]).await?;
        answer.is(&[401], "an altered token")?;
        let challenges = answer.every("www-authenticate");
        demand!(challenges.iter().any(|c| c.contains("invalid_token")), "the challenges are {challenges:?}");
    }
    world
        .call(url, &[("Authorization", &format!("Bearer {}", tokens.token()))])
        .await?
        .is(&[200], "the token itself")
}

async fn response_says(world: &World) -> Verdict {
    let tokens = world.users_tokens().await?;
    let claims = world.claims(tokens.token()).await?;
    demand!(claims["scope"] == tokens.text("scope"), "scope is told as {:?}", tokens.text("scope"));
    let life = claims["exp"].as_i64().unwrap_or_default() - claims["iat"].as_i64().unwrap_or_default();
    let told = tokens.json["expires_in"].as_i64().unwrap_or_default();
    demand!((told - life).abs() <= 1, "expires_in is {told}, and the token lives {life} seconds");
    Ok(())
}
