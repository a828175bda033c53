//! Whether a complete snapshot may replace the one in force (invariant 4). Pure.

use crate::domain::{Grant, time::Millis};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A drop of fewer grants than this is everyday life at a small site (one booking deleted) and is never held.
pub const HOLD_AT_LEAST: usize = 2;

/// What a snapshot amounts to, for judging the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed<'a> {
    /// The facts' version.
    pub version: u64,
    /// The grants.
    pub grants: &'a [Grant],
}

/// Why a snapshot waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Hold {
    /// The version went back: an old backup, another tenant, a confused cloud.
    VersionWentBack {
        /// In force.
        from: u64,
        /// Offered.
        to: u64,
    },
    /// More than the set share of the grants in force would go.
    TooManyGone {
        /// Grants in force that are not over by themselves.
        before: usize,
        /// How many of them are missing.
        gone: usize,
    },
}

impl std::fmt::Display for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::VersionWentBack { from, to } => write!(
                f,
                "the cloud's facts went back from version {from} to {to}; the snapshot in force stays. If the cloud was \
                 restored on purpose, run `doorward sync accept`"
            ),
            Self::TooManyGone { before, gone } => write!(
                f,
                "{gone} of {before} grants would go at once; the snapshot in force stays. If that is meant, run \
                 `doorward sync accept`"
            ),
        }
    }
}

/// Judges `next` against what is in force. A grant whose window is over by `now` is not missed, and one that
/// only moved (same person, same target, another window) is not gone.
#[must_use]
pub fn judge(active: &Weighed<'_>, next: &Weighed<'_>, hold_share: f64, now: Millis) -> Option<Hold> {
    if next.version < active.version {
        return Some(Hold::VersionWentBack {
            from: active.version,
            to: next.version,
        });
    }
    let live = |grant: &&Grant| grant.void.is_none() && grant.window.until.is_none_or(|until| now < until);
    let key = |grant: &Grant| (grant.person.clone(), grant.target.clone(), grant.kind);
    let before: HashSet<_> = active.grants.iter().filter(live).map(key).collect();
    let after: HashSet<_> = next.grants.iter().filter(live).map(key).collect();
    too_many(before.len(), before.difference(&after).count(), hold_share)
}

/// Judges by the version and the number of the grants in force alone, when the grants themselves cannot be read.
#[must_use]
pub fn judge_by_count(version: u64, grants: u64, next: &Weighed<'_>, hold_share: f64) -> Option<Hold> {
    if next.version < version {
        return Some(Hold::VersionWentBack {
            from: version,
            to: next.version,
        });
    }
    let before = usize::try_from(grants).unwrap_or(usize::MAX);
    too_many(before, before.saturating_sub(next.grants.len()), hold_share)
}

fn too_many(before: usize, gone: usize, hold_share: f64) -> Option<Hold> {
    #[expect(clippy::cast_precision_loss, reason = "counts of grants are far below 2^52")]
    let share = gone as f64 / before.max(1) as f64;
    (gone >= HOLD_AT_LEAST && share > hold_share).then_some(Hold::TooManyGone { before, gone })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GrantKind, Source, Window, grant::Target};

    fn grants(people: std::ops::Range<usize>, until: Option<Millis>) -> Vec<Grant> {
        let grant = |n: usize| Grant {
            person: format!("p{n}").into(),
            target: Target::Group("members".into()),
            window: Window { from: None, until },
            kind: GrantKind::Plan,
            source: Source {
                id: format!("m{n}"),
                label: "Hot desk".into(),
            },
            rule: 1,
            void: None,
        };
        people.map(grant).collect()
    }

    fn verdict(before: &[Grant], after: &[Grant]) -> Option<Hold> {
        let (active, next) = (
            Weighed {
                version: 4,
                grants: before,
            },
            Weighed {
                version: 5,
                grants: after,
            },
        );
        judge(&active, &next, 0.2, 1_000)
    }

    #[test]
    fn a_fifth_may_go_and_more_may_not() {
        let before = grants(0..10, None);
        assert_eq!(verdict(&before, &grants(0..8, None)), None, "exactly 20 %");
        assert_eq!(
            verdict(&before, &grants(0..7, None)),
            Some(Hold::TooManyGone { before: 10, gone: 3 })
        );
        assert_eq!(
            verdict(&before, &[]),
            Some(Hold::TooManyGone { before: 10, gone: 10 })
        );
    }

    #[test]
    fn replaced_people_are_gone_though_the_count_stays() {
        assert_eq!(
            verdict(&grants(0..10, None), &grants(5..15, None)),
            Some(Hold::TooManyGone { before: 10, gone: 5 })
        );
    }

    #[test]
    fn grants_that_cannot_be_read_are_counted() {
        let counted = |version, grants: &[Grant]| {
            let next = Weighed { version, grants };
            judge_by_count(7, 10, &next, 0.2)
        };
        assert_eq!(counted(7, &grants(0..8, None)), None);
        let gone = Some(Hold::TooManyGone { before: 10, gone: 3 });
        assert_eq!(counted(8, &grants(0..7, None)), gone);
        let back = Some(Hold::VersionWentBack { from: 7, to: 6 });
        assert_eq!(counted(6, &grants(0..10, None)), back);
    }

    #[test]
    fn what_is_over_is_not_missed_and_one_is_never_held() {
        assert_eq!(verdict(&grants(0..10, Some(999)), &[]), None);
        assert_eq!(verdict(&grants(0..2, None), &grants(0..1, None)), None);
        assert_eq!(verdict(&[], &grants(0..5, None)), None);
    }

    #[test]
    fn a_version_that_goes_back_is_held_even_if_nothing_is_missing() {
        let same = grants(0..3, None);
        let (active, next) = (
            Weighed {
                version: 9,
                grants: &same,
            },
            Weighed {
                version: 8,
                grants: &same,
            },
        );
        assert_eq!(
            judge(&active, &next, 0.2, 0),
            Some(Hold::VersionWentBack { from: 9, to: 8 })
        );
    }
}
