//! What a person should look at. None of these stops the rest of the facts from taking effect.

use crate::domain::{Credential, PersonId};
use std::fmt;

/// Something in facts or mapping that is probably not meant. `Display` says what, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleWarning {
    /// Somebody holds a plan that is not mapped, so it opens nothing (R8).
    UnmappedPlan {
        /// The plan as the platform names it.
        plan: String,
        /// How many memberships are on it.
        memberships: usize,
    },
    /// Somebody holds a kind of pass that is not mapped.
    UnmappedPass {
        /// The kind as the platform names it.
        kind: String,
        /// How many passes are of it.
        passes: usize,
    },
    /// A group given by hand on the platform is not mapped (R11).
    UnmappedGroup {
        /// The group as the platform names it.
        group: String,
        /// How many people are in it.
        people: usize,
    },
    /// An assigned resource is mapped neither itself nor by its floor or location (R9, R10).
    UnmappedAssignment {
        /// The resource's name.
        resource: String,
        /// How many assignments name it.
        assignments: usize,
    },
    /// Two or more people hold one card, so it opens for none of them (R34).
    SharedCard {
        /// The card; shown masked.
        credential: Credential,
        /// Its holders.
        people: Vec<PersonId>,
    },
    /// A right that ends before it begins opens nothing.
    EmptyWindow {
        /// What kind of right.
        kind: &'static str,
        /// The platform's id of it.
        id: String,
    },
    /// A membership is cancelled and has no date to which; it counts as over.
    CancelledWithoutDate {
        /// The platform's id of the membership.
        id: String,
    },
    /// Something names a resource that the facts do not have.
    UnknownResource {
        /// What kind of right.
        kind: &'static str,
        /// The platform's id of it.
        id: String,
        /// The resource's id.
        resource: String,
    },
    /// The site's zone is not in the zone data.
    UnknownZone {
        /// The name.
        zone: String,
    },
}

impl RuleWarning {
    /// Stable name, for health and logs.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::UnmappedPlan { .. } => "unmapped_plan",
            Self::UnmappedPass { .. } => "unmapped_pass",
            Self::UnmappedGroup { .. } => "unmapped_group",
            Self::UnmappedAssignment { .. } => "unmapped_assignment",
            Self::SharedCard { .. } => "shared_card",
            Self::EmptyWindow { .. } => "empty_window",
            Self::CancelledWithoutDate { .. } => "cancelled_without_date",
            Self::UnknownResource { .. } => "unknown_resource",
            Self::UnknownZone { .. } => "unknown_zone",
        }
    }
}

impl fmt::Display for RuleWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnmappedPlan { plan, memberships } => write!(
                f,
                "plan \"{plan}\" ({memberships} memberships) is not mapped and opens nothing; add it to [map.plans], with [] if that is meant"
            ),
            Self::UnmappedPass { kind, passes } => write!(
                f,
                "pass \"{kind}\" ({passes} passes) is not mapped and opens nothing; add it to [map.passes], with [] if that is meant"
            ),
            Self::UnmappedGroup { group, people } => write!(
                f,
                "group \"{group}\" of the platform ({people} people) is not mapped and opens nothing; add it to [map.groups], with [] if that is meant"
            ),
            Self::UnmappedAssignment {
                resource,
                assignments,
            } => write!(
                f,
                "\"{resource}\" ({assignments} assignments) is mapped neither itself nor by its floor or location and opens nothing; add it to [map.resources], with [] if that is meant"
            ),
            Self::SharedCard { credential, people } => {
                let people: Vec<&str> = people.iter().map(PersonId::as_str).collect();
                write!(
                    f,
                    "card {credential} belongs to {} and opens for nobody; take it from all but one at the platform",
                    people.join(" and ")
                )
            }
            Self::EmptyWindow { kind, id } => write!(
                f,
                "{kind} {id} ends before it begins and opens nothing; correct its dates at the platform"
            ),
            Self::CancelledWithoutDate { id } => write!(
                f,
                "membership {id} is cancelled without a date and counts as over; give it an end at the platform if it is to run on"
            ),
            Self::UnknownResource { kind, id, resource } => write!(
                f,
                "{kind} {id} names resource {resource}, which is not among the facts, and opens nothing"
            ),
            Self::UnknownZone { zone } => write!(
                f,
                "zone \"{zone}\" is unknown, so nothing that begins or ends with a day opens; correct [site] zone"
            ),
        }
    }
}
