//! `/admin/details-types`: every details type, and on one page how users read it, how its fields narrow, how risky it is,
//! and which consents hold which of its versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::authorization_details::{Absent, DetailsType, DetailsTypeDocument, Narrowing, Rule, Words};
use protocol::identifier::DetailsTypeName;
use serde_json::{Map, Value};

use super::page::{Browser, render};
use super::sign_in;
use super::views::{
    AdminDetailsTypePage, AdminDetailsTypesPage, DetailEntry, DetailsTypeRow, FieldRow, Language,
    OfferedDuration, Preview, RiskRow, VersionRow, WhatHappened,
};
use crate::app::App;
use crate::failure::Broken;
use crate::store::{KeptDetailsType, Origin};

/// How many consents hold each version of each type.
type Counts = BTreeMap<(String, u32), u64>;

/// `GET /admin/details-types`.
pub async fn list(State(app): State<Arc<App>>, browser: Browser) -> Response {
    if !is_admin(&browser) {
        return sign_in::first(&browser);
    }
    match rows(&app, &browser).await {
        Ok(types) => render(StatusCode::OK, &AdminDetailsTypesPage { page: browser.page(), types }, None),
        Err(reason) => browser.broken(&reason),
    }
}

/// `GET /admin/details-types/{name}`.
pub async fn one(State(app): State<Arc<App>>, browser: Browser, Path(name): Path<String>) -> Response {
    if !is_admin(&browser) {
        return sign_in::first(&browser);
    }
    match view(&app, &browser, &name).await {
        Ok(Some(view)) => render(StatusCode::OK, &view, None),
        Ok(None) => browser.error(WhatHappened::NotFound, None),
        Err(reason) => browser.broken(&reason),
    }
}

fn is_admin(browser: &Browser) -> bool {
    browser.signed_in.as_ref().is_some_and(|(_, user)| user.admin)
}

async fn rows(app: &App, browser: &Browser) -> Result<Vec<DetailsTypeRow>, Broken> {
    let counts = app.store.count_consents_by_details_type(browser.visit.now).await?;
    let types = app.store.details_types().await?;
    Ok(types.iter().map(|kept| row(kept, &counts, browser.language)).collect())
}

fn row(kept: &KeptDetailsType, counts: &Counts, language: Language) -> DetailsTypeRow {
    let document = &kept.document;
    let name = document.name.as_str();
    let held = counts.iter().filter(|((known, _), _)| known == name).map(|(_, count)| count);
    DetailsTypeRow {
        name: name.to_owned(),
        words: words_in(document, language.code()).map_or_else(String::new, |words| words.name.clone()),
        path: path_of(&document.name),
        version: kept.version,
        by_admin: kept.origin == Origin::Admin,
        max_life: document.max_life.map(|life| OfferedDuration::new(life, language).label),
        may_be_passed_on: document.may_be_passed_on,
        consents: held.sum(),
        retired_at: kept.retired_at,
    }
}

/// The path of a details type's page.
fn path_of(name: &DetailsTypeName) -> String {
    let name: String = url::form_urlencoded::byte_serialize(name.as_str().as_bytes()).collect();
    format!("/admin/details-types/{name}")
}

fn words_in<'a>(document: &'a DetailsTypeDocument, language: &str) -> Option<&'a Words> {
    document.words.get(language).or_else(|| document.words.get("en"))
}

async fn view(app: &App, browser: &Browser, name: &str) -> Result<Option<AdminDetailsTypePage>, Broken> {
    let Ok(name) = name.parse::<DetailsTypeName>() else { return Ok(None) };
    let Some(kept) = app.store.find_details_type(&name).await? else { return Ok(None) };
    let counts = app.store.count_consents_by_details_type(browser.visit.now).await?;
    let count = |version| counts.get(&(name.as_str().to_owned(), version)).copied().unwrap_or_default();
    let versions = app.store.versions_of_details_type(&name).await?.into_iter().map(|known| VersionRow {
        version: known.version,
        since: known.created_at,
        consents: count(known.version),
        current: known.version == kept.version,
    });
    let compiled = DetailsType::of_version(kept.document.clone(), kept.version)
        .map_err(|_| Broken::Inconsistent("a stored details type does not compile"))?;
    let document = &kept.document;
    let levels = document.risk.levels.iter();
    Ok(Some(AdminDetailsTypePage {
        page: browser.page(),
        row: row(&kept, &counts, browser.language),
        previews: compiled.example().map_or_else(Vec::new, |example| previews(document, &example)),
        fields: fields(&document.schema, &document.narrowing),
        risk_field: document.risk.field.clone(),
        risks: levels.map(|(value, level)| RiskRow { value: value.clone(), level: *level }).collect(),
        risk_default: document.risk.default,
        versions: versions.collect(),
    }))
}

/// An example as the consent page words it, in every language that the type has words in.
fn previews(document: &DetailsTypeDocument, example: &Map<String, Value>) -> Vec<Preview> {
    let preview = |(tag, words): (&String, &Words)| {
        let read = words.render(example);
        let entry = DetailEntry {
            index: 0,
            type_name: words.name.clone(),
            sentence: read.sentence,
            lines: read.lines,
            risk: document.risk.of(example),
            mark: None,
        };
        let spoken = Language::first_of(tag).unwrap_or_default();
        Preview { language: tag.clone(), risk: spoken.t(entry.risk_key()), entry }
    };
    document.words.iter().map(preview).collect()
}

/// The rule of every field: the one that is declared, or the one that its shape has.
fn fields(schema: &Value, narrowing: &Narrowing) -> Vec<FieldRow> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let named = properties.into_iter().flat_map(Map::keys).filter(|name| *name != "type");
    let all: BTreeSet<&String> = named.chain(narrowing.0.keys()).collect();
    let shape = |field: &str| {
        let known = properties.and_then(|properties| properties.get(field));
        known.and_then(|known| known.get("type")).and_then(Value::as_str).map(str::to_owned)
    };
    let row = |field: &String| {
        let declared = narrowing.0.get(field).copied().unwrap_or_default();
        let rule = match (declared.rule, shape(field).as_deref()) {
            (Some(rule), _) => Some(rule.as_str()),
            (None, Some("array")) => Some(Rule::Subset.as_str()),
            (None, Some("object")) => None,
            (None, _) => Some(Rule::Equal.as_str()),
        };
        FieldRow { field: field.clone(), rule, open: declared.absent == Absent::Unrestricted }
    };
    all.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_the_rule_that_is_declared_or_that_its_shape_has() {
        let schema = serde_json::json!({"properties": {
            "type": {}, "list": {"type": "array"}, "o": {"type": "object"}, "a": {"type": "string"}, "odd": {}
        }});
        let narrowing =
            serde_json::json!({"a": {"rule": "prefix", "absent": "unrestricted"}, "o.max": "max"});
        let fields = fields(&schema, &serde_json::from_value(narrowing).unwrap());
        let told: Vec<_> = fields.iter().map(|row| (row.field.as_str(), row.rule, row.open)).collect();
        let expected = [
            ("a", Some("prefix"), true),
            ("list", Some("subset"), false),
            ("o", None, false),
            ("o.max", Some("max"), false),
            ("odd", Some("equal"), false),
        ];
        assert_eq!(told, expected);
    }
}
