//! Whether a complete snapshot may replace the one in force (invariant 4). Pure.

use crate::{
    access::{Index, TargetRef},
    domain::{Credential, Grant, GrantKind, PersonId, Snapshot, Window, grant::Target, time::Millis},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher,
};

/// A drop of fewer grants or cards than this is everyday life at a small site (one booking deleted) and is never held.
pub const HOLD_AT_LEAST: usize = 2;

/// Who may open what by which kind of source: what counts as the same grant in another snapshot. The target is a group
/// (false) or a door (true).
type Right<'a> = (&'a str, (bool, &'a str), GrantKind);

/// Twelve bytes that are equal exactly when the cards are.
type CardKey = [u8; 12];

/// What a snapshot amounts to, for judging the next one. Small, and without its texts: of two snapshots with all
/// their facts only one needs to be in memory at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The facts' version.
    version: u64,
    /// How many grants, of whatever kind.
    grants: usize,
    /// The rights that are not over, a number each.
    rights: HashSet<u64>,
    /// The cards that work: of exactly one holder.
    cards: HashSet<CardKey>,
}

/// Weighs snapshots. Only what one scale weighed can be compared: it numbers rights by hash, with keys of its own, so
/// that two of them meet by chance once in some 10^11 syncs of 10,000 people, and nobody can bring it about.
#[derive(Clone, Debug, Default)]
pub struct Scale(std::hash::RandomState);

impl Scale {
    /// A snapshot's weight at `now`: a grant that is over by then, or void, weighs nothing.
    #[must_use]
    pub fn weigh(&self, snapshot: &Snapshot, now: Millis) -> Weight {
        self.parts(snapshot.version, &snapshot.grants, &snapshot.credentials, now)
    }

    /// The weight of the parts of a snapshot.
    #[must_use]
    pub fn parts(
        &self,
        version: u64,
        grants: &[Grant],
        cards: &[(Credential, PersonId)],
        now: Millis,
    ) -> Weight {
        let live = |grant: &&Grant| grant.void.is_none() && !is_over(grant.window, now);
        let right = |grant: &Grant| {
            let target = match &grant.target {
                Target::Group(group) => (false, group.as_str()),
                Target::Door(door) => (true, door.as_str()),
            };
            self.right((grant.person.as_str(), target, grant.kind))
        };
        Weight {
            version,
            grants: grants.len(),
            rights: grants.iter().filter(live).map(right).collect(),
            cards: working(cards),
        }
    }

    /// What the snapshot of an index weighs: the same as [`Self::weigh`] of what it was built from, in a fraction of the
    /// time and memory. `grants` is how many there were.
    #[must_use]
    pub fn weigh_index(&self, index: &Index, grants: usize, now: Millis) -> Weight {
        let rights = index
            .rights()
            .filter(|(_, grant)| grant.void.is_none() && !is_over(grant.window, now));
        let rights = rights.map(|(person, grant)| {
            let target = match grant.target {
                TargetRef::Group(group) => (false, group),
                TargetRef::Door(door) => (true, door),
            };
            self.right((person.id, target, grant.kind))
        });
        Weight {
            version: index.version(),
            grants,
            rights: rights.collect(),
            cards: index.working_cards().collect(),
        }
    }

    fn right(&self, right: Right<'_>) -> u64 {
        self.0.hash_one(right)
    }
}

fn is_over(window: Window, now: Millis) -> bool {
    window.until.is_some_and(|until| until <= now)
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
    /// More than the set share of the cards that work would do so no more: they are gone, or suddenly of two people.
    TooManyCardsGone {
        /// Cards in force with exactly one holder.
        before: usize,
        /// How many of them have none or several.
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
            Self::TooManyCardsGone { before, gone } => write!(
                f,
                "{gone} of {before} cards would stop working at once; the snapshot in force stays. If that is meant, \
                 run `doorward sync accept`"
            ),
        }
    }
}

/// Judges `next` against what is in force: by its version, its grants, and the cards without which grants open
/// nothing. A grant whose window is over is not missed, and one that only moved (same person, same target, another
/// window) is not gone.
#[must_use]
pub fn judge(active: &Weight, next: &Weight, hold_share: f64) -> Option<Hold> {
    if next.version < active.version {
        return Some(Hold::VersionWentBack {
            from: active.version,
            to: next.version,
        });
    }
    let before = active.rights.len();
    let gone = active.rights.difference(&next.rights).count();
    if is_too_many(before, gone, hold_share) {
        return Some(Hold::TooManyGone { before, gone });
    }
    let before = active.cards.len();
    let gone = active.cards.difference(&next.cards).count();
    is_too_many(before, gone, hold_share).then_some(Hold::TooManyCardsGone { before, gone })
}

/// Cards that have exactly one holder: a card of two people opens for neither (R34).
fn working(cards: &[(Credential, PersonId)]) -> HashSet<CardKey> {
    let mut holders: HashMap<&Credential, Option<&PersonId>> = HashMap::with_capacity(cards.len());
    for (card, person) in cards {
        let holder = holders.entry(card).or_insert(Some(person));
        if *holder != Some(person) {
            *holder = None;
        }
    }
    let single = holders.into_iter().filter(|(_, holder)| holder.is_some());
    single.map(|(card, _)| card.key()).collect()
}

/// Judges by the version and the number of the grants in force alone, when the grants themselves cannot be read.
#[must_use]
pub fn judge_by_count(version: u64, grants: u64, next: &Weight, hold_share: f64) -> Option<Hold> {
    if next.version < version {
        return Some(Hold::VersionWentBack {
            from: version,
            to: next.version,
        });
    }
    let before = usize::try_from(grants).unwrap_or(usize::MAX);
    let gone = before.saturating_sub(next.grants);
    is_too_many(before, gone, hold_share).then_some(Hold::TooManyGone { before, gone })
}

fn is_too_many(before: usize, gone: usize, hold_share: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "counts of grants are far below 2^52")]
    let share = gone as f64 / before.max(1) as f64;
    gone >= HOLD_AT_LEAST && share > hold_share
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
                id: format!("m{n}").into(),
                label: "Hot desk".into(),
            },
            rule: 1,
            void: None,
        };
        people.map(grant).collect()
    }

    fn verdict(before: &[Grant], after: &[Grant]) -> Option<Hold> {
        let scale = Scale::default();
        let (active, next) = (
            scale.parts(4, before, &[], 1_000),
            scale.parts(5, after, &[], 1_000),
        );
        judge(&active, &next, 0.2)
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
            let next = Scale::default().parts(version, grants, &[], 0);
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
        let scale = Scale::default();
        let (active, next) = (scale.parts(9, &same, &[], 0), scale.parts(8, &same, &[], 0));
        assert_eq!(
            judge(&active, &next, 0.2),
            Some(Hold::VersionWentBack { from: 9, to: 8 })
        );
    }

    /// Card `n`, held by person `n` and by whoever else is named.
    fn cards(numbers: std::ops::Range<u8>, also: Option<&str>) -> Vec<(Credential, PersonId)> {
        let card = |n: u8| Credential::uid(&[4, 1, 2, 3, 4, 5, n]).unwrap();
        numbers
            .flat_map(|n| {
                let own = (card(n), PersonId::from(format!("p{n}")));
                [Some(own), also.map(|other| (card(n), other.into()))]
            })
            .flatten()
            .collect()
    }

    #[test]
    fn rights_without_cards_and_cards_without_a_holder_are_no_use_to_anybody() {
        let rights = grants(0..10, None);
        let verdict = |after: &[(Credential, PersonId)]| {
            let before = cards(0..10, None);
            let scale = Scale::default();
            let weighed = |version, cards| scale.parts(version, &rights, cards, 1_000);
            judge(&weighed(4, &before), &weighed(5, after), 0.2)
        };
        let gone = |gone| Some(Hold::TooManyCardsGone { before: 10, gone });
        assert_eq!(verdict(&cards(0..8, None)), None);
        assert_eq!(verdict(&[]), gone(10));
        assert_eq!(verdict(&cards(3..13, None)), gone(3));
        assert_eq!(
            verdict(&cards(0..10, Some("double"))),
            gone(10),
            "of two people, so of nobody"
        );
        let twice = [cards(0..10, None), cards(0..10, None)].concat();
        assert_eq!(verdict(&twice), None, "the same holder twice is one");
    }

    mod model {
        use super::*;
        use proptest::prelude::*;

        fn grant() -> impl Strategy<Value = Grant> {
            let until = prop_oneof![Just(None), (0..6_i64).prop_map(Some)];
            let kind = prop_oneof![Just(GrantKind::Plan), Just(GrantKind::Booking)];
            let void = prop_oneof![3 => Just(None), 1 => Just(Some(crate::domain::Reason::NoGrant))];
            (0..5_u8, 0..2_u8, until, kind, void).prop_map(|(person, group, until, kind, void)| Grant {
                person: format!("p{person}").into(),
                target: Target::Group(format!("g{group}").into()),
                window: Window { from: None, until },
                kind,
                source: Source {
                    id: String::new().into(),
                    label: String::new().into(),
                },
                rule: 1,
                void,
            })
        }

        type Side = (u64, Vec<Grant>, Vec<(Credential, PersonId)>);

        fn side() -> impl Strategy<Value = Side> {
            let card = (0..4_u8, 0..3_u8).prop_map(|(card, person)| {
                (
                    Credential::uid(&[4, 0, 0, card]).unwrap(),
                    PersonId::from(format!("p{person}")),
                )
            });
            (
                1..4_u64,
                prop::collection::vec(grant(), 0..12),
                prop::collection::vec(card, 0..8),
            )
        }

        /// By the letter and without a set: every item is looked for among all of the other side.
        fn held(before: &Side, after: &Side, percent: usize, now: Millis) -> bool {
            let live = |g: &&Grant| g.void.is_none() && g.window.until.is_none_or(|until| until > now);
            let alike =
                |a: &Grant, b: &Grant| (&a.person, &a.target, a.kind) == (&b.person, &b.target, b.kind);
            let mut old: Vec<&Grant> = Vec::new();
            for grant in before.1.iter().filter(live) {
                if !old.iter().any(|other| alike(other, grant)) {
                    old.push(grant);
                }
            }
            let stays = |grant: &Grant| after.1.iter().filter(live).any(|other| alike(other, grant));
            let gone = old.iter().filter(|grant| !stays(grant)).count();
            let works = |side: &Side, card: &Credential| {
                let mut holders = side
                    .2
                    .iter()
                    .filter(|(it, _)| it == card)
                    .map(|(_, person)| person);
                holders
                    .next()
                    .is_some_and(|first| holders.all(|other| other == first))
            };
            let mut cards: Vec<&Credential> = Vec::new();
            for (card, _) in &before.2 {
                if works(before, card) && !cards.contains(&card) {
                    cards.push(card);
                }
            }
            let lost = cards.iter().filter(|card| !works(after, card)).count();
            let over = |gone: usize, all: usize| gone >= 2 && gone * 100 > percent * all;
            after.0 < before.0 || over(gone, old.len()) || over(lost, cards.len())
        }

        proptest! {
            #[test]
            fn holds_exactly_what_the_slow_model_holds(
                before in side(), after in side(), percent in prop_oneof![Just(0_usize), Just(25), Just(50), Just(100)],
                now in 0..6_i64,
            ) {
                let scale = Scale::default();
                let weigh = |side: &Side| scale.parts(side.0, &side.1, &side.2, now);
                #[expect(clippy::cast_precision_loss, reason = "quarters are exact")]
                let share = percent as f64 / 100.0;
                let verdict = judge(&weigh(&before), &weigh(&after), share);
                prop_assert_eq!(verdict.is_some(), held(&before, &after, percent, now));
            }
        }
    }
}
