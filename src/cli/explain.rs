//! `doorward explain`.

use super::{
    Context,
    failure::{Failure, status},
    moment,
    out::{Out, Tone},
};
use crate::{
    access::{self, Query},
    clock::Clock,
    config::{Config, model::LineKind},
    domain::{Credential, DoorId, Moment, Reason, time::Millis},
    store::{self, Store},
    sync::{build, stale},
};
use serde::Serialize;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("place").required(true)), after_help = "\
Examples:
  doorward explain --credential uid:04A2B3C4D5E680 --door front-door
  doorward explain --credential wiegand26:123-45678 --reader front --at 14:25
  doorward explain --credential ks:02309289 --door front-door --at '2026-12-25 09:00'

It asks the stored snapshot, not the cloud, and opens nothing.
Exit status: 0 if the door would open, 1 if not.")]
pub struct ExplainArgs {
    /// The card: uid:HEX, rom14:HEX, wiegand26:FACILITY-NUMBER, wiegandN:HEX, ks:NUMBER or token:HEX.
    #[arg(long, value_name = "CARD")]
    pub credential: CardText,
    /// The door, as the configuration names it.
    #[arg(long, value_name = "DOOR", group = "place")]
    pub door: Option<String>,
    /// The reader instead of the door.
    #[arg(long, value_name = "READER", group = "place")]
    pub reader: Option<String>,
    /// When: 14:25, 2026-12-25 09:00 (both by the building's clock) or RFC 3339. Without it: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
}

/// A card number as typed. It is read by the command and not by the parser of the command line, which would repeat
/// the whole of a mistyped one.
#[derive(Clone)]
pub struct CardText(String);

impl From<&str> for CardText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
impl std::fmt::Debug for CardText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardText(…)")
    }
}

/// What is asked, in the words of the domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The card.
    pub credential: Credential,
    /// The door.
    pub door: DoorId,
    /// The instant, if one was named: it then counts as trusted.
    pub at: Option<Millis>,
}

impl ExplainArgs {
    /// The card.
    ///
    /// # Errors
    /// When it is no card number; the message repeats nothing of it.
    pub fn card(&self) -> Result<Credential, Failure> {
        let example = "for example uid:04A2B3C4D5E680 or wiegand26:123-45678";
        let parsed = self.credential.0.parse::<Credential>();
        parsed.map_err(|error| Failure::new(status::USAGE, format!("--credential: {error}"), example))
    }

    /// Resolves names and times by the configuration.
    ///
    /// # Errors
    /// When there is no such card, door, reader or time.
    pub fn question(&self, config: &Config, now: Millis) -> Result<Question, Failure> {
        let wrong = |message: String, hint: String| Failure::new(status::USAGE, message, hint);
        let at = match &self.at {
            Some(text) => Some(
                moment::parse(text, &config.site.zone, now)
                    .map_err(|error| wrong(error.to_string(), String::new()))?,
            ),
            None => None,
        };
        let door = match (&self.door, &self.reader) {
            (Some(door), _) => {
                let names = config
                    .doors
                    .iter()
                    .map(|door| door.id.as_str())
                    .collect::<Vec<_>>();
                if !names.contains(&door.as_str()) {
                    return Err(wrong(
                        format!("there is no door `{door}`"),
                        format!("doors are: {}", names.join(", ")),
                    ));
                }
                DoorId::from(door.as_str())
            }
            (None, Some(reader)) => {
                let known = readers(config);
                let found = known.iter().find(|(id, _)| id == reader);
                let names = || known.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", ");
                let found = found.ok_or_else(|| {
                    wrong(
                        format!("there is no reader `{reader}`"),
                        format!("readers are: {}", names()),
                    )
                })?;
                found.1.clone()
            }
            (None, None) => return Err(wrong("which door?".into(), "add --door or --reader".into())),
        };
        Ok(Question {
            credential: self.card()?,
            door,
            at,
        })
    }
}

fn readers(config: &Config) -> Vec<(&str, &DoorId)> {
    let lines = config.lines.iter();
    lines
        .flat_map(|line| match &line.kind {
            LineKind::Osdp(readers) => readers
                .iter()
                .map(|reader| (reader.id.as_str(), &reader.door))
                .collect(),
            LineKind::Wradapt(reader) => vec![(reader.id.as_str(), &reader.door)],
        })
        .collect()
}

pub(super) fn run(context: &Context<'_>, args: &ExplainArgs, out: &mut Out) -> Result<u8, Failure> {
    args.card()?; // a slip on the command line is told before one in the file
    let config = context.config()?;
    answer(&config, args, out)
}

/// Asks the stored index, whether the gateway runs or not. Opens nothing.
fn answer(config: &Config, args: &ExplainArgs, out: &mut Out) -> Result<u8, Failure> {
    let clock = Clock::system(
        config.clock.rtc,
        store::time_floor(&config.state_dir).unwrap_or(0),
    );
    let question = args.question(config, clock.now().at)?;
    let store = Store::open_read_only(&config.state_dir)?;
    let index =
        build::stored_index(&store, config).map_err(|error| Failure::new(status::FAILED, error, ""))?;
    let Some((_, index)) = index else {
        let hint = "nothing was fetched from the cloud yet: `doorward sync now`, then `doorward sync status`";
        return Err(Failure::new(status::FAILED, Reason::NoSnapshot.words(), hint));
    };
    let limits = stale::limits(config, store.last_contact()?);
    let query = Query {
        credential: Some(&question.credential),
        door: index.door(question.door.as_str()),
        now: question.at.map_or_else(|| clock.now(), Moment::trusted),
        lockdown: false,
        limits: &limits,
    };
    let verdict = index.decide(&query);
    let explanation = access::explain(&index, &query, &verdict);
    show(out, verdict.reason.grants(), &explanation.lines(), &explanation)
}

/// Prints a decision: the verdict first, then its grounds, a line each. The exit status.
///
/// # Errors
/// When it cannot be written.
pub fn show(
    out: &mut Out,
    opens: bool,
    grounds: &[String],
    document: &impl Serialize,
) -> Result<u8, Failure> {
    let status = if opens { status::OK } else { status::FAILED };
    if out.is_json() {
        out.json(document)?;
        return Ok(status);
    }
    let verdict = if opens {
        out.paint(Tone::Good, "opens")
    } else {
        out.paint(Tone::Bad, "stays shut")
    };
    out.line(&verdict)?;
    for ground in grounds {
        out.line(&format!("  {ground}"))?;
    }
    Ok(status)
}
