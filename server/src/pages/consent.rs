//! `/consent`: who wants to do what, until when; and what of it the user allows.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use protocol::authority::Authority;
use protocol::authorization::{Approval, OFFLINE_ACCESS};
use protocol::authorization_details::{AuthorizationDetail, AuthorizationDetails, DetailsTypes};
use protocol::client::Client;
use protocol::consent::Consent;
use protocol::numeric_date::Seconds;
use protocol::params::Params;
use protocol::prompt::Next;
use protocol::refusal::ErrorCode;
use protocol::registration::redirect_uris::is_loopback;
use protocol::scope::{Scope, ScopeToken};
use protocol::task::Intent;
use serde_json::{Map, Value};

use super::allowed::what;
use super::authorize::{go_on, present};
use super::client_marks;
use super::page::{Browser, Form, one, render, session_broken};
use super::views::{
    ActorInWords, Asked, ClientMarks, ConsentPage, ConsentRefused, DetailEntry, Introduced, Mark,
    OfferedDuration, ResourceInWords, ScopeEntry, Standing, StandingEntry, claim_key,
};
use crate::app::App;
use crate::authorization::{self, Becomes, Decision, Offer, SignedIn, Stop, Waiting};
use crate::failure::{Broken, Failure};
use crate::registration::{self, Vouched};
use crate::registry::Registry;
use crate::secret::SecretDigest;

/// `GET /consent`.
pub async fn get(State(app): State<Arc<App>>, browser: Browser, RawQuery(query): RawQuery) -> Response {
    let query = Params::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let interaction = one(&query, "interaction");
    let waiting = match browser.waiting(&app, interaction).await {
        Ok(waiting) => waiting,
        Err(gone) => return *gone,
    };
    let here = present(&browser, interaction, &waiting, browser.login()).await;
    match authorization::next(&app, &browser.visit, &here).await {
        Ok((Next::Consent, offer)) => show(&app, &browser, interaction, &waiting, &offer, None).await,
        Ok(_) => go_on(&app, &browser, interaction, &waiting, browser.login()).await,
        Err(stop) => browser.stop(stop),
    }
}

/// `POST /consent`.
pub async fn post(State(app): State<Arc<App>>, browser: Browser, Form(form): Form) -> Response {
    let interaction = one(&form, "interaction");
    let waiting = match browser.waiting(&app, interaction).await {
        Ok(waiting) => waiting,
        Err(gone) => return *gone,
    };
    let here = present(&browser, interaction, &waiting, browser.login()).await;
    let (next, offer) = match authorization::next(&app, &browser.visit, &here).await {
        Ok(next) => next,
        Err(stop) => return browser.stop(stop),
    };
    let (Next::Consent, Some(signed_in)) = (next, browser.login()) else {
        return go_on(&app, &browser, interaction, &waiting, browser.login()).await;
    };
    match browser.sent_by_our_form(&form).await {
        Ok(true) => {}
        Ok(false) => {
            let refused = Some(ConsentRefused::FormTooOld);
            return show(&app, &browser, interaction, &waiting, &offer, refused).await;
        }
        Err(reason) => return browser.broken(&reason),
    }
    if !is_as_shown(&browser, interaction, &offer).await {
        return show(&app, &browser, interaction, &waiting, &offer, Some(ConsentRefused::FormTooOld)).await;
    }
    answer(&app, &browser, &form, interaction, &waiting, &offer, signed_in).await
}

/// The session's key for what a consent page showed.
fn shown_key(interaction: &str) -> String {
    format!("shown {interaction}")
}

/// What an offer comes down to, but for its end, which moves with time and which the user chooses.
fn fingerprint(offer: &Offer) -> String {
    let Authority { scope, details, resources, until: _ } = &offer.authority;
    let told = serde_json::json!([
        offer.client.id,
        offer.actor.id,
        scope,
        details,
        resources,
        offer.claims,
        offer.passing_on_max,
        // The words of another version are other words.
        offer.registry.types.versions(details),
        offer.becomes.standing().map(|standing| (&standing.id, standing.version))
    ]);
    SecretDigest::of(&told.to_string()).to_text()
}

async fn answer(
    app: &App,
    browser: &Browser,
    form: &Params,
    interaction: &str,
    waiting: &Waiting,
    offer: &Offer,
    signed_in: &SignedIn,
) -> Response {
    let answered = match one(form, "decision") {
        "approve" => {
            let decision = decision(browser, form, offer);
            let here = present(browser, interaction, waiting, Some(signed_in)).await;
            authorization::decide(app, &browser.visit, &here, signed_in, &decision).await
        }
        _ => authorization::deny(app, &browser.visit, interaction, waiting, Some(signed_in)).await,
    };
    match answered {
        Ok(answer) => {
            forget_shown(browser, interaction).await;
            browser.answer(answer, Some(interaction))
        }
        Err(Stop::Page(refusal)) if refusal.code == ErrorCode::AccessDenied => {
            show(app, browser, interaction, waiting, offer, Some(ConsentRefused::NothingLeft)).await
        }
        Err(Stop::Page(refusal)) if refusal.code == ErrorCode::InvalidTarget => {
            show(app, browser, interaction, waiting, offer, Some(ConsentRefused::Inseparable)).await
        }
        Err(stop) => browser.stop(stop),
    }
}

/// How long a consent stands whose form does not say.
const SHORTEST: Seconds = Seconds::minutes(15);

/// What the form says. Anything it does not say is not allowed; the law sees to it that nothing beyond the offer is.
pub(super) fn decision(browser: &Browser, form: &Params, offer: &Offer) -> Decision {
    let mut scope: Scope = form.every("scope").filter_map(|word| word.parse::<ScopeToken>().ok()).collect();
    if one(form, OFFLINE_ACCESS) != "yes" {
        scope = scope.iter().filter(|word| word.as_str() != OFFLINE_ACCESS).cloned().collect();
    } else if let Ok(offline) = OFFLINE_ACCESS.parse::<Scope>() {
        scope = scope.union(&offline);
    }
    let details: BTreeSet<usize> = form.every("detail").filter_map(|index| index.parse().ok()).collect();
    let chosen = one(form, "until").parse().ok().filter(|seconds: &i64| *seconds > 0);
    let until = browser.visit.now.plus(chosen.map_or(SHORTEST, Seconds));
    if offer.authority.scope.contains("openid")
        && !(scope.is_empty() && details.is_empty())
        && let Ok(openid) = "openid".parse()
    {
        // Shown as required: who signs in to an application is known to it.
        scope = scope.union(&openid);
    }
    Decision { approval: Approval { scope, details, until }, passing_on: one(form, "passing_on") == "yes" }
}

async fn show(
    app: &App,
    browser: &Browser,
    interaction: &str,
    waiting: &Waiting,
    offer: &Offer,
    refused: Option<ConsentRefused>,
) -> Response {
    let return_address = Some(waiting.return_address.as_str());
    let view = match question(app, browser, interaction, offer, return_address, refused).await {
        Ok(view) => view,
        Err(reason) => return browser.broken(&reason),
    };
    let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    render(status, &view, Some(&waiting.return_address))
}

/// What an offer puts before the user, in words. What was shown is noted under `name`, so that nothing else is
/// approved; see [`is_as_shown`].
pub(super) async fn question(
    app: &App,
    browser: &Browser,
    name: &str,
    offer: &Offer,
    return_address: Option<&str>,
    refused: Option<ConsentRefused>,
) -> Result<ConsentPage, Broken> {
    let csrf = browser.csrf(app).await?;
    browser.session.insert(&shown_key(name), fingerprint(offer)).await.map_err(session_broken)?;
    let language = browser.language.code();
    let (marks, introduced) = introduce(app, &offer.client, return_address, language).await?;
    let longest = offer.authority.until.since(browser.visit.now);
    let task = Intent::of(&offer.authority.details);
    let (mut scopes, mut details) = (
        scopes(&offer.registry, offer, language),
        details(&offer.registry.types, &offer.authority.details, &task, language),
    );
    let standing = match offer.becomes.standing() {
        Some(consent) => {
            let then = registry_then(app, consent).await?;
            mark(offer, consent, &then, &mut scopes, &mut details);
            Some(standing(offer, consent, &then, language))
        }
        None => None,
    };
    // What is added ends with what it is added to.
    let durations = match &offer.becomes {
        Becomes::PartOf(_) => vec![OfferedDuration::new(longest, browser.language)],
        Becomes::Itself | Becomes::InPlaceOf(_) => OfferedDuration::up_to(longest, browser.language),
    };
    Ok(ConsentPage {
        page: browser.page(),
        csrf,
        interaction: name.to_owned(),
        asked: asked(app, offer, language).await,
        marks,
        introduced,
        return_host: return_address.and_then(return_host),
        resources: resources(&offer.registry, offer),
        scopes,
        claims: offer.claims.iter().filter_map(|name| claim_key(name)).collect(),
        details,
        task: Some(task),
        durations,
        passing_on_max: offer.passing_on_max,
        offline_access: offer.authority.scope.contains(OFFLINE_ACCESS),
        standing,
        refused,
        afar: None,
    })
}

/// What is registered, as it counts for a consent.
pub(super) async fn registry_then(app: &App, consent: &Consent) -> Result<Arc<Registry>, Broken> {
    match app.registry_of(Some(consent)).await {
        Ok(registry) => Ok(registry),
        Err(Failure::Broken(broken)) => Err(broken),
        Err(Failure::Refused(_)) => Err(Broken::Inconsistent("a registry that is refused")),
    }
}

/// What stands, in the words that it was allowed in; and whether each part of it goes on after a yes to all.
fn standing(offer: &Offer, consent: &Consent, then: &Registry, language: &str) -> Standing {
    let replaced = matches!(offer.becomes, Becomes::InPlaceOf(_));
    let asked = &offer.authority;
    let same = then.types.versions(&asked.details) == offer.registry.types.versions(&asked.details);
    let covered = |detail| same && asked.details.iter().any(|a| then.types.detail_within(detail, a));
    let details = consent.authority.details.iter().map(covered);
    let words = consent.authority.scope.iter().filter(|word| word.as_str() != OFFLINE_ACCESS);
    let words = words.map(|word| asked.scope.contains(word.as_str()));
    let what = what(then, &consent.authority, &Intent::default(), language);
    let entry = |(what, asked)| StandingEntry { what, stays: asked || !replaced };
    Standing {
        replaced,
        until: consent.authority.until,
        entries: what.into_iter().zip(details.chain(words)).map(entry).collect(),
    }
}

/// Marks what of an offer is allowed already, and what is new.
fn mark(
    offer: &Offer,
    consent: &Consent,
    then: &Registry,
    scopes: &mut [ScopeEntry],
    details: &mut [DetailEntry],
) {
    let (asked, given) = (&offer.authority, &consent.authority);
    let of = |already| Some(if already { Mark::Already } else { Mark::New });
    // A word that would mean something at a place where it did not is new there.
    let here = |word: &str| {
        let mut servers = asked.resources.iter().filter_map(|r| offer.registry.resource_servers.get(r));
        servers.all(|server| {
            given.resources.contains(&server.identifier)
                || !server.scopes.keys().any(|known| known.as_str() == word)
        })
    };
    for entry in scopes {
        entry.mark = of(given.scope.contains(&entry.value) && here(&entry.value));
    }
    let everywhere = asked.resources.is_subset(&given.resources);
    let same = then.types.versions(&asked.details) == offer.registry.types.versions(&asked.details);
    for entry in details {
        let asked = asked.details.0.get(entry.index);
        let within = |a| given.details.iter().any(|g| then.types.detail_within(a, g));
        entry.mark = of(everywhere && same && asked.is_some_and(within));
    }
}

/// Whether an offer is what was last shown under `name`, should the registrations have changed in between.
pub(super) async fn is_as_shown(browser: &Browser, name: &str, offer: &Offer) -> bool {
    let shown = browser.session.get::<String>(&shown_key(name)).await.ok().flatten();
    shown == Some(fingerprint(offer))
}

/// Forgets what was shown under `name`, once it is answered.
pub(super) async fn forget_shown(browser: &Browser, name: &str) {
    let _ = browser.session.remove::<String>(&shown_key(name)).await;
}

fn return_host(address: &str) -> Option<String> {
    url::Url::parse(address).ok().and_then(|url| url.host_str().map(str::to_owned))
}

/// What the client shows of itself, and how far that can be trusted. Where the answer goes is for whoever knows it.
async fn introduce(
    app: &App,
    client: &Client,
    return_address: Option<&str>,
    language: &str,
) -> Result<(ClientMarks, Option<Introduced>), Broken> {
    let vouched = registration::vouched(app, client).await?;
    let marks = client_marks::of(client, &vouched, language);
    let document_host = match &vouched {
        Vouched::ByOperator => return Ok((marks, None)),
        Vouched::Nobody => None,
        Vouched::ItsDocument { host } => Some(host.clone()),
    };
    let address = return_address.and_then(|address| url::Url::parse(address).ok());
    let is_here = address.as_ref().is_some_and(is_loopback);
    let return_host = address.and_then(|url| url.host_str().map(str::to_owned));
    Ok((marks, Some(Introduced { document_host, return_host, is_here })))
}

async fn asked(app: &App, offer: &Offer, language: &str) -> Asked {
    let client_name = offer.client.name_in(language).to_owned();
    if offer.actor.id != offer.client.id {
        return Asked::ForActor { client_name, actor: actor_in_words(app, &offer.actor).await };
    }
    match offer.actor.agent() {
        Some(_) => Asked::Actor(actor_in_words(app, &offer.actor).await),
        None => Asked::Application { client_name },
    }
}

async fn actor_in_words(app: &App, actor: &Client) -> ActorInWords {
    let agent = actor.agent();
    let owner = match agent {
        Some(agent) => app.store.find_user(&agent.owner).await.ok().flatten(),
        None => None,
    };
    ActorInWords {
        name: actor.name.clone(),
        is_agent: agent.is_some(),
        owner_name: owner.map(|owner| owner.name.clone()),
        purpose: agent.map(|agent| agent.purpose.clone()),
        expires_at: agent.map(|agent| agent.expires_at),
    }
}

/// The resource servers, this one aside: that userinfo is here need not be told.
fn resources(registry: &Registry, offer: &Offer) -> Vec<ResourceInWords> {
    let others = offer.authority.resources.iter().filter(|resource| **resource != registry.itself);
    let servers = others.filter_map(|resource| registry.resource_servers.get(resource));
    servers
        .map(|server| ResourceInWords {
            name: server.name.clone(),
            identifier: server.identifier.to_string(),
        })
        .collect()
}

fn scopes(registry: &Registry, offer: &Offer, language: &str) -> Vec<ScopeEntry> {
    let words = offer.authority.scope.iter().filter(|word| word.as_str() != OFFLINE_ACCESS);
    let entry = |word: &ScopeToken| {
        let mut servers = offer.authority.resources.iter().filter_map(|r| registry.resource_servers.get(r));
        let server = servers.find(|server| server.scopes.contains_key(word));
        let own = server.is_some_and(|server| server.identifier == registry.itself);
        ScopeEntry {
            value: word.to_string(),
            words: server.map_or(word.as_str(), |server| server.words_for(word, language)).to_owned(),
            resource_name: server.filter(|_| !own).map(|server| server.name.clone()),
            required: word.as_str() == "openid",
            mark: None,
        }
    };
    words.map(entry).collect()
}

/// Every detail in words; of the first `agent_task` only what `task`, told beside it, does not say.
pub(super) fn details(
    types: &DetailsTypes,
    details: &AuthorizationDetails,
    task: &Intent,
    language: &str,
) -> Vec<DetailEntry> {
    let mut speaks_of_task = true;
    let entry = |(index, detail): (usize, &AuthorizationDetail)| {
        // The task comes from the first detail of this type; whatever others say of theirs stands with them.
        let is_task = speaks_of_task && detail.is_task();
        speaks_of_task &= !is_task;
        in_words(types, index, detail, is_task.then_some(task), language)
    };
    details.iter().enumerate().filter_map(entry).collect()
}

/// A detail as its type words it; a detail of a type that is gone was refused before. What the page says of the
/// `task` anyway is not said again.
fn in_words(
    types: &DetailsTypes,
    index: usize,
    detail: &AuthorizationDetail,
    task: Option<&Intent>,
    language: &str,
) -> Option<DetailEntry> {
    let known = types.find(detail.type_name())?.document();
    let words = known.words.get(language).or_else(|| known.words.get("en"))?;
    let lines = match task {
        Some(task) => words.render(&untold(detail.members(), task)).lines,
        None => words.render(detail.members()).lines,
    };
    Some(DetailEntry {
        index,
        type_name: words.name.clone(),
        sentence: words.render(detail.members()).sentence,
        lines,
        risk: known.risk.of(detail.members()),
        mark: None,
    })
}

/// The members that `task` does not say: all but those that stand in it, value for value.
fn untold(members: &Map<String, Value>, task: &Intent) -> Map<String, Value> {
    let told = serde_json::to_value(task).unwrap_or_default();
    let is_told = |name: &str, value: &Value| told.get(name) == Some(value);
    let untold = members.iter().filter(|(name, value)| !is_told(name, value));
    untold.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use protocol::authorization_details::built_in;
    use serde_json::json;

    use super::*;

    fn details_of(details: Value) -> AuthorizationDetails {
        serde_json::from_value(details).unwrap()
    }

    fn left(details: Value) -> Vec<String> {
        let details = details_of(details);
        let task = Intent::of(&details);
        let mut left: Vec<_> =
            untold(details.0[0].members(), &task).into_iter().map(|(name, _)| name).collect();
        left.sort();
        left
    }

    #[test]
    fn what_the_task_says_is_not_said_again_and_all_else_is() {
        let detail = json!([{"type": "agent_task", "actions": ["refund"], "purpose": "p", "reference": "r",
            "success_criteria": ["s"], "limits": ["l"], "deadline": "d", "max_amount": 5}]);
        assert_eq!(left(detail), ["actions", "deadline", "max_amount", "type"]);
    }

    #[test]
    fn what_the_task_cannot_say_stays_with_the_detail() {
        let odd = json!([{"type": "agent_task", "purpose": {"de": "p"}, "limits": ["l", 5], "success_criteria": []}]);
        assert_eq!(left(odd), ["limits", "purpose", "success_criteria", "type"]);
    }

    #[test]
    fn only_the_detail_that_the_task_comes_from_is_shortened() {
        let types = DetailsTypes::new(built_in()).unwrap();
        let twice = json!([{"type": "agent_task", "actions": ["read"], "purpose": "p"},
            {"type": "agent_task", "actions": ["read"], "purpose": "p"}]);
        let twice = details_of(twice);
        let shown = details(&types, &twice, &Intent::of(&twice), "en");
        let lines: Vec<_> = shown.iter().map(|entry| entry.lines.as_slice()).collect();
        assert_eq!(lines, [&[][..], &["Purpose: p".to_owned()][..]]);
    }
}
