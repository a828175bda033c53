//! When to listen for hints. Pure: time comes in as time since the start.
//!
//! A hint makes a change reach the door within a second. It must not make a gateway hammer a cloud that answers at
//! once, or whose hints promise what its facts do not have: each such answer doubles the rest before the next.

use super::pace::Pace;
use crate::platform::{ErrorKind, PlatformError, Retry};
use std::time::Duration;

/// After a hint that brought something: a cloud that changes all the time is read this often at most.
const REST: Duration = Duration::from_millis(500);
/// "Nothing changed" within this time means that the cloud does not wait at all.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Whether and from when on to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hints {
    offered: bool,
    pace: Pace,
    from: Duration,
}

impl Hints {
    /// `offered`: the platform has hints. `ceiling`: the longest rest.
    #[must_use]
    pub const fn new(offered: bool, ceiling: Duration) -> Self {
        Self {
            offered,
            pace: Pace::new(ceiling),
            from: Duration::ZERO,
        }
    }

    /// The time since the start from which on to listen; `None`: not until [`Self::offer`].
    #[must_use]
    pub fn listen_from(&self) -> Option<Duration> {
        self.offered.then_some(self.from)
    }

    /// A pull worked: a platform that had no hints may have them by now.
    pub const fn offer(&mut self, offered: bool) {
        self.offered = offered;
    }

    /// A hint came, and the pull after it brought something (`useful`) or did not.
    pub fn hinted(&mut self, useful: bool, now: Duration, jitter: f64) {
        let rest = if useful {
            self.pace.succeeded();
            REST
        } else {
            self.pace.failed(None, jitter)
        };
        self.from = now.saturating_add(rest);
    }

    /// Nothing changed within the time, after `waited`.
    pub fn quiet(&mut self, waited: Duration, now: Duration, jitter: f64) {
        if waited >= AT_ONCE {
            self.pace.succeeded();
            self.from = now;
        } else {
            self.from = now.saturating_add(self.pace.failed(None, jitter));
        }
    }

    /// The line broke, or the cloud failed. The time from which on to pull, which tells what is the matter, and to
    /// listen again; `None` if the platform has no hints after all.
    pub fn failed(&mut self, error: &PlatformError, now: Duration, jitter: f64) -> Option<Duration> {
        if error.kind == ErrorKind::Unsupported {
            self.offered = false;
            return None;
        }
        let asked = match error.retry() {
            Retry::After(asked) => Some(asked),
            _ => None,
        };
        self.from = now.saturating_add(self.pace.failed(asked, jitter));
        Some(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn rest(hints: &Hints) -> f64 {
        hints
            .listen_from()
            .map_or(f64::INFINITY, |from| from.saturating_sub(NOW).as_secs_f64())
    }

    fn hints() -> Hints {
        Hints::new(true, Duration::from_secs(60))
    }

    #[test]
    fn a_cloud_that_hints_at_nothing_or_does_not_wait_is_asked_ever_more_rarely() {
        let mut useless = hints();
        let rests: Vec<f64> = (0..8)
            .map(|_| {
                useless.hinted(false, NOW, 1.0);
                rest(&useless)
            })
            .collect();
        assert_eq!(rests, [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
        useless.hinted(true, NOW, 1.0);
        assert_eq!(rest(&useless), 0.5, "and a change is welcome at once");

        let mut hasty = hints();
        hasty.quiet(Duration::ZERO, NOW, 1.0);
        hasty.quiet(Duration::ZERO, NOW, 1.0);
        assert_eq!(rest(&hasty), 2.0);
        hasty.quiet(Duration::from_secs(30), NOW, 1.0);
        assert_eq!(rest(&hasty), 0.0, "one that waits is listened to all the time");
    }

    #[test]
    fn a_broken_line_is_tried_again_and_a_cloud_without_hints_is_not() {
        let error = |kind| PlatformError {
            kind,
            text: String::new(),
        };
        let mut hints = hints();
        let soon = hints.failed(&error(ErrorKind::Unreachable), NOW, 1.0);
        assert_eq!((soon, rest(&hints)), (Some(NOW + Duration::from_secs(1)), 1.0));
        let asked = ErrorKind::Throttled {
            retry_after: Some(Duration::from_secs(90)),
        };
        hints.failed(&error(asked), NOW, 1.0);
        assert_eq!(rest(&hints), 90.0);
        assert_eq!(hints.failed(&error(ErrorKind::Unsupported), NOW, 1.0), None);
        assert_eq!(hints.listen_from(), None);
        hints.offer(true);
        assert!(hints.listen_from().is_some());
    }
}
