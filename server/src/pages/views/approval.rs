//! The page on which somebody approves what an agent asks for, or denies it.

use askama::Template;
use protocol::authorization_details::RiskLevel;
use protocol::destination::Destination;
use protocol::numeric_date::NumericDate;
use protocol::rule::Approver;

use super::account::Kind;
use super::allowed::Allowed;
use super::consent::ConsentRefused;
use super::language::{Language, Piece};
use super::page::Page;

/// The page. Its form posts `csrf`, `shown` and `decision` (`approve` or `deny`) to `/approvals/{id}`.
#[derive(Clone, Debug, Template)]
#[template(path = "approval.html")]
pub struct ApprovalPage {
    /// The frame; the approver is always known here.
    pub page: Page,
    /// The token of the form.
    pub csrf: String,
    /// Which.
    pub id: String,
    /// The hash of what is shown here, word by word: no yes is taken for anything else.
    pub shown: String,
    /// Why the answer was not taken.
    pub refused: Option<ConsentRefused>,
    /// Who asks.
    pub asker_name: String,
    /// What kind of principal that is.
    pub kind: Kind,
    /// For whom, where that is not the approver.
    pub subject_name: Option<String>,
    /// Whether whoever asks does so for itself.
    pub is_own: bool,
    /// As whom the approver is asked.
    pub asked_as: Approver,
    /// From whom the authority comes, and through whose hands it goes to whoever asks.
    pub way: Vec<String>,
    /// How much harm a mistake could do.
    pub risk: RiskLevel,
    /// The task, if it says anything.
    pub task: Option<TaskInWords>,
    /// The exact actions, and where.
    pub allowed: Allowed,
    /// Where it goes, where it leaves.
    pub destination: Option<DestinationInWords>,
    /// When it was asked.
    pub asked_at: NumericDate,
    /// When it lapses.
    pub until: NumericDate,
    /// How many minutes a yes is good.
    pub approval_minutes: i64,
}

/// Where something goes that leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DestinationInWords {
    /// To whom, and what that means.
    pub sentence: Vec<Piece>,
    /// `requested_token_type`.
    pub token_type: &'static str,
    /// What it says of the transaction.
    pub details: Vec<String>,
}

impl DestinationInWords {
    /// The words for it, where it leaves.
    #[must_use]
    pub fn of(destination: &Destination, language: Language) -> Option<Self> {
        let key = match destination {
            Destination::Here => return None,
            Destination::IdJag { .. } => "approval-other-domain-who",
            Destination::Jwt { .. } => "approval-other-domain",
            Destination::Transaction { .. } => "approval-trust-domain",
        };
        let details = match destination {
            Destination::Transaction { request_details, .. } => {
                request_details.iter().map(|(name, value)| format!("{name}: {value}")).collect()
            }
            Destination::Here | Destination::IdJag { .. } | Destination::Jwt { .. } => Vec::new(),
        };
        Some(Self {
            sentence: language.sentence(key, &[("name", destination.audience()?)]),
            token_type: destination.token_type().as_str(),
            details,
        })
    }
}

/// A task as it says itself what it is for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TaskInWords {
    /// Its purpose.
    pub purpose: Option<String>,
    /// A ticket, a run id.
    pub reference: Option<String>,
    /// When it is done.
    pub success_criteria: Vec<String>,
    /// What it must not do.
    pub limits: Vec<String>,
}

impl ApprovalPage {
    /// Who asks for whom, in a sentence.
    #[must_use]
    pub fn heading(&self) -> Vec<Piece> {
        let asker = ("name", self.asker_name.as_str());
        match (&self.subject_name, self.is_own) {
            (_, true) => self.page.language.sentence("approval-heading-itself", &[asker]),
            (None, false) => self.page.language.sentence("approval-heading-you", &[asker]),
            (Some(subject), false) => {
                self.page.language.sentence("approval-heading-other", &[asker, ("subject", subject)])
            }
        }
    }

    /// The words for why it is the approver who is asked, where they are not the user whose authority it is.
    #[must_use]
    pub const fn asked_as_key(&self) -> Option<&'static str> {
        match self.asked_as {
            Approver::Subject | Approver::User(_) => None,
            Approver::Owner => Some("approval-as-owner"),
            Approver::Manager => Some("approval-as-manager"),
        }
    }

    /// The words for the risk.
    #[must_use]
    pub const fn risk_key(&self) -> &'static str {
        match self.risk {
            RiskLevel::Low => "risk-low",
            RiskLevel::Medium => "risk-medium",
            RiskLevel::High => "risk-high",
        }
    }

    /// Its class in the stylesheet.
    #[must_use]
    pub const fn risk_class(&self) -> &'static str {
        match self.risk {
            RiskLevel::Low => "low",
            RiskLevel::Medium => "medium",
            RiskLevel::High => "high",
        }
    }
}
