//! When KS is asked for the past, and how far back. Pure.
//!
//! The stream brings what happens; asking finds what it missed. Locks upload late, so now and then more is asked for than
//! since the last time: what is known already costs a look at a hash.

use crate::domain::time::{DAY_MS, Millis};
use std::time::Duration;

/// While the stream stands.
const WITH_STREAM: Duration = Duration::from_secs(600);
/// While it does not, so that check-ins go on.
const WITHOUT: Duration = Duration::from_secs(15);
/// After a failure: 15 s, then twice as long each time, up to this.
const LONGEST: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// How far back beyond the last complete instant: each time, every hour and after the start, every day.
const SHORT: Millis = 600_000;
const LONG: Millis = DAY_MS;
const LONGER: Millis = 7 * DAY_MS;

/// The plan. Times are since the start of the process.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    streaming: bool,
    /// When asking succeeded last: any, one of a day, one of a week.
    done: Option<Duration>,
    done_long: Option<Duration>,
    done_longer: Option<Duration>,
    failures: u32,
    failed: Duration,
    /// Something may have been missed.
    missed: bool,
    /// What is being asked for.
    asking: Option<Millis>,
}

impl Plan {
    /// The stream came or went. When it comes, what happened in between is asked for.
    pub(super) fn streaming(&mut self, up: bool) {
        self.missed |= up;
        self.streaming = up;
    }

    /// Something came that could not be read.
    pub(super) fn missed(&mut self) {
        self.missed = true;
    }

    /// When the next asking is due.
    pub(super) fn due(&self) -> Duration {
        if self.failures > 0 {
            let factor = 2_u32.saturating_pow(self.failures - 1);
            return self.failed + (WITHOUT * factor).min(LONGEST);
        }
        let Some(done) = self.done else {
            return Duration::ZERO;
        };
        // Not at once again, should the hub send nothing that can be read.
        let pause = match (self.missed, self.streaming) {
            (true, _) => Duration::from_secs(1),
            (false, true) => WITH_STREAM,
            (false, false) => WITHOUT,
        };
        done + pause
    }

    /// How far back to ask at `now`, if it is due and nothing is being asked.
    pub(super) fn ask(&mut self, now: Duration) -> Option<Millis> {
        if self.asking.is_some() || now < self.due() {
            return None;
        }
        let due = |done: Option<Duration>, every| done.is_none_or(|done| now >= done + every);
        let back = if self.done_long.is_some() && due(self.done_longer, DAY) {
            LONGER
        } else if due(self.done_long, HOUR) {
            LONG
        } else {
            SHORT
        };
        self.missed = false;
        self.asking = Some(back);
        Some(back)
    }

    /// The asking is over.
    pub(super) fn asked(&mut self, now: Duration, well: bool) {
        let back = self.asking.take().unwrap_or(SHORT);
        if !well {
            self.failures = self.failures.saturating_add(1).min(16);
            self.failed = now;
            return;
        }
        self.failures = 0;
        self.done = Some(now);
        if back >= LONG {
            self.done_long = Some(now);
        }
        // The first one after a start is of a day: a week follows with the next.
        if back >= LONGER {
            self.done_longer = Some(now);
        }
    }

    /// How many times in a row it failed.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether something is being asked.
    pub(super) const fn is_asking(&self) -> bool {
        self.asking.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_stream_decides_how_often_and_the_clock_how_far_back() {
        let mut plan = Plan::default();
        assert_eq!(plan.ask(s(0)), Some(LONG), "at the start");
        assert_eq!(plan.ask(s(0)), None, "one at a time");
        plan.asked(s(1), true);
        assert_eq!(
            (plan.ask(s(15)), plan.ask(s(16))),
            (None, Some(LONGER)),
            "no stream: soon"
        );
        plan.asked(s(17), true);
        plan.streaming(true);
        assert_eq!(plan.ask(s(18)), Some(SHORT), "what happened before it came");
        plan.asked(s(18), true);
        assert_eq!((plan.ask(s(617)), plan.ask(s(618))), (None, Some(SHORT)));
        plan.asked(s(619), true);
        assert_eq!(plan.ask(s(3_700)), Some(LONG));
        plan.asked(s(3_700), true);
        assert_eq!(plan.ask(s(90_000)), Some(LONGER));
    }

    #[test]
    fn what_fails_is_asked_again_later_and_later_and_for_ever() {
        let mut plan = Plan::default();
        let mut now = s(0);
        for pause in [15, 30, 60, 120, 240, 300, 300] {
            assert!(plan.ask(now).is_some());
            plan.asked(now, false);
            assert_eq!(plan.due(), now + s(pause));
            now = plan.due();
        }
        assert_eq!(plan.ask(now), Some(LONG));
        plan.asked(now, true);
        assert_eq!(plan.failures(), 0);
    }

    #[test]
    fn what_could_not_be_read_is_asked_for() {
        let mut plan = Plan::default();
        plan.ask(s(0));
        plan.asked(s(0), true);
        plan.streaming(true);
        plan.ask(s(2));
        plan.asked(s(2), true);
        plan.missed();
        assert!(plan.ask(s(3)).is_some());
        plan.asked(s(3), true);
        assert_eq!(plan.ask(s(5)), None);
    }
}
