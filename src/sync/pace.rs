//! When to ask a cloud again. Pure: the driver owns the timer.

use std::time::Duration;

/// The first pause after a failure.
const FIRST: Duration = Duration::from_secs(1);

/// Doubles the pause with every failure in a row, up to a ceiling; a success starts afresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    ceiling: Duration,
    failures: u32,
}

impl Pace {
    /// Never waits longer than `ceiling` on its own account; a cloud that says `Retry-After` is obeyed.
    #[must_use]
    pub const fn new(ceiling: Duration) -> Self {
        Self { ceiling, failures: 0 }
    }

    /// All is well again.
    pub const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How many failures in a row.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// A failure: how long to wait. `jitter` from 0 to 1 spreads gateways that lost the same cloud together;
    /// `asked` is the cloud's own Retry-After.
    pub fn failed(&mut self, asked: Option<Duration>, jitter: f64) -> Duration {
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures.min(16)).unwrap_or(u32::MAX));
        self.failures = self.failures.saturating_add(1);
        let base = doubled.min(self.ceiling);
        let spread = base.mul_f64(0.75 + 0.25 * jitter.clamp(0.0, 1.0));
        asked.map_or(spread, |asked| asked.max(spread.min(FIRST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_the_ceiling_and_start_afresh() {
        let mut pace = Pace::new(Duration::from_secs(30));
        let pauses: Vec<u64> = (0..7).map(|_| pace.failed(None, 1.0).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
        pace.succeeded();
        assert_eq!(pace.failed(None, 1.0).as_secs(), 1);
    }

    #[test]
    fn a_cloud_that_names_a_time_is_obeyed() {
        let mut pace = Pace::new(Duration::from_secs(30));
        assert_eq!(pace.failed(Some(Duration::from_secs(120)), 0.0).as_secs(), 120);
        assert!(
            pace.failed(Some(Duration::ZERO), 0.0) > Duration::ZERO,
            "never in a tight loop"
        );
    }
}
