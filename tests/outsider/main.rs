//! Libraries that we did not write use the house: what they take for right is right for others too.

mod access_tokens;
mod oauth2_crate;
mod openid_connect;
mod upstream_provider;

use oauth2::{HttpRequest, HttpResponse};
use tests::{Arrival, House};
use url::Url;

/// How both crates reach the house: reqwest, and no redirects.
async fn http(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let request = reqwest::Request::try_from(request)?;
    let response = http.execute(request).await?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}

/// Alice brings this authorization request to the house and approves all of it; where her browser is led then.
async fn approved_by_alice(house: &House, request: &Url) -> Url {
    assert!(request.as_str().starts_with(&house.url("/authorize?")), "{request}");
    let params: Vec<(String, String)> = request.query_pairs().into_owned().collect();
    let params: Vec<(&str, &str)> = params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    match house.signed_in("alice").await.authorize(&params).await {
        Arrival::Away(url) => url,
        Arrival::Page(page) => page.approve(|_| {}).await.away(),
    }
}

/// A parameter that must be there.
#[track_caller]
fn param(url: &Url, name: &str) -> String {
    let found = url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| panic!("no {name} in {url}"))
}
