//! What goes wrong, by seed: the same seed and the same requests go wrong in the same way.

use std::time::Duration;

/// Faults to inject. Shares are probabilities from 0.0 to 1.0 for each request that they concern.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// Where chance begins.
    pub seed: u64,
    /// Every answer is held back for so long.
    pub slow: Option<Duration>,
    /// Share of requests answered 500, with nothing done.
    pub error_500: f64,
    /// Share of pages of facts that break off in the middle of the connection.
    pub half_page: f64,
    /// Share of pages of facts whose JSON ends in the middle, under a correct length.
    pub cut_json: f64,
    /// Share of pages of facts in which a wrong type stands.
    pub wrong_type: f64,
    /// The version that is told is smaller by this: it goes back.
    pub version_back: u64,
    /// Each page after the first tells another version than the page before.
    pub mixed_versions: bool,
    /// Cursors are forgotten at once: 410 for every page after the first.
    pub forgets_cursors: bool,
    /// The last page leads nowhere and does not say that it is the last.
    pub never_complete: bool,
    /// Every so many requests one is answered 429.
    pub throttle: Option<Throttle>,
    /// Share of check-ins that are taken, and whose answer never leaves.
    pub lose_reply_after_commit: f64,
    /// Every page after the first is answered 500.
    pub later_pages_fail: bool,
    /// Every check-in is answered with this status, and not taken.
    pub check_ins_answered: Option<u16>,
    /// The second page leads to itself: it repeats.
    pub repeats_page: bool,
    /// The server's clock is ahead by so many seconds, as its `Date` says.
    pub clock_ahead: u64,
    /// `GET /v1/changes` is not built: 501.
    pub no_changes: bool,
    /// Everything is answered with a redirect to elsewhere.
    pub redirect: Option<String>,
}

/// How requests are throttled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Every so many requests; 1 is each.
    pub every: u64,
    /// What `Retry-After` says, in seconds.
    pub retry_after: u64,
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, good enough to choose who suffers.
#[derive(Debug, Default)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// True with this probability.
    pub(super) fn hits(&mut self, share: f64) -> bool {
        if share <= 0.0 {
            return false;
        }
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits, exact in f64")]
        let unit = (z >> 11) as f64 / (1_u64 << 53) as f64;
        unit < share
    }
}
