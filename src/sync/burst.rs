//! What hints suggest to fetch, gathered: a burst of them is one refresh. Pure: time comes in as time since the start.

use crate::platform::Hint;
use std::time::Duration;

/// How long the first hint waits for others: a booking that is moved is a deletion and a creation on some platforms,
/// each with a web hook of its own.
pub const GATHER: Duration = Duration::from_millis(200);
/// After a refresh: a platform that hints all the time is read this often at most.
const REST: Duration = Duration::from_millis(500);
/// More different hints than this at once are no hints: something changed.
const MOST: usize = 64;

/// Hints that wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Burst {
    hints: Vec<Hint>,
    due: Duration,
    rested: Duration,
}

impl Burst {
    /// Hints came at `now`.
    pub fn add(&mut self, hints: impl IntoIterator<Item = Hint>, now: Duration) {
        let waited = !self.hints.is_empty();
        gather(&mut self.hints, hints);
        if !waited {
            self.due = now.saturating_add(GATHER).max(self.rested);
        }
    }

    /// From when on to refresh, since the start; `None` while nothing waits.
    #[must_use]
    pub fn due(&self) -> Option<Duration> {
        (!self.hints.is_empty()).then_some(self.due)
    }

    /// The hints, to be fetched now.
    pub fn take(&mut self) -> Vec<Hint> {
        std::mem::take(&mut self.hints)
    }

    /// Everything is fetched now. What was pushed as finished is no part of that and goes on waiting.
    pub fn answered(&mut self) {
        self.hints.retain(|hint| matches!(hint, Hint::Pushed(_)));
    }

    /// What was fetched is through, at `now`.
    pub fn rest(&mut self, now: Duration) {
        self.rested = now.saturating_add(REST);
    }
}

/// Adds hints to others, each once. What is pushed as finished counts each by itself, so that none is lost.
pub fn gather(all: &mut Vec<Hint>, more: impl IntoIterator<Item = Hint>) {
    for hint in more {
        if !all.contains(&hint) {
            all.push(hint);
        }
    }
    if all.len() > MOST {
        all.retain(|hint| matches!(hint, Hint::Pushed(_)));
        all.push(Hint::Anything);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn booking(number: usize) -> Hint {
        Hint::Object {
            collection: "bookings",
            id: number.to_string(),
        }
    }

    #[test]
    fn a_burst_is_one_refresh_and_does_not_wait_for_its_end() {
        let mut burst = Burst::default();
        assert_eq!(burst.due(), None);
        burst.add([booking(1)], at(1_000));
        burst.add([booking(2), booking(1)], at(1_150));
        assert_eq!(burst.due(), Some(at(1_200)), "a stream of hints puts nothing off");
        assert_eq!(burst.take(), [booking(1), booking(2)]);
        assert_eq!(burst.due(), None);
        burst.rest(at(1_300));
        burst.add([booking(3)], at(1_310));
        assert_eq!(burst.due(), Some(at(1_800)));
    }

    #[test]
    fn too_many_hints_mean_that_something_changed_and_nothing_pushed_is_lost() {
        let mut burst = Burst::default();
        let pushed = Hint::Pushed("groups".into());
        burst.add([pushed.clone()], at(0));
        burst.add((0..1_000).map(booking), at(0));
        let mut pulled = burst.clone();
        pulled.answered();
        assert_eq!(pulled.take(), vec![pushed.clone()], "a pull does not bring it");
        let hints = burst.take();
        assert_eq!(hints.first(), Some(&pushed));
        assert!(hints.contains(&Hint::Anything) && hints.len() <= MOST);
    }
}
