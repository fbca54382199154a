//! FAPI 2.0: the Security Profile, and Message Signing. Each check speaks as a client that is registered for it.

use serde_json::{Map, Value, json};

use crate::browser::{Browser, Landing};
use crate::check::{Problem, Verdict, skip};
use crate::flow::Authorization;
use crate::jose;
use crate::post::{self, Post};
use crate::profile::{Authentication, Client};
use crate::world::{World, well_known};
use crate::{checks, demand};

checks! {
    "R-FAPI-3" Must "FAPI 2.0 SP §5.3.2.1" "Metadata is published, in both places, and says the same." => metadata;
    "R-FAPI-4" Must "FAPI 2.0 SP §5.3.2.1" "Without a proof there is no token." => bound;
    "R-FAPI-5" Must "FAPI 2.0 SP §5.3.2.1" "The password grant is refused." => no_password;
    "R-FAPI-6" Must "FAPI 2.0 SP §5.3.2.1" "A secret or a client_id alone does not authenticate the client." => authenticated;
    "R-FAPI-7" Must "FAPI 2.0 SP §5.3.2.1" "An address that is not registered is not redirected to." => no_open_redirector;
    "R-FAPI-8" Must "FAPI 2.0 SP §5.3.2.1" "The audience of a client assertion is the issuer, as a text." => audience;
    "R-FAPI-9" Must "FAPI 2.0 SP §5.3.2.1" "Refresh tokens do not rotate." => no_rotation;
    "R-FAPI-11" Must "FAPI 2.0 SP §5.3.2.1" "A code is over after a minute." => short_code;
    "R-FAPI-12" Must "FAPI 2.0 SP §5.3.2.1" "A code is bound to a key by dpop_jkt, and by a proof at PAR." => bound_code;
    "R-FAPI-13" Must "FAPI 2.0 SP §5.3.2.1" "nbf and iat may lie ten seconds ahead, and not more than a minute." => ahead;
    "R-FAPI-15" Must "FAPI 2.0 SP §5.3.2.2" "Only response_type=code." => only_code;
    "R-FAPI-16" Must "FAPI 2.0 SP §5.3.2.2" "Requests are pushed, by clients that authenticate." => pushed;
    "R-FAPI-17" Must "FAPI 2.0 SP §5.3.2.2" "PKCE with S256, and the verifier counts." => pkce;
    "R-FAPI-18" Must "FAPI 2.0 SP §5.3.2.2" "redirect_uri is pushed, and nothing outside the push counts." => pushed_only;
    "R-FAPI-19" Must "FAPI 2.0 SP §5.3.2.2" "Codes and references are of use to their own client only." => own_client;
    "R-FAPI-20" Must "FAPI 2.0 SP §5.3.2.2" "GET at PAR is 405, a request_uri cannot be pushed, and a reference ends." => push_refused;
    "R-FAPI-21" Must "FAPI 2.0 SP §5.3.2.2" "Responses name the issuer, when the user says yes and when no." => issuer;
    "R-FAPI-22" Must "FAPI 2.0 SP §5.3.2.2" "A plain http redirect URI is refused." => no_http;
    "R-FAPI-23" Must "FAPI 2.0 SP §5.3.2.2" "A code that was used is refused." => used_code;
    "R-FAPI-24" Must "FAPI 2.0 SP §5.3.2.2" "No redirect on the way is 307 or 308." => no_307;
    "R-FAPI-25" Must "FAPI 2.0 SP §5.3.2.2" "A user may deny; without state and nonce none comes back." => denied;
    "R-FAPI-26" Must "FAPI 2.0 SP §5.3.2.2" "A reference lives less than ten minutes." => short_reference;
    "R-FAPI-27" Should "FAPI 2.0 SP §5.3.2.2" "Loading the page does not use up a reference." => look;
    "R-FAPI-29" Must "FAPI 2.0 SP §5.3.2.2" "A nonce of 64 characters comes back whole; a longer one does, or is refused." => nonce;
    "R-FAPI-30" Must "FAPI 2.0 SP §5.3.2.3" "Who the user is, only an ID token tells." => only_openid;
    "R-FAPI-34" Must "FAPI 2.0 SP §5.3.4" "A token in a query opens nothing, and one in the header only with its proof." => resource;
    "R-FAPI-35" Must "FAPI 2.0 SP §5.3.2.1" "An assertion without sub, or that is over, is refused." => assertions;
    "R-FAPIMS-1" Must "FAPI 2.0 MS §5.3.1" "A request that is not signed cannot be pushed." => signed;
    "R-FAPIMS-2" Must "FAPI 2.0 MS §5.3.1" "The audience of an object is the issuer, or has it in it." => object_audience;
    "R-FAPIMS-3" Must "FAPI 2.0 MS §5.3.1" "nbf is there and at most an hour ago." => not_before;
    "R-FAPIMS-4" Must "FAPI 2.0 MS §5.3.1" "exp is there and at most an hour after nbf." => expiry;
    "R-FAPIMS-5" Must "FAPI 2.0 MS §5.3.1" "An object may say its type, or not." => object_type;
    "R-FAPIMS-7" Must "FAPI 2.0 MS §5.4.1" "Responses are signed, and plain ones cannot be asked for." => signed_response;
    "R-FAPIMS-9" Must "FAPI 2.0 MS §5.6" "ID tokens are signed with PS256, ES256 or EdDSA." => id_token;
}

fn client(world: &World) -> Result<&Client, Problem> {
    let client = world.client(&world.profile.clients.fapi)?;
    if client.authentication != Authentication::PrivateKeyJwt {
        return skip("the client does not use private_key_jwt");
    }
    Ok(client)
}

/// A good request for tokens that are bound to the suite's key.
fn asked(world: &World) -> Result<Authorization<'_>, Problem> {
    let asked = world.authorize(client(world)?).with("scope", "openid").without("resource");
    Ok(asked.with("nonce", "a nonce").bound())
}

/// Pushes; the URL that begins what was pushed.
async fn push(asked: &Authorization<'_>) -> Result<String, Problem> {
    let answer = asked.push()?.send().await?;
    answer.is(&[201], "a good push")?;
    asked.pushed_url(answer.text("request_uri"))
}

/// Pushes, and comes back from the pages.
async fn landing(asked: &Authorization<'_>) -> Result<Landing, Problem> {
    asked.follow(&push(asked).await?).await
}

/// A code.
async fn code(asked: &Authorization<'_>) -> Result<String, Problem> {
    let landing = landing(asked).await?;
    demand!(!landing.param("code").is_empty(), "a code was expected, but: {}", landing.url);
    Ok(landing.param("code").to_owned())
}

/// A push that authenticates with this assertion.
fn asserted<'w>(asked: &Authorization<'w>, claims: &Value) -> Result<Post<'w>, Problem> {
    let assertion = post::assertion(&asked.client.key()?, claims)?;
    Ok(asked.push()?.with("client_assertion_type", post::ASSERTION_TYPE).with("client_assertion", &assertion))
}

async fn metadata(world: &World) -> Verdict {
    client(world)?;
    let mut told = Vec::new();
    for place in well_known(&world.issuer) {
        let answer = world.get(&place).await?;
        answer.is(&[200], &place)?;
        told.push(answer.json);
    }
    demand!(told[0]["issuer"] == told[1]["issuer"], "two issuers");
    demand!(told[0]["token_endpoint"] == told[1]["token_endpoint"], "two token endpoints");
    Ok(())
}

async fn bound(world: &World) -> Verdict {
    let mut asked = asked(world)?;
    let code = code(&asked).await?;
    let key = asked.key.take();
    asked
        .redeem(&code)?
        .send()
        .await?
        .refused(&["invalid_request", "invalid_dpop_proof"], "without a proof")?;
    asked.key = key;
    let tokens = asked.redeem(&code)?.send().await?.granted()?;
    demand!(
        tokens.text("token_type").eq_ignore_ascii_case("DPoP"),
        "token_type is {}",
        tokens.text("token_type")
    );
    Ok(())
}

async fn no_password(world: &World) -> Verdict {
    let request = world.token(client(world)?, "password")?.dpop(&world.key);
    let request =
        request.with("username", &world.profile.user.username).with("password", &world.profile.user.password);
    request.send().await?.refused(&["unsupported_grant_type", "unauthorized_client"], "password")
}

async fn authenticated(world: &World) -> Verdict {
    let client = client(world)?;
    let request =
        || world.post_unknown("token_endpoint").map(|post| post.with("grant_type", "client_credentials"));
    let basic = request()?.header("Authorization", &post::basic(&client.id, "secret"));
    basic.send().await?.refused(&["invalid_client"], "Basic")?;
    let body = request()?.with("client_id", &client.id).with("client_secret", "secret");
    body.send().await?.refused(&["invalid_client"], "a secret in the body")?;
    request()?.with("client_id", &client.id).send().await?.refused(&["invalid_client"], "its client_id alone")
}

async fn no_open_redirector(world: &World) -> Verdict {
    asked(world)?.with("redirect_uri", "https://evil.example/cb").stays().await?;
    let evil = asked(world)?.with("redirect_uri", "https://evil.example/cb").push()?.send().await?;
    evil.refused(&["invalid_request"], "pushed")
}

async fn audience(world: &World) -> Verdict {
    let asked = asked(world)?;
    let good = post::assertion_claims(&asked.client.id, &world.issuer, world.now());
    asserted(&asked, &good)?.send().await?.is(&[201], "the issuer")?;
    for wrong in [
        json!([world.issuer]),
        json!([world.issuer, "https://other.example"]),
        world.told("token_endpoint").clone(),
        world.told("pushed_authorization_request_endpoint").clone(),
        json!(format!("{}/x", world.issuer)),
    ] {
        let mut claims = post::assertion_claims(&asked.client.id, &world.issuer, world.now());
        claims["aud"] = wrong.clone();
        asserted(&asked, &claims)?.send().await?.refused(&["invalid_client"], &wrong.to_string())?;
    }
    Ok(())
}

async fn no_rotation(world: &World) -> Verdict {
    let asked = asked(world)?.with("scope", "openid offline_access").with("prompt", "consent");
    let tokens = asked.redeem(&code(&asked).await?)?.send().await?.granted()?;
    if tokens.text("refresh_token").is_empty() {
        return skip("there is no refresh token");
    }
    for time in ["once", "twice", "three times"] {
        let refresh = world.token(asked.client, "refresh_token")?.dpop(&world.key);
        let again = refresh.with("refresh_token", tokens.text("refresh_token")).send().await?;
        demand!(again.status == 200, "{time}: {}", again.brief());
    }
    Ok(())
}

async fn short_code(world: &World) -> Verdict {
    let asked = asked(world)?;
    let code = code(&asked).await?;
    world.clock.pass(61).await;
    asked.redeem(&code)?.send().await?.refused(&["invalid_grant"], "after a minute")
}

async fn bound_code(world: &World) -> Verdict {
    let refusals = ["invalid_grant", "invalid_dpop_proof"];
    let by_name = asked(world)?.with("dpop_jkt", &world.key.thumbprint());
    let code_of_name = code(&by_name).await?;
    let mut stolen = by_name.clone();
    stolen.key = Some(&world.other_key);
    stolen.redeem(&code_of_name)?.send().await?.refused(&refusals, "with dpop_jkt and another key")?;
    by_name.redeem(&code_of_name)?.send().await?.granted()?;
    let by_proof = asked(world)?;
    let answer = by_proof.push()?.dpop(&world.key).send().await?;
    answer.is(&[201], "a push with a proof")?;
    let landing = by_proof.follow(&by_proof.pushed_url(answer.text("request_uri"))?).await?;
    let mut stolen = by_proof.clone();
    stolen.key = Some(&world.other_key);
    let code = landing.param("code");
    stolen.redeem(code)?.send().await?.refused(&refusals, "pushed with a proof, and another key")?;
    by_proof.redeem(code)?.send().await?.granted().map(|_| ())
}

async fn ahead(world: &World) -> Verdict {
    let asked = asked(world)?;
    for (name, seconds, fine) in [("nbf", 8, true), ("iat", 8, true), ("nbf", 70, false), ("iat", 70, false)]
    {
        let mut claims = post::assertion_claims(&asked.client.id, &world.issuer, world.now());
        claims[name] = (world.now() + seconds).into();
        claims["exp"] = (world.now() + 200).into();
        let answer = asserted(&asked, &claims)?.send().await?;
        if fine {
            answer.is(&[201], &format!("{name} {seconds} seconds ahead"))?;
        } else {
            answer.refused(&["invalid_client"], &format!("{name} {seconds} seconds ahead"))?;
        }
    }
    Ok(())
}

async fn only_code(world: &World) -> Verdict {
    for wrong in ["token", "code id_token", "id_token"] {
        let answer = asked(world)?.with("response_type", wrong).push()?.send().await?;
        answer.refused(&["unsupported_response_type", "unauthorized_client", "invalid_request"], wrong)?;
    }
    Ok(())
}

async fn pushed(world: &World) -> Verdict {
    let asked = asked(world)?;
    let answer = asked.open().await?;
    let location = answer.header("location");
    demand!(
        answer.status >= 400 || location.contains("error=invalid_request"),
        "not pushed: {} {location}",
        answer.brief()
    );
    let mut anonymous = world.post_unknown("pushed_authorization_request_endpoint")?;
    for (name, value) in &asked.params {
        anonymous = anonymous.and(name, value);
    }
    anonymous.send().await?.refused(&["invalid_client"], "pushed without authentication")?;
    code(&asked).await.map(|_| ())
}

async fn pkce(world: &World) -> Verdict {
    asked(world)?
        .without_challenge()
        .push()?
        .send()
        .await?
        .refused(&["invalid_request"], "without a challenge")?;
    let plain = asked(world)?.with("code_challenge_method", "plain").push()?.send().await?;
    plain.refused(&["invalid_request"], "plain")?;
    let asked = asked(world)?;
    let code = code(&asked).await?;
    let wrong = asked.redeem(&code)?.with("code_verifier", &jose::fresh()).send().await?;
    wrong.refused(&["invalid_grant"], "a wrong verifier")?;
    let none = asked.redeem(&code)?.without("code_verifier").send().await?;
    none.refused(&["invalid_grant", "invalid_request"], "no verifier")
}

async fn pushed_only(world: &World) -> Verdict {
    asked(world)?
        .without("redirect_uri")
        .push()?
        .send()
        .await?
        .refused(&["invalid_request"], "without redirect_uri")?;
    let asked = asked(world)?.without("state");
    let landing = asked.follow(&format!("{}&state=outside", push(&asked).await?)).await?;
    demand!(landing.param("state").is_empty() && !landing.param("code").is_empty(), "{}", landing.url);
    Ok(())
}

async fn own_client(world: &World) -> Verdict {
    let other = world.client(&world.profile.clients.web)?;
    let asked = asked(world)?;
    let answer = asked.push()?.send().await?;
    let mut theirs = asked.clone();
    theirs.client = other;
    let url = theirs.pushed_url(answer.text("request_uri"))?;
    let page = Browser::new(world.http.clone()).get(&url).await?;
    demand!(page.status >= 400 && page.header("location").is_empty(), "another client's: {}", page.brief());
    let code = code(&asked).await?;
    theirs.redeem(&code)?.send().await?.refused(&["invalid_grant"], "another client redeems")?;
    let renamed = asked.redeem(&code)?.with("client_id", &other.id).send().await?;
    renamed.refused(&["invalid_client", "invalid_request"], "another client_id")?;
    asked.redeem(&code)?.send().await?.granted().map(|_| ())
}

async fn push_refused(world: &World) -> Verdict {
    let asked = asked(world)?;
    world.get(world.endpoint("pushed_authorization_request_endpoint")?).await?.is(&[405], "GET")?;
    let nested = asked.push()?.with("request_uri", "urn:ietf:params:oauth:request_uri:x").send().await?;
    nested.refused(&["invalid_request"], "a request_uri")?;
    let answer = asked.push()?.send().await?;
    world.clock.pass(answer.json["expires_in"].as_u64().unwrap_or(600) + 1).await;
    let late = Browser::new(world.http.clone()).get(&asked.pushed_url(answer.text("request_uri"))?).await?;
    demand!(
        late.status >= 400 || late.header("location").contains("error="),
        "when it is over: {}",
        late.brief()
    );
    Ok(())
}

/// Comes back from the pages after the user denied.
async fn refusal(asked: &Authorization<'_>) -> Result<Landing, Problem> {
    let url = push(asked).await?;
    asked.world.browser.lock().await.denies = true;
    let landing = asked.follow(&url).await;
    asked.world.browser.lock().await.denies = false;
    landing
}

async fn issuer(world: &World) -> Verdict {
    let asked = asked(world)?.with("prompt", "consent");
    for landing in [landing(&asked).await?, refusal(&asked).await?] {
        demand!(landing.param("iss") == world.issuer, "{}", landing.url);
    }
    Ok(())
}

async fn no_http(world: &World) -> Verdict {
    let answer = asked(world)?.with("redirect_uri", "http://rp.example/cb").push()?.send().await?;
    answer.refused(&["invalid_request"], "plain http")
}

async fn used_code(world: &World) -> Verdict {
    let asked = asked(world)?;
    let code = code(&asked).await?;
    asked.redeem(&code)?.send().await?.granted()?;
    world.clock.pass(1).await;
    asked.redeem(&code)?.send().await?.refused(&["invalid_grant"], "a second time")
}

async fn no_307(world: &World) -> Verdict {
    let asked = asked(world)?.with("prompt", "login consent");
    let landing = landing(&asked).await?;
    let statuses: Vec<u16> =
        landing.pages.iter().map(|page| page.status).filter(|s| (300..400).contains(s)).collect();
    demand!(!statuses.is_empty() && !statuses.iter().any(|s| [307, 308].contains(s)), "{statuses:?}");
    Ok(())
}

async fn denied(world: &World) -> Verdict {
    let asked = asked(world)?.without("state").without("nonce").with("prompt", "consent");
    let denied = refusal(&asked).await?;
    demand!(denied.param("error") == "access_denied", "{}", denied.url);
    let granted = landing(&asked).await?;
    for landing in [&denied, &granted] {
        demand!(!landing.params.contains_key("state"), "{}", landing.url);
    }
    let tokens = asked.redeem(granted.param("code"))?.send().await?.granted()?;
    let said = jose::payload(tokens.text("id_token"))?;
    demand!(said.get("nonce").is_none(), "nonce is {}", said["nonce"]);
    Ok(())
}

async fn short_reference(world: &World) -> Verdict {
    let answer = asked(world)?.push()?.send().await?;
    let life = &answer.json["expires_in"];
    demand!(life.as_u64().is_some_and(|s| s > 0 && s < 600), "expires_in is {life}");
    Ok(())
}

async fn look(world: &World) -> Verdict {
    let asked = asked(world)?;
    let url = push(&asked).await?;
    for _ in 0..2 {
        Browser::new(world.http.clone()).get(&url).await?;
    }
    let landing = asked.follow(&url).await?;
    demand!(!landing.param("code").is_empty(), "{}", landing.url);
    Ok(())
}

async fn nonce(world: &World) -> Verdict {
    for length in [64, 384] {
        let nonce = "n".repeat(length);
        let asked = asked(world)?.with("nonce", &nonce);
        let answer = asked.push()?.send().await?;
        if length > 64 && answer.status == 400 {
            continue;
        }
        answer.is(&[201], "a nonce")?;
        let landing = asked.follow(&asked.pushed_url(answer.text("request_uri"))?).await?;
        let tokens = asked.redeem(landing.param("code"))?.send().await?.granted()?;
        let said = jose::payload(tokens.text("id_token"))?;
        demand!(said["nonce"] == nonce.as_str(), "{length}: it came back as {}", said["nonce"]);
    }
    Ok(())
}

async fn only_openid(world: &World) -> Verdict {
    let with = asked(world)?;
    let tokens = with.redeem(&code(&with).await?)?.send().await?.granted()?;
    let user = jose::payload(tokens.text("id_token"))?["sub"].as_str().unwrap_or_default().to_owned();
    demand!(!user.is_empty(), "with openid there is no ID token");
    let without = asked(world)?.without("nonce").with("scope", &world.targets().scope);
    let without = without.with("resource", &world.targets().resource);
    let mut plain = without.redeem(&code(&without).await?)?.send().await?.granted()?.json;
    demand!(plain.get("id_token").is_none(), "without openid there is an ID token");
    // The access token is not for the client to read.
    plain.as_object_mut().and_then(|members| members.remove("access_token"));
    demand!(!plain.to_string().contains(&user), "the response names the user");
    Ok(())
}

async fn resource(world: &World) -> Verdict {
    let asked = asked(world)?;
    let tokens = asked.redeem(&code(&asked).await?)?.send().await?.granted()?;
    let (token, url) = (tokens.token(), world.endpoint("userinfo_endpoint")?);
    world.get(&format!("{url}?access_token={token}")).await?.is(&[400, 401], "in the query")?;
    world
        .call(url, &[("Authorization", &format!("Bearer {token}"))])
        .await?
        .is(&[401], "as a bearer token")?;
    for scheme in ["DPoP", "dpop"] {
        let mut answer = None;
        // The first answer may only bring a nonce.
        for _ in 0..2 {
            let proof = world.resource_proof(&world.key, url, token)?;
            let headers = [("Authorization", format!("{scheme} {token}")), ("DPoP", proof)];
            let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            answer = Some(world.call(url, &headers).await?);
        }
        let Some(answer) = answer else { continue };
        answer.is(&[200], scheme)?;
    }
    Ok(())
}

async fn assertions(world: &World) -> Verdict {
    let asked = asked(world)?;
    for (name, value) in [("sub", None), ("iss", None), ("exp", Some(world.now() - 300)), ("exp", None)] {
        let mut claims = post::assertion_claims(&asked.client.id, &world.issuer, world.now());
        match (value, claims.as_object_mut()) {
            (Some(value), Some(members)) => members.insert(name.to_owned(), value.into()),
            (None, Some(members)) => members.remove(name),
            _ => None,
        };
        asserted(&asked, &claims)?
            .send()
            .await?
            .refused(&["invalid_client"], &format!("{name}: {value:?}"))?;
    }
    Ok(())
}

/// What a client of Message Signing asks.
fn signer(world: &World) -> Result<Authorization<'_>, Problem> {
    let client = world.client(&world.profile.clients.message_signing)?;
    let asked = world.authorize(client).with("scope", "openid").without("resource").with("nonce", "a nonce");
    Ok(asked.with("response_mode", "jwt").bound())
}

/// The claims of a good object.
fn object(asked: &Authorization<'_>) -> Map<String, Value> {
    let mut claims: Map<String, Value> =
        asked.params.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let (issuer, now) = (&asked.world.issuer, asked.world.now());
    let frame = json!({
        "iss": asked.client.id, "aud": issuer, "iat": now, "nbf": now, "exp": now + 300, "jti": jose::fresh(),
    });
    claims.extend(frame.as_object().cloned().unwrap_or_default());
    claims
}

/// Pushes an object of these claims, with this type.
fn push_object<'w>(
    world: &'w World,
    asked: &Authorization<'w>,
    typ: Option<&str>,
    claims: Map<String, Value>,
) -> Result<Post<'w>, Problem> {
    let key = asked.client.key()?;
    let mut header = json!({ "alg": key.alg });
    if let Some(kid) = key.kid() {
        header["kid"] = kid.into();
    }
    if let Some(typ) = typ {
        header["typ"] = typ.into();
    }
    let request = world.post("pushed_authorization_request_endpoint", asked.client)?;
    Ok(request.with("request", &key.sign(&header, &Value::Object(claims))?))
}

/// Pushes an object in which one claim is another, or is not there; it is taken, or not.
async fn with_claim(world: &World, name: &str, value: Option<Value>, fine: bool) -> Verdict {
    let asked = signer(world)?;
    let mut claims = object(&asked);
    let what = format!("{name}: {value:?}");
    match value {
        Some(value) => claims.insert(name.to_owned(), value),
        None => claims.remove(name),
    };
    let answer = push_object(world, &asked, Some("oauth-authz-req+jwt"), claims)?.send().await?;
    if fine { answer.is(&[201], &what) } else { answer.refused(&["invalid_request_object"], &what) }
}

async fn signed(world: &World) -> Verdict {
    let asked = signer(world)?;
    asked.push()?.send().await?.refused(&["invalid_request"], "plain parameters")?;
    let answer = push_object(world, &asked, Some("oauth-authz-req+jwt"), object(&asked))?.send().await?;
    answer.is(&[201], "an object")
}

async fn object_audience(world: &World) -> Verdict {
    with_claim(world, "aud", Some(json!("https://other.example")), false).await?;
    with_claim(world, "aud", Some(json!(["https://other.example", world.issuer])), true).await
}

async fn not_before(world: &World) -> Verdict {
    let now = world.now();
    with_claim(world, "nbf", None, false).await?;
    with_claim(world, "nbf", Some(json!(now - 61 * 60)), false).await?;
    with_claim(world, "nbf", Some(json!(now + 8)), true).await
}

async fn expiry(world: &World) -> Verdict {
    let now = world.now();
    with_claim(world, "exp", None, false).await?;
    with_claim(world, "exp", Some(json!(now + 61 * 60)), false).await?;
    with_claim(world, "exp", Some(json!(now - 300)), false).await?;
    with_claim(world, "exp", Some(json!(now + 59 * 60)), true).await
}

async fn object_type(world: &World) -> Verdict {
    for typ in [Some("oauth-authz-req+jwt"), None] {
        let asked = signer(world)?;
        let answer = push_object(world, &asked, typ, object(&asked))?.send().await?;
        answer.is(&[201], &format!("{typ:?}"))?;
    }
    Ok(())
}

async fn signed_response(world: &World) -> Verdict {
    let asked = signer(world)?;
    let plain = asked.clone().with("response_mode", "query");
    let answer = push_object(world, &plain, None, object(&plain))?.send().await?;
    answer.refused(&["invalid_request", "invalid_request_object"], "response_mode=query")?;
    let answer = push_object(world, &asked, None, object(&asked))?.send().await?;
    answer.is(&[201], "response_mode=jwt")?;
    let landing = asked.follow(&asked.pushed_url(answer.text("request_uri"))?).await?;
    let names: Vec<&str> = landing.params.keys().map(String::as_str).collect();
    demand!(names == ["response"], "beside the signed response: {names:?}");
    jose::verify(landing.param("response"), &world.jwks)?;
    let said = jose::payload(landing.param("response"))?;
    demand!(said["iss"] == world.issuer.as_str() && said["code"].is_string(), "it says {said}");
    Ok(())
}

async fn id_token(world: &World) -> Verdict {
    let asked = signer(world)?;
    let answer = push_object(world, &asked, None, object(&asked))?.send().await?;
    let landing = asked.follow(&asked.pushed_url(answer.text("request_uri"))?).await?;
    let said = jose::payload(landing.param("response"))?;
    let tokens = asked.redeem(said["code"].as_str().unwrap_or_default())?.send().await?.granted()?;
    let alg = jose::header(tokens.text("id_token"))?["alg"].clone();
    demand!(["PS256", "ES256", "EdDSA"].iter().any(|fit| alg == *fit), "alg is {alg}");
    jose::verify(tokens.text("id_token"), &world.jwks)?;
    Ok(())
}
