//! Memberships, assignments and groups given by hand: R1 to R11, R22, R31.

use super::{
    RuleWarning,
    context::Context,
    people,
    sink::{Note, Origin, Sink},
    window,
};
use crate::{
    config::model::Connect,
    domain::{
        GrantKind, GroupId, PersonId, Reason, Window,
        facts::{Assignment, DoorAccess, Membership, Pass, Person},
    },
};

/// R1 to R8, R22: while a membership on a mapped plan runs, its holders are in the plan's groups.
pub(super) fn membership(context: &Context<'_>, membership: &Membership, sink: &mut Sink) {
    let rules = context.rules();
    if !context.in_scope(membership.location.as_deref()) {
        return;
    }
    let plans = &context.look.names.plans;
    let label = plans.name(&membership.plan);
    let Some(groups) = plans.lookup(&rules.plans, &membership.plan) else {
        return sink.note(Note::UnmappedPlan(label.to_owned())); // R8: deny and say so
    };
    let keeps = membership.cancelled && !rules.cancel_revokes; // C1: only deactivation ends it
    if membership.cancelled && membership.ends.is_none() && !keeps {
        let id = membership.id.clone();
        return sink.warn(RuleWarning::CancelledWithoutDate { id: id.into() });
    }
    let ends = if keeps { None } else { membership.ends };
    // A plan's day is the calendar's: `day_starts` is about passes and whole-day bookings.
    let Some(running) = window::span(membership.starts, ends, context.book.zone(), 0) else {
        return; // the zone is unknown: said once, by the caller
    };
    if sink.is_empty("membership", &membership.id, running) {
        return;
    }
    let origin = Origin {
        kind: GrantKind::Plan,
        id: &membership.id,
        label,
    };
    let (person, team) = (membership.person.as_ref(), membership.team.as_deref());
    for (person, by_team) in context.look.crowd.contract(person, team, rules.team_rule) {
        if keeps && !groups.is_empty() && context.look.crowd.is_connected(person) {
            sink.note(Note::CancelledKeeps(format!(
                "{} ({person})",
                context.name(person)
            )));
        }
        if membership.pass_based && rules.restrict_on_exhaustion {
            only_with_passes(context, person, groups, running, origin, sink);
        } else {
            let rule = if by_team { 6 } else { 1 };
            sink.grant(context, person, groups, running, origin, rule, None);
        }
    }
}

/// R22: a plan that needs passes opens only while the holder has one left or one running.
fn only_with_passes(
    context: &Context<'_>,
    person: &PersonId,
    groups: &[GroupId],
    running: Window,
    origin: Origin<'_>,
    sink: &mut Sink,
) {
    let usable = context.passes_of(person).flat_map(|pass| usable(context, pass));
    let usable = window::union(usable.map(|usable| window::intersect(running, usable)).collect());
    if usable.is_empty() {
        sink.grant(
            context,
            person,
            groups,
            running,
            origin,
            22,
            Some(Reason::NoPassLeft),
        );
    }
    for usable in usable {
        sink.grant(context, person, groups, usable, origin, 22, None);
    }
}

/// When a pass counts as one: in its validity while one is left, and while one runs (R20, R23). Its hours are those of its
/// own groups, not of the plan's.
fn usable(context: &Context<'_>, pass: &Pass) -> Vec<Window> {
    if !context.in_scope(pass.location.as_deref()) {
        return Vec::new();
    }
    let zone = context.book.zone();
    let valid = window::span(pass.starts, pass.ends, zone, context.rules().day_starts);
    if valid.is_some_and(|valid| valid.is_empty()) {
        return Vec::new(); // said with the pass itself
    }
    let left = valid.filter(|_| pass.left != Some(0));
    left.into_iter().chain(super::passes::running(pass)).collect()
}

/// R9, R10: an assignment opens the groups of the resource, its floor and its location.
pub(super) fn assignment(context: &Context<'_>, assignment: &Assignment, sink: &mut Sink) {
    let rules = context.rules();
    let Some(resource) = context.resource(&assignment.resource) else {
        return sink.warn(unknown("assignment", &assignment.id, &assignment.resource));
    };
    if !context.in_scope(resource.location.as_deref()) {
        return;
    }
    let own = super::bookings::mapped(&rules.resources, resource);
    let floor = resource.floor.as_ref();
    let floor = floor.and_then(|floor| context.look.names.floors.lookup(&rules.floors, floor));
    let location = resource.location.as_ref();
    let location =
        location.and_then(|location| context.look.names.locations.lookup(&rules.locations, location));
    if own.is_none() && floor.is_none() && location.is_none() {
        return sink.note(Note::UnmappedAssignment(resource.name.to_string()));
    }
    let Some(running) = window::span(assignment.starts, assignment.ends, context.book.zone(), 0) else {
        return;
    };
    if sink.is_empty("assignment", &assignment.id, running) {
        return;
    }
    let origin = Origin {
        kind: GrantKind::Assignment,
        id: &assignment.id,
        label: &resource.name,
    };
    let (person, team) = (assignment.person.as_ref(), assignment.team.as_deref());
    for (person, _) in context.look.crowd.contract(person, team, rules.team_rule) {
        for (groups, rule) in [(own, 9), (floor, 10), (location, 10)] {
            sink.grant(
                context,
                person,
                groups.unwrap_or_default(),
                running,
                origin,
                rule,
                None,
            );
        }
    }
}

pub(super) fn unknown(kind: &'static str, id: &str, resource: &str) -> RuleWarning {
    RuleWarning::UnknownResource {
        kind,
        id: id.to_owned(),
        resource: resource.to_owned(),
    }
}

/// R11: groups given by hand on the platform. They last until the platform's own end, if it names one, and survive
/// everything but R5 and R31.
pub(super) fn person(context: &Context<'_>, person: &Person, sink: &mut Sink) {
    let rules = context.rules();
    let asks = rules.connect == Connect::NewOnly && person.door_access == DoorAccess::Auto;
    if asks && !person.deactivated && people::is_new(person, rules, context.book.zone()).is_none() {
        sink.note(Note::NoJoinDate);
    }
    if person.deactivated {
        return;
    }
    let connected = people::counts(person, rules, context.book.zone());
    let names = &context.look.names.groups;
    for group in &person.groups {
        let label = names.name(group);
        let Some(groups) = names.lookup(&rules.groups, group) else {
            if connected {
                sink.note(Note::UnmappedGroup(label.to_owned()));
            }
            continue;
        };
        let origin = Origin {
            kind: GrantKind::Direct,
            id: group,
            label,
        };
        let window = Window {
            until: person.group_ends.get(group).copied(),
            ..Window::ALWAYS
        };
        sink.grant(context, &person.id, groups, window, origin, 11, None);
    }
}
