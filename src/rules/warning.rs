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
        /// The same in words, each with the id.
        names: Vec<String>,
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
    /// The mapping or the list of locations names something that the platform does not have.
    UnknownName {
        /// The table of the configuration: `map.plans`, say.
        section: String,
        /// The name there.
        name: String,
        /// What was most likely meant.
        nearest: Option<String>,
    },
    /// The mapping names a group of doors that the site does not have.
    GroupGone {
        /// The table of the configuration.
        section: String,
        /// The entry.
        name: String,
        /// The group.
        group: String,
    },
    /// People whose membership is cancelled and who get in all the same, by the site's rule (C1).
    CancelledKeeps {
        /// Their names, each with the id.
        people: Vec<String>,
    },
    /// Nobody knows when these people joined, so they do not count as new members (R31).
    NoJoinDate {
        /// How many.
        people: usize,
    },
    /// A pass has hours, runs for too long to work them out day by day, and none of its groups has hours (R21, R40).
    PassHours {
        /// The kind of pass.
        kind: String,
        /// How many passes.
        passes: usize,
    },
    /// A desk is booked by the schedule and has none, so its booking's times hold (R17).
    NoSchedule {
        /// The resource's name.
        resource: String,
    },
    /// A booking by the schedule is longer than anybody means, so it opens nothing (R17).
    TooLong {
        /// The platform's id of the booking.
        id: String,
        /// The longest, in days.
        days: usize,
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
            Self::UnknownName { .. } => "unknown_name",
            Self::GroupGone { .. } => "group_gone",
            Self::CancelledKeeps { .. } => "cancelled_keeps",
            Self::NoJoinDate { .. } => "no_join_date",
            Self::PassHours { .. } => "pass_hours",
            Self::NoSchedule { .. } => "no_schedule",
            Self::TooLong { .. } => "too_long",
            Self::UnknownZone { .. } => "unknown_zone",
        }
    }
}

impl fmt::Display for RuleWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnmappedPlan { .. }
            | Self::UnmappedPass { .. }
            | Self::UnmappedGroup { .. }
            | Self::UnmappedAssignment { .. }
            | Self::UnknownName { .. }
            | Self::GroupGone { .. } => self.of_the_mapping(f),
            Self::SharedCard {
                credential, names, ..
            } => write!(
                f,
                "card {credential} belongs to {} and opens for nobody; take it from all but one at the platform",
                names.join(" and ")
            ),
            Self::EmptyWindow { kind, id } => write!(
                f,
                "{kind} {id} ends before it begins and opens nothing; correct its dates at the platform"
            ),
            Self::CancelledWithoutDate { id } => write!(
                f,
                "membership {id} is cancelled without a date and counts as over; give it an end at the platform if it is to run on"
            ),
            Self::CancelledKeeps { people } => write!(
                f,
                "{} cancelled and may still enter, as [rules] cancel_revokes = false says: {}; deactivate at the platform whoever is not to get in any more",
                counted(people.len(), "person is", "people are"),
                people.join(", ")
            ),
            Self::NoJoinDate { people } => write!(
                f,
                "nobody knows when {} joined, and with [rules] connect = \"new_only\" nothing opens for them; say yes to door access for each at the platform",
                counted(*people, "person", "people")
            ),
            Self::PassHours { kind, passes } => write!(
                f,
                "pass \"{kind}\" is for certain hours and opens all day ({}); give one of its groups hours, or add a group that has them",
                counted(*passes, "pass", "passes")
            ),
            Self::NoSchedule { resource } => write!(
                f,
                "\"{resource}\" is booked by its schedule and has none, so the times of its bookings hold; give it opening hours at the platform, or set [rules] desk_window"
            ),
            Self::TooLong { id, days } => write!(
                f,
                "booking {id} is longer than {days} days and opens nothing; correct its dates at the platform, or make it an assignment"
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

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

impl RuleWarning {
    fn of_the_mapping(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnmappedPlan { plan, memberships } => write!(
                f,
                "plan \"{plan}\" ({}) is not mapped and opens nothing; add it to [map.plans], with [] if that is meant",
                counted(*memberships, "membership", "memberships")
            ),
            Self::UnmappedPass { kind, passes } => write!(
                f,
                "pass \"{kind}\" ({}) is not mapped and opens nothing; add it to [map.passes], with [] if that is meant",
                counted(*passes, "pass", "passes")
            ),
            Self::UnmappedGroup { group, people } => write!(
                f,
                "group \"{group}\" of the platform ({}) is not mapped and opens nothing; add it to [map.groups], with [] if that is meant",
                counted(*people, "person", "people")
            ),
            Self::UnmappedAssignment {
                resource,
                assignments,
            } => write!(
                f,
                "\"{resource}\" ({}) is mapped neither itself nor by its floor or location and opens nothing; add it to [map.resources], with [] if that is meant",
                counted(*assignments, "assignment", "assignments")
            ),
            Self::UnknownName {
                section,
                name,
                nearest,
            } => {
                write!(
                    f,
                    "[{section}] names \"{name}\", which the platform does not have"
                )?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean \"{nearest}\"?"),
                    None => f.write_str("; take it out, or correct it to what the platform shows"),
                }
            }
            Self::GroupGone { section, name, group } => write!(
                f,
                "[{section}] \"{name}\" names the group \"{group}\", which the site does not have, and it opens nothing there; add [[group]] id = \"{group}\" or correct the entry"
            ),
            _ => Ok(()),
        }
    }
}
