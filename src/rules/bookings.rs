//! Bookings: R12 to R19.

use super::{
    RuleWarning,
    context::Context,
    plans::unknown,
    sink::{Origin, Sink},
    week, window,
};
use crate::{
    config::model::{BookingWindow, Mapping, RulesConfig},
    domain::{
        GrantKind, GroupId, Reason, Window,
        facts::{Booking, Resource, ResourceKind, Standing},
    },
};
use std::time::Duration;

/// How many days of a booking follow a schedule. A longer one is most likely a slip, and is refused with a warning.
const LONGEST_DAYS: usize = 400;

/// A booking of a mapped resource opens its groups for the booking and its buffers. A resource that is not mapped has no
/// door of its own; that is normal and no warning.
pub(super) fn booking(context: &Context<'_>, booking: &Booking, sink: &mut Sink) {
    let rules = context.rules();
    let Some(resource) = context.resource(&booking.resource) else {
        return sink.warn(unknown("booking", &booking.id, &booking.resource));
    };
    let Some(groups) = mapped(&rules.resources, resource) else {
        return;
    };
    if !context.in_scope(resource.location.as_deref())
        || sink.is_empty(
            "booking",
            &booking.id,
            Window::between(booking.from, booking.until),
        )
    {
        return;
    }
    // R19: nothing until it is confirmed; void, so that a refusal can say so.
    let void = (booking.tentative && !rules.grant_tentative).then_some(Reason::NotConfirmed);
    let cited = |rule: u8| if void.is_some() { 19 } else { rule };
    let is_desk = resource.kind == ResourceKind::Desk;
    let job = Job {
        context,
        booking,
        resource,
        how: How::of(rules, is_desk),
    };
    let origin = Origin {
        kind: GrantKind::Booking,
        id: &booking.id,
        label: &resource.name,
    };
    let standing = |id| context.look.crowd.standing(id);
    let booker = booking.person.as_ref();
    if let Some((person, standing)) = booker.and_then(|id| Some((id, standing(id)?)))
        && (standing != Standing::External || rules.grant_external)
    {
        for window in job.windows(standing, sink) {
            let rule = cited(if is_desk { 17 } else { 12 });
            sink.grant(context, person, groups, window, origin, rule, void);
        }
    }
    let invites = if is_desk {
        rules.grant_desk_invitees
    } else {
        rules.grant_invitees
    };
    for id in booking
        .invitees
        .iter()
        .filter(|id| invites && booker != Some(*id))
    {
        let Some(standing) = standing(id) else { continue };
        for window in job.windows(standing, sink) {
            sink.grant(context, id, groups, window, origin, cited(14), void);
        }
    }
}

/// A resource's groups, by its id or else by its name.
pub(super) fn mapped<'a>(map: &'a Mapping, resource: &Resource) -> Option<&'a [GroupId]> {
    map.get(resource.id.as_str())
        .or_else(|| map.get(resource.name.as_str()))
        .map(Vec::as_slice)
}

/// What kind of window, and its buffers.
struct How {
    window: BookingWindow,
    before: Duration,
    after: Duration,
}

impl How {
    const fn of(rules: &RulesConfig, is_desk: bool) -> Self {
        if is_desk {
            Self {
                window: rules.desk_window,
                before: rules.desk_before,
                after: rules.desk_after,
            }
        } else {
            Self {
                window: rules.room_window,
                before: rules.room_before,
                after: rules.room_after,
            }
        }
    }
}

struct Job<'a> {
    context: &'a Context<'a>,
    booking: &'a Booking,
    resource: &'a Resource,
    how: How,
}

impl Job<'_> {
    /// When it opens to somebody of this standing.
    fn windows(&self, standing: Standing, sink: &mut Sink) -> Vec<Window> {
        let (from, until) = (self.booking.from, self.booking.until);
        let own = || vec![window::buffered(from, until, self.how.before, self.how.after)];
        let zone = self.context.book.zone();
        match (self.how.window, &self.resource.opening) {
            (BookingWindow::Booking, _) => own(),
            (BookingWindow::WholeDay, _) => {
                let day_starts = self.context.rules().day_starts;
                let whole = zone.and_then(|zone| window::whole_days(from, until, zone, day_starts));
                whole.into_iter().collect()
            }
            (BookingWindow::Schedule, None) => {
                let resource = self.resource.name.clone();
                sink.warn(RuleWarning::NoSchedule {
                    resource: resource.into(),
                });
                own()
            }
            (BookingWindow::Schedule, Some(opening)) => {
                let other = self.context.rules().public_schedule_for_others && standing != Standing::Member;
                let week = if other {
                    opening.public.as_ref()
                } else {
                    Some(&opening.default)
                };
                // Without public hours it is not open to them (R17).
                week.map(|week| self.by_schedule(week, sink)).unwrap_or_default()
            }
        }
    }

    /// The hours of each day of the booking, with the buffers; those that touch are one. A closed day has none (R17).
    fn by_schedule(&self, hours: &crate::domain::opening::Week, sink: &mut Sink) -> Vec<Window> {
        let Some(zone) = self.context.book.zone() else {
            return Vec::new();
        };
        let booked = Window::between(self.booking.from, self.booking.until);
        let Some(days) = week::days(booked, zone, LONGEST_DAYS) else {
            sink.warn(RuleWarning::TooLong {
                id: self.booking.id.to_string(),
                days: LONGEST_DAYS,
            });
            return Vec::new();
        };
        let open = days.into_iter().flat_map(|day| week::on(hours, day, zone));
        let buffered = open.filter_map(|open| {
            Some(window::buffered(
                open.from?,
                open.until?,
                self.how.before,
                self.how.after,
            ))
        });
        window::union(buffered.collect())
    }
}
