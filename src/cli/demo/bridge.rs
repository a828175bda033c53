//! Coworks on the stage: it has no interface of its own, so a bridge tells its facts over the open contract. Here the
//! reference cloud is that bridge, and its staff.

use super::stage::secret;
use doorward_peers::{
    cloud::{Booking, Cloud, Membership, Options, Pass, Person, Resource, World},
    office::{Attendance, Cannot, Office},
};
use jiff::{Timestamp, civil::Date};
use std::{
    io,
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The bridge.
pub(super) struct Bridge {
    cloud: Mutex<Cloud>,
    ids: AtomicU64,
}

fn instant(at: i64) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().to_string()
}

impl Bridge {
    /// Starts it with rooms and desks, and nobody in them.
    pub(super) fn start() -> io::Result<Self> {
        let things = [
            ("room-1", "Meeting room", "room"),
            ("room-2", "Phone booth", "room"),
            ("desk-7", "Desk 7", "desk"),
            ("office-2", "Office 2", "office"),
        ];
        let resource = |(id, name, kind): (&str, &str, &str)| Resource {
            id: id.into(),
            name: name.into(),
            kind: Some(kind.into()),
            ..Resource::default()
        };
        let world = World {
            resources: things.into_iter().map(resource).collect(),
            ..World::default()
        };
        let options = Options {
            world,
            ..Options::default()
        };
        Ok(Self {
            cloud: Mutex::new(Cloud::start(options)?),
            ids: AtomicU64::new(1),
        })
    }

    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn id(&self, kind: &str) -> String {
        format!("{kind}-{}", self.ids.fetch_add(1, Ordering::Relaxed))
    }

    fn resource(&self, name: &str) -> String {
        self.cloud().edit(|world| {
            let found = world.resources.iter().find(|resource| resource.name == name);
            found.map(|resource| resource.id.clone()).unwrap_or_default()
        })
    }

    fn person(&self, id: &str, change: impl FnOnce(&mut Person)) {
        self.cloud().edit(|world| {
            if let Some(person) = world.people.iter_mut().find(|person| person.id == id) {
                change(person);
            }
        });
    }
}

impl Office for Bridge {
    fn platform(&self) -> &'static str {
        "coworks"
    }

    fn cloud_section(&self, dir: &Path) -> String {
        // Whether it could be written shows at the gateway's start, which names the file.
        let _ = secret(&dir.join("token"), self.cloud().token());
        format!(
            "[cloud]\nkind = \"coworks\"\nurl = \"{}\"\ntoken = {{ file = \"{}\" }}\n",
            self.cloud().url(),
            dir.join("token").display()
        )
    }

    fn join(&self, name: &str, email: &str, plan: &str, first_day: &str) -> String {
        let (id, membership) = (self.id("member"), self.id("membership"));
        self.cloud().edit(|world| {
            world.people.push(Person {
                id: id.clone(),
                name: name.into(),
                email: Some(email.into()),
                ..Person::default()
            });
            world.memberships.push(Membership {
                id: membership,
                plan: plan.into(),
                person: Some(id.clone()),
                starts: first_day.parse::<Date>().ok().map(|day| day.to_string()),
                ..Membership::default()
            });
        });
        id
    }

    fn give_card(&self, member: &str, uid: &str) {
        self.person(member, |person| person.credentials.push(format!("uid:{uid}")));
    }

    fn cancel(&self, member: &str, last_day: &str) {
        self.cloud().edit(|world| {
            let own = |membership: &&mut Membership| membership.person.as_deref() == Some(member);
            for membership in world.memberships.iter_mut().filter(own) {
                membership.ends = Some(last_day.into());
                membership.cancelled = true;
            }
        });
    }

    fn deactivate(&self, member: &str) -> Result<(), Cannot> {
        self.person(member, |person| person.deactivated = true);
        Ok(())
    }

    fn book(&self, member: &str, resource: &str, from: i64, until: i64) -> String {
        let (id, resource) = (self.id("booking"), self.resource(resource));
        self.cloud().edit(|world| {
            world.bookings.push(Booking {
                id: id.clone(),
                resource,
                person: Some(member.into()),
                from: instant(from),
                until: instant(until),
                ..Booking::default()
            });
        });
        id
    }

    fn invite(&self, booking: &str, member: &str) -> Result<(), Cannot> {
        self.cloud().edit(|world| {
            if let Some(booking) = world.bookings.iter_mut().find(|it| it.id == booking) {
                booking.invitees.push(member.into());
            }
        });
        Ok(())
    }

    fn move_booking(&self, booking: &str, from: i64, until: i64) {
        self.cloud().edit(|world| {
            if let Some(booking) = world.bookings.iter_mut().find(|it| it.id == booking) {
                booking.from = instant(from);
                booking.until = instant(until);
            }
        });
    }

    fn delete_booking(&self, booking: &str) {
        self.cloud()
            .edit(|world| world.bookings.retain(|it| it.id != booking));
    }

    fn give_passes(&self, member: &str, kind: &str, count: u32) -> Result<(), Cannot> {
        let id = self.id("pass");
        self.cloud().edit(|world| {
            world.passes.push(Pass {
                id,
                kind: kind.into(),
                person: Some(member.into()),
                left: Some(count.into()),
                ..Pass::default()
            });
        });
        Ok(())
    }

    fn attendance(&self) -> Vec<Attendance> {
        let counted = self.cloud().check_ins().into_iter().filter(|it| it.accepted);
        counted
            .map(|check_in| Attendance {
                member: check_in.body.person,
                from: check_in
                    .body
                    .at
                    .parse::<Timestamp>()
                    .map_or(0, Timestamp::as_millisecond),
                until: None,
            })
            .collect()
    }

    fn set_away(&self, away: bool) {
        self.cloud().set_down(away);
    }

    fn requests(&self) -> u64 {
        self.cloud().requests()
    }
}
