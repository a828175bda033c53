//! The world as staff of a platform without an API export it: tables for people, made for spreadsheets.

use super::{Person, World};
use std::{fmt::Write as _, fs, io, path::Path};

/// Replaces `members.csv`, `bookings.csv` and `passes.csv` in the folder.
pub(super) fn write(folder: &Path, world: &World) -> io::Result<()> {
    replace(folder, "members.csv", &members(world))?;
    replace(folder, "bookings.csv", &bookings(world))?;
    replace(folder, "passes.csv", &passes(world))
}

/// Whole or not at all, as a browser's download is.
fn replace(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let beside = folder.join(format!(".{name}.part"));
    fs::write(&beside, text)?;
    fs::rename(beside, folder.join(name))
}

fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

fn row(table: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    let _ = writeln!(table, "{}", cells.join(",")); // writing to a String cannot fail
}

fn members(world: &World) -> String {
    let mut table = String::new();
    row(
        &mut table,
        &[
            "Member ID",
            "Full Name",
            "Email",
            "Company",
            "Membership Plan",
            "Status",
            "Start Date",
            "End Date",
            "Key Fob",
        ],
    );
    for person in &world.people {
        let fobs: Vec<&str> = person
            .credentials
            .iter()
            .map(|card| card.strip_prefix("uid:").unwrap_or(card))
            .collect();
        let fobs = fobs.join("; ");
        let own = world
            .memberships
            .iter()
            .filter(|it| it.person.as_ref() == Some(&person.id));
        let mut any = false;
        for membership in own {
            any = true;
            let status = if membership.cancelled {
                "Cancelled"
            } else {
                "Active"
            };
            let starts = membership.starts.as_deref().unwrap_or_default();
            let ends = membership.ends.as_deref().unwrap_or_default();
            member(
                &mut table,
                person,
                &membership.plan,
                status,
                (starts, ends),
                &fobs,
            );
        }
        if !any {
            member(&mut table, person, "", "Active", ("", ""), &fobs);
        }
    }
    table
}

fn member(table: &mut String, person: &Person, plan: &str, status: &str, days: (&str, &str), fobs: &str) {
    let status = if person.deactivated { "Deactivated" } else { status };
    let email = person.email.as_deref().unwrap_or_default();
    let team = person.team.as_deref().unwrap_or_default();
    let (starts, ends) = days;
    row(
        table,
        &[
            &person.id,
            &person.name,
            email,
            team,
            plan,
            status,
            starts,
            ends,
            fobs,
        ],
    );
}

fn bookings(world: &World) -> String {
    let mut table = String::new();
    row(
        &mut table,
        &[
            "Booking ID",
            "Room",
            "Type",
            "Member ID",
            "Start",
            "End",
            "Status",
        ],
    );
    for booking in &world.bookings {
        let resource = world.resources.iter().find(|it| it.id == booking.resource);
        let name = resource.map_or(booking.resource.as_str(), |it| it.name.as_str());
        let kind = resource.and_then(|it| it.kind.as_deref()).unwrap_or("room");
        let status = if booking.tentative { "Pending" } else { "Confirmed" };
        let person = booking.person.as_deref().unwrap_or_default();
        let cells = [
            booking.id.as_str(),
            name,
            kind,
            person,
            &booking.from,
            &booking.until,
            status,
        ];
        row(&mut table, &cells);
    }
    table
}

fn passes(world: &World) -> String {
    let mut table = String::new();
    row(
        &mut table,
        &[
            "Pass ID",
            "Pass",
            "Member ID",
            "Remaining",
            "Valid From",
            "Valid Until",
        ],
    );
    for pass in &world.passes {
        let left = pass.left.map(|left| left.to_string()).unwrap_or_default();
        let cells = [
            pass.id.as_str(),
            &pass.kind,
            pass.person.as_deref().unwrap_or_default(),
            &left,
            pass.starts.as_deref().unwrap_or_default(),
            pass.ends.as_deref().unwrap_or_default(),
        ];
        row(&mut table, &cells);
    }
    table
}
