//! What hangs on a piece of work: the proof of who acted in it, and everything that rests when it rests.

use anyhow::bail;
use serde_json::{Value, json};

use super::step::Step;
use super::story::{Issued, Teller};
use crate::cli::receipts;
use crate::clock::{Clock as _, SystemClock};

impl Teller<'_> {
    /// A receipt for every hop, verified with nothing but the published keys.
    pub(super) async fn proof_of_the_chain(&mut self, chain: &Issued) -> anyhow::Result<()> {
        let (house, parties, wire) = (self.house, &self.house.parties, self.wire);
        let asked = [("actor_receipts", "true")];
        let answer = parties.orders.introspect(wire, &house.at, &chain.text, &asked).await?;
        let step = Step::new(
            "The orders API asks for receipts",
            "One for each hop, signed and linked: who let whom act, for whoever has to show it later. They are verified \
             offline, with the published keys.",
            &answer,
        )
        .expect(200, "two receipts that prove lookup-agent and refund-agent, the one after the other");
        let told = step.answer();
        let claims = told.as_object().cloned().unwrap_or_default();
        let proven = receipts::prove(&claims, &house.at.issuer, self.keys.all(), SystemClock.now());
        let actors: Vec<&str> =
            proven.iter().flat_map(|proven| &proven.hops).map(|hop| hop.actor.0.as_str()).collect();
        let whole = proven.as_ref().is_ok_and(|proven| proven.complete && proven.same_subject);
        let as_told = actors == [parties.lookup.id, parties.refund.id];
        self.add(step.that("every hop is proven", whole).that("the actors are those of act", as_told));
        Ok(())
    }

    /// Agent A suspends the task, and all that hangs on it rests, agent B's token too; then it goes on.
    pub(super) async fn work_rests(&mut self, chain: &Issued) -> anyhow::Result<()> {
        let (house, agent) = (self.house, &self.house.parties.refund);
        let answer = agent.token_of_its_own(self.wire, &house.at, "tasks").await?;
        let step = Step::new(
            "Agent A gets a token for its own tasks",
            "Of its own, for nobody: with it an agent opens, suspends and completes pieces of work.",
            &answer,
        )
        .expect(200, "a token with the scope tasks");
        let Some(own) = step.answer()["access_token"].as_str().map(str::to_owned) else {
            self.add(step);
            bail!("without a token of its own agent A can say nothing of its tasks");
        };
        self.add(step);

        let Some(task) = chain.claims["txn"].as_str().map(str::to_owned) else {
            bail!("no token without a task")
        };
        self.operate(
            &own,
            &task,
            "suspend",
            "Agent A suspends the task",
            "Something is unclear, so the work rests. Everything that hangs on it rests with it, whoever holds it.",
        )
        .await?;
        let resting = json!({ "active": false });
        let telling =
            "It did nothing wrong, its token is minutes old, and it is worth nothing while the task rests.";
        let step = self.asked_about("Refused: agent B's token rests too", telling, chain).await?;
        let told = step.answer();
        self.add(step.same("the answer", &told, &resting));
        self.operate(
            &own,
            &task,
            "resume",
            "Agent A resumes the task",
            "What was suspended can go on; what was ended cannot.",
        )
        .await?;
        let telling = "The same token, the same chain, and the task is active again.";
        let step = self.asked_about("Agent B's token is alive again", telling, chain).await?;
        let told = step.answer();
        self.add(step.same("active", &told["active"], &true.into()).same(
            "task.status",
            &told["task"]["status"],
            &"active".into(),
        ));
        Ok(())
    }

    async fn operate(
        &mut self,
        own: &str,
        task: &str,
        operation: &str,
        name: &'static str,
        telling: &'static str,
    ) -> anyhow::Result<()> {
        let url = format!("{}/tasks/{task}/{operation}", self.house.at.issuer);
        let answer = self.house.parties.refund.call(self.wire, "POST", &url, own).await?;
        let status = if operation == "suspend" { "suspended" } else { "active" };
        let step = Step::new(name, telling, &answer).expect(200, &format!("the task, {status}"));
        let told = step.answer();
        self.add(step.same("status", &told["status"], &status.into()).same(
            "id",
            &told["id"],
            &Value::from(task),
        ));
        Ok(())
    }

    async fn asked_about(
        &self,
        name: &'static str,
        telling: &'static str,
        token: &Issued,
    ) -> anyhow::Result<Step> {
        let (house, wire) = (self.house, self.wire);
        let answer = house.parties.orders.introspect(wire, &house.at, &token.text, &[]).await?;
        Ok(Step::new(name, telling, &answer).expect(200, "what the token is worth now"))
    }
}
