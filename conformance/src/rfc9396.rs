//! RFC 9396: rich authorization requests.

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::flow::Authorization;
use crate::jose;
use crate::world::World;
use crate::{checks, demand};

const REFUSED: &[&str] = &["invalid_authorization_details"];

checks! {
    "R-9396-1" Must "RFC 9396 §2" "A list of objects is accepted and granted." => accepted;
    "R-9396-2" Must "RFC 9396 §2" "An object, a text, a list of other things and broken JSON are refused." => not_a_list;
    "R-9396-3" Must "RFC 9396 §2" "Each object has a type, and it is a text." => typed;
    "R-9396-4" Must "RFC 9396 §2" "Two objects of one type are granted as two." => twice;
    "R-9396-5" Must "RFC 9396 §2.2" "Common fields have their JSON types: actions is a list." => common_fields;
    "R-9396-6" Must "RFC 9396 §3" "It can be pushed." => pushed;
    "R-9396-7" Must "RFC 9396 §6" "A token request may ask for less." => narrowed;
    "R-9396-8" Must "RFC 9396 §6" "A token exchange may ask for less, and not for more." => exchanged;
    "R-9396-9" Must "RFC 9396 §4" "It is not in the authorization response." => not_in_response;
    "R-9396-10" Must "RFC 9396 §3.2" "Naming the resource does not change what is granted." => with_resource;
    "R-9396-11" Must "RFC 9396 §5" "An unknown type is refused at both endpoints." => unknown_type;
    "R-9396-12" Must "RFC 9396 §5" "An unknown field is refused." => unknown_field;
    "R-9396-13" Must "RFC 9396 §5" "A field of the wrong type is refused." => wrong_type;
    "R-9396-14" Must "RFC 9396 §5" "An empty list of actions is refused." => invalid_value;
    "R-9396-15" Must "RFC 9396 §5" "A missing field that is required is refused." => missing_field;
    "R-9396-16" Must "RFC 9396 §5" "One bad object refuses the whole request." => one_bad;
    "R-9396-17" Must "RFC 9396 §3.1" "scope and authorization_details are granted together." => with_scope;
    "R-9396-20" Must "RFC 9396 §6.1" "More than was granted is refused." => wider;
    "R-9396-21" Must "RFC 9396 §6.1" "Narrowing one token does not shrink the grant." => grant_whole;
    "R-9396-22" Must "RFC 9396 §7" "The token response tells what was granted." => told;
    "R-9396-26" Must "RFC 9396 §9.1" "The token tells the resource what was granted." => in_token;
    "R-9396-27" Must "RFC 9396 §9.2" "Introspection tells it as a top-level member." => introspected;
    "R-9396-28" Must "RFC 9396 §10" "The metadata lists the types." => listed;
    "R-9396-31" Must "RFC 9396 §12" "Markup in a detail does not reach a page as markup." => sanitised;
    "R-9396-32" Must "RFC 9396 §12" "Texts are compared code point by code point." => no_normalisation;
}

fn detail(world: &World) -> Result<Map<String, Value>, Problem> {
    world.targets().detail.clone().map_or_else(|| skip("the profile has no detail"), Ok)
}

fn with(mut detail: Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    detail.insert(name.to_owned(), value);
    detail
}

/// The detail with its first action only.
fn narrow(world: &World) -> Result<Map<String, Value>, Problem> {
    let detail = detail(world)?;
    let first = detail.get("actions").and_then(|actions| actions.get(0)).cloned();
    match first {
        Some(first) => Ok(with(detail, "actions", json!([first]))),
        None => skip("the profile's detail has no actions"),
    }
}

/// An authorization request with these details and nothing else.
fn ask<'w>(world: &'w World, details: &Value) -> Result<Authorization<'w>, Problem> {
    let asked = world.authorize(world.client(&world.profile.clients.web)?).without("scope");
    Ok(asked.with("authorization_details", &details.to_string()))
}

async fn granted(world: &World) -> Result<Answer, Problem> {
    ask(world, &json!([detail(world)?]))?.tokens().await
}

fn details(answer: &Answer) -> &Value {
    &answer.json["authorization_details"]
}

async fn refused(world: &World, details: &Value) -> Verdict {
    ask(world, details)?.refused(REFUSED).await.map(|_| ())
}

async fn accepted(world: &World) -> Verdict {
    let tokens = granted(world).await?;
    demand!(details(&tokens).as_array().is_some_and(|list| list.len() == 1), "granted: {}", details(&tokens));
    Ok(())
}

async fn not_a_list(world: &World) -> Verdict {
    detail(world)?;
    for bad in ["{}", "\"x\"", "1", "[1]", "[\"x\"]", "[", "[{}"] {
        let asked = world.authorize(world.client(&world.profile.clients.web)?);
        asked.with("authorization_details", bad).refused(REFUSED).await?;
    }
    Ok(())
}

async fn typed(world: &World) -> Verdict {
    for bad in [Value::Null, json!(1), json!(["x"])] {
        refused(world, &json!([with(detail(world)?, "type", bad)])).await?;
    }
    let mut untyped = detail(world)?;
    untyped.remove("type");
    refused(world, &json!([untyped])).await
}

async fn twice(world: &World) -> Verdict {
    let tokens = ask(world, &json!([detail(world)?, narrow(world)?]))?.tokens().await?;
    demand!(details(&tokens).as_array().is_some_and(|list| list.len() == 2), "granted: {}", details(&tokens));
    Ok(())
}

async fn common_fields(world: &World) -> Verdict {
    refused(world, &json!([with(detail(world)?, "actions", json!("read"))])).await?;
    refused(world, &json!([with(detail(world)?, "locations", json!([1]))])).await
}

async fn pushed(world: &World) -> Verdict {
    let asked = ask(world, &json!([detail(world)?]))?;
    let pushed = asked.push()?.send().await?;
    let landing = asked.follow(&asked.pushed_url(pushed.text("request_uri"))?).await?;
    let tokens = asked.redeem(landing.param("code"))?.send().await?.granted()?;
    demand!(details(&tokens).is_array(), "granted: {}", details(&tokens));
    Ok(())
}

async fn narrowed(world: &World) -> Verdict {
    let (asked, less) = (ask(world, &json!([detail(world)?]))?, json!([narrow(world)?]));
    let request = asked.redeem(&asked.code().await?)?.with("authorization_details", &less.to_string());
    let tokens = request.send().await?.granted()?;
    demand!(*details(&tokens) == less, "granted: {}", details(&tokens));
    Ok(())
}

async fn exchanged(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let subject = granted(world).await?;
    let less = json!([narrow(world)?]);
    let request = crate::rfc8693::request(world, service, subject.token())?.without("scope");
    let request = request.with("resource", &world.targets().resource);
    let answer = request.clone().with("authorization_details", &less.to_string()).send().await?.granted()?;
    demand!(*details(&answer) == less, "granted: {}", details(&answer));
    let more = json!([more(world)?]);
    request.with("authorization_details", &more.to_string()).send().await?.refused(REFUSED, "more")
}

async fn not_in_response(world: &World) -> Verdict {
    let landing = ask(world, &json!([detail(world)?]))?.finish().await?;
    demand!(landing.param("authorization_details").is_empty(), "it is in {}", landing.url);
    Ok(())
}

async fn with_resource(world: &World) -> Verdict {
    let asked = ask(world, &json!([detail(world)?]))?;
    let without = asked.clone().without("resource").tokens().await?;
    let named = asked.tokens().await?;
    demand!(details(&named) == details(&without), "{} is not {}", details(&named), details(&without));
    Ok(())
}

async fn unknown_type(world: &World) -> Verdict {
    let unknown = json!([with(detail(world)?, "type", json!("urn:example:no-such-type"))]);
    refused(world, &unknown).await?;
    let asked = ask(world, &json!([detail(world)?]))?;
    let request = asked.redeem(&asked.code().await?)?.with("authorization_details", &unknown.to_string());
    request.send().await?.refused(REFUSED, "an unknown type at the token endpoint")
}

async fn unknown_field(world: &World) -> Verdict {
    refused(world, &json!([with(detail(world)?, "zz", json!(1))])).await
}

async fn wrong_type(world: &World) -> Verdict {
    refused(world, &json!([with(detail(world)?, "actions", json!([1]))])).await?;
    refused(world, &json!([with(detail(world)?, "identifier", json!(["x"]))])).await
}

async fn invalid_value(world: &World) -> Verdict {
    refused(world, &json!([with(detail(world)?, "actions", json!([]))])).await
}

async fn missing_field(world: &World) -> Verdict {
    let Some(required) = &world.targets().required_member else { return skip("the profile names none") };
    let mut without = detail(world)?;
    without.remove(required);
    refused(world, &json!([without])).await
}

async fn one_bad(world: &World) -> Verdict {
    refused(world, &json!([detail(world)?, with(detail(world)?, "zz", json!(1))])).await
}

async fn with_scope(world: &World) -> Verdict {
    let scope = world.targets().scope.as_str();
    let tokens = ask(world, &json!([detail(world)?]))?.with("scope", scope).tokens().await?;
    let claims = world.claims(tokens.token()).await?;
    demand!(details(&tokens).is_array() && claims["scope"] == scope, "granted: {}", tokens.brief());
    Ok(())
}

fn more(world: &World) -> Result<Map<String, Value>, Problem> {
    let detail = detail(world)?;
    let mut actions = detail.get("actions").and_then(Value::as_array).cloned().unwrap_or_default();
    actions.push(json!("one-more-action"));
    Ok(with(detail, "actions", actions.into()))
}

async fn wider(world: &World) -> Verdict {
    let asked = ask(world, &json!([detail(world)?]))?;
    let code = asked.code().await?;
    let more = json!([more(world)?]).to_string();
    asked.redeem(&code)?.with("authorization_details", &more).send().await?.refused(REFUSED, "one more action")
}

async fn grant_whole(world: &World) -> Verdict {
    let all = json!([detail(world)?]);
    let asked = ask(world, &all)?.with("scope", "offline_access").with("prompt", "consent");
    let tokens = asked.tokens().await?;
    let refresh = tokens.text("refresh_token");
    if refresh.is_empty() {
        return skip("there is no refresh token");
    }
    let request = world.token(asked.client, "refresh_token")?.with("refresh_token", refresh);
    let less = json!([narrow(world)?]).to_string();
    let narrowed = request.clone().with("authorization_details", &less).send().await?.granted()?;
    let next = narrowed.text("refresh_token");
    let request = if next.is_empty() { request } else { request.with("refresh_token", next) };
    let whole = request.send().await?.granted()?;
    demand!(*details(&whole) == all, "granted: {}", details(&whole));
    Ok(())
}

async fn told(world: &World) -> Verdict {
    let tokens = granted(world).await?;
    demand!(*details(&tokens) == json!([detail(world)?]), "told: {}", details(&tokens));
    Ok(())
}

async fn in_token(world: &World) -> Verdict {
    let tokens = granted(world).await?;
    if !jose::is_jwt(tokens.token()) {
        return skip("the token is no JWT");
    }
    let claims = jose::payload(tokens.token())?;
    demand!(claims["authorization_details"] == *details(&tokens), "the token says {}", claims["authorization_details"]);
    Ok(())
}

async fn introspected(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let tokens = granted(world).await?;
    let answer = world.introspect(service, tokens.token()).await?;
    demand!(details(&answer) == details(&tokens), "introspection says {}", details(&answer));
    Ok(())
}

async fn listed(world: &World) -> Verdict {
    let detail = detail(world)?;
    let name = detail.get("type").and_then(Value::as_str).unwrap_or_default();
    let listed = world.listed("authorization_details_types_supported");
    demand!(listed.contains(&name), "{name} is not among {listed:?}");
    Ok(())
}

async fn sanitised(world: &World) -> Verdict {
    let hostile = "<script>alert(1)</script>";
    let asked = ask(world, &json!([with(detail(world)?, "actions", json!([hostile]))]))?;
    // A type may well refuse such an action.
    let landing = asked.finish().await?;
    for page in &landing.pages {
        demand!(!page.text.contains(hostile), "the page holds the markup as it came");
    }
    Ok(())
}

async fn no_normalisation(world: &World) -> Verdict {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    let asked = ask(world, &json!([with(detail(world)?, "actions", json!([composed]))]))?;
    let landing = asked.finish().await?;
    if landing.param("code").is_empty() {
        return skip("the type does not take free actions");
    }
    let other = json!([with(detail(world)?, "actions", json!([decomposed]))]).to_string();
    let request = asked.redeem(landing.param("code"))?.with("authorization_details", &other);
    request.send().await?.refused(REFUSED, "the same word otherwise composed")
}
