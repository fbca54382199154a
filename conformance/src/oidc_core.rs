//! OpenID Connect Core 1.0.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::browser::{Browser, asks_to_sign_in};
use crate::check::{Problem, Verdict, skip};
use crate::flow::Authorization;
use crate::world::World;
use crate::{checks, demand, jose};

checks! {
    "R-OIDC-1" Must "OIDC Core §2" "iss of the ID token is the issuer of the metadata." => issuer;
    "R-OIDC-2" Must "OIDC Core §2" "sub has at most 255 ASCII characters." => subject;
    "R-OIDC-3" Must "OIDC Core §2" "aud holds the client_id." => audience;
    "R-OIDC-4" Must "OIDC Core §2" "exp and iat are numbers." => times;
    "R-OIDC-5" Must "OIDC Core §2" "With max_age there is auth_time." => auth_time;
    "R-OIDC-6" Must "OIDC Core §2" "nonce comes back unchanged." => nonce;
    "R-OIDC-7" Must "OIDC Core §3.1.2.1" "nonce is optional, and then not in the ID token." => no_nonce;
    "R-OIDC-8" Must "OIDC Core §2" "acr is a text, amr a list of texts, azp absent or the client." => acr_and_amr;
    "R-OIDC-9" Must "OIDC Core §3.1.3.6" "at_hash, where it is there, is the left half of the access token's hash." => at_hash;
    "R-OIDC-12" Should "OIDC Core §2" "No keys or URLs of keys in the header; no null and nothing empty in the claims." => lean;
    "R-OIDC-13" Must "OIDC Core §3.1.2.1" "The authorization endpoint takes POST as well as GET." => post_too;
    "R-OIDC-14" Must "OIDC Core §3.1.2.6" "prompt=none shows no page: login_required where nobody is signed in, a code where nothing is to be asked." => prompt_none;
    "R-OIDC-15" Must "OIDC Core §3.1.2.1" "prompt=login asks to sign in again, and auth_time is new." => prompt_login;
    "R-OIDC-16" Must "OIDC Core §3.1.2.1" "prompt=none beside another value is invalid_request; prompt=consent asks again." => prompt_values;
    "R-OIDC-17" Must "OIDC Core §15.1" "display changes nothing." => display;
    "R-OIDC-19" Must "OIDC Core §3.1.2.1" "max_age makes an older login count no more." => max_age;
    "R-OIDC-20" Must "OIDC Core §3.1.2.1" "max_age=0 asks to sign in again; a max_age that is no number is refused." => max_age_values;
    "R-OIDC-21" Must "OIDC Core §3.1.2.1" "prompt=none with an older login than max_age is login_required." => none_and_max_age;
    "R-OIDC-22" Must "OIDC Core §3.1.2.2" "A forged id_token_hint is refused." => forged_hint;
    "R-OIDC-26" Must "OIDC Core §15.1" "ui_locales, claims_locales, acr_values and login_hint cause no error." => hints;
    "R-OIDC-27" Must "OIDC Core §3.1.2.1" "Without the scope openid there is no ID token." => no_openid;
    "R-OIDC-30" Must "OIDC Core §3.1.2.1" "The order of scopes does not matter." => order;
    "R-OIDC-33" Must "OIDC Core §3.1.2.5" "The code comes in the query." => in_query;
    "R-OIDC-34" Must "OIDC Core §3.1.2.6" "An unsupported response_mode is 400 and no redirect." => response_mode;
    "R-OIDC-35" Must "OIDC Core §3.1.2.6" "Whoever denies sends back access_denied, with state." => denied;
    "R-OIDC-36" Must "OIDC Core §5.3" "userinfo takes GET and POST." => userinfo_methods;
    "R-OIDC-37" Must "OIDC Core §5.3.3" "userinfo refuses a token without openid, and garbage." => userinfo_refuses;
    "R-OIDC-38" Must "OIDC Core §5.3.2" "sub of userinfo is that of the ID token." => same_subject;
    "R-OIDC-39" Should "OIDC Core §5.3.2" "userinfo has no null and nothing empty." => userinfo_lean;
    "R-OIDC-40" Must "OIDC Core §5.3.2" "userinfo is JSON." => userinfo_json;
    "R-OIDC-41" Must "OIDC Core §5.4" "The claims of profile and email come from userinfo." => scope_claims;
    "R-OIDC-42" Should "OIDC Core §5.3" "userinfo can be called from other origins." => userinfo_cors;
    "R-OIDC-45" Must "OIDC Core §6" "Where request and request_uri are not supported, they are refused as such." => no_request_objects;
    "R-OIDC-47" Must "OIDC Core §8" "The subject types are published." => subject_types;
    "R-OIDC-52" Must "OIDC Core §10.1" "The ID token names its key and verifies." => verifies;
    "R-OIDC-57" Must "OIDC Core §11" "offline_access gives a refresh token after consent; without it there is none." => offline_access;
    "R-OIDC-62" Must "OIDC Core §3.1.3.2" "A code that was used gives no second ID token." => used_code;
    "R-OIDC-63" Must "OIDC Core §3.1.3.3" "The token response has an ID token." => id_token_there;
    "R-OIDC-64" Must "OIDC Core §16.22" "No redirect is by 307." => crate::oauth21::no_307;
}

fn asked(world: &World) -> Result<Authorization<'_>, Problem> {
    world.needs("scopes_supported", "openid")?;
    let web = world.client(&world.profile.clients.web)?;
    Ok(world.authorize(web).with("scope", "openid").without("resource"))
}

async fn claims(world: &World) -> Result<Value, Problem> {
    asked(world)?;
    Ok(jose::payload(world.openid_tokens().await?.text("id_token"))?)
}

async fn fresh_claims(asked: &Authorization<'_>) -> Result<Value, Problem> {
    Ok(jose::payload(asked.tokens().await?.text("id_token"))?)
}

async fn issuer(world: &World) -> Verdict {
    let iss = claims(world).await?["iss"].clone();
    demand!(iss == *world.told("issuer"), "iss is {iss}");
    Ok(())
}

async fn subject(world: &World) -> Verdict {
    let claims = claims(world).await?;
    let sub = claims["sub"].as_str().unwrap_or_default();
    demand!(!sub.is_empty() && sub.is_ascii() && sub.len() <= 255, "sub is {sub:?}");
    Ok(())
}

async fn audience(world: &World) -> Verdict {
    let claims = claims(world).await?;
    let web = world.client(&world.profile.clients.web)?;
    demand!(crate::rfc8707::audiences(&claims).contains(&web.id.as_str()), "aud is {}", claims["aud"]);
    Ok(())
}

async fn times(world: &World) -> Verdict {
    let claims = claims(world).await?;
    demand!(claims["exp"].is_number() && claims["iat"].is_number(), "exp or iat is no number");
    Ok(())
}

async fn auth_time(world: &World) -> Verdict {
    let claims = fresh_claims(&asked(world)?.with("max_age", "10000")).await?;
    demand!(claims["auth_time"].is_number(), "auth_time is {}", claims["auth_time"]);
    Ok(())
}

async fn nonce(world: &World) -> Verdict {
    for sent in ["n-0S6_WzA2Mj".to_owned(), "x".repeat(64), "a b+\u{fc}/%".to_owned()] {
        let nonce = fresh_claims(&asked(world)?.with("nonce", &sent)).await?["nonce"].clone();
        demand!(nonce == sent, "{sent:?} came back as {nonce}");
    }
    Ok(())
}

async fn no_nonce(world: &World) -> Verdict {
    let claims = fresh_claims(&asked(world)?).await?;
    demand!(claims.get("nonce").is_none(), "there is a nonce");
    Ok(())
}

async fn acr_and_amr(world: &World) -> Verdict {
    let claims = fresh_claims(&asked(world)?.with("max_age", "10000")).await?;
    demand!(claims.get("acr").is_none_or(Value::is_string), "acr is {}", claims["acr"]);
    let texts = |list: &Value| list.as_array().is_some_and(|list| list.iter().all(Value::is_string));
    demand!(claims.get("amr").is_none_or(texts), "amr is {}", claims["amr"]);
    let web = world.client(&world.profile.clients.web)?;
    demand!(claims.get("azp").is_none_or(|azp| *azp == web.id.as_str()), "azp is {}", claims["azp"]);
    Ok(())
}

async fn at_hash(world: &World) -> Verdict {
    let tokens = asked(world)?.tokens().await?;
    let id_token = tokens.text("id_token");
    let (header, claims) = (jose::header(id_token)?, jose::payload(id_token)?);
    let alg = header["alg"].as_str().unwrap_or_default();
    if !alg.ends_with("256") || claims["at_hash"].is_null() {
        return skip("there is no at_hash by SHA-256");
    }
    demand!(claims["at_hash"] == jose::half_sha256(tokens.token()), "at_hash is {}", claims["at_hash"]);
    Ok(())
}

async fn lean(world: &World) -> Verdict {
    let tokens = world.openid_tokens().await?;
    let header = jose::header(tokens.text("id_token"))?;
    let key = ["x5u", "x5c", "jku", "jwk"].iter().find(|name| header.get(**name).is_some());
    demand!(key.is_none(), "the header has {key:?}");
    is_lean(&jose::payload(tokens.text("id_token"))?)
}

fn is_lean(claims: &Value) -> Verdict {
    for (name, value) in claims.as_object().into_iter().flatten() {
        demand!(!value.is_null() && *value != "" && *value != json!([]), "{name} is {value}");
    }
    Ok(())
}

async fn post_too(world: &World) -> Verdict {
    let asked = asked(world)?;
    let url = world.endpoint("authorization_endpoint")?;
    let mut browser = Browser::new(world.http.clone());
    let answer = browser.post(url, &asked.params).await?;
    demand!(answer.status < 400, "{}", answer.brief());
    let foreign = world.http.post(url).header("origin", "https://app.example").form(&asked.params);
    let foreign = Answer::read(foreign.header("sec-fetch-site", "cross-site").send().await?).await?;
    demand!(foreign.status < 400, "from the client's own page: {}", foreign.brief());
    Ok(())
}

async fn prompt_none(world: &World) -> Verdict {
    let landing = asked(world)?.with("prompt", "none").refused(&["login_required"]).await?;
    demand!(!landing.param("state").is_empty(), "there is no state");
    asked(world)?.code().await?;
    let landing = asked(world)?.with("prompt", "none").finish().await?;
    demand!(!landing.param("code").is_empty(), "signed in and approved before: {}", landing.url);
    Ok(())
}

async fn prompt_login(world: &World) -> Verdict {
    let before = fresh_claims(&asked(world)?.with("max_age", "10000")).await?["auth_time"].as_i64();
    world.clock.pass(2).await;
    let again = asked(world)?.with("prompt", "login").with("max_age", "10000");
    let landing = again.finish().await?;
    let asked = landing.pages.iter().any(|page| asks_to_sign_in(&page.text, &world.profile.pages));
    demand!(asked, "nobody was asked to sign in");
    let tokens = again.redeem(landing.param("code"))?.send().await?.granted()?;
    let after = jose::payload(tokens.text("id_token"))?["auth_time"].as_i64();
    demand!(after > before, "auth_time was {before:?} and is {after:?}");
    Ok(())
}

async fn prompt_values(world: &World) -> Verdict {
    asked(world)?.with("prompt", "none login").refused(&["invalid_request"]).await?;
    asked(world)?.code().await?;
    let landing = asked(world)?.with("prompt", "consent").finish().await?;
    let ids = &world.profile.pages;
    let asked_again = landing.pages.iter().any(|page| crate::forms::has(&page.text, &ids.approve));
    demand!(asked_again, "prompt=consent showed no consent page");
    Ok(())
}

async fn display(world: &World) -> Verdict {
    for value in ["page", "popup", "touch", "wap"] {
        asked(world)?.with("display", value).code().await?;
    }
    Ok(())
}

async fn max_age(world: &World) -> Verdict {
    asked(world)?.code().await?;
    world.clock.pass(3).await;
    let landing = asked(world)?.with("max_age", "1").finish().await?;
    let again = landing.pages.iter().any(|page| asks_to_sign_in(&page.text, &world.profile.pages));
    demand!(again && !landing.param("code").is_empty(), "nobody was asked to sign in again");
    Ok(())
}

async fn max_age_values(world: &World) -> Verdict {
    let landing = asked(world)?.with("max_age", "0").finish().await?;
    let again = landing.pages.iter().any(|page| asks_to_sign_in(&page.text, &world.profile.pages));
    demand!(again, "max_age=0 asked nobody to sign in again");
    for bad in ["-1", "x", "1.5"] {
        asked(world)?.with("max_age", bad).refused(&["invalid_request"]).await?;
    }
    Ok(())
}

async fn none_and_max_age(world: &World) -> Verdict {
    asked(world)?.code().await?;
    world.clock.pass(3).await;
    let landing = asked(world)?.with("prompt", "none").with("max_age", "1").finish().await?;
    demand!(landing.param("error") == "login_required", "{}", landing.url);
    Ok(())
}

async fn forged_hint(world: &World) -> Verdict {
    let tokens = world.openid_tokens().await?;
    let claims = jose::payload(tokens.text("id_token"))?;
    let mut header = jose::header(tokens.text("id_token"))?;
    header["alg"] = world.key.alg.into();
    let foreign = world.key.sign(&header, &claims)?;
    for forged in [jose::unsigned(&json!({ "alg": "none" }), &claims), foreign, "garbage".to_owned()] {
        let url = asked(world)?.with("id_token_hint", &forged).with("prompt", "none");
        let landing = url.finish().await?;
        demand!(!landing.param("error").is_empty(), "a forged hint was accepted: {}", landing.url);
    }
    let good =
        asked(world)?.with("id_token_hint", tokens.text("id_token")).with("prompt", "none").finish().await?;
    demand!(!good.param("code").is_empty(), "the user's own hint was refused: {}", good.url);
    Ok(())
}

async fn hints(world: &World) -> Verdict {
    for (name, value) in
        [("ui_locales", "de fr"), ("claims_locales", "de"), ("acr_values", "1 2"), ("login_hint", "<b>\"x")]
    {
        asked(world)?.with(name, value).code().await?;
    }
    Ok(())
}

async fn no_openid(world: &World) -> Verdict {
    let tokens = world.users_tokens().await?;
    demand!(tokens.text("id_token").is_empty(), "there is an ID token");
    Ok(())
}

async fn order(world: &World) -> Verdict {
    for scope in ["openid profile", "profile openid"] {
        let tokens = asked(world)?.with("scope", scope).tokens().await?;
        demand!(!tokens.text("id_token").is_empty(), "{scope}: there is no ID token");
    }
    Ok(())
}

async fn in_query(world: &World) -> Verdict {
    let landing = asked(world)?.finish().await?;
    demand!(!landing.param("code").is_empty() && !landing.url.contains('#'), "{}", landing.url);
    Ok(())
}

async fn response_mode(world: &World) -> Verdict {
    let answer = asked(world)?.with("response_mode", "zz").stays().await?;
    answer.is(&[400], "response_mode=zz")
}

async fn denied(world: &World) -> Verdict {
    let asked = asked(world)?.with("prompt", "consent");
    let url = asked.url()?;
    let mut browser = world.browser.lock().await;
    browser.denies = true;
    let landing =
        browser.follow(&url, asked.param("redirect_uri"), &world.profile.pages, &world.profile.user).await;
    browser.denies = false;
    drop(browser);
    let landing = landing?;
    demand!(landing.param("error") == "access_denied", "{}", landing.url);
    demand!(landing.param("state") == asked.param("state"), "state is {:?}", landing.param("state"));
    Ok(())
}

async fn userinfo(world: &World) -> Result<Answer, Problem> {
    let url = world.endpoint("userinfo_endpoint")?;
    let tokens = asked(world)?.with("scope", "openid profile email").tokens().await?;
    Ok(world.call(url, &[("authorization", &format!("Bearer {}", tokens.token()))]).await?)
}

async fn userinfo_methods(world: &World) -> Verdict {
    let url = world.endpoint("userinfo_endpoint")?;
    let tokens = world.openid_tokens().await?;
    let bearer = format!("Bearer {}", tokens.token());
    world.call(url, &[("authorization", &bearer)]).await?.is(&[200], "GET")?;
    let posted = world.http.post(url).header("authorization", bearer).send().await?;
    Answer::read(posted).await?.is(&[200], "POST")
}

async fn userinfo_refuses(world: &World) -> Verdict {
    let url = world.endpoint("userinfo_endpoint")?;
    world.call(url, &[("authorization", "Bearer garbage")]).await?.is(&[401], "garbage")?;
    let other = world.users_tokens().await?;
    let answer = world.call(url, &[("authorization", &format!("Bearer {}", other.token()))]).await?;
    answer.is(&[401, 403], "a token without openid")?;
    demand!(answer.json.get("sub").is_none(), "it is told: {}", answer.brief());
    Ok(())
}

async fn same_subject(world: &World) -> Verdict {
    let sub = claims(world).await?["sub"].clone();
    let told = userinfo(world).await?;
    demand!(told.json["sub"] == sub, "{} is not {sub}", told.json["sub"]);
    Ok(())
}

async fn userinfo_lean(world: &World) -> Verdict {
    is_lean(&userinfo(world).await?.json)
}

async fn userinfo_json(world: &World) -> Verdict {
    let answer = userinfo(world).await?;
    answer.is(&[200], "userinfo")?;
    demand!(
        answer.header("content-type").starts_with("application/json"),
        "{}",
        answer.header("content-type")
    );
    Ok(())
}

async fn scope_claims(world: &World) -> Verdict {
    let told = userinfo(world).await?;
    demand!(told.json.get("name").is_some(), "profile gives no name: {}", told.brief());
    let tokens = asked(world)?.with("scope", "openid profile email").tokens().await?;
    let claims = jose::payload(tokens.text("id_token"))?;
    demand!(claims.get("name").is_none() && claims.get("email").is_none(), "they are in the ID token");
    Ok(())
}

async fn userinfo_cors(world: &World) -> Verdict {
    let url = world.endpoint("userinfo_endpoint")?;
    let answer = world.call(url, &[("origin", "https://app.example")]).await?;
    demand!(!answer.header("access-control-allow-origin").is_empty(), "they are not let in");
    Ok(())
}

async fn no_request_objects(world: &World) -> Verdict {
    if *world.told("request_parameter_supported") == true {
        return skip("request is supported");
    }
    let object = jose::unsigned(&json!({ "alg": "none" }), &json!({ "scope": "openid" }));
    asked(world)?.with("request", &object).refused(&["request_not_supported"]).await?;
    // Whether by a page or by a redirect: what stands there is not fetched and not followed.
    let foreign = asked(world)?.with("request_uri", "https://evil.example/request").open().await?;
    let location = foreign.header("location");
    demand!(
        foreign.status >= 400 || location.contains("error="),
        "request_uri: {} {location}",
        foreign.brief()
    );
    Ok(())
}

async fn subject_types(world: &World) -> Verdict {
    asked(world)?;
    demand!(!world.listed("subject_types_supported").is_empty(), "subject_types_supported is missing");
    Ok(())
}

async fn verifies(world: &World) -> Verdict {
    asked(world)?;
    Ok(jose::verify(world.openid_tokens().await?.text("id_token"), &world.jwks)?)
}

async fn offline_access(world: &World) -> Verdict {
    let without = asked(world)?.tokens().await?;
    demand!(without.text("refresh_token").is_empty(), "there is a refresh token without offline_access");
    world.needs("scopes_supported", "offline_access")?;
    let with =
        asked(world)?.with("scope", "openid offline_access").with("prompt", "consent").tokens().await?;
    demand!(!with.text("refresh_token").is_empty(), "there is none with it");
    Ok(())
}

async fn used_code(world: &World) -> Verdict {
    let asked = asked(world)?;
    let code = asked.code().await?;
    asked.redeem(&code)?.send().await?.granted()?;
    let again = asked.redeem(&code)?.send().await?;
    again.refused(&["invalid_grant"], "a used code")?;
    demand!(again.text("id_token").is_empty(), "there is an ID token");
    Ok(())
}

async fn id_token_there(world: &World) -> Verdict {
    asked(world)?;
    demand!(jose::is_jwt(world.openid_tokens().await?.text("id_token")), "there is no ID token");
    Ok(())
}
