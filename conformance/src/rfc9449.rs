//! RFC 9449: DPoP.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::world::World;
use crate::{checks, demand, jose};

const REFUSED: &[&str] = &["invalid_dpop_proof"];

checks! {
    "R-9449-1" Must "RFC 9449 §4.1" "The header's name may be written in any case." => any_case;
    "R-9449-2" Must "RFC 9449 §4.2" "typ, alg and jwk are in the proof's header." => header_members;
    "R-9449-3" Must "RFC 9449 §4.2" "jti, htm, htu and iat are in the proof." => claims;
    "R-9449-4" Must "RFC 9449 §4.2" "Unknown header parameters and claims are ignored." => unknown_members;
    "R-9449-5" Must "RFC 9449 §4.3" "Two DPoP headers are refused." => two_headers;
    "R-9449-6" Must "RFC 9449 §4.3" "What is no JWT is refused." => no_jwt;
    "R-9449-7" Must "RFC 9449 §4.3" "Claims of the wrong JSON type are refused." => wrong_types;
    "R-9449-8" Must "RFC 9449 §4.3" "Another typ is refused." => other_typ;
    "R-9449-9" Must "RFC 9449 §4.3" "none and HMAC are refused." => weak_alg;
    "R-9449-10" Must "RFC 9449 §4.3" "The signature is verified with the key in the header." => signature;
    "R-9449-11" Must "RFC 9449 §4.3" "A private key in the header is refused." => private_key;
    "R-9449-12" Must "RFC 9449 §4.3" "htm is the method, in its own case." => method;
    "R-9449-13" Must "RFC 9449 §4.3" "htu is the URL; its query and fragment do not matter." => uri;
    "R-9449-15" Must "RFC 9449 §4.3" "A proof of an hour ago or ahead is refused; ten seconds do not matter." => time;
    "R-9449-17" Should "RFC 9449 §4.3" "htu is normalised before it is compared." => normalised;
    "R-9449-19" Must "RFC 9449 §5" "It works with each grant: code, client credentials, token exchange." => grants;
    "R-9449-20" Must "RFC 9449 §5" "The refusal is 400 with invalid_dpop_proof, not to be kept." => refusal;
    "R-9449-21" Must "RFC 9449 §5" "A bound token has token_type DPoP, an unbound one Bearer." => token_type;
    "R-9449-22" Must "RFC 9449 §6" "The token is bound to the key of the proof." => bound;
    "R-9449-23" Must "RFC 9449 §5" "A public client's refresh token works with its key only." => public_refresh;
    "R-9449-25" Must "RFC 9449 §5" "After a refresh the token is bound to the key of that request's proof." => refresh_rebinds;
    "R-9449-26" Must "RFC 9449 §5" "A confidential client refreshes with a key that the server never saw." => refresh_rebinds;
    "R-9449-27" Must "RFC 9449 §5.2" "A client whose tokens must be bound gets none without a proof." => must_be_bound;
    "R-9449-28" Must "RFC 9449 §5.1" "The metadata lists the algorithms; none is not among them." => algs;
    "R-9449-29" Must "RFC 9449 §6.2" "Introspection tells cnf and token_type, and asks for no proof." => introspected;
    "R-9449-30" Must "RFC 9449 §7.1" "A protected resource demands a proof with ath." => resource_proof;
    "R-9449-32" Must "RFC 9449 §7.1" "The challenge names DPoP and, where nothing was sent, no error." => challenge;
    "R-9449-33" Must "RFC 9110 §11.1" "The scheme may be written in any case." => scheme_case;
    "R-9449-34" Must "RFC 9449 §7.2" "A bound token is no bearer token." => no_bearer;
    "R-9449-35" Should "RFC 9449 §7.2" "Two Authorization headers are refused with 400." => two_schemes;
    "R-9449-36" Must "RFC 9449 §8" "Where a nonce is demanded, its lack is 400 use_dpop_nonce with a nonce." => nonce_demand;
    "R-9449-37" Must "RFC 9449 §8" "Nonces are never the same." => nonces_differ;
    "R-9449-38" Must "RFC 9449 §8" "An answer gives one nonce at most." => one_nonce;
    "R-9449-39" Must "RFC 9449 §8" "A nonce that differs in one character is refused." => changed_nonce;
    "R-9449-42" Should "RFC 9449 §8.2" "An answer with a nonce is not to be kept." => nonce_no_store;
    "R-9449-43" Must "RFC 9449 §8" "Browsers may read the nonce." => exposed;
    "R-9449-44" Must "RFC 9449 §9" "A protected resource asks for a nonce with 401 and a challenge." => resource_nonce;
    "R-9449-45" Must "RFC 9449 §9" "The nonce of the token endpoint is not one of the resource." => separate_nonces;
    "R-9449-47" Must "RFC 9449 §10" "A code asked for with dpop_jkt is redeemed with that key only." => code_bound;
    "R-9449-49" Must "RFC 9449 §10.1" "A pushed dpop_jkt binds the code." => pushed_jkt;
    "R-9449-50" Must "RFC 9449 §10.1" "A proof at the PAR endpoint binds the code." => pushed_proof;
    "R-9449-51" Must "RFC 9449 §10.1" "A pushed dpop_jkt that is not the proof's key is refused." => pushed_mismatch;
    "R-9449-53" Should "RFC 9449 §11.1" "A clock eight seconds ahead is forgiven." => ahead;
    "R-9449-54" Should "RFC 9449 §11.1" "A proof is used once." => once;
    "R-9449-55" Should "RFC 9449 §11.1" "A jti of 10 kB is refused." => long_jti;
    "R-9449-56" Should "RFC 9449 §11.2" "A bound token lives no longer than an hour." => short_life;
    "R-9449-57" Must "RFC 9449 §11.11" "A proof authenticates nobody." => no_authentication;
}

/// A client credentials request with exactly this proof.
async fn present(world: &World, proof: &str) -> Result<Answer, Problem> {
    offered(world)?;
    let service = world.client(&world.profile.clients.service)?;
    world.own_token(service)?.proof(proof).send().await
}

fn offered(world: &World) -> Result<(), Problem> {
    if world.listed("dpop_signing_alg_values_supported").is_empty() {
        skip("DPoP is not advertised")
    } else {
        Ok(())
    }
}

async fn changed(world: &World, change: impl Fn(&mut Value, &mut Value)) -> Result<Answer, Problem> {
    offered(world)?;
    let (mut header, mut claims) = world.proof_parts().await?;
    change(&mut header, &mut claims);
    present(world, &world.key.sign(&header, &claims)?).await
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().map(|object| object.remove(name));
}

async fn any_case(world: &World) -> Verdict {
    offered(world)?;
    let service = world.client(&world.profile.clients.service)?;
    let (header, claims) = world.proof_parts().await?;
    let request = world.own_token(service)?.header("dpop", &world.key.sign(&header, &claims)?);
    let answer = request.send().await?.granted()?;
    demand!(
        answer.text("token_type").eq_ignore_ascii_case("DPoP"),
        "token_type is {}",
        answer.text("token_type")
    );
    Ok(())
}

async fn header_members(world: &World) -> Verdict {
    for name in ["typ", "alg", "jwk"] {
        changed(world, |header, _| remove(header, name)).await?.refused(REFUSED, name)?;
    }
    Ok(())
}

async fn claims(world: &World) -> Verdict {
    for name in ["jti", "htm", "htu", "iat"] {
        changed(world, |_, claims| remove(claims, name)).await?.refused(REFUSED, name)?;
    }
    Ok(())
}

async fn unknown_members(world: &World) -> Verdict {
    let answer = changed(world, |header, claims| {
        header["x"] = 1.into();
        claims["x"] = 1.into();
        claims["exp"] = 1.into();
    });
    answer.await?.granted().map(|_| ())
}

async fn two_headers(world: &World) -> Verdict {
    offered(world)?;
    let service = world.client(&world.profile.clients.service)?;
    let mut request = world.own_token(service)?;
    for _ in 0..2 {
        let (header, claims) = world.proof_parts().await?;
        request = request.proof(&world.key.sign(&header, &claims)?);
    }
    request.send().await?.refused(REFUSED, "two headers")
}

async fn no_jwt(world: &World) -> Verdict {
    for bad in ["abc", "a.b.c", "..", "eyJhbGciOiJub25lIn0.e30."] {
        present(world, bad).await?.refused(REFUSED, bad)?;
    }
    Ok(())
}

async fn wrong_types(world: &World) -> Verdict {
    for (name, value) in
        [("iat", json!("now")), ("htm", json!(["POST"])), ("jti", json!(1)), ("htu", json!({}))]
    {
        changed(world, |_, claims| claims[name] = value.clone()).await?.refused(REFUSED, name)?;
    }
    Ok(())
}

async fn other_typ(world: &World) -> Verdict {
    for typ in ["JWT", "at+jwt", "dpop"] {
        changed(world, |header, _| header["typ"] = typ.into()).await?.refused(REFUSED, typ)?;
    }
    Ok(())
}

async fn weak_alg(world: &World) -> Verdict {
    let (mut header, claims) = world.proof_parts().await?;
    header["alg"] = "none".into();
    present(world, &jose::unsigned(&header, &claims)).await?.refused(REFUSED, "none")?;
    header["alg"] = "HS256".into();
    header["jwk"] = json!({ "kty": "oct", "k": "c2VjcmV0" });
    present(world, &jose::hmac(&header, &claims, b"secret")).await?.refused(REFUSED, "HS256")
}

async fn signature(world: &World) -> Verdict {
    let (header, claims) = world.proof_parts().await?;
    let proof = world.key.sign(&header, &claims)?;
    present(world, &jose::tampered(&proof)).await?.refused(REFUSED, "a tampered signature")?;
    let proof = world.other_key.sign(&header, &claims)?;
    present(world, &proof).await?.refused(REFUSED, "another key")
}

async fn private_key(world: &World) -> Verdict {
    changed(world, |header, _| header["jwk"] = world.key.private()).await?.refused(REFUSED, "a private key")
}

async fn method(world: &World) -> Verdict {
    for method in ["GET", "post"] {
        changed(world, |_, claims| claims["htm"] = method.into()).await?.refused(REFUSED, method)?;
    }
    Ok(())
}

async fn uri(world: &World) -> Verdict {
    let url = world.endpoint("token_endpoint")?;
    for wrong in [format!("{url}/x"), "https://evil.example/token".to_owned(), "token".to_owned()] {
        changed(world, |_, claims| claims["htu"] = wrong.clone().into()).await?.refused(REFUSED, &wrong)?;
    }
    let more = format!("{url}?a=b#c");
    changed(world, |_, claims| claims["htu"] = more.clone().into()).await?.granted()?;
    let service = world.client(&world.profile.clients.service)?;
    world.own_token(service)?.query("?a=b").dpop(&world.key).send().await?.granted().map(|_| ())
}

async fn time(world: &World) -> Verdict {
    for away in [-3600, 3600] {
        let answer = changed(world, |_, claims| claims["iat"] = (world.now() + away).into()).await?;
        answer.refused(REFUSED, &format!("{away} s away"))?;
    }
    changed(world, |_, claims| claims["iat"] = (world.now() - 8).into()).await?.granted().map(|_| ())
}

async fn ahead(world: &World) -> Verdict {
    changed(world, |_, claims| claims["iat"] = (world.now() + 8).into()).await?.granted().map(|_| ())
}

async fn normalised(world: &World) -> Verdict {
    let url = url::Url::parse(world.endpoint("token_endpoint")?)?;
    let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
    let port = url.port_or_known_default().unwrap_or_default();
    let loud = format!("{}://{}:{port}/x/..{}", scheme.to_uppercase(), host.to_uppercase(), url.path());
    changed(world, |_, claims| claims["htu"] = loud.clone().into()).await?.granted().map(|_| ())
}

async fn jkt_of(world: &World, token: &str) -> Result<String, Problem> {
    Ok(world.claims(token).await?["cnf"]["jkt"].as_str().unwrap_or_default().to_owned())
}

async fn grants(world: &World) -> Verdict {
    offered(world)?;
    let (web, service) =
        (world.client(&world.profile.clients.web)?, world.client(&world.profile.clients.service)?);
    let code = world.authorize(web).bound().tokens().await?;
    let own = world.own_token(service)?.dpop(&world.key).send().await?.granted()?;
    let subject = world.users_tokens().await?;
    let exchanged = crate::rfc8693::request(world, service, subject.token())?.dpop(&world.key);
    for answer in [code, own, exchanged.send().await?.granted()?] {
        demand!(jkt_of(world, answer.token()).await? == world.key.thumbprint(), "cnf.jkt is not the key's");
    }
    Ok(())
}

async fn refusal(world: &World) -> Verdict {
    let answer = changed(world, |_, claims| claims["htm"] = "GET".into()).await?;
    answer.is(&[400], "a bad proof")?;
    demand!(answer.error() == "invalid_dpop_proof" && answer.is_no_store(), "{}", answer.brief());
    Ok(())
}

async fn token_type(world: &World) -> Verdict {
    offered(world)?;
    let service = world.client(&world.profile.clients.service)?;
    let bound = world.own_token(service)?.dpop(&world.key).send().await?.granted()?;
    demand!(bound.text("token_type").eq_ignore_ascii_case("DPoP"), "bound: {}", bound.text("token_type"));
    let unbound = world.own_token(service)?.send().await?.granted()?;
    demand!(
        unbound.text("token_type").eq_ignore_ascii_case("Bearer"),
        "unbound: {}",
        unbound.text("token_type")
    );
    demand!(jkt_of(world, unbound.token()).await?.is_empty(), "the unbound token has cnf");
    Ok(())
}

async fn bound(world: &World) -> Verdict {
    offered(world)?;
    let service = world.client(&world.profile.clients.service)?;
    let answer = world.own_token(service)?.dpop(&world.key).send().await?.granted()?;
    let jkt = jkt_of(world, answer.token()).await?;
    demand!(jkt == world.key.thumbprint(), "cnf.jkt is {jkt}");
    Ok(())
}

async fn public_refresh(world: &World) -> Verdict {
    offered(world)?;
    let public = world.client(&world.profile.clients.public)?;
    let scope = format!("{} offline_access", world.targets().scope);
    let tokens =
        world.authorize(public).bound().with("scope", &scope).with("prompt", "consent").tokens().await?;
    let refresh = tokens.text("refresh_token");
    if refresh.is_empty() {
        return skip("there is no refresh token");
    }
    let request = world.token(public, "refresh_token")?.with("refresh_token", refresh);
    let codes = &["invalid_grant", "invalid_dpop_proof", "invalid_request"];
    request.clone().send().await?.refused(codes, "no proof")?;
    request.clone().dpop(&world.other_key).send().await?.refused(codes, "another key")?;
    request.dpop(&world.key).send().await?.granted().map(|_| ())
}

async fn refresh_rebinds(world: &World) -> Verdict {
    offered(world)?;
    let web = world.client(&world.profile.clients.web)?;
    let scope = format!("{} offline_access", world.targets().scope);
    let tokens =
        world.authorize(web).bound().with("scope", &scope).with("prompt", "consent").tokens().await?;
    let refresh = tokens.text("refresh_token");
    if refresh.is_empty() {
        return skip("there is no refresh token");
    }
    let request = world.token(web, "refresh_token")?.with("refresh_token", refresh).dpop(&world.other_key);
    let jkt = jkt_of(world, request.send().await?.granted()?.token()).await?;
    demand!(jkt == world.other_key.thumbprint(), "cnf.jkt is {jkt}");
    Ok(())
}

async fn must_be_bound(world: &World) -> Verdict {
    let agent = world.client(&world.profile.clients.agent)?;
    let answer = world.own_token(agent)?.send().await?;
    answer.refused(&["invalid_request", "invalid_dpop_proof", "use_dpop_nonce"], "no proof")
}

async fn algs(world: &World) -> Verdict {
    offered(world)?;
    let algs = world.listed("dpop_signing_alg_values_supported");
    let weak = algs.iter().find(|alg| **alg == "none" || alg.starts_with("HS"));
    demand!(weak.is_none(), "{weak:?} is listed");
    Ok(())
}

async fn introspected(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let answer = world.introspect(service, world.agents_tokens().await?.token()).await?;
    demand!(answer.json["cnf"]["jkt"] == world.key.thumbprint(), "cnf is {}", answer.json["cnf"]);
    demand!(
        answer.text("token_type").eq_ignore_ascii_case("DPoP"),
        "token_type is {}",
        answer.text("token_type")
    );
    Ok(())
}

/// A bound token for userinfo.
async fn userinfo(world: &World) -> Result<(&str, String), Problem> {
    offered(world)?;
    let url = world.endpoint("userinfo_endpoint")?;
    let web = world.client(&world.profile.clients.web)?;
    let tokens = world.authorize(web).bound().with("scope", "openid").without("resource").tokens().await?;
    // Whatever it is answered with gives the first nonce.
    world.call(url, &[("authorization", &format!("DPoP {}", tokens.token()))]).await?;
    let proof = world.resource_proof(&world.key, url, tokens.token())?;
    world.call(url, &[("authorization", &format!("DPoP {}", tokens.token())), ("dpop", &proof)]).await?;
    Ok((url, tokens.token().to_owned()))
}

async fn resource_proof(world: &World) -> Verdict {
    let (url, token) = userinfo(world).await?;
    let with = format!("DPoP {token}");
    let good = world.resource_proof(&world.key, url, &token)?;
    world.call(url, &[("authorization", &with), ("dpop", &good)]).await?.is(&[200], "a good proof")?;
    world.call(url, &[("authorization", &with)]).await?.is(&[401], "no proof")?;
    let other = world.resource_proof(&world.other_key, url, &token)?;
    world.call(url, &[("authorization", &with), ("dpop", &other)]).await?.is(&[401], "another key")?;
    let wrong_ath = world.resource_proof(&world.key, url, "another token")?;
    world.call(url, &[("authorization", &with), ("dpop", &wrong_ath)]).await?.is(&[401], "a wrong ath")
}

async fn challenge(world: &World) -> Verdict {
    let (url, token) = userinfo(world).await?;
    let nothing = world.call(url, &[]).await?;
    nothing.is(&[401], "no credentials")?;
    let challenges = nothing.every("www-authenticate").join(", ");
    demand!(challenges.contains("DPoP") && challenges.contains("algs="), "the challenge is {challenges}");
    demand!(!challenges.contains("error="), "the challenge names an error: {challenges}");
    let other = world.resource_proof(&world.other_key, url, &token)?;
    let answer = world.call(url, &[("authorization", &format!("DPoP {token}")), ("dpop", &other)]).await?;
    let challenges = answer.every("www-authenticate").join(", ");
    demand!(challenges.contains("error=\"invalid_token\""), "another key: {challenges}");
    Ok(())
}

async fn scheme_case(world: &World) -> Verdict {
    let (url, token) = userinfo(world).await?;
    let proof = world.resource_proof(&world.key, url, &token)?;
    world
        .call(url, &[("authorization", &format!("dpop {token}")), ("dpop", &proof)])
        .await?
        .is(&[200], "dpop")
}

async fn no_bearer(world: &World) -> Verdict {
    let (url, token) = userinfo(world).await?;
    let answer = world.call(url, &[("authorization", &format!("Bearer {token}"))]).await?;
    answer.is(&[401], "as a bearer token")?;
    let challenges = answer.every("www-authenticate").join(", ");
    demand!(challenges.contains("invalid_token"), "the challenge is {challenges}");
    Ok(())
}

async fn two_schemes(world: &World) -> Verdict {
    let (url, token) = userinfo(world).await?;
    let proof = world.resource_proof(&world.key, url, &token)?;
    let (dpop, bearer) = (format!("DPoP {token}"), format!("Bearer {token}"));
    let headers = [("authorization", dpop.as_str()), ("authorization", &bearer), ("dpop", &proof)];
    world.call(url, &headers).await?.is(&[400], "two schemes")
}

async fn nonce_demand(world: &World) -> Verdict {
    if world.need_nonce().await?.is_none() {
        return skip("no nonce is demanded");
    }
    let answer = changed(world, |_, claims| remove(claims, "nonce")).await?;
    answer.refused(&["use_dpop_nonce"], "without nonce")?;
    demand!(!answer.header("dpop-nonce").is_empty(), "there is no DPoP-Nonce");
    changed(world, |_, claims| claims["nonce"] = answer.header("dpop-nonce").into())
        .await?
        .granted()
        .map(|_| ())
}

async fn nonces_differ(world: &World) -> Verdict {
    if world.need_nonce().await?.is_none() {
        return skip("no nonce is demanded");
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let answer = changed(world, |_, claims| remove(claims, "nonce")).await?;
        demand!(seen.insert(answer.header("dpop-nonce").to_owned()), "a nonce came twice");
    }
    Ok(())
}

async fn one_nonce(world: &World) -> Verdict {
    for answer in
        [changed(world, |_, claims| remove(claims, "nonce")).await?, changed(world, |_, _| ()).await?]
    {
        demand!(answer.every("dpop-nonce").len() <= 1, "there are several nonces");
    }
    Ok(())
}

async fn changed_nonce(world: &World) -> Verdict {
    let Some(nonce) = world.need_nonce().await? else { return skip("no nonce is demanded") };
    let middle = nonce.len() / 2;
    let other = if nonce.as_bytes().get(middle) == Some(&b'A') { "B" } else { "A" };
    let changed_one = format!("{}{other}{}", &nonce[..middle], &nonce[middle + 1..]);
    let answer = changed(world, |_, claims| claims["nonce"] = changed_one.clone().into()).await?;
    answer.refused(&["use_dpop_nonce"], "a changed nonce")
}

async fn nonce_no_store(world: &World) -> Verdict {
    let answer = changed(world, |_, claims| remove(claims, "nonce")).await?;
    demand!(answer.header("dpop-nonce").is_empty() || answer.is_no_store(), "the answer may be kept");
    Ok(())
}

async fn exposed(world: &World) -> Verdict {
    offered(world)?;
    let service = world.client(&world.profile.clients.service)?;
    let answer =
        world.own_token(service)?.dpop(&world.key).header("origin", "https://app.example").send().await?;
    if answer.header("access-control-allow-origin").is_empty() {
        return skip("browsers of other origins are not let in");
    }
    let exposed = answer.header("access-control-expose-headers").to_ascii_lowercase();
    demand!(exposed.contains("dpop-nonce") && exposed.contains("www-authenticate"), "exposed: {exposed}");
    Ok(())
}

async fn resource_nonce(world: &World) -> Verdict {
    let (url, token) = userinfo(world).await?;
    if world.nonce("rs").is_none() {
        return skip("no nonce is demanded");
    }
    let mut claims = jose::proof_claims("GET", url, world.now());
    claims["ath"] = jose::sha256(&token).into();
    let header = json!({ "typ": "dpop+jwt", "alg": world.key.alg, "jwk": world.key.public() });
    let proof = world.key.sign(&header, &claims)?;
    let answer = world.call(url, &[("authorization", &format!("DPoP {token}")), ("dpop", &proof)]).await?;
    answer.is(&[401], "without nonce")?;
    let challenges = answer.every("www-authenticate").join(", ");
    demand!(challenges.contains("use_dpop_nonce"), "the challenge is {challenges}");
    demand!(!answer.header("dpop-nonce").is_empty(), "there is no DPoP-Nonce");
    Ok(())
}

async fn separate_nonces(world: &World) -> Verdict {
    let (url, token) = userinfo(world).await?;
    let Some(nonce) = world.need_nonce().await? else { return skip("no nonce is demanded") };
    let mut claims = jose::proof_claims("GET", url, world.now());
    claims["ath"] = jose::sha256(&token).into();
    claims["nonce"] = nonce.into();
    let header = json!({ "typ": "dpop+jwt", "alg": world.key.alg, "jwk": world.key.public() });
    let proof = world.key.sign(&header, &claims)?;
    let answer = world.call(url, &[("authorization", &format!("DPoP {token}")), ("dpop", &proof)]).await?;
    answer.is(&[401], "the token endpoint's nonce")
}

async fn code_bound(world: &World) -> Verdict {
    offered(world)?;
    let web = world.client(&world.profile.clients.web)?;
    let asked = world.authorize(web).bound().with("dpop_jkt", &world.key.thumbprint());
    redeemed_with_that_key_only(world, &asked, &asked.code().await?).await
}

async fn redeemed_with_that_key_only(
    world: &World,
    asked: &crate::flow::Authorization<'_>,
    code: &str,
) -> Verdict {
    let codes = &["invalid_grant", "invalid_dpop_proof", "invalid_request"];
    let unbound = crate::flow::Authorization { key: None, ..asked.clone() };
    unbound.redeem(code)?.send().await?.refused(codes, "no proof")?;
    let other = crate::flow::Authorization { key: Some(&world.other_key), ..asked.clone() };
    other.redeem(code)?.send().await?.refused(codes, "another key")?;
    asked.redeem(code)?.send().await?.granted().map(|_| ())
}

pub(crate) async fn pushed_jkt(world: &World) -> Verdict {
    offered(world)?;
    let web = world.client(&world.profile.clients.web)?;
    let asked = world.authorize(web).bound().with("dpop_jkt", &world.key.thumbprint());
    let pushed = asked.push()?.send().await?;
    let landing = asked.follow(&asked.pushed_url(pushed.text("request_uri"))?).await?;
    redeemed_with_that_key_only(world, &asked, landing.param("code")).await
}

pub(crate) async fn pushed_proof(world: &World) -> Verdict {
    offered(world)?;
    let web = world.client(&world.profile.clients.web)?;
    let asked = world.authorize(web).bound();
    let pushed = asked.push()?.dpop(&world.key).send().await?;
    pushed.is(&[201], "a pushed request with a proof")?;
    let landing = asked.follow(&asked.pushed_url(pushed.text("request_uri"))?).await?;
    redeemed_with_that_key_only(world, &asked, landing.param("code")).await
}

pub(crate) async fn pushed_mismatch(world: &World) -> Verdict {
    offered(world)?;
    let web = world.client(&world.profile.clients.web)?;
    let asked = world.authorize(web).with("dpop_jkt", &world.other_key.thumbprint());
    let answer = asked.push()?.dpop(&world.key).send().await?;
    answer.refused(&["invalid_request", "invalid_dpop_proof"], "two keys")
}

async fn once(world: &World) -> Verdict {
    let (header, claims) = world.proof_parts().await?;
    let proof = world.key.sign(&header, &claims)?;
    present(world, &proof).await?.granted()?;
    present(world, &proof).await?.refused(REFUSED, "the same proof again")
}

async fn long_jti(world: &World) -> Verdict {
    let answer = changed(world, |_, claims| claims["jti"] = "x".repeat(10_000).into()).await?;
    answer.is(&[400, 413, 431], "a jti of 10 kB")
}

async fn short_life(world: &World) -> Verdict {
    offered(world)?;
    let service = world.client(&world.profile.clients.service)?;
    let answer = world.own_token(service)?.dpop(&world.key).send().await?.granted()?;
    let life = answer.json["expires_in"].as_u64().unwrap_or(u64::MAX);
    demand!(life <= 3600, "expires_in is {life}");
    Ok(())
}

async fn no_authentication(world: &World) -> Verdict {
    offered(world)?;
    let service = world.client(&world.profile.clients.service)?;
    let request = world.post_unknown("token_endpoint")?.with("grant_type", "client_credentials");
    let answer = request.with("client_id", &service.id).dpop(&world.key).send().await?;
    answer.refused(&["invalid_client"], "a proof and a client_id")
}
