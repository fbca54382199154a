//! The details types, and one of them as users and as the rules see it.

use askama::Template;
use protocol::authorization_details::RiskLevel;
use protocol::numeric_date::NumericDate;

use super::consent::DetailEntry;
use super::page::Page;

/// The list of all details types.
#[derive(Clone, Debug, Template)]
#[template(path = "admin_details_types.html")]
pub struct AdminDetailsTypesPage {
    /// The frame.
    pub page: Page,
    /// The details types.
    pub types: Vec<DetailsTypeRow>,
}

/// One details type.
#[derive(Clone, Debug, Template)]
#[template(path = "admin_details_type.html")]
pub struct AdminDetailsTypePage {
    /// The frame.
    pub page: Page,
    /// The details type.
    pub row: DetailsTypeRow,
    /// An example as users see it, in each language that it has words in; empty where none could be made.
    pub previews: Vec<Preview>,
    /// How each field narrows.
    pub fields: Vec<FieldRow>,
    /// The field whose values have a risk each.
    pub risk_field: Option<String>,
    /// The risk of these values.
    pub risks: Vec<RiskRow>,
    /// The risk of all others.
    pub risk_default: RiskLevel,
    /// Its versions, the newest first.
    pub versions: Vec<VersionRow>,
}

/// A details type in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetailsTypeRow {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub words: String,
    /// Where its page is.
    pub path: String,
    /// Which version counts now.
    pub version: u32,
    /// Whether an admin declared it, and not the configuration.
    pub by_admin: bool,
    /// The longest life of a token with such a detail, in words.
    pub max_life: Option<String>,
    /// Whether it may be passed on.
    pub may_be_passed_on: bool,
    /// How many consents that stand hold it, of whichever version.
    pub consents: u64,
    /// Since when nothing of it can be asked for.
    pub retired_at: Option<NumericDate>,
}

/// An example in one language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preview {
    /// The language tag (BCP 47).
    pub language: String,
    /// The words for the risk, in that language where the pages speak it.
    pub risk: String,
    /// The entry of the consent page.
    pub entry: DetailEntry,
}

/// How a field narrows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldRow {
    /// The field, by its dotted path.
    pub field: String,
    /// The rule, as it is written; none where members narrow one by one.
    pub rule: Option<&'static str>,
    /// Whether it is open where the source does not name it.
    pub open: bool,
}

/// A value and its risk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RiskRow {
    /// The value.
    pub value: String,
    /// How much harm a mistake could do.
    pub level: RiskLevel,
}

/// A version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VersionRow {
    /// Which.
    pub version: u32,
    /// Since when it counted, where that is known.
    pub since: Option<NumericDate>,
    /// How many consents that stand were given under it.
    pub consents: u64,
    /// Whether it counts now.
    pub current: bool,
}

impl FieldRow {
    /// The words for the rule.
    #[must_use]
    pub fn rule_key(&self) -> &'static str {
        match self.rule {
            Some("subset") => "details-rule-subset",
            Some("max") => "details-rule-max",
            Some("min") => "details-rule-min",
            Some("prefix") => "details-rule-prefix",
            Some("glob") => "details-rule-glob",
            Some("before") => "details-rule-before",
            Some("any") => "details-rule-any",
            Some(_) => "details-rule-equal",
            None => "details-rule-members",
        }
    }
}

/// The words for a level of risk.
#[must_use]
pub const fn risk_key(level: RiskLevel) -> &'static str {
    match level {
        RiskLevel::Low => "risk-low",
        RiskLevel::Medium => "risk-medium",
        RiskLevel::High => "risk-high",
    }
}

impl AdminDetailsTypePage {
    /// The words for the risk of values that are not named.
    #[must_use]
    pub const fn risk_default_key(&self) -> &'static str {
        risk_key(self.risk_default)
    }
}

impl RiskRow {
    /// The words for the risk.
    #[must_use]
    pub const fn risk_key(&self) -> &'static str {
        risk_key(self.level)
    }
}
