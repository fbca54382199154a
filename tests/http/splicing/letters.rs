//! What others say: a partner of users, a platform of its workloads. Such tokens are made by hand, right and wrong.

use serde_json::json;
use tests::{Key as Pair, random};

use super::declared::{header, of_workload};
use super::details::{self, Detail, Details, Kind};
use super::model::{Form, Sub, Token};
use super::parties::{PARTIES, PLACES, USERS, Who, Words, all_words, chosen, homes, joined};
use super::stage::Stage;

/// The issuer whose tokens about users are believed.
pub(super) const PARTNER: &str = "https://partner.example";
/// An issuer that has the same key, and is trusted with something else.
pub(super) const GRANTS_ONLY: &str = "https://grants.example";
/// The platform that the workloads run on.
pub(super) const PLATFORM: &str = "https://platform.example";
/// Who acts at the partner. That one is called like somebody here makes them nobody here.
pub(super) const ACTED: [&str; 3] = ["agent-b", "their-bot", "their-other-bot"];

/// What is wrong with a partner's token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wrong {
    Nothing,
    /// Its issuer is trusted for another purpose.
    Purpose,
    /// Nobody here is called so.
    User,
    /// Somebody else signed it.
    Key,
    /// It is for somebody else.
    Audience,
}

impl Wrong {
    pub(super) const fn thrown(die: u16) -> Self {
        match die % 12 {
            0 => Self::Purpose,
            1 => Self::User,
            2 => Self::Key,
            3 => Self::Audience,
            _ => Self::Nothing,
        }
    }
}

/// What the partner says is allowed; nothing where it does not speak of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Says {
    pub(super) scope: Option<Words>,
    pub(super) details: Details,
    /// How many act there.
    pub(super) acted: usize,
}

impl Says {
    pub(super) fn thrown(dice: [u16; 2]) -> Self {
        let details = (0..dice[1] % 3).map(|nth| Detail::thrown(dice[1].wrapping_mul(nth + 1))).collect();
        let scope = chosen(&all_words(), dice[0] >> 4);
        let scope = (dice[0].is_multiple_of(2) && !scope.is_empty()).then_some(scope);
        Self { scope, details, acted: [0, 0, 0, 1, 2, 3][usize::from(dice[1] % 6)] }
    }
}

impl Stage {
    /// The partner makes a token about a user. It is wherever somebody brings it.
    pub(super) fn letter(&mut self, user: usize, says: &Says, wrong: Wrong) -> usize {
        self.look_at_clock();
        let (issuer, now) = (self.house.issuer().to_owned(), self.world.now);
        let mut claims = json!({
            "iss": PARTNER, "sub": USERS[user], "aud": issuer, "iat": now, "exp": now + 250, "jti": random()
        });
        if let Some(scope) = &says.scope {
            claims["scope"] = joined(scope).into();
        }
        if !says.details.is_empty() {
            claims["authorization_details"] = details::to_json(&says.details);
        }
        let acted = ACTED[..says.acted].iter().rev();
        let act = acted.fold(None, |inner: Option<serde_json::Value>, who| {
            let mut act = json!({ "sub": who, "iss": PARTNER });
            if let Some(inner) = inner {
                act["act"] = inner;
            }
            Some(act)
        });
        if let Some(act) = act {
            claims["act"] = act;
        }
        match wrong {
            Wrong::Nothing | Wrong::Key => {}
            Wrong::Purpose => claims["iss"] = GRANTS_ONLY.into(),
            Wrong::User => claims["sub"] = "mallory".into(),
            Wrong::Audience => claims["aud"] = PARTNER.into(),
        }
        let text = match wrong {
            Wrong::Key => Pair::generate().sign(&header(), &claims),
            _ => self.keys.partner.sign(&header(), &claims),
        };
        // What it may say at all.
        let most: Words = ["orders:read", "orders:write", "inventory:read"].into();
        let scope = says.scope.as_ref().map_or_else(|| most.clone(), |said| said & &most);
        let refunds = says.details.iter().filter(|detail| detail.kind == Kind::Refund);
        self.world.tokens.push(Token {
            text,
            form: Form::Foreign(wrong == Wrong::Nothing),
            sub: Sub::User(USERS[user]),
            to: 0,
            acts: Vec::new(),
            brought: says.acted,
            only: None,
            handed: None,
            scope,
            places: PLACES.into(),
            details: refunds.cloned().collect(),
            key: None,
            consent: None,
            task: None,
            from: None,
            family: None,
            until: now + 250,
            over: false,
            taken: false,
        });
        self.world.tokens.len() - 1
    }

    /// The platform makes a token of one of its workloads.
    pub(super) fn workload(&mut self, who: Who) -> usize {
        self.look_at_clock();
        let now = self.world.now;
        let claims = of_workload(self.house.issuer(), PARTIES[who].id, now);
        let scope: Words = all_words();
        self.world.tokens.push(Token {
            text: self.keys.platform.sign(&header(), &claims),
            form: Form::Workload,
            sub: Sub::Client(who),
            to: who,
            acts: Vec::new(),
            brought: 0,
            only: None,
            handed: None,
            places: homes(&scope),
            scope,
            details: Details::new(),
            key: None,
            consent: None,
            task: None,
            from: None,
            family: None,
            until: now + 250,
            over: false,
            taken: false,
        });
        self.world.tokens.len() - 1
    }
}
