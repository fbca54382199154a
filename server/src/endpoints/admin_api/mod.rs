//! `/admin/api/v1`: what the admin pages do, for programs of the operator.
//!
//! A call is opened by an access token for the admin API alone (`protocol::admin_api`), is told to the audit log
//! whether it was answered or refused, and takes and gives JSON in which every member has a name that is known.

mod call;
pub mod details_types;
pub mod endings;
pub mod lists;
pub mod openapi;

pub use call::{Call, from_text, split, unknown_path};
