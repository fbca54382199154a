//! The story, told over real HTTP: alice allows an application to have an agent do one task; the agent narrows what
//! it got, does a part itself, and hands the rest over to another agent.

use anyhow::{Context as _, bail};
use http::Request;
use http::header::LOCATION;
use serde_json::{Value, json};

use super::application::Application;
use super::browser::{Browser, Form, unescaped};
use super::house::{House, ORDERS};
use super::orders_api::Keys;
use super::party::{Exchanged, Party};
use super::picture::Picture;
use super::step::Step;
use super::wire::{Exchange, Wire};

/// An issued token: its text and its verified claims.
#[derive(Clone)]
pub struct Issued {
    /// The text.
    pub text: String,
    /// The claims.
    pub claims: Value,
}

/// Whoever tells it, and what was told so far.
pub struct Teller<'a> {
    pub(super) house: &'a House,
    pub(super) wire: &'a Wire,
    pub(super) browser: Browser<'a>,
    pub(super) keys: Keys,
    listener: &'a mut (dyn FnMut(&Step) + Send),
    steps: Vec<Step>,
}

/// What is left once it is told.
pub struct Told {
    /// Every step.
    pub steps: Vec<Step>,
    /// The chain, if it came about.
    pub picture: Option<Picture>,
}

/// Tells the whole story; `listener` hears each step as it happens.
///
/// # Errors
/// Where it cannot even begin.
pub async fn tell(house: &House, listener: &mut (dyn FnMut(&Step) + Send)) -> anyhow::Result<Told> {
    let wire = Wire::new()?;
    let keys = Keys::fetch(&wire, &house.at.issuer).await.context("the server's keys are not there")?;
    let browser = Browser::new(&wire, &house.at.issuer);
    let mut teller = Teller { house, wire: &wire, browser, keys, listener, steps: Vec::new() };
    let mut picture = None;
    if let Err(reason) = teller.go(&mut picture).await {
        teller.add(Step::broken(&reason));
    }
    Ok(Told { steps: teller.steps, picture })
}

/// The task as alice allows it, or a part of it.
#[must_use]
pub fn task(actions: &[&str], max_amount: u32) -> Value {
    json!({
        "type": "agent_task",
        "purpose": "Refund order 4711",
        "reference": "TICKET-1093",
        "actions": actions,
        "locations": [ORDERS],
        "max_amount": max_amount,
        "currency": "EUR",
    })
}

/// The parameters of an exchange for the orders API.
#[must_use]
pub fn part<'f>(subject: &'f Issued, scope: &'f str, details: &'f str) -> Vec<(&'f str, &'f str)> {
    vec![
        ("subject_token", &subject.text),
        ("scope", scope),
        ("authorization_details", details),
        ("resource", ORDERS),
    ]
}

/// `authorization_details` with one task.
#[must_use]
pub fn one(task: &Value) -> String {
    Value::Array(vec![task.clone()]).to_string()
}

impl Teller<'_> {
    pub(super) fn add(&mut self, step: Step) {
        (self.listener)(&step);
        self.steps.push(step);
    }

    /// Adds a step that should have brought a token, judged by `check`.
    pub(super) fn take(&mut self, step: Step, check: impl FnOnce(Step) -> Step) -> anyhow::Result<Issued> {
        let answer = step.answer();
        let issued = answer["access_token"].as_str().and_then(|text| {
            let claims = Value::Object(self.keys.open(text)?);
            Some(Issued { text: text.to_owned(), claims })
        });
        match issued {
            Some(issued) => {
                self.add(check(step.claims(&issued.claims)));
                Ok(issued)
            }
            None => {
                let name = step.name;
                self.add(step.that("a token of the server came back", false));
                bail!("without the token of {name:?} nothing more can be told")
            }
        }
    }

    async fn go(&mut self, picture: &mut Option<Picture>) -> anyhow::Result<()> {
        let given = self.consent(&CONSENT).await?;
        let own = self.agent_a_acts(&given).await?;
        self.refund(&own).await?;
        let (narrowed, proof) = self.agent_a_narrows(&own).await?;
        let handed = self.agent_a_hands_over(&narrowed).await?;
        let chain = self.agent_b_acts(&handed).await?;
        self.look_up(&chain).await?;
        *picture = Some(Picture::of(self.house, &given.claims, &own.claims, &chain.claims));
        self.proof_of_the_chain(&chain).await?;
        self.work_rests(&chain).await?;
        self.refusals(&own, &narrowed, &proof).await?;
        self.consent_ended(&own).await?;
        let again = self.consent(&AGAIN).await?;
        let agent = &self.house.parties.refund;
        let details = one(&task(&["read"], 20));
        let exchanged =
            agent.exchange(self.wire, &self.house.at, &part(&again, "orders:read", &details)).await?;
        let step = Step::new(
            AGAIN.acts,
            "alice's account page shows both consents now: the one that is over, and this one.",
            &exchanged.answer,
        )
        .expect(200, "a token with act = refund-agent");
        self.take(step, |step| step.claim("/act/sub", &agent.id.into())).map(drop)
    }

    /// From the application's request to the application's token.
    async fn consent(&mut self, words: &Words) -> anyhow::Result<Issued> {
        let (house, agent) = (self.house, &self.house.parties.refund);
        let application = Application::discover(self.wire, &house.at.issuer, &house.callback()).await;
        if words.first {
            let url = format!("{}/.well-known/openid-configuration", house.at.issuer);
            let metadata = self.wire.send(Request::get(url).body(Vec::new())?).await?;
            let step = Step::new(words.discovers, words.discovers_telling, &metadata)
                .expect(200, "metadata of this issuer with token exchange among its grant types");
            let answer = step.answer();
            let grants = answer["grant_types_supported"].as_array().cloned().unwrap_or_default();
            let exchange = json!("urn:ietf:params:oauth:grant-type:token-exchange");
            let understood = application.is_ok();
            self.add(
                step.same("issuer", &answer["issuer"], &house.at.issuer.as_str().into())
                    .that("token exchange is offered", grants.contains(&exchange))
                    .that("the openidconnect crate understands it", understood),
            );
        }
        let application = application?;
        let asked = application.ask(agent.id, &task(&["read", "refund"], 50)).await?;
        let answer = self.browser.get(&asked.url).await?;
        let next = self.browser.way_on(&answer);
        let leads = next.as_ref().is_some_and(|url| url.contains(words.leads_to));
        self.add(
            Step::new(words.asks, words.asks_telling, &answer)
                .expect(303, &format!("on to {}", words.leads_to))
                .that("it leads there", leads),
        );
        let mut page = self.browser.open(&next.context("the request led nowhere")?).await?;
        if words.first {
            page = self.sign_in(&page).await?;
        }
        let answer = self.agree(words, &page).await?;
        let code = application.code(&asked, &answer)?;
        let redeemed = application.redeem(asked, code).await;
        let answer = self.wire.last().context("nothing was sent")?;
        let step = Step::new(words.redeems, words.redeems_telling, &answer)
            .expect(200, "a token with aud and may_act = refund-agent and no act; an ID token that verifies");
        let (sub, whole) = match &redeemed {
            Ok(redeemed) => (Value::from(redeemed.sub.as_str()), redeemed.access_token.clone()),
            Err(_) => (Value::Null, String::new()),
        };
        let same = step.answer()["access_token"] == whole.as_str();
        let issued = self.take(step, |step| {
            step.claim("/aud", &agent.id.into())
                .claim("/may_act/sub", &agent.id.into())
                .claim("/act", &Value::Null)
                .claim("/sub", &sub)
                .claim("/authorization_details", &json!([task(&["read", "refund"], 50)]))
                .that("the ID token verifies, and its user is the token's", redeemed.is_ok() && same)
        })?;
        redeemed?;
        Ok(issued)
    }

    /// The sign-in page, as a person fills it in. Gives the page that comes next.
    async fn sign_in(&mut self, page: &Exchange) -> anyhow::Result<Exchange> {
        let form = Form::find(&page.body, "/sign-in");
        self.add(
            Step::new("The browser comes to the sign-in page", "The page says for which application.", page)
                .expect(200, "a sign-in page that names the application")
                .that("the page names Shop Assistant", page.body.contains("Shop Assistant"))
                .that("it has a form", form.is_ok()),
        );
        let form = form?.with("username", "alice").with("password", &self.house.passwords.alice);
        let answer = self.browser.post(&form).await?;
        let next = self.browser.way_on(&answer);
        let leads = next.as_ref().is_some_and(|url| url.contains("/consent?"));
        self.add(
            Step::new(
                "alice signs in",
                "The very form of the page is posted, with the session's cookie and form token.",
                &answer,
            )
            .expect(303, "on to the consent page")
            .that("it leads to the consent page", leads),
        );
        self.browser.open(&next.context("signing in led nowhere")?).await
    }

    /// The consent page, and everything on it left as it is offered. Gives the answer that leads to the application.
    async fn agree(&mut self, words: &Words, page: &Exchange) -> anyhow::Result<Exchange> {
        let form = Form::find(&page.body, "/consent");
        let text = unescaped(&page.body);
        let mut step = Step::new(words.sees, words.sees_telling, page)
            .expect(200, "a consent page that names agent, application, task, limits and passing on");
        for named in ["Shop Assistant", "Refund Agent", "Refund order 4711", "TICKET-1093", "50", "Ada Admin"]
        {
            step = step.that(&format!("the page names {named}"), text.contains(named));
        }
        if let Ok(form) = &form {
            for word in ["orders:read", "orders:write"] {
                step = step.that(&format!("{word} can be unticked"), form.every("scope").any(|w| w == word));
            }
            step = step
                .that("the task can be unticked", form.every("detail").count() == 1)
                .that("passing on can be unticked", form.every("passing_on").count() == 1);
        }
        self.add(step);
        let answer = self.browser.post(&form?.with("decision", "approve")).await?;
        let back = answer.header(LOCATION.as_str()).unwrap_or_default().to_owned();
        self.add(
            Step::new(words.agrees, words.agrees_telling, &answer)
                .expect(303, "back to the application with code, state and iss")
                .that("it leads to the application", back.starts_with(&self.house.callback()))
                .that(
                    "code, state and iss are there",
                    ["code=", "state=", "iss="].iter().all(|p| back.contains(p)),
                ),
        );
        Ok(answer)
    }

    async fn agent_a_acts(&mut self, given: &Issued) -> anyhow::Result<Issued> {
        let (house, agent) = (self.house, &self.house.parties.refund);
        let details = one(&task(&["read", "refund"], 20));
        let asked = part(given, "orders:read orders:write", &details);
        let Exchanged { answer, demand, .. } = agent.exchange(self.wire, &house.at, &asked).await?;
        if let Some(demand) = demand {
            self.add(
                Step::new(
                    "Agent A is asked for a nonce first",
                    "Its first DPoP proof has none; the server demands its own, so that no proof can be made in advance.",
                    &demand,
                )
                .expect_refusal(400, "use_dpop_nonce")
                .that("a nonce comes with it", demand.header("dpop-nonce").is_some()),
            );
        }
        let step = Step::new(
            "Agent A exchanges it for a token of its own",
            "It proves itself by private_key_jwt and its key by DPoP, and asks for less than it could: refunds up to 20. \
             The token is alice's (sub), acted for by A (act), and bound to A's key (cnf).",
            &answer,
        )
        .expect(200, "a DPoP token with act = refund-agent, aud = the orders API, at most 20 EUR");
        self.take(step, |step| {
            let answer = step.answer();
            narrowed(step, given, agent)
                .same("token_type", &answer["token_type"], &"DPoP".into())
                .claim("/aud", &ORDERS.into())
                .claim("/scope", &"orders:read orders:write".into())
                .claim("/act/sub", &agent.id.into())
                .claim("/act/act", &Value::Null)
                .claim("/authorization_details", &json!([task(&["read", "refund"], 20)]))
        })
    }

    /// The orders API, asked twice by agent A: within the task, and beyond it.
    async fn refund(&mut self, own: &Issued) -> anyhow::Result<()> {
        let agent = &self.house.parties.refund;
        let answer = self.call_api(agent, own, "POST", "/orders/4711/refund", "?amount=19.9").await?;
        let step = Step::new(
            "Agent A refunds 19.90",
            "The orders API introspects the token, checks the DPoP proof and the task, and knows who acts for whom.",
            &answer,
        )
        .expect(200, "done by refund-agent for alice");
        let done = step.answer()["done"].clone();
        self.add(
            step.same("for", &done["for"], &own.claims["sub"])
                .same("by", &done["by"], &agent.id.into())
                .same("asked_by", &done["asked_by"], &json!([])),
        );
        let answer = self.call_api(agent, own, "POST", "/orders/4711/refund", "?amount=25").await?;
        self.add(
            Step::new(
                "Agent A tries to refund 25",
                "The limit travels in the token, so the API itself can hold the agent to it.",
                &answer,
            )
            .expect_refusal(403, "insufficient_scope"),
        );
        Ok(())
    }

    async fn agent_a_narrows(&mut self, own: &Issued) -> anyhow::Result<(Issued, String)> {
        let (house, agent) = (self.house, &self.house.parties.refund);
        let details = one(&task(&["read"], 0));
        let asked = part(own, "orders:read", &details);
        let Exchanged { answer, proof, .. } = agent.exchange(self.wire, &house.at, &asked).await?;
        let step = Step::new(
            "Agent A narrows its token to reading",
            "What is left to do needs no refunds. Narrowing its own token adds nobody to the chain.",
            &answer,
        )
        .expect(200, "a token for orders:read and the action read, the chain as before");
        let issued = self.take(step, |step| {
            narrowed(step, own, agent)
                .claim("/scope", &"orders:read".into())
                .claim("/act/sub", &agent.id.into())
                .claim("/act/act", &Value::Null)
                .claim("/authorization_details", &json!([task(&["read"], 0)]))
        })?;
        Ok((issued, proof))
    }

    async fn agent_a_hands_over(&mut self, narrowed_token: &Issued) -> anyhow::Result<Issued> {
        let (house, parties) = (self.house, &self.house.parties);
        let details = one(&task(&["read"], 0));
        let mut asked = part(narrowed_token, "orders:read", &details);
        asked.push(("audience", parties.lookup.id));
        let answer = parties.refund.exchange(self.wire, &house.at, &asked).await?.answer;
        let step = Step::new(
            "Agent A hands over to agent B",
            "With audience = lookup-agent comes a token that is good for nothing but exchange by that agent.",
            &answer,
        )
        .expect(200, "a token with aud = lookup-agent, act still refund-agent");
        self.take(step, |step| {
            narrowed(step, narrowed_token, &parties.refund)
                .claim("/aud", &parties.lookup.id.into())
                .claim("/act/sub", &parties.refund.id.into())
                .claim("/act/act", &Value::Null)
        })
    }

    async fn agent_b_acts(&mut self, handed: &Issued) -> anyhow::Result<Issued> {
        let (house, parties) = (self.house, &self.house.parties);
        let details = one(&task(&["read"], 0));
        let asked = part(handed, "orders:read", &details);
        let answer = parties.lookup.exchange(self.wire, &house.at, &asked).await?.answer;
        let step = Step::new(
            "Agent B exchanges it: a chain of two",
            "B is the actor now and A stands behind it; the token is bound to B's key, and txn is still the same task.",
            &answer,
        )
        .expect(200, "a token with act = lookup-agent and act.act = refund-agent, for orders:read");
        self.take(step, |step| {
            narrowed(step, handed, &parties.lookup)
                .claim("/aud", &ORDERS.into())
                .claim("/scope", &"orders:read".into())
                .claim("/act/sub", &parties.lookup.id.into())
                .claim("/act/act/sub", &parties.refund.id.into())
                .claim("/act/act/act", &Value::Null)
                .claim("/authorization_details", &json!([task(&["read"], 0)]))
        })
    }

    async fn look_up(&mut self, chain: &Issued) -> anyhow::Result<()> {
        let parties = &self.house.parties;
        let answer = self.call_api(&parties.lookup, chain, "GET", "/orders/4711", "").await?;
        let step = Step::new(
            "Agent B looks up the order",
            "The orders API validates the JWT offline, by the server's published keys, and reads the chain from it.",
            &answer,
        )
        .expect(200, "done by lookup-agent, asked by refund-agent, for alice");
        let done = step.answer()["done"].clone();
        self.add(
            step.same("for", &done["for"], &chain.claims["sub"])
                .same("by", &done["by"], &parties.lookup.id.into())
                .same("asked_by", &done["asked_by"], &json!([parties.refund.id]))
                .same("txn", &done["txn"], &chain.claims["txn"]),
        );
        Ok(())
    }

    async fn call_api(
        &self,
        agent: &Party,
        token: &Issued,
        method: &str,
        path: &str,
        query: &str,
    ) -> anyhow::Result<Exchange> {
        agent.call(self.wire, method, &format!("{}{path}{query}", self.house.api), &token.text).await
    }
}

/// What every derived token has in common with the one it comes from, and its own key.
fn narrowed(step: Step, from: &Issued, holder: &Party) -> Step {
    let answer = step.answer();
    let issued_type = "urn:ietf:params:oauth:token-type:access_token";
    let exp = |claims: &Value| claims["exp"].as_i64().unwrap_or(i64::MAX);
    let outlives = step.claims.as_ref().is_none_or(|claims| exp(claims) > exp(&from.claims));
    step.same("issued_token_type", &answer["issued_token_type"], &issued_type.into())
        .claim("/sub", &from.claims["sub"])
        .claim("/txn", &from.claims["txn"])
        .claim("/auth_time", &from.claims["auth_time"])
        .claim("/client_id", &holder.id.into())
        .claim("/cnf/jkt", &holder.dpop.thumbprint().into())
        .claim("/may_act", &Value::Null)
        .that("it ends no later than what it comes from", !outlives)
        .that("it carries a task", !from.claims["txn"].is_null())
}

/// The words for one consent: the first is told in full, the second in short.
struct Words {
    first: bool,
    discovers: &'static str,
    discovers_telling: &'static str,
    asks: &'static str,
    asks_telling: &'static str,
    leads_to: &'static str,
    sees: &'static str,
    sees_telling: &'static str,
    agrees: &'static str,
    agrees_telling: &'static str,
    redeems: &'static str,
    redeems_telling: &'static str,
    acts: &'static str,
}

const CONSENT: Words = Words {
    first: true,
    discovers: "Shop Assistant reads the metadata",
    discovers_telling: "An application that knows nothing of Procura: the openidconnect crate, and a redirect URI.",
    asks: "Shop Assistant sends alice to the server",
    asks_telling: "It pushed its request first, with requested_actor = refund-agent and one task: not the application is to act, but the agent.",
    leads_to: "/sign-in?",
    sees: "alice sees who wants to do what",
    sees_telling: "The consent page names the agent, who answers for it, the application that asks, the task and its limits.",
    agrees: "alice agrees",
    agrees_telling: "What she leaves ticked becomes a consent and a task; she could have unticked any part of it.",
    redeems: "Shop Assistant redeems the code",
    redeems_telling: "With PKCE. The token is no use to the application: it is for agent A alone, which may become its actor.",
    acts: "",
};

const AGAIN: Words = Words {
    first: false,
    discovers: "",
    discovers_telling: "",
    asks: "Shop Assistant asks once more",
    asks_telling: "alice is signed in still.",
    leads_to: "/consent?",
    sees: "alice sees it once more",
    sees_telling: "What an agent may do is put before her each time.",
    agrees: "alice agrees once more",
    agrees_telling: "A new consent and a new task; what was ended stays ended.",
    redeems: "Shop Assistant redeems the new code",
    redeems_telling: "Again a token for agent A alone.",
    acts: "Agent A acts under the new consent",
};
