//! RFC 7592: a client manages its own registration.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::check::{Problem, Verdict, skip};
use crate::rfc7591::registered;
use crate::world::World;
use crate::{checks, demand};

checks! {
    "R-7592-1" Must "RFC 7592 §3" "Registration tells where it is managed, and it is there." => told;
    "R-7592-2" Must "RFC 7592 §2" "Without its token nobody manages it." => token;
    "R-7592-3" Must "RFC 7592 §2.1" "What is read is what was registered." => read;
    "R-7592-4" Must "RFC 7592 §2.1" "A client that is not there any more is answered with 401." => gone;
    "R-7592-5" Must "RFC 7592 §2.1" "Another client's token does not open it." => another;
    "R-7592-6" Must "RFC 7592 §2.2" "What an update leaves out is gone." => left_out;
    "R-7592-7" Must "RFC 7592 §2.2" "A client does not set what the server says of it." => ours;
    "R-7592-8" Must "RFC 7592 §2.2" "An update names the client itself." => client_id;
    "R-7592-9" Must "RFC 7592 §2.2" "A client does not choose its secret." => client_secret;
    "R-7592-10" Must "RFC 7592 §2.2" "An update that is refused changes nothing." => refused;
    "R-7592-11" Must "RFC 7592 §2.2" "What was written is what is read." => written;
    "R-7592-12" Must "RFC 7592 §2.3" "DELETE is answered with 204 and nothing." => deleted;
    "R-7592-13" Should "RFC 7592 §2.3" "A client that left cannot authenticate." => cannot_authenticate;
    "R-7592-14" Must "RFC 7592 §3" "Nobody may keep the answers." => no_store;
    "R-7592-15" Must "RFC 7592 §5" "A registration token is good for nothing else." => nowhere_else;
}

/// A new client that can be managed.
async fn client(world: &World, more: &Value) -> Result<Answer, Problem> {
    let answer = registered(world, more).await?;
    if answer.text("registration_client_uri").is_empty() {
        return skip("registrations cannot be managed here");
    }
    Ok(answer)
}

async fn manage(
    world: &World,
    of: &Answer,
    method: Method,
    token: Option<&str>,
    body: Option<&Value>,
) -> Result<Answer, Problem> {
    let mut request = world.http.request(method, of.text("registration_client_uri"));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    Ok(Answer::read(request.send().await?).await?)
}

async fn own(world: &World, of: &Answer, method: Method, body: Option<&Value>) -> Result<Answer, Problem> {
    manage(world, of, method, Some(of.text("registration_access_token")), body).await
}

/// What changes nothing.
fn as_it_is(of: &Answer) -> Value {
    let mut document = of.json.clone();
    for member in [
        "registration_access_token",
        "registration_client_uri",
        "client_secret_expires_at",
        "client_id_issued_at",
    ] {
        document.as_object_mut().and_then(|members| members.remove(member));
    }
    document
}

async fn told(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    own(world, &client, Method::GET, None).await?.is(&[200], "GET")
}

async fn token(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    for token in [None, Some("garbage")] {
        let answer = manage(world, &client, Method::GET, token, None).await?;
        answer.is(&[401], "GET")?;
        demand!(answer.header("www-authenticate").starts_with("Bearer"), "there is no challenge");
    }
    Ok(())
}

async fn read(world: &World) -> Verdict {
    let client = client(world, &json!({ "client_name": "Conformance" })).await?;
    let read = own(world, &client, Method::GET, None).await?;
    for member in ["client_id", "client_name", "redirect_uris", "grant_types", "token_endpoint_auth_method"] {
        demand!(read.json[member] == client.json[member], "{member} is read as {}", read.json[member]);
    }
    demand!(!read.text("registration_access_token").is_empty(), "registration_access_token is missing");
    Ok(())
}

async fn gone(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    own(world, &client, Method::DELETE, None).await?.is(&[204], "DELETE")?;
    own(world, &client, Method::GET, None).await?.is(&[401], "GET")
}

async fn another(world: &World) -> Verdict {
    let mine = client(world, &json!({})).await?;
    let other = client(world, &json!({ "client_name": "The other" })).await?;
    for (method, body) in [(Method::GET, None), (Method::PUT, Some(as_it_is(&other))), (Method::DELETE, None)]
    {
        let token = mine.text("registration_access_token");
        let answer = manage(world, &other, method.clone(), Some(token), body.as_ref()).await?;
        answer.is(&[401, 403], method.as_str())?;
        demand!(!answer.text.contains("The other"), "it is told: {}", answer.brief());
    }
    own(world, &other, Method::GET, None).await?.is(&[200], "the other's own")
}

async fn left_out(world: &World) -> Verdict {
    let client = client(world, &json!({ "client_uri": "https://conformance.example/" })).await?;
    let mut less = as_it_is(&client);
    less.as_object_mut().and_then(|members| members.remove("client_uri"));
    own(world, &client, Method::PUT, Some(&less)).await?.is(&[200], "PUT")?;
    let read = own(world, &client, Method::GET, None).await?;
    demand!(read.json.get("client_uri").is_none(), "it is still there");
    Ok(())
}

async fn ours(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    let mut more = as_it_is(&client);
    more["registration_access_token"] = "my-own-choice".into();
    let answer = own(world, &client, Method::PUT, Some(&more)).await?;
    answer.is(&[200, 400], "PUT")?;
    let taken = manage(world, &client, Method::GET, Some("my-own-choice"), None).await?;
    taken.is(&[401], "GET with a token of its own choice")
}

async fn client_id(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    for id in [Value::Null, json!("another")] {
        let mut changed = as_it_is(&client);
        changed["client_id"] = id;
        own(world, &client, Method::PUT, Some(&changed)).await?.is(&[400], "PUT")?;
    }
    Ok(())
}

async fn client_secret(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    let mut changed = as_it_is(&client);
    own(world, &client, Method::PUT, Some(&changed)).await?.is(&[200], "PUT with the current one")?;
    changed["client_secret"] = "my-own-choice".into();
    own(world, &client, Method::PUT, Some(&changed)).await?.is(&[400], "PUT")
}

async fn refused(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    let before = own(world, &client, Method::GET, None).await?.json;
    let mut changed = as_it_is(&client);
    changed["redirect_uris"] = json!(["http://evil.example/callback"]);
    let answer = own(world, &client, Method::PUT, Some(&changed)).await?;
    answer.refused(&["invalid_redirect_uri", "invalid_client_metadata"], "PUT")?;
    let after = own(world, &client, Method::GET, None).await?.json;
    demand!(before["redirect_uris"] == after["redirect_uris"], "it changed all the same");
    Ok(())
}

async fn written(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    let mut changed = as_it_is(&client);
    changed["client_name"] = "Another name".into();
    let answer = own(world, &client, Method::PUT, Some(&changed)).await?;
    answer.is(&[200], "PUT")?;
    let read = own(world, &client, Method::GET, None).await?;
    demand!(read.text("client_name") == "Another name", "{}", read.brief());
    demand!(answer.text("client_id") == client.text("client_id"), "the id changed");
    Ok(())
}

async fn deleted(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    own(world, &client, Method::PATCH, Some(&json!({}))).await?.is(&[405], "PATCH")?;
    let answer = own(world, &client, Method::DELETE, None).await?;
    answer.is(&[204], "DELETE")?;
    demand!(answer.text.is_empty(), "the body is {}", answer.text);
    Ok(())
}

async fn cannot_authenticate(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    own(world, &client, Method::DELETE, None).await?.is(&[204], "DELETE")?;
    let basic = crate::post::basic(client.text("client_id"), client.text("client_secret"));
    let request = world.post_unknown("token_endpoint")?.header("Authorization", &basic);
    let request = request.with("grant_type", "refresh_token").with("refresh_token", "x");
    request.send().await?.refused(&["invalid_client"], "a client that left")
}

async fn no_store(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    for (method, body) in [(Method::GET, None), (Method::PUT, Some(as_it_is(&client)))] {
        let answer = own(world, &client, method.clone(), body.as_ref()).await?;
        demand!(answer.is_no_store(), "{method}: Cache-Control: {}", answer.header("cache-control"));
    }
    Ok(())
}

async fn nowhere_else(world: &World) -> Verdict {
    let client = client(world, &json!({})).await?;
    let url = world.endpoint("userinfo_endpoint")?;
    let bearer = format!("Bearer {}", client.text("registration_access_token"));
    world.call(url, &[("Authorization", &bearer)]).await?.is(&[401], "userinfo")
}
