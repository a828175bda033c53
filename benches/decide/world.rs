//! The same made-up site for all: eight doors, sixteen plans and four rooms; everybody has one card and one right.

use doorward::domain::{
    Block, BlockTarget, Credential, Grant, GrantKind, Moment, PersonId, Snapshot, Source, Window,
    grant::{Holder, Target},
    site::{Door, Group, Schedule, Site, Span},
    time::Millis,
};

pub(crate) const DOORS: u8 = 8;
pub(crate) const PLANS: u32 = 16;
pub(crate) const ROOMS: u32 = 4;
/// Monday 2026-11-23, midnight in Madrid.
const MONDAY: Millis = 1_795_388_400_000;
const HOUR: Millis = 3_600_000;
const OPENS: u16 = 8 * 60;
const SHUTS: u16 = 20 * 60;

pub(crate) struct World {
    pub(crate) size: u32,
    pub(crate) site: Site,
    pub(crate) snapshot: Snapshot,
}

/// Who, where, when.
pub(crate) struct Question {
    /// The number of the card; not below the size for a card that nobody has.
    #[cfg_attr(
        not(feature = "cedar"),
        expect(dead_code, reason = "only Cedar asks by number")
    )]
    pub(crate) number: u32,
    pub(crate) card: Credential,
    pub(crate) door: u8,
    pub(crate) at: Millis,
}

impl Question {
    pub(crate) fn now(&self) -> Moment {
        Moment::trusted(self.at)
    }
    /// Monday is 0.
    pub(crate) fn weekday(&self) -> i64 {
        (self.at - MONDAY) / (24 * HOUR)
    }
    /// Of the local day; the week has no change of the clocks.
    pub(crate) fn minute(&self) -> i64 {
        (self.at - MONDAY) % (24 * HOUR) / 60_000
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn below(limit: u64, number: u64) -> u64 {
    mix(number) % limit
}

/// A seven-byte UID of a chip by NXP, different for every number.
pub(crate) fn card(number: u32) -> Credential {
    let [scatter, ..] = mix(u64::from(number)).to_le_bytes();
    let [a, b, c, d] = number.to_be_bytes();
    Credential::rom14([4, a, b, c, d, scatter, 0x80])
}

/// What somebody has.
pub(crate) enum Right {
    /// A plan, that is a group: even ones have hours.
    Plan(u32),
    /// A booking of a room in the week.
    Booking(u32, Millis, Millis),
}

pub(crate) fn right(person: u32) -> Right {
    let seed = u64::from(person) << 8;
    if person.is_multiple_of(5) {
        let from = MONDAY + HOUR * Millis::from(u8::try_from(below(160, seed)).unwrap_or(0));
        return Right::Booking(person / 5 % ROOMS, from, from + 4 * HOUR);
    }
    Right::Plan(person % PLANS)
}

pub(crate) const fn is_blocked(person: u32) -> bool {
    person % 1_000 == 7
}

pub(crate) const fn has_hours(plan: u32) -> bool {
    plan.is_multiple_of(2)
}

pub(crate) const fn in_plan(plan: u32, door: u8) -> bool {
    !(door as u32 + plan).is_multiple_of(4)
}

pub(crate) const fn in_room(room: u32, door: u8) -> bool {
    door as u32 % ROOMS == room || door == 0
}

impl World {
    pub(crate) fn new(size: u32) -> Self {
        Self {
            size,
            site: site(),
            snapshot: snapshot(size),
        }
    }

    /// Questions at any time of the week, at any door; one card in twenty is unknown.
    pub(crate) fn questions(&self, count: u32) -> Vec<Question> {
        let question = |n: u32| {
            let seed = u64::from(n) << 32;
            let known = below(20, seed | 1) != 0;
            let spread = u32::try_from(below(u64::from(self.size), seed | 2)).unwrap_or(0);
            let number = if known { spread } else { self.size + spread };
            Question {
                number,
                card: card(number),
                door: u8::try_from(below(u64::from(DOORS), seed | 3)).unwrap_or(0),
                at: MONDAY + Millis::try_from(below(7 * 24 * 3_600_000, seed | 4)).unwrap_or(0),
            }
        };
        (0..count).map(question).collect()
    }
}

fn site() -> Site {
    let door = |n: u8| Door {
        id: format!("door{n}").as_str().into(),
        name: format!("Door {n}"),
        open_for_all: None,
    };
    let group = |id: String, hours: bool, inside: &dyn Fn(u8) -> bool| Group {
        id: id.as_str().into(),
        doors: (0..DOORS).filter(|n| inside(*n)).map(|n| door(n).id).collect(),
        hours: hours.then(|| "office".into()),
    };
    let open = Span {
        from: OPENS,
        until: SHUTS,
    };
    let plans = (0..PLANS).map(|n| group(format!("plan{n}"), has_hours(n), &|door| in_plan(n, door)));
    let rooms = (0..ROOMS).map(|n| group(format!("room{n}"), false, &|door| in_room(n, door)));
    Site {
        zone: "Europe/Madrid".into(),
        doors: (0..DOORS).map(door).collect(),
        groups: plans.chain(rooms).collect(),
        schedules: vec![Schedule {
            id: "office".into(),
            week: std::array::from_fn(|day| if day < 5 { vec![open] } else { Vec::new() }),
            holiday: Vec::new(),
        }],
        holidays: Vec::new(),
    }
}

fn snapshot(size: u32) -> Snapshot {
    let id = |n: u32| PersonId::from(format!("m{n:07}"));
    let grant = |n: u32| match right(n) {
        Right::Plan(plan) => Grant {
            person: id(n),
            target: Target::Group(format!("plan{plan}").as_str().into()),
            window: Window::ALWAYS,
            kind: GrantKind::Plan,
            source: Source {
                id: format!("pl{plan}").into(),
                label: format!("Plan {plan}").into(),
            },
            rule: 1,
            void: None,
        },
        Right::Booking(room, from, until) => Grant {
            person: id(n),
            target: Target::Group(format!("room{room}").as_str().into()),
            window: Window::between(from, until),
            kind: GrantKind::Booking,
            source: Source {
                id: format!("bk{n}").into(),
                label: format!("Room {room}").into(),
            },
            rule: 12,
            void: None,
        },
    };
    Snapshot {
        version: 1,
        taken_at: MONDAY,
        people: (0..size)
            .map(|n| Holder {
                id: id(n),
                name: format!("Member No {n:06}").into(),
            })
            .collect(),
        credentials: (0..size).map(|n| (card(n), id(n))).collect(),
        grants: (0..size).map(grant).collect(),
        blocks: (0..size)
            .filter(|n| is_blocked(*n))
            .map(|n| Block {
                target: BlockTarget::Credential(card(n)),
                note: "lost".into(),
            })
            .collect(),
    }
}
