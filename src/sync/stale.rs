//! How long grants hold without contact to the platform. Pure; the decision itself enforces it.

use crate::{
    access::Limits,
    config::model::Config,
    domain::{GrantKind, time::Millis},
};
use std::time::Duration;

/// The limits of decisions, from the last contact and the configuration.
#[must_use]
pub fn limits(config: &Config, last_contact: Option<Millis>) -> Limits {
    let mut limits = Limits::default();
    limits.allow_windowed_when_untrusted = config.clock.allow_windowed_when_untrusted;
    for (kind, age) in &config.sync.max_age {
        limits.set_stale_from(
            *kind,
            last_contact.map(|contact| contact.saturating_add(millis(*age))),
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
        domain::time::{DAY_MS, Moment},
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
        let limits = limits(&config(""), Some(0));
        assert!(!limits.is_stale(GrantKind::Plan, Moment::trusted(30 * DAY_MS - 1)));
        assert!(limits.is_stale(GrantKind::Plan, Moment::trusted(30 * DAY_MS)));
        assert!(!limits.is_stale(GrantKind::Booking, Moment::trusted(900 * DAY_MS)));
        assert!(
            !limits.is_stale(GrantKind::Plan, Moment::untrusted(900 * DAY_MS)),
            "a guess proves no age"
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
