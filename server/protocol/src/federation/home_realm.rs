//! Where somebody belongs, by the domain of the address that they typed. The domains stand in the configuration, so
//! that the answer says nothing about anybody's account.

use url::Host;

use super::Upstream;

/// The longest e-mail address, in bytes (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

/// The domain of an address in its one plain form: lower case, and other scripts as IDNA writes them in ASCII.
#[must_use]
pub fn domain_of(email: &str) -> Option<String> {
    let (local, domain) = email.trim().rsplit_once('@')?;
    if local.is_empty() || email.len() > LONGEST {
        return None;
    }
    match Host::parse(domain) {
        Ok(Host::Domain(domain)) => Some(domain),
        _ => None,
    }
}

/// The upstream that speaks for the domain of what was typed, if that is an address of a domain that one speaks for.
pub fn find<'a>(upstreams: impl IntoIterator<Item = &'a Upstream>, typed: &str) -> Option<&'a Upstream> {
    let domain = domain_of(typed)?;
    upstreams.into_iter().find(|upstream| upstream.email_domains.contains(&domain))
}

#[cfg(test)]
mod tests {
    use super::super::tests::company;
    use super::*;

    #[test]
    fn a_domain_is_compared_in_its_one_plain_form() {
        for (typed, domain) in [
            ("a@Company.Example", Some("company.example")),
            (" a@company.example ", Some("company.example")),
            ("\"a@b\"@company.example", Some("company.example")),
            ("a@b\u{fc}cher.example", Some("xn--bcher-kva.example")),
            ("@company.example", None),
            ("company.example", None),
            ("a@", None),
            ("a@127.0.0.1", None),
            ("a@company example", None),
            ("", None),
        ] {
            assert_eq!(domain_of(typed).as_deref(), domain, "{typed}");
        }
        assert_eq!(domain_of(&format!("{}@company.example", "a".repeat(300))), None);
    }

    #[test]
    fn a_typed_address_leads_to_the_upstream_of_its_domain_and_a_username_nowhere() {
        let upstreams = [company()];
        assert_eq!(find(&upstreams, "new.person@company.example").map(|u| u.id.as_str()), Some("company"));
        assert!(find(&upstreams, "alice").is_none());
        assert!(find(&upstreams, "alice@elsewhere.example").is_none());
    }
}
