//! The space's staff, and the same told in the words of every platform.

use super::{
    Cobot, EVENTS, time,
    world::{Allocation, Subscription, Token, World},
};
use crate::office::{Attendance, Cannot, Office};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

impl Cobot {
    /// Changes something and tells whoever subscribed to `event`, with the address `/api/PATH/ID`.
    pub fn change<R>(&self, event: &str, path: &str, change: impl FnOnce(&mut World) -> (String, R)) -> R {
        let mut inner = self.shared.lock();
        let (id, result) = change(&mut inner.world);
        let body = json!({ "url": format!("{}/api/{path}/{id}", inner.address) });
        self.shared.hooks.tell(&inner, event, &body);
        result
    }

    /// Confirms an external booking, which is a booking of the room from then on.
    pub fn approve(&self, external: &str) {
        self.change("approved_external_booking", "external_bookings", |world| {
            let id = world.id("booking");
            if let Some(it) = world.externals.iter_mut().find(|it| it.id == external) {
                it.status = "approved".into();
                let booking = super::Booking {
                    id,
                    resource: it.resource.clone(),
                    external: Some(it.id.clone()),
                    from: it.from,
                    until: it.until,
                    ..super::Booking::default()
                };
                world.bookings.push(booking);
            }
            (external.to_owned(), ())
        });
    }

    /// Moves a member to another plan: the day before is the last one of the old plan.
    pub fn change_plan(&self, member: &str, plan: &str, day: &str) {
        self.change("changed_membership_plan", "memberships", |world| {
            let last = day.parse::<jiff::civil::Date>().and_then(|day| day.yesterday());
            let last = last.map_or_else(|_| day.to_owned(), |last| last.to_string());
            let open = |row: &&mut super::PlanRow| row.membership == member && row.canceled.is_none();
            if let Some(row) = world.plan_rows.iter_mut().find(open) {
                row.canceled = Some(last);
            }
            let row = super::PlanRow {
                id: world.id("plan"),
                membership: member.to_owned(),
                name: plan.to_owned(),
                starts: day.to_owned(),
                canceled: None,
            };
            world.plan_rows.push(row);
            (member.to_owned(), ())
        });
    }
}

impl Office for Cobot {
    fn platform(&self) -> &'static str {
        "cobot"
    }

    fn cloud_section(&self, dir: &Path) -> String {
        let path = dir.join("cobot-token");
        let written = fs::write(&path, self.token())
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)));
        if written.is_err() {
            return String::new(); // the gateway then says what is missing
        }
        format!(
            "[cloud]\nkind = \"cobot\"\n[cloud.cobot]\nsubdomain = \"{}\"\ntoken = {{ file = \"{}\" }}\nurl = \"{}\"\nsite_url = \"{}\"\n",
            self.edit(|world| world.subdomain.clone()),
            path.display(),
            self.url(),
            self.url(),
        )
    }

    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        self.change("confirmed_membership", "memberships", |world| {
            let id = world.join(name, email, plan, first_day);
            (id.clone(), id)
        })
    }

    fn give_card(&self, member: &str, uid: &str) {
        let mut inner = self.shared.lock();
        let new = Token {
            token: uid.to_owned(),
            membership: member.to_owned(),
        };
        inner.world.tokens.push(new);
        let body = json!({ "url": format!("{}/api/check_in_tokens", inner.address) });
        self.shared.hooks.tell(&inner, "created_checkin_token", &body);
    }

    fn cancel(&self, member: &str, last_day: &str) {
        self.change("canceled_membership", "memberships", |world| {
            if let Some(it) = world.members.iter_mut().find(|it| it.id == member) {
                it.canceled = Some(last_day.to_owned());
            }
            (member.to_owned(), ())
        });
    }

    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        self.change("created_booking", "bookings", |world| {
            let resource = world.resource_named(resource).map(|it| it.id.clone());
            let id = world.book(Some(member), &resource.unwrap_or_default(), from, until);
            (id.clone(), id)
        })
    }

    fn invite(&self, booking: &str, member: &str) -> Result<(), Cannot> {
        self.change("updated_booking", "bookings", |world| {
            let email = world.member(member).map(|it| it.email.clone());
            let it = world.bookings.iter_mut().find(|it| it.id == booking);
            let done = match (it, email) {
                (Some(it), Some(email)) => {
                    it.attendees.push(email);
                    Ok(())
                }
                _ => Err("there is no such booking or member".to_owned()),
            };
            (booking.to_owned(), done)
        })
    }

    fn move_booking(&self, booking: &str, from: i64, until: i64) {
        self.change("updated_booking", "bookings", |world| {
            if let Some(it) = world.bookings.iter_mut().find(|it| it.id == booking) {
                (it.from, it.until) = (from, until);
            }
            (booking.to_owned(), ())
        });
    }

    fn delete_booking(&self, booking: &str) {
        let mut inner = self.shared.lock();
        let found = inner.world.bookings.iter().find(|it| it.id == booking);
        // The whole object, because its address leads nowhere any more.
        let body: Option<Value> = found.map(|it| {
            json!({
                "id": it.id, "from": time::old(it.from), "to": time::old(it.until), "title": null,
                "membership": it.membership.as_ref().map(|id| json!({ "id": id })),
                "resource": { "id": it.resource },
                "url": format!("{}/api/bookings/{}", inner.address, it.id),
            })
        });
        inner.world.bookings.retain(|it| it.id != booking);
        if let Some(body) = body {
            self.shared.hooks.tell(&inner, "deleted_booking", &body);
        }
    }

    fn assign(&self, member: &str, resource: &str) -> Result<(), Cannot> {
        self.change("created_allocation", "allocations", |world| {
            let Some(resource) = world.resource_named(resource).map(|it| it.id.clone()) else {
                return (String::new(), Err(format!("there is no {resource}")));
            };
            let id = world.id("allocation");
            world.allocations.push(Allocation {
                id: id.clone(),
                resource,
                to: member.to_owned(),
                team: false,
                starts: "2020-01-01".into(),
                canceled: None,
            });
            (id, Ok(()))
        })
    }

    fn give_passes(&self, member: &str, kind: &str, count: u32) -> Result<(), Cannot> {
        self.change("membership_added_time_passes", "memberships", |world| {
            let known = world.pass_kinds.iter().any(|it| it.name == kind);
            if known {
                world.give_passes(member, kind, count);
            }
            let done = known
                .then_some(())
                .ok_or_else(|| format!("there is no pass {kind}"));
            (member.to_owned(), done)
        })
    }

    fn attendance(&self) -> Vec<Attendance> {
        let all = self.edit(|world| world.sessions.clone());
        all.into_iter()
            .map(|it| Attendance {
                member: it.membership,
                from: it.from,
                until: Some(it.until),
            })
            .collect()
    }

    fn set_away(&self, away: bool) {
        self.set_down(away);
    }

    fn send_hooks_to(&self, address: &str) -> Result<(), Cannot> {
        self.edit(|world| {
            for event in EVENTS {
                let id = world.id("subscription");
                world.subscriptions.push(Subscription {
                    id,
                    event: (*event).to_owned(),
                    callback: address.to_owned(),
                    active: true,
                });
            }
        });
        Ok(())
    }

    fn requests(&self) -> u64 {
        u64::try_from(self.log().len()).unwrap_or(u64::MAX)
    }
}
