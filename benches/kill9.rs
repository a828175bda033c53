//! 200 times kill -9 of the daemon while cards are presented at four readers on four lines, with the cloud up.
//!
//! Every card is presented once, one at a time at each reader. An answer counts when the reader was told to show its
//! green light. In the end each answered card must stand in the journal and at the cloud, each exactly once:
//! `kill9/lost` counts those that are missing in either, `kill9/doubled` those that are there twice. A reader loses its power together with the daemon, so that it cannot keep a card of
//! before the kill and show its light for the next one.

use crate::{
    report::{Failure, Report, now},
    site::{self, Gateway, PATIENCE, pause, wait},
};
use doorward_peers::{
    cloud::{Cloud, Options},
    osdp::{Bus, Color, PdSpec, Seen, What},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::mpsc::Receiver,
    time::Duration,
};

const ROUNDS: u32 = 200;
const READERS: u8 = 4;
const PEOPLE: u32 = 20_000;

struct Reader {
    bus: Bus,
    address: u8,
    seen: Receiver<Seen>,
    /// The card that lies on it.
    card: Option<u32>,
}

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    let cloud = Cloud::start(Options {
        version: site::VERSION,
        world: site::world(PEOPLE),
        ..Options::default()
    })?;
    let mut readers = (0..READERS).map(reader).collect::<Result<Vec<_>, Failure>>()?;
    let lines: String = readers
        .iter()
        .map(|it| site::osdp(it.bus.path(), it.address..it.address + 1))
        .collect();
    let mut gateway = Gateway::new(&site::config(Some(&cloud.url()), READERS, &lines))?;
    gateway.seed(PEOPLE)?;
    let (mut next, mut answered) = (0, BTreeSet::new());
    for round in 0..ROUNDS {
        if round % 20 == 0 {
            site::say(&format!("kill9: round {round}, {} answers", answered.len()));
        }
        gateway.start()?;
        // From the middle of the first answers to well after their commit.
        let after = Duration::from_micros(u64::from(round) * 7_919 % 150_000);
        load(&mut readers, &mut next, &mut answered, after)?;
        gateway.kill()?;
        for reader in &mut readers {
            reader.collect(&mut answered);
            reader.card = None;
            reader.bus.restart(reader.address);
        }
    }
    gateway.start()?;
    let (before, mut told) = (now(), BTreeMap::new());
    wait("the cloud to have everything", || {
        let taken = cloud.check_ins();
        told = count(taken.iter().map(|it| it.body.person.clone()));
        let all = answered
            .iter()
            .all(|card| told.contains_key(&site::person(*card)));
        Ok(all || before.elapsed() > PATIENCE / 4)
    })?;
    gateway.stop()?;
    let journal = count(gateway.granted()?.iter().filter_map(|event| {
        let person = event.body.person.as_ref()?;
        Some(person.as_str().to_owned())
    }));
    let lost = answered.iter().filter(|card| {
        let person = site::person(**card);
        !journal.contains_key(&person) || !told.contains_key(&person)
    });
    let doubled = |times: &BTreeMap<String, u32>| times.values().filter(|times| **times > 1).count();
    let figure = |count: usize| u32::try_from(count).map(f64::from);
    report.figure("kill9/rounds", f64::from(ROUNDS), "kills");
    report.figure("kill9/answered", figure(answered.len())?, "answers");
    report.figure("kill9/lost", figure(lost.count())?, "answers");
    report.figure(
        "kill9/doubled",
        figure(doubled(&journal) + doubled(&told))?,
        "events",
    );
    Ok(())
}

fn reader(address: u8) -> Result<Reader, Failure> {
    let key = Some(site::KEY);
    let bus = Bus::start(vec![PdSpec { address, key }])?;
    let seen = bus.observed();
    Ok(Reader {
        bus,
        address,
        seen,
        card: None,
    })
}

/// Presents card after card until `after` has passed since the first answer.
fn load(
    readers: &mut [Reader],
    next: &mut u32,
    answered: &mut BTreeSet<u32>,
    after: Duration,
) -> Result<(), Failure> {
    let (start, before, mut first) = (now(), answered.len(), None);
    loop {
        for reader in readers.iter_mut() {
            reader.collect(answered);
            if reader.card.is_none() {
                reader.bus.tap(reader.address, 56, &site::card(*next));
                reader.card = Some(*next);
                *next += 1;
            }
        }
        if first.is_none() && answered.len() > before {
            first = Some(now());
        }
        if first.is_some_and(|first| first.elapsed() >= after) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE || *next >= PEOPLE {
            return Err("the readers are not answered, or there are no cards left".into());
        }
        pause(Duration::from_millis(1));
    }
}

impl Reader {
    /// Notes the answer, if there is one.
    fn collect(&mut self, answered: &mut BTreeSet<u32>) {
        for seen in self.seen.try_iter() {
            let green = matches!(
                seen.what,
                What::Light {
                    color: Color::Green,
                    ..
                }
            );
            if green && let Some(card) = self.card.take() {
                answered.insert(card);
            }
        }
    }
}

fn count(people: impl Iterator<Item = String>) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    for person in people {
        *times.entry(person).or_default() += 1;
    }
    times
}
