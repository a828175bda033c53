//! `doorward events`.

use super::{
    Context,
    failure::{Failure, status},
    moment,
    out::{Cell, Out, Tone, plain},
    stored,
};
use crate::{
    building::{EventDoc, Reader},
    clock::Clock,
    config::{Config, model::PersonDetail},
    domain::{ClockQuality, EntryEvent, EventKind, time::Millis},
    store::{self, ReadStore},
};
use serde::Serialize;
use std::time::Duration;

/// Arguments of `events`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward events                       the last 50
  doorward events --since 2h            since two hours ago
  doorward events --since '2026-11-22 08:00' --limit 1000
  doorward events --follow --json       one JSON document a line, as they happen

A time with a question mark was a guess: the clock was not trusted then.
It works while the gateway is stopped, too.
Exit status: 0; 1 if the journal cannot be read or there is none yet; 130 when --follow is ended by Ctrl-C.")]
pub struct EventsArgs {
    /// Goes on with new events until Ctrl-C.
    #[arg(long, short)]
    pub follow: bool,
    /// Only events since then: 90s, 20m, 2h or 3d (ago), 14:25 (the last one), 2026-11-22, 2026-11-22 08:00 (by the
    /// building's clock) or RFC 3339.
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// At most so many, the latest.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub limit: u32,
}

impl EventsArgs {
    /// `--since` as an instant.
    ///
    /// # Errors
    /// When it is no time.
    pub fn since(&self, zone: &str, now: Millis) -> Result<Option<Millis>, Failure> {
        let parse = |text: &String| moment::parse_past(text, zone, now);
        self.since
            .as_ref()
            .map(parse)
            .transpose()
            .map_err(|error| Failure::new(status::USAGE, error.to_string(), ""))
    }
}

pub(super) fn run(context: &Context<'_>, args: &EventsArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    list(&config, args, out)
}

/// How often `--follow` looks. The journal commits at most 50 ms after an answer.
const LOOK: Duration = Duration::from_millis(100);
/// Events read at a time.
const BATCH: usize = 1_000;
/// What is late where no building network says so: the default of `[mqtt] late_after_seconds`.
const LATE_AFTER: Duration = Duration::from_secs(60);

/// Reads the journal, whether the gateway runs or not.
fn list(config: &Config, args: &EventsArgs, out: &mut Out) -> Result<u8, Failure> {
    let floor = store::time_floor(&config.state_dir).unwrap_or(0);
    let clock = Clock::system(config.clock.rtc, floor);
    let since = args.since(&config.site.zone, clock.now().at)?;
    let store = stored::open(&config.state_dir)?.ok_or_else(|| stored::nothing(&config.state_dir))?;
    let (_, last, _) = store.extent()?;
    let limit = u64::from(args.limit);
    let begin = match since {
        Some(at) => store.seq_before(at)?.max(last.saturating_sub(limit)),
        None => last.saturating_sub(limit),
    };
    let mut seen = begin;
    let mut found = Vec::new();
    loop {
        let more = store.events_after(seen, BATCH)?;
        let Some(event) = more.last() else { break };
        seen = event.seq;
        found.extend(more);
    }
    let view = View::of(config, clock, seen);
    if args.follow {
        heading(out)?;
        for event in &found {
            line(out, event, &view)?;
        }
        follow(&store, seen, &view, out)?;
    } else {
        show(out, &found, &view)?;
    }
    Ok(status::OK)
}

/// Goes on until nobody reads the output or the user ends it.
fn follow(store: &ReadStore, mut seen: u64, view: &View<'_>, out: &mut Out) -> Result<(), Failure> {
    out.finish()?;
    while out.is_read_for(LOOK) {
        view.clock.refresh();
        for event in store.events_after(seen, BATCH)? {
            show_one(out, &event, view)?;
            seen = event.seq;
        }
    }
    Ok(())
}

/// An event as `--json` prints it: what the building network gets (docs/contract/event.schema.json), with the person,
/// since whoever reads the journal may read it all, and the masked card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line<'a> {
    /// What is told to everybody.
    #[serde(flatten)]
    pub event: EventDoc<'a>,
    /// The card, all but its end left out.
    pub credential: Option<String>,
}

/// When, and by which limits, events are shown.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The building's zone, for tables.
    pub zone: &'a str,
    /// What tells late from live, for JSON.
    pub reader: Reader,
    /// Read at each event, for JSON.
    pub clock: Clock,
}

impl<'a> View<'a> {
    /// As the configuration says. `last`: the newest event when the look began.
    #[must_use]
    pub fn of(config: &'a Config, clock: Clock, last: u64) -> Self {
        let late_after = config.mqtt.as_ref().map_or(LATE_AFTER, |mqtt| mqtt.late_after);
        Self {
            zone: &config.site.zone,
            reader: Reader {
                person: PersonDetail::Name,
                late_after,
                recorded_before: last,
            },
            clock,
        }
    }

    /// The event as JSON has it.
    #[must_use]
    pub fn line<'e>(&self, event: &'e EntryEvent) -> Line<'e> {
        Line {
            event: EventDoc::new(event, self.reader, self.clock.now()),
            credential: event.body.credential.map(|credential| credential.masked()),
        }
    }
}

const HEADING: [&str; 5] = ["time", "event", "door", "who", "why"];

/// Prints events: a table, or JSON lines.
///
/// # Errors
/// When it cannot be written.
pub fn show(out: &mut Out, events: &[EntryEvent], view: &View<'_>) -> Result<(), Failure> {
    if out.is_json() {
        return events.iter().try_for_each(|event| out.json(&view.line(event)));
    }
    if events.is_empty() {
        return out.line("no events");
    }
    out.table(
        &HEADING,
        events.iter().map(|event| row(event, view.zone)).collect(),
    )
}

/// Prints one event that just happened, and writes it out at once.
///
/// # Errors
/// When it cannot be written.
pub fn show_one(out: &mut Out, event: &EntryEvent, view: &View<'_>) -> Result<(), Failure> {
    line(out, event, view)?;
    out.finish()
}

/// Columns that cannot be fitted to what is yet to come.
const WIDTHS: [usize; 5] = [20, 19, 16, 24, 0];

fn heading(out: &mut Out) -> Result<(), Failure> {
    if out.is_json() {
        return Ok(());
    }
    let cells = HEADING.map(|text| Cell(text.to_owned(), Tone::Strong));
    columns(out, &cells)
}

fn line(out: &mut Out, event: &EntryEvent, view: &View<'_>) -> Result<(), Failure> {
    if out.is_json() {
        return out.json(&view.line(event));
    }
    columns(out, &row(event, view.zone))
}

fn columns(out: &mut Out, cells: &[Cell]) -> Result<(), Failure> {
    let text: Vec<String> = cells
        .iter()
        .zip(WIDTHS)
        .map(|(Cell(text, tone), width)| {
            let padding = " ".repeat(width_left(text, width));
            format!("{}{padding}", out.paint(*tone, text))
        })
        .collect();
    out.line(text.join("  ").trim_end())
}

fn width_left(text: &str, width: usize) -> usize {
    width.saturating_sub(text.chars().count())
}

fn row(event: &EntryEvent, zone: &str) -> Vec<Cell> {
    let body = &event.body;
    let mut time = moment::local(body.at, zone);
    if body.clock == ClockQuality::Untrusted {
        time.push('?');
    }
    let door = body.door.as_ref().map(|door| door.as_str());
    let place = door.or(body.reader.as_ref().map(|reader| reader.as_str()));
    let who = body
        .person_name
        .clone()
        .or_else(|| body.person.as_ref().map(ToString::to_string));
    let who = who.or_else(|| body.credential.map(|credential| credential.masked()));
    // The clause of a refusal says more to people than the id of the same right.
    let why = [
        body.reason.map(|reason| reason.words()),
        body.detail.as_deref().or(body.source.as_deref()),
    ];
    let why: Vec<&str> = why.into_iter().flatten().collect();
    vec![
        Cell(time, Tone::Faint),
        Cell(body.kind.name().replace('_', " "), tone(body.kind)),
        place.unwrap_or_default().into(),
        plain(&who.unwrap_or_default()).into_owned().into(),
        plain(&why.join("; ")).into_owned().into(),
    ]
}

const fn tone(kind: EventKind) -> Tone {
    match kind {
        EventKind::Granted | EventKind::ReaderOnline | EventKind::DoorSecured => Tone::Good,
        EventKind::Refused | EventKind::DoorForced | EventKind::ReaderTamper | EventKind::ConfigRefused => {
            Tone::Bad
        }
        EventKind::ReaderOffline
        | EventKind::ReaderInsecure
        | EventKind::DoorHeld
        | EventKind::SnapshotHeld
        | EventKind::Fault
        | EventKind::LockdownBegan => Tone::Watch,
        _ => Tone::Plain,
    }
}
