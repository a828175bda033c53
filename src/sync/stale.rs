//! How long grants hold without contact to the platform. Pure; the decision itself enforces it.

use crate::{
    access::Limits,
    config::model::Config,
    domain::{
        GrantKind,
        time::{DAY_MS, Millis, Moment},
    },
};
use std::time::Duration;

/// What is known of the time where limits are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The clock's word, and whether it is trusted.
    pub now: Moment,
    /// It is at least as late as this for certain, Unix milliseconds: a trusted time that was written down, and what
    /// has passed since the start, which came after it.
    pub certain: Option<Millis>,
}

impl Known {
    /// From the clock, the last trusted time on disk at the start, and the time since the start.
    #[must_use]
    pub fn new(now: Moment, last_trusted: Option<Millis>, since_start: Duration) -> Self {
        Self {
            now,
            certain: last_trusted.map(|time| time.saturating_add(millis(since_start))),
        }
    }
}

/// The limits of decisions, from the last contact and the configuration.
///
/// While the clock is not trusted its guess proves no age; a time that was trusted once and lies beyond the limit
/// does, since time has only gone on since.
#[must_use]
pub fn limits(config: &Config, last_contact: Option<Millis>, known: Known) -> Limits {
    let mut limits = Limits::default();
    limits.allow_windowed_when_untrusted = config.clock.allow_windowed_when_untrusted;
    for (kind, age) in &config.sync.max_age {
        let from = last_contact.map(|contact| contact.saturating_add(millis(*age)));
        let proven = !known.now.trusted && from.is_some_and(|from| known.certain >= Some(from));
        limits.set_stale_from(
            *kind,
            if proven {
                Some(Limits::STALE_FOR_CERTAIN)
            } else {
                from
            },
        );
    }
    limits
}

/// A kind of grant that goes stale soon, or has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ageing {
    /// Which kind.
    pub kind: GrantKind,
    /// From when on it is refused, Unix milliseconds.
    pub stale_at: Millis,
}

impl Ageing {
    /// For people: what is refused or will be, and what to do.
    #[must_use]
    pub fn words(&self, now: Millis) -> String {
        let kind = self.kind.name();
        let left = (self.stale_at - now) / DAY_MS;
        if self.stale_at <= now {
            format!(
                "grants of kind {kind} are refused: the platform was not reached for too long. Bring the connection back"
            )
        } else {
            format!(
                "grants of kind {kind} will be refused in {left} days unless the platform is reached. Bring the connection \
                 back"
            )
        }
    }
}

/// The kinds whose warning has begun at `now`.
#[must_use]
pub fn ageing(config: &Config, last_contact: Option<Millis>, now: Millis) -> Vec<Ageing> {
    let Some(contact) = last_contact else {
        return Vec::new();
    };
    let before = millis(config.sync.warn_before);
    let all = config.sync.max_age.iter();
    all.map(|(kind, age)| Ageing {
        kind: *kind,
        stale_at: contact.saturating_add(millis(*age)),
    })
    .filter(|ageing| now >= ageing.stale_at.saturating_sub(before))
    .collect()
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{self, Environment},
        domain::time::DAY_MS,
    };

    /// A configuration of one `[sync]` table.
    fn config(sync: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("doorward.toml");
        let site = "[site]\nid = \"here\"\nname = \"Here\"\nzone = \"Europe/Madrid\"\n";
        std::fs::write(&path, format!("{site}{sync}")).unwrap();
        config::load(&path, &Environment::default()).unwrap()
    }

    #[test]
    fn plans_hold_thirty_days_and_bookings_end_by_themselves() {
        let known = Known::new(Moment::trusted(0), None, Duration::ZERO);
        let limits = limits(&config(""), Some(0), known);
        assert!(!limits.is_stale(GrantKind::Plan, Moment::trusted(30 * DAY_MS - 1)));
        assert!(limits.is_stale(GrantKind::Plan, Moment::trusted(30 * DAY_MS)));
        assert!(!limits.is_stale(GrantKind::Booking, Moment::trusted(900 * DAY_MS)));
        assert!(
            !limits.is_stale(GrantKind::Plan, Moment::untrusted(900 * DAY_MS)),
            "a guess proves no age"
        );
    }

    #[test]
    fn two_trusted_times_prove_an_age_that_no_clock_shows() {
        let config = config("");
        let stale = |last_trusted: Option<Millis>, days_up: u64| {
            let up = Duration::from_secs(days_up * 86_400);
            let now = Moment::untrusted(5);
            let limits = limits(&config, Some(0), Known::new(now, last_trusted, up));
            limits.is_stale(GrantKind::Plan, now)
        };
        assert!(stale(Some(30 * DAY_MS), 0) && !stale(Some(30 * DAY_MS - 1), 0));
        assert!(
            stale(Some(10 * DAY_MS), 20),
            "the time since the start is known as well"
        );
        assert!(!stale(None, 900), "nothing was ever known for certain");
        let trusted = Moment::trusted(30 * DAY_MS);
        let limits = limits(
            &config,
            Some(0),
            Known::new(trusted, Some(30 * DAY_MS), Duration::ZERO),
        );
        assert_eq!(
            limits.stale_from(GrantKind::Plan),
            Some(30 * DAY_MS),
            "a trusted clock says since when"
        );
    }

    #[test]
    fn the_warning_begins_before_the_end() {
        let config = config("[sync]\nwarn_before_days = 5\n[sync.max_age_days]\nplan = 10\n");
        assert_eq!(
            ageing(&config, Some(0), 5 * DAY_MS - 1)
                .iter()
                .filter(|a| a.kind == GrantKind::Plan)
                .count(),
            0
        );
        let plan = Ageing {
            kind: GrantKind::Plan,
            stale_at: 10 * DAY_MS,
        };
        assert!(ageing(&config, Some(0), 5 * DAY_MS).contains(&plan));
        assert!(
            ageing(&config, None, 99 * DAY_MS).is_empty(),
            "nothing was ever fetched, so nothing ages"
        );
    }
}
