//! What a scenario does at the space, in neutral words.

use super::{Customer, Spacebring, state};
use crate::{
    cloud::Line,
    office::{Attendance, Cannot, Office},
};
use std::{os::unix::fs::PermissionsExt, path::Path};

/// The key of a membership's metadata that holds card numbers.
const CARD_KEY: &str = "cardNumber";

/// The first instant of a local day in Madrid, so many days later. Unix milliseconds.
fn day(text: &str, later: i32) -> i64 {
    let day = text.parse::<jiff::civil::Date>().ok();
    let day = day.and_then(|day| day.checked_add(jiff::Span::new().days(later)).ok());
    let zone = jiff::tz::TimeZone::get("Europe/Madrid").ok();
    day.zip(zone)
        .and_then(|(day, zone)| day.to_zoned(zone).ok())
        .map_or(0, |at| at.timestamp().as_millisecond())
}

impl Office for Spacebring {
    fn platform(&self) -> &'static str {
        "spacebring"
    }

    fn cloud_section(&self, dir: &Path) -> String {
        let secret = |name: &str, text: &str| {
            let path = dir.join(name);
            // Left out on failure: the gateway then says which file it lacks.
            let _ = std::fs::write(&path, text);
            let _ = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600));
            path.display().to_string()
        };
        let client = secret("spacebring-secret", state::CLIENT_SECRET);
        let hooks = secret("spacebring-hooks", state::HOOK_SECRET);
        let location = self.edit(|space| space.location.clone());
        format!(
            "[cloud]\nkind = \"spacebring\"\ncard_format = \"uid\"\ntimeout_seconds = 5\n[cloud.spacebring]\nlocation = \"{location}\"\nclient_id = \"{}\"\nclient_secret = {{ file = \"{client}\" }}\nhook_secret = {{ file = \"{hooks}\" }}\nurl = \"{}\"\n",
            state::CLIENT_ID,
            self.url()
        )
    }

    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        let (given, family) = name.split_once(' ').unwrap_or((name, ""));
        let (member, subscription) = self.edit(|space| {
            let member = space.member(given, family, "member");
            if let Some(row) = space.members.iter_mut().find(|row| row.id == member) {
                row.email = email.to_owned();
            }
            let subscription = space.subscribe(Customer::User(member.clone()), plan, day(first_day, 0));
            (member, subscription)
        });
        self.tell_member(&member);
        self.tell_subscription(&subscription);
        member
    }

    fn give_card(&self, member: &str, uid: &str) {
        self.edit(|space| {
            let Some(row) = space.members.iter_mut().find(|row| row.id == member) else {
                return;
            };
            let held = row.metadata.get(CARD_KEY).and_then(|held| held.as_str());
            let held = held.map_or_else(|| uid.to_owned(), |held| format!("{held}, {uid}"));
            row.metadata.insert(CARD_KEY.into(), held.into());
        });
    }

    fn cancel(&self, member: &str, last_day: &str) {
        let ends = day(last_day, 1);
        let changed: Vec<String> = self.edit(|space| {
            let rows = space.subscriptions.iter_mut();
            let own = rows.filter(|row| row.customer.id() == member);
            own.map(|row| {
                row.end = Some(ends);
                row.id.clone()
            })
            .collect()
        });
        for id in changed {
            self.tell_subscription(&id);
        }
    }

    /// Deletes the membership: Spacebring has no switch for a person.
    fn deactivate(&self, member: &str) -> Result<(), Cannot> {
        let now = state::now();
        self.edit(|space| {
            for row in space.members.iter_mut().filter(|row| row.id == member) {
                row.deleted = Some(now);
            }
        });
        Ok(())
    }

    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        let id = self.edit(|space| space.book(member, resource, from, until));
        self.tell_booking(&id, "booking.created");
        id
    }

    fn invite(&self, booking: &str, member: &str) -> Result<(), Cannot> {
        self.edit(|space| {
            for row in space.bookings.iter_mut().filter(|row| row.id == booking) {
                row.attendees.push(Ok(member.to_owned()));
            }
        });
        self.tell_booking(booking, "booking.updated");
        Ok(())
    }

    fn move_booking(&self, booking: &str, from: i64, until: i64) {
        self.edit(|space| {
            for row in space.bookings.iter_mut().filter(|row| row.id == booking) {
                (row.start, row.end) = (from, until);
            }
        });
        self.tell_booking(booking, "booking.updated");
    }

    fn delete_booking(&self, booking: &str) {
        let now = state::now();
        self.edit(|space| {
            for row in space.bookings.iter_mut().filter(|row| row.id == booking) {
                row.deleted = Some(now);
            }
        });
        self.tell_booking(booking, "booking.deleted");
    }

    fn assign(&self, member: &str, resource: &str) -> Result<(), Cannot> {
        let changed = self.edit(|space| {
            let id = space.id();
            let resource = space
                .resources
                .iter()
                .find(|row| row.title == resource)?
                .id
                .clone();
            let row = space
                .subscriptions
                .iter_mut()
                .find(|row| row.customer.id() == member)?;
            row.assignments.push((id, resource));
            Some(row.id.clone())
        });
        match changed {
            Some(id) => self.tell_subscription(&id),
            None => return Err("Spacebring assigns a resource with a subscription; there is none".into()),
        }
        Ok(())
    }

    fn give_passes(&self, member: &str, _kind: &str, count: u32) -> Result<(), Cannot> {
        self.edit(|space| {
            let balance = super::Balance {
                amount: f64::from(count),
                allocation: count,
                expires: None,
                subscription: None,
            };
            space.balances.entry(member.to_owned()).or_default().push(balance);
        });
        Ok(())
    }

    /// None: there is no check-in of members.
    fn attendance(&self) -> Vec<Attendance> {
        Vec::new()
    }

    fn set_away(&self, away: bool) {
        self.set_line(if away { Line::Refusing } else { Line::Up });
    }

    fn send_hooks_to(&self, address: &str) -> Result<(), Cannot> {
        self.shared.hooks.to(address)
    }

    fn requests(&self) -> u64 {
        self.shared.lock().count
    }
}
