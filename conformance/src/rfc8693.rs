//! RFC 8693: token exchange.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::post::Post;
use crate::profile::Client;
use crate::rfc8707::audiences;
use crate::world::World;
use crate::{checks, demand, jose};

/// The grant type.
pub const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

checks! {
    "R-8693-1" Must "RFC 8693 §2.1" "The request is a form sent by POST; JSON and GET get no token." => form_only;
    "R-8693-2" Must "RFC 8693 §2.1" "A relative resource, and one with a fragment, are refused." => absolute;
    "R-8693-3" Must "RFC 8693 §2.1" "Two resources are both honoured, or invalid_target." => several;
    "R-8693-5" Must "RFC 8693 §2.1" "An audience beside a resource is honoured, or invalid_target." => audience_and_resource;
    "R-8693-7" Must "RFC 8693 §2.1.1" "Fifty audiences are invalid_target." => too_many;
    "R-8693-8" Must "RFC 8693 §2.1" "Scopes are compared in their case." => scope_case;
    "R-8693-9" Must "RFC 8693 §2.2.2" "A requested_token_type that is not issued is refused, not replaced." => requested_type;
    "R-8693-10" Must "RFC 8693 §2.1" "subject_token and its type are both required." => subject_required;
    "R-8693-11" Must "RFC 8693 §2.1" "actor_token without its type is refused." => actor_type_missing;
    "R-8693-12" Must "RFC 8693 §2.1" "actor_token_type without a token is refused." => actor_missing;
    "R-8693-13" Must "RFC 8693 §2.1" "A tampered, unsigned, foreign or revoked subject token is refused." => bad_subject;
    "R-8693-14" Must "RFC 8693 §2.1" "A bad actor token is refused, be the subject token ever so good." => bad_actor;
    "R-8693-15" Must "RFC 8693 §2.1" "An exchange uses nothing up: the subject token lives on as it was." => not_used_up;
    "R-8693-16" Should "RFC 8693 §5" "Who cannot authenticate cannot exchange." => authenticated;
    "R-8693-17" Must "RFC 8693 §2.2.1" "The token comes in access_token, as JSON, not to be kept." => response;
    "R-8693-18" Must "RFC 8693 §2.2.1" "issued_token_type is always told." => issued_type;
    "R-8693-19" Must "RFC 8693 §2.2.1" "token_type is Bearer, or DPoP where a proof was sent." => token_type;
    "R-8693-21" Should "RFC 8693 §2.2.1" "expires_in is a number and agrees with exp." => expires_in;
    "R-8693-22" Must "RFC 8693 §2.2.1" "scope is told where it is not the one that was asked for." => scope_told;
    "R-8693-23" Should "RFC 8693 §2.2.1" "There is no refresh token." => no_refresh_token;
    "R-8693-24" Must "RFC 8693 §2.2.2" "A subject token that is not acceptable is invalid_request." => invalid_request;
    "R-8693-25" Should "RFC 8693 §2.2.2" "Targets that are unknown or not allowed are invalid_target, told alike." => invalid_target;
    "R-8693-26" Must "RFC 8693 §3" "An ID token is not an access token, and a foreign JWT neither." => declared_type;
    "R-8693-27" Must "RFC 8693 §3" "An unknown token type is invalid_request." => unknown_type;
    "R-8693-28" Must "RFC 8693 §4.1" "act is an object that names the actor." => act;
    "R-8693-29" Must "RFC 8693 §4.1" "sub stays the user; the current actor is outermost." => outermost;
    "R-8693-30" Must "RFC 8693 §4.1" "The chain that was there is kept, inside." => chain_kept;
    "R-8693-32" Must "RFC 8693 §4.1" "There is no exp, nbf or aud within act." => identity_only;
    "R-8693-33" Must "RFC 8693 §4.1" "Introspection shows the same act." => introspected;
    "R-8693-34" Must "RFC 8693 §4.2" "scope in the token is one text." => scope_text;
    "R-8693-35" Must "RFC 8693 §4.3" "client_id is the client that exchanged." => client_id;
    "R-8693-39" Must "RFC 8693 §1.1" "Without an actor token the client itself is the actor." => delegation;
    "R-8693-40" Should "RFC 8693 §5" "A delegated token lives no longer than an hour." => short_life;
    "R-8693-41" Must "RFC 8693 §6" "The answer to a refusal gives no token and is not to be kept." => refusal_form;
    "P-8693-1" Policy "RFC 8693 §5" "More scope than the subject token's is refused." => never_wider;
    "P-8693-2" Policy "RFC 8693 §5" "What is derived does not outlive its subject token." => never_longer;
    "P-8693-4" Policy "RFC 8693 §5" "A client that the token was not meant for cannot exchange it." => not_strangers;
    "P-8693-5" Policy "RFC 9449 §5" "A bound subject token yields no unbound one." => stays_bound;
    "P-8693-6" Policy "RFC 8693 §4.1" "An actor further down the chain does not come back." => no_cycle;
    "P-8693-7" Policy "RFC 8693 §2.1" "With the subject token ends what was derived from it." => ends_together;
}

/// A good exchange of `subject` by `client`, at the first resource, for the first scope.
///
/// # Errors
/// Where token exchange is not offered.
pub fn request<'w>(world: &'w World, client: &'w Client, subject: &str) -> Result<Post<'w>, Problem> {
    world.needs("grant_types_supported", GRANT_TYPE)?;
    let request = world.token(client, GRANT_TYPE)?.with("subject_token", subject);
    let request = request.with("subject_token_type", ACCESS_TOKEN).with("scope", &world.targets().scope);
    Ok(request.with("resource", &world.targets().resource))
}

/// The same, sent by the service that the token was addressed to.
///
/// # Errors
/// Where it is refused.
pub async fn exchange(world: &World, subject: &str) -> Result<Answer, Problem> {
    request(world, service(world)?, subject)?.send().await?.granted()
}

fn service(world: &World) -> Result<&Client, Problem> {
    world.client(&world.profile.clients.service)
}

/// A good exchange by the service, to be spoilt.
async fn good(world: &World) -> Result<Post<'_>, Problem> {
    request(world, service(world)?, world.users_tokens().await?.token())
}

async fn form_only(world: &World) -> Verdict {
    good(world).await?.send().await?.granted()?;
    let url = world.endpoint("token_endpoint")?;
    let sent = world.http.post(url).json(&json!({ "grant_type": GRANT_TYPE })).send().await?;
    demand!((400..500).contains(&sent.status().as_u16()), "JSON: {}", sent.status());
    world.get(&format!("{url}?grant_type={GRANT_TYPE}")).await?.is(&[400, 405], "GET")
}

async fn absolute(world: &World) -> Verdict {
    for bad in ["/relative", "https://x.example/#f"] {
        let answer = good(world).await?.with("resource", bad).send().await?;
        answer.refused(&["invalid_target", "invalid_request"], bad)?;
    }
    Ok(())
}

/// Both targets in the token, or the whole request refused.
async fn all_or_none(world: &World, answer: Answer) -> Verdict {
    if answer.status != 200 {
        return answer.refused(&["invalid_target"], "two targets");
    }
    let claims = world.claims(answer.token()).await?;
    demand!(audiences(&claims).len() == 2, "aud is {}", claims["aud"]);
    Ok(())
}

async fn several(world: &World) -> Verdict {
    let subject = world.common_tokens().await?;
    let request =
        request(world, service(world)?, subject.token())?.with("scope", &world.targets().common_scope);
    all_or_none(world, request.and("resource", &world.targets().other_resource).send().await?).await
}

async fn audience_and_resource(world: &World) -> Verdict {
    let subject = world.common_tokens().await?;
    let request =
        request(world, service(world)?, subject.token())?.with("scope", &world.targets().common_scope);
    all_or_none(world, request.clone().and("audience", &world.targets().other_resource).send().await?)
        .await?;
    let unknown = request.and("audience", "no-such-audience").send().await?;
    unknown.refused(&["invalid_target"], "an unknown audience beside a known resource")
}

async fn too_many(world: &World) -> Verdict {
    let mut request = good(world).await?;
    for _ in 0..50 {
        request = request.and("audience", &world.targets().resource);
    }
    let answer = request.send().await?;
    if answer.status == 200 {
        return skip("there is no bound on them");
    }
    answer.refused(&["invalid_target"], "fifty audiences")
}

async fn scope_case(world: &World) -> Verdict {
    let loud = world.targets().scope.to_uppercase();
    let answer = good(world).await?.with("scope", &loud).send().await?;
    if answer.status == 200 {
        demand!(answer.text("scope") != loud && !answer.text("scope").is_empty(), "{loud} was granted");
        return Ok(());
    }
    answer.refused(&["invalid_scope"], &loud)
}

async fn requested_type(world: &World) -> Verdict {
    for kind in ["urn:ietf:params:oauth:token-type:saml2", "urn:example:no-such-type"] {
        let answer = good(world).await?.with("requested_token_type", kind).send().await?;
        answer.refused(&["invalid_request"], kind)?;
    }
    Ok(())
}

async fn subject_required(world: &World) -> Verdict {
    for name in ["subject_token", "subject_token_type"] {
        good(world).await?.without(name).send().await?.refused(&["invalid_request"], name)?;
    }
    Ok(())
}

async fn actor_type_missing(world: &World) -> Verdict {
    let own = world.own_token(service(world)?)?.send().await?.granted()?;
    let answer = good(world).await?.with("actor_token", own.token()).send().await?;
    answer.refused(&["invalid_request"], "actor_token alone")
}

async fn actor_missing(world: &World) -> Verdict {
    let answer = good(world).await?.with("actor_token_type", ACCESS_TOKEN).send().await?;
    answer.refused(&["invalid_request"], "actor_token_type alone")
}

/// Tokens that are as good as none.
async fn bad_tokens(world: &World, good: &str) -> Result<Vec<(&'static str, String)>, Problem> {
    let web = world.client(&world.profile.clients.web)?;
    let revoked = world.authorize(web).tokens().await?;
    world.post("revocation_endpoint", web)?.with("token", revoked.token()).send().await?;
    let mut bad = vec![
        ("garbage", "garbage".to_owned()),
        ("a revoked token", revoked.token().to_owned()),
        ("a tampered token", jose::tampered(good)),
    ];
    if let (Ok(header), Ok(claims)) = (jose::header(good), jose::payload(good)) {
        bad.push(("an unsigned token", jose::unsigned(&json!({ "alg": "none", "typ": "at+jwt" }), &claims)));
        bad.push(("a token signed by another key", world.key.sign(&header, &claims)?));
        let mut foreign = claims.clone();
        foreign["iss"] = "https://evil.example".into();
        bad.push(("a token of another issuer", world.key.sign(&header, &foreign)?));
    }
    Ok(bad)
}

async fn bad_subject(world: &World) -> Verdict {
    let subject = world.users_tokens().await?;
    for (what, token) in bad_tokens(world, subject.token()).await? {
        good(world).await?.with("subject_token", &token).send().await?.refused(&["invalid_request"], what)?;
    }
    Ok(())
}

async fn bad_actor(world: &World) -> Verdict {
    let own = world.own_token(service(world)?)?.send().await?.granted()?;
    let request = good(world).await?.with("actor_token_type", ACCESS_TOKEN);
    for (what, token) in bad_tokens(world, own.token()).await? {
        request.clone().with("actor_token", &token).send().await?.refused(&["invalid_request"], what)?;
    }
    let users = world.users_tokens().await?;
    let answer = request.with("actor_token", users.token()).send().await?;
    answer.refused(&["invalid_request"], "a user's token as actor token")
}

async fn not_used_up(world: &World) -> Verdict {
    let web = world.client(&world.profile.clients.web)?;
    let subject = world.authorize(web).tokens().await?;
    let before = world.introspect(service(world)?, subject.token()).await?;
    exchange(world, subject.token()).await?;
    exchange(world, subject.token()).await?;
    let after = world.introspect(service(world)?, subject.token()).await?;
    demand!(before.json == after.json, "{} was {}", after.brief(), before.brief());
    Ok(())
}

async fn authenticated(world: &World) -> Verdict {
    let public = world.client(&world.profile.clients.public)?;
    let subject = world.users_tokens().await?;
    let codes = &["invalid_client", "unauthorized_client"];
    request(world, public, subject.token())?.send().await?.refused(codes, "a public client")?;
    let nobody = world.post_unknown("token_endpoint")?.with("grant_type", GRANT_TYPE);
    let nobody = nobody.with("subject_token", subject.token()).with("subject_token_type", ACCESS_TOKEN);
    nobody.with("client_id", &service(world)?.id).send().await?.refused(codes, "a client_id alone")
}

async fn response(world: &World) -> Verdict {
    let answer = good(world).await?.send().await?.granted()?;
    demand!(answer.header("content-type").starts_with("application/json"), "it is no JSON");
    demand!(answer.is_no_store(), "it may be kept");
    Ok(())
}

async fn issued_type(world: &World) -> Verdict {
    let answer = good(world).await?.send().await?.granted()?;
    demand!(
        answer.text("issued_token_type").starts_with("urn:"),
        "it is {:?}",
        answer.text("issued_token_type")
    );
    let asked = good(world).await?.with("requested_token_type", ACCESS_TOKEN).send().await?.granted()?;
    demand!(asked.text("issued_token_type") == ACCESS_TOKEN, "it is {:?}", asked.text("issued_token_type"));
    Ok(())
}

async fn token_type(world: &World) -> Verdict {
    let unbound = good(world).await?.send().await?.granted()?;
    demand!(
        unbound.text("token_type").eq_ignore_ascii_case("Bearer"),
        "it is {}",
        unbound.text("token_type")
    );
    if world.listed("dpop_signing_alg_values_supported").is_empty() {
        return Ok(());
    }
    let bound = good(world).await?.dpop(&world.key).send().await?.granted()?;
    demand!(bound.text("token_type").eq_ignore_ascii_case("DPoP"), "it is {}", bound.text("token_type"));
    Ok(())
}

async fn expires_in(world: &World) -> Verdict {
    let answer = good(world).await?.send().await?.granted()?;
    let exp = world.claims(answer.token()).await?["exp"].as_i64().unwrap_or_default();
    let told = answer.json["expires_in"].as_i64();
    let agrees = told.is_some_and(|told| (exp - world.now() - told).abs() <= 2);
    demand!(agrees, "expires_in is {told:?}, exp is {} s away", exp - world.now());
    Ok(())
}

async fn scope_told(world: &World) -> Verdict {
    let both = format!("{} {}", world.targets().scope, world.targets().other_scope);
    for asked in [both.as_str(), ""] {
        // An empty parameter is as good as none.
        let answer = good(world).await?.with("scope", asked).send().await?;
        if answer.status != 200 {
            answer.refused(&["invalid_scope"], "scope that is not all there")?;
            continue;
        }
        let has = world.claims(answer.token()).await?["scope"].clone();
        let told = answer.text("scope");
        demand!(has == told || (told.is_empty() && has == asked), "the token has {has}, told is {told:?}");
    }
    Ok(())
}

async fn no_refresh_token(world: &World) -> Verdict {
    let answer = good(world).await?.send().await?.granted()?;
    demand!(answer.text("refresh_token").is_empty(), "there is one");
    Ok(())
}

async fn invalid_request(world: &World) -> Verdict {
    let answer = good(world).await?.with("subject_token", "garbage").send().await?;
    answer.is(&[400], "a garbage subject token")?;
    answer.refused(&["invalid_request"], "a garbage subject token")
}

async fn invalid_target(world: &World) -> Verdict {
    let subject = world.users_tokens().await?;
    let mut told = Vec::new();
    for (name, value) in [
        ("audience", "no-such-audience"),
        ("resource", "https://nowhere.example"),
        ("resource", world.issuer.as_str()),
    ] {
        let request = request(world, service(world)?, subject.token())?.without("resource").with(name, value);
        let answer = request.send().await?;
        answer.refused(&["invalid_target"], value)?;
        told.push(answer.text);
    }
    told.dedup();
    demand!(told.len() == 1, "they are told apart: {told:?}");
    Ok(())
}

async fn declared_type(world: &World) -> Verdict {
    let id_token = world.openid_tokens().await?;
    let answer = good(world).await?.with("subject_token", id_token.text("id_token")).send().await?;
    answer.refused(&["invalid_request"], "an ID token as access token")?;
    let claims = json!({ "iss": "https://other.example", "sub": "x", "exp": world.now() + 60 });
    let foreign = world.key.sign(&json!({ "alg": world.key.alg, "typ": "at+jwt" }), &claims)?;
    let answer = good(world).await?.with("subject_token", &foreign).send().await?;
    answer.refused(&["invalid_request"], "a foreign JWT as access token")
}

async fn unknown_type(world: &World) -> Verdict {
    let answer = good(world).await?.with("subject_token_type", "urn:example:no-such-type").send().await?;
    answer.refused(&["invalid_request"], "an unknown type")
}

async fn act(world: &World) -> Verdict {
    let claims = world.claims(good(world).await?.send().await?.granted()?.token()).await?;
    demand!(claims["act"]["sub"].is_string(), "act is {}", claims["act"]);
    Ok(())
}

async fn outermost(world: &World) -> Verdict {
    let subject = world.users_tokens().await?;
    let user = world.claims(subject.token()).await?["sub"].clone();
    let claims = world.claims(exchange(world, subject.token()).await?.token()).await?;
    demand!(claims["sub"] == user, "sub is {}, the user is {user}", claims["sub"]);
    demand!(claims["act"]["sub"] == service(world)?.id.as_str(), "act is {}", claims["act"]);
    Ok(())
}

/// The first service exchanges for the other resource, the other service exchanges that.
async fn three_hops(world: &World) -> Result<(Answer, Answer), Problem> {
    let (first, second) = (service(world)?, world.client(&world.profile.clients.other_service)?);
    let (scope, targets) = (&world.targets().common_scope, world.targets());
    let subject = world.common_tokens().await?;
    let one = request(world, first, subject.token())?
        .with("scope", scope)
        .with("resource", &targets.other_resource);
    let one = one.send().await?.granted()?;
    let two = request(world, second, one.token())?.with("scope", scope).with("resource", &targets.resource);
    Ok((one, two.send().await?.granted()?))
}

async fn chain_kept(world: &World) -> Verdict {
    let (one, two) = three_hops(world).await?;
    let (one, two) = (world.claims(one.token()).await?, world.claims(two.token()).await?);
    let other = world.client(&world.profile.clients.other_service)?;
    demand!(two["act"]["sub"] == other.id.as_str(), "the current actor is {}", two["act"]["sub"]);
    demand!(two["act"]["act"] == one["act"], "inside is {}, it was {}", two["act"]["act"], one["act"]);
    demand!(one["sub"] == two["sub"] && one["act"]["act"].is_null(), "the story changed");
    Ok(())
}

async fn identity_only(world: &World) -> Verdict {
    let (_, two) = three_hops(world).await?;
    let mut act = world.claims(two.token()).await?["act"].clone();
    while act.is_object() {
        for name in ["exp", "nbf", "aud", "iat", "scope"] {
            demand!(act.get(name).is_none(), "{name} is in {act}");
        }
        act = act["act"].take();
    }
    Ok(())
}

async fn introspected(world: &World) -> Verdict {
    let (_, two) = three_hops(world).await?;
    if !jose::is_jwt(two.token()) {
        return skip("the token is no JWT");
    }
    let told = world.introspect(service(world)?, two.token()).await?;
    let act: Value = jose::payload(two.token())?["act"].clone();
    demand!(told.json["act"] == act, "introspection shows {}, the token {act}", told.json["act"]);
    Ok(())
}

async fn scope_text(world: &World) -> Verdict {
    let claims = world.claims(good(world).await?.send().await?.granted()?.token()).await?;
    demand!(claims["scope"].is_string(), "scope is {}", claims["scope"]);
    Ok(())
}

async fn client_id(world: &World) -> Verdict {
    let claims = world.claims(good(world).await?.send().await?.granted()?.token()).await?;
    demand!(claims["client_id"] == service(world)?.id.as_str(), "client_id is {}", claims["client_id"]);
    Ok(())
}

async fn delegation(world: &World) -> Verdict {
    let with = world.own_token(service(world)?)?.send().await?.granted()?;
    let without = world.claims(good(world).await?.send().await?.granted()?.token()).await?;
    let request = good(world).await?.with("actor_token", with.token()).with("actor_token_type", ACCESS_TOKEN);
    let named = world.claims(request.send().await?.granted()?.token()).await?;
    demand!(without["act"] == named["act"], "{} is not {}", without["act"], named["act"]);
    Ok(())
}

async fn short_life(world: &World) -> Verdict {
    let life = good(world).await?.send().await?.granted()?.json["expires_in"].as_u64().unwrap_or(u64::MAX);
    demand!(life <= 3600, "expires_in is {life}");
    Ok(())
}

async fn refusal_form(world: &World) -> Verdict {
    let answer = good(world).await?.with("scope", "no-such-scope").send().await?;
    answer.refused(&["invalid_scope"], "an unknown scope")?;
    demand!(answer.is_no_store(), "it may be kept");
    Ok(())
}

async fn never_wider(world: &World) -> Verdict {
    let web = world.client(&world.profile.clients.web)?;
    let subject = world.authorize(web).tokens().await?;
    let more = format!("{} {}", world.targets().scope, world.targets().more_scope);
    let answer = request(world, service(world)?, subject.token())?.with("scope", &more).send().await?;
    answer.refused(&["invalid_scope"], "one scope more")
}

async fn never_longer(world: &World) -> Verdict {
    let subject = world.users_tokens().await?;
    let before = world.claims(subject.token()).await?["exp"].as_i64();
    let after = world.claims(exchange(world, subject.token()).await?.token()).await?["exp"].as_i64();
    demand!(after <= before, "exp was {before:?} and is {after:?}");
    Ok(())
}

async fn not_strangers(world: &World) -> Verdict {
    let stranger = world.client(&world.profile.clients.stranger)?;
    let answer = request(world, stranger, world.users_tokens().await?.token())?.send().await?;
    answer.refused(&["invalid_request"], "a stranger")
}

async fn stays_bound(world: &World) -> Verdict {
    let subject = world.agents_tokens().await?;
    let agent = world.client(&world.profile.clients.agent)?;
    let own = request(world, agent, subject.token())?;
    let codes = &["invalid_request", "invalid_dpop_proof", "use_dpop_nonce"];
    own.clone().send().await?.refused(codes, "no proof")?;
    own.clone().dpop(&world.other_key).send().await?.refused(codes, "another key")?;
    own.dpop(&world.key).send().await?.granted()?;
    // Whoever it is addressed to may use a key of its own, but not none.
    let addressed = request(world, service(world)?, subject.token())?;
    addressed.clone().send().await?.refused(codes, "the addressee without a proof")?;
    let bound = addressed.dpop(&world.other_key).send().await?.granted()?;
    demand!(bound.text("token_type").eq_ignore_ascii_case("DPoP"), "it is unbound");
    Ok(())
}

async fn no_cycle(world: &World) -> Verdict {
    let (_, two) = three_hops(world).await?;
    let again = request(world, service(world)?, two.token())?.with("scope", &world.targets().common_scope);
    again.send().await?.refused(&["invalid_request"], "the first actor again")
}

async fn ends_together(world: &World) -> Verdict {
    let web = world.client(&world.profile.clients.web)?;
    let subject = world.authorize(web).tokens().await?;
    let derived = exchange(world, subject.token()).await?;
    demand!(world.is_active(derived.token()).await?, "it is not active before");
    world
        .post("revocation_endpoint", web)?
        .with("token", subject.token())
        .send()
        .await?
        .is(&[200], "revocation")?;
    demand!(!world.is_active(derived.token()).await?, "it outlives its subject token");
    Ok(())
}
