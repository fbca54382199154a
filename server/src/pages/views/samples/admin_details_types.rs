//! The admin pages of details types.

use askama::Template as _;
use protocol::authorization_details::RiskLevel;
use protocol::numeric_date::Seconds;

use super::super::*;
use super::consent::details;
use super::{NOW, Samples, Theirs};

/// The list, a type with everything, and one that has no example.
pub(super) fn samples(language: Language, t: Theirs) -> Samples {
    let page = Page::for_user(language, t.s("Olga Owner"), true);
    let row = |by_admin, retired_at| DetailsTypeRow {
        name: t.s("mcp_tool"),
        words: t.s("Tools of an MCP server"),
        path: "/admin/details-types/mcp_tool".into(),
        version: 2,
        by_admin,
        max_life: by_admin.then(|| OfferedDuration::new(Seconds::minutes(5), language).label),
        may_be_passed_on: by_admin,
        consents: 3,
        retired_at,
    };
    let preview = |tag: &str, entry| Preview { language: t.s(tag), risk: language.t("risk-high"), entry };
    let field = |rule| FieldRow { field: t.s("tools"), rule, open: rule == Some("max") };
    let rules = ["subset", "equal", "max", "min", "prefix", "glob", "before", "any"].map(Some);
    let risk = |level| RiskRow { value: t.s("delete"), level };
    let version = |version, since, current| VersionRow { version, since, consents: 1, current };
    let one = AdminDetailsTypePage {
        page: page.clone(),
        row: row(true, Some(NOW)),
        previews: details(t).into_iter().map(|entry| preview("en", entry)).collect(),
        fields: rules.into_iter().chain([None]).map(field).collect(),
        risk_field: t.some("actions"),
        risks: vec![risk(RiskLevel::Low), risk(RiskLevel::High)],
        risk_default: RiskLevel::Medium,
        versions: vec![version(2, Some(NOW), true), version(1, None, false)],
    };
    let without = AdminDetailsTypePage { previews: vec![], ..one.clone() };
    let list = AdminDetailsTypesPage {
        page,
        types: vec![row(false, None), row(true, Some(NOW)), row(false, Some(NOW))],
    };
    vec![
        ("admin-details-types", list.render()),
        ("admin-details-type", one.render()),
        ("admin-details-type-without-example", without.render()),
    ]
}
