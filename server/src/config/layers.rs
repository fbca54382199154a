//! The layers of a configuration: the embedded default, one file over it, the environment over both.

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Tag, Value};
use figment::{Error, Figment, Metadata, Profile, Provider, Source};

use super::problem::Problem;
use super::reading;

/// The prefix of environment variables that are settings.
pub(super) const PREFIX: &str = "PROCURA_";
/// What problems with variables name as their source.
pub(super) const ENVIRONMENT: &str = "environment";

/// One layer: a file, or one variable.
struct Layer {
    source: String,
    name: String,
    data: Result<Map<Profile, Dict>, Error>,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::from(self.name.clone(), Source::Custom(self.source.clone()))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        self.data.clone()
    }
}

/// All layers, merged.
pub(super) struct Layers {
    figment: Figment,
    /// Every key of every layer.
    pub(super) root: Dict,
}

impl Layers {
    /// Merges the texts, then the variables, each over the one before.
    pub(super) fn merge(texts: &[(&str, &str)], variables: &[(String, String)]) -> Result<Self, Problem> {
        let mut figment = Figment::new();
        for &(source, text) in texts {
            let data = Toml::string(text).data();
            if let Err(error) = &data {
                let (key, reason) = reading::syntax(error);
                return Err(Problem { source: source.to_owned(), key, reason });
            }
            figment = figment.merge(Layer { source: source.to_owned(), name: source.to_owned(), data });
        }
        for (name, value) in variables {
            let data = Ok(variable(name, value));
            figment = figment.merge(Layer { source: ENVIRONMENT.into(), name: name.clone(), data });
        }
        let root = figment.data().map(|mut data| data.remove(&Profile::Default).unwrap_or_default());
        let whole = |error: Error| Problem {
            source: texts.last().map_or(ENVIRONMENT, |text| text.0).to_owned(),
            key: "(whole file)".into(),
            reason: reading::reason(&error),
        };
        Ok(Self { root: root.map_err(whole)?, figment })
    }

    /// Where the value came from and how its key reads there: `key` itself, or the name of the variable.
    pub(super) fn origin(&self, tag: Tag, key: &str) -> Option<(String, String)> {
        let metadata = self.figment.get_metadata(tag)?;
        let source = metadata.source.as_ref()?.custom()?.to_owned();
        let key = if source == ENVIRONMENT { metadata.name.to_string() } else { key.to_owned() };
        Some((source, key))
    }

    /// Likewise, by the key of a setting.
    pub(super) fn origin_of(&self, key: &str) -> Option<(String, String)> {
        let value = self.figment.find_value(key).ok()?;
        self.origin(value.tag(), key)
    }
}

/// Which variables are settings: all of ours but those that say something else.
pub(super) fn is_setting(name: &str) -> bool {
    name.starts_with(PREFIX) && name != "PROCURA_CONFIG" && !name.starts_with("PROCURA_TEST_")
}

/// `PROCURA_DPOP__NONCE=off` as `{dpop: {nonce: "off"}}`.
fn variable(name: &str, value: &str) -> Map<Profile, Dict> {
    let key = name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase();
    let value: Value = value.parse().unwrap_or_else(|never: std::convert::Infallible| match never {});
    let nested =
        key.rsplit("__").fold(value, |inner, part| Value::from(Dict::from([(part.to_owned(), inner)])));
    Profile::Default.collect(nested.into_dict().unwrap_or_default())
}
