//! `doorward people`: who may open what now, and why (R43).

mod cards;
mod why;
pub(super) mod words;

use super::{
    Context,
    failure::{Failure, status},
    in_force::{self, InForce},
    moment,
    out::{Cell, Out, Tone, plain},
};
use crate::{
    clock::Clock,
    config::Config,
    domain::time::Millis,
    rules::{self, Access, PersonAccess, State},
    store,
};
pub(super) use cards::Cards;
use serde::Serialize;
use words::Words;

/// Arguments of `people`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward people
  doorward people --at 19:30
  doorward people --why 'Ana Ruiz'          every right of hers, and the rules behind them
  doorward people --why ana@example.com --json

It reads the facts that were fetched last, whether the gateway runs or not, and opens nothing. The rules that it names
stand in docs/rules.md.
Exit status: 0; 1 if nothing was fetched yet, or if --why names nobody, or several.")]
pub struct PeopleArgs {
    /// One person with every right: open, to come, over or without effect. By name, a part of it, e-mail or id.
    #[arg(long, value_name = "NAME")]
    pub why: Option<String>,
    /// When: 14:25 (today), 2026-12-25 09:00 (both by the building's clock), RFC 3339 or 20m (ago). Without it: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

/// The instant that a command is about, and now.
pub(crate) fn instant(text: Option<&str>, config: &Config) -> Result<Millis, Failure> {
    let floor = store::time_floor(&config.state_dir).unwrap_or(0);
    let now = Clock::system(config.clock.rtc, floor).now().at;
    text.map_or(Ok(now), |text| {
        let parsed = moment::parse(text, &config.site.zone, now);
        parsed.map_err(|error| Failure::new(status::USAGE, error.to_string(), ""))
    })
}

pub(super) fn run(context: &Context<'_>, args: &PeopleArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config()?;
    let at = instant(args.at.as_deref(), &config)?;
    let now = instant(None, &config)?;
    let (in_force, _) = in_force::read(&config, now)?;
    let in_force = in_force.ok_or_else(in_force::nothing)?;
    let words = Words::new(&config, at);
    match &args.why {
        Some(name) => why::show(out, &words, &in_force, name),
        None => list(out, &words, &in_force, now),
    }
}

fn list(out: &mut Out, words: &Words<'_>, in_force: &InForce, now: Millis) -> Result<u8, Failure> {
    let people = rules::effective(&in_force.outcome, words.site(), words.at);
    let cards = Cards::of(&in_force.outcome);
    if out.is_json() {
        out.json(&document(words, in_force, &people, &cards))?;
        return Ok(status::OK);
    }
    table(out, words, &people, &cards)?;
    let opens = |person: &&PersonAccess| person.opens_something() && !cards.are_useless(&person.person);
    let inside = people.iter().filter(opens).count();
    out.line("")?;
    out.line(&format!(
        "{inside} of {} people may open something {}; facts of {}",
        people.len(),
        words.moment(now),
        moment::local_and_age(in_force.meta.taken_at, words.zone(), now)
    ))?;
    for ageing in &in_force.ageing {
        let line = out.paint(Tone::Watch, &ageing.words(now));
        out.line(&line)?;
    }
    let count = in_force.outcome.warnings.len();
    if count > 0 {
        let things = if count == 1 { "thing wants" } else { "things want" };
        let line = format!("{count} {things} a look in facts or mapping: `doorward sync status` lists them");
        let line = out.paint(Tone::Watch, &line);
        out.line(&line)?;
    }
    Ok(status::OK)
}

/// A person with all rights, as `--json` gives it.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    access: &'a PersonAccess,
    cards: usize,
    /// How many of the cards somebody else has as well, so that they open for neither (R34).
    shared_cards: usize,
    opens_something: bool,
}

fn document(
    words: &Words<'_>,
    in_force: &InForce,
    people: &[PersonAccess],
    cards: &Cards<'_>,
) -> serde_json::Value {
    let rows: Vec<Row<'_>> = people
        .iter()
        .map(|access| Row {
            access,
            cards: cards.count(&access.person),
            shared_cards: cards.shared(&access.person).count(),
            opens_something: access.opens_something() && !cards.are_useless(&access.person),
        })
        .collect();
    serde_json::json!({
        "at": moment::rfc3339(words.at), "zone": words.zone(), "version": in_force.meta.version,
        "taken_at": in_force.meta.taken_at, "people": rows,
    })
}

/// A row for each right that is open; one for whoever has none.
pub(super) fn table(
    out: &mut Out,
    words: &Words<'_>,
    people: &[PersonAccess],
    cards: &Cards<'_>,
) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for person in people {
        let who = [plain(&person.name).into_owned(), cards.words(&person.person)];
        if person.blocked.is_none() && cards.are_useless(&person.person) {
            rows.push(shared_row(cards, person, who));
            continue;
        }
        let open: Vec<&Access> = match person.blocked {
            Some(_) => Vec::new(),
            None => person
                .access
                .iter()
                .filter(|it| it.state == State::Open)
                .collect(),
        };
        if open.is_empty() {
            rows.push(closed_row(words, person, who));
            continue;
        }
        let mut seen = Vec::new();
        for access in open {
            let row = open_row(words, access);
            // A platform may keep one booking in two lists: what reads the same is the same here.
            if seen.contains(&(&access.target, &access.window, access.rule, &access.source.label)) {
                continue;
            }
            let who = if seen.is_empty() {
                who.clone()
            } else {
                Default::default()
            };
            seen.push((&access.target, &access.window, access.rule, &access.source.label));
            rows.push(who.map(Cell::from).into_iter().chain(row).collect());
        }
    }
    out.table(&["person", "cards", "opens", "doors", "until", "because"], rows)
}

/// Rights or not, no reader knows whose card it is (R34).
fn shared_row(cards: &Cards<'_>, person: &PersonAccess, [name, count]: [String; 2]) -> Vec<Cell> {
    vec![
        name.into(),
        count.into(),
        Cell("shared card".into(), Tone::Bad),
        String::new().into(),
        String::new().into(),
        plain(&cards.why_shared(&person.person)).into_owned().into(),
    ]
}

fn open_row(words: &Words<'_>, access: &Access) -> Vec<Cell> {
    vec![
        Cell(words.target(&access.target), Tone::Good),
        words.doors(&access.target).into(),
        words.until(access).into(),
        words.because(access.kind, &access.source, access.rule).into(),
    ]
}

/// Nothing is open: why, and what comes nearest.
fn closed_row(words: &Words<'_>, person: &PersonAccess, [name, cards]: [String; 2]) -> Vec<Cell> {
    let (state, because) = match (&person.blocked, person.access.first()) {
        (Some(note), _) => (Cell("blocked".into(), Tone::Bad), plain(note).into_owned()),
        (None, Some(next)) => (
            Cell(words.state(next.state).into(), Tone::Watch),
            format!(
                "{}{}",
                words.because(next.kind, &next.source, next.rule),
                words.from(next)
            ),
        ),
        (None, None) => (Cell("nothing".into(), Tone::Faint), String::new()),
    };
    vec![
        name.into(),
        cards.into(),
        state,
        String::new().into(),
        String::new().into(),
        because.into(),
    ]
}
