//! `doorward explain`.

mod hints;

use super::{
    Context,
    client::Client,
    failure::{Failure, status},
    in_force, moment,
    out::{Out, Tone, plain},
    rule_words, stored,
};
use crate::{
    access::{self, Explanation, Query},
    clock::Clock,
    config::{Config, model::LineKind},
    daemon::control::StatusDoc,
    domain::{Credential, DoorId, Moment, Reason, time::Millis},
    store,
    sync::{build, stale},
};
use serde::Serialize;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("place").required(true)), after_help = "\
Examples:
  doorward explain --credential uid:04A2B3C4D5E680 --door front-door
  doorward explain --credential wiegand26:123-45678 --reader front --at 14:25
  doorward explain --credential 'uid:04 A2 B3 C4' --door 'Front door' --at '2026-12-25 09:00'

It asks the facts that were fetched last, not the cloud, and opens nothing. It works while the gateway is stopped, too.
For a card that nobody holds it names cards that look alike. `docs/reasons.md` explains each reason.
Exit status: 0 if the door would open, 1 if not or if it cannot be told, 64 if the question was not understood.")]
pub struct ExplainArgs {
    /// The card: uid:HEX, rom14:HEX, wiegand26:FACILITY-NUMBER, wiegandN:HEX, ks:NUMBER or token:HEX.
    #[arg(long, value_name = "CARD")]
    pub credential: CardText,
    /// The door: its id or name in the configuration.
    #[arg(long, value_name = "DOOR", group = "place")]
    pub door: Option<String>,
    /// The reader instead of the door.
    #[arg(long, value_name = "READER", group = "place")]
    pub reader: Option<String>,
    /// When: 14:25 (today), 2026-12-25 09:00 (both by the building's clock), RFC 3339 or 20m (ago). Without it: now.
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
            (Some(door), _) => door_named(config, door).ok_or_else(|| {
                wrong(
                    format!("there is no door `{}`", door.escape_debug()),
                    doors(config),
                )
            })?,
            (None, Some(reader)) => {
                let known = readers(config);
                let found = known.iter().find(|(id, _)| id == reader);
                let names = || known.iter().map(|(id, _)| *id).collect::<Vec<_>>().join(", ");
                let found = found.ok_or_else(|| {
                    wrong(
                        format!("there is no reader `{}`", reader.escape_debug()),
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
    answer(context, &config, args, out)
}

/// By id, else by name, whatever its capitals; a name that two doors have names none.
fn door_named(config: &Config, text: &str) -> Option<DoorId> {
    let all = || config.site.doors.iter();
    if let Some(door) = all().find(|door| door.id.as_str() == text) {
        return Some(door.id.clone());
    }
    let mut named = all().filter(|door| door.name.to_lowercase() == text.trim().to_lowercase());
    match (named.next(), named.next()) {
        (Some(door), None) => Some(door.id.clone()),
        _ => None,
    }
}

fn doors(config: &Config) -> String {
    let shown = config.site.doors.iter().map(|door| {
        if door.name.is_empty() || door.name == door.id.as_str() {
            door.id.to_string()
        } else {
            format!("{} ({})", door.id, door.name)
        }
    });
    format!("doors are: {}", shown.collect::<Vec<_>>().join(", "))
}

/// What only a running gateway knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Live {
    lockdown: Option<bool>,
    trusted: Option<bool>,
}

impl Live {
    fn of(status: &StatusDoc, door: &DoorId) -> Self {
        let section = |name: &str| status.sections.get(name);
        let lockdown = || section("doors")?.get(door.as_str())?.get("lockdown")?.as_bool();
        Self {
            lockdown: lockdown(),
            trusted: section("clock").and_then(|clock| clock.get("trusted")?.as_bool()),
        }
    }
}

/// An explanation with what helps to look further.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    explanation: Explanation,
    /// What the rule of the grant says, in a clause.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_words: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<String>,
}

/// Asks the stored index, whether the gateway runs or not. Opens nothing.
fn answer(context: &Context<'_>, config: &Config, args: &ExplainArgs, out: &mut Out) -> Result<u8, Failure> {
    let clock = Clock::system(
        config.clock.rtc,
        store::time_floor(&config.state_dir).unwrap_or(0),
    );
    let question = args.question(config, clock.now().at)?;
    let status = context
        .runtime()?
        .block_on(Client::new(&config.runtime_dir).status());
    let live = status
        .as_ref()
        .map_or(Live::default(), |status| Live::of(status, &question.door));
    let nothing = || {
        let hint = "see `doorward sync status`; `doorward sync now` asks at once";
        let words = "nothing has been fetched from the platform yet: every card is refused (no_snapshot)";
        Failure::new(status::FAILED, words, hint)
    };
    let store = stored::open(&config.state_dir)?.ok_or_else(nothing)?;
    let index =
        build::stored_index(&store, config).map_err(|error| Failure::new(status::FAILED, error, ""))?;
    let index = index.ok_or_else(nothing)?.index;
    let now = Moment {
        trusted: live.trusted.unwrap_or_else(|| clock.now().trusted),
        ..clock.now()
    };
    let now = question.at.map_or(now, Moment::trusted);
    let known = stale::Known::new(now, store.last_trusted_time()?, clock.monotonic());
    let limits = stale::limits(config, store.last_contact()?, known);
    let query = Query {
        credential: Some(&question.credential),
        door: index.door(question.door.as_str()),
        now,
        // A lockdown is of now: it says nothing about another time.
        lockdown: question.at.is_none() && live.lockdown == Some(true),
        limits: &limits,
    };
    let verdict = index.decide(&query);
    let mut hints = Vec::new();
    match verdict.reason {
        Reason::UnknownCredential => hints = hints::about(&index, &question.credential),
        Reason::CredentialAmbiguous => {
            let (in_force, _) = in_force::read(config, clock.now().at)?;
            hints.extend(in_force.map(|it| hints::holders(&it.outcome, &question.credential)));
        }
        _ => {}
    }
    if let (Err(error), None) = (&status, question.at) {
        hints.push(format!(
            "whether the door is locked down now is not known: {error}"
        ));
    }
    let grant = verdict.grant.and_then(|grant| index.grant(grant));
    let rule = grant.map(|grant| grant.rule);
    let answer = Answer {
        explanation: access::explain(&index, &query, &verdict),
        rule_words: rule.map(rule_words::words).filter(|words| !words.is_empty()),
        hints,
    };
    let mut grounds = answer.explanation.lines();
    if let Some(rule) = rule {
        grounds.push(format!("  rule   {}", rule_words::cited(rule)));
    }
    grounds.extend(answer.hints.iter().map(|hint| format!("hint: {hint}")));
    show(out, verdict.reason.grants(), &grounds, &answer)
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
        out.line(&format!("  {}", plain(ground)))?;
    }
    Ok(status)
}
