//! Golden cases, the comparison with the model, the image, and the proof that a decision allocates nothing.

mod golden;
mod images;
mod misses;
mod no_allocation;
mod random;
mod reasons;

use super::{Explanation, Index, Limits, Query, Verdict, explain};
use crate::domain::{
    Block, BlockTarget, Credential, Grant, GrantKind, Reason, Snapshot, Source,
    grant::{Holder, Target},
    site::{Door, Group, Schedule, Site, Span},
    time::{Millis, Moment, Window},
};

/// An instant from text such as `2026-11-22T14:10[Europe/Madrid]`.
fn at(text: &str) -> Millis {
    let zoned: jiff::Zoned = text.parse().unwrap();
    zoned.timestamp().as_millisecond()
}

fn card(n: u8) -> Credential {
    Credential::uid(&[4, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, n]).unwrap()
}

fn week(spans: &[Span]) -> [Vec<Span>; 7] {
    std::array::from_fn(|day| if day < 5 { spans.to_vec() } else { Vec::new() })
}

/// Madrid; doors front (open to all 10 to 12 on weekdays), room, store; groups house (weekdays 8 to 20, holidays
/// 10 to 14), rooms (around the clock), night (22 to 24 and 0 to 6, weekdays). 2026-12-08 is a holiday, a Tuesday.
fn site() -> Site {
    let door = |id: &str, name: &str, open: Option<&str>| Door {
        id: id.into(),
        name: name.into(),
        open_for_all: open.map(Into::into),
    };
    let group = |id: &str, doors: &[&str], hours: Option<&str>| Group {
        id: id.into(),
        doors: doors.iter().map(|door| (*door).into()).collect(),
        hours: hours.map(Into::into),
    };
    let span = |from, until| Span { from, until };
    let schedule = |id: &str, week, holiday: &[Span]| Schedule {
        id: id.into(),
        week,
        holiday: holiday.to_vec(),
    };
    Site {
        zone: "Europe/Madrid".into(),
        doors: vec![
            door("front", "Front door", Some("morning")),
            door("room", "Room Berlin", None),
            door("store", "Store", None),
        ],
        groups: vec![
            group("house", &["front", "room"], Some("office")),
            group("rooms", &["front", "room"], None),
            group("night", &["room"], Some("nights")),
            group("never", &["room"], Some("closed")),
        ],
        schedules: vec![
            schedule("office", week(&[span(480, 1200)]), &[span(600, 840)]),
            schedule("morning", week(&[span(600, 720)]), &[]),
            schedule("nights", week(&[span(1320, 1440), span(0, 360)]), &[]),
            schedule("closed", week(&[]), &[]),
        ],
        holidays: vec![jiff::civil::date(2026, 12, 8)],
    }
}

fn grant(person: &str, kind: GrantKind, group: &str, source: (&str, &str), window: Window) -> Grant {
    let (rule, target) = match kind {
        GrantKind::Plan => (1, Target::Group(group.into())),
        GrantKind::Assignment => (9, Target::Group(group.into())),
        GrantKind::Booking => (12, Target::Group(group.into())),
        GrantKind::Pass => (20, Target::Group(group.into())),
        GrantKind::Direct => (11, Target::Door(group.into())),
    };
    Grant {
        person: person.into(),
        target,
        window,
        kind,
        source: Source {
            id: source.0.into(),
            label: source.1.into(),
        },
        rule,
        void: None,
    }
}

fn block(target: BlockTarget, note: &str) -> Block {
    Block {
        target,
        note: note.into(),
    }
}

/// Ada (card 1) with whatever grants a test gives her.
fn ada(grants: &[Grant]) -> Snapshot {
    Snapshot {
        version: 7,
        taken_at: at("2026-11-20T09:00[Europe/Madrid]"),
        people: vec![Holder {
            id: "m_1".into(),
            name: "Ada Lovelace".into(),
        }],
        credentials: vec![(card(1), "m_1".into())],
        grants: grants.to_vec(),
        blocks: Vec::new(),
    }
}

/// A question and its surroundings, to be changed by each test.
struct Asked {
    snapshot: Snapshot,
    card: Option<Credential>,
    door: Option<&'static str>,
    now: Moment,
    lockdown: bool,
    limits: Limits,
}

impl Asked {
    /// Card 1 at the room's door, Sunday 2026-11-22, 14:10 in Madrid, trusted.
    fn with(grants: &[Grant]) -> Self {
        Self {
            snapshot: ada(grants),
            card: Some(card(1)),
            door: Some("room"),
            now: Moment::trusted(at("2026-11-22T14:10[Europe/Madrid]")),
            lockdown: false,
            limits: Limits::default(),
        }
    }

    fn on(mut self, time: &str) -> Self {
        self.now.at = at(&format!("{time}[Europe/Madrid]"));
        self
    }

    fn verdict(&self) -> (Verdict, Explanation) {
        let (index, _) = Index::build(&self.snapshot, &site()).unwrap();
        let query = Query {
            credential: self.card.as_ref(),
            door: self.door.map(|door| index.door(door).unwrap()),
            now: self.now,
            lockdown: self.lockdown,
            limits: &self.limits,
        };
        let verdict = index.decide(&query);
        (verdict, explain(&index, &query, &verdict))
    }

    fn reason(&self) -> Reason {
        self.verdict().0.reason
    }

    fn text(&self) -> String {
        self.verdict().1.text
    }
}
