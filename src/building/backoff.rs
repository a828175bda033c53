//! How long to wait before the next attempt: 1 s doubling to 30 s, spread by a quarter so that the gateways of a
//! chain do not come back to one broker in step.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Attempts since something was last acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    seed: u64,
    attempts: u32,
}

impl Backoff {
    /// `name` tells this gateway from others: its client identifier.
    pub(super) fn new(name: &str) -> Self {
        Self {
            seed: u64::from(crc32fast::hash(name.as_bytes())),
            attempts: 0,
        }
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.attempts.min(5)).min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        // SplitMix64 (Steele, Lea, Flood 2014): a few bits that differ by gateway and attempt are all it takes.
        let mut bits = self
            .seed
            .wrapping_add(u64::from(self.attempts).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let share = u32::try_from(bits >> 40).unwrap_or(0) % 256;
        whole - whole / 1024 * share
    }

    /// The broker works: the next failure waits the shortest time again.
    pub(super) const fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_begin_again() {
        let mut backoff = Backoff::new("doorward-north");
        let mut whole = FIRST;
        for _ in 0..40 {
            let wait = backoff.next();
            assert!(
                wait <= whole && wait > whole / 4 * 3 - Duration::from_millis(1),
                "{wait:?} of {whole:?}"
            );
            whole = (whole * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }

    #[test]
    fn gateways_do_not_come_back_in_step() {
        let waits = |name| {
            let mut backoff = Backoff::new(name);
            (0..6).map(|_| backoff.next()).collect::<Vec<_>>()
        };
        assert_ne!(waits("doorward-north"), waits("doorward-south"));
        assert_eq!(waits("doorward-north"), waits("doorward-north"));
    }
}
