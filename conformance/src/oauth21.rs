//! OAuth 2.1 and RFC 9700: what holds for every request.

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::flow::Authorization;
use crate::post;
use crate::world::World;
use crate::{checks, demand, jose};

checks! {
    "R-21-1" Must "OAuth 2.1 §2.3.1" "The redirect URI is compared character by character." => exact_redirect_uri;
    "R-21-2" Must "OAuth 2.1 §8.4.2" "On the loopback any port will do, and nothing else may differ." => loopback_port;
    "R-21-3" Must "RFC 9700 §2.6" "A plain http redirect URI leads to the user's own machine." => no_plain_redirect;
    "R-21-4" Must "OAuth 2.1 §2.3" "A redirect URI with a fragment is not redirected to." => no_fragment;
    "R-21-5" Must "OAuth 2.1 §4.1.2.1" "An unknown client is shown an error page, not redirected." => unknown_client;
    "R-21-9" Must "OAuth 2.1 §3.1" "A repeated parameter is refused." => repeated;
    "R-21-10" Must "OAuth 2.1 §3.1" "An empty parameter is as good as none." => empty;
    "R-21-11" Must "OAuth 2.1 §3.1" "Unknown parameters are ignored." => unknown_parameters;
    "R-21-12" Must "OAuth 2.1 §3.1" "The authorization endpoint is not open to scripts of other origins; the token endpoint may be." => no_cors;
    "R-21-13" Must "OAuth 2.1 §3.1" "The authorization endpoint takes GET." => takes_get;
    "R-21-14" Must "OAuth 2.1 §3.2" "The token endpoint takes POST only." => token_post_only;
    "R-21-15" Must "OAuth 2.1 §1.5" "Every URL is https, but on the user's own machine." => https;
    "R-21-20" Must "RFC 9700 §4.12" "No redirect is by 307 or 308." => no_307;
    "R-21-21" Should "RFC 9700 §4.2.4" "Pages send no Referer." => no_referrer;
    "R-21-22" Must "RFC 9700 §4.16" "Pages cannot be framed, error pages neither." => no_frames;
    "R-21-23" Must "RFC 6749 §10.12" "A sign-in form without its token or from another origin is refused." => csrf;
    "R-21-26" Must "OAuth 2.1 §2.4.1" "A secret is accepted as registered: in the header, or in the body." => secrets;
    "R-21-27" Must "OAuth 2.1 §2.4" "Two authentication methods in one request are refused." => one_method;
    "R-21-29" Must "OAuth 2.1 §3.2.1" "A client_id alone does not authenticate a confidential client." => authenticated;
    "R-21-30" Must "OAuth 2.1 §4.2" "A public client has no client credentials." => no_public_credentials;
    "R-21-32" Should "RFC 9700 §2.5" "Asymmetric client authentication is offered." => asymmetric;
    "R-21-33" Must "OAuth 2.1 §4.1.2" "Another client cannot redeem the code." => code_of_client;
    "R-21-34" Must "OAuth 2.1 §4.1.3" "A code is redeemed once; a second time ends what it gave." => code_once;
    "R-21-35" Should "OAuth 2.1 §7.5.2" "A replay with a wrong verifier ends nothing." => wrong_replay;
    "R-21-36" Must "RFC 9700 §2.1.1" "PKCE is supported, and required of public clients." => pkce;
    "R-21-37" Must "RFC 9700 §4.8.2" "A verifier is there exactly where a challenge was." => both_or_neither;
    "R-21-38" Must "OAuth 2.1 §10.2" "Another redirect_uri at the token endpoint is invalid_grant." => same_redirect_uri;
    "R-21-39" Must "RFC 9700 §4.4.2" "Responses name the issuer, against mix-up." => issuer_named;
    "R-21-40" Must "OAuth 2.1 §4.1.1" "A missing or another response_type is told to the client." => response_type;
    "R-21-41" Must "OAuth 2.1 §4.3" "A refresh never widens the scope." => refresh_not_wider;
    "R-21-42" Must "OAuth 2.1 §4.3" "Another client cannot use a refresh token." => refresh_of_client;
    "R-21-43" Must "RFC 9700 §2.2.2" "A public client's refresh token is rotated, or bound to a key." => public_rotation;
    "R-21-44" Must "RFC 9700 §4.14.2" "Where it is rotated, an old refresh token ends the new one." => reuse_ends;
    "R-21-45" Must "OAuth 2.1 §4.3" "A narrowed refresh leaves the grant whole." => refresh_whole;
    "R-21-47" Must "OAuth 2.1 §3.2.3" "token_type is told, and expires_in is a number." => response;
    "R-21-48" Must "OAuth 2.1 §3.2.3" "Answers with tokens and refusals are not to be kept." => no_store;
    "R-21-49" Must "OAuth 2.1 §1.4.1" "Without a scope there is a default that is told, or invalid_scope." => no_scope;
    "R-21-50" Must "OAuth 2.1 §3.2.4" "Descriptions of errors hold allowed characters only, whatever was sent." => description;
    "R-21-51" Must "OAuth 2.1 §3.2.4" "A wrong Basic secret is 401 with a Basic challenge." => basic_challenge;
    "R-21-52" Must "OAuth 2.1 §4.1.2.1" "state comes back exactly, in success and error." => state;
    "R-21-53" Must "RFC 9700 §2.4" "There is no password grant." => no_password_grant;
    "R-21-54" Must "OAuth 2.1 §1.4" "Codes cannot be guessed and are never the same." => unguessable;
    "R-21-55" Must "OAuth 2.1 §5.1" "A token in the query is not a token." => no_query_token;
    "R-21-56" Must "OAuth 2.1 §5.3" "A resource without a token is 401 without an error; with a bad one, invalid_token." => challenges;
    "R-21-60" Should "OAuth 2.1 §7.1.3" "An access token lives no longer than an hour." => short_life;
}

fn asked(world: &World) -> Result<Authorization<'_>, Problem> {
    Ok(world.authorize(world.client(&world.profile.clients.web)?))
}

fn offline(world: &World) -> Result<Authorization<'_>, Problem> {
    let scope = format!("{} {} offline_access", world.targets().scope, world.targets().more_scope);
    Ok(asked(world)?.with("scope", &scope).with("prompt", "consent"))
}

/// Fresh tokens with a refresh token.
async fn offline_tokens(asked: &Authorization<'_>) -> Result<Answer, Problem> {
    let tokens = asked.tokens().await?;
    if tokens.text("refresh_token").is_empty() { skip("there is no refresh token") } else { Ok(tokens) }
}

async fn exact_redirect_uri(world: &World) -> Verdict {
    let uri = asked(world)?.client.redirect_uri().to_owned();
    let host = url::Url::parse(&uri)?.host_str().unwrap_or_default().to_owned();
    for other in [
        format!("{uri}/"),
        format!("{uri}?a=1"),
        format!("{uri}/../evil"),
        uri.to_uppercase(),
        uri.replace(&host, &format!("evil.{host}")),
        uri.replace(&host, &format!("{host}@evil.example")),
        uri.replacen('/', "%2F", 3).replacen("%2F%2F", "//", 1),
    ] {
        asked(world)?.with("redirect_uri", &other).stays().await?;
    }
    Ok(())
}

async fn loopback_port(world: &World) -> Verdict {
    let public = world.client(&world.profile.clients.public)?;
    let registered = url::Url::parse(public.redirect_uri())?;
    if registered.host_str() != Some("127.0.0.1") {
        return skip("the public client's redirect URI is not on 127.0.0.1");
    }
    let port = |port: u16, path: &str| format!("http://127.0.0.1:{port}{path}");
    let landing =
        world.authorize(public).with("redirect_uri", &port(51_004, registered.path())).finish().await?;
    demand!(!landing.param("code").is_empty(), "no code at another port: {}", landing.url);
    for other in [port(51_004, "/other"), format!("http://127.0.0.1.evil.example:1{}", registered.path())] {
        world.authorize(public).with("redirect_uri", &other).stays().await?;
    }
    Ok(())
}

async fn no_fragment(world: &World) -> Verdict {
    let uri = format!("{}#f", asked(world)?.client.redirect_uri());
    asked(world)?.with("redirect_uri", &uri).stays().await.map(|_| ())
}

async fn unknown_client(world: &World) -> Verdict {
    asked(world)?.with("client_id", "no-such-client").stays().await?;
    asked(world)?.without("client_id").stays().await.map(|_| ())
}

async fn repeated(world: &World) -> Verdict {
    asked(world)?.and("scope", "openid").refused(&["invalid_request"]).await?;
    asked(world)?.and("redirect_uri", "https://evil.example/").stays().await?;
    let service = world.client(&world.profile.clients.service)?;
    let request = world.own_token(service)?.and("scope", &world.targets().scope);
    request.send().await?.refused(&["invalid_request"], "two scopes")
}

async fn empty(world: &World) -> Verdict {
    let landing = asked(world)?.with("state", "").finish().await?;
    demand!(!landing.params.contains_key("state"), "an empty state came back: {}", landing.url);
    Ok(())
}

async fn unknown_parameters(world: &World) -> Verdict {
    let asked = asked(world)?.with("zz", "1");
    asked.redeem(&asked.code().await?)?.with("zz", "1").send().await?.granted().map(|_| ())
}

async fn no_cors(world: &World) -> Verdict {
    let answer = world.call(&asked(world)?.url()?, &[("origin", "https://app.example")]).await?;
    demand!(answer.header("access-control-allow-origin").is_empty(), "the authorization endpoint allows it");
    Ok(())
}

async fn takes_get(world: &World) -> Verdict {
    let answer = asked(world)?.open().await?;
    demand!(answer.status < 400, "{}", answer.brief());
    Ok(())
}

async fn token_post_only(world: &World) -> Verdict {
    let url = world.endpoint("token_endpoint")?;
    world.get(&format!("{url}?grant_type=client_credentials")).await?.is(&[400, 405], "GET")
}

pub(crate) async fn no_307(world: &World) -> Verdict {
    let landing = asked(world)?.with("prompt", "login consent").finish().await?;
    for page in landing.pages {
        demand!(page.status != 307 && page.status != 308, "a redirect by {}", page.status);
    }
    Ok(())
}

/// The pages of one way through sign-in and consent, and an error page.
async fn pages(world: &World) -> Result<Vec<Answer>, Problem> {
    let mut pages = asked(world)?.with("prompt", "login consent").finish().await?.pages;
    pages.retain(|page| page.status == 200);
    pages.push(asked(world)?.with("client_id", "no-such-client").stays().await?);
    Ok(pages)
}

async fn no_referrer(world: &World) -> Verdict {
    for page in pages(world).await? {
        let policy = page.header("referrer-policy");
        demand!(policy == "no-referrer" || policy == "same-origin" || policy == "origin", "{policy:?}");
    }
    Ok(())
}

async fn no_frames(world: &World) -> Verdict {
    for page in pages(world).await? {
        let csp = page.header("content-security-policy");
        demand!(
            csp.contains("frame-ancestors") || !page.header("x-frame-options").is_empty(),
            "{}",
            page.brief()
        );
    }
    Ok(())
}

async fn csrf(world: &World) -> Verdict {
    let mut browser = crate::browser::Browser::new(world.http.clone());
    let mut at = asked(world)?.url()?;
    let mut page = browser.get(&at).await?;
    for _ in 0..3 {
        if page.header("location").is_empty() {
            break;
        }
        at = url::Url::parse(&at)?.join(page.header("location"))?.to_string();
        page = browser.get(&at).await?;
    }
    let (ids, user) = (&world.profile.pages, &world.profile.user);
    let Some(mut form) = crate::forms::Form::with(&page.text, &ids.sign_in) else {
        return Err(Problem::Failed(format!("there is no sign-in form: {}", page.brief())));
    };
    form.fill(&ids.username, &user.username);
    form.fill(&ids.password, &user.password);
    form.press(&ids.sign_in);
    let action = url::Url::parse(&at)?.join(&form.action)?.to_string();
    let anywhere = world.http.post(&action).header("origin", "https://evil.example").form(&form.fields);
    let anywhere = Answer::read(anywhere.header("sec-fetch-site", "cross-site").send().await?).await?;
    demand!(anywhere.status >= 400, "a form of another origin without cookies: {}", anywhere.brief());
    // The right cookies are there, but nothing that only the page could tell.
    let typed: Vec<_> =
        form.fields.iter().filter(|(_, v)| v.len() < 20 || *v == user.password).cloned().collect();
    if typed.len() < form.fields.len() {
        let answer = browser.clone().post(&action, &typed).await?;
        demand!(answer.status >= 400, "without its hidden fields: {}", answer.brief());
    }
    let elsewhere = crate::browser::Browser::new(world.http.clone()).post(&action, &form.fields).await?;
    demand!(elsewhere.status >= 400, "the form in another browser: {}", elsewhere.brief());
    Ok(())
}

async fn secrets(world: &World) -> Verdict {
    for client in [&world.profile.clients.secret_basic, &world.profile.clients.secret_post] {
        world.own_token(world.client(client)?)?.send().await?.granted()?;
    }
    Ok(())
}

async fn one_method(world: &World) -> Verdict {
    let basic = world.client(&world.profile.clients.secret_basic)?;
    let request = world.own_token(basic)?.with("client_id", &basic.id).with("client_secret", basic.secret());
    request.send().await?.refused(&["invalid_request", "invalid_client"], "header and body")
}

async fn authenticated(world: &World) -> Verdict {
    for client in [&world.profile.clients.service, &world.profile.clients.secret_basic] {
        let client = world.client(client)?;
        let request = world.post_unknown("token_endpoint")?.with("grant_type", "client_credentials");
        let answer = request.with("client_id", &client.id).send().await?;
        answer.refused(&["invalid_client"], "a client_id alone")?;
    }
    Ok(())
}

async fn no_public_credentials(world: &World) -> Verdict {
    let public = world.client(&world.profile.clients.public)?;
    let answer = world.own_token(public)?.send().await?;
    answer.refused(&["unauthorized_client", "invalid_client"], "a public client")
}

async fn asymmetric(world: &World) -> Verdict {
    let methods = world.listed("token_endpoint_auth_methods_supported");
    let strong = ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"];
    demand!(methods.iter().any(|method| strong.contains(method)), "offered are {methods:?}");
    Ok(())
}

async fn code_of_client(world: &World) -> Verdict {
    let other = world.client(&world.profile.clients.other_web)?;
    let asked = asked(world)?;
    let code = asked.code().await?;
    let stolen = Authorization { client: other, ..asked.clone() };
    stolen.redeem(&code)?.send().await?.refused(&["invalid_grant"], "another client")?;
    asked.redeem(&code)?.send().await?.granted().map(|_| ())
}

async fn code_once(world: &World) -> Verdict {
    let asked = asked(world)?;
    let code = asked.code().await?;
    let first = asked.redeem(&code)?.send().await?.granted()?;
    asked.redeem(&code)?.send().await?.refused(&["invalid_grant"], "a second time")?;
    demand!(!world.is_active(first.token()).await?, "what the first time gave is still active");
    Ok(())
}

async fn wrong_replay(world: &World) -> Verdict {
    let asked = asked(world)?;
    let code = asked.code().await?;
    let first = asked.redeem(&code)?.send().await?.granted()?;
    let replay = asked.redeem(&code)?.with("code_verifier", &jose::fresh()).send().await?;
    replay.refused(&["invalid_grant"], "a replay with a wrong verifier")?;
    demand!(world.is_active(first.token()).await?, "it ended the tokens of the first time");
    Ok(())
}

async fn same_redirect_uri(world: &World) -> Verdict {
    let asked = asked(world)?;
    let request = asked.redeem(&asked.code().await?)?.with("redirect_uri", "https://evil.example/cb");
    request.send().await?.refused(&["invalid_grant"], "another redirect_uri")
}

async fn response_type(world: &World) -> Verdict {
    asked(world)?.without("response_type").refused(&["invalid_request"]).await?;
    for other in ["token", "id_token", "zz"] {
        asked(world)?.with("response_type", other).refused(&["unsupported_response_type"]).await?;
    }
    Ok(())
}

async fn refresh_not_wider(world: &World) -> Verdict {
    let asked = offline(world)?;
    let tokens = offline_tokens(&asked).await?;
    let request =
        world.token(asked.client, "refresh_token")?.with("refresh_token", tokens.text("refresh_token"));
    let more = format!("{} {}", world.targets().scope, world.targets().other_scope);
    request.with("scope", &more).send().await?.refused(&["invalid_scope"], "one scope more")
}

async fn refresh_of_client(world: &World) -> Verdict {
    let other = world.client(&world.profile.clients.other_web)?;
    let asked = offline(world)?;
    let tokens = offline_tokens(&asked).await?;
    let request = world.token(other, "refresh_token")?.with("refresh_token", tokens.text("refresh_token"));
    request.send().await?.refused(&["invalid_grant", "unauthorized_client"], "another client")
}

async fn public_tokens(world: &World) -> Result<(Answer, &crate::profile::Client), Problem> {
    let public = world.client(&world.profile.clients.public)?;
    let scope = format!("{} offline_access", world.targets().scope);
    let asked = world.authorize(public).with("scope", &scope).with("prompt", "consent");
    Ok((offline_tokens(&asked).await?, public))
}

async fn public_rotation(world: &World) -> Verdict {
    let (tokens, public) = public_tokens(world).await?;
    let old = tokens.text("refresh_token");
    let answer = world.token(public, "refresh_token")?.with("refresh_token", old).send().await?.granted()?;
    let next = answer.text("refresh_token");
    demand!(!next.is_empty() && next != old, "it was not rotated");
    Ok(())
}

async fn reuse_ends(world: &World) -> Verdict {
    let (tokens, public) = public_tokens(world).await?;
    let request = world.token(public, "refresh_token")?;
    let old = request.clone().with("refresh_token", tokens.text("refresh_token"));
    let next = old.clone().send().await?.granted()?;
    if next.text("refresh_token").is_empty() {
        return skip("it is not rotated");
    }
    old.send().await?.refused(&["invalid_grant"], "the old refresh token")?;
    let next = request.with("refresh_token", next.text("refresh_token")).send().await?;
    next.refused(&["invalid_grant"], "the new refresh token after a reuse of the old one")?;
    demand!(!world.is_active(tokens.token()).await?, "the access token is still active");
    Ok(())
}

async fn refresh_whole(world: &World) -> Verdict {
    let asked = offline(world)?;
    let tokens = offline_tokens(&asked).await?;
    let request =
        world.token(asked.client, "refresh_token")?.with("refresh_token", tokens.text("refresh_token"));
    let narrow = request.clone().with("scope", &world.targets().scope).send().await?.granted()?;
    let next = narrow.text("refresh_token").to_owned();
    let request = if next.is_empty() { request } else { request.with("refresh_token", &next) };
    let whole = world.claims(request.send().await?.granted()?.token()).await?;
    let has = whole["scope"].as_str().unwrap_or_default();
    demand!(has.split(' ').any(|word| word == world.targets().more_scope), "the scope is now {has}");
    Ok(())
}

async fn response(world: &World) -> Verdict {
    let tokens = world.users_tokens().await?;
    demand!(!tokens.text("token_type").is_empty(), "token_type is missing");
    demand!(tokens.json["expires_in"].is_u64(), "expires_in is {}", tokens.json["expires_in"]);
    Ok(())
}

async fn no_store(world: &World) -> Verdict {
    let tokens = asked(world)?.tokens().await?;
    demand!(tokens.is_no_store(), "tokens may be kept");
    let refused = world.post_unknown("token_endpoint")?.send().await?;
    demand!(refused.is_no_store(), "a refusal may be kept");
    Ok(())
}

async fn no_scope(world: &World) -> Verdict {
    let asked = asked(world)?.without("scope").without("resource");
    let landing = asked.finish().await?;
    if landing.param("code").is_empty() {
        demand!(landing.param("error") == "invalid_scope", "{}", landing.url);
        return Ok(());
    }
    let tokens = asked.redeem(landing.param("code"))?.send().await?.granted()?;
    demand!(!tokens.text("scope").is_empty(), "the default scope is not told");
    Ok(())
}

async fn description(world: &World) -> Verdict {
    let hostile = "x\"\\\r\n<b>\u{fc}";
    let service = world.client(&world.profile.clients.service)?;
    let mut told = Vec::new();
    for name in ["scope", "resource", "grant_type"] {
        let answer = world.own_token(service)?.with(name, hostile).send().await?;
        demand!(answer.status == 400, "{name}: {}", answer.brief());
        told.push(answer.text("error_description").to_owned());
    }
    told.push(
        asked(world)?
            .with("scope", hostile)
            .refused(&["invalid_scope", "invalid_request"])
            .await?
            .param("error_description")
            .to_owned(),
    );
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    let bad = told.iter().find(|text| !text.chars().all(allowed));
    demand!(bad.is_none(), "a description is {bad:?}");
    Ok(())
}

async fn basic_challenge(world: &World) -> Verdict {
    let basic = world.client(&world.profile.clients.secret_basic)?;
    let request = world.post_unknown("token_endpoint")?.with("grant_type", "client_credentials");
    let answer = request.header("authorization", &post::basic(&basic.id, "wrong")).send().await?;
    answer.is(&[401], "a wrong Basic secret")?;
    demand!(answer.error() == "invalid_client", "error is {}", answer.error());
    let challenge = answer.header("www-authenticate");
    demand!(challenge.to_ascii_lowercase().starts_with("basic"), "the challenge is {challenge:?}");
    let post_client = world.client(&world.profile.clients.secret_post)?;
    let request = world.post_unknown("token_endpoint")?.with("grant_type", "client_credentials");
    let request = request.with("client_id", &post_client.id).with("client_secret", "wrong");
    request.send().await?.refused(&["invalid_client"], "a wrong secret in the body")
}

async fn state(world: &World) -> Verdict {
    let odd = "a b+c&d=e%20\u{fc}\"<x>#/?";
    let landing = asked(world)?.with("state", odd).finish().await?;
    demand!(landing.param("state") == odd, "it came back as {:?}", landing.param("state"));
    let landing =
        asked(world)?.with("state", odd).with("scope", "no-such-scope").refused(&["invalid_scope"]).await?;
    demand!(landing.param("state") == odd, "with an error it came back as {:?}", landing.param("state"));
    Ok(())
}

async fn no_password_grant(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let (user, request) = (&world.profile.user, world.token(service, "password")?);
    let answer = request.with("username", &user.username).with("password", &user.password).send().await?;
    answer.refused(&["unsupported_grant_type"], "the password grant")
}

async fn unguessable(world: &World) -> Verdict {
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let code = asked(world)?.code().await?;
        demand!(code.len() >= 22, "a code of {} characters can hold less than 128 bits", code.len());
        demand!(seen.insert(code), "a code came twice");
    }
    Ok(())
}

async fn no_query_token(world: &World) -> Verdict {
    let url = world.endpoint("userinfo_endpoint")?;
    let tokens = world.openid_tokens().await?;
    let answer = world.get(&format!("{url}?access_token={}", tokens.token())).await?;
    answer.is(&[400, 401], "a token in the query")?;
    let shouted = format!("bEaReR {}", tokens.token());
    world.call(url, &[("authorization", &shouted)]).await?.is(&[200], "the scheme in another case")
}

async fn challenges(world: &World) -> Verdict {
    let url = world.endpoint("userinfo_endpoint")?;
    let nothing = world.call(url, &[]).await?;
    nothing.is(&[401], "no token")?;
    let challenge = nothing.every("www-authenticate").join(", ");
    demand!(challenge.contains("Bearer") && !challenge.contains("error="), "no token: {challenge}");
    let bad = world.call(url, &[("authorization", "Bearer garbage")]).await?;
    bad.is(&[401], "a bad token")?;
    let challenge = bad.every("www-authenticate").join(", ");
    demand!(challenge.contains("error=\"invalid_token\""), "a bad token: {challenge}");
    Ok(())
}

async fn short_life(world: &World) -> Verdict {
    let life = world.users_tokens().await?.json["expires_in"].as_u64().unwrap_or(u64::MAX);
    demand!(life <= 3600, "expires_in is {life}");
    Ok(())
}

async fn https(world: &World) -> Verdict {
    for (name, value) in world.metadata.json.as_object().into_iter().flatten() {
        if name.ends_with("_endpoint") || ["jwks_uri", "issuer"].contains(&name.as_str()) {
            demand!(value.as_str().is_some_and(crate::discovery::is_safe), "{name} is {value}");
        }
    }
    Ok(())
}

async fn no_plain_redirect(world: &World) -> Verdict {
    crate::rfc7591::redirect_uris(world).await
}

async fn pkce(world: &World) -> Verdict {
    crate::rfc7636::s256(world).await?;
    crate::rfc7636::required(world).await
}

async fn both_or_neither(world: &World) -> Verdict {
    crate::rfc7636::missing_verifier(world).await?;
    crate::rfc7636::no_downgrade(world).await
}

async fn issuer_named(world: &World) -> Verdict {
    crate::rfc9207::success(world).await?;
    crate::rfc9207::errors(world).await?;
    crate::rfc9207::told(world).await
}
