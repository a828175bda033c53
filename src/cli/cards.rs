//! `doorward cards`: what the desk does, by the same rules.

mod many;

use super::{
    Context,
    desk::{CardArg, Remote, confirmed_holder, show_change, show_look},
    failure::{Failure, status},
    moment,
    out::{Out, Tone, plain},
};
use crate::{
    clock::Clock,
    daemon::{
        control::Done,
        desk_routes::{Ask, Target},
    },
    desk::{Look, NewGuest},
    domain::PersonId,
};
use std::{
    io::{BufRead, IsTerminal},
    path::PathBuf,
};

/// Arguments of `cards`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward cards list
  doorward cards show uid:04A2B3C4D5E680
  doorward cards assign refused --to 'Ana Ruiz'        the card that a door refused last
  doorward cards block uid:04A2B3C4D5E680 --note lost
  doorward cards guest refused --name 'Plumber' --group members --until 18:00
  doorward cards import fobs.csv --dry-run

A CARD is uid:HEX, rom14:HEX, wiegand26:FACILITY-NUMBER, wiegandN:HEX, ks:NUMBER, token:HEX, or `refused` for the one that
a door refused last (refused@DOOR: at that door). The running gateway does it: it counts at the doors at once, and the
platform is told when it can be reached. Card numbers are masked unless --reveal is given.
Exit status: 0; 1 if it was refused, or a row of an import was; 69 if the gateway does not run.")]
pub struct CardsArgs {
    /// What to do. Without it: list.
    #[command(subcommand)]
    pub action: Option<CardsAction>,
    /// Who does it, for the journal. Without it: the user of the system.
    #[arg(long, global = true, value_name = "NAME")]
    pub by: Option<String>,
}

/// Actions of `cards`.
#[derive(Debug, clap::Subcommand)]
pub enum CardsAction {
    /// Lists every known card, of the platform and of the desk.
    List {
        /// Only of people of whom every word begins a word of name, e-mail or company.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Whole numbers.
        #[arg(long)]
        reveal: bool,
    },
    /// Shows whose card it is, since when, and where it was last refused.
    Show {
        /// The card.
        card: CardArg,
    },
    /// Gives a card that is nobody's to a person.
    Assign {
        /// The card.
        card: CardArg,
        /// The person: id, e-mail or name.
        #[arg(long, value_name = "PERSON")]
        to: String,
    },
    /// Gives a card of somebody else to a person.
    Move {
        /// The card.
        card: CardArg,
        /// The person: id, e-mail or name.
        #[arg(long, value_name = "PERSON")]
        to: String,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Takes a card back.
    Return {
        /// The card.
        card: CardArg,
    },
    /// Gives a person a new card for an old one.
    Replace {
        /// The old card.
        old: CardArg,
        /// The new one.
        new: CardArg,
        /// The old one is lost: blocks it as well.
        #[arg(long)]
        lost: bool,
    },
    /// Gives a card to a guest, until it ends by itself.
    Guest {
        /// The card.
        card: CardArg,
        /// Whose guest, or what the card is for.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// A group of doors; may be given several times.
        #[arg(long = "group", value_name = "GROUP", required_unless_present = "doors")]
        groups: Vec<String>,
        /// A single door; may be given several times.
        #[arg(long = "door", value_name = "DOOR")]
        doors: Vec<String>,
        /// When it ends: 18:00 (today), 2026-12-25 18:00 or RFC 3339. Without it: with the day.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
    },
    /// Blocks a card at every door, or a person with all cards.
    Block {
        /// The card.
        #[arg(required_unless_present = "person")]
        card: Option<CardArg>,
        /// A person instead: id, e-mail or name.
        #[arg(long, value_name = "PERSON", conflicts_with = "card")]
        person: Option<String>,
        /// Why.
        #[arg(long, value_name = "WORDS", default_value = "lost")]
        note: String,
    },
    /// Lifts a block.
    Unblock {
        /// The card.
        #[arg(required_unless_present = "person")]
        card: Option<CardArg>,
        /// A person instead: id, e-mail or name.
        #[arg(long, value_name = "PERSON", conflicts_with = "card")]
        person: Option<String>,
    },
    /// Gives the cards of a CSV file to whom it names. Its heading names the columns: card, and id, email or name.
    Import {
        /// The file; - for standard input.
        file: PathBuf,
        /// How its numbers are written, a word of card_format. Without it: as the platform's are.
        #[arg(long, value_name = "FORMAT")]
        format: Option<String>,
        /// Only says what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Writes every known card as CSV to standard output.
    Export {
        /// Whole numbers: without it an import cannot read them back.
        #[arg(long)]
        reveal: bool,
    },
    /// Lists what the platform did not take, or decides one of them.
    Conflicts {
        /// What to do with one: retry (tell the platform again), keep (at these doors only) or undo (as the platform says).
        #[arg(requires = "id")]
        decision: Option<many::Decision>,
        /// Which one.
        id: Option<String>,
    },
}

pub(super) fn run(context: &Context<'_>, args: &CardsArgs, out: &mut Out) -> Result<u8, Failure> {
    let remote = Remote::new(context, args.by.as_deref())?;
    let by = remote.by.clone();
    match args.action.as_ref().unwrap_or(&CardsAction::List {
        search: None,
        reveal: false,
    }) {
        CardsAction::List { search, reveal } => many::list(&remote, search.as_deref(), *reveal, out),
        CardsAction::Show { card } => {
            let look: Look = remote.ask(&Ask::Look {
                card: card.reference(),
            })?;
            if out.is_json() {
                out.json(&look)?;
            } else {
                show_look(out, &look, &remote.config, now())?;
            }
            Ok(status::OK)
        }
        CardsAction::Assign { card, to } => {
            let person: PersonId = remote.person(to)?.id.into();
            let ask = Ask::Assign {
                card: card.reference(),
                person,
                from: None,
                seen: None,
                by,
            };
            show_change(out, &remote.ask(&ask)?)
        }
        CardsAction::Move { card, to, yes } => move_card(&remote, card, to, *yes, out),
        CardsAction::Return { card } => {
            let ask = Ask::Return {
                card: card.reference(),
                seen: None,
                by,
            };
            show_change(out, &remote.ask(&ask)?)
        }
        CardsAction::Replace { old, new, lost } => {
            let ask = Ask::Replace {
                old: old.reference(),
                new: new.reference(),
                lost: *lost,
                by,
            };
            show_change(out, &remote.ask(&ask)?)
        }
        CardsAction::Guest {
            card,
            name,
            groups,
            doors,
            until,
        } => {
            let where_to = (groups.as_slice(), doors.as_slice());
            guest(&remote, card, name, where_to, until.as_deref(), out)
        }
        CardsAction::Block { card, person, note } => {
            let target = target(&remote, card.as_ref(), person.as_deref())?;
            let note = note.clone();
            done(out, &remote.ask(&Ask::Block { target, note, by })?)
        }
        CardsAction::Unblock { card, person } => {
            let target = target(&remote, card.as_ref(), person.as_deref())?;
            done(out, &remote.ask(&Ask::Unblock { target, by })?)
        }
        CardsAction::Import {
            file,
            format,
            dry_run,
        } => many::import(&remote, file, format.as_deref(), *dry_run, out),
        CardsAction::Export { reveal } => many::export(&remote, *reveal, out),
        CardsAction::Conflicts { decision, id } => match decision.zip(id.as_deref()) {
            None => many::conflicts(&remote, out),
            Some((decision, id)) => {
                let (id, resolution) = (id.to_owned(), decision.into());
                done(out, &remote.ask(&Ask::Resolve { id, resolution, by })?)
            }
        },
    }
}

pub(super) use many::sheet as sheet_of;

pub(super) fn now() -> i64 {
    Clock::system(false, 0).now().at
}

fn done(out: &mut Out, done: &Done) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(done)?;
    } else {
        let message = out.paint(Tone::Good, &plain(&done.message));
        out.line(&message)?;
    }
    Ok(status::OK)
}

fn target(remote: &Remote, card: Option<&CardArg>, person: Option<&str>) -> Result<Target, Failure> {
    match (card, person) {
        (_, Some(person)) => Ok(Target::Person(remote.person(person)?.id.into())),
        (Some(card), None) => Ok(card.target()),
        (None, None) => Err(Failure::new(
            status::USAGE,
            "which card?",
            "name a card, or --person",
        )),
    }
}

fn move_card(remote: &Remote, card: &CardArg, to: &str, yes: bool, out: &mut Out) -> Result<u8, Failure> {
    let to = remote.person(to)?;
    let look: Look = remote.ask(&Ask::Look {
        card: card.reference(),
    })?;
    let zone = remote.config.clone();
    let from = confirmed_holder(&look, &to, yes, out, |out| {
        if out.is_json() || !std::io::stdin().is_terminal() {
            return Ok(false);
        }
        show_look(out, &look, &zone, now())?;
        question(out, &format!("Move it to {}? [y/N] ", to.name))
    })?;
    let ask = Ask::Assign {
        card: card.reference(),
        person: to.id.as_str().into(),
        from,
        seen: Some(look.seen),
        by: remote.by.clone(),
    };
    show_change(out, &remote.ask(&ask)?)
}

/// A question at the terminal. Anything but a clear yes is a no.
pub(super) fn question(out: &mut Out, text: &str) -> Result<bool, Failure> {
    out.line(&plain(text))?;
    out.finish()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn guest(
    remote: &Remote,
    card: &CardArg,
    name: &str,
    (groups, doors): (&[String], &[String]),
    until: Option<&str>,
    out: &mut Out,
) -> Result<u8, Failure> {
    let until = until.map(|text| moment::parse(text, &remote.config.site.zone, now()));
    let until = until
        .transpose()
        .map_err(|error| Failure::new(status::USAGE, format!("--until: {error}"), ""))?;
    let ask = Ask::Guest {
        card: card.reference(),
        guest: NewGuest {
            name: name.to_owned(),
            groups: groups.to_vec(),
            doors: doors.to_vec(),
            until,
        },
        by: remote.by.clone(),
    };
    show_change(out, &remote.ask(&ask)?)
}
