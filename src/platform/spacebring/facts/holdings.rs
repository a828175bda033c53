//! What people hold: subscriptions with what is assigned, bookings, day passes.

use super::{DAY_PASS, Draft, SALTO};
use crate::{
    domain::{
        Millis, PersonId, Text,
        facts::{self as neutral, Assignment, Pass, When},
    },
    platform::spacebring::model::{Balance, Booking, Item, Subscription},
};
use std::collections::BTreeMap;

impl Draft<'_> {
    /// A subscription: a membership for each of its plans, and what is assigned with it. Payment does not matter (R4).
    pub(in crate::platform::spacebring) fn subscription(&mut self, row: Subscription) {
        // `incomplete` was never paid for the first time, so it never became active; the others are over.
        if !matches!(row.status.as_deref(), Some("active" | "scheduled")) {
            return;
        }
        if !self.is_here(row.location_ref.as_deref()) {
            return;
        }
        let dates = [&row.start_date, &row.end_date, &row.delete_date];
        let [Ok(start), Ok(end), Ok(deleted)] =
            dates.map(|text| self.instant("memberships", &row.id, "date", text.as_deref()))
        else {
            return;
        };
        let (person, team) = self.holder(&row);
        if person.is_none() && team.is_none() {
            self.problem("memberships", 0, &row.id, "has no customer; left out");
            return;
        }
        let earliest = |a: Option<Millis>, b: Option<Millis>| a.into_iter().chain(b).min();
        let end = earliest(end, deleted);
        for item in row.items {
            let Some(plan) = self.plan_of(&item) else { continue };
            let dates = [&item.start_date, &item.end_date];
            let [Ok(from), Ok(until)] =
                dates.map(|text| self.instant("memberships", &row.id, "date of an item", text.as_deref()))
            else {
                continue;
            };
            let mut membership = neutral::Membership::new(format!("{}/{}", row.id, item.id), plan);
            membership.person.clone_from(&person);
            membership.team.clone_from(&team);
            membership.starts = start.max(from).map(When::At);
            membership.ends = earliest(end, until).map(When::At);
            membership.cancelled = deleted.is_some();
            membership.pass_based = item.day_passes.is_some_and(|count| count > 0.0);
            membership.location = Some(self.site.location.as_str().into());
            self.facts.memberships.push(membership);
        }
        for assigned in row.assignments {
            let Some(resource) = assigned.resource.and_then(|resource| resource.id) else {
                continue;
            };
            let mut assignment = Assignment::new(format!("{}/{}", row.id, assigned.id), resource);
            assignment.person.clone_from(&person);
            assignment.team.clone_from(&team);
            assignment.starts = start.map(When::At);
            assignment.ends = end.map(When::At);
            self.facts.assignments.push(assignment);
        }
    }

    fn holder(&mut self, row: &Subscription) -> (Option<PersonId>, Option<Text>) {
        let customer = row.customer.as_ref();
        let id = row
            .customer_ref
            .as_deref()
            .or_else(|| customer.and_then(|customer| customer.id.as_deref()));
        let kind = row
            .subscription_type
            .as_deref()
            .or_else(|| customer.and_then(|customer| customer.kind.as_deref()));
        if kind == Some("company") {
            let team = row.company_ref.as_deref().or(id);
            return (None, team.map(Text::from));
        }
        let user = row.user_ref.as_deref().or_else(|| {
            let user = customer.and_then(|customer| customer.user.as_ref());
            user.and_then(|user| user.id.as_deref())
        });
        (self.who(row.membership_ref.as_deref().or(id), user), None)
    }

    /// What a line of a subscription stands for in the mapping: its plan; or `salto:…` where staff chose another
    /// SALTO KS access group in this subscription than its plan has.
    fn plan_of(&self, item: &Item) -> Option<String> {
        let plan = item
            .plan_ref
            .clone()
            .or_else(|| item.plan.as_ref().and_then(|plan| plan.id.clone()));
        let own = item
            .saltoks_access_group_ref
            .as_deref()
            .filter(|group| !group.is_empty());
        let Some(own) = own else { return plan };
        let usual = plan
            .as_ref()
            .and_then(|plan| self.plans.get(plan))
            .cloned()
            .flatten();
        if usual.as_deref() == Some(own) {
            return plan;
        }
        Some(format!("{SALTO}{own}"))
    }

    /// One occurrence of a booking. Tentative ones first: one that is confirmed meanwhile then counts as confirmed.
    pub(in crate::platform::spacebring) fn booking(&mut self, row: Booking, tentative: bool) {
        let dates = [Some(&row.start_date), Some(&row.end_date)];
        let [Ok(Some(from)), Ok(Some(until))] =
            dates.map(|text| self.instant("bookings", &row.id, "date", text.map(String::as_str)))
        else {
            return;
        };
        if row.delete_date.is_some() {
            return;
        }
        let resource = row.resource_ref.unwrap_or_default();
        let mut booking = neutral::Booking::new(row.id, resource, from, until);
        let owner = row.membership_ref_owner.or(row.customer_ref);
        let user = row.user_owner.and_then(|user| user.id);
        booking.person = self.who(owner.as_deref(), user.as_deref());
        booking.tentative = tentative;
        for attendee in row.attendees {
            let user = attendee.user.and_then(|user| user.id);
            let person = self.who(attendee.membership_ref.as_deref(), user.as_deref());
            if let Some(person) = person.filter(|person| booking.person.as_ref() != Some(person))
                && !booking.invitees.contains(&person)
            {
                booking.invitees.push(person);
            }
        }
        booking.invitees.sort_unstable();
        if tentative {
            self.tentative.push(booking);
        } else {
            self.facts.bookings.push(booking);
        }
    }

    /// The day passes of a customer. The gateway counts none down (invariant 10).
    pub(in crate::platform::spacebring) fn passes(
        &mut self,
        customer: &str,
        company: bool,
        balances: &[Balance],
    ) {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for balance in balances {
            let Ok(ends) = self.instant(
                "passes",
                customer,
                "expirationDate",
                balance.expiration_date.as_deref(),
            ) else {
                continue;
            };
            let source = balance.subscription_ref.as_deref().unwrap_or("own");
            let base = format!("{customer}/{source}");
            let number = numbers.entry(base.clone()).or_default();
            *number += 1;
            let mut pass = Pass::new(format!("{base}/{number}"), DAY_PASS);
            if company {
                pass.team = Some(customer.into());
            } else {
                pass.person = Some(customer.into());
            }
            pass.left = Some(whole(balance.amount.unwrap_or_default()));
            pass.ends = ends.map(When::At);
            self.facts.passes.push(pass);
        }
    }
}

/// Whole passes; a part of one is none.
fn whole(amount: f64) -> u32 {
    let amount = amount.floor().clamp(0.0, f64::from(u32::MAX));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let amount = amount as u32;
    amount
}
