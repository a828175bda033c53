//! Passes: R20, R21, R23. They are never counted down here (invariant 10): what is left, and what runs, the platform says.

use super::{
    context::Context,
    sink::{Note, Origin, Sink},
    week, window,
};
use crate::domain::{GrantKind, Reason, Window, facts::Pass};

/// For how many days the hours of a pass are worked out day by day: passes of a month and a few days more. The hours of a longer
/// one are those of its groups (R40).
pub(super) const LONGEST_DAYS: usize = 35;

/// A pass opens the groups of its kind while one is left or one runs.
pub(super) fn pass(context: &Context<'_>, pass: &Pass, sink: &mut Sink) {
    let rules = context.rules();
    if !context.in_scope(pass.location.as_deref()) {
        return;
    }
    let kinds = &context.look.names.passes;
    let label = kinds.name(&pass.kind);
    let Some(groups) = kinds.lookup(&rules.passes, &pass.kind) else {
        return sink.note(Note::UnmappedPass(label.to_owned()));
    };
    let zone = context.book.zone();
    let valid = window::span(pass.starts, pass.ends, zone, rules.day_starts);
    if valid.is_some_and(|valid| sink.is_empty("pass", &pass.id, valid)) {
        return;
    }
    let origin = Origin {
        kind: GrantKind::Pass,
        id: &pass.id,
        label,
    };
    let mut by_hours = None;
    if let (Some(hours), Some(valid)) = (&pass.hours, valid) {
        by_hours = zone.and_then(|zone| within(hours, valid, zone));
        let narrowed = |group| context.book.groups.get(group).copied().unwrap_or(false);
        if by_hours.is_none() && !groups.is_empty() && !groups.iter().any(narrowed) {
            sink.note(Note::PassHours(label.to_owned()));
        }
    }
    for (person, _) in context
        .look
        .crowd
        .holders(pass.person.as_ref(), pass.team.as_deref())
    {
        match (&by_hours, valid) {
            // Used up: void, so that a refusal can say so (R20).
            (_, Some(valid)) if pass.left == Some(0) => {
                sink.grant(
                    context,
                    person,
                    groups,
                    valid,
                    origin,
                    20,
                    Some(Reason::NoPassLeft),
                );
            }
            (Some(windows), _) => {
                for window in windows {
                    sink.grant(context, person, groups, *window, origin, 21, None);
                }
            }
            (None, Some(valid)) => sink.grant(context, person, groups, valid, origin, 20, None),
            (None, None) => {} // the zone is unknown: said once, by the caller
        }
        if let Some(running) = running(pass) {
            sink.grant(context, person, groups, running, origin, 23, None);
        }
    }
}

/// The one that runs now, whatever is left and whenever the others begin: it has begun, and opens until it is over (R23, R26).
pub(super) fn running(pass: &Pass) -> Option<Window> {
    let until = Some(pass.running_until?);
    Some(Window { from: None, until })
}

/// The hours of a week within a validity of [`LONGEST_DAYS`] at most (R21). `None`: longer, or without an end.
fn within(
    hours: &crate::domain::opening::Week,
    valid: Window,
    zone: &jiff::tz::TimeZone,
) -> Option<Vec<Window>> {
    let days = week::days(valid, zone, LONGEST_DAYS + 1)?;
    // Hours over midnight may have begun on the day before.
    let before = days.first().and_then(|first| first.yesterday().ok());
    let open = before
        .into_iter()
        .chain(days)
        .flat_map(|day| week::on(hours, day, zone));
    Some(window::union(
        open.map(|open| window::intersect(valid, open)).collect(),
    ))
}
