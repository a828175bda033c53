//! `doorward audit list|verify`: who did what, and whether the trail is whole. Reads the files, with a gateway or without.

use super::{
    Context,
    failure::{Failure, status},
    moment,
    out::{Cell, Out, Tone, plain},
    stored,
};
use crate::store::{AuditRecord, AuditVerdict};

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward audit list --limit 200
  doorward audit verify

Exit status of `verify`: 0 if the trail is whole, 1 if a record was altered, taken out, cut off or added by another hand.
docs/page.md says what that proves and what not.")]
pub struct AuditArgs {
    /// What to do. Without it: list.
    #[command(subcommand)]
    pub action: Option<AuditAction>,
}

/// Actions of `audit`.
#[derive(Clone, Debug, PartialEq, Eq, clap::Subcommand)]
pub enum AuditAction {
    /// Lists who did what, the newest last.
    List {
        /// How many records.
        #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=20_000))]
        limit: u32,
    },
    /// Checks the whole trail.
    Verify,
}

pub(super) fn run(context: &Context<'_>, args: &AuditArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let store = stored::open(&config.state_dir)?.ok_or_else(|| stored::nothing(&config.state_dir))?;
    match args.action.clone().unwrap_or(AuditAction::List { limit: 50 }) {
        AuditAction::List { limit } => {
            let mut records = store.audit_before(u64::MAX, limit as usize)?;
            records.reverse();
            list(out, &records, &config.site.zone)
        }
        AuditAction::Verify => verdict(out, &store.audit_verify()?),
    }
}

fn list(out: &mut Out, records: &[AuditRecord], zone: &str) -> Result<u8, Failure> {
    if out.is_json() {
        for record in records {
            out.json(record)?;
        }
        return Ok(status::OK);
    }
    if records.is_empty() {
        out.line("nothing was done yet")?;
        return Ok(status::OK);
    }
    let text = |text: &str| plain(text).into_owned();
    let row = |record: &AuditRecord| {
        let what = &record.what;
        let tone = if what.outcome == "done" {
            Tone::Plain
        } else {
            Tone::Watch
        };
        let actor = if what.role.is_empty() {
            text(&what.actor)
        } else {
            format!("{} ({})", text(&what.actor), text(&what.role))
        };
        vec![
            Cell(record.seq.to_string(), Tone::Faint),
            Cell(moment::local(what.at, zone), Tone::Faint),
            actor.into(),
            text(&what.action).into(),
            text(&what.subject).into(),
            Cell(text(&what.outcome), tone),
            text(&what.address).into(),
        ]
    };
    out.table(
        &[
            "record",
            "time",
            "who",
            "what",
            "whom or which",
            "outcome",
            "from",
        ],
        records.iter().map(row).collect(),
    )?;
    Ok(status::OK)
}

fn verdict(out: &mut Out, verdict: &AuditVerdict) -> Result<u8, Failure> {
    let ended = if verdict.flaws.is_empty() {
        status::OK
    } else {
        status::FAILED
    };
    if out.is_json() {
        out.json(verdict)?;
        return Ok(ended);
    }
    let span = match verdict.records {
        0 => "no records".to_owned(),
        count => format!("{count} records, {} to {}", verdict.first, verdict.last),
    };
    if verdict.flaws.is_empty() {
        let line = out.paint(Tone::Good, &format!("the trail is whole: {span}"));
        out.line(&line)?;
    } else {
        let line = out.paint(Tone::Bad, &format!("the trail is not whole: {span}"));
        out.line(&line)?;
        for flaw in &verdict.flaws {
            out.line(&format!("  {}", plain(&flaw.text)))?;
        }
    }
    out.line(&format!("the sum of the last record is {}", verdict.head))?;
    Ok(ended)
}
