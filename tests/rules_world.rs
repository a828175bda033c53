//! Random facts and edits for the properties of the rules: few ids, so that everything meets everything, and times around
//! both changes of the clocks, midnights and edges of months. The same seed gives the same world.

use doorward::domain::{
    Credential, PersonId, Text,
    facts::{
        Assignment, Booking, DoorAccess, Facts, Membership, Named, Pass, Person, Resource, ResourceKind,
        Standing, Team, When,
    },
    opening::{Hours, Opening, Week, YearDay},
    site::{Door, Group, Schedule, Site, Span},
    time::Millis,
};
use jiff::civil::Date;

pub(crate) const MINUTE: Millis = 60_000;
pub(crate) const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;
/// Where, and the days around which everything happens: both changes of the clocks, an ordinary one, a leap day. Havana and
/// Beirut change at midnight, Lord Howe by half an hour.
const PLACES: [(&str, [&str; 4]); 6] = [
    (
        "Europe/Madrid",
        ["2026-03-29", "2026-10-25", "2026-05-20", "2028-02-29"],
    ),
    (
        "America/Havana",
        ["2026-03-08", "2026-11-01", "2026-05-20", "2028-02-29"],
    ),
    (
        "Asia/Beirut",
        ["2026-03-29", "2026-10-25", "2026-05-20", "2028-02-29"],
    ),
    (
        "Australia/Lord_Howe",
        ["2026-10-04", "2026-04-05", "2026-05-20", "2028-02-29"],
    ),
    (
        "America/New_York",
        ["2026-03-08", "2026-11-01", "2026-12-31", "2028-02-29"],
    ),
    ("UTC", ["2026-03-29", "2026-10-25", "2026-12-31", "2028-02-29"]),
];
const GROUPS: [&str; 6] = ["g0", "g1", "g2", "g3", "g4", "g5"];

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
    pub(crate) fn yes(&mut self, one_in: u64) -> bool {
        self.below(one_in) == 0
    }
    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
    fn maybe<T>(&mut self, one_in: u64, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.yes(one_in).then(|| make(self))
    }
    fn id(&mut self, letter: &str, count: u64) -> Text {
        format!("{letter}{}", self.below(count)).into()
    }
    fn between(&mut self, from: i64, until: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(until - from).unwrap())).unwrap()
    }
}

/// A seeded world: its site, and the making of its facts.
pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) site: Site,
    centre: Date,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        let (zone, centres) = random.of(&PLACES);
        let zone = (*zone).to_owned();
        let centre: Date = random.of(centres).parse().unwrap();
        let office = Schedule {
            id: "office".into(),
            week: std::array::from_fn(|day| match day {
                6 => vec![],
                5 => vec![
                    Span { from: 0, until: 150 },
                    Span {
                        from: 1_320,
                        until: 1_440,
                    },
                ],
                _ => vec![Span {
                    from: 480,
                    until: 1_200,
                }],
            }),
            holiday: vec![Span {
                from: 600,
                until: 720,
            }],
        };
        let group = |id: &str| Group {
            id: id.into(),
            doors: vec![id.into()],
            hours: (id == "g1").then(|| "office".into()),
        };
        let door = |id: &str| Door {
            id: id.into(),
            name: id.into(),
            open_for_all: None,
        };
        let site = Site {
            zone,
            doors: GROUPS.map(door).to_vec(),
            groups: GROUPS.map(group).to_vec(),
            schedules: vec![office],
            holidays: vec![centre.yesterday().unwrap()],
        };
        Self { random, site, centre }
    }

    /// Local midnight, or so, of the day that everything is around.
    pub(crate) fn base(&self) -> Millis {
        let zone = jiff::tz::TimeZone::get(&self.site.zone).unwrap();
        let start = self.centre.to_zoned(zone).unwrap();
        start.timestamp().as_millisecond()
    }

    pub(crate) fn instant(&mut self) -> Millis {
        let minutes = self.random.between(-5 * 24 * 12, 5 * 24 * 12) * 5;
        self.base() + minutes * MINUTE
    }

    fn when(&mut self) -> When {
        if self.random.yes(3) {
            return When::At(self.instant());
        }
        let days = self.random.between(-4, 5);
        When::Day(self.centre.saturating_add(jiff::Span::new().days(days)))
    }

    fn week(&mut self) -> Week {
        let hours = (0..=self.random.below(2)).map(|_| self.hours()).collect();
        let closed = self.random.maybe(4, |_| ()).map(|()| {
            let day = self.centre;
            let (month, day) = (
                u8::try_from(day.month()).unwrap(),
                u8::try_from(day.day()).unwrap(),
            );
            YearDay { month, day }
        });
        Week {
            hours,
            closed: closed.into_iter().collect(),
        }
    }

    fn hours(&mut self) -> Hours {
        let weekdays = if self.random.yes(2) {
            vec![]
        } else {
            (1..=7).filter(|_| !self.random.yes(3)).collect()
        };
        let from = u16::try_from(self.random.below(144) * 10).unwrap();
        let until = match self.random.below(4) {
            0 => 1_440,
            1 => u16::try_from(self.random.below(145) * 10).unwrap(),
            _ => (from + 300).min(1_440),
        };
        Hours {
            weekdays,
            from,
            until,
        }
    }

    fn person(&mut self) -> Person {
        let id = self.random.id("p", 6);
        let standing = *self.random.of(&[
            Standing::Member,
            Standing::Member,
            Standing::Network,
            Standing::External,
        ]);
        let access = *self.random.of(&[
            DoorAccess::Auto,
            DoorAccess::Auto,
            DoorAccess::On,
            DoorAccess::Off,
        ]);
        Person {
            team: self.random.maybe(2, |random| random.id("t", 3)),
            teams: self
                .random
                .maybe(5, |random| random.id("t", 3))
                .into_iter()
                .collect(),
            standing,
            door_access: access,
            joined: self.random.maybe(2, |_| ()).map(|()| self.when()),
            deactivated: self.random.yes(8),
            groups: self
                .random
                .maybe(5, |random| random.id("hand", 3))
                .into_iter()
                .collect(),
            ..Person::new(id.as_str(), id.to_uppercase())
        }
    }

    fn holder(&mut self) -> (Option<PersonId>, Option<Text>) {
        let person = self.random.maybe(2, |random| random.id("p", 7).into());
        let team = if person.is_none() || self.random.yes(3) {
            Some(self.random.id("t", 3))
        } else {
            None
        };
        (person, team)
    }

    fn ends(&mut self) -> (Option<When>, Option<When>) {
        let starts = (!self.random.yes(3)).then(|| self.when());
        let ends = (!self.random.yes(3)).then(|| self.when());
        (starts, ends)
    }

    fn membership(&mut self) -> Membership {
        let (person, team) = self.holder();
        let (starts, ends) = self.ends();
        Membership {
            person,
            team,
            starts,
            ends,
            cancelled: self.random.yes(3),
            pass_based: self.random.yes(3),
            location: self.random.maybe(3, |random| random.id("l", 2)),
            ..Membership::new(self.random.id("m", 40), self.random.id("plan", 4))
        }
    }

    fn assignment(&mut self) -> Assignment {
        let (person, team) = self.holder();
        let (starts, ends) = self.ends();
        Assignment {
            person,
            team,
            starts,
            ends,
            ..Assignment::new(self.random.id("a", 40), self.random.id("r", 6))
        }
    }

    fn resource(&mut self) -> Resource {
        let id = self.random.id("r", 5);
        let kind = *self.random.of(&[
            ResourceKind::Desk,
            ResourceKind::Desk,
            ResourceKind::Room,
            ResourceKind::Office,
        ]);
        let opening = self.random.maybe(2, |_| ()).map(|()| Opening {
            default: self.week(),
            public: self.random.maybe(2, |_| ()).map(|()| self.week()),
        });
        Resource {
            floor: self.random.maybe(2, |random| random.id("f", 2)),
            location: self.random.maybe(2, |random| random.id("l", 2)),
            opening,
            ..Resource::new(id.as_str(), id.to_uppercase(), kind)
        }
    }

    fn booking(&mut self) -> Booking {
        let from = self.instant();
        let length = match self.random.below(6) {
            0 => self.random.between(-3, 1) * HOUR,
            1 => self.random.between(20, 80) * HOUR,
            2 => DAY,
            _ => self.random.between(1, 40) * 15 * MINUTE,
        };
        Booking {
            person: self.random.maybe(1, |random| random.id("p", 7).into()),
            invitees: self
                .random
                .maybe(3, |random| random.id("p", 7).into())
                .into_iter()
                .collect(),
            tentative: self.random.yes(6),
            ..Booking::new(
                self.random.id("b", 60),
                self.random.id("r", 6),
                from,
                from + length,
            )
        }
    }

    fn pass(&mut self) -> Pass {
        let (person, team) = self.holder();
        let (starts, ends) = self.ends();
        Pass {
            person,
            team,
            starts,
            ends,
            left: self
                .random
                .maybe(2, |random| u32::try_from(random.below(2)).unwrap()),
            running_until: self.random.maybe(4, |_| ()).map(|()| self.instant()),
            hours: self.random.maybe(3, |_| ()).map(|()| self.week()),
            location: self.random.maybe(4, |random| random.id("l", 2)),
            ..Pass::new(self.random.id("x", 40), self.random.id("kind", 3))
        }
    }

    fn team(&mut self) -> Team {
        let id = self.random.id("t", 3);
        Team {
            name: id.to_uppercase().into(),
            payer: self.random.maybe(1, |random| random.id("p", 6).into()),
            id,
        }
    }

    /// A whole set.
    pub(crate) fn facts(&mut self) -> Facts {
        let mut facts = Facts::default();
        let named = |id: &str, name: &str| Named {
            id: id.into(),
            name: name.into(),
        };
        facts.catalogue.plans = vec![named("plan0", "Full time"), named("plan1", "Part time")];
        facts.catalogue.locations = vec![named("l0", "London"), named("l1", "Leeds")];
        facts.catalogue.passes = vec![named("kind0", "Day pass")];
        for _ in 0..4 + self.random.below(60) {
            self.insert(&mut facts);
        }
        // People have one record each here; what two records of one id mean is for the incremental property.
        facts.people.sort_by(|one, other| one.id.cmp(&other.id));
        facts.people.dedup_by(|one, other| one.id == other.id);
        facts.resources.sort_by(|one, other| one.id.cmp(&other.id));
        facts.resources.dedup_by(|one, other| one.id == other.id);
        facts.teams.sort_by(|one, other| one.id.cmp(&other.id));
        facts.teams.dedup_by(|one, other| one.id == other.id);
        facts
    }

    fn insert(&mut self, facts: &mut Facts) {
        match self.random.below(12) {
            0..=2 => facts.people.push(self.person()),
            3 | 4 => facts.memberships.push(self.membership()),
            5 => facts.assignments.push(self.assignment()),
            6 => facts.resources.push(self.resource()),
            7 | 8 => facts.bookings.push(self.booking()),
            9 | 10 => facts.passes.push(self.pass()),
            _ => facts.teams.push(self.team()),
        }
    }

    /// One edit: something new, gone, moved, doubled or altered.
    pub(crate) fn edit(&mut self, facts: &mut Facts) {
        macro_rules! touch {
            ($list:ident, $make:ident) => {{
                let list = &mut facts.$list;
                if list.is_empty() {
                    return self.insert(facts);
                }
                let at = usize::try_from(self.random.below(list.len() as u64)).unwrap();
                match self.random.below(6) {
                    0 => drop(list.remove(at)),
                    1 => list.reverse(),
                    2 => list.insert(at, list[at].clone()),
                    3 => list.swap(0, at),
                    _ => {
                        let id = list[at].id.clone();
                        list[at] = self.$make();
                        list[at].id = id;
                    }
                }
            }};
        }
        match self.random.below(12) {
            0 | 1 => self.insert(facts),
            2 | 3 => touch!(people, person),
            4 => touch!(memberships, membership),
            5 => touch!(assignments, assignment),
            6 => touch!(resources, resource),
            7 | 8 => touch!(bookings, booking),
            9 | 10 => touch!(passes, pass),
            _ => touch!(teams, team),
        }
        if self.random.yes(40) {
            facts.catalogue.plans.reverse();
            facts.catalogue.plans.pop();
        }
    }
}

/// A card of one's own for everybody.
pub(crate) fn with_cards(facts: &mut Facts) {
    for (at, person) in facts.people.iter_mut().enumerate() {
        person.credentials = vec![card(at)];
    }
}

/// The card of the person at this place.
pub(crate) fn card(at: usize) -> Credential {
    format!("uid:04A2B3C4D5{:04X}", at + 1).parse().unwrap()
}
