//! Facts and a profile in, grants out. Pure; no platform names, no clock: a grant carries its window, and the
//! decision compares it with the time.
//!
//! The rules are those of `docs/rules.md`; every grant cites its own. Which of them hold, and with
//! which figures, is data: [`RulesConfig`].
//!
//! | file | what |
//! | --- | --- |
//! | `context` | what every rule looks things up in |
//! | `people` | who is known, deactivated, in which team, with which card |
//! | `names` | ids and names of the platform's things, and names in the mapping that are none of them |
//! | `plans` | memberships, assignments and direct groups to grants |
//! | `bookings`, `passes` | these to grants |
//! | `sink` | where grants and notes go |
//! | `window`, `week` | days, instants, buffers and weekly hours to half-open windows |
//! | `effective` | what people may open at an instant, and what changes between two outcomes |
//! | `incremental`, `diff` | the same again when some of the facts have changed, for the price of what changed |
//! | `warning` | what a person should look at |
//!
//! Sources add up: each grant stands alone, any open one opens, losing one leaves the rest (R41).

mod bookings;
mod context;
mod diff;
mod effective;
mod incremental;
mod names;
mod passes;
mod people;
mod plans;
mod sink;
#[cfg(test)]
mod tests;
mod warning;
mod week;
mod window;

use crate::{
    config::model::{Mapping, RulesConfig},
    domain::{
        Block, Credential, Grant, Millis, PersonId, Snapshot,
        facts::{Assignment, Booking, Facts, Membership, Pass, Person},
        grant::Holder,
        site::Site,
    },
};
use context::{Book, Context, Look};
use sink::{Note, Sink};
use std::collections::BTreeMap;

pub use effective::{Access, Change, PersonAccess, State, changes, effective, inactive};
pub use incremental::{Incremental, Worked};
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

/// Grows with every change of what the same facts and rules come to, so that an index of an earlier version is not used on.
pub const VERSION: u32 = 3;

/// Turns facts into grants. The same facts, rules and site always give the same outcome.
///
/// A site whose zone is unknown gets no grant that begins or ends with a day, and a warning: such a right
/// could otherwise outlive its last day.
#[must_use]
pub fn grants(facts: &Facts, rules: &RulesConfig, site: &Site) -> Outcome {
    let book = Book::new(rules, site);
    let look = Look::new(facts, &book);
    let context = Context {
        facts,
        look: &look,
        book: &book,
    };
    let mut sink = Sink::default();
    work(&context, &Objects::all(facts), &mut sink);
    outcome(sink, &facts.people, of_the_whole(facts, &book, site))
}

/// [`grants`] of facts that are not needed any more: each object goes when the rules are done with it, so that facts and
/// grants are never in memory whole at the same time.
#[must_use]
pub fn grants_of(mut facts: Facts, rules: &RulesConfig, site: &Site) -> Outcome {
    let book = Book::new(rules, site);
    let whole = of_the_whole(&facts, &book, site);
    let look = Look::new(&facts, &book);
    let memberships = std::mem::take(&mut facts.memberships);
    let assignments = std::mem::take(&mut facts.assignments);
    let bookings = std::mem::take(&mut facts.bookings);
    let context = Context {
        facts: &facts,
        look: &look,
        book: &book,
    };
    let mut sink = Sink::default();
    for membership in memberships {
        plans::membership(&context, &membership, &mut sink);
    }
    for assignment in assignments {
        plans::assignment(&context, &assignment, &mut sink);
    }
    for booking in bookings {
        bookings::booking(&context, &booking, &mut sink);
    }
    for pass in &facts.passes {
        passes::pass(&context, pass, &mut sink);
    }
    for person in &facts.people {
        plans::person(&context, person, &mut sink);
    }
    drop(look);
    let Facts { people, .. } = facts;
    outcome(sink, &people, whole)
}

fn outcome(sink: Sink, people: &[Person], whole: Vec<RuleWarning>) -> Outcome {
    let Sink { mut grants, notes } = sink;
    let mut counted: BTreeMap<Note, usize> = BTreeMap::new();
    for note in notes {
        *counted.entry(note).or_default() += 1;
    }
    grants.sort_unstable();
    grants.dedup();
    grants.shrink_to_fit();
    let (credentials, shared) = people::cards(people);
    Outcome {
        people: people::holders(people),
        credentials,
        grants,
        blocks: people::blocks(people),
        warnings: warnings(&counted, shared, whole),
    }
}

/// Objects of the facts that grants come from.
#[derive(Default)]
struct Objects<'a> {
    memberships: Vec<&'a Membership>,
    assignments: Vec<&'a Assignment>,
    bookings: Vec<&'a Booking>,
    passes: Vec<&'a Pass>,
    people: Vec<&'a Person>,
}

impl<'a> Objects<'a> {
    fn all(facts: &'a Facts) -> Self {
        Self {
            memberships: facts.memberships.iter().collect(),
            assignments: facts.assignments.iter().collect(),
            bookings: facts.bookings.iter().collect(),
            passes: facts.passes.iter().collect(),
            people: facts.people.iter().collect(),
        }
    }
}

/// What the rules make of some objects. Each stands alone: what comes of it hangs on itself and on what the context looks up.
fn work(context: &Context<'_>, objects: &Objects<'_>, sink: &mut Sink) {
    for membership in &objects.memberships {
        plans::membership(context, membership, sink);
    }
    for assignment in &objects.assignments {
        plans::assignment(context, assignment, sink);
    }
    for booking in &objects.bookings {
        bookings::booking(context, booking, sink);
    }
    for pass in &objects.passes {
        passes::pass(context, pass, sink);
    }
    for person in &objects.people {
        plans::person(context, person, sink);
    }
}

fn warnings(
    notes: &BTreeMap<Note, usize>,
    shared: Vec<RuleWarning>,
    whole: Vec<RuleWarning>,
) -> Vec<RuleWarning> {
    let mut warnings = sink::warnings(notes);
    warnings.extend(shared);
    warnings.extend(whole);
    warnings.sort_unstable();
    warnings.dedup();
    warnings
}

/// What is wrong with the mapping, or with the site.
fn of_the_whole(facts: &Facts, book: &Book<'_>, site: &Site) -> Vec<RuleWarning> {
    let rules = book.rules;
    let mut found = names::strangers(facts, rules);
    let tables: [(&str, &Mapping); 6] = [
        ("map.plans", &rules.plans),
        ("map.resources", &rules.resources),
        ("map.floors", &rules.floors),
        ("map.locations", &rules.locations),
        ("map.passes", &rules.passes),
        ("map.groups", &rules.groups),
    ];
    for (section, map) in tables {
        for (name, groups) in map {
            let gone = groups.iter().filter(|group| !book.groups.contains_key(*group));
            found.extend(gone.map(|group| RuleWarning::GroupGone {
                section: section.to_owned(),
                name: name.clone(),
                group: group.to_string(),
            }));
        }
    }
    if book.zone.is_none() {
        let zone = site.zone.clone();
        found.push(RuleWarning::UnknownZone { zone });
    }
    found
}
