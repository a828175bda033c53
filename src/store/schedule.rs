//! When the journal's thread commits, looks again, or lies down. Pure: times come in as monotonic instants.
//!
//! While there is traffic the thread looks by itself every few milliseconds, so that an event wakes nobody; a
//! commit waits for company, because each costs the card a page and a sync however little it holds.

use std::time::Duration;

/// An event is in the journal at most this long after its answer, as long as the disk syncs in time.
const PROMISE: Duration = Duration::from_millis(50);
/// Age of the oldest waiting event at which it is committed. The rest of the promise is for the sync itself.
const LONGEST_WAIT: Duration = Duration::from_millis(32);
/// Kept back from the promise, for a thread that gets its turn late.
const MARGIN: Duration = Duration::from_millis(8);
/// Between looks while there is traffic.
const LOOK: Duration = Duration::from_millis(4);
/// How long after the last event the thread goes on looking. Above the distance of events at a busy site's peak.
const LINGER: Duration = Duration::from_millis(250);

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Commit what waits.
    Commit,
    /// Look again after this long, unless called.
    Look(Duration),
    /// Nothing for a while: lie down until called.
    LieDown,
}

/// What the thread remembers between looks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Schedule {
    /// No event that waits now was recorded before this.
    empty_at: Duration,
    /// When an event was last seen.
    traffic_at: Option<Duration>,
    /// How long commits take, lately at worst.
    slowest: Duration,
}

impl Schedule {
    /// `waiting` events can be committed, of `group` at most in one commit.
    pub(super) fn next(&mut self, now: Duration, waiting: u64, group: u64) -> Next {
        if waiting == 0 {
            self.empty_at = now;
            let quiet = self.traffic_at.is_none_or(|at| now.saturating_sub(at) >= LINGER);
            return if quiet { Next::LieDown } else { Next::Look(LOOK) };
        }
        self.traffic_at = Some(now);
        let left = self
            .longest_wait()
            .saturating_sub(now.saturating_sub(self.empty_at));
        if left.is_zero() || waiting >= group {
            return Next::Commit;
        }
        Next::Look(left.min(LOOK))
    }

    /// Somebody recorded an event at `at`, the first since the thread lay down.
    pub(super) fn called(&mut self, at: Duration) {
        self.empty_at = at;
    }

    /// A commit ended at `now`: of everything that waited at `began`, or less.
    pub(super) fn committed(&mut self, began: Duration, now: Duration, everything: bool) {
        if everything {
            self.empty_at = began;
        }
        // Remembers a slow commit for some seconds of traffic, so that the window leaves room for the next.
        self.slowest = now.saturating_sub(began).max(self.slowest * 15 / 16);
    }

    fn longest_wait(&self) -> Duration {
        (PROMISE - MARGIN).saturating_sub(self.slowest).min(LONGEST_WAIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    /// Runs the thread in virtual time: events at `arrivals`, each commit taking as long as the next of `commits`.
    /// Returns each event's delay from answer to commit, the number of commits and of wake-ups by an event.
    fn run(arrivals: &[Duration], commits: &[Duration]) -> (Vec<Duration>, usize, usize) {
        let mut schedule = Schedule::default();
        let (mut now, mut done, mut calls) = (Duration::ZERO, 0, 0);
        let mut costs = commits.iter().cycle();
        let (mut delays, mut count) = (Vec::new(), 0);
        while done < arrivals.len() {
            let here = arrivals.iter().filter(|at| **at <= now).count();
            match schedule.next(now, (here - done) as u64, 1_024) {
                Next::Commit => {
                    let began = now;
                    now += *costs.next().unwrap();
                    schedule.committed(began, now, true);
                    delays.extend(arrivals[done..here].iter().map(|at| now - *at));
                    done = here;
                    count += 1;
                }
                Next::Look(after) => now += after,
                Next::LieDown => {
                    now = arrivals[done].max(now);
                    schedule.called(now);
                    calls += 1;
                }
            }
        }
        (delays, count, calls)
    }

    fn every(distance: u64, count: u64) -> Vec<Duration> {
        (1..=count).map(|n| ms(n * distance)).collect()
    }

    #[test]
    fn events_of_a_busy_door_share_commits_and_wake_nobody() {
        let (delays, commits, calls) = run(&every(20, 500), &[ms(3)]);
        assert!(delays.iter().max() <= Some(&ms(40)), "{:?}", delays.iter().max());
        assert!(commits <= 260, "{commits} commits of 500 events");
        assert_eq!(calls, 1);
        let (_, commits, calls) = run(&every(5, 500), &[ms(3)]);
        assert!(commits <= 85 && calls == 1, "{commits} commits of 500 events");
    }

    #[test]
    fn a_quiet_door_lets_the_thread_sleep() {
        let (delays, commits, calls) = run(&every(1_000, 50), &[ms(3)]);
        assert_eq!((commits, calls), (50, 50));
        assert_eq!(delays.iter().max(), Some(&ms(35)));
    }

    #[test]
    fn a_full_group_does_not_wait() {
        let mut schedule = Schedule::default();
        schedule.called(ms(0));
        assert_eq!(schedule.next(ms(1), 1_023, 1_024), Next::Look(LOOK));
        assert_eq!(schedule.next(ms(2), 1_024, 1_024), Next::Commit);
    }

    #[test]
    fn what_a_commit_left_over_goes_at_once() {
        let mut schedule = Schedule::default();
        schedule.called(ms(0));
        schedule.committed(ms(40), ms(42), false);
        assert_eq!(schedule.next(ms(42), 1, 1_024), Next::Commit);
    }

    #[test]
    fn slow_commits_shorten_the_wait_and_are_forgotten_again() {
        let mut schedule = Schedule::default();
        assert_eq!(schedule.longest_wait(), LONGEST_WAIT);
        schedule.committed(ms(0), ms(35), true);
        assert_eq!(schedule.longest_wait(), ms(7));
        schedule.committed(ms(0), ms(300), true);
        assert_eq!(schedule.longest_wait(), ms(0));
        for _ in 0..80 {
            schedule.committed(ms(0), ms(1), true);
        }
        assert_eq!(schedule.longest_wait(), LONGEST_WAIT);
    }

    proptest! {
        /// The promise, for any traffic, with a disk whose syncs take up to 9 ms: whatever is answered while a
        /// commit runs waits for that one and its own.
        #[test]
        fn no_event_waits_longer_than_promised(
            gaps in prop::collection::vec(0_u64..600_000, 1..80),
            commits in prop::collection::vec(0_u64..9_000, 1..20),
        ) {
            let mut at = Duration::ZERO;
            let arrivals: Vec<Duration> = gaps
                .iter()
                .map(|gap| {
                    at += Duration::from_micros(*gap);
                    at
                })
                .collect();
            let commits: Vec<Duration> = commits.into_iter().map(Duration::from_micros).collect();
            let (delays, ..) = run(&arrivals, &commits);
            prop_assert_eq!(delays.len(), arrivals.len());
            prop_assert!(delays.iter().all(|delay| *delay <= PROMISE), "{:?}", delays.iter().max());
        }
    }
}
