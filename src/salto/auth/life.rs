//! How long a token may still be used. Time is an argument (invariant 5).

use crate::domain::{Millis, Moment};
use std::time::Duration;

/// A token is renewed so long before its end, milliseconds: KS's live an hour, and a request takes seconds.
const EARLY: Millis = 300_000;

/// What to do with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fitness {
    /// Use it.
    Good,
    /// It still works, and should be renewed now.
    Due,
    /// It has ended.
    Over,
}

/// When a token ends, by the clocks that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// By the wall clock, where that was trusted: this is what outlives a restart.
    pub(super) until: Option<Millis>,
    /// By the time since the start, for a token of this run: it needs no clock that is set.
    since_start: Option<Millis>,
    early: Millis,
}

impl Life {
    /// Of a token that was given now for so many seconds. `asked`: the time since the start when it was asked for, so
    /// that a slow answer does not lengthen its life.
    pub(super) fn given(seconds: i64, now: Moment, asked: Duration) -> Self {
        let lasts = seconds.max(0).saturating_mul(1_000);
        Self {
            until: now.trusted.then(|| now.at.saturating_add(lasts)),
            since_start: Some(millis(asked).saturating_add(lasts)),
            early: EARLY.min(lasts / 10),
        }
    }

    /// Of a token that an earlier run kept.
    pub(super) const fn kept(until: Option<Millis>) -> Self {
        Self {
            until,
            since_start: None,
            early: EARLY,
        }
    }

    /// What to do with it now. A token whose end nobody knows is used until KS refuses it.
    pub(super) fn fitness(&self, now: Moment, since_start: Duration) -> Fitness {
        let left = match (self.since_start, self.until) {
            (Some(end), _) => end.saturating_sub(millis(since_start)),
            (None, Some(until)) if now.trusted => until.saturating_sub(now.at),
            _ => return Fitness::Good,
        };
        match left {
            left if left <= 0 => Fitness::Over,
            left if left <= self.early => Fitness::Due,
            _ => Fitness::Good,
        }
    }
}

fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Moment = Moment::trusted(1_000_000_000);
    const START: Duration = Duration::from_secs(50);

    fn after(seconds: i64) -> (Moment, Duration) {
        let span = Duration::from_secs(seconds.unsigned_abs());
        (Moment::trusted(T.at + seconds * 1_000), START + span)
    }

    #[test]
    fn a_token_of_an_hour_is_renewed_five_minutes_before_its_end() {
        let life = Life::given(3_600, T, START);
        let at = |seconds| {
            let (now, since) = after(seconds);
            life.fitness(now, since)
        };
        assert_eq!(at(0), Fitness::Good);
        assert_eq!(at(3_299), Fitness::Good);
        assert_eq!(at(3_300), Fitness::Due);
        assert_eq!(at(3_599), Fitness::Due);
        assert_eq!(at(3_600), Fitness::Over);
    }

    #[test]
    fn a_short_token_is_not_renewed_at_each_request() {
        let life = Life::given(60, T, START);
        let (now, since) = after(50);
        assert_eq!(life.fitness(now, since), Fitness::Good);
        let (now, since) = after(55);
        assert_eq!(life.fitness(now, since), Fitness::Due);
    }

    #[test]
    fn a_clock_that_is_set_meanwhile_changes_nothing_in_this_run() {
        let life = Life::given(3_600, Moment::untrusted(0), START);
        assert_eq!(life.until, None, "a guess is not kept");
        assert_eq!(life.fitness(T, START + Duration::from_secs(10)), Fitness::Good);
        assert_eq!(life.fitness(T, START + Duration::from_secs(3_600)), Fitness::Over);
    }

    #[test]
    fn a_kept_token_is_judged_by_a_trusted_clock_only() {
        let life = Life::kept(Some(T.at + 10_000));
        assert_eq!(life.fitness(T, START), Fitness::Due);
        assert_eq!(life.fitness(after(10).0, START), Fitness::Over);
        let guess = Moment::untrusted(T.at + 99_000_000);
        assert_eq!(life.fitness(guess, START), Fitness::Good);
        assert_eq!(Life::kept(None).fitness(T, START), Fitness::Good);
    }
}
