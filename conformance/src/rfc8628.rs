//! RFC 8628: devices without a keyboard.

use crate::answer::Answer;
use crate::browser::{Browser, asks_to_sign_in};
use crate::check::{Problem, Verdict, skip};
use crate::forms::Form;
use crate::post::{ASSERTION_TYPE, Post};
use crate::profile::{Authentication, Client};
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-8628-1" Must "RFC 8628 §3.1" "A device asks by POST; GET is answered with 405." => post_only;
    "R-8628-2" Must "RFC 8628 §3.1" "A device says who it is, and whoever has credentials authenticates." => who_asks;
    "R-8628-3" Must "RFC 8628 §3.1" "What is empty is absent, what is unknown ignored, and nothing comes twice." => parameters;
    "R-8628-4" Must "RFC 8628 §3.2" "The answer has its members, of their JSON types, and is not to be kept." => members;
    "R-8628-5" Must "RFC 8628 §3.2" "Who waits as long as the interval says, or five seconds, is not told to slow down." => interval;
    "R-8628-6" Must "RFC 8628 §3.2" "An unknown client, and one without the grant, are refused as at the token endpoint." => refusals;
    "R-8628-7" Must "RFC 8628 §3.3" "Whoever enters the code at verification_uri signs in, sees who asks, and decides." => interaction;
    "R-8628-8" Should "RFC 8628 §3.3" "verification_uri itself holds no code." => bare_uri;
    "R-8628-9" Should "RFC 8628 §3.3.1" "Opening verification_uri_complete approves nothing." => a_look;
    "R-8628-10" Must "RFC 8628 §3.4" "Another client cannot use the code." => other_client;
    "R-8628-11" Must "RFC 8628 §3.4" "Whoever has credentials authenticates when it polls." => authenticated;
    "R-8628-12" Must "RFC 8628 §3.5" "Approved, the request is answered with a token." => approved;
    "R-8628-13" Must "RFC 8628 §3.5" "Undecided, it is authorization_pending." => pending;
    "R-8628-14" Must "RFC 8628 §3.5" "Too soon is slow_down, and the interval grows for good." => slow_down;
    "R-8628-15" Must "RFC 8628 §3.5" "Denied, it is access_denied." => denied;
    "R-8628-16" Must "RFC 8628 §3.5" "Over, it is expired_token." => expired;
    "R-8628-17" Must "RFC 8628 §3.5" "A code is used once." => once;
    "R-8628-19" Should "RFC 8628 §5.2" "A device code cannot be guessed and is never the same." => unguessable;
    "R-8628-21" Must "RFC 8628 §4" "The metadata lists the grant type with the endpoint." => told;
    "R-8628-22" Should "RFC 8628 §5.4" "A code lives half an hour at most." => short_life;
    "R-8628-23" Must "RFC 8707 §2" "Scope and resource count as they do elsewhere." => targets;
    "R-8628-24" Must "RFC 9700 §4.16" "The page is held in no frame, and takes its own form only." => own_form;
}

const ENDPOINT: &str = "device_authorization_endpoint";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn device(world: &World) -> Result<&Client, Problem> {
    world.endpoint(ENDPOINT)?;
    world.client(&world.profile.clients.device)
}

/// A good request of a client.
fn asked<'w>(world: &'w World, client: &'w Client) -> Result<Post<'w>, Problem> {
    let request = world.post(ENDPOINT, client)?;
    Ok(request.with("scope", &world.targets().scope).with("resource", &world.targets().resource))
}

/// What the device is told.
async fn codes(world: &World, client: &Client) -> Result<Answer, Problem> {
    let answer = asked(world, client)?.send().await?;
    answer.is(&[200], "a device asks")?;
    Ok(answer)
}

/// The device asks for its answer.
async fn poll(world: &World, client: &Client, codes: &Answer) -> Result<Answer, Problem> {
    world.token(client, GRANT)?.with("device_code", codes.text("device_code")).send().await
}

/// How long the device has to wait, in seconds.
fn wait(codes: &Answer) -> u64 {
    codes.json["interval"].as_u64().unwrap_or(5)
}

/// The user goes to the page, types the code, and presses this button.
async fn decide(world: &World, codes: &Answer, button: &str) -> Result<Answer, Problem> {
    let pages = &world.profile.pages;
    let typed = [(pages.user_code.as_str(), codes.text("user_code"))];
    let buttons = [pages.user_code_submit.as_str(), button];
    let mut browser = world.browser.lock().await;
    let answer = browser.walk(codes.text("verification_uri"), &world.profile, &typed, &buttons).await?;
    demand!(answer.status < 400, "the page: {}", answer.brief());
    Ok(answer)
}

async fn approve(world: &World, codes: &Answer) -> Result<Answer, Problem> {
    decide(world, codes, &world.profile.pages.device_approve).await
}

async fn post_only(world: &World) -> Verdict {
    let answer = codes(world, device(world)?).await?;
    demand!(answer.json.is_object(), "no JSON: {}", answer.brief());
    world.get(world.endpoint(ENDPOINT)?).await?.is(&[405], "GET")
}

async fn who_asks(world: &World) -> Verdict {
    device(world)?;
    let nobody = world.post_unknown(ENDPOINT)?.with("scope", &world.targets().scope);
    nobody.send().await?.is(&[400, 401], "nobody asks")?;
    let client = world.client(&world.profile.clients.from_afar)?;
    asked(world, client)?.send().await?.is(&[200], "with its credentials")?;
    let wrong =
        asked(world, client)?.with("client_assertion_type", ASSERTION_TYPE).with("client_assertion", "x.y.z");
    wrong.send().await?.refused(&["invalid_client"], "with wrong credentials")
}

async fn parameters(world: &World) -> Verdict {
    let device = device(world)?;
    let odd = asked(world, device)?.with("zz_unheard_of", "1").and("authorization_details", "");
    odd.send().await?.is(&[200], "an unknown parameter, and an empty one")?;
    let twice = asked(world, device)?.and("scope", &world.targets().scope);
    twice.send().await?.refused(&["invalid_request"], "scope twice")
}

async fn members(world: &World) -> Verdict {
    let answer = codes(world, device(world)?).await?;
    for member in ["device_code", "user_code", "verification_uri"] {
        demand!(!answer.text(member).is_empty(), "{member} is {}", answer.json[member]);
    }
    demand!(answer.json["expires_in"].as_u64().is_some_and(|left| left > 0), "{}", answer.brief());
    let interval = &answer.json["interval"];
    demand!(interval.is_null() || interval.as_u64().is_some_and(|s| s > 0), "interval is {interval}");
    demand!(answer.is_no_store(), "Cache-Control: {}", answer.header("cache-control"));
    Ok(())
}

async fn interval(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    for _ in 0..3 {
        poll(world, device, &codes).await?.refused(&["authorization_pending"], "in time")?;
        world.clock.pass(wait(&codes)).await;
    }
    Ok(())
}

async fn refusals(world: &World) -> Verdict {
    device(world)?;
    let unknown = world.post_unknown(ENDPOINT)?.with("client_id", "nobody-at-all");
    unknown
        .with("scope", &world.targets().scope)
        .send()
        .await?
        .refused(&["invalid_client"], "an unknown client")?;
    let web = world.client(&world.profile.clients.web)?;
    asked(world, web)?.send().await?.refused(&["unauthorized_client"], "without the grant")
}

async fn interaction(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    let pages = &world.profile.pages;
    // Somebody who cannot sign in: whatever the server asks first, nothing is approved.
    let mut stranger = Browser::new(world.http.clone());
    let mut profile = world.profile.clone();
    profile.pages.sign_in = "no-such-button".into();
    let typed = [(pages.user_code.as_str(), codes.text("user_code"))];
    let buttons = [pages.user_code_submit.as_str(), pages.device_approve.as_str()];
    let page = stranger.walk(codes.text("verification_uri"), &profile, &typed, &buttons).await?;
    demand!(asks_to_sign_in(&page.text, pages), "nobody is asked to sign in: {}", page.brief());
    poll(world, device, &codes)
        .await?
        .refused(&["authorization_pending"], "after somebody who is not signed in")?;
    let shown = decide(world, &codes, "").await?;
    demand!(
        Form::with(&shown.text, &pages.device_approve).is_some()
            && Form::with(&shown.text, &pages.device_deny).is_some(),
        "there is nothing to decide: {}",
        shown.brief()
    );
    demand!(!asks_to_sign_in(&shown.text, pages), "the user is not signed in");
    approve(world, &codes).await?;
    world.clock.pass(wait(&codes)).await;
    poll(world, device, &codes).await?.granted().map(|_| ())
}

async fn bare_uri(world: &World) -> Verdict {
    let codes = codes(world, device(world)?).await?;
    let plain = codes.text("user_code").replace('-', "");
    let uri = codes.text("verification_uri");
    demand!(!uri.contains(codes.text("user_code")) && !uri.contains(&plain), "{uri}");
    Ok(())
}

async fn a_look(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    let complete = codes.text("verification_uri_complete");
    if complete.is_empty() {
        return skip("there is no verification_uri_complete");
    }
    let page = world.browser.lock().await.walk(complete, &world.profile, &[], &[]).await?;
    demand!(page.text.contains(codes.text("user_code")), "the page does not show the code");
    poll(world, device, &codes).await?.refused(&["authorization_pending"], "after a look")
}

async fn other_client(world: &World) -> Verdict {
    let device = device(world)?;
    let other = world.client(&world.profile.clients.from_afar)?;
    let codes = codes(world, device).await?;
    approve(world, &codes).await?;
    poll(world, other, &codes).await?.refused(&["invalid_grant"], "another client")?;
    poll(world, device, &codes).await?.granted().map(|_| ())
}

async fn authenticated(world: &World) -> Verdict {
    let client = world.client(&world.profile.clients.from_afar)?;
    if client.authentication == Authentication::None {
        return skip("the client has no credentials");
    }
    let codes = codes(world, client).await?;
    let bare = world.post_unknown("token_endpoint")?.with("grant_type", GRANT).with("client_id", &client.id);
    let bare = bare.with("device_code", codes.text("device_code")).send().await?;
    bare.refused(&["invalid_client"], "with its client_id alone")
}

async fn approved(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    approve(world, &codes).await?;
    let tokens = poll(world, device, &codes).await?.granted()?;
    demand!(!tokens.text("token_type").is_empty() && tokens.is_no_store(), "{}", tokens.brief());
    demand!(world.is_active(tokens.token()).await?, "the token is not active");
    Ok(())
}

async fn pending(world: &World) -> Verdict {
    let device = device(world)?;
    poll(world, device, &codes(world, device).await?).await?.refused(&["authorization_pending"], "at once")
}

async fn slow_down(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    poll(world, device, &codes).await?.refused(&["authorization_pending"], "the first time")?;
    poll(world, device, &codes).await?.refused(&["slow_down"], "at once again")?;
    world.clock.pass(wait(&codes)).await;
    poll(world, device, &codes).await?.refused(&["slow_down"], "after the old interval")?;
    world.clock.pass(wait(&codes) + 11).await;
    poll(world, device, &codes).await?.refused(&["authorization_pending"], "after the new one")
}

async fn denied(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    decide(world, &codes, &world.profile.pages.device_deny).await?;
    poll(world, device, &codes).await?.refused(&["access_denied"], "after a no")?;
    world.clock.pass(wait(&codes) + 6).await;
    poll(world, device, &codes).await?.is(&[400], "later too")
}

async fn expired(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    world.clock.pass(codes.json["expires_in"].as_u64().unwrap_or(600) + 1).await;
    poll(world, device, &codes).await?.refused(&["expired_token"], "when it is over")
}

async fn once(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    approve(world, &codes).await?;
    poll(world, device, &codes).await?.granted()?;
    world.clock.pass(wait(&codes) + 6).await;
    poll(world, device, &codes).await?.refused(&["invalid_grant"], "a second time")
}

async fn unguessable(world: &World) -> Verdict {
    let device = device(world)?;
    let (one, other) = (codes(world, device).await?, codes(world, device).await?);
    for member in ["device_code", "user_code"] {
        demand!(one.text(member) != other.text(member), "two requests have one {member}");
    }
    demand!(one.text("device_code").len() >= 22, "it has {} characters", one.text("device_code").len());
    Ok(())
}

async fn told(world: &World) -> Verdict {
    let endpoint = world.told(ENDPOINT).is_string();
    let grant = world.listed("grant_types_supported").contains(&GRANT);
    if !endpoint && !grant {
        return skip("there is no device flow");
    }
    demand!(endpoint && grant, "endpoint: {endpoint}, grant type: {grant}");
    Ok(())
}

async fn short_life(world: &World) -> Verdict {
    let codes = codes(world, device(world)?).await?;
    demand!(codes.json["expires_in"].as_u64().is_some_and(|s| s <= 1800), "{}", codes.json["expires_in"]);
    Ok(())
}

async fn targets(world: &World) -> Verdict {
    let device = device(world)?;
    for (name, value, code) in [
        ("scope", "no-such-scope", "invalid_scope"),
        ("resource", "https://nowhere.example", "invalid_target"),
    ] {
        asked(world, device)?.with(name, value).send().await?.refused(&[code], name)?;
    }
    let codes = codes(world, device).await?;
    approve(world, &codes).await?;
    let tokens = poll(world, device, &codes).await?.granted()?;
    let claims = world.claims(tokens.token()).await?;
    demand!(claims["scope"] == world.targets().scope.as_str(), "scope is {}", claims["scope"]);
    demand!(claims["aud"] == world.targets().resource.as_str(), "aud is {}", claims["aud"]);
    Ok(())
}

async fn own_form(world: &World) -> Verdict {
    let device = device(world)?;
    let codes = codes(world, device).await?;
    let page = decide(world, &codes, "").await?;
    let (policy, frames) = (page.header("content-security-policy"), page.header("x-frame-options"));
    demand!(policy.contains("frame-ancestors") || !frames.is_empty(), "it may be held in a frame");
    let Some(mut form) = Form::with(&page.text, &world.profile.pages.device_approve) else {
        return skip("there is no form to approve");
    };
    for (_, value) in &mut form.fields {
        value.clear();
    }
    form.press(&world.profile.pages.device_approve);
    let url = url::Url::parse(codes.text("verification_uri"))?.join(&form.action)?;
    let answer = world.browser.lock().await.post(url.as_str(), &form.fields).await?;
    demand!(answer.status >= 400, "a form without its secret is taken: {}", answer.brief());
    poll(world, device, &codes).await?.refused(&["authorization_pending"], "afterwards")
}
