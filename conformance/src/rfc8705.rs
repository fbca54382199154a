//! RFC 8705: clients and tokens that are known by certificates.

use std::fs;

use anyhow::Context as _;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::profile::Client;
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-8705-1" Must "RFC 8705 §2" "A certificate alone, without client_id, authenticates nobody." => client_id;
    "R-8705-2" Must "RFC 8705 §2" "Without its certificate a client is not known." => certificate;
    "R-8705-3" Must "RFC 8705 §2.1" "With tls_client_auth a known authority vouches, and the registered name fits." => authority;
    "R-8705-5" Must "RFC 8705 §2.1.2" "Exactly one name of a certificate is registered." => one_name;
    "R-8705-6" Must "RFC 8705 §2.2" "With self_signed_tls_client_auth the certificate is the registered one." => self_signed;
    "R-8705-7" Must "RFC 8705 §3" "The token of a client that wants it is bound to the certificate." => bound;
    "R-8705-8" Should "RFC 8705 §3.1" "The binding is the base64url SHA-256 of the certificate, in a JWT under cnf." => thumbprint;
    "R-8705-9" Must "RFC 8705 §3.2" "Introspection tells the same binding." => introspected;
    "R-8705-13" Should "RFC 8705 §5" "Aliases are for endpoints that clients call themselves, and the issuer is one." => aliases;
    "R-8705-15" Should "RFC 8705 §2.1.1" "The metadata lists the methods, and that tokens may be bound." => told;
    "R-8705-16" Must "RFC 8705 §2" "Every endpoint that knows its callers knows them by certificate." => everywhere;
}

const METHODS: &str = "token_endpoint_auth_methods_supported";

fn with_authority(world: &World) -> Result<&Client, Problem> {
    world.needs(METHODS, "tls_client_auth")?;
    world.client(&world.profile.clients.tls)
}

fn with_own(world: &World) -> Result<&Client, Problem> {
    world.needs(METHODS, "self_signed_tls_client_auth")?;
    world.client(&world.profile.clients.self_signed_tls)
}

/// An endpoint where certificates are asked for.
fn endpoint<'w>(world: &'w World, member: &str) -> Result<&'w str, Problem> {
    let alias = world.told("mtls_endpoint_aliases")[member].as_str();
    alias.map_or_else(|| world.endpoint(member), Ok)
}

/// A form from somebody who shows the certificate of a client, or none.
async fn send(
    world: &World,
    shown: Option<&Client>,
    member: &str,
    form: &[(&str, &str)],
) -> Result<Answer, Problem> {
    let request = world.profile.visitor(shown)?.post(endpoint(world, member)?).form(form);
    Ok(Answer::read(request.send().await?).await?)
}

/// `client` asks for a token of its own, and shows what `shown` has.
async fn own_token(world: &World, client: &Client, shown: Option<&Client>) -> Result<Answer, Problem> {
    let targets = world.targets();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client.id.as_str()),
        ("scope", &targets.scope),
        ("resource", &targets.resource),
    ];
    send(world, shown, "token_endpoint", &form).await
}

async fn client_id(world: &World) -> Verdict {
    let client = with_authority(world)?;
    let form = [("grant_type", "client_credentials"), ("scope", world.targets().scope.as_str())];
    let answer = send(world, Some(client), "token_endpoint", &form).await?;
    answer.refused(&["invalid_client", "invalid_request"], "without client_id")
}

async fn certificate(world: &World) -> Verdict {
    for client in [with_authority(world)?, with_own(world)?] {
        own_token(world, client, Some(client)).await?.granted()?;
        own_token(world, client, None).await?.refused(&["invalid_client"], "without a certificate")?;
    }
    Ok(())
}

async fn authority(world: &World) -> Verdict {
    let (client, other) = (with_authority(world)?, with_own(world)?);
    own_token(world, client, Some(client)).await?.granted()?;
    own_token(world, client, Some(other)).await?.refused(&["invalid_client"], "a certificate of no authority")
}

async fn one_name(world: &World) -> Verdict {
    with_authority(world)?;
    let with = |more: Value| {
        let mut document = json!({ "token_endpoint_auth_method": "tls_client_auth" });
        if let (Some(document), Some(more)) = (document.as_object_mut(), more.as_object()) {
            document.extend(more.clone());
        }
        document
    };
    let one = json!({ "tls_client_auth_san_dns": "client.example" });
    crate::rfc7591::registered(world, &with(one)).await?;
    let two =
        json!({ "tls_client_auth_san_dns": "client.example", "tls_client_auth_subject_dn": "CN=client" });
    for wrong in [json!({}), two] {
        crate::rfc7591::refused(world, with(wrong), &["invalid_client_metadata"]).await?;
    }
    Ok(())
}

async fn self_signed(world: &World) -> Verdict {
    let (client, other) = (with_own(world)?, with_authority(world)?);
    own_token(world, client, Some(client)).await?.granted()?;
    own_token(world, client, Some(other)).await?.refused(&["invalid_client"], "another certificate")
}

/// The binding of a token that the client got with its certificate, and the token.
async fn binding(world: &World) -> Result<(String, Answer), Problem> {
    let client = with_authority(world)?;
    let tokens = own_token(world, client, Some(client)).await?.granted()?;
    let claims = told_of(world, client, tokens.token()).await?;
    Ok((claims["cnf"]["x5t#S256"].as_str().unwrap_or_default().to_owned(), tokens))
}

/// What introspection tells the client of its own token.
async fn told_of(world: &World, client: &Client, token: &str) -> Result<Value, Problem> {
    let form = [("client_id", client.id.as_str()), ("token", token)];
    let answer = send(world, Some(client), "introspection_endpoint", &form).await?;
    answer.is(&[200], "introspection")?;
    demand!(answer.json["active"] == true, "the token is not active: {}", answer.brief());
    Ok(answer.json)
}

async fn bound(world: &World) -> Verdict {
    let (binding, _) = binding(world).await?;
    demand!(!binding.is_empty(), "the token is not bound");
    Ok(())
}

async fn thumbprint(world: &World) -> Verdict {
    let (binding, tokens) = binding(world).await?;
    let Some(file) = &with_authority(world)?.certificate else {
        return skip("the client has no certificate");
    };
    let pem = fs::read_to_string(file)?;
    let body = pem.split("-----BEGIN CERTIFICATE-----").nth(1).and_then(|rest| rest.split("-----").next());
    let body: String = body.context("no certificate in the file")?.split_whitespace().collect();
    let expected = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &STANDARD.decode(body)?));
    demand!(binding == expected, "{binding} is told, and {expected} was shown");
    if crate::jose::is_jwt(tokens.token()) {
        let cnf = crate::jose::payload(tokens.token())?["cnf"].clone();
        demand!(cnf == json!({ "x5t#S256": expected }), "cnf is {cnf}");
    }
    Ok(())
}

async fn introspected(world: &World) -> Verdict {
    let (binding, tokens) = binding(world).await?;
    let said = if crate::jose::is_jwt(tokens.token()) {
        crate::jose::payload(tokens.token())?["cnf"]["x5t#S256"].clone()
    } else {
        return skip("access tokens are no JWTs");
    };
    demand!(!binding.is_empty() && said == binding.as_str(), "{binding} is told, and the token says {said}");
    Ok(())
}

async fn aliases(world: &World) -> Verdict {
    with_authority(world)?;
    let aliases = world.told("mtls_endpoint_aliases");
    let Some(aliases) = aliases.as_object() else { return skip("there are no aliases") };
    for (name, url) in aliases {
        let browsers = ["authorization_endpoint", "end_session_endpoint", "issuer"].contains(&name.as_str());
        demand!(!browsers, "{name} is for browsers");
        demand!(url.as_str().is_some_and(|url| url.starts_with("https://")), "{name} is {url}");
        demand!(!world.told(name).is_null(), "{name} is an alias of nothing");
    }
    demand!(world.told("issuer") == world.issuer.as_str(), "the issuer is {}", world.told("issuer"));
    Ok(())
}

async fn told(world: &World) -> Verdict {
    with_authority(world)?;
    let bound = world.told("tls_client_certificate_bound_access_tokens");
    demand!(*bound == true, "tls_client_certificate_bound_access_tokens is {bound}");
    Ok(())
}

async fn everywhere(world: &World) -> Verdict {
    let client = with_authority(world)?;
    let form = [("client_id", client.id.as_str()), ("token", "x"), ("grant_type", "client_credentials")];
    let mut asked = 0;
    for member in [
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "pushed_authorization_request_endpoint",
        "device_authorization_endpoint",
        "backchannel_authentication_endpoint",
    ] {
        if world.told(member).is_null() {
            continue;
        }
        asked += 1;
        let right = send(world, Some(client), member, &form).await?;
        demand!(right.error() != "invalid_client", "{member} does not know the client: {}", right.brief());
        send(world, None, member, &form).await?.refused(&["invalid_client"], member)?;
    }
    demand!(asked > 0, "there is no endpoint");
    Ok(())
}
