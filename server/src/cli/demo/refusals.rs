//! Five things that are refused, each with its exact answer.

use serde_json::{Value, json};

use super::browser::Form;
use super::step::Step;
use super::story::{Issued, Teller, one, part, task};

impl Teller<'_> {
    /// More than there is, somebody else's, and the same again.
    pub(super) async fn refusals(
        &mut self,
        own: &Issued,
        narrowed: &Issued,
        used_proof: &str,
    ) -> anyhow::Result<()> {
        let (house, parties, wire) = (self.house, &self.house.parties, self.wire);
        let read = one(&task(&["read"], 0));

        let wider = part(narrowed, "orders:read orders:write", &read);
        let answer = parties.refund.exchange(wire, &house.at, &wider).await?.answer;
        self.add(
            Step::new(
                "Refused: a wider scope",
                "Agent A asks its narrowed token to write again. A is registered for orders:write, and alice allowed it, \
                 but this token lacks it.",
                &answer,
            )
            .expect_refusal(400, "invalid_scope"),
        );

        let more = one(&task(&["read", "refund"], 500));
        let wider = part(own, "orders:read orders:write", &more);
        let answer = parties.refund.exchange(wire, &house.at, &wider).await?.answer;
        self.add(
            Step::new(
                "Refused: a wider task",
                "Agent A asks for refunds up to 500, where its token has 20 and alice allowed 50.",
                &answer,
            )
            .expect_refusal(400, "invalid_authorization_details"),
        );

        let stolen = part(own, "orders:read", &read);
        let answer = parties.other.exchange(wire, &house.at, &stolen).await?.answer;
        self.add(
            Step::new(
                "Refused: a stolen token",
                "Agent C got hold of agent A's token and sends it with its own credentials and its own key.",
                &answer,
            )
            .expect_refusal(400, "invalid_request"),
        );

        let again = part(own, "orders:read", &read);
        let answer = parties.refund.exchange_with(wire, &house.at, &again, used_proof).await?;
        self.add(
            Step::new(
                "Refused: a DPoP proof used twice",
                "The proof that agent A narrowed its token with is sent again, with everything else fresh.",
                &answer,
            )
            .expect_refusal(400, "invalid_dpop_proof"),
        );
        Ok(())
    }

    /// alice presses the button, and what came of her consent is over.
    pub(super) async fn consent_ended(&mut self, own: &Issued) -> anyhow::Result<()> {
        let (house, parties, wire) = (self.house, &self.house.parties, self.wire);
        let answer = parties.orders.introspect(wire, &house.at, &own.text, &[]).await?;
        let step =
            Step::new("Agent A's token is alive", "The orders API asks before alice does anything.", &answer)
                .expect(200, "active, acted for by refund-agent");
        let told = step.answer();
        self.add(
            step.same("active", &told["active"], &true.into())
                .same("act.sub", &told["act"]["sub"], &parties.refund.id.into())
                .same("sub", &told["sub"], &own.claims["sub"]),
        );

        let account = self.browser.open(&format!("{}/account", house.at.issuer)).await?;
        let form = Form::find(&account.body, "/account/consents/end")?;
        let ended = self.browser.post(&form).await?;
        let account = self.browser.open(&format!("{}/account", house.at.issuer)).await?;
        let left = Form::find(&account.body, "/account/consents/end").is_ok();
        self.add(
            Step::new(
                "alice ends her consent",
                "One button on her account page. Everything that hangs on the consent ends with it: task, tokens, chain.",
                &ended,
            )
            .expect(303, "back to the account page, where no live consent is left")
            .that("no consent is left to end", !left),
        );

        let answer = parties.orders.introspect(wire, &house.at, &own.text, &[]).await?;
        let step = Step::new(
            "Refused: its token is over",
            "The very same question as before, and nothing more is told.",
            &answer,
        )
        .expect(200, "active = false and nothing else");
        let told = step.answer();
        self.add(step.same("the answer", &told, &json!({ "active": false })));

        let read = one(&task(&["read"], 0));
        let asked = part(own, "orders:read", &read);
        let answer = parties.refund.exchange(wire, &house.at, &asked).await?.answer;
        let step = Step::new(
            "Refused: nothing more is derived from it",
            "Agent A, with its own key and its own token, which has minutes to live by its exp.",
            &answer,
        )
        .expect_refusal(400, "invalid_request");
        let none = step.answer()["access_token"] == Value::Null;
        self.add(step.that("no token came back", none));
        Ok(())
    }
}
