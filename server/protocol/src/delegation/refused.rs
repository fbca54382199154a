//! Why an exchange is refused.

use crate::approval::PolicyRefused;
use crate::audience::InvalidTarget;
use crate::authorization_details::InvalidAuthorizationDetails;
use crate::confirmation::BindingRefused;
use crate::refusal::{ErrorCode, Refuse};

/// A reason to refuse an exchange. Everything about tokens, actor and chain is `invalid_request` (RFC 8693 §2.2.2).
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DelegationRefused {
    /// A token that is for somebody else's token endpoint.
    #[error("the subject token is not acceptable")]
    NotASubjectToken,
    /// It was neither addressed nor issued to the presenter, and nothing names the presenter.
    #[error("the subject token was not meant for this client")]
    NotForPresenter,
    /// It was issued to the presenter and bound to something that the presenter did not prove to hold.
    #[error("the subject token is bound to a key or a certificate; prove that you hold it")]
    KeyNotProven,
    /// The actor, the presenter or the subject token demands a bound result, and what it must be bound to was not
    /// proven.
    #[error(transparent)]
    Unbound(#[from] BindingRefused),
    /// The actor token is not the actor's own, or not this client's.
    #[error("the actor token must be an access token of the authenticated client's own, without act")]
    ActorTokenNotAcceptable,
    /// The actor is suspended, retired or at its end.
    #[error("the actor may not act now")]
    ActorNotLive,
    /// Neither a consent of the user, nor a hand-over, nor a rule allows this actor.
    #[error(
        "the user did not allow this actor to act; ask for consent to it, or have the current actor hand over"
    )]
    ActorNotPermitted,
    /// The consent does not allow passing on, or not this far.
    #[error("the consent does not allow passing this on any further")]
    MayNotBePassedOn,
    /// Whom the audience names cannot be handed this token, or is nobody. To the client all of it reads as every target
    /// that is not available does; the reason is for the auditor.
    #[error("{}", InvalidTarget::NotAvailable)]
    Receiver(ReceiverRefused),
    /// The chain would be longer than allowed; it is never cut.
    #[error("the chain of actors would be too long")]
    ChainTooLong,
    /// A → B → A.
    #[error("this actor is already in the chain")]
    ActorAlreadyInChain,
    /// The task that the request names is of another consent or another actor, or no part of the subject token's.
    #[error("task does not belong to the subject token, its consent and this actor")]
    TaskNotOfThisStory,
    /// The subject token or what it comes from is over.
    #[error("the subject token, its consent or its task is over")]
    Expired,
    /// A task rests. Nothing is over then: what was shown is good again when the task goes on.
    #[error("the task is suspended; ask again when it goes on")]
    Resting,
    /// An agent must say what it needs.
    #[error("an agent must name what it needs: send scope or authorization_details")]
    NothingNamed,
    /// More scope than there is.
    #[error("scope holds more than the subject token, the consent and this client allow; ask for less")]
    ScopeTooWide,
    /// The scope has no meaning at the requested resource.
    #[error("scope holds words that the requested resource does not know")]
    ScopeNotThere,
    /// Wider details than there are.
    #[error(transparent)]
    Details(#[from] InvalidAuthorizationDetails),
    /// A target beyond what is allowed.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// A rule denies it, or a person has to approve it.
    #[error(transparent)]
    Policy(#[from] PolicyRefused),
}

/// Why nothing is handed over to whom the audience names. Whoever asks learns none of it: not even whether there is such a
/// client (RFC 8693 §2.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReceiverRefused {
    /// There is no client and no resource server of this name, or several are named.
    #[error("the audience names nobody, or several clients")]
    Nobody,
    /// It may not act, or acted already; or nobody acts yet who could hand over.
    #[error("the audience of a hand-over must be an active client other than the actors so far")]
    NotAcceptable,
    /// The consent, or a details type, does not allow passing on, or not this far.
    #[error("the consent does not allow passing this on any further")]
    MayNotBePassedOn,
    /// It could not use what it was handed.
    #[error("the chain of actors would be too long with the receiver in it")]
    ChainTooLong,
}

impl From<ReceiverRefused> for DelegationRefused {
    fn from(reason: ReceiverRefused) -> Self {
        Self::Receiver(reason)
    }
}

impl Refuse for DelegationRefused {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotASubjectToken
            | Self::NotForPresenter
            | Self::KeyNotProven
            | Self::Unbound(_)
            | Self::ActorTokenNotAcceptable
            | Self::ActorNotLive
            | Self::ActorNotPermitted
            | Self::MayNotBePassedOn
            | Self::ChainTooLong
            | Self::ActorAlreadyInChain
            | Self::TaskNotOfThisStory
            | Self::Expired
            | Self::Resting => ErrorCode::InvalidRequest,
            Self::NothingNamed | Self::ScopeTooWide | Self::ScopeNotThere => ErrorCode::InvalidScope,
            Self::Details(details) => details.code(),
            Self::Receiver(_) => InvalidTarget::NotAvailable.code(),
            Self::Target(target) => target.code(),
            Self::Policy(policy) => policy.code(),
        }
    }
}
