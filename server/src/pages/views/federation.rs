//! The pages around signing in at an upstream OpenID Provider.

use askama::Template;
use protocol::numeric_date::NumericDate;

use super::page::Page;

/// An upstream that one can go to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpstreamButton {
    /// Its id, posted as `upstream` or `link`.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// The page that leads to an upstream, at once or by its link.
#[derive(Clone, Debug, Template)]
#[template(path = "leaving.html")]
pub struct LeavingPage {
    /// The frame.
    pub page: Page,
    /// Where one goes.
    pub upstream_name: String,
    /// The authorization request there.
    pub url: String,
}

/// The page that says why nobody was signed in at an upstream. It posts `upstream`, `csrf`, `interaction` and `next` to
/// `/sign-in` to try again; or `link` to `/account/connections`.
#[derive(Clone, Debug, Template)]
#[template(path = "upstream_trouble.html")]
pub struct UpstreamTroublePage {
    /// The frame.
    pub page: Page,
    /// The token of its form.
    pub csrf: String,
    /// The authorization request that waits for the sign-in; empty where none does.
    pub interaction: String,
    /// The page of ours that they wanted to see; empty where none.
    pub next: String,
    /// Whether they came to link an account, and not to sign in.
    pub linking: bool,
    /// The upstream's id.
    pub upstream: String,
    /// What people call it.
    pub upstream_name: String,
    /// What happened.
    pub what: UpstreamTrouble,
    /// The request, for whoever is asked for help.
    pub request_id: String,
}

/// What happened at an upstream, as far as it concerns the person in front of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpstreamTrouble {
    /// It does not answer.
    Unreachable,
    /// It did not sign them in.
    SaidNo,
    /// The answer is too old, came twice, or was never asked for.
    NotAsked,
    /// The answer cannot be trusted.
    NotProven,
    /// They had to sign in anew there, and did not.
    NotFresh,
    /// They have no account here that they may use.
    NoAccount,
    /// Who they are there belongs to another account here.
    OfAnother,
}

impl UpstreamTrouble {
    /// Everything that can happen.
    pub const ALL: [Self; 7] = [
        Self::Unreachable,
        Self::SaidNo,
        Self::NotAsked,
        Self::NotProven,
        Self::NotFresh,
        Self::NoAccount,
        Self::OfAnother,
    ];

    /// The heading, with a `$name` in it.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Unreachable => "upstream-unreachable",
            Self::SaidNo => "upstream-said-no",
            Self::NotAsked => "upstream-not-asked",
            Self::NotProven => "upstream-not-proven",
            Self::NotFresh => "upstream-not-fresh",
            Self::NoAccount => "upstream-no-account",
            Self::OfAnother => "upstream-of-another",
        }
    }

    /// What the person can do about it.
    #[must_use]
    pub const fn advice_key(self) -> &'static str {
        match self {
            Self::Unreachable => "upstream-unreachable-advice",
            Self::SaidNo => "upstream-said-no-advice",
            Self::NotAsked => "upstream-not-asked-advice",
            Self::NotProven => "upstream-not-proven-advice",
            Self::NotFresh => "upstream-not-fresh-advice",
            Self::NoAccount => "upstream-no-account-advice",
            Self::OfAnother => "upstream-of-another-advice",
        }
    }
}

/// The upstreams that somebody signs in at. It posts `link` or `unlink` and `csrf` to `/account/connections`.
#[derive(Clone, Debug, Template)]
#[template(path = "connections.html")]
pub struct ConnectionsPage {
    /// The frame; the user is always known here.
    pub page: Page,
    /// The token of all forms on the page.
    pub csrf: String,
    /// Whether they signed in a moment ago: otherwise they are asked to before anything changes.
    pub fresh: bool,
    /// What was linked just now.
    pub just_linked: Option<String>,
    /// What was taken away just now.
    pub just_unlinked: Option<String>,
    /// What is linked.
    pub linked: Vec<LinkedUpstream>,
    /// What could be.
    pub others: Vec<UpstreamButton>,
}

/// An upstream that is linked to an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkedUpstream {
    /// Its id, posted as `unlink`; none where it is not configured any more.
    pub upstream: Option<String>,
    /// What people call it.
    pub name: String,
    /// Since when.
    pub since: NumericDate,
    /// Whether it may be taken away.
    pub may_go: bool,
}
