//! The standard claims about a user (OpenID Connect Core §5.1): their names, their scopes, and what each must be.
//! A claim that is not what it must be is not told at all.

use serde_json::Value;

/// The claims that each scope asks for (OpenID Connect Core §5.4).
pub const BY_SCOPE: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// The members of `address` (OpenID Connect Core §5.1.1).
const ADDRESS: [&str; 6] = ["formatted", "street_address", "locality", "region", "postal_code", "country"];

/// The name of a claim without its language tag (OpenID Connect Core §5.2).
#[must_use]
pub fn without_language(name: &str) -> &str {
    name.split('#').next().unwrap_or_default()
}

/// The scope word that the claim of this name belongs to, if it is a standard one; with or without a language tag.
#[must_use]
pub fn scope_of(name: &str) -> Option<&'static str> {
    let name = without_language(name);
    BY_SCOPE.into_iter().find(|(_, names)| names.contains(&name)).map(|(word, _)| word)
}

/// The value of a standard claim as it may be told: of the type that its specification says, and saying something.
#[must_use]
pub fn told(name: &str, value: &Value) -> Option<Value> {
    let text = value.as_str().filter(|text| !text.trim().is_empty());
    match without_language(name) {
        "email_verified" | "phone_number_verified" => value.as_bool().map(Value::from),
        "updated_at" => value.as_i64().filter(|moment| *moment >= 0).map(Value::from),
        "address" => address(value),
        "birthdate" => text.filter(|text| is_birthdate(text)).map(Value::from),
        "picture" | "profile" | "website" => text.filter(|text| is_web_address(text)).map(Value::from),
        name if scope_of(name).is_some() => text.map(Value::from),
        _ => None,
    }
}

/// An object of texts; the empty ones are left out.
fn address(value: &Value) -> Option<Value> {
    let said = value.as_object()?.iter().filter_map(|(name, value)| {
        let text = value.as_str().filter(|text| !text.trim().is_empty())?;
        ADDRESS.contains(&name.as_str()).then(|| (name.clone(), Value::from(text)))
    });
    let said: serde_json::Map<_, _> = said.collect();
    (!said.is_empty()).then_some(Value::Object(said))
}

/// `YYYY-MM-DD`, with year `0000` where it is not told, or `YYYY` alone.
fn is_birthdate(text: &str) -> bool {
    let digits = |part: &str, length: usize| {
        (part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())?
    };
    let mut parts = text.splitn(3, '-');
    let mut next = |length| parts.next().map(|part| digits(part, length));
    match (next(4), next(2), next(2)) {
        (Some(Some(year)), None, None) => year > 0,
        (Some(Some(_)), Some(Some(month)), Some(Some(day))) => {
            (1..=12).contains(&month) && (1..=31).contains(&day)
        }
        _ => false,
    }
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn there_are_twenty_with_sub_and_each_has_one_scope() {
        let names: Vec<_> = BY_SCOPE.into_iter().flat_map(|(_, names)| names).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!((names.len(), distinct.len()), (19, 19));
        assert_eq!(scope_of("phone_number_verified"), Some("phone"));
        assert_eq!(scope_of("name#de-AT"), Some("profile"));
        assert_eq!(scope_of("sub"), None);
    }

    #[test]
    fn a_claim_of_the_wrong_type_is_not_told() {
        for (name, right) in [
            ("name", json!("A")),
            ("name#de", json!("A")),
            ("email_verified", json!(false)),
            ("phone_number_verified", json!(true)),
            ("updated_at", json!(1_700_000_000)),
            ("birthdate", json!("1980-02-29")),
            ("birthdate", json!("0000-02-29")),
            ("birthdate", json!("1980")),
            ("website", json!("https://a.example/")),
            ("zoneinfo", json!("Europe/Vienna")),
        ] {
            assert_eq!(told(name, &right), Some(right), "{name}");
        }
        for (name, wrong) in [
            ("name", json!(null)),
            ("name", json!("")),
            ("name", json!("  ")),
            ("name", json!(["A"])),
            ("email_verified", json!("true")),
            ("updated_at", json!("2020-01-01")),
            ("updated_at", json!(1.5)),
            ("birthdate", json!("80-1-1")),
            ("birthdate", json!("1980-13-01")),
            ("birthdate", json!("1980-01")),
            ("birthdate", json!("1980-01-01-01")),
            ("picture", json!("javascript:alert(1)")),
            ("salary", json!("1")),
            ("sub", json!("u")),
        ] {
            assert_eq!(told(name, &wrong), None, "{name}: {wrong}");
        }
    }

    #[test]
    fn an_address_is_an_object_of_texts() {
        let stored =
            json!({"country": "IT", "region": "", "locality": null, "postal_code": 39100, "note": "x"});
        assert_eq!(told("address", &stored), Some(json!({"country": "IT"})));
        for nothing in [json!({}), json!({"country": ""}), json!("Rome"), json!(null)] {
            assert_eq!(told("address", &nothing), None, "{nothing}");
        }
    }
}
