//! Logout: RP-Initiated, Back-Channel and Front-Channel Logout, Session Management.

use serde_json::{Value, json};
use url::Url;

use crate::answer::Answer;
use crate::browser::Browser;
use crate::check::{Problem, Verdict};
use crate::discovery::is_safe;
use crate::forms::{self, Form};
use crate::profile::Client;
use crate::rfc7591::{BACK, refused, registered};
use crate::world::World;
use crate::{checks, demand, jose};

checks! {
    "R-RPL-1" Must "RP-Initiated Logout §2" "A logout may be asked for by GET and by POST." => both_methods;
    "R-RPL-2" Must "RP-Initiated Logout §2.1" "The metadata tells where, by an https URL but on this very machine." => told;
    "R-RPL-3" Must "RP-Initiated Logout §2" "Every parameter may be absent." => no_parameters;
    "R-RPL-4" Must "RP-Initiated Logout §2" "A hint that the server did not issue is none." => foreign_hint;
    "R-RPL-5" Must "RP-Initiated Logout §2" "Without a hint the user is asked, and is signed in until then." => asks;
    "R-RPL-6" Must "RP-Initiated Logout §2" "Who says yes is signed out." => signs_out;
    "R-RPL-7" Must "RP-Initiated Logout §3" "The browser goes only where the client registered, character by character." => registered_only;
    "R-RPL-8" Must "RP-Initiated Logout §2" "state comes back exactly, and is not there where it was not sent." => state;
    "R-RPL-9" Must "RP-Initiated Logout §3" "An address alone, of nobody, leads nowhere." => whose_address;
    "R-RPL-11" Must "RP-Initiated Logout §2" "client_id and hint name one client." => one_client;
    "R-RPL-12" Must "RP-Initiated Logout §4" "That the user is signed out already is no error." => already;
    "R-RPL-13" Must "RP-Initiated Logout §3.1" "Addresses for after the logout are registered, and https." => registration;
    "R-BCL-1" Should "Back-Channel Logout §2.1" "The metadata says whether it is there, and whether with sid." => back_channel_told;
    "R-BCL-2" Must "Back-Channel Logout §2.1" "Where sid is promised it stands in ID tokens, another one in each session." => sid;
    "R-BCL-12" Must "Back-Channel Logout §2.2" "Its address is absolute and without fragment." => back_channel_address;
    "R-FCL-1" Should "Front-Channel Logout §3" "The metadata says whether it is there, and whether with sid." => front_channel_told;
    "R-FCL-4" Must "Front-Channel Logout §2" "Its address has the origin of a redirect URI, and no fragment." => front_channel_address;
    "R-SM-1" Must "Session Management §2" "session_state comes with the response, without a space." => session_state;
    "R-SM-2" Must "Session Management §3.3" "The metadata tells where the page is, and it is there." => iframe;
    "R-SM-3" Must "Session Management §3.2" "Any site may hold that page in a frame, and no page with a form." => framed;
    "R-SM-5" Should "Session Management §3.2" "session_state is salted: two of them do not tell of one user." => salted;
}

/// A browser of its own in which the user signed in to the web client, and the ID token that came of it.
struct SignedIn<'w> {
    world: &'w World,
    client: &'w Client,
    browser: Browser,
    id_token: String,
}

impl<'w> SignedIn<'w> {
    async fn new(world: &'w World) -> Result<Self, Problem> {
        world.endpoint("end_session_endpoint")?;
        let client = world.client(&world.profile.clients.web)?;
        let asked = world.authorize(client).with("scope", "openid").without("resource");
        let mut browser = Browser::new(world.http.clone());
        let (pages, user) = (&world.profile.pages, &world.profile.user);
        let landing = browser.follow(&asked.url()?, client.redirect_uri(), pages, user).await?;
        let tokens = asked.redeem(landing.param("code"))?.send().await?.granted()?;
        let id_token = tokens.text("id_token").to_owned();
        demand!(!id_token.is_empty(), "there is no ID token: {}", tokens.brief());
        Ok(Self { world, client, browser, id_token })
    }

    /// Where the client wants the browser afterwards.
    fn bye(&self) -> Result<&'w str, Problem> {
        let bye = self.client.post_logout_redirect_uri.as_deref();
        bye.ok_or_else(|| Problem::Skipped("the web client has no post_logout_redirect_uri".to_owned()))
    }

    fn url(&self, params: &[(&str, &str)]) -> Result<String, Problem> {
        let mut url = Url::parse(self.world.endpoint("end_session_endpoint")?)?;
        if !params.is_empty() {
            url.query_pairs_mut().extend_pairs(params);
        }
        Ok(url.to_string())
    }

    /// What comes of asking for a logout, with the button pressed or not.
    async fn leave(&mut self, params: &[(&str, &str)], confirming: bool) -> Result<Answer, Problem> {
        let url = self.url(params)?;
        let button = if confirming { self.world.profile.pages.sign_out.as_str() } else { "" };
        Ok(self.browser.walk(&url, &self.world.profile, &[], &[button]).await?)
    }

    /// Whether the user is still signed in in this browser, found out without a page.
    async fn is_signed_in(&mut self) -> Result<bool, Problem> {
        let asked = self
            .world
            .authorize(self.client)
            .with("scope", "openid")
            .without("resource")
            .with("prompt", "none");
        let answer = self.browser.get(&asked.url()?).await?;
        let location = answer.header("location");
        demand!(
            location.starts_with(self.client.redirect_uri()),
            "prompt=none: {} {location}",
            answer.brief()
        );
        Ok(!location.contains("error=login_required"))
    }

    /// Leads nowhere, and ends nothing.
    async fn ends_nothing(&mut self, params: &[(&str, &str)], what: &str) -> Verdict {
        let answer = self.leave(params, false).await?;
        let location = answer.header("location");
        demand!(location.is_empty(), "{what} leads to {location}");
        demand!(self.is_signed_in().await?, "{what} signs the user out");
        Ok(())
    }
}

async fn both_methods(world: &World) -> Verdict {
    let mut here = SignedIn::new(world).await?;
    let hint = here.id_token.clone();
    let bye = here.bye()?;
    let by_get = here.leave(&[("id_token_hint", &hint), ("post_logout_redirect_uri", bye)], true).await?;
    demand!(by_get.header("location").starts_with(bye), "by GET: {}", by_get.brief());
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", bye)];
    let fields: Vec<_> = fields.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
    let mut answer = here.browser.post(&here.url(&[])?, &fields).await?;
    // The same outcome, at once or behind a page of the server's.
    if !answer.header("location").is_empty() && !answer.header("location").starts_with(bye) {
        let next = Url::parse(&here.url(&[])?)?.join(answer.header("location"))?;
        let button = [world.profile.pages.sign_out.as_str()];
        answer = here.browser.walk(next.as_str(), &world.profile, &[], &button).await?;
    }
    demand!(answer.header("location").starts_with(bye), "by POST: {}", answer.brief());
    Ok(())
}

async fn told(world: &World) -> Verdict {
    let url = world.endpoint("end_session_endpoint")?;
    demand!(is_safe(url), "it is {url}");
    Ok(())
}

async fn no_parameters(world: &World) -> Verdict {
    for params in [&[][..], &[("state", "x")]] {
        let mut here = SignedIn::new(world).await?;
        let answer = here.leave(params, true).await?;
        demand!(
            answer.status < 400 && answer.header("location").is_empty(),
            "{params:?}: {}",
            answer.brief()
        );
        demand!(!here.is_signed_in().await?, "{params:?}: the user is still signed in");
    }
    Ok(())
}

async fn foreign_hint(world: &World) -> Verdict {
    let mut here = SignedIn::new(world).await?;
    let bye = here.bye()?;
    let claims = jose::payload(&here.id_token)?;
    let header = json!({ "alg": world.key.alg, "typ": "JWT" });
    for wrong in [
        jose::tampered(&here.id_token),
        world.key.sign(&header, &claims)?,
        jose::unsigned(&json!({ "alg": "none" }), &claims),
        "x".to_owned(),
    ] {
        let params = [("id_token_hint", wrong.as_str()), ("post_logout_redirect_uri", bye)];
        here.ends_nothing(&params, "a hint that is not the server's").await?;
    }
    Ok(())
}

async fn asks(world: &World) -> Verdict {
    let mut here = SignedIn::new(world).await?;
    let page = here.leave(&[], false).await?;
    let button = &world.profile.pages.sign_out;
    let Some(mut form) = Form::with(&page.text, button) else {
        return Err(Problem::Failed(format!("the user is not asked: {}", page.brief())));
    };
    demand!(here.is_signed_in().await?, "the user is signed out before the answer");
    // The form is the server's own: without its secret it is nothing.
    for (_, value) in &mut form.fields {
        value.clear();
    }
    form.press(button);
    let action = Url::parse(&here.url(&[])?)?.join(&form.action)?;
    let answer = here.browser.post(action.as_str(), &form.fields).await?;
    demand!(answer.status >= 400, "a form without its secret: {}", answer.brief());
    demand!(here.is_signed_in().await?, "a form without its secret signs the user out");
    Ok(())
}

async fn signs_out(world: &World) -> Verdict {
    let mut here = SignedIn::new(world).await?;
    demand!(here.is_signed_in().await?, "the user is not signed in to begin with");
    here.leave(&[], true).await?;
    demand!(!here.is_signed_in().await?, "the user is still signed in");
    Ok(())
}

async fn registered_only(world: &World) -> Verdict {
    let mut here = SignedIn::new(world).await?;
    let (bye, hint) = (here.bye()?, here.id_token.clone());
    for wrong in [
        "https://evil.example/bye".to_owned(),
        format!("{bye}/"),
        format!("{bye}?added=1"),
        format!("{bye}#x"),
        here.client.redirect_uri().to_owned(),
    ] {
        let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &wrong)];
        let answer = here.leave(&params, true).await?;
        demand!(answer.header("location").is_empty(), "{wrong} is taken");
    }
    Ok(())
}

async fn state(world: &World) -> Verdict {
    for state in [Some("a b&c=%C3%BC+\""), None] {
        let mut here = SignedIn::new(world).await?;
        let (bye, hint) = (here.bye()?, here.id_token.clone());
        let mut params = vec![("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", bye)];
        params.extend(state.map(|state| ("state", state)));
        let answer = here.leave(&params, true).await?;
        let url = Url::parse(answer.header("location"))?;
        let told = url.query_pairs().find(|(name, _)| name == "state").map(|(_, value)| value.into_owned());
        demand!(told.as_deref() == state, "{state:?} came back as {told:?}");
    }
    Ok(())
}

async fn whose_address(world: &World) -> Verdict {
    let mut here = SignedIn::new(world).await?;
    let params = [("post_logout_redirect_uri", here.bye()?)];
    let answer = here.leave(&params, true).await?;
    demand!(answer.header("location").is_empty(), "it leads to {}", answer.header("location"));
    Ok(())
}

async fn one_client(world: &World) -> Verdict {
    let mut here = SignedIn::new(world).await?;
    let other = world.client(&world.profile.clients.other_web)?;
    let (bye, hint) = (here.bye()?, here.id_token.clone());
    let params =
        [("id_token_hint", hint.as_str()), ("client_id", &other.id), ("post_logout_redirect_uri", bye)];
    let answer = here.leave(&params, false).await?;
    demand!(answer.header("location").is_empty(), "it leads to {}", answer.header("location"));
    demand!(answer.status >= 400, "two clients in one request: {}", answer.brief());
    Ok(())
}

async fn already(world: &World) -> Verdict {
    let mut here = SignedIn::new(world).await?;
    let (bye, hint) = (here.bye()?, here.id_token.clone());
    let params = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", bye)];
    for time in ["once", "again"] {
        let answer = here.leave(&params, true).await?;
        demand!(answer.header("location").starts_with(bye), "{time}: {}", answer.brief());
    }
    Ok(())
}

async fn registration(world: &World) -> Verdict {
    world.endpoint("end_session_endpoint")?;
    let good = json!(["https://conformance.example/bye"]);
    let told = registered(world, &json!({ "post_logout_redirect_uris": good })).await?;
    demand!(told.json["post_logout_redirect_uris"] == good, "it is told as {}", told.brief());
    let plain = json!({
        "post_logout_redirect_uris": ["http://conformance.example/bye"], "token_endpoint_auth_method": "none",
    });
    refused(world, plain, &["invalid_client_metadata", "invalid_redirect_uri"]).await
}

/// Whether a kind of logout is there; both members are true or false.
fn channel_told(world: &World, channel: &str) -> Verdict {
    for name in [format!("{channel}_logout_supported"), format!("{channel}_logout_session_supported")] {
        let told = world.told(&name);
        demand!(told.is_boolean(), "{name} is {told}");
    }
    Ok(())
}

async fn back_channel_told(world: &World) -> Verdict {
    channel_told(world, "backchannel")
}

async fn front_channel_told(world: &World) -> Verdict {
    channel_told(world, "frontchannel")
}

fn offers(world: &World, member: &str) -> Verdict {
    if *world.told(member) == true {
        Ok(())
    } else {
        Err(Problem::Skipped(format!("{member} is not advertised")))
    }
}

async fn sid(world: &World) -> Verdict {
    offers(world, "backchannel_logout_session_supported")?;
    let mut sids = Vec::new();
    for _ in 0..2 {
        sids.push(jose::payload(&SignedIn::new(world).await?.id_token)?["sid"].clone());
    }
    demand!(sids.iter().all(|sid| sid.as_str().is_some_and(|sid| !sid.is_empty())), "sid is {sids:?}");
    demand!(sids[0] != sids[1], "two sessions have one sid");
    Ok(())
}

async fn unfit(world: &World, member: &str, addresses: &[Value]) -> Verdict {
    for address in addresses {
        refused(world, json!({ member: address }), &["invalid_client_metadata"]).await?;
    }
    Ok(())
}

async fn back_channel_address(world: &World) -> Verdict {
    offers(world, "backchannel_logout_supported")?;
    let member = "backchannel_logout_uri";
    let good = "https://conformance.example/logout?tenant=1";
    let told = registered(world, &json!({ member: good })).await?;
    demand!(told.text(member) == good, "it is told as {}", told.json[member]);
    unfit(world, member, &[json!("https://conformance.example/logout#x"), json!("/logout"), json!(5)]).await
}

async fn front_channel_address(world: &World) -> Verdict {
    offers(world, "frontchannel_logout_supported")?;
    let member = "frontchannel_logout_uri";
    let good = Url::parse(BACK)?.join("/logout?a=1")?.to_string();
    let told = registered(world, &json!({ member: good })).await?;
    demand!(told.text(member) == good, "it is told as {}", told.json[member]);
    let others = [
        "https://elsewhere.example/logout",
        "https://conformance.example:8443/logout",
        "http://conformance.example/logout",
        "https://conformance.example/logout#x",
        "/logout",
    ];
    unfit(world, member, &others.map(Value::from)).await
}

/// What the web client is told of the session, by a request that goes well.
async fn state_told(world: &World) -> Result<String, Problem> {
    world.endpoint("check_session_iframe")?;
    let web = world.client(&world.profile.clients.web)?;
    let landing = world.authorize(web).with("scope", "openid").without("resource").finish().await?;
    let told = landing.param("session_state");
    demand!(!told.is_empty() && !told.contains(' '), "session_state is {told:?}");
    Ok(told.to_owned())
}

async fn session_state(world: &World) -> Verdict {
    state_told(world).await.map(|_| ())
}

async fn salted(world: &World) -> Verdict {
    let (one, other) = (state_told(world).await?, state_told(world).await?);
    demand!(one != other, "twice the same");
    Ok(())
}

async fn iframe(world: &World) -> Verdict {
    let url = world.endpoint("check_session_iframe")?;
    demand!(is_safe(url), "it is {url}");
    let page = world.get(url).await?;
    page.is(&[200], url)?;
    demand!(page.header("content-type").starts_with("text/html"), "{}", page.header("content-type"));
    Ok(())
}

async fn framed(world: &World) -> Verdict {
    let page = world.get(world.endpoint("check_session_iframe")?).await?;
    let shut = |page: &Answer| {
        !page.header("x-frame-options").is_empty()
            || page.header("content-security-policy").contains("frame-ancestors")
    };
    demand!(!shut(&page), "it cannot be held in a frame");
    let mut here = SignedIn::new(world).await?;
    let asks = here.leave(&[], false).await?;
    demand!(forms::has(&asks.text, &world.profile.pages.sign_out) && shut(&asks), "the page that asks can");
    Ok(())
}
