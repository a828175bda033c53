//! How many requests a platform allows, and how many were made: every adapter asks here before it sends.
//!
//! A lane is an endpoint, or all of them; each has one or more limits ("120 in a minute"). [`Lane`] is the pure
//! reckoning, [`Budget`] the part that waits.

use serde::Serialize;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// So many requests within any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many.
    pub count: usize,
    /// Within how long.
    pub per: Duration,
}

/// A lane with its name, for `doorward sync status`.
pub type LaneLimits = (&'static str, &'static [Limit]);

/// How a lane stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BudgetStatus {
    /// The lane's name.
    pub lane: String,
    /// Requests within the limit's window.
    pub used: usize,
    /// How many are allowed in it. Of several limits, the one that is used up most.
    pub of: usize,
    /// The window, milliseconds.
    pub per_ms: u64,
    /// Requests since the start.
    pub total: u64,
    /// How often the platform itself asked for fewer, since the start.
    pub throttled: u64,
}

/// The reckoning of one lane. Times are since any fixed instant.
#[derive(Debug)]
struct Lane {
    name: &'static str,
    limits: &'static [Limit],
    /// How many times these limits hold.
    times: usize,
    /// When requests were made, within the longest window.
    made: VecDeque<Duration>,
    /// The platform said: not before.
    not_before: Duration,
    total: u64,
    throttled: u64,
}

impl Lane {
    fn longest(&self) -> Duration {
        self.limits
            .iter()
            .map(|limit| limit.per)
            .max()
            .unwrap_or_default()
    }

    fn forget(&mut self, now: Duration) {
        let longest = self.longest();
        while self.made.front().is_some_and(|made| *made + longest <= now) {
            self.made.pop_front();
        }
    }

    /// How long until one more request is within every limit.
    fn wait(&mut self, now: Duration) -> Duration {
        self.forget(now);
        let times = self.times;
        let over = |limit: &Limit| {
            // The request that has to be older than the window before one more fits.
            let index = self.made.len().checked_sub(limit.count * times)?;
            Some((*self.made.get(index)? + limit.per).saturating_sub(now))
        };
        let limits = self.limits.iter().filter_map(over).max().unwrap_or_default();
        limits.max(self.not_before.saturating_sub(now))
    }

    fn take(&mut self, now: Duration) {
        self.made.push_back(now);
        self.total += 1;
    }

    fn status(&mut self, now: Duration) -> BudgetStatus {
        self.forget(now);
        let used = |limit: &Limit| self.made.iter().filter(|made| **made + limit.per > now).count();
        let tightest = self
            .limits
            .iter()
            .max_by_key(|limit| used(limit) * 1_000 / (limit.count * self.times).max(1));
        let (used, of, per) = tightest.map_or((0, 0, Duration::ZERO), |limit| {
            (used(limit), limit.count * self.times, limit.per)
        });
        BudgetStatus {
            lane: self.name.to_owned(),
            used,
            of,
            per_ms: u64::try_from(per.as_millis()).unwrap_or(u64::MAX),
            total: self.total,
            throttled: self.throttled,
        }
    }
}

/// The budgets of one platform.
#[derive(Debug)]
pub struct Budget {
    begun: Instant,
    lanes: Mutex<Vec<Lane>>,
}

impl Budget {
    /// With these lanes.
    #[must_use]
    pub fn new(lanes: &[LaneLimits]) -> Self {
        Self::granted(lanes, 1)
    }

    /// With these lanes, each so many times as wide: the vendor has granted this space more than it usually does.
    #[must_use]
    pub fn granted(lanes: &[LaneLimits], times: u16) -> Self {
        let lane = |(name, limits): &LaneLimits| Lane {
            name,
            limits,
            times: usize::from(times).max(1),
            made: VecDeque::new(),
            not_before: Duration::ZERO,
            total: 0,
            throttled: 0,
        };
        Self {
            begun: Instant::now(),
            lanes: Mutex::new(lanes.iter().map(lane).collect()),
        }
    }

    /// Waits until a request on all of these lanes is allowed, and counts it.
    pub async fn take(&self, names: &[&str]) {
        loop {
            let wait = self.with(|lanes, now| {
                let mut ours: Vec<&mut Lane> = lanes
                    .iter_mut()
                    .filter(|lane| names.contains(&lane.name))
                    .collect();
                let wait = ours
                    .iter_mut()
                    .map(|lane| lane.wait(now))
                    .max()
                    .unwrap_or_default();
                if wait.is_zero() {
                    ours.iter_mut().for_each(|lane| lane.take(now));
                }
                wait
            });
            if wait.is_zero() {
                return;
            }
            sleep(wait).await;
        }
    }

    /// The platform asked for fewer requests on a lane: none before `after` has passed.
    pub fn throttled(&self, name: &str, after: Duration) {
        self.with(|lanes, now| {
            for lane in lanes.iter_mut().filter(|lane| lane.name == name) {
                lane.throttled += 1;
                lane.not_before = lane.not_before.max(now + after);
            }
        });
    }

    /// How each lane stands.
    #[must_use]
    pub fn status(&self) -> Vec<BudgetStatus> {
        self.with(|lanes, now| lanes.iter_mut().map(|lane| lane.status(now)).collect())
    }

    fn with<T>(&self, job: impl FnOnce(&mut Vec<Lane>, Duration) -> T) -> T {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.begun.elapsed();
        job(&mut lanes, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANES: &[LaneLimits] = &[
        (
            "all",
            &[
                Limit {
                    count: 1,
                    per: Duration::from_millis(100),
                },
                Limit {
                    count: 3,
                    per: Duration::from_secs(60),
                },
            ],
        ),
        (
            "slow",
            &[Limit {
                count: 1,
                per: Duration::from_secs(10),
            }],
        ),
    ];

    #[tokio::test(start_paused = true)]
    async fn every_limit_of_every_lane_is_kept() {
        let budget = Budget::new(LANES);
        let begun = Instant::now();
        let mut at = Vec::new();
        for lanes in [&["all"][..], &["all", "slow"], &["all", "slow"], &["all"]] {
            budget.take(lanes).await;
            at.push(begun.elapsed().as_millis());
        }
        // Tokio's timer has whole milliseconds.
        let expected = [0, 100, 10_100, 60_000];
        for (at, expected) in at.iter().zip(expected) {
            assert!(at.abs_diff(expected) <= 2, "{at} is not {expected}");
        }
        let all = budget.status().remove(0);
        assert_eq!((all.used, all.of, all.total), (3, 3, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn a_space_that_was_granted_more_waits_less_and_no_longer_than_that() {
        let budget = Budget::granted(LANES, 3);
        let begun = Instant::now();
        for _ in 0..9 {
            budget.take(&["all"]).await;
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        let all = budget.status().remove(0);
        assert_eq!((all.used, all.of), (9, 9));
        budget.take(&["all"]).await;
        assert!(begun.elapsed() >= Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_platform_that_asks_for_fewer_is_obeyed() {
        let budget = Budget::new(LANES);
        let begun = Instant::now();
        budget.throttled("slow", Duration::from_secs(30));
        budget.take(&["slow"]).await;
        assert!(begun.elapsed() >= Duration::from_secs(30));
        assert_eq!(budget.status().remove(1).throttled, 1);
    }
}
