//! The members of a document, each of its type and within bounds.

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor, value::Error as Plain};
use serde_json::{Map, Value};

use super::{FOR_PEOPLE, InLanguages, RegistrationRefused};
use crate::client::ClientMetadata;
use crate::language_tag::is_language_tag;
use crate::visible_text::says_what_it_shows;

/// The longest text, in bytes. Keys and statements have bounds of their own.
const LONGEST_TEXT: usize = 2048;
/// The most items in a list.
const MOST_ITEMS: usize = 50;
/// The longest name, in characters.
const LONGEST_NAME: usize = 200;
/// The most members that say something in a language.
const MOST_IN_LANGUAGES: usize = 40;
/// What is longer than other texts, and bounded where it is read.
const LARGE: [&str; 2] = ["jwks", "software_statement"];

/// The members of a document.
pub(super) struct Members<'a>(&'a Map<String, Value>);

impl<'a> Members<'a> {
    /// The members, none of which is too long.
    pub(super) fn of(document: &'a Map<String, Value>) -> Result<Self, RegistrationRefused> {
        for (name, value) in document.iter().filter(|(name, _)| !LARGE.contains(&name.as_str())) {
            let fits = match value {
                Value::String(text) => text.len() <= LONGEST_TEXT,
                Value::Array(items) => {
                    items.len() <= MOST_ITEMS
                        && items
                            .iter()
                            .all(|item| item.as_str().is_none_or(|text| text.len() <= LONGEST_TEXT))
                }
                _ => true,
            };
            if !fits {
                let name: String = name.chars().take(60).collect();
                return Err(RegistrationRefused::TooLong(name.into()));
            }
        }
        Ok(Self(document))
    }

    /// What `name` holds; `null` is nothing.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<&'a str>, RegistrationRefused> {
        let read = |value: &'a Value| value.as_str().ok_or(RegistrationRefused::Member(name));
        self.get(name).map(read).transpose()
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<bool, RegistrationRefused> {
        self.get(name).map_or(Ok(false), |value| value.as_bool().ok_or(RegistrationRefused::Member(name)))
    }

    /// A list of texts; empty where there is none.
    pub(super) fn list(&self, name: &'static str) -> Result<Vec<String>, RegistrationRefused> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or(RegistrationRefused::Member(name))?;
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().ok_or(RegistrationRefused::Member(name))
    }

    /// `client_name`, if it is fit to be shown to people.
    pub(super) fn name(&self) -> Result<Option<String>, RegistrationRefused> {
        let Some(name) = self.text("client_name")? else { return Ok(None) };
        if is_fit_to_show(name) {
            Ok(Some(name.to_owned()))
        } else {
            Err(RegistrationRefused::Member("client_name"))
        }
    }

    /// What is said in several languages, by the member with its language tag (RFC 7591 §2.2).
    pub(super) fn in_languages(&self) -> Result<InLanguages, RegistrationRefused> {
        let mut found = InLanguages::new();
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_null()) {
            let Some((member, tag)) = name.split_once('#') else { continue };
            let Some(member) = FOR_PEOPLE.into_iter().find(|known| *known == member) else { continue };
            let text = value.as_str().filter(|_| is_language_tag(tag));
            let text = text.ok_or(RegistrationRefused::Member(member))?;
            let fit = if member == "client_name" { is_fit_to_show(text) } else { is_https(text) };
            if !fit {
                return Err(RegistrationRefused::Member(member));
            }
            found.insert(name.clone(), text.to_owned());
        }
        if found.len() > MOST_IN_LANGUAGES {
            return Err(RegistrationRefused::TooLong("the list of languages".into()));
        }
        Ok(found)
    }

    /// The members of [`ClientMetadata`], as the type itself tells their names.
    pub(super) fn metadata(&self) -> Result<ClientMetadata, RegistrationRefused> {
        let mut known = Map::new();
        for name in names_of::<ClientMetadata>().iter().filter(|name| **name != IN_LANGUAGES) {
            let Some(value) = self.get(name) else { continue };
            let alone = Map::from_iter([((*name).to_owned(), value.clone())]);
            if serde_json::from_value::<ClientMetadata>(Value::Object(alone)).is_err() {
                return Err(RegistrationRefused::Member(name));
            }
            known.insert((*name).to_owned(), value.clone());
        }
        serde_json::from_value(Value::Object(known)).map_err(|_| RegistrationRefused::NotAnObject)
    }
}

/// The one member of [`ClientMetadata`] that is none on the wire.
pub(super) const IN_LANGUAGES: &str = "in_languages";

/// 1 to 200 characters, none of which changes how the others are read.
fn is_fit_to_show(name: &str) -> bool {
    !name.trim().is_empty()
        && name.chars().count() <= LONGEST_NAME
        && !name.chars().any(char::is_control)
        && says_what_it_shows(name)
}

fn is_https(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| super::checks::is_plain_https(&url))
}

/// The names of the fields that a type reads from JSON.
pub(super) fn names_of<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // It fails by design, once it has told its fields.
    let _ = T::deserialize(Ask(&mut names));
    names
}

/// A deserializer that holds nothing, and hears which fields a struct has.
struct Ask<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Ask<'_> {
    type Error = Plain;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Plain> {
        Err(Plain::custom("there is nothing to read"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Plain> {
        *self.0 = fields;
        Err(Plain::custom("there is nothing to read"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_of_a_client_tells_its_own_members() {
        let names = names_of::<ClientMetadata>();
        for name in ["logo_uri", "backchannel_logout_uri", "request_uris", IN_LANGUAGES] {
            assert!(names.contains(&name), "{name}");
        }
    }

    #[test]
    fn a_name_that_turns_the_line_around_is_not_shown_to_people() {
        for bad in ["", "  ", "a\nb", "safe\u{202e}evil", "\u{2066}x", &"x".repeat(201)] {
            assert!(!is_fit_to_show(bad), "{bad:?}");
        }
        for good in ["Shop", "متجر", "Käse & Söhne 🧀"] {
            assert!(is_fit_to_show(good), "{good:?}");
        }
    }
}
