//! Distinguished names: read from the text of RFC 4514 or made from a certificate, and compared as RFC 4517 §4.2.15
//! has it: the same relative names in the same order, each the same set of attributes, each compared as its type is.

use std::collections::BTreeSet;
use std::str::FromStr;

/// A distinguished name, its root first, as it stands in a certificate. Two are equal if directories would say so;
/// where Unicode knows several spellings of a character, only one of them matches, which errs on the safe side.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct DistinguishedName(Vec<BTreeSet<Attribute>>);

/// Its type as a dotted OID, and its value made ready for comparison.
type Attribute = (String, AttributeValue);

/// The value of an attribute.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AttributeValue {
    /// A text.
    Text(String),
    /// Something else: its ASN.1 tag and its bytes.
    Other(u8, Vec<u8>),
}

/// Why a text is no distinguished name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidName {
    /// An attribute without `=`, or without a type.
    #[error("must be attributes such as CN=client,O=Example")]
    NoAttribute,
    /// A type that is neither one of the names known here nor a dotted OID.
    #[error("has an attribute of an unknown type: write the type as a dotted OID")]
    UnknownType,
    /// A value that is not written as RFC 4514 §2.4 has it.
    #[error("has a value that is not escaped as RFC 4514 demands")]
    Value,
    /// More than [`MOST_ATTRIBUTES`].
    #[error("has too many attributes")]
    TooMany,
}

/// The most attributes of one name.
const MOST_ATTRIBUTES: usize = 64;

/// The types that have names (RFC 4514 §3 and what certificates use beyond it). All of them are compared without
/// regard to case and to the number of spaces (RFC 4519 §2, RFC 5280 §4.1.2.4).
const TYPES: [(&str, &str); 28] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("SN", "2.5.4.4"),
    ("SURNAME", "2.5.4.4"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("T", "2.5.4.12"),
    ("TITLE", "2.5.4.12"),
    ("DESCRIPTION", "2.5.4.13"),
    ("BUSINESSCATEGORY", "2.5.4.15"),
    ("POSTALCODE", "2.5.4.17"),
    ("NAME", "2.5.4.41"),
    ("GN", "2.5.4.42"),
    ("GIVENNAME", "2.5.4.42"),
    ("INITIALS", "2.5.4.43"),
    ("DNQUALIFIER", "2.5.4.46"),
    ("PSEUDONYM", "2.5.4.65"),
    ("ORGANIZATIONIDENTIFIER", "2.5.4.97"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("JURISDICTIONL", "1.3.6.1.4.1.311.60.2.1.1"),
    ("JURISDICTIONST", "1.3.6.1.4.1.311.60.2.1.2"),
    ("JURISDICTIONC", "1.3.6.1.4.1.311.60.2.1.3"),
];

impl DistinguishedName {
    /// A name as it stands in a certificate: relative names, the root first, of attributes with dotted OIDs.
    #[must_use]
    pub fn of(names: impl IntoIterator<Item = Vec<(String, AttributeValue)>>) -> Self {
        let ready = |(oid, value): (String, AttributeValue)| {
            let value = value.ready(&oid);
            (oid, value)
        };
        Self(names.into_iter().map(|name| name.into_iter().map(ready).collect()).collect())
    }

    /// Whether it names nothing, as that of a certificate that is known by its alternative names alone.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for DistinguishedName {
    type Err = InvalidName;

    /// Reads RFC 4514 §3, whose text has the root last; spaces around separators are allowed, as RFC 2253 §4 did.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut names = vec![Vec::new()];
        let mut rest = text;
        let mut count = 0;
        loop {
            let (attribute, after) = attribute(rest)?;
            count += 1;
            if count > MOST_ATTRIBUTES {
                return Err(InvalidName::TooMany);
            }
            if let Some(last) = names.last_mut() {
                last.push(attribute);
            }
            match after.split_at_checked(1) {
                None => break,
                Some(("+", more)) => rest = more,
                Some((_, more)) => {
                    names.push(Vec::new());
                    rest = more;
                }
            }
        }
        names.reverse();
        Ok(Self::of(names))
    }
}

/// The first attribute of the text, and what follows it: nothing, or a separator and more.
fn attribute(text: &str) -> Result<((String, AttributeValue), &str), InvalidName> {
    let (name, rest) = text.split_once('=').ok_or(InvalidName::NoAttribute)?;
    let oid = oid(name.trim_matches(' '))?;
    let rest = rest.trim_start_matches(' ');
    match rest.strip_prefix('#') {
        Some(hex) => {
            let end = hex.find([',', '+']).unwrap_or(hex.len());
            let (hex, after) = hex.split_at(end);
            let value = decoded(hex.trim_end_matches(' ')).ok_or(InvalidName::Value)?;
            Ok(((oid, value), after))
        }
        None => {
            let (value, after) = string(rest)?;
            Ok(((oid, AttributeValue::Text(value)), after))
        }
    }
}

fn oid(name: &str) -> Result<String, InvalidName> {
    if name.is_empty() {
        return Err(InvalidName::NoAttribute);
    }
    if let Some((_, oid)) = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Ok((*oid).to_owned());
    }
    let named_oid = name.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("oid."));
    let dotted = if named_oid { &name[4..] } else { name };
    let part = |part: &str| {
        let digits = !part.is_empty() && part.len() <= 20 && part.bytes().all(|b| b.is_ascii_digit());
        digits && (part == "0" || !part.starts_with('0'))
    };
    let fits = dotted.contains('.') && dotted.split('.').all(part);
    if fits { Ok(dotted.to_owned()) } else { Err(InvalidName::UnknownType) }
}

/// A value as text (RFC 4514 §2.4), up to the separator that follows it.
fn string(text: &str) -> Result<(String, &str), InvalidName> {
    let mut value = Vec::new();
    // How much of the value stands, whatever spaces follow it unescaped.
    let mut kept = 0;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match c {
            ',' | '+' => break,
            '"' | ';' | '<' | '>' | '\0' => return Err(InvalidName::Value),
            '\\' => {
                let escaped = rest.get(1..).unwrap_or_default();
                let next = escaped.chars().next().ok_or(InvalidName::Value)?;
                if matches!(next, ' ' | '"' | '#' | '+' | ',' | ';' | '<' | '=' | '>' | '\\') {
                    value.push(u8::try_from(next).unwrap_or_default());
                    rest = escaped.get(1..).unwrap_or_default();
                } else {
                    let pair = escaped.get(..2).and_then(hex_bytes).ok_or(InvalidName::Value)?;
                    value.extend(pair);
                    rest = escaped.get(2..).unwrap_or_default();
                }
                kept = value.len();
            }
            c => {
                let mut bytes = [0; 4];
                value.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
                if c != ' ' {
                    kept = value.len();
                }
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    value.truncate(kept);
    let value = String::from_utf8(value).map_err(|_| InvalidName::Value)?;
    Ok((value, rest))
}

/// A value as the hexadecimal of its DER encoding (RFC 4514 §2.4), which must be one whole value.
fn decoded(hex: &str) -> Option<AttributeValue> {
    let der = hex_bytes(hex)?;
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, content) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81 => rest.split_first().map(|(&length, rest)| (usize::from(length), rest))?,
        _ => return None,
    };
    if content.len() != length {
        return None;
    }
    AttributeValue::of(tag, content)
}

fn hex_bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

impl AttributeValue {
    /// The value with this ASN.1 tag: UTF8String, PrintableString and IA5String are texts. `None` where a text is not
    /// what its tag says.
    #[must_use]
    pub fn of(tag: u8, content: &[u8]) -> Option<Self> {
        match tag {
            0x0c => std::str::from_utf8(content).ok().map(|text| Self::Text(text.to_owned())),
            0x13 | 0x16 if content.is_ascii() => {
                std::str::from_utf8(content).ok().map(|text| Self::Text(text.to_owned()))
            }
            0x13 | 0x16 => None,
            other => Some(Self::Other(other, content.to_owned())),
        }
    }

    /// Made ready for comparison (RFC 4518 §2): without regard to case, and with one space for several, where the
    /// type is one that is compared so. What is not known is compared exactly.
    fn ready(self, oid: &str) -> Self {
        match self {
            Self::Text(text) if TYPES.iter().any(|(_, known)| *known == oid) => {
                let folded: String = text.chars().flat_map(char::to_lowercase).collect();
                Self::Text(folded.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DistinguishedName {
        text.parse().unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
    }

    fn text(oid: &str, value: &str) -> (String, AttributeValue) {
        (oid.to_owned(), AttributeValue::Text(value.to_owned()))
    }

    /// The root first, as a certificate has it.
    fn certificate() -> DistinguishedName {
        DistinguishedName::of([
            vec![text("2.5.4.6", "DE")],
            vec![text("2.5.4.10", "Example, Inc.")],
            vec![text("2.5.4.3", "the  Client"), text("0.9.2342.19200300.100.1.1", "7")],
        ])
    }

    #[test]
    fn spaces_case_escapes_order_in_a_set_and_oids_do_not_matter() {
        for same in [
            r"CN=the Client+UID=7,O=Example\, Inc.,C=DE",
            r"cn=THE client + uid=7 , o=example\, inc. , c=de",
            r"UID=7+CN=the   Client,O=Example\2c Inc.,C=DE",
            r"2.5.4.3=the client+OID.0.9.2342.19200300.100.1.1=7,2.5.4.10=Example\, Inc.,2.5.4.6=DE",
            r"CN=#0c0a74686520436c69656e74+UID=7,O=Example\, Inc.,C=#13024445",
        ] {
            assert_eq!(name(same), certificate(), "{same}");
        }
    }

    #[test]
    fn near_misses_are_other_names() {
        for other in [
            r"C=DE,O=Example\, Inc.,CN=the Client+UID=7",
            r"CN=the Client,UID=7,O=Example\, Inc.,C=DE",
            r"CN=the Client,O=Example\, Inc.,C=DE",
            r"CN=the Client+UID=8,O=Example\, Inc.,C=DE",
            r"CN=theClient+UID=7,O=Example\, Inc.,C=DE",
            r"CN=the Client+UID=7,OU=x,O=Example\, Inc.,C=DE",
            r"CN=the Client+UID=7,O=Example\, Inc.",
            r"OU=the Client+UID=7,O=Example\, Inc.,C=DE",
            r"CN=the Client+UID=7,O=Example\, Inc.,C=DE,C=DE",
        ] {
            assert_ne!(name(other), certificate(), "{other}");
        }
    }

    #[test]
    fn a_value_cannot_smuggle_in_another_attribute() {
        let one = DistinguishedName::of([vec![text("2.5.4.3", "a,O=Example")]]);
        assert_eq!(name(r"CN=a\,O\=Example"), one);
        assert_ne!(name("CN=a,O=Example"), one);
        let plus = DistinguishedName::of([vec![text("2.5.4.3", "a+UID=7")]]);
        assert_ne!(name("CN=a+UID=7"), plus);
    }

    #[test]
    fn values_of_unknown_types_are_compared_exactly() {
        let unknown = |value: &str| DistinguishedName::of([vec![text("1.2.3.4", value)]]);
        assert_eq!(name("1.2.3.4=Aa"), unknown("Aa"));
        assert_ne!(name("1.2.3.4=aa"), unknown("Aa"));
        assert_eq!(name("1.2.3.4=#0c024161"), unknown("Aa"));
        let number = DistinguishedName::of([vec![("1.2.3.4".to_owned(), AttributeValue::Other(2, vec![5]))]]);
        assert_eq!(name("1.2.3.4=#020105"), number);
        assert_ne!(name("1.2.3.4=#030105"), number);
    }

    #[test]
    fn only_spaces_that_are_escaped_are_part_of_a_value_at_its_ends() {
        assert_eq!(name("1.2.3= a "), name("1.2.3=a"));
        assert_ne!(name(r"1.2.3=a\ "), name("1.2.3=a"));
        assert_eq!(name(r"1.2.3=\ a"), DistinguishedName::of([vec![text("1.2.3", " a")]]));
    }

    #[test]
    fn what_is_not_written_as_it_must_be_is_refused() {
        for (bad, why) in [
            ("", InvalidName::NoAttribute),
            ("client", InvalidName::NoAttribute),
            ("=x", InvalidName::NoAttribute),
            ("CN=a,", InvalidName::NoAttribute),
            ("CN=a,,O=b", InvalidName::UnknownType),
            ("XX=a", InvalidName::UnknownType),
            ("2=a", InvalidName::UnknownType),
            ("2.05.4=a", InvalidName::UnknownType),
            ("CN=\"a\"", InvalidName::Value),
            ("CN=a;O=b", InvalidName::Value),
            (r"CN=a\", InvalidName::Value),
            (r"CN=a\x", InvalidName::Value),
            (r"CN=\ff", InvalidName::Value),
            ("CN=#0c02", InvalidName::Value),
            ("CN=#0c0141ff", InvalidName::Value),
            ("CN=#0c01", InvalidName::Value),
            ("CN=#", InvalidName::Value),
            ("CN=#zz", InvalidName::Value),
            ("CN=#1301ff", InvalidName::Value),
        ] {
            assert_eq!(bad.parse::<DistinguishedName>(), Err(why), "{bad}");
        }
        let many = vec!["CN=a"; 65].join(",");
        assert_eq!(many.parse::<DistinguishedName>(), Err(InvalidName::TooMany));
    }
}
