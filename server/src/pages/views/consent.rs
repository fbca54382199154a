//! The consent page: who wants to do what for the user, until when, and what of it the user allows.

use askama::Template;
use protocol::authorization_details::RiskLevel;
use protocol::numeric_date::NumericDate;
use protocol::task::Intent;

use super::account::Permitted;
use super::client_marks::{ClientMarks, Introduced};
use super::duration::OfferedDuration;
use super::language::Piece;
use super::page::Page;

/// The consent page. It posts to `/consent`: `csrf`, `interaction`, `decision` (`approve` or `deny`), and of what was
/// left ticked each `scope` (its value), each `detail` (its index), `passing_on=yes` and `offline_access=yes`; and
/// `until`, a number of seconds.
#[derive(Clone, Debug, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// The frame; the user is always known here.
    pub page: Page,
    /// The token of this form.
    pub csrf: String,
    /// The authorization request that waits for the answer.
    pub interaction: String,
    /// Who asks, and for whom.
    pub asked: Asked,
    /// What the client shows of itself.
    pub marks: ClientMarks,
    /// How far the client can be trusted, where nobody declared it.
    pub introduced: Option<Introduced>,
    /// The host of the redirect URI, where the user goes back to.
    pub return_host: Option<String>,
    /// The task, as far as the request speaks of one.
    pub task: Option<Intent>,
    /// Where it may be done.
    pub resources: Vec<ResourceInWords>,
    /// What may be done, by scope.
    pub scopes: Vec<ScopeEntry>,
    /// The claims about the user that are asked for by name, each as the key of its words; see [`claim_key`].
    pub claims: Vec<&'static str>,
    /// What may be done, in detail.
    pub details: Vec<DetailEntry>,
    /// The durations to choose from, the shortest first; the last one is chosen at first.
    pub durations: Vec<OfferedDuration>,
    /// How many further actors it may reach, one after the other; 0 where it may not be passed on.
    pub passing_on_max: u8,
    /// Whether `offline_access` is asked for.
    pub offline_access: bool,
    /// What stands already, where this is to be added to it or to take its place.
    pub standing: Option<Standing>,
    /// Why the last answer was not taken.
    pub refused: Option<ConsentRefused>,
    /// From where it was asked, if not in this browser.
    pub afar: Option<Afar>,
}

/// What the user allowed before, as the page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Whether it is to be replaced, and not just added to.
    pub replaced: bool,
    /// When it is over.
    pub until: NumericDate,
    /// What it permits.
    pub entries: Vec<StandingEntry>,
}

/// Something that is allowed already.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StandingEntry {
    /// What it permits.
    pub what: Permitted,
    /// Whether it stays allowed, if the user says yes.
    pub stays: bool,
}

/// How something that is asked stands to what is allowed already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// It is not.
    New,
    /// It is.
    Already,
}

impl Mark {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::New => "consent-new",
            Self::Already => "consent-already",
        }
    }
}

impl Standing {
    /// The words above it.
    #[must_use]
    pub const fn heading_key(&self) -> &'static str {
        if self.replaced { "consent-standing-replaced" } else { "consent-standing" }
    }

    /// What becomes of it.
    #[must_use]
    pub const fn hint_key(&self) -> &'static str {
        if self.replaced { "consent-standing-replaced-hint" } else { "consent-standing-hint" }
    }
}

impl StandingEntry {
    /// The words for what becomes of it.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        if self.stays { "consent-stays" } else { "consent-goes" }
    }
}

/// Whoever asks is elsewhere than this browser. The page then posts to another path, and instead of `interaction` the
/// `user_code`, if there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Afar {
    /// A device that shows a code (RFC 8628).
    Device {
        /// The code that was entered.
        user_code: String,
        /// The network address that it asked from.
        from: Option<String>,
        /// Whether this browser has the same one.
        from_here: bool,
        /// When it asked.
        asked_at: NumericDate,
    },
    /// A client that named the user (CIBA).
    Backchannel {
        /// The request.
        id: String,
        /// What the client shows too.
        binding_message: Option<String>,
        /// When it asked.
        asked_at: NumericDate,
    },
}

/// The key of the words for a standard claim (OpenID Connect Core §5.1), if it is one.
#[must_use]
pub fn claim_key(name: &str) -> Option<&'static str> {
    Some(match name {
        "name" => "claim-name",
        "family_name" => "claim-family-name",
        "given_name" => "claim-given-name",
        "middle_name" => "claim-middle-name",
        "nickname" => "claim-nickname",
        "preferred_username" => "claim-preferred-username",
        "profile" => "claim-profile",
        "picture" => "claim-picture",
        "website" => "claim-website",
        "gender" => "claim-gender",
        "birthdate" => "claim-birthdate",
        "zoneinfo" => "claim-zoneinfo",
        "locale" => "claim-locale",
        "updated_at" => "claim-updated-at",
        "email" => "claim-email",
        "email_verified" => "claim-email-verified",
        "address" => "claim-address",
        "phone_number" => "claim-phone-number",
        "phone_number_verified" => "claim-phone-number-verified",
        _ => return None,
    })
}

/// Who asks, and who is to act.
#[derive(Clone, Debug)]
pub enum Asked {
    /// An application, for itself: nobody acts.
    Application {
        /// `client_name`.
        client_name: String,
    },
    /// An actor, for itself: it is the client.
    Actor(ActorInWords),
    /// An application, for an actor (`requested_actor`).
    ForActor {
        /// The application's `client_name`.
        client_name: String,
        /// Who is to act.
        actor: ActorInWords,
    },
}

/// An actor as the page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActorInWords {
    /// Its name.
    pub name: String,
    /// Whether it is an AI agent, and not a service.
    pub is_agent: bool,
    /// Who answers for it.
    pub owner_name: Option<String>,
    /// What it is for.
    pub purpose: Option<String>,
    /// When the actor itself ends.
    pub expires_at: Option<NumericDate>,
}

/// A resource server as the page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResourceInWords {
    /// What people call it.
    pub name: String,
    /// Its identifier, a URI.
    pub identifier: String,
}

/// A scope word as the page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScopeEntry {
    /// The word itself.
    pub value: String,
    /// What it permits, in words.
    pub words: String,
    /// Whose word it is.
    pub resource_name: Option<String>,
    /// Whether it cannot be struck, as `openid` cannot.
    pub required: bool,
    /// How it stands to what is allowed already, where anything is.
    pub mark: Option<Mark>,
}

/// An authorization detail as the page shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DetailEntry {
    /// Its place in the request.
    pub index: usize,
    /// What its type is called.
    pub type_name: String,
    /// What it permits.
    pub sentence: String,
    /// What else it says, a line each.
    pub lines: Vec<String>,
    /// How much harm a mistake could do.
    pub risk: RiskLevel,
    /// How it stands to what is allowed already, where anything is.
    pub mark: Option<Mark>,
}

/// Why an answer was not taken, and the question is asked again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConsentRefused {
    /// Approved, but nothing was left ticked.
    NothingLeft,
    /// The page was open for too long.
    FormTooOld,
    /// What is asked is not what the page showed any more.
    Changed,
    /// The part that was approved would allow more, together with what stands, than either.
    Inseparable,
    /// Whoever asks demands a stronger sign-in than there was, and than there is for this user.
    TooWeak,
}

impl ConsentRefused {
    /// The words for it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::NothingLeft => "consent-nothing-left",
            Self::FormTooOld => "form-too-old",
            Self::Changed => "approval-changed",
            Self::Inseparable => "consent-inseparable",
            Self::TooWeak => "consent-too-weak",
        }
    }
}

impl ConsentPage {
    /// Where the form goes.
    #[must_use]
    pub fn action(&self) -> String {
        match &self.afar {
            None => "/consent".into(),
            Some(Afar::Device { .. }) => "/device".into(),
            Some(Afar::Backchannel { id, .. }) => format!("/approvals/{id}"),
        }
    }

    /// What the buttons' ids begin with.
    #[must_use]
    pub const fn buttons(&self) -> &'static str {
        match &self.afar {
            None => "consent",
            Some(Afar::Device { .. }) => "device",
            Some(Afar::Backchannel { .. }) => "ciba",
        }
    }

    /// The heading: who wants what.
    #[must_use]
    pub fn heading(&self) -> Vec<Piece> {
        let language = self.page.language;
        match &self.asked {
            Asked::Application { client_name } => {
                language.sentence("consent-who-application", &[("client", client_name)])
            }
            Asked::Actor(actor) => {
                let key = if actor.is_agent { "consent-who-agent" } else { "consent-who-service" };
                language.sentence(key, &[("actor", &actor.name)])
            }
            Asked::ForActor { client_name, actor } => {
                let key = if actor.is_agent {
                    "consent-who-application-for-agent"
                } else {
                    "consent-who-application-for-service"
                };
                language.sentence(key, &[("client", client_name), ("actor", &actor.name)])
            }
        }
    }

    /// Who is to act, unless nobody is.
    #[must_use]
    pub const fn actor(&self) -> Option<&ActorInWords> {
        match &self.asked {
            Asked::Application { .. } => None,
            Asked::Actor(actor) | Asked::ForActor { actor, .. } => Some(actor),
        }
    }

    /// The name of whoever receives the authority.
    #[must_use]
    pub fn receiver_name(&self) -> &str {
        match &self.asked {
            Asked::Application { client_name } => client_name,
            Asked::Actor(actor) | Asked::ForActor { actor, .. } => &actor.name,
        }
    }

    /// The application that asks for another, if it is so.
    #[must_use]
    pub fn go_between(&self) -> Option<&str> {
        match &self.asked {
            Asked::ForActor { client_name, .. } => Some(client_name),
            Asked::Application { .. } | Asked::Actor(_) => None,
        }
    }

    /// The user's name.
    #[must_use]
    pub fn user_name(&self) -> &str {
        self.page.user_name.as_deref().unwrap_or_default()
    }

    /// Whether a duration is the one chosen at first.
    #[must_use]
    pub fn is_default(&self, duration: &OfferedDuration) -> bool {
        self.durations.last() == Some(duration)
    }

    /// Whether the task says anything.
    #[must_use]
    pub fn stated_task(&self) -> Option<&Intent> {
        self.task.as_ref().filter(|task| **task != Intent::default())
    }
}

impl DetailEntry {
    /// The words for the risk.
    #[must_use]
    pub const fn risk_key(&self) -> &'static str {
        match self.risk {
            RiskLevel::Low => "risk-low",
            RiskLevel::Medium => "risk-medium",
            RiskLevel::High => "risk-high",
        }
    }

    /// The name of the risk in the stylesheet.
    #[must_use]
    pub const fn risk_class(&self) -> &'static str {
        match self.risk {
            RiskLevel::Low => "low",
            RiskLevel::Medium => "medium",
            RiskLevel::High => "high",
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::standard_claims::BY_SCOPE;

    use super::claim_key;

    #[test]
    fn every_standard_claim_has_words() {
        for name in BY_SCOPE.into_iter().flat_map(|(_, names)| names) {
            assert!(claim_key(name).is_some(), "{name}");
        }
        assert_eq!(claim_key("salary"), None);
    }
}
