//! Memberships, assignments, bookings, passes and direct groups to grants. One method a kind of source.

use super::{RuleWarning, people::Crowd, window};
use crate::{
    config::model::RulesConfig,
    domain::{
        Grant, GrantKind, GroupId, PersonId, Reason, Source, Window,
        facts::{Booking, Facts, Membership, Pass, Resource, ResourceKind},
        grant::Target,
    },
};
use jiff::tz::TimeZone;
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// A `[map.…]` table: the platform's id or name to groups.
type Map = BTreeMap<String, Vec<GroupId>>;

/// What all grants of one platform object share.
struct Origin<'a> {
    kind: GrantKind,
    id: &'a str,
    label: &'a str,
}

/// The work in progress.
pub(super) struct Making<'a> {
    facts: &'a Facts,
    rules: &'a RulesConfig,
    zone: Option<&'a TimeZone>,
    crowd: &'a Crowd<'a>,
    resources: HashMap<&'a str, &'a Resource>,
    passes_of: HashMap<&'a PersonId, Vec<&'a Pass>>,
    grants: Vec<Grant>,
    warnings: Vec<RuleWarning>,
}

impl<'a> Making<'a> {
    pub(super) fn new(
        facts: &'a Facts,
        rules: &'a RulesConfig,
        zone: Option<&'a TimeZone>,
        crowd: &'a Crowd<'a>,
    ) -> Self {
        let resources = facts.resources.iter().map(|it| (it.id.as_str(), it)).collect();
        let mut passes_of: HashMap<&PersonId, Vec<&Pass>> = HashMap::new();
        for pass in &facts.passes {
            for person in crowd.holders(pass.person.as_ref(), pass.team.as_deref()) {
                passes_of.entry(person).or_default().push(pass);
            }
        }
        Self {
            facts,
            rules,
            zone,
            crowd,
            resources,
            passes_of,
            grants: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn warn(&mut self, warning: RuleWarning) {
        self.warnings.push(warning);
    }

    pub(super) fn finish(self) -> (Vec<Grant>, Vec<RuleWarning>) {
        (self.grants, self.warnings)
    }

    /// R1 to R8, R22: while a membership on a mapped plan runs, its holders are in the plan's groups.
    pub(super) fn memberships(&mut self) {
        let mut unmapped: BTreeMap<&str, usize> = BTreeMap::new();
        for membership in &self.facts.memberships {
            let Some(groups) = self.rules.plans.get(&membership.plan) else {
                *unmapped.entry(&membership.plan).or_default() += 1; // R8: deny and say so
                continue;
            };
            self.membership(membership, groups);
        }
        self.warnings.extend(
            unmapped
                .into_iter()
                .map(|(plan, memberships)| RuleWarning::UnmappedPlan {
                    plan: plan.to_owned(),
                    memberships,
                }),
        );
    }

    fn membership(&mut self, membership: &'a Membership, groups: &'a [GroupId]) {
        let ends = if membership.cancelled && !self.rules.cancel_revokes {
            None // C1: on such a platform only deactivation ends it
        } else {
            membership.ends
        };
        if membership.cancelled && membership.ends.is_none() && self.rules.cancel_revokes {
            self.warn(RuleWarning::CancelledWithoutDate {
                id: membership.id.clone(),
            });
            return;
        }
        let Some(running) = window::span(membership.starts, ends, self.zone) else {
            return; // the zone is unknown: said once, by the caller
        };
        if self.is_empty("membership", &membership.id, running) {
            return;
        }
        let origin = Origin {
            kind: GrantKind::Plan,
            id: &membership.id,
            label: &membership.plan,
        };
        let team_wide = membership.person.is_none();
        let rule = if team_wide { 6 } else { 1 };
        for person in self
            .crowd
            .holders(membership.person.as_ref(), membership.team.as_deref())
        {
            if membership.pass_based && self.rules.restrict_on_exhaustion {
                self.only_with_passes(person, groups, running, &origin);
            } else {
                self.grant(person, groups, running, &origin, rule, None);
            }
        }
    }

    /// R22: a plan that needs passes opens only while the holder has one left or one running.
    fn only_with_passes(
        &mut self,
        person: &'a PersonId,
        groups: &[GroupId],
        running: Window,
        origin: &Origin<'_>,
    ) {
        let usable: Vec<Window> = self
            .passes_of
            .get(person)
            .into_iter()
            .flatten()
            .flat_map(|pass| self.usable(pass))
            .map(|usable| window::intersect(running, usable))
            .collect();
        let usable = window::union(usable);
        if usable.is_empty() {
            self.grant(person, groups, running, origin, 22, Some(Reason::NoPassLeft));
        }
        for usable in usable {
            self.grant(person, groups, usable, origin, 22, None);
        }
    }

    /// When a pass opens: its validity while one is left, and the one that runs until it is over (R20, R23).
    fn usable(&self, pass: &Pass) -> Vec<Window> {
        let Some(valid) = window::span(pass.starts, pass.ends, self.zone) else {
            return Vec::new();
        };
        let left = (pass.left != Some(0)).then_some(valid);
        let running = pass.running_until.map(|until| Window {
            from: valid.from,
            until: Some(until),
        });
        left.into_iter().chain(running).collect()
    }

    /// R9, R10: an assignment opens the groups of the resource, its floor and its location.
    pub(super) fn assignments(&mut self) {
        let mut unmapped: BTreeMap<&str, usize> = BTreeMap::new();
        for assignment in &self.facts.assignments {
            let Some(resource) = self.resource("assignment", &assignment.id, &assignment.resource) else {
                continue;
            };
            let own = lookup(&self.rules.resources, resource);
            let floor = resource
                .floor
                .as_ref()
                .and_then(|floor| self.rules.floors.get(floor));
            let location = resource
                .location
                .as_ref()
                .and_then(|location| self.rules.locations.get(location));
            if own.is_none() && floor.is_none() && location.is_none() {
                *unmapped.entry(&resource.name).or_default() += 1;
                continue;
            }
            let Some(window) = window::span(assignment.starts, assignment.ends, self.zone) else {
                continue;
            };
            if self.is_empty("assignment", &assignment.id, window) {
                continue;
            }
            let origin = Origin {
                kind: GrantKind::Assignment,
                id: &assignment.id,
                label: &resource.name,
            };
            for person in self
                .crowd
                .holders(assignment.person.as_ref(), assignment.team.as_deref())
            {
                for (groups, rule) in [(own, 9), (floor, 10), (location, 10)] {
                    let groups = groups.map_or(&[][..], Vec::as_slice);
                    self.grant(person, groups, window, &origin, rule, None);
                }
            }
        }
        self.warnings
            .extend(
                unmapped
                    .into_iter()
                    .map(|(resource, assignments)| RuleWarning::UnmappedAssignment {
                        resource: resource.to_owned(),
                        assignments,
                    }),
            );
    }

    /// R12 to R19: a booking of a mapped resource opens its groups for the booking and its buffers. A resource
    /// that is not mapped has no door of its own; that is normal and no warning.
    pub(super) fn bookings(&mut self) {
        for booking in &self.facts.bookings {
            let Some(resource) = self.resource("booking", &booking.id, &booking.resource) else {
                continue;
            };
            if let Some(groups) = lookup(&self.rules.resources, resource) {
                self.booking(booking, resource, groups);
            }
        }
    }

    fn booking(&mut self, booking: &'a Booking, resource: &'a Resource, groups: &'a [GroupId]) {
        if self.is_empty(
            "booking",
            &booking.id,
            Window::between(booking.from, booking.until),
        ) {
            return;
        }
        if booking.tentative && !self.rules.grant_tentative {
            return; // R19: nothing until it is confirmed
        }
        let is_desk = resource.kind == ResourceKind::Desk;
        // Buffers and invitees are said of rooms only (S2:93 and S2:109); a desk keeps its booking's times.
        let (before, after, rule) = if is_desk {
            (Duration::ZERO, Duration::ZERO, 17)
        } else {
            (self.rules.room_before, self.rules.room_after, 12)
        };
        let window = window::buffered(booking.from, booking.until, before, after);
        let origin = Origin {
            kind: GrantKind::Booking,
            id: &booking.id,
            label: &resource.name,
        };
        if let Some(person) = booking.person.as_ref().and_then(|id| self.crowd.active(id)) {
            self.grant(person, groups, window, &origin, rule, None);
        }
        if self.rules.grant_invitees && !is_desk {
            for person in booking.invitees.iter().filter_map(|id| self.crowd.active(id)) {
                self.grant(person, groups, window, &origin, 14, None);
            }
        }
    }

    /// R20, R21, R23: a pass opens the groups of its kind while one is left or one runs.
    pub(super) fn passes(&mut self) {
        let mut unmapped: BTreeMap<&str, usize> = BTreeMap::new();
        for pass in &self.facts.passes {
            let Some(groups) = self.rules.passes.get(&pass.kind) else {
                *unmapped.entry(&pass.kind).or_default() += 1;
                continue;
            };
            let Some(valid) = window::span(pass.starts, pass.ends, self.zone) else {
                continue;
            };
            if self.is_empty("pass", &pass.id, valid) {
                continue;
            }
            let origin = Origin {
                kind: GrantKind::Pass,
                id: &pass.id,
                label: &pass.kind,
            };
            for person in self.crowd.holders(pass.person.as_ref(), pass.team.as_deref()) {
                // Used up: void, so that a refusal can say so (R20).
                let void = (pass.left == Some(0)).then_some(Reason::NoPassLeft);
                self.grant(person, groups, valid, &origin, 20, void);
                if let Some(until) = pass.running_until {
                    let running = Window {
                        from: valid.from,
                        until: Some(until),
                    };
                    self.grant(person, groups, running, &origin, 23, None);
                }
            }
        }
        self.warnings.extend(
            unmapped
                .into_iter()
                .map(|(kind, passes)| RuleWarning::UnmappedPass {
                    kind: kind.to_owned(),
                    passes,
                }),
        );
    }

    /// R11: groups given by hand on the platform. They know no window and survive everything but R5.
    pub(super) fn direct(&mut self) {
        let mut unmapped: BTreeMap<&str, usize> = BTreeMap::new();
        for person in self.facts.people.iter().filter(|person| !person.deactivated) {
            for group in &person.groups {
                let Some(groups) = self.rules.groups.get(group) else {
                    *unmapped.entry(group).or_default() += 1;
                    continue;
                };
                let origin = Origin {
                    kind: GrantKind::Direct,
                    id: group,
                    label: group,
                };
                self.grant(&person.id, groups, Window::ALWAYS, &origin, 11, None);
            }
        }
        self.warnings.extend(
            unmapped
                .into_iter()
                .map(|(group, people)| RuleWarning::UnmappedGroup {
                    group: group.to_owned(),
                    people,
                }),
        );
    }

    fn grant(
        &mut self,
        person: &PersonId,
        groups: &[GroupId],
        window: Window,
        origin: &Origin<'_>,
        rule: u8,
        void: Option<Reason>,
    ) {
        if window.is_empty() {
            return; // nothing is left of it: an end before the start of what it was cut with
        }
        self.grants.extend(groups.iter().map(|group| Grant {
            person: person.clone(),
            target: Target::Group(group.clone()),
            window,
            kind: origin.kind,
            source: Source {
                id: origin.id.to_owned(),
                label: origin.label.to_owned(),
            },
            rule,
            void,
        }));
    }

    fn resource(&mut self, kind: &'static str, id: &str, resource: &'a str) -> Option<&'a Resource> {
        let found = self.resources.get(resource).copied();
        if found.is_none() {
            self.warn(RuleWarning::UnknownResource {
                kind,
                id: id.to_owned(),
                resource: resource.to_owned(),
            });
        }
        found
    }

    fn is_empty(&mut self, kind: &'static str, id: &str, window: Window) -> bool {
        if window.is_empty() {
            self.warn(RuleWarning::EmptyWindow {
                kind,
                id: id.to_owned(),
            });
        }
        window.is_empty()
    }
}

/// A resource's groups, by its id or else by its name.
fn lookup<'a>(map: &'a Map, resource: &Resource) -> Option<&'a Vec<GroupId>> {
    map.get(&resource.id).or_else(|| map.get(&resource.name))
}
