//! RFC 7636: proof key for code exchange, as RFC 9700 and OAuth 2.1 tighten it.

use crate::check::{Verdict, skip};
use crate::flow::Authorization;
use crate::jose;
use crate::profile::Client;
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-7636-1" Must "RFC 7636 §4" "A code with an S256 challenge is redeemed with its verifier." => s256;
    "R-7636-2" Must "RFC 7636 §4.1" "A verifier of 42 or 129 characters, or with a plus, is refused." => verifier_syntax;
    "R-7636-3" Must "RFC 7636 §4.6" "The challenge is the base64url SHA-256 of the verifier, as in appendix B." => appendix_b;
    "R-7636-4" Must "RFC 7636 §4.3" "A challenge without a method means plain, and is refused." => no_method;
    "R-7636-5" Must "RFC 7636 §4.4.1" "plain, S512 and s256 are refused." => other_methods;
    "R-7636-6" Must "RFC 7636 §4.5" "A method at the token endpoint changes nothing." => method_of_the_code;
    "R-7636-7" Must "RFC 7636 §4.4" "The challenge is not shown in the response." => not_shown;
    "R-7636-8" Must "RFC 7636 §4.6" "A wrong verifier, and the challenge in its place, are invalid_grant." => mismatch;
    "R-7636-9" Must "RFC 9700 §2.1.1" "Where there was a challenge, no verifier is invalid_grant." => missing_verifier;
    "R-7636-10" Must "RFC 9700 §4.8.2" "Where there was no challenge, a verifier is refused." => no_downgrade;
    "R-7636-11" Must "RFC 9700 §2.1.1" "A public client needs a challenge; a confidential one too, unless it uses OpenID Connect." => required;
    "R-7636-12" Must "RFC 9700 §2.1.1" "The metadata tells that PKCE is supported." => told;
    "R-7636-14" Must "RFC 7636 §4.2" "A challenge that is no S256 challenge is refused." => challenge_syntax;
    "R-7636-16" Must "RFC 7636 §4.3" "A pushed challenge binds the code too." => pushed;
    "P-7636-1" Policy "RFC 9700 §4.5" "A wrong verifier does not burn the code, but many do." => attempts;
}

fn web(world: &World) -> Result<&Client, crate::check::Problem> {
    world.client(&world.profile.clients.web)
}

pub(crate) async fn s256(world: &World) -> Verdict {
    world.authorize(web(world)?).tokens().await.map(|_| ())
}

async fn verifier_syntax(world: &World) -> Verdict {
    let asked = world.authorize(web(world)?);
    for bad in ["a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43))] {
        // The challenge fits, so that nothing but the syntax can be the reason.
        let asked = asked.clone().with("code_challenge", &jose::sha256(&bad));
        let answer = asked.redeem(&asked.code().await?)?.with("code_verifier", &bad).send().await?;
        answer.refused(&["invalid_grant", "invalid_request"], &format!("{} characters", bad.len()))?;
    }
    Ok(())
}

async fn appendix_b(world: &World) -> Verdict {
    let mut asked = world.authorize(web(world)?);
    asked = asked.with("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    asked.verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
    asked.tokens().await.map(|_| ())
}

async fn no_method(world: &World) -> Verdict {
    let asked = world.authorize(web(world)?).without("code_challenge_method");
    asked.refused(&["invalid_request"]).await.map(|_| ())
}

async fn other_methods(world: &World) -> Verdict {
    for method in ["plain", "S512", "s256"] {
        let asked = world.authorize(web(world)?).with("code_challenge_method", method);
        asked.refused(&["invalid_request"]).await?;
    }
    Ok(())
}

async fn method_of_the_code(world: &World) -> Verdict {
    let asked = world.authorize(web(world)?);
    let challenge = asked.param("code_challenge").to_owned();
    let request = asked.redeem(&asked.code().await?)?.with("code_challenge_method", "plain");
    request
        .with("code_verifier", &challenge)
        .send()
        .await?
        .refused(&["invalid_grant"], "plain at the token endpoint")
}

async fn not_shown(world: &World) -> Verdict {
    let asked = world.authorize(web(world)?);
    let landing = asked.finish().await?;
    demand!(!landing.url.contains(asked.param("code_challenge")), "the challenge is in {}", landing.url);
    Ok(())
}

async fn mismatch(world: &World) -> Verdict {
    let asked = world.authorize(web(world)?);
    let code = asked.code().await?;
    for wrong in [jose::fresh(), asked.param("code_challenge").to_owned()] {
        let answer = asked.redeem(&code)?.with("code_verifier", &wrong).send().await?;
        answer.refused(&["invalid_grant"], "a wrong verifier")?;
    }
    Ok(())
}

pub(crate) async fn missing_verifier(world: &World) -> Verdict {
    let asked = world.authorize(web(world)?);
    let answer = asked.redeem(&asked.code().await?)?.without("code_verifier").send().await?;
    answer.refused(&["invalid_grant"], "no verifier")
}

fn openid_without_challenge<'w>(world: &'w World, client: &'w Client) -> Authorization<'w> {
    let asked = world.authorize(client).without_challenge().without("resource");
    asked.with("scope", "openid").with("nonce", &jose::fresh())
}

pub(crate) async fn no_downgrade(world: &World) -> Verdict {
    let asked = openid_without_challenge(world, web(world)?);
    let landing = asked.finish().await?;
    if landing.param("code").is_empty() {
        return skip("no code is given without a challenge");
    }
    let request = asked.redeem(landing.param("code"))?.with("code_verifier", &jose::fresh());
    request.send().await?.refused(&["invalid_grant", "invalid_request"], "a verifier without a challenge")
}

pub(crate) async fn required(world: &World) -> Verdict {
    let public = world.client(&world.profile.clients.public)?;
    world.authorize(public).without_challenge().refused(&["invalid_request"]).await?;
    openid_without_challenge(world, public).refused(&["invalid_request"]).await?;
    world.authorize(web(world)?).without_challenge().refused(&["invalid_request"]).await.map(|_| ())
}

async fn told(world: &World) -> Verdict {
    demand!(world.listed("code_challenge_methods_supported").contains(&"S256"), "S256 is not listed");
    Ok(())
}

async fn challenge_syntax(world: &World) -> Verdict {
    for bad in ["a", &"a".repeat(42), &"a".repeat(129), &format!("{}=", "a".repeat(42))] {
        world.authorize(web(world)?).with("code_challenge", bad).refused(&["invalid_request"]).await?;
    }
    Ok(())
}

async fn pushed(world: &World) -> Verdict {
    let asked = world.authorize(web(world)?);
    let pushed = asked.push()?.send().await?;
    let landing = asked.follow(&asked.pushed_url(pushed.text("request_uri"))?).await?;
    let wrong = asked.redeem(landing.param("code"))?.with("code_verifier", &jose::fresh()).send().await?;
    wrong.refused(&["invalid_grant"], "a wrong verifier for a pushed challenge")?;
    asked.redeem(landing.param("code"))?.send().await?.granted().map(|_| ())
}

async fn attempts(world: &World) -> Verdict {
    let asked = world.authorize(web(world)?);
    let code = asked.code().await?;
    asked.redeem(&code)?.with("code_verifier", &jose::fresh()).send().await?;
    asked.redeem(&code)?.send().await?.granted()?;
    let code = asked.code().await?;
    for _ in 0..10 {
        asked.redeem(&code)?.with("code_verifier", &jose::fresh()).send().await?;
    }
    asked.redeem(&code)?.send().await?.refused(&["invalid_grant"], "the right verifier after ten wrong ones")
}
