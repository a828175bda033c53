//! The enrolment desk among 10,000 people, with a cloud that is not there: everything at the desk works without. Search beside a
//! naive scan of the same rows; a fob given until it opens the door; a lost one blocked until it is refused; a card on the reader
//! until it is on the stream of the page, with the reader's own part beside it; 60 fobs for 60 people.

mod page;

use crate::{
    report::{Failure, Report, Samples, now},
    site::{self, Gateway, PATIENCE, pause, wait},
};
use doorward::{
    clock::Clock,
    desk::Directory,
    domain::facts::{Facts, Person, Team},
};
use doorward_peers::{
    crowd,
    osdp::{Bus, Color, Seen, What},
    pn532::Pn532,
};
use page::Page;
use serde_json::{Value, json};
use std::{
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

const PEOPLE: u32 = 10_000;
/// Fobs that are given, blocked, presented.
const FOBS: u32 = 60;
/// Numbers from here on are nobody's card.
const FRESH: u32 = 1_000_000;

/// As somebody types.
const QUERIES: [&str; 13] = [
    "j",
    "jo",
    "jos",
    "jose",
    "jose nun",
    "weiss",
    "nandu 17",
    "person.77",
    "person.77@",
    "lopez garcia",
    "smith 98",
    "o'ne",
    "yildiz 9999",
];

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    search(report);
    let (bus, chip, lines) = site::desk_and_door()?;
    let mut gateway = Gateway::new(&site::config(Some(site::DEAD_CLOUD), 1, &lines))?;
    gateway.seed(PEOPLE)?;
    gateway.start()?;
    gateway.settle(1)?;
    wait("the desk's reader and the page", || {
        let readers = gateway.told("/sections/desk_readers/readers")?;
        let page = gateway.told("/sections/page/listening")?;
        let there = readers
            .as_ref()
            .and_then(Value::as_array)
            .is_some_and(|all| !all.is_empty());
        Ok(there && page.is_some_and(|address| address.is_string()))
    })?;
    let seen = bus.observed();
    assign(&gateway, &bus, &seen, report)?;
    block(&gateway, &bus, &seen, report)?;
    let page = Page::sign_in(&gateway)?;
    presented(&page, &chip, report)?;
    bulk(&page, &chip, report)?;
    // Everybody's names were searched, and somebody is signed in.
    report.figure(&format!("rss_desk/{PEOPLE}"), gateway.megabytes("VmRSS")?, "MB");
    gateway.stop()
}

fn people() -> Facts {
    let mut facts = Facts::default();
    for n in (0..).take(PEOPLE as usize) {
        let somebody = crowd::somebody(n);
        let mut person = Person::new(somebody.id, somebody.name);
        (person.email, person.team) = (Some(somebody.email.into()), Some(somebody.team.into()));
        facts.people.push(person);
    }
    let team = |(id, name): (String, String)| Team {
        id: id.into(),
        name: name.into(),
        payer: None,
    };
    facts.teams = crowd::teams().map(team).collect();
    facts
}

/// What a page without an index of its own would do: every row in lower case, at every key.
fn naive(facts: &Facts, query: &str) -> usize {
    let query = query.to_lowercase();
    let words: Vec<&str> = query.split_whitespace().collect();
    let fits = |person: &&Person| {
        let team = facts
            .teams
            .iter()
            .find(|team| Some(&team.id) == person.team.as_ref());
        let row = format!(
            "{} {} {}",
            person.name,
            person.email.as_deref().unwrap_or_default(),
            team.map_or("", |team| team.name.as_str())
        );
        let row = row.to_lowercase();
        words.iter().all(|word| row.contains(word))
    };
    facts.people.iter().filter(fits).take(20).count()
}

fn search(report: &mut Report) {
    let facts = people();
    let directory = Directory::of(&facts);
    let queries = || (0..20).flat_map(|_| QUERIES);
    let indexed = Samples::of(queries(), |query| directory.search(query, 20));
    let scanned = Samples::of(queries(), |query| naive(&facts, query));
    let (own, other) = (indexed.millis_at(0.95), scanned.millis_at(0.95));
    report.figure(&format!("desk_search/{PEOPLE}/p95"), own, "ms");
    report.figure(&format!("desk_search/{PEOPLE}/naive/p95"), other, "ms");
    report.figure(&format!("desk_search/{PEOPLE}/vs_naive"), other / own, "times");
    let made = Samples::of(0..10, |_| Directory::of(&facts));
    report.figure(&format!("desk_search/{PEOPLE}/made"), made.millis_at(0.5), "ms");
}

/// Asks the desk over the control socket.
fn desk(gateway: &Gateway, action: &str, body: &Value) -> Result<Value, Failure> {
    let (status, answer) = gateway.ask("POST", &format!("/v1/cards/{action}"), body)?;
    if status != 200 {
        return Err(format!("{action}: {answer}").into());
    }
    Ok(answer)
}

fn named(card: u32) -> String {
    format!("uid:{}", site::digits(card))
}

/// Presents a card at the door: its light, or the strike if that is what is waited for, and when.
fn light(bus: &Bus, seen: &Receiver<Seen>, card: u32, strike: bool) -> Result<(Color, Instant), Failure> {
    while seen.try_recv().is_ok() {}
    bus.tap(0, 56, &site::card(card));
    let (mut color, mut at, mut released) = (None, None, None);
    loop {
        let told = seen.recv_timeout(PATIENCE)?;
        match told.what {
            What::Output { output: 0, .. } => released = Some(told.at),
            What::Light { color: shown, .. } => (color, at) = (Some(shown), Some(told.at)),
            // It comes last.
            What::Sound { .. } => break,
            _ => {}
        }
    }
    let at = if strike { released } else { at };
    Ok((color.ok_or("no light")?, at.ok_or("the strike was not released")?))
}

fn assign(gateway: &Gateway, bus: &Bus, seen: &Receiver<Seen>, report: &mut Report) -> Result<(), Failure> {
    site::say(&format!("desk: {FOBS} fobs are given, and presented"));
    let (mut in_force, mut opens) = (Vec::new(), Vec::new());
    for n in 0..FOBS {
        let begun = now();
        let give = json!({ "card": named(FRESH + n), "person": site::person(n), "by": "bench" });
        desk(gateway, "assign", &give)?;
        in_force.push(begun.elapsed());
        let (color, at) = light(bus, seen, FRESH + n, true)?;
        if color != Color::Green {
            return Err(format!("a fob that was given: the light is {color:?}").into());
        }
        opens.push(at - begun);
    }
    for (name, times) in [("in_force", in_force), ("opens", opens)] {
        let samples = Samples::from(times);
        report.figure(&format!("desk_assign/{name}/p50"), samples.millis_at(0.5), "ms");
        report.figure(&format!("desk_assign/{name}/p95"), samples.millis_at(0.95), "ms");
    }
    Ok(())
}

fn block(gateway: &Gateway, bus: &Bus, seen: &Receiver<Seen>, report: &mut Report) -> Result<(), Failure> {
    let mut refused = Vec::new();
    for n in 0..FOBS {
        let begun = now();
        let lost = json!({ "target": { "card": named(n) }, "note": "lost", "by": "bench" });
        desk(gateway, "block", &lost)?;
        let (color, at) = light(bus, seen, n, false)?;
        if color != Color::Red {
            return Err(format!("a fob that is lost: the light is {color:?}").into());
        }
        refused.push(at - begun);
    }
    let samples = Samples::from(refused);
    report.figure("desk_block/refused/p50", samples.millis_at(0.5), "ms");
    report.figure("desk_block/refused/p95", samples.millis_at(0.95), "ms");
    Ok(())
}

/// The whole way, and which part of it was the reader's: to the instant at which the gateway heard of the card.
fn presented(page: &Page, chip: &Pn532, report: &mut Report) -> Result<(), Failure> {
    site::say(&format!(
        "desk: {FOBS} fobs are laid on the reader, {PEOPLE} people to look through"
    ));
    let clock = Clock::system(true, 0);
    let mut live = page.live()?;
    live.next("readers")?;
    let (mut all, mut reader, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..FOBS {
        pause(Duration::from_micros(7_001 * u64::from(n % 13)));
        let (begun, laid) = (now(), clock.now().at);
        chip.lay(&site::card(FRESH + n));
        let (at, card) = live.next("presented")?;
        let heard = card.get("at").and_then(Value::as_i64).ok_or("no instant")?;
        if card.pointer("/look/holders/0/person").and_then(Value::as_str) != Some(&site::person(n)) {
            return Err(format!("whose card it is does not stand there: {card}").into());
        }
        let (whole, reading) = (at - begun, Duration::from_millis(u64::try_from(heard - laid)?));
        all.push(whole);
        reader.push(reading);
        own.push(whole.saturating_sub(reading));
        chip.clear();
        live.next("removed")?;
    }
    for (name, times) in [("all", all), ("reader", reader), ("gateway", own)] {
        let samples = Samples::from(times);
        report.figure(
            &format!("desk_presented/{name}/p50"),
            samples.millis_at(0.5),
            "ms",
        );
        report.figure(
            &format!("desk_presented/{name}/p95"),
            samples.millis_at(0.95),
            "ms",
        );
    }
    Ok(())
}

/// A queue of people at the page: whatever is presented goes to the next one.
fn bulk(page: &Page, chip: &Pn532, report: &mut Report) -> Result<(), Failure> {
    let people: Vec<String> = (0..FOBS).map(|n| site::person(1_000 + n)).collect();
    page.post("/api/v1/queues/bench", &json!({ "people": people }))?;
    let mut live = page.live()?;
    live.next("readers")?;
    let (begun, mut each) = (now(), Vec::new());
    let mut presentations = 0;
    for n in 0..FOBS {
        let laid = now();
        chip.lay(&site::card(FRESH + 1_000 + n));
        let (_, card) = live.next("presented")?;
        presentations += 1;
        let step = page.post(
            "/api/v1/queues/bench/present",
            &json!({ "card": card.get("card") }),
        )?;
        if step.get("given") != Some(&Value::Bool(true)) {
            return Err(format!("a fob was nobody's: {step}").into());
        }
        each.push(laid.elapsed());
        chip.clear();
        live.next("removed")?;
    }
    let samples = Samples::from(each);
    report.figure(
        &format!("desk_bulk/{FOBS}/presentations"),
        f64::from(presentations),
        "",
    );
    report.figure(
        &format!("desk_bulk/{FOBS}/each/p95"),
        samples.millis_at(0.95),
        "ms",
    );
    report.figure(
        &format!("desk_bulk/{FOBS}/all"),
        begun.elapsed().as_secs_f64(),
        "s",
    );
    Ok(())
}
