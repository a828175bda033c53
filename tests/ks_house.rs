//! A site whose doors SALTO KS decides: the real daemon, the reference cloud, the simulator of KS, and a clock that both
//! the daemon and KS go by. What must open is worked out here a second time, slowly and from the facts alone.

use crate::harness::{Gateway, site::Layout, wait_for};
use doorward_peers::{
    cloud::{Booking, Cloud, Options, Resource, World},
    false_clock::FalseClock,
    ks::Ks,
};
use jiff::{Timestamp, ToSpan as _, civil::DateTime, tz::TimeZone};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

/// The zone of the site, here and at KS.
pub(crate) const ZONE: &str = "Europe/Madrid";
/// A booking opens so long before and after, as the profile "open" has it.
pub(crate) const BUFFER: i64 = 5 * 60_000;

/// The machine's time, Unix milliseconds.
pub(crate) fn machine() -> i64 {
    doorward::clock::Clock::system(true, 0).now().at
}

/// A local time of the site as an instant.
pub(crate) fn local(text: &str) -> i64 {
    let wall: DateTime = text.parse().unwrap();
    let at = wall.to_zoned(TimeZone::get(ZONE).unwrap()).unwrap();
    at.timestamp().as_millisecond()
}

/// As facts write it.
pub(crate) fn instant(at: i64) -> String {
    Timestamp::from_millisecond(at).unwrap().to_string()
}

/// The tag number of person `number`.
pub(crate) fn tag(number: usize) -> String {
    format!("{:08}", 2_000_000 + number * 7)
}

/// Which plans and rooms are which groups, and which doors those open. A door is the lock of its name.
#[derive(Clone, Debug, Default)]
pub(crate) struct House {
    pub(crate) plans: BTreeMap<String, Vec<String>>,
    pub(crate) rooms: BTreeMap<String, Vec<String>>,
    pub(crate) groups: BTreeMap<String, Vec<String>>,
}

impl House {
    /// Two plans and two rooms on the simulator's own locks.
    pub(crate) fn small() -> Self {
        let mut house = Self::default();
        house.plan("Hot desk", "members", &["Front door", "Side door"]);
        house.plan("Studio", "studio", &["Front door", "Studio"]);
        house.room("Meeting room", "meeting", &["Front door", "Meeting room"]);
        house
    }

    pub(crate) fn plan(&mut self, plan: &str, group: &str, doors: &[&str]) {
        self.plans.entry(plan.into()).or_default().push(group.into());
        self.group(group, doors);
    }

    pub(crate) fn room(&mut self, room: &str, group: &str, doors: &[&str]) {
        self.rooms.entry(room.into()).or_default().push(group.into());
        self.group(group, doors);
    }

    fn group(&mut self, group: &str, doors: &[&str]) {
        let doors = doors.iter().map(|door| (*door).to_owned()).collect();
        self.groups.insert(group.into(), doors);
    }

    /// Every door.
    pub(crate) fn doors(&self) -> BTreeSet<String> {
        self.groups.values().flatten().cloned().collect()
    }

    fn opens(&self, groups: Option<&Vec<String>>, door: &str) -> bool {
        let mut groups = groups.into_iter().flatten();
        groups.any(|group| self.groups[group].iter().any(|of| of == door))
    }

    /// Whether a person may open a door at an instant: looks at every fact, every time. Without passes, teams and hours.
    /// In the hour that a change of the clocks repeats, a lock knows the time on the wall only; so does this.
    pub(crate) fn may(&self, world: &World, person: &str, door: &str, at: i64) -> bool {
        let Some(known) = world.people.iter().find(|known| known.id == person) else {
            return false;
        };
        if known.deactivated {
            return false;
        }
        let plan = world
            .memberships
            .iter()
            .filter(|membership| membership.person.as_deref() == Some(person))
            .any(|membership| self.opens(self.plans.get(&membership.plan), door));
        plan || world
            .bookings
            .iter()
            .filter(|booking| booking.person.as_deref() == Some(person))
            .filter(|booking| self.opens(self.rooms.get(room_name(world, booking)), door))
            .any(|booking| walls(booking).contains(&wall(at)))
    }

    fn tables(&self, mut layout: Layout) -> Layout {
        for (what, names) in [("plans", &self.plans), ("resources", &self.rooms)] {
            let lines: Vec<String> = names
                .iter()
                .map(|(name, groups)| format!("\"{name}\" = {groups:?}"))
                .collect();
            layout = layout.table(&format!("[map.{what}]"), &lines.join("\n"));
        }
        for (group, doors) in &self.groups {
            let doors: Vec<String> = doors.iter().map(|door| id(door)).collect();
            layout = layout.group(group, &doors.iter().map(String::as_str).collect::<Vec<_>>());
        }
        for door in self.doors() {
            layout = layout.door(&id(&door), &format!("name = \"{door}\"\nks_lock = \"{door}\""));
        }
        layout
    }
}

fn room_name<'a>(world: &'a World, booking: &Booking) -> &'a str {
    let room = world.resources.iter().find(|room| room.id == booking.resource);
    room.map_or("", |room| room.name.as_str())
}

/// A time on the wall, to the minute.
fn wall(at: i64) -> String {
    let zoned = Timestamp::from_millisecond(at).unwrap().in_tz(ZONE).unwrap();
    zoned.strftime("%F %H:%M").to_string()
}

/// Every minute on the wall while a booking with its buffers runs.
fn walls(booking: &Booking) -> BTreeSet<String> {
    let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
    let (from, until) = (at(&booking.from) - BUFFER, at(&booking.until) + BUFFER);
    let minutes = (until - from) / 60_000;
    (0..minutes).map(|minute| wall(from + minute * 60_000)).collect()
}

/// All minutes on the wall of all bookings, worked out once, for who asks often.
pub(crate) struct Walls(BTreeMap<(String, String), BTreeSet<String>>);

impl Walls {
    pub(crate) fn of(house: &House, world: &World) -> Self {
        let mut all: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for booking in &world.bookings {
            for door in house.doors() {
                if house.opens(house.rooms.get(room_name(world, booking)), &door) {
                    let who = booking.person.clone().unwrap_or_default();
                    all.entry((who, door)).or_default().extend(walls(booking));
                }
            }
        }
        Self(all)
    }

    pub(crate) fn may(&self, person: &str, door: &str, at: i64) -> bool {
        let minutes = self.0.get(&(person.to_owned(), door.to_owned()));
        minutes.is_some_and(|minutes| minutes.contains(&wall(at)))
    }
}

/// The configuration's id of a door.
pub(crate) fn id(door: &str) -> String {
    door.to_lowercase().replace(' ', "-")
}

/// A person with a tag, on a plan.
pub(crate) fn person(world: &mut World, number: usize, plan: &str) {
    let card = format!("ks:{}", tag(number));
    world.member(
        &format!("p{number}"),
        &format!("Person Number{number}"),
        &card,
        plan,
    );
}

/// A room.
pub(crate) fn room(world: &mut World, name: &str) {
    world.resources.push(Resource {
        id: id(name),
        name: name.into(),
        kind: Some("room".into()),
        ..Resource::default()
    });
}

/// A booking of a room, from and until an instant.
pub(crate) fn book(world: &mut World, person: usize, room: &str, from: i64, until: i64) {
    let number = world.bookings.len();
    world.bookings.push(Booking {
        id: format!("b{number}"),
        resource: id(room),
        person: Some(format!("p{person}")),
        from: instant(from),
        until: instant(until),
        ..Booking::default()
    });
}

/// What differs between scenarios.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) world: World,
    pub(crate) house: House,
    /// More lines of `[ks]`.
    pub(crate) ks: String,
    /// More lines of `[sync]`.
    pub(crate) sync: String,
    /// When it is, for daemon and KS; the machine's time if absent.
    pub(crate) at: Option<i64>,
    /// Somebody logs in at SALTO, instead of a system user.
    pub(crate) by_code: bool,
    /// TLS at every address of KS.
    pub(crate) tls: Option<Arc<rustls::ServerConfig>>,
}

/// How often they are compared, unless these lines say.
fn reconcile(lines: &str) -> &'static str {
    if lines.contains("reconcile_seconds") {
        ""
    } else {
        "reconcile_seconds = 10"
    }
}

/// The site.
pub(crate) struct KsSite {
    pub(crate) gateway: Gateway,
    pub(crate) cloud: Cloud,
    pub(crate) ks: Ks,
    pub(crate) house: House,
    clock: Option<FalseClock>,
    _secrets: TempDir,
}

impl KsSite {
    /// A site that is not started yet. KS knows the tags of everybody, and a lock for every door.
    pub(crate) fn new(plan: Plan) -> Self {
        let ks = plan.tls.map_or_else(Ks::start, Ks::start_tls).unwrap();
        for door in plan.house.doors() {
            if !ks.locks().iter().any(|lock| lock.name == door) {
                ks.add_lock(&door);
            }
        }
        for person in &plan.world.people {
            for card in &person.credentials {
                card.strip_prefix("ks:").map(|number| ks.add_tag(number));
            }
        }
        let cloud = Cloud::start(Options {
            world: plan.world,
            ..Options::default()
        })
        .unwrap();
        let secrets = tempfile::tempdir().unwrap();
        let section = match plan.by_code {
            true => ks.ks_section_code(secrets.path()),
            false => ks.ks_section(secrets.path()),
        };
        let layout = Layout::new("rtc = true")
            .cloud(&cloud, None, "timeout_seconds = 5")
            .table(
                "[sync]",
                &format!("poll_seconds = 3600\nhold_share = 1\n{}", plan.sync),
            )
            .table(
                "",
                &format!("{}{}\n{}", section.unwrap(), reconcile(&plan.ks), plan.ks),
            );
        let layout = plan.house.tables(layout);
        let mut gateway = Gateway::new(layout.text());
        gateway.secret("token", cloud.token());
        let clock = plan.at.map(|at| {
            let clock = FalseClock::build(gateway.path()).unwrap();
            for (name, value) in clock.environment() {
                gateway.environment(name, value.to_str().unwrap());
            }
            clock.set((at - machine()) / 1_000, true).unwrap();
            ks.set_clock(at);
            clock
        });
        Self {
            gateway,
            cloud,
            ks,
            house: plan.house,
            clock,
            _secrets: secrets,
        }
    }

    /// The same, started, with the facts in force.
    pub(crate) fn start(plan: Plan) -> Self {
        let mut site = Self::new(plan);
        site.gateway.start();
        site.settle();
        site
    }

    /// So much time goes by at once, for the daemon, its timers and KS. Of a scenario with a clock of its own.
    pub(crate) fn pass(&self, seconds: u64) {
        let clock = self.clock.as_ref().unwrap();
        clock.pass(i64::try_from(seconds).unwrap()).unwrap();
        self.ks.advance(Duration::from_secs(seconds));
    }

    /// Time runs fifty times as fast for as long as something goes on. What came of it. `timeout_seconds` of `[ks]` should
    /// be long: it is short then.
    pub(crate) fn in_time<T>(&self, act: impl FnOnce() -> T) -> T {
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    self.pass(2);
                    std::thread::park_timeout(Duration::from_millis(40));
                }
            });
            let _over = Over(&over);
            act()
        })
    }

    /// A fault's words, if it stands.
    pub(crate) fn fault(&self, key: &str) -> Option<String> {
        let report = self.gateway.report();
        let mut faults = report["faults"].as_array().unwrap().iter();
        let found = faults.find(|fault| fault["key"] == key)?;
        Some(found["text"].as_str().unwrap().to_owned())
    }

    /// Waits for a fault. Its words.
    #[track_caller]
    pub(crate) fn wait_for_fault(&self, key: &str) -> String {
        wait_for(key, || self.fault(key).ok_or_else(|| self.gateway.report()))
    }

    /// Waits until a plan is empty: nothing to do, and nothing that waits.
    #[track_caller]
    pub(crate) fn wait_for_empty_plan(&self) {
        wait_for("an empty plan", || {
            // While KS does not answer there is none.
            let (_, out, error) = self.gateway.command(&["ks", "plan", "--json"]);
            let plan: Value = serde_json::from_str(&out).unwrap_or_default();
            let is_empty = |name: &str| plan[name].as_array().is_some_and(Vec::is_empty);
            if is_empty("steps") && is_empty("waits") {
                Ok(())
            } else {
                Err(out + &error)
            }
        });
    }

    /// Waits until a trap is sprung.
    #[track_caller]
    pub(crate) fn wait_for_trap(&self) {
        wait_for("the trap", || {
            if self.ks.sprung() {
                Ok(())
            } else {
                Err(self.ks.changes())
            }
        });
    }

    /// Waits until the cloud's version is in force.
    #[track_caller]
    pub(crate) fn settle(&self) {
        wait_for("facts", || {
            let report = self.gateway.report();
            let version = report["sections"]["sync"]["version"].as_u64();
            if version == Some(self.cloud.version()) {
                Ok(())
            } else {
                Err(report)
            }
        });
    }

    /// `doorward ks apply --yes`: accepts what is planned. Status and words.
    pub(crate) fn apply(&self) -> (i32, String) {
        let (status, out, error) = self.gateway.command(&["ks", "apply", "--yes"]);
        (status, out + &error)
    }

    /// The same, which must be done.
    #[track_caller]
    pub(crate) fn applied(&self) {
        let (status, said) = self.apply();
        assert_eq!(status, 0, "{said}");
    }

    /// `doorward ks plan --json`.
    #[track_caller]
    pub(crate) fn plan(&self) -> Value {
        self.gateway.json_of_any_status(&["ks", "plan"])
    }

    /// What is wrong at KS: for everybody and every door, what the lock would do then against what the facts say.
    pub(crate) fn differences(&self, at: i64) -> Vec<String> {
        let world = self.cloud.edit(|world| world.clone());
        let mut found = Vec::new();
        for person in &world.people {
            let Some(number) = person
                .credentials
                .iter()
                .find_map(|card| card.strip_prefix("ks:"))
            else {
                continue;
            };
            for door in self.house.doors() {
                let may = self.house.may(&world, &person.id, &door, at);
                let did = self.ks.would(&door, number, at);
                if did.opened() != may {
                    found.push(format!(
                        "{} at {door}, {}: {did:?}, and may is {may}",
                        person.id,
                        wall(at)
                    ));
                }
            }
        }
        found
    }

    /// Waits until the locks do what the facts say, now.
    #[track_caller]
    pub(crate) fn wait_in_step(&self) {
        wait_for("KS in step", || {
            let found = self.differences(self.ks.now());
            if found.is_empty() {
                Ok(())
            } else {
                Err(found.into_iter().take(5).collect::<Vec<_>>())
            }
        });
    }

    /// Everything that the gateway manages at KS, without ids: what two ends are compared by.
    pub(crate) fn managed(&self) -> Value {
        let (users, groups, tags) = self
            .ks
            .with(|state| (state.users.clone(), state.groups.clone(), state.tags.clone()));
        let names = self.ks.with(|state| {
            let locks = state
                .locks
                .iter()
                .map(|lock| (lock.id.clone(), lock.name.clone()));
            let people = state
                .users
                .iter()
                .map(|user| (user.platform.clone(), user.alias.clone()));
            locks.chain(people).collect::<BTreeMap<_, _>>()
        });
        let named = |ids: Vec<&String>| {
            let mut found: Vec<String> = ids
                .into_iter()
                .map(|id| names.get(id).cloned().unwrap_or_default())
                .collect();
            found.sort();
            found
        };
        let mut people: Vec<Value> = users
            .iter()
            .map(|user| {
                let tag = tags.iter().find(|tag| Some(&tag.id) == user.tag.as_ref());
                serde_json::json!([
                    user.alias,
                    tag.map(|tag| &tag.number),
                    user.blocked,
                    user.suspended
                ])
            })
            .collect();
        people.sort_by_key(ToString::to_string);
        let mut managed: Vec<Value> = groups
            .iter()
            .map(|group| {
                let mut slots: Vec<String> = group
                    .schedules
                    .iter()
                    .map(|slot| {
                        format!(
                            "{:?} {}-{} {:?} {:?}",
                            slot.days, slot.start, slot.end, slot.from, slot.until
                        )
                    })
                    .collect();
                slots.sort();
                let members = named(group.members.iter().map(|member| &member.user).collect());
                serde_json::json!([group.name, members, named(group.locks.iter().collect()), slots])
            })
            .collect();
        managed.sort_by_key(ToString::to_string);
        serde_json::json!({"people": people, "groups": managed})
    }
}

/// `count` people on the plan "Hot desk" with a tag each, and a meeting room.
pub(crate) fn members(count: usize) -> World {
    let mut world = World::default();
    room(&mut world, "Meeting room");
    for number in 0..count {
        person(&mut world, number, "Hot desk");
    }
    world
}

/// A day further, the same time on the wall.
pub(crate) fn days_later(at: i64, days: i64) -> i64 {
    let zoned = Timestamp::from_millisecond(at).unwrap().in_tz(ZONE).unwrap();
    zoned
        .checked_add(days.days())
        .unwrap()
        .timestamp()
        .as_millisecond()
}

/// Lets a while go by without a look, for what must not happen.
pub(crate) fn stays<T: PartialEq + std::fmt::Debug>(rounds: usize, mut look: impl FnMut() -> T) -> T {
    let first = look();
    for _ in 0..rounds {
        std::thread::park_timeout(Duration::from_millis(20));
        assert_eq!(look(), first);
    }
    first
}
