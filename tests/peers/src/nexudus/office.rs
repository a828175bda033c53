//! What the staff of the space do.

use super::{
    ACS_TOKEN, BUSINESS, HOOK_SECRET, Nexudus, PASSWORD, USER, ZONE,
    state::{State, local, midnight, utc},
    tables::{Row, instant},
    world,
};
use crate::office::{Attendance, Cannot, Office};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn id(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

fn named(state: &State, path: &str, name: &str) -> Option<u64> {
    let found = state
        .rows(path)
        .find(|row| row.get("Name").and_then(Value::as_str) == Some(name))?;
    found.get("Id").and_then(Value::as_u64)
}

fn of(state: &State, path: &str, column: &str, wanted: u64) -> Vec<u64> {
    let holds = |row: &&Row| row.get(column).and_then(Value::as_u64) == Some(wanted);
    let ids = state.rows(path).filter(holds);
    ids.filter_map(|row| row.get("Id").and_then(Value::as_u64))
        .collect()
}

fn times(from: i64, until: i64) -> Value {
    json!({
        "FromTime": utc(from), "ToTime": utc(until), "FromTimeLocal": local(from, ZONE), "ToTimeLocal": local(until, ZONE),
    })
}

impl Nexudus {
    /// A secret in a file that only its owner may read.
    fn keep(dir: &Path, name: &str, text: &str) {
        let path = dir.join(name);
        let written = fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o600)));
        if let Err(error) = written {
            eprintln_once(&path, &error);
        }
    }

    /// Signs a customer up for another contract; the contract's id.
    pub fn contract(&self, member: u64, plan: &str, first_day: &str) -> u64 {
        let (tariff, start) = {
            let state = self.shared.lock();
            (named(&state, "billing/tariffs", plan), midnight(first_day, ZONE))
        };
        self.add(
            "billing/coworkercontracts",
            &json!({
                "IssuedById": BUSINESS, "IssuedByName": "Harbour", "CoworkerId": member, "TariffId": tariff, "TariffName": plan,
                "StartDate": utc(start), "StartDateLocal": local(start, ZONE), "Active": true, "Cancelled": false,
            }),
        )
    }

    /// Who is in a team, on both sides: in the team's record and in each customer's.
    pub fn team(&self, team: u64, members: &[u64]) {
        let all: Vec<u64> = self
            .rows("spaces/coworkers")
            .iter()
            .filter_map(|row| row.get("Id")?.as_u64())
            .collect();
        for coworker in all {
            let row = self.row("spaces/coworkers", coworker).unwrap_or_default();
            let mut teams: Vec<u64> = row
                .get("Teams")
                .and_then(Value::as_array)
                .map(|teams| teams.iter().filter_map(Value::as_u64).collect())
                .unwrap_or_default();
            let (was, is) = (teams.contains(&team), members.contains(&coworker));
            if was != is {
                teams.retain(|held| *held != team);
                teams.extend(is.then_some(team));
                let mut state = self.shared.lock();
                state.set("spaces/coworkers", coworker, &json!({ "Teams": teams }));
            }
        }
        let ids: Vec<String> = members.iter().map(u64::to_string).collect();
        self.set(
            "spaces/teams",
            team,
            &json!({ "TeamMembers": members, "CoworkerIds": ids.join(",") }),
        );
    }

    /// A visitor who is no customer, or an e-mail address of one, at a booking; the visitor's record.
    pub fn visitor(&self, booking: u64, name: &str, email: &str) -> u64 {
        let visitor = self.add(
            "spaces/bookingvisitors",
            &json!({ "BookingId": booking, "VisitorFullName": name, "VisitorEmail": email }),
        );
        self.shared.lock().set(
            "spaces/bookingvisitors",
            visitor,
            &json!({ "VisitorId": visitor + 70_000 }),
        );
        let visitors = of(
            &self.shared.lock(),
            "spaces/bookingvisitors",
            "BookingId",
            booking,
        );
        self.set(
            "spaces/bookings",
            booking,
            &json!({ "BookingVisitors": visitors }),
        );
        visitor
    }
}

/// A test that cannot write its secrets fails at the gateway's start, which says so; this says why.
#[expect(clippy::print_stderr, reason = "the only way for a simulator to say why")]
fn eprintln_once(path: &Path, error: &std::io::Error) {
    eprintln!("{}: {error}", path.display());
}

impl Office for Nexudus {
    fn platform(&self) -> &'static str {
        "nexudus"
    }

    fn cloud_section(&self, dir: &Path) -> String {
        Self::keep(dir, "nexudus-password", PASSWORD);
        Self::keep(dir, "nexudus-hooks", HOOK_SECRET);
        Self::keep(dir, "nexudus-acs", ACS_TOKEN);
        let dir = dir.display();
        format!(
            r#"[cloud]
kind = "nexudus"
timeout_seconds = 2
[cloud.nexudus]
user = "{USER}"
password = {{ file = "{dir}/nexudus-password" }}
business = {BUSINESS}
url = "{}"
hook_secret = {{ file = "{dir}/nexudus-hooks" }}
acs_token = {{ file = "{dir}/nexudus-acs" }}
"#,
            self.url()
        )
    }

    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        let member = world::coworker(&mut self.shared.lock(), name, email);
        self.contract(member, plan, first_day);
        self.set("spaces/coworkers", member, &json!({}));
        member.to_string()
    }

    fn give_card(&self, member: &str, uid: &str) {
        let member = id(member);
        let held = self
            .row("spaces/coworkers", member)
            .and_then(|row| row.get("AccessCardId")?.as_str().map(str::to_owned));
        let cards = held.map_or_else(|| uid.to_owned(), |held| format!("{held},{uid}"));
        self.set("spaces/coworkers", member, &json!({ "AccessCardId": cards }));
    }

    fn cancel(&self, member: &str, last_day: &str) {
        let at = midnight(last_day, ZONE);
        let contracts = of(
            &self.shared.lock(),
            "billing/coworkercontracts",
            "CoworkerId",
            id(member),
        );
        for contract in contracts {
            self.set(
                "billing/coworkercontracts",
                contract,
                &json!({ "Cancelled": true, "CancellationDate": utc(at), "CancellationDateLocal": local(at, ZONE) }),
            );
        }
    }

    fn deactivate(&self, member: &str) -> Result<(), Cannot> {
        self.set("spaces/coworkers", id(member), &json!({ "Active": false }));
        Ok(())
    }

    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        let (room, desk) = {
            let state = self.shared.lock();
            let room = named(&state, "spaces/resources", resource);
            let desk = of(&state, "sys/floorplandesks", "ResourceId", room.unwrap_or(0));
            (room, desk.first().copied())
        };
        let mut booking = times(from, until);
        if let Some(booking) = booking.as_object_mut() {
            booking.insert("ResourceId".into(), json!(room));
            booking.insert("ResourceName".into(), json!(resource));
            booking.insert("FloorPlanDeskId".into(), json!(desk));
            booking.insert("CoworkerId".into(), json!(id(member)));
            booking.insert("Tentative".into(), json!(false));
        }
        self.add("spaces/bookings", &booking).to_string()
    }

    fn invite(&self, booking: &str, member: &str) -> Result<(), Cannot> {
        let row = self
            .row("spaces/coworkers", id(member))
            .ok_or("nobody has this id")?;
        let text = |column: &str| {
            row.get(column)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        self.visitor(id(booking), &text("FullName"), &text("Email"));
        Ok(())
    }

    fn move_booking(&self, booking: &str, from: i64, until: i64) {
        self.set("spaces/bookings", id(booking), &times(from, until));
    }

    fn delete_booking(&self, booking: &str) {
        self.remove("spaces/bookings", id(booking));
    }

    fn assign(&self, member: &str, resource: &str) -> Result<(), Cannot> {
        let (contracts, item) = {
            let state = self.shared.lock();
            (
                of(&state, "billing/coworkercontracts", "CoworkerId", id(member)),
                named(&state, "sys/floorplandesks", resource),
            )
        };
        let contract = contracts.first().ok_or("the member has no contract")?;
        let item = item.ok_or("no floor plan has an item of this name")?;
        self.set(
            "sys/floorplandesks",
            item,
            &json!({ "CoworkerId": id(member), "CoworkerContractIds": contract.to_string() }),
        );
        Ok(())
    }

    fn give_passes(&self, member: &str, kind: &str, count: u32) -> Result<(), Cannot> {
        let pass = named(&self.shared.lock(), "billing/timepasses", kind).ok_or("there is no such pass")?;
        self.add(
            "billing/coworkertimepasses",
            &json!({
                "CoworkerId": id(member), "BusinessId": BUSINESS, "TimePassId": pass, "TimePassName": kind, "Used": false,
                "CheckedIn": false, "RemainingUses": count, "TotalUses": count, "IsFromTariff": false,
            }),
        );
        Ok(())
    }

    fn attendance(&self) -> Vec<Attendance> {
        let rows = self.rows("spaces/checkins");
        let entry = |row: &Row| {
            Some(Attendance {
                member: row.get("CoworkerId")?.as_u64()?.to_string(),
                from: instant(row.get("FromTime"))?,
                until: instant(row.get("ToTime")),
            })
        };
        let mut entries: Vec<Attendance> = rows.iter().filter_map(entry).collect();
        entries.sort_by_key(|entry| entry.from);
        entries
    }

    fn set_away(&self, away: bool) {
        self.shared.lock().faults.away = away;
    }

    fn send_hooks_to(&self, address: &str) -> Result<(), Cannot> {
        self.shared.hooks.send_to(address, HOOK_SECRET);
        Ok(())
    }

    fn requests(&self) -> u64 {
        u64::try_from(self.shared.lock().requests.len()).unwrap_or(u64::MAX)
    }
}
