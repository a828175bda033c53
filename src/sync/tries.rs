//! Which check-ins have their answer, and when one that fails is given up. Pure.
//!
//! What says something about the cloud (no answer, a wrong token, a wrong address, its own failure) is never a
//! reason to give up a check-in: it waits in the journal for weeks if need be. What says something about this
//! check-in alone would hold up all others, so it counts.

use crate::{
    domain::EventId,
    platform::{ErrorKind, PlatformError, Retry},
};
use std::collections::{HashMap, HashSet};

/// An answer that asks for a repeat of this one check-in (408, 409, 425) is believed so often: with the pauses of
/// `Pace` some three minutes.
pub const MOST_TRIES: u32 = 10;

/// What to do with a check-in that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Deliver it again.
    Again,
    /// The cloud will never take it.
    GiveUp,
}

/// The check-ins between the cursor and the end of the batch under way.
#[derive(Clone, Debug, Default)]
pub struct Tries {
    asked_again: HashMap<EventId, u32>,
    settled: HashSet<EventId>,
}

impl Tries {
    /// It has its answer.
    pub fn settle(&mut self, key: &EventId) {
        self.asked_again.remove(key);
        self.settled.insert(key.clone());
    }

    /// Whether it has its answer: then it is not sent again while it waits for its neighbours.
    #[must_use]
    pub fn is_settled(&self, key: &EventId) -> bool {
        self.settled.contains(key)
    }

    /// It failed. Given up, it counts as settled.
    pub fn failed(&mut self, key: &EventId, error: &PlatformError) -> Next {
        let give_up = match error.kind {
            // There is no such address: the cloud's or the configuration's mistake, not this check-in's.
            ErrorKind::Rejected { status: 404 | 405 } => false,
            ErrorKind::Rejected { .. } if error.retry() == Retry::Backoff => {
                let tries = self.asked_again.entry(key.clone()).or_default();
                *tries += 1;
                *tries >= MOST_TRIES
            }
            _ => error.retry() == Retry::Never,
        };
        if !give_up {
            return Next::Again;
        }
        self.settle(key);
        Next::GiveUp
    }

    /// The cursor moved past all of them.
    pub fn forget(&mut self) {
        self.asked_again.clear();
        self.settled.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures_until_given_up(kind: ErrorKind) -> Option<u32> {
        let (mut tries, key) = (Tries::default(), EventId::from("here-1"));
        let error = PlatformError {
            kind,
            text: String::new(),
        };
        (1..1_000).find(|_| {
            let next = tries.failed(&key, &error);
            assert_eq!(tries.is_settled(&key), next == Next::GiveUp);
            next == Next::GiveUp
        })
    }

    #[test]
    fn what_is_wrong_with_one_check_in_never_holds_up_the_others() {
        let rejected = |status| failures_until_given_up(ErrorKind::Rejected { status });
        assert_eq!(
            [400, 422, 413].map(rejected),
            [Some(1); 3],
            "the answer stays the same"
        );
        assert_eq!(
            [408, 409, 425].map(rejected),
            [Some(MOST_TRIES); 3],
            "it is believed for a while"
        );
        assert_eq!(failures_until_given_up(ErrorKind::Unsupported), Some(1));
    }

    #[test]
    fn what_is_wrong_with_the_cloud_never_costs_a_check_in() {
        let kinds = [
            ErrorKind::Unreachable,
            ErrorKind::Unauthorised,
            ErrorKind::Throttled { retry_after: None },
            ErrorKind::Malformed,
            ErrorKind::Tls,
            ErrorKind::Rejected { status: 404 },
            ErrorKind::Rejected { status: 405 },
        ];
        assert_eq!(kinds.map(failures_until_given_up), [None; 7]);
    }
}
