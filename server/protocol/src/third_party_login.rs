//! A sign-in that somebody else begins (OpenID Connect Core §4): the link that opens an application with its user
//! signed in.

use url::Url;

/// The client's `initiate_login_uri` with `iss` and, where they are known, `login_hint` and `target_link_uri`.
#[must_use]
pub fn url(initiate_login_uri: &Url, issuer: &str, login_hint: Option<&str>, target: Option<&Url>) -> Url {
    let mut url = initiate_login_uri.clone();
    let mut query = url.query_pairs_mut();
    query.append_pair("iss", issuer);
    if let Some(hint) = login_hint {
        query.append_pair("login_hint", hint);
    }
    if let Some(target) = target {
        query.append_pair("target_link_uri", target.as_str());
    }
    drop(query);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_told_and_the_query_that_is_there_stays() {
        let to: Url = "https://c.example/login?a=1".parse().unwrap();
        let target: Url = "https://c.example/home".parse().unwrap();
        let all = url(&to, "https://as.example", Some("alice"), Some(&target));
        assert_eq!(
            all.as_str(),
            "https://c.example/login?a=1&iss=https%3A%2F%2Fas.example&login_hint=alice&target_link_uri=https%3A%2F%2Fc.example%2Fhome"
        );
        let least = url(&to, "https://as.example", None, None);
        assert_eq!(least.as_str(), "https://c.example/login?a=1&iss=https%3A%2F%2Fas.example");
    }
}
