//! OpenID Connect Core Appendix A.3.

use protocol::client::SigningAlg;
use protocol::id_token::at_hash;

#[test]
fn appendix_a_3_has_this_hash_of_its_access_token() {
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    assert_eq!(at_hash(access_token, SigningAlg::Rs256), "77QmUPtjPfzWtF2AnpK9RQ");
}
