//! What the browser loads when a session ends (Front-Channel Logout §2).

use url::Url;

/// The client's `frontchannel_logout_uri` with `iss` and `sid`, always both, behind the query that it may have.
#[must_use]
pub fn front_channel_url(uri: &Url, issuer: &str, sid: &str) -> Url {
    let mut url = uri.clone();
    url.query_pairs_mut().append_pair("iss", issuer).append_pair("sid", sid);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_and_session_come_behind_the_query_that_is_there() {
        let url = |uri: &str| front_channel_url(&uri.parse().unwrap(), "https://as.example", "s").to_string();
        assert_eq!(url("https://c.example/out"), "https://c.example/out?iss=https%3A%2F%2Fas.example&sid=s");
        assert_eq!(
            url("https://c.example/out?a=1"),
            "https://c.example/out?a=1&iss=https%3A%2F%2Fas.example&sid=s"
        );
    }
}
