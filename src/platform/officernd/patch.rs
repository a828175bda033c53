//! What a reading changes among the rows. Everything has arrived by then, so it is put in place at once.

use super::{
    pull::{Found, Known, Unreadable},
    rows::{self, Assignment, Booking},
};
use crate::domain::{Millis, Text};
use std::collections::{BTreeMap, BTreeSet};

/// Who holds passes that were read together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Whose {
    Member(Text),
    Company(Text),
}

/// What has to be put in place. `None` for a row: it is gone.
#[derive(Debug, Default)]
pub(super) struct Patch {
    pub(super) since: Option<Millis>,
    pub(super) members: Found<Option<rows::Member>>,
    pub(super) companies: Found<Option<Text>>,
    pub(super) memberships: Found<Option<rows::Membership>>,
    pub(super) resources: Found<Option<rows::Resource>>,
    pub(super) passes: Found<Option<rows::Pass>>,
    /// All that a member holds, by member.
    pub(super) memberships_of: Found<Found<rows::Membership>>,
    pub(super) passes_of: BTreeMap<Whose, Found<rows::Pass>>,
    /// By membership.
    pub(super) assignments: Found<Found<Assignment>>,
    pub(super) all_assignments: Option<Found<Assignment>>,
    /// Bookings whose occurrences are no longer what they were.
    pub(super) gone_bookings: BTreeSet<Text>,
    /// By resource.
    pub(super) bookings: Found<BTreeMap<(Text, Millis), Booking>>,
    pub(super) all_bookings: Option<BTreeMap<(Text, Millis), Booking>>,
    pub(super) unread: Unreadable,
}

impl Patch {
    /// Puts everything in place.
    pub(super) fn apply(self, known: &mut Known) {
        known.since = self.since.or(known.since);
        let all = &mut known.rows;
        macro_rules! put {
            ($($collection:literal $field:ident),*) => { $(
                for (id, row) in self.$field {
                    all.unread.remove(&($collection, id.clone()));
                    match row {
                        Some(row) => { all.$field.insert(id, row); }
                        None => { all.$field.remove(&id); }
                    }
                }
            )* };
        }
        for (member, rows) in self.memberships_of {
            all.memberships
                .retain(|_, row| row.member.as_ref() != Some(&member));
            all.memberships.extend(rows);
        }
        for (whose, rows) in self.passes_of {
            all.passes.retain(|_, row| match &whose {
                Whose::Member(id) => row.member.as_ref() != Some(id),
                Whose::Company(id) => row.company.as_ref() != Some(id),
            });
            all.passes.extend(rows);
        }
        put!("people" members, "teams" companies, "memberships" memberships, "resources" resources, "passes" passes);
        for (membership, rows) in self.assignments {
            all.assignments.retain(|_, row| row.membership != membership);
            all.assignments.extend(rows);
        }
        if let Some(rows) = self.all_assignments {
            all.unread
                .retain(|(collection, _), _| *collection != "assignments");
            all.assignments = rows;
        }
        all.bookings.retain(|(id, _), _| !self.gone_bookings.contains(id));
        for id in self.gone_bookings {
            all.unread.remove(&("bookings", id));
        }
        for (resource, rows) in self.bookings {
            all.bookings.retain(|_, row| row.resource != resource);
            all.bookings.extend(rows);
        }
        if let Some(rows) = self.all_bookings {
            all.unread.retain(|(collection, _), _| *collection != "bookings");
            all.bookings = rows;
        }
        for (key, text) in self.unread {
            let (collection, id) = (key.0, &key.1);
            match collection {
                "people" => drop(all.members.remove(id)),
                "teams" => drop(all.companies.remove(id)),
                "memberships" => drop(all.memberships.remove(id)),
                "resources" => drop(all.resources.remove(id)),
                "passes" => drop(all.passes.remove(id)),
                "assignments" => drop(all.assignments.remove(id)),
                _ => {}
            }
            all.unread.insert(key, text);
        }
    }
}
