//! The reference cloud, and Coworks' exports, as a simulated platform with its staff.

use super::{
    Assignment, Booking, Cloud, Item, Membership, Named, Options, Pass, Person, Resource, World, export,
};
use crate::office::{Attendance, Cannot, Office};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// What both begin with: a location with a room, a desk and an office.
fn building() -> World {
    let resource = |id: &str, name: &str, kind: &str| Resource {
        id: id.into(),
        name: name.into(),
        kind: Some(kind.into()),
        floor: Some("First floor".into()),
        location: Some("Harbour".into()),
        ..Resource::default()
    };
    World {
        resources: vec![
            resource("r-blue", "Blue room", "room"),
            resource("r-desk-1", "Desk 1", "desk"),
            resource("r-office-2", "Office 2", "office"),
        ],
        locations: vec![Named {
            id: "Harbour".into(),
            name: "Harbour".into(),
        }],
        floors: vec![Named {
            id: "First floor".into(),
            name: "First floor".into(),
        }],
        ..World::default()
    }
}

/// A new id of a collection.
fn next<T: Item>(prefix: &str, items: &[T]) -> String {
    let taken = |id: &String| items.iter().any(|item| item.id() == id);
    (items.len() + 1..)
        .map(|number| format!("{prefix}-{number}"))
        .find(|id| !taken(id))
        .unwrap_or_default()
}

/// RFC 3339.
pub(super) fn instant(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |at| at.to_string())
}

/// Writes a file that only its owner may read: a gateway refuses any other.
fn keep_secret(file: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// What staff do, whichever way the world reaches the gateway.
trait Staff {
    fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R;

    fn joined(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        self.change(|world| {
            let id = next("p", &world.people);
            world.people.push(Person {
                id: id.clone(),
                name: name.into(),
                email: Some(email.into()),
                ..Person::default()
            });
            world.memberships.push(Membership {
                id: next("m", &world.memberships),
                plan: plan.into(),
                person: Some(id.clone()),
                starts: Some(first_day.into()),
                ..Membership::default()
            });
            id
        })
    }

    fn person(&self, member: &str, change: impl FnOnce(&mut Person)) {
        self.change(|world| {
            if let Some(person) = world.people.iter_mut().find(|person| person.id == member) {
                change(person);
            }
        });
    }

    fn carded(&self, member: &str, uid: &str) {
        let digits: String = uid.chars().filter(char::is_ascii_hexdigit).collect();
        let card = format!("uid:{}", digits.to_ascii_uppercase());
        self.person(member, |person| {
            if !person.credentials.contains(&card) {
                person.credentials.push(card);
            }
        });
    }

    fn cancelled(&self, member: &str, last_day: &str) {
        self.change(|world| {
            let own = world.memberships.iter_mut();
            for membership in own.filter(|it| it.person.as_deref() == Some(member)) {
                membership.ends = Some(last_day.into());
                membership.cancelled = true;
            }
        });
    }

    fn booked(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        self.change(|world| {
            let id = next("b", &world.bookings);
            let resource = named(world, resource).unwrap_or_default();
            world.bookings.push(Booking {
                id: id.clone(),
                resource,
                person: Some(member.into()),
                from: instant(from),
                until: instant(until),
                ..Booking::default()
            });
            id
        })
    }

    fn booking(&self, booking: &str, change: impl FnOnce(&mut Booking)) -> Result<(), Cannot> {
        self.change(|world| {
            let found = world.bookings.iter_mut().find(|it| it.id == booking);
            found
                .map(change)
                .ok_or_else(|| format!("there is no booking {booking}"))
        })
    }

    fn unbooked(&self, booking: &str) {
        self.change(|world| world.bookings.retain(|it| it.id != booking));
    }

    fn sold(&self, member: &str, kind: &str, count: u32) {
        self.change(|world| {
            let id = next("pass", &world.passes);
            world.passes.push(Pass {
                id,
                kind: kind.into(),
                person: Some(member.into()),
                left: Some(count.into()),
                ..Pass::default()
            });
        });
    }
}

fn named(world: &World, resource: &str) -> Option<String> {
    let found = world
        .resources
        .iter()
        .find(|it| it.name == resource || it.id == resource);
    found.map(|it| it.id.clone())
}

/// The reference cloud with staff.
#[derive(Debug)]
pub struct ContractOffice {
    cloud: Cloud,
}

impl ContractOffice {
    /// Opens it: location "Harbour" with "Blue room", "Desk 1" and "Office 2"; plans and passes are whatever is sold.
    ///
    /// # Errors
    /// When no port or thread can be had.
    pub fn start() -> io::Result<Self> {
        let options = Options {
            world: building(),
            ..Options::default()
        };
        Ok(Self {
            cloud: Cloud::start(options)?,
        })
    }

    /// The cloud itself.
    #[must_use]
    pub const fn cloud(&self) -> &Cloud {
        &self.cloud
    }
}

impl Staff for ContractOffice {
    fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        self.cloud.edit(change)
    }
}

impl Office for ContractOffice {
    fn platform(&self) -> &'static str {
        "contract"
    }
    fn cloud_section(&self, dir: &Path) -> String {
        let file = dir.join("cloud-token");
        let _ = keep_secret(&file, self.cloud.token()); // the gateway will say that it is missing
        format!(
            "[cloud]\nkind = \"contract\"\nurl = \"{}\"\ntoken = {{ file = \"{}\" }}\n",
            self.cloud.url(),
            file.display()
        )
    }
    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        self.joined(name, email, plan, first_day)
    }
    fn give_card(&self, member: &str, uid: &str) {
        self.carded(member, uid);
    }
    fn cancel(&self, member: &str, last_day: &str) {
        self.cancelled(member, last_day);
    }
    fn deactivate(&self, member: &str) -> Result<(), Cannot> {
        self.person(member, |person| person.deactivated = true);
        Ok(())
    }
    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        self.booked(member, resource, from, until)
    }
    fn invite(&self, booking: &str, member: &str) -> Result<(), Cannot> {
        self.booking(booking, |it| it.invitees.push(member.into()))
    }
    fn move_booking(&self, booking: &str, from: i64, until: i64) {
        let _ = self.booking(booking, |it| {
            (it.from, it.until) = (instant(from), instant(until));
        });
    }
    fn delete_booking(&self, booking: &str) {
        self.unbooked(booking);
    }
    fn assign(&self, member: &str, resource: &str) -> Result<(), Cannot> {
        self.change(|world| {
            let resource = named(world, resource).ok_or_else(|| format!("there is no {resource}"))?;
            world.assignments.push(Assignment {
                id: next("a", &world.assignments),
                resource,
                person: Some(member.into()),
                ..Assignment::default()
            });
            Ok(())
        })
    }
    fn give_passes(&self, member: &str, kind: &str, count: u32) -> Result<(), Cannot> {
        self.sold(member, kind, count);
        Ok(())
    }
    fn attendance(&self) -> Vec<Attendance> {
        let counted = self.cloud.check_ins().into_iter().filter(|it| it.accepted);
        let at = |text: &str| {
            text.parse::<jiff::Timestamp>()
                .map_or(0, |at| at.as_millisecond())
        };
        counted
            .map(|it| Attendance {
                member: it.body.person,
                from: at(&it.body.at),
                until: None,
            })
            .collect()
    }
    fn set_away(&self, away: bool) {
        self.cloud.set_down(away);
    }
    fn send_hooks_to(&self, address: &str) -> Result<(), Cannot> {
        self.cloud.send_hooks_to(address);
        Ok(())
    }
    fn export(&self, folder: &Path) -> Result<(), Cannot> {
        let world = self.cloud.edit(|world| world.clone());
        fs::create_dir_all(folder)
            .and_then(|()| export::write(folder, &world))
            .map_err(|error| error.to_string())
    }
    fn requests(&self) -> u64 {
        self.cloud.requests()
    }
}

/// Coworks has no public API: staff export their tables into a folder.
#[derive(Debug)]
pub struct CoworksOffice {
    folder: PathBuf,
    world: Mutex<World>,
    away: Mutex<bool>,
}

impl CoworksOffice {
    /// Exports into this folder, which is made if it is not there. The same building as [`ContractOffice::start`].
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn start(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let office = Self {
            folder: folder.to_owned(),
            world: Mutex::new(building()),
            away: Mutex::new(false),
        };
        office.export()?;
        Ok(office)
    }

    fn export(&self) -> io::Result<()> {
        let away = *self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if away {
            return Ok(()); // nobody is in the office to press the button
        }
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner).clone();
        export::write(&self.folder, &world)
    }
}

impl Staff for CoworksOffice {
    fn change<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let result = change(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner));
        let _ = self.export(); // a full disk: the gateway goes on with the last export
        result
    }
}

impl Office for CoworksOffice {
    fn platform(&self) -> &'static str {
        "coworks"
    }
    fn cloud_section(&self, _: &Path) -> String {
        format!(
            "[cloud]\nkind = \"coworks\"\npath = \"{}\"\n",
            self.folder.display()
        )
    }
    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        self.joined(name, email, plan, first_day)
    }
    fn give_card(&self, member: &str, uid: &str) {
        self.carded(member, uid);
    }
    fn cancel(&self, member: &str, last_day: &str) {
        self.cancelled(member, last_day);
    }
    fn deactivate(&self, member: &str) -> Result<(), Cannot> {
        self.person(member, |person| person.deactivated = true);
        Ok(())
    }
    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        self.booked(member, resource, from, until)
    }
    fn move_booking(&self, booking: &str, from: i64, until: i64) {
        let _ = self.booking(booking, |it| {
            (it.from, it.until) = (instant(from), instant(until));
        });
    }
    fn delete_booking(&self, booking: &str) {
        self.unbooked(booking);
    }
    fn give_passes(&self, member: &str, kind: &str, count: u32) -> Result<(), Cannot> {
        self.sold(member, kind, count);
        Ok(())
    }
    fn attendance(&self) -> Vec<Attendance> {
        Vec::new() // no endpoint is known to which an entry could be told
    }
    fn set_away(&self, away: bool) {
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = away;
        let _ = self.export();
    }
    fn requests(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_do_the_same_at_both() {
        let folder = std::env::temp_dir().join(format!("doorward-coworks-{}", std::process::id()));
        let offices: [Box<dyn Office>; 2] = [
            Box::new(ContractOffice::start().unwrap()),
            Box::new(CoworksOffice::start(&folder).unwrap()),
        ];
        for office in &offices {
            let ada = office.join("Ada, A.", "ada@example.com", "Flex", "2026-05-01");
            office.give_card(&ada, "04:a2:b3:c4:d5:e6:80");
            let booking = office.book(&ada, "Blue room", 0, 3_600_000);
            office.move_booking(&booking, 7_200_000, 10_800_000);
            office.give_passes(&ada, "Day pass", 3).unwrap();
            office.cancel(&ada, "2026-05-31");
            assert!(office.attendance().is_empty());
        }
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let members = read("members.csv");
        let last = members.lines().last().unwrap();
        assert_eq!(
            last,
            "p-1,\"Ada, A.\",ada@example.com,,Flex,Cancelled,2026-05-01,2026-05-31,04A2B3C4D5E680"
        );
        assert!(
            read("bookings.csv")
                .ends_with("b-1,Blue room,room,p-1,1970-01-01T02:00:00Z,1970-01-01T03:00:00Z,Confirmed\n")
        );
        fs::remove_dir_all(&folder).unwrap();
    }
}
