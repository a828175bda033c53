//! `doorward enrol`: a card in a hand to a person, or to a queue of people with one presentation each.

use super::{
    Context,
    cards::{now, sheet_of},
    desk::{CardArg, Remote, confirmed_holder, described, show_change, show_look},
    failure::{Failure, status},
    out::{Out, Tone, plain},
};
use crate::{
    config::model::CardText,
    daemon::desk_routes::{Ask, CardRef, Presented},
    desk::{Hit, Look, Progress, Step, Wanted},
    platform::cards,
};
use std::{
    io::{BufRead, IsTerminal},
    path::PathBuf,
};

/// How many people a search shows.
const SHOWN: usize = 9;

/// Arguments of `enrol`.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("source").required(true).multiple(false)), after_help = "\
Examples:
  doorward enrol --at desk                              the next card at any reader of the desk, then asks for whom
  doorward enrol --at front                             the same at that door
  doorward enrol --refused --to ana@example.com         the card that a door refused last
  doorward enrol --typed --format decimal --to 'Ana Ruiz'
  doorward enrol --at front --queue --csv people.csv    one person after another, one presentation each
  doorward enrol --at front --queue --without-card      everybody without a card, by name

With --queue each card goes to the next person. A queue that was broken off goes on with --queue alone. --skip passes
somebody over and --undo takes the last step back. A door goes on opening, unless `doorward desk lend` lends its reader.
Exit status: 0; 1 if it was refused; 69 if the gateway does not run; 130 if ended by Ctrl-C.")]
pub struct EnrolArgs {
    /// The card, by its number.
    #[arg(long, value_name = "CARD", group = "source")]
    pub credential: Option<CardArg>,
    /// The next card presented at this door or reader; `desk` is every reader of the desk.
    #[arg(long, value_name = "READER", group = "source")]
    pub at: Option<String>,
    /// The card that a door refused last.
    #[arg(long, group = "source")]
    pub refused: bool,
    /// Numbers as lines on standard input: what a reader that is a keyboard types.
    #[arg(long, group = "source")]
    pub typed: bool,
    /// Passes over whose turn it is in the queue.
    #[arg(long, group = "source")]
    pub skip: bool,
    /// Takes the last step of the queue back.
    #[arg(long, group = "source")]
    pub undo: bool,
    /// How typed numbers are written: a word of card_format. Without it: with their scheme, or a UID in hexadecimal.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub format: String,
    /// The person: id, e-mail or name. Without it the command asks.
    #[arg(long, value_name = "PERSON", conflicts_with = "queue")]
    pub to: Option<String>,
    /// Moves a card of somebody else without asking.
    #[arg(long)]
    pub yes: bool,
    /// One person after another.
    #[arg(long)]
    pub queue: bool,
    /// Begins the queue with the people of a CSV file with a column id, email or name.
    #[arg(long, value_name = "FILE", requires = "queue")]
    pub csv: Option<PathBuf>,
    /// Begins the queue with whoever is found by this.
    #[arg(long, value_name = "TEXT", requires = "queue")]
    pub search: Option<String>,
    /// Begins the queue with people of this company.
    #[arg(long, value_name = "NAME", requires = "queue")]
    pub company: Option<String>,
    /// Begins the queue with people on this plan.
    #[arg(long, value_name = "PLAN", requires = "queue")]
    pub plan: Option<String>,
    /// Begins the queue with people who have no card.
    #[arg(long, requires = "queue")]
    pub without_card: bool,
    /// Who does it, for the journal. Without it: the user of the system.
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}

/// Where presentations come from.
enum Source<'a> {
    One(Option<CardRef>),
    At { door: &'a str, after: Option<u64> },
    Typed(CardText),
}

impl Source<'_> {
    fn of(args: &EnrolArgs) -> Result<Source<'_>, Failure> {
        if let Some(card) = &args.credential {
            return Ok(Source::One(Some(card.reference())));
        }
        if let Some(door) = &args.at {
            return Ok(Source::At { door, after: None });
        }
        if args.typed {
            let format = CardText::of_word(&args.format).ok_or_else(|| {
                let message = format!(
                    "--format: there is no card format `{}`",
                    args.format.escape_debug()
                );
                Failure::new(
                    status::USAGE,
                    message,
                    "docs/platforms names them under card_format",
                )
            })?;
            return Ok(Source::Typed(format));
        }
        Ok(Source::One(Some(CardRef("refused".into()))))
    }

    /// The next card; `None` when there will be none.
    fn next(&mut self, remote: &Remote, out: &mut Out) -> Result<Option<CardRef>, Failure> {
        match self {
            Self::One(card) => Ok(card.take()),
            Self::At { door, after } => loop {
                let at = (*door).to_owned();
                let found: Presented = remote.ask(&Ask::Next { at, after: *after })?;
                *after = Some(found.seq);
                if let Some(card) = found.card {
                    return Ok(Some(CardRef(card.reveal_in_full())));
                }
            },
            Self::Typed(format) => loop {
                let mut line = String::new();
                if std::io::stdin().lock().read_line(&mut line)? == 0 {
                    return Ok(None);
                }
                if line.trim().is_empty() {
                    continue;
                }
                match cards::read(&line, *format) {
                    Ok(card) => return Ok(Some(CardRef(card.reveal_in_full()))),
                    Err(error) => {
                        let text = out.paint(Tone::Bad, &error.to_string());
                        out.line(&text)?;
                        out.finish()?;
                    }
                }
            },
        }
    }
}

pub(super) fn run(context: &Context<'_>, args: &EnrolArgs, out: &mut Out) -> Result<u8, Failure> {
    let remote = Remote::new(context, args.by.as_deref())?;
    let queue = queue_of(&remote);
    let by = remote.by.clone();
    if args.skip {
        return show_step(out, &remote.ask(&Ask::QueueSkip { queue })?);
    }
    if args.undo {
        return show_step(out, &remote.ask(&Ask::QueueUndo { queue, by })?);
    }
    let mut source = Source::of(args)?;
    if args.queue {
        return many(&remote, args, &queue, &mut source, out);
    }
    if args.at.is_some() && !out.is_json() {
        out.line("present the card")?;
        out.finish()?;
    }
    let Some(card) = source.next(&remote, out)? else {
        return Err(Failure::new(status::FAILED, "no card was presented", ""));
    };
    one(&remote, args, &card, out)
}

/// The queue of whoever runs this: two people at two desks do not get into each other's way.
fn queue_of(remote: &Remote) -> String {
    format!("command line: {}", remote.by)
}

fn one(remote: &Remote, args: &EnrolArgs, card: &CardRef, out: &mut Out) -> Result<u8, Failure> {
    let look: Look = remote.ask(&Ask::Look { card: card.clone() })?;
    if !out.is_json() {
        show_look(out, &look, &remote.config, now())?;
    }
    let to = match &args.to {
        Some(text) => remote.person(text)?,
        None => picked(remote, out)?,
    };
    let from = confirmed_holder(&look, &to, args.yes, out, |out| {
        if out.is_json() || !std::io::stdin().is_terminal() {
            return Ok(false);
        }
        super::cards::question(out, &format!("Move it to {}? [y/N] ", to.name))
    })?;
    let change = remote.ask(&Ask::Assign {
        card: card.clone(),
        person: to.id.as_str().into(),
        from,
        seen: Some(look.seen),
        by: remote.by.clone(),
    })?;
    show_change(out, &change)
}

/// A person, searched for at the terminal.
fn picked(remote: &Remote, out: &mut Out) -> Result<Hit, Failure> {
    if out.is_json() || !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            status::USAGE,
            "for whom?",
            "add --to with an id, e-mail or name",
        ));
    }
    let mut shown: Vec<Hit> = Vec::new();
    loop {
        out.line("name, e-mail or company; a number picks")?;
        out.finish()?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            return Err(Failure::new(status::FAILED, "nobody was picked", ""));
        }
        let picked = line.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        if let Some(hit) = picked.and_then(|at| shown.get(at)) {
            return Ok(hit.clone());
        }
        shown = remote.ask(&Ask::Search {
            query: line,
            most: SHOWN,
        })?;
        for (number, hit) in (1..).zip(&shown) {
            out.line(&plain(&format!("{number}  {}", described(hit))))?;
        }
        if shown.is_empty() {
            out.line("nobody is found by that")?;
        }
    }
}

fn many(
    remote: &Remote,
    args: &EnrolArgs,
    queue: &str,
    source: &mut Source<'_>,
    out: &mut Out,
) -> Result<u8, Failure> {
    let wanted = Wanted {
        sheet: args.csv.as_deref().map(sheet_of).transpose()?,
        people: None,
        search: args.search.clone(),
        company: args.company.clone(),
        plan: args.plan.clone(),
        without_card: args.without_card,
    };
    let queue = queue.to_owned();
    let mut progress: Progress = if wanted == Wanted::default() {
        remote.ask(&Ask::QueueProgress { queue: queue.clone() })?
    } else {
        let begun: Step = remote.ask(&Ask::QueueBegin {
            queue: queue.clone(),
            wanted,
            by: remote.by.clone(),
        })?;
        show_step(out, &begun)?;
        begun.progress
    };
    while let Some(next) = &progress.next {
        if !out.is_json() {
            let text = out.paint(Tone::Strong, &plain(&next.name));
            out.line(&format!("present the card of {text}"))?;
        }
        out.finish()?;
        let Some(card) = source.next(remote, out)? else {
            break;
        };
        let step: Step = remote.ask(&Ask::QueuePresent {
            queue: queue.clone(),
            card,
            by: remote.by.clone(),
        })?;
        show_step(out, &step)?;
        out.finish()?;
        progress = step.progress;
    }
    Ok(status::OK)
}

fn show_step(out: &mut Out, step: &Step) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(step)?;
        return Ok(status::OK);
    }
    for row in &step.left_out {
        let text = out.paint(Tone::Bad, &plain(row));
        out.line(&text)?;
    }
    let tone = if step.given { Tone::Good } else { Tone::Watch };
    let message = out.paint(tone, &plain(&step.message));
    out.line(&format!("{} {message}", bar(&step.progress)))?;
    for warning in step.change.iter().flat_map(|change| &change.warnings) {
        let text = out.paint(Tone::Watch, &plain(warning));
        out.line(&text)?;
    }
    Ok(status::OK)
}

/// `[#####.....] 5/10`.
fn bar(progress: &Progress) -> String {
    const WIDTH: usize = 20;
    let over = progress.done + progress.skipped;
    let full = (over * WIDTH)
        .checked_div(progress.people)
        .unwrap_or(WIDTH)
        .min(WIDTH);
    format!(
        "[{}{}] {over}/{}",
        "#".repeat(full),
        ".".repeat(WIDTH - full),
        progress.people
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_at_the_end() {
        let progress = |people, done, skipped| Progress {
            people,
            done,
            skipped,
            next: None,
            after: None,
            last: None,
        };
        assert_eq!(bar(&progress(10, 4, 1)), "[##########..........] 5/10");
        assert_eq!(bar(&progress(3, 3, 0)), format!("[{}] 3/3", "#".repeat(20)));
        assert_eq!(bar(&progress(0, 0, 0)), format!("[{}] 0/0", "#".repeat(20)));
    }
}
