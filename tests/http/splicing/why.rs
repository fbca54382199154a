//! What can speak against an exchange.

use std::collections::BTreeSet;

/// What speaks against an attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Why {
    NoExchange,
    WrongType,
    NotTrusted,
    Over,
    Replayed,
    NotMeant,
    KeyNotProven,
    Unbound,
    ActorToken,
    NotAllowed,
    Cycle,
    TooDeep,
    Receiver,
    TaskElsewhere,
    Exhausted,
    NothingNamed,
    ScopeTooWide,
    DetailsTooWide,
    DetailStays,
    TargetTooWide,
    TargetNotNamed,
}

impl Why {
    pub(super) const ALL: [Self; 21] = [
        Self::NoExchange,
        Self::WrongType,
        Self::NotTrusted,
        Self::Over,
        Self::Replayed,
        Self::NotMeant,
        Self::KeyNotProven,
        Self::Unbound,
        Self::ActorToken,
        Self::NotAllowed,
        Self::Cycle,
        Self::TooDeep,
        Self::Receiver,
        Self::TaskElsewhere,
        Self::Exhausted,
        Self::NothingNamed,
        Self::ScopeTooWide,
        Self::DetailsTooWide,
        Self::DetailStays,
        Self::TargetTooWide,
        Self::TargetNotNamed,
    ];

    /// The error of RFC 6749, RFC 8693 and RFC 9396 for it.
    pub(super) const fn error(self) -> &'static str {
        match self {
            Self::NoExchange => "unauthorized_client",
            Self::NothingNamed | Self::ScopeTooWide => "invalid_scope",
            Self::DetailsTooWide => "invalid_authorization_details",
            Self::Receiver | Self::DetailStays | Self::TargetTooWide | Self::TargetNotNamed => {
                "invalid_target"
            }
            _ => "invalid_request",
        }
    }

    /// Whether it is about tokens, actor and chain, and blamed before anything that was asked for.
    const fn is_about_the_story(self) -> bool {
        !matches!(
            self,
            Self::Over
                | Self::Replayed
                | Self::Exhausted
                | Self::Receiver
                | Self::NothingNamed
                | Self::ScopeTooWide
                | Self::DetailsTooWide
                | Self::DetailStays
                | Self::TargetTooWide
                | Self::TargetNotNamed
        )
    }
}

/// The errors of which one must come.
pub(super) fn errors(against: &BTreeSet<Why>) -> BTreeSet<&'static str> {
    let story = against.iter().filter(|why| why.is_about_the_story()).map(|why| why.error());
    let story: BTreeSet<_> = story.collect();
    if story.is_empty() { against.iter().map(|why| why.error()).collect() } else { story }
}
