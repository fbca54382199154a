//! RFC 8707: resource indicators.

use serde_json::Value;

use crate::check::{Problem, Verdict, skip};
use crate::flow::Authorization;
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-8707-1" Must "RFC 8707 §2" "A relative resource, and one with a fragment, are invalid_target." => absolute;
    "R-8707-2" Must "RFC 8707 §2" "Two resources are both honoured, or refused; none is dropped in silence." => several;
    "R-8707-3" Must "RFC 8707 §2.1" "In a request object one resource is a text, and several are a list." => in_an_object;
    "R-8707-4" Must "RFC 8707 §2" "The token's audience is the resource that was asked for, and no other." => restricted;
    "R-8707-5" Must "RFC 8707 §2" "An unknown resource is invalid_target at each endpoint." => unknown;
    "R-8707-7" Must "RFC 8707 §2.1" "A resource of the authorization request bounds the tokens." => bounds;
    "R-8707-8" Must "RFC 8707 §2.2" "A resource in the token request says where this token goes." => chosen;
    "R-8707-9" Must "RFC 8707 §2.2" "A resource outside the grant is invalid_target." => outside;
    "R-8707-10" Must "RFC 8707 §2.2" "A token for a part leaves the refresh token whole." => refresh_whole;
    "R-8707-11" Should "RFC 8707 §2.2" "The scope is cut to what the resource knows, and that is told." => downscoped;
    "R-8707-12" Must "RFC 8707 §2" "It works in client credentials requests." => client_credentials;
    "R-8707-13" Must "RFC 8707 §3" "Resources are compared whole: no prefix, no longer path, no other case." => compared_whole;
    "R-8707-14" Should "RFC 8707 §3" "A bearer token has one audience." => single;
}

/// `aud` as a list.
#[must_use]
pub fn audiences(claims: &Value) -> Vec<&str> {
    match &claims["aud"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn both(world: &World) -> Result<Authorization<'_>, Problem> {
    let (web, targets) = (world.client(&world.profile.clients.web)?, world.targets());
    let scope = format!("{} {} offline_access", targets.scope, targets.other_scope);
    Ok(world
        .authorize(web)
        .with("scope", &scope)
        .with("prompt", "consent")
        .and("resource", &targets.other_resource))
}

async fn absolute(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    for bad in ["/relative", "not a uri", &format!("{}#f", world.targets().resource)] {
        let answer = world.own_token(service)?.with("resource", bad).send().await?;
        answer.refused(&["invalid_target"], bad)?;
    }
    Ok(())
}

async fn several(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let request = world.own_token(service)?.with("scope", &world.targets().common_scope);
    let answer = request.and("resource", &world.targets().other_resource).send().await?;
    if answer.status != 200 {
        return answer.refused(&["invalid_target"], "two resources");
    }
    let claims = world.claims(answer.token()).await?;
    demand!(audiences(&claims).len() == 2, "aud is {}", claims["aud"]);
    Ok(())
}

async fn restricted(world: &World) -> Verdict {
    let claims = world.claims(world.users_tokens().await?.token()).await?;
    demand!(audiences(&claims) == [world.targets().resource.as_str()], "aud is {}", claims["aud"]);
    Ok(())
}

async fn unknown(world: &World) -> Verdict {
    let (web, service) =
        (world.client(&world.profile.clients.web)?, world.client(&world.profile.clients.service)?);
    let nowhere = "https://nowhere.example";
    let asked = world.authorize(web).with("resource", nowhere);
    asked.refused(&["invalid_target"]).await?;
    if world.told("pushed_authorization_request_endpoint").is_string() {
        asked.push()?.send().await?.refused(&["invalid_target"], "pushed")?;
    }
    let answer = world.own_token(service)?.with("resource", nowhere).send().await?;
    answer.refused(&["invalid_target"], "token endpoint")
}

async fn bounds(world: &World) -> Verdict {
    let asked = world.authorize(world.client(&world.profile.clients.web)?);
    let request = asked.redeem(&asked.code().await?)?.with("resource", &world.targets().other_resource);
    request.send().await?.refused(&["invalid_target"], "another resource than that of the authorization")
}

async fn chosen(world: &World) -> Verdict {
    let asked = both(world)?;
    let request = asked.redeem(&asked.code().await?)?.with("resource", &world.targets().other_resource);
    let tokens = request.send().await?.granted()?;
    let claims = world.claims(tokens.token()).await?;
    demand!(audiences(&claims) == [world.targets().other_resource.as_str()], "aud is {}", claims["aud"]);
    Ok(())
}

async fn outside(world: &World) -> Verdict {
    let web = world.client(&world.profile.clients.web)?;
    let scope = format!("{} offline_access", world.targets().scope);
    let tokens = world.authorize(web).with("scope", &scope).with("prompt", "consent").tokens().await?;
    let refresh = tokens.text("refresh_token");
    if refresh.is_empty() {
        return skip("there is no refresh token");
    }
    let request = world.token(web, "refresh_token")?.with("refresh_token", refresh);
    let answer = request.with("resource", &world.targets().other_resource).send().await?;
    answer.refused(&["invalid_target"], "a resource outside the grant")
}

async fn refresh_whole(world: &World) -> Verdict {
    let asked = both(world)?;
    let request = asked.redeem(&asked.code().await?)?.with("resource", &world.targets().resource);
    let tokens = request.send().await?.granted()?;
    let refresh = tokens.text("refresh_token");
    if refresh.is_empty() {
        return skip("there is no refresh token");
    }
    let request = world.token(asked.client, "refresh_token")?.with("refresh_token", refresh);
    let again = request.with("resource", &world.targets().other_resource).send().await?.granted()?;
    let claims = world.claims(again.token()).await?;
    demand!(audiences(&claims) == [world.targets().other_resource.as_str()], "aud is {}", claims["aud"]);
    Ok(())
}

async fn downscoped(world: &World) -> Verdict {
    let asked = both(world)?;
    let request = asked.redeem(&asked.code().await?)?.with("resource", &world.targets().resource);
    let tokens = request.send().await?.granted()?;
    demand!(tokens.text("scope") == world.targets().scope, "scope is {}", tokens.text("scope"));
    let claims = world.claims(tokens.token()).await?;
    demand!(claims["scope"] == world.targets().scope.as_str(), "the token's scope is {}", claims["scope"]);
    Ok(())
}

async fn client_credentials(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let request = world.own_token(service)?.with("scope", &world.targets().common_scope);
    let answer = request.with("resource", &world.targets().other_resource).send().await?.granted()?;
    let claims = world.claims(answer.token()).await?;
    demand!(audiences(&claims) == [world.targets().other_resource.as_str()], "aud is {}", claims["aud"]);
    Ok(())
}

async fn compared_whole(world: &World) -> Verdict {
    let service = world.client(&world.profile.clients.service)?;
    let resource = &world.targets().resource;
    for other in
        [format!("{resource}/"), format!("{resource}/more"), format!("{resource}?a"), resource.to_uppercase()]
    {
        let answer = world.own_token(service)?.with("resource", &other).send().await?;
        answer.refused(&["invalid_target"], &other)?;
    }
    Ok(())
}

async fn single(world: &World) -> Verdict {
    let tokens = world.users_tokens().await?;
    let claims = world.claims(tokens.token()).await?;
    demand!(audiences(&claims).len() == 1, "aud is {}", claims["aud"]);
    Ok(())
}

async fn in_an_object(world: &World) -> Verdict {
    let (client, key) = crate::rfc9101::signer(world)?;
    let targets = world.targets();
    let asked = world.authorize(client).with("scope", &targets.common_scope).bound();
    let mut claims = crate::rfc9101::claims(world, &asked);
    claims.insert("resource".into(), serde_json::json!([targets.resource, targets.other_resource]));
    let object = crate::rfc9101::sign(&key, Some("oauth-authz-req+jwt"), &claims)?;
    let url = crate::rfc9101::with_object(&asked, &object).url()?;
    let landing = asked.follow(&url).await?;
    let code = landing.param("code");
    demand!(!code.is_empty(), "no code for two resources: {}", landing.url);
    let tokens = asked.redeem(code)?.with("resource", &targets.other_resource).send().await?.granted()?;
    let aud = world.claims(tokens.token()).await?["aud"].clone();
    demand!(aud == targets.other_resource.as_str(), "aud is {aud}");
    Ok(())
}
