//! The neutral words of `Office`, as OfficeRnD has them.

use super::{
    CARD_PROPERTY, CLIENT, CLIENT_SECRET, ORGANIZATION, OfficeRnd, hooks, seed,
    state::{instant, millis, text},
};
use crate::office::{Attendance, Cannot, Office};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

/// The secret of the web hooks that staff set up by hand.
pub const HOOK_SECRET: &str = "officernd-hook-secret";

fn set(row: &mut Value, field: &str, value: Value) {
    if let Some(fields) = row.as_object_mut() {
        fields.insert(field.to_owned(), value);
    }
}

/// A day as the platform writes one: midnight UTC.
fn day(day: &str) -> String {
    format!("{day}T00:00:00.000Z")
}

impl OfficeRnd {
    fn location(&self) -> String {
        self.with(|state| {
            let first = state.list("locations").first();
            first.map(|row| text(row, "_id").to_owned()).unwrap_or_default()
        })
    }

    fn memberships_of(&self, member: &str) -> Vec<String> {
        self.with(|state| {
            let all = state.list("memberships").iter();
            let theirs = all.filter(|row| text(row, "member") == member);
            theirs.map(|row| text(row, "_id").to_owned()).collect()
        })
    }

    /// A membership without a member: the whole company's. Its id.
    pub fn join_company(&self, company: &str, plan: &str, first_day: &str) -> String {
        let row = json!({
            "name": plan, "status": "approved", "calculatedStatus": "active", "type": "month_to_month",
            "location": self.location(), "plan": self.id_of("plans", plan), "company": company,
            "startDate": day(first_day), "endDate": null, "isPersonal": false,
        });
        self.add("memberships", row)
    }

    /// Midnight comes for a check-in: it ends, and a pass is used.
    pub fn midnight(&self, check_in: &str) {
        self.with(|state| {
            let end = state
                .get("checkins", check_in)
                .and_then(|row| millis(text(row, "start")));
            let end = end.and_then(super::api::midnight_after);
            state.update("checkins", check_in, |row| set(row, "end", json!(end)));
            super::checkins::deduct(state, check_in);
        });
    }

    /// A signature as the platform makes it, for deliveries that a test makes itself.
    #[must_use]
    pub fn sign(&self, secret: &str, body: &str, seconds: i64) -> String {
        hooks::signature(secret, body, seconds)
    }
}

impl Office for OfficeRnd {
    fn platform(&self) -> &'static str {
        "officernd"
    }

    fn cloud_section(&self, dir: &Path) -> String {
        for (name, secret) in [
            ("officernd-secret", CLIENT_SECRET),
            ("officernd-hooks", HOOK_SECRET),
        ] {
            let path = dir.join(name);
            let written = fs::write(&path, secret)
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)));
            assert!(written.is_ok(), "{} cannot be written", path.display());
        }
        format!(
            "[cloud]\nkind = \"officernd\"\n\n[cloud.officernd]\norganization = \"{ORGANIZATION}\"\nclient_id = \"{CLIENT}\"\n\
             client_secret = {{ file = \"{dir}/officernd-secret\" }}\ncard_property = \"{CARD_PROPERTY}\"\nurl = \"{url}\"\n\
             identity_url = \"{url}\"\nhook_secret = {{ file = \"{dir}/officernd-hooks\" }}\n",
            dir = dir.display(),
            url = self.url(),
        )
    }

    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        let location = self.location();
        let member = self.add("members", seed::member(name, email, &location));
        let begun =
            millis(&day(first_day)).is_none_or(|first| first <= self.with(|state| state.server_now()));
        let row = json!({
            "name": plan, "status": "approved", "calculatedStatus": if begun { "active" } else { "not_started" },
            "type": "month_to_month", "location": location, "plan": self.id_of("plans", plan), "company": null,
            "member": member, "startDate": day(first_day), "endDate": null, "isPersonal": true,
        });
        let membership = self.add("memberships", row);
        if plan == seed::PASS_PLAN {
            // It includes passes by the month, the first of them with the next renewal.
            let allowance = json!({
                "count": 0, "usedCount": 0, "intervalLength": "month", "startDate": day(first_day), "endDate": null,
                "validFrom": day(first_day), "validTo": null, "company": null, "member": member, "isPersonal": true,
                "membership": membership, "shouldGrantActiveStatus": false, "status": "used",
            });
            self.add("passes", allowance);
        }
        member
    }

    fn give_card(&self, member: &str, uid: &str) {
        self.change("members", member, |row| {
            set(row, "properties", json!({CARD_PROPERTY: uid}));
        });
    }

    fn cancel(&self, member: &str, last_day: &str) {
        for id in self.memberships_of(member) {
            self.change("memberships", &id, |row| {
                set(row, "endDate", json!(day(last_day)))
            });
        }
    }

    fn deactivate(&self, member: &str) -> Result<(), Cannot> {
        self.change("members", member, |row| set(row, "status", json!("former")));
        Ok(())
    }

    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        let row = json!({
            "timezone": "Europe/Madrid", "start": instant(from), "end": instant(until),
            "location": self.location(), "company": null, "member": member,
            "resource": self.id_of("resources", resource), "isCancelled": false, "isTentative": false,
            "visitors": [], "members": [], "serviceSlots": {"before": 0, "after": 0},
        });
        self.add("bookings", row)
    }

    fn invite(&self, booking: &str, member: &str) -> Result<(), Cannot> {
        self.change("bookings", booking, |row| {
            if let Some(members) = row.get_mut("members").and_then(Value::as_array_mut) {
                members.push(json!(member));
            }
        });
        Ok(())
    }

    fn move_booking(&self, booking: &str, from: i64, until: i64) {
        self.change("bookings", booking, |row| {
            set(row, "start", json!(instant(from)));
            set(row, "end", json!(instant(until)));
        });
    }

    fn delete_booking(&self, booking: &str) {
        self.change("bookings", booking, |row| set(row, "isCancelled", json!(true)));
    }

    fn assign(&self, member: &str, resource: &str) -> Result<(), Cannot> {
        let Some(membership) = self.memberships_of(member).into_iter().next() else {
            return Err("OfficeRnD assigns to a membership, and this member has none".into());
        };
        let row = json!({
            "resource": self.id_of("resources", resource), "membership": membership,
            "startDate": "2020-01-01T00:00:00.000Z", "endDate": null,
        });
        self.add("assignments", row);
        Ok(())
    }

    fn give_passes(&self, member: &str, _kind: &str, count: u32) -> Result<(), Cannot> {
        let row = json!({
            "count": count, "usedCount": 0, "intervalLength": "once", "startDate": "2020-01-01T00:00:00.000Z",
            "endDate": null, "validFrom": "2020-01-01T00:00:00.000Z", "validTo": null, "company": null,
            "member": member, "isPersonal": true, "shouldGrantActiveStatus": false, "status": "valid",
        });
        self.add("passes", row);
        Ok(())
    }

    fn attendance(&self) -> Vec<Attendance> {
        self.with(|state| {
            let one = |row: &Value| {
                Some(Attendance {
                    member: text(row, "member").to_owned(),
                    from: millis(text(row, "start"))?,
                    until: millis(text(row, "end")),
                })
            };
            let mut all: Vec<Attendance> = state.list("checkins").iter().filter_map(one).collect();
            all.sort_by_key(|entry| entry.from);
            all
        })
    }

    fn set_away(&self, away: bool) {
        self.with(|state| state.faults.away = away);
    }

    fn send_hooks_to(&self, address: &str) -> Result<(), Cannot> {
        self.with(|state| {
            let row = json!({"url": address, "isEnabled": true, "secret": HOOK_SECRET, "eventTypes": []});
            state.insert("webhooks", row);
        });
        Ok(())
    }

    fn requests(&self) -> u64 {
        self.with(|state| u64::try_from(state.asked.len()).unwrap_or(u64::MAX))
    }
}
