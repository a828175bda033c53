//! The one place that asks the system for the time (invariant 5). Everything else takes time as an argument.

use crate::domain::time::{Millis, Moment};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Left by systemd/doorward-clock.service once the kernel's clock has been synchronised since the boot. The
/// daemon's own sandbox does not let it ask the kernel.
const SYNCHRONISED: &str = "/run/doorward-clock/synchronised";

/// So far behind the last time on disk a battery clock may be, milliseconds: it is set by the kernel now and then only, and has
/// a crystal of its own. One without a battery is years behind.
const RTC_SLACK: Millis = 60 * 60 * 1_000;

/// The gateway's clock: wall time with its quality, and monotonic time. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    trusted: AtomicBool,
}

#[derive(Debug)]
enum Source {
    System {
        rtc: bool,
        floor: Millis,
        started: Instant,
    },
    Manual {
        wall: AtomicI64,
        monotonic_ms: AtomicI64,
    },
}

impl Clock {
    /// The system's clock. `rtc`: a battery clock is configured. `floor`: the last time written to disk, below
    /// which an untrusted clock is never believed, and a battery clock neither.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn system(rtc: bool, floor: Millis) -> Self {
        let source = Source::System {
            rtc,
            floor,
            started: Instant::now(),
        };
        let clock = Self(Arc::new(Inner {
            source,
            trusted: AtomicBool::new(false),
        }));
        clock.refresh();
        clock
    }

    /// A clock that stands still until it is moved, for tests and simulations.
    #[must_use]
    pub fn manual(at: Moment) -> Self {
        let source = Source::Manual {
            wall: AtomicI64::new(at.at),
            monotonic_ms: AtomicI64::new(0),
        };
        Self(Arc::new(Inner {
            source,
            trusted: AtomicBool::new(at.trusted),
        }))
    }

    /// Moves a manual clock on; a system clock goes its own way.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual { wall, monotonic_ms } = &self.0.source {
            let by = Millis::try_from(by.as_millis()).unwrap_or(Millis::MAX);
            wall.fetch_add(by, Ordering::Relaxed);
            monotonic_ms.fetch_add(by, Ordering::Relaxed);
        }
    }

    /// Sets a manual clock's wall time and trust, as a step by NTP would.
    pub fn step(&self, to: Moment) {
        if let Source::Manual { wall, .. } = &self.0.source {
            wall.store(to.at, Ordering::Relaxed);
            self.0.trusted.store(to.trusted, Ordering::Relaxed);
        }
    }

    /// Asks again whether the clock has been synchronised. Call it every second or so: `now` uses the answer.
    ///
    /// Trust lasts until the next boot: the kernel calls itself unsynchronised after 8.9 hours without a time
    /// server, and a gateway works for weeks without one (docs/decisions/0007).
    pub fn refresh(&self) {
        if let Source::System { rtc, .. } = &self.0.source
            && !self.0.trusted.load(Ordering::Relaxed)
        {
            let battery = *rtc && !self.rtc_is_behind();
            let trusted = battery || kernel_is_synchronised() || Path::new(SYNCHRONISED).exists();
            self.0.trusted.store(trusted, Ordering::Relaxed);
        }
    }

    /// Whether a battery clock is configured and says an earlier time than the last one on disk: its battery is dead, or
    /// somebody set it back. Then it is worth nothing.
    #[must_use]
    pub fn rtc_is_behind(&self) -> bool {
        match &self.0.source {
            Source::System { rtc, floor, .. } => *rtc && wall_clock() < floor.saturating_sub(RTC_SLACK),
            Source::Manual { .. } => false,
        }
    }

    /// The time and its quality. No system call beyond the vDSO's.
    #[must_use]
    pub fn now(&self) -> Moment {
        let trusted = self.0.trusted.load(Ordering::Relaxed);
        match &self.0.source {
            Source::Manual { wall, .. } => Moment {
                at: wall.load(Ordering::Relaxed),
                trusted,
            },
            Source::System { floor, started, .. } => {
                let wall = wall_clock();
                if trusted {
                    return Moment { at: wall, trusted };
                }
                let since = Millis::try_from(elapsed(*started).as_millis()).unwrap_or(Millis::MAX);
                Moment {
                    at: wall.max(floor.saturating_add(since)),
                    trusted,
                }
            }
        }
    }

    /// An instant that is not after the present: what the next start may take as its floor. An untrusted wall clock
    /// may be far ahead and does not count here; time that went by since the floor does.
    #[must_use]
    pub fn at_least(&self) -> Millis {
        let now = self.now();
        match &self.0.source {
            Source::System { floor, started, .. } if !now.trusted => {
                let since = Millis::try_from(elapsed(*started).as_millis()).unwrap_or(Millis::MAX);
                floor.saturating_add(since)
            }
            _ => now.at,
        }
    }

    /// Time since this clock was made; never goes back.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        match &self.0.source {
            Source::System { started, .. } => elapsed(*started),
            Source::Manual { monotonic_ms, .. } => {
                Duration::from_millis(u64::try_from(monotonic_ms.load(Ordering::Relaxed)).unwrap_or(0))
            }
        }
    }
}

fn elapsed(since: Instant) -> Duration {
    since.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "this is the clock")]
fn wall_clock() -> Millis {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => Millis::try_from(after.as_millis()).unwrap_or(Millis::MAX),
        Err(before) => -Millis::try_from(before.duration().as_millis()).unwrap_or(Millis::MAX),
    }
}

/// Whether the kernel's clock is disciplined: `adjtimex(2)` without `STA_UNSYNC` and not in `TIME_ERROR`.
#[expect(
    unsafe_code,
    reason = "no crate in use wraps adjtimex; a read-only call on a zeroed struct of plain integers"
)]
fn kernel_is_synchronised() -> bool {
    // SAFETY: `timex` is plain integers, for which all zeros is a value; `modes` 0 asks and sets nothing; the
    // pointer is to a live local of the right type.
    let (state, status) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        let state = libc::adjtimex(&raw mut timex);
        (state, timex.status)
    };
    state >= 0 && state != libc::TIME_ERROR && status & libc::STA_UNSYNC == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_lasts_when_the_time_server_is_gone() {
        let clock = Clock::system(false, 0);
        clock.0.trusted.store(true, Ordering::Relaxed);
        clock.refresh();
        assert!(clock.now().trusted, "whatever the kernel says by now");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn an_untrusted_clock_is_never_before_the_last_time_on_disk() {
        let far_ahead = wall_clock() + 86_400_000;
        let clock = Clock(Arc::new(Inner {
            source: Source::System {
                rtc: false,
                floor: far_ahead,
                started: Instant::now(),
            },
            trusted: AtomicBool::new(false),
        }));
        assert!(clock.now().at >= far_ahead && clock.at_least() >= far_ahead);
        clock.0.trusted.store(true, Ordering::Relaxed);
        assert!(clock.now().at < far_ahead, "a trusted clock is believed");
        assert!(clock.at_least() < far_ahead);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn an_untrusted_clock_that_is_ahead_does_not_move_the_floor_there() {
        let clock = Clock(Arc::new(Inner {
            source: Source::System {
                rtc: false,
                floor: 1_000,
                started: Instant::now(),
            },
            trusted: AtomicBool::new(false),
        }));
        assert!(clock.now().at > 86_400_000 && (1_000..60_000).contains(&clock.at_least()));
    }

    #[test]
    fn an_rtc_makes_the_time_trusted() {
        assert!(Clock::system(true, 0).now().trusted);
    }

    #[test]
    fn an_rtc_whose_battery_died_does_not() {
        let last = wall_clock();
        assert!(
            Clock::system(true, last + RTC_SLACK / 2).now().trusted,
            "a crystal's doing"
        );
        let dead = Clock::system(true, last + 365 * 86_400_000);
        assert!(dead.rtc_is_behind() && !Clock::system(true, last).rtc_is_behind());
        // The kernel of the machine that runs this may be synchronised, which counts for more.
        assert_eq!(
            dead.now().trusted,
            kernel_is_synchronised() || Path::new(SYNCHRONISED).exists()
        );
    }

    #[test]
    fn a_manual_clock_moves_when_told() {
        let clock = Clock::manual(Moment::untrusted(1_000));
        clock.advance(Duration::from_millis(5));
        assert_eq!(
            (clock.now(), clock.monotonic()),
            (Moment::untrusted(1_005), Duration::from_millis(5))
        );
        clock.step(Moment::trusted(7));
        assert_eq!(clock.now(), Moment::trusted(7));
    }
}
