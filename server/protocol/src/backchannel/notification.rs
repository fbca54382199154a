//! What follows from an attempt to notify a client that its user has answered (Client-Initiated Backchannel
//! Authentication §10.2, §10.3.1).

use crate::numeric_date::Seconds;

/// How often a client is told at most.
pub const MOST_ATTEMPTS: u32 = 6;
/// The wait before the second attempt; each further one is four times as long.
const FIRST_WAIT: i64 = 2;

/// How long to wait before the attempt after the attempt number `attempt`, from one; none where there is to be no
/// other. `status` is that of the client's answer, or none where there was no answer. What a client answers counts,
/// also where it is a no or leads elsewhere; one that is broken or away may be back soon.
#[must_use]
pub const fn again_after(status: Option<u16>, attempt: u32) -> Option<Seconds> {
    let heard = matches!(status, Some(status) if status < 500);
    if heard || attempt == 0 || attempt >= MOST_ATTEMPTS {
        return None;
    }
    Some(Seconds(FIRST_WAIT << (2 * (attempt - 1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_answers_is_not_sent_again() {
        for status in [200, 204, 302, 307, 400, 401, 404, 429] {
            assert_eq!(again_after(Some(status), 1), None, "{status}");
        }
    }

    #[test]
    fn a_client_that_is_away_is_told_again_later_and_later_and_then_no_more() {
        for status in [None, Some(500), Some(503)] {
            let waits: Vec<_> = (1..=MOST_ATTEMPTS).map(|attempt| again_after(status, attempt)).collect();
            assert_eq!(
                waits,
                [Some(2), Some(8), Some(32), Some(128), Some(512), None].map(|wait| wait.map(Seconds))
            );
            assert_eq!(again_after(status, u32::MAX), None);
            assert_eq!(again_after(status, 0), None);
        }
    }
}
