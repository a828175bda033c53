//! Grants out of facts: everything, and what one change costs beside it. 10,000 members in 400 teams, 2,000 bookings of a
//! week, 5,000 passes, 300 rooms and desks; a third of the plans need passes.

use crate::report::{Failure, Report, Samples, now};
use doorward::{
    access::Index,
    clock::Clock,
    config::model::{Profile, RulesConfig},
    domain::{
        GroupId, PersonId,
        facts::{Booking, Facts, Membership, Pass, Person, Resource, ResourceKind, When},
        opening::{Hours, Opening, Week},
        site::{Group, Site},
    },
    health::Health,
    rules::{Incremental, Outcome, grants},
    store::{SnapshotMeta, Store, StoreOptions},
};
use std::sync::Arc;

const MEMBERS: usize = 10_000;
const BOOKINGS: usize = 2_000;
const PASSES: usize = 5_000;
const RESOURCES: usize = 300;
const GROUPS: usize = 20;
const HOUR: i64 = 3_600_000;
/// Monday, 18 May 2026, 00:00 UTC.
const MONDAY: i64 = 1_779_062_400_000;

/// A change of the facts, by its name in the figures; the number picks the object.
type Edit = (&'static str, fn(&mut Facts, usize));

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    let site = site();
    let rules = rules();
    let facts = facts()?;
    let outcome = grants(&facts, &rules, &site);
    let objects = MEMBERS + BOOKINGS + PASSES;
    report.note(
        "rules",
        &format!("{objects} objects, {} grants", outcome.grants.len()),
    );
    let full = Samples::of(0..25, |_| grants(&facts, &rules, &site));
    report.figure("rules/10000/full", full.millis_at(0.5), "ms");

    let mut incremental = Incremental::new(Arc::new(facts.clone()), rules.clone(), site.clone());
    let edits: [Edit; 4] = [
        ("one_booking", |facts, turn| {
            if let Some(booking) = facts.bookings.get_mut(turn * 37 % BOOKINGS) {
                booking.until += HOUR;
            }
        }),
        ("one_pass", |facts, turn| {
            if let Some(pass) = facts.passes.get_mut(turn * 37 % PASSES) {
                pass.left = Some(u32::from(pass.left == Some(0)));
            }
        }),
        ("one_person", |facts, turn| {
            if let Some(person) = facts.people.get_mut(turn * 37 % MEMBERS) {
                person.deactivated = !person.deactivated;
            }
        }),
        ("nothing", |_, _| {}),
    ];
    for (name, edit) in edits {
        let mut times = Vec::new();
        for turn in 0..50 {
            // The facts are a new set each time, as a pull brings them; making it is not the rules' work.
            let mut changed = Facts::clone(incremental.facts());
            edit(&mut changed, turn);
            let changed = Arc::new(changed);
            let start = now();
            incremental.update(changed);
            times.push(start.elapsed());
        }
        let taken = Samples::from(times).millis_at(0.5);
        report.figure(&format!("rules/10000/{name}"), taken, "ms");
        if name == "one_booking" {
            report.figure(
                "rules/10000/one_booking/vs_full",
                full.millis_at(0.5) / taken,
                "ratio",
            );
        }
    }
    if *incremental.outcome() != grants(incremental.facts(), &rules, &site) {
        return Err("the updates came to something else than working out everything".into());
    }
    beside(&facts, outcome, &site, report)
}

/// What else a change of the facts costs the gateway, whatever the rules cost: the index for the doors, and the facts
/// packed for the disk and unpacked again.
fn beside(facts: &Facts, outcome: Outcome, site: &Site, report: &mut Report) -> Result<(), Failure> {
    let (snapshot, _) = outcome.into_snapshot(1, MONDAY);
    let index = Index::build(&snapshot, site)?.0;
    let built = Samples::of(0..25, |_| Index::build(&snapshot, site));
    report.figure("rules/10000/beside/index", built.millis_at(0.5), "ms");
    let folder = tempfile::tempdir()?;
    let options = StoreOptions::new(folder.path().join("state"), folder.path().join("run"));
    let store = Store::open(&options, &Clock::system(true, 0), &Health::default())?.0;
    let packed = Samples::of(0..25, |_| store.pack(facts));
    report.figure("rules/10000/beside/pack", packed.millis_at(0.5), "ms");
    store.apply_snapshot(&SnapshotMeta::default(), facts, &index.to_image())?;
    let stored = store.active()?.ok_or("nothing is stored")?;
    let unpacked = Samples::of(0..25, |_| store.facts(&stored));
    report.figure("rules/10000/beside/unpack", unpacked.millis_at(0.5), "ms");
    store.close();
    Ok(())
}

fn group(number: usize) -> GroupId {
    format!("group{}", number % GROUPS).into()
}

fn site() -> Site {
    let group = |number| Group {
        id: group(number),
        doors: vec![],
        hours: None,
    };
    Site {
        zone: "Europe/Madrid".into(),
        doors: vec![],
        groups: (0..GROUPS).map(group).collect(),
        schedules: vec![],
        holidays: vec![],
    }
}

/// The profile with most to do: schedules of desks, teams by company, passes that restrict.
fn rules() -> RulesConfig {
    let mut rules = RulesConfig::of(Profile::Spacebring);
    rules.restrict_on_exhaustion = true;
    for number in 0..8 {
        rules
            .plans
            .insert(format!("plan{number}"), vec![group(number), group(number + 1)]);
    }
    for number in 0..RESOURCES {
        rules
            .resources
            .insert(format!("room{number}"), vec![group(number)]);
    }
    rules.passes.insert("day".into(), vec![group(0)]);
    rules
}

fn facts() -> Result<Facts, Failure> {
    let person = |number: usize| -> PersonId { format!("person-{:08}", number % MEMBERS).into() };
    let mut facts = Facts::default();
    for number in 0..MEMBERS {
        let mut one = Person::new(person(number), format!("Person Number {number}"));
        one.team = (number % 3 == 0).then(|| format!("team{}", number % 400).into());
        one.email = Some(format!("person{number}@example.com").into());
        one.credentials = vec![format!("uid:04{number:012X}").parse()?];
        facts.people.push(one);
        let mut membership =
            Membership::new(format!("membership-{number:08}"), format!("plan{}", number % 8));
        membership.person = Some(person(number));
        membership.starts = Some(When::At(MONDAY - 1_000 * HOUR));
        membership.pass_based = number % 3 == 1;
        facts.memberships.push(membership);
    }
    let week = Week {
        hours: vec![Hours {
            weekdays: vec![1, 2, 3, 4, 5],
            from: 540,
            until: 1_140,
        }],
        closed: vec![],
    };
    for number in 0..RESOURCES {
        let kind = if number % 2 == 0 {
            ResourceKind::Desk
        } else {
            ResourceKind::Room
        };
        let mut resource = Resource::new(format!("room{number}"), format!("Room {number}"), kind);
        resource.opening = Some(Opening {
            default: week.clone(),
            public: Some(week.clone()),
        });
        facts.resources.push(resource);
    }
    for number in 0..BOOKINGS {
        let from = MONDAY + i64::try_from(number % 168)? * HOUR;
        let resource = format!("room{}", number % RESOURCES);
        let mut booking = Booking::new(format!("booking-{number:08}"), resource, from, from + 2 * HOUR);
        booking.person = Some(person(number * 7));
        booking.invitees = (1..number % 4).map(|guest| person(number * 7 + guest)).collect();
        facts.bookings.push(booking);
    }
    for number in 0..PASSES {
        let mut pass = Pass::new(format!("pass-{number:08}"), "day");
        pass.person = Some(person(number * 2 + 1));
        pass.left = Some(u32::try_from(number % 4)?);
        pass.ends = Some(When::Day("2026-12-31".parse()?));
        facts.passes.push(pass);
    }
    Ok(facts)
}
