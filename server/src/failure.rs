//! The two ways not to answer: a refusal, which the caller reads, and a fault of ours, which only the operator does.

use protocol::delegation::NotIssuable;
use protocol::refusal::Refusal;

use crate::jose::JoseError;
use crate::store::StoreError;

/// Why a request was not answered as asked.
#[derive(Debug)]
pub enum Failure {
    /// The law says no: the client's developer reads why.
    Refused(Refusal),
    /// Something of ours is broken: logged once where it is answered, and the client reads `server_error`.
    Broken(Broken),
}

/// What is broken, for the operator. Never holds a secret or a personal datum.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The database.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The keys.
    #[error("keys: {0}")]
    Jose(#[from] JoseError),
    /// A token that must not be made.
    #[error("issuance: {0}")]
    NotIssuable(#[from] NotIssuable),
    /// Something that the records say cannot be.
    #[error("inconsistent: {0}")]
    Inconsistent(&'static str),
    /// Anything else.
    #[error("{0}")]
    Other(&'static str),
}

impl<R: Into<Refusal>> From<R> for Failure {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<JoseError> for Failure {
    fn from(error: JoseError) -> Self {
        Self::Broken(error.into())
    }
}
