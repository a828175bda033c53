//! Facts and a profile in, grants out. Pure; no platform names, no clock: a grant carries its window, and the
//! decision compares it with the time.
//!
//! The rules are those of `docs/rules.md`; every grant cites its own. Which of them hold, and with
//! which figures, is data: [`RulesConfig`].
//!
//! | file | what |
//! | --- | --- |
//! | `window` | days, instants and buffers to half-open windows |
//! | `people` | who is known, deactivated, in which team, with which card |
//! | `sources` | memberships, assignments, bookings, passes and direct groups to grants |
//! | `effective` | what people may open at an instant, and what changes between two outcomes |
//! | `warning` | what a person should look at |
//!
//! Sources add up: each grant stands alone, any open one opens, losing one leaves the rest (R41).

mod effective;
mod people;
mod sources;
#[cfg(test)]
mod tests;
mod warning;
mod window;

use crate::{
    config::model::RulesConfig,
    domain::{Block, Credential, Grant, Millis, PersonId, Snapshot, facts::Facts, grant::Holder, site::Site},
};

pub use effective::{Access, Change, PersonAccess, State, changes, effective, inactive};
pub use warning::RuleWarning;

/// What the rules made of one complete set of facts: the parts of a snapshot, and what looks wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Everybody that the facts name, so that a refusal can name a person too.
    pub people: Vec<Holder>,
    /// Which card is whose. A card with two holders stands here twice, and opens for neither (R34).
    pub credentials: Vec<(Credential, PersonId)>,
    /// What they may open, sorted, none twice. Grants that are over, and void ones, are kept: a refusal names
    /// the nearest of them.
    pub grants: Vec<Grant>,
    /// The deactivated (R5).
    pub blocks: Vec<Block>,
    /// What a person should look at, sorted.
    pub warnings: Vec<RuleWarning>,
}

impl Outcome {
    /// The snapshot for the doors. `version` is the facts', `taken_at` when they were fetched.
    #[must_use]
    pub fn into_snapshot(self, version: u64, taken_at: Millis) -> (Snapshot, Vec<RuleWarning>) {
        let snapshot = Snapshot {
            version,
            taken_at,
            people: self.people,
            credentials: self.credentials,
            grants: self.grants,
            blocks: self.blocks,
        };
        (snapshot, self.warnings)
    }
}

/// Turns facts into grants. The same facts, rules and site always give the same outcome.
///
/// A site whose zone is unknown gets no grant that begins or ends with a day, and a warning: such a right
/// could otherwise outlive its last day.
#[must_use]
pub fn grants(facts: &Facts, rules: &RulesConfig, site: &Site) -> Outcome {
    let zone = jiff::tz::TimeZone::get(&site.zone).ok();
    let crowd = people::Crowd::new(&facts.people);
    let mut making = sources::Making::new(facts, rules, zone.as_ref(), &crowd);
    if zone.is_none() {
        making.warn(RuleWarning::UnknownZone {
            zone: site.zone.clone(),
        });
    }
    making.memberships();
    making.assignments();
    making.bookings();
    making.passes();
    making.direct();
    let (mut grants, mut warnings) = making.finish();
    let (credentials, shared) = people::cards(&facts.people);
    warnings.extend(shared);
    grants.sort_unstable();
    grants.dedup();
    warnings.sort();
    warnings.dedup();
    Outcome {
        people: people::holders(&facts.people),
        credentials,
        grants,
        blocks: people::blocks(&facts.people),
        warnings,
    }
}
