//! RFC 7009: token revocation.

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-7009-1" Must "RFC 7009 §2" "The endpoint takes POST and not GET." => post_only;
    "R-7009-2" Must "RFC 7009 §2.1" "A missing token is invalid_request." => token_required;
    "R-7009-3" Must "RFC 7009 §2.1" "A wrong hint does not save the token." => wrong_hint;
    "R-7009-4" Must "RFC 7009 §2.2" "An unknown hint is ignored." => unknown_hint;
    "R-7009-5" Must "RFC 7009 §2.1" "A confidential client authenticates; a public one names itself." => clients;
    "R-7009-6" Must "RFC 7009 §2.1" "Another client's token stays alive." => not_others;
    "R-7009-7" Must "RFC 7009 §2.1" "The token is dead at once." => at_once;
    "R-7009-8" Must "RFC 7009 §2.2" "An unknown token, and one revoked before, are answered with 200." => unknown;
    "R-7009-9" Must "RFC 7009 §2.2" "The body of success says nothing." => empty;
    "R-7009-10" Should "RFC 7009 §2.1" "With the refresh token the access tokens of its grant end." => cascade;
    "R-7009-17" Should "RFC 8414 §2" "The metadata lists how clients authenticate here." => listed;
}

/// Fresh tokens of the web client, with a refresh token where there is one.
async fn fresh(world: &World) -> Result<Answer, Problem> {
    let web = world.client(&world.profile.clients.web)?;
    let scope = format!("{} offline_access", world.targets().scope);
    world.authorize(web).with("scope", &scope).with("prompt", "consent").tokens().await
}

async fn revoke(world: &World, token: &str, hint: &str) -> Result<Answer, Problem> {
    let web = world.client(&world.profile.clients.web)?;
    let request = world.post("revocation_endpoint", web)?.with("token", token);
    if hint.is_empty() { request.send().await } else { request.with("token_type_hint", hint).send().await }
}

async fn post_only(world: &World) -> Verdict {
    world.get(world.endpoint("revocation_endpoint")?).await?.is(&[405], "GET")
}

async fn token_required(world: &World) -> Verdict {
    let web = world.client(&world.profile.clients.web)?;
    world.post("revocation_endpoint", web)?.send().await?.refused(&["invalid_request"], "without token")
}

async fn ends_with_hint(world: &World, hint: &str) -> Verdict {
    let tokens = fresh(world).await?;
    revoke(world, tokens.token(), hint).await?.is(&[200], hint)?;
    demand!(!world.is_active(tokens.token()).await?, "it is active after its revocation");
    Ok(())
}

async fn wrong_hint(world: &World) -> Verdict {
    ends_with_hint(world, "refresh_token").await
}

async fn unknown_hint(world: &World) -> Verdict {
    ends_with_hint(world, "foo").await
}

async fn clients(world: &World) -> Verdict {
    let web = world.client(&world.profile.clients.web)?;
    let tokens = fresh(world).await?;
    let request = world.post_unknown("revocation_endpoint")?.with("token", tokens.token()).with("client_id", &web.id);
    request.send().await?.refused(&["invalid_client"], "a confidential client without credentials")?;
    demand!(world.is_active(tokens.token()).await?, "it is dead all the same");
    let public = world.client(&world.profile.clients.public)?;
    let request = world.post_unknown("revocation_endpoint")?.with("token", "x").with("client_id", &public.id);
    request.send().await?.is(&[200], "a public client")
}

async fn not_others(world: &World) -> Verdict {
    let other = world.client(&world.profile.clients.other_web)?;
    let tokens = fresh(world).await?;
    // Whether it is refused or answered as if it were unknown: it must not die of it.
    world.post("revocation_endpoint", other)?.with("token", tokens.token()).send().await?.is(&[200, 400], "another's")?;
    demand!(world.is_active(tokens.token()).await?, "another client's token was ended");
    Ok(())
}

async fn at_once(world: &World) -> Verdict {
    ends_with_hint(world, "").await
}

async fn unknown(world: &World) -> Verdict {
    revoke(world, "garbage", "").await?.is(&[200], "garbage")?;
    let tokens = fresh(world).await?;
    revoke(world, tokens.token(), "").await?.is(&[200], "once")?;
    revoke(world, tokens.token(), "").await?.is(&[200], "twice")
}

async fn empty(world: &World) -> Verdict {
    let answer = revoke(world, "garbage", "").await?;
    demand!(matches!(answer.text.trim(), "" | "{}"), "the body is {}", answer.text);
    Ok(())
}

async fn cascade(world: &World) -> Verdict {
    let tokens = fresh(world).await?;
    let refresh = tokens.text("refresh_token");
    if refresh.is_empty() {
        return skip("there is no refresh token");
    }
    revoke(world, refresh, "refresh_token").await?.is(&[200], "a refresh token")?;
    demand!(!world.is_active(tokens.token()).await?, "the access token is still active");
    let web = world.client(&world.profile.clients.web)?;
    let again = world.token(web, "refresh_token")?.with("refresh_token", refresh).send().await?;
    again.refused(&["invalid_grant"], "the revoked refresh token")
}

async fn listed(world: &World) -> Verdict {
    world.endpoint("revocation_endpoint")?;
    let methods = world.listed("revocation_endpoint_auth_methods_supported");
    demand!(!methods.is_empty(), "revocation_endpoint_auth_methods_supported is missing");
    Ok(())
}
