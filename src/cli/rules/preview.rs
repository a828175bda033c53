//! `doorward rules preview`: other facts through the rules, beside those in force.

use super::{PreviewArgs, changes};
use crate::{
    cli::{
        Context,
        failure::{Failure, status},
        in_force, moment,
        out::{Out, Tone, plain},
        people::{self, words::Words},
    },
    config::Config,
    domain::facts::Facts,
    platform::{Fetched, PlatformError, file::FilePlatform},
    rules::{self, Outcome},
    sync::judge::{self, Hold, Scale},
};
use std::path::Path;

/// Reads facts from wherever somebody has them.
pub(super) fn facts(path: &Path, zone: &str) -> Result<Facts, Failure> {
    let json = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"));
    if json && path.is_file() {
        return from_json(path);
    }
    // What the adapter says of a file that cannot be read is about [cloud] path, which has no part in this.
    if let Err(error) = std::fs::metadata(path) {
        let words = format!("{} cannot be read: {error}", path.display());
        let hint = "--facts takes a TOML file, a folder of CSV files (docs/facts-file.md), or JSON as the gateway keeps it";
        return Err(Failure::new(status::FAILED, words, hint));
    }
    let failed = |error: PlatformError| Failure::new(status::FAILED, error.to_string(), "");
    match FilePlatform::new(path.to_owned(), zone)
        .read(None)
        .map_err(failed)?
    {
        Fetched::Facts { facts, .. } => Ok(facts),
        Fetched::Unchanged => Ok(Facts::default()),
    }
}

fn from_json(path: &Path) -> Result<Facts, Failure> {
    let wrong = |error: String| {
        let hint = "the fields are those of docs/contract/openapi.yaml; a TOML file or a folder of CSV files does as well";
        Failure::new(status::FAILED, format!("{}: {error}", path.display()), hint)
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    // What serde says may repeat a value, a card number say: line and column are enough.
    serde_json::from_str(&text).map_err(|error| {
        wrong(format!(
            "not facts as the gateway keeps them, line {} column {}",
            error.line(),
            error.column()
        ))
    })
}

pub(super) fn run(context: &Context<'_>, args: &PreviewArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config()?;
    let at = people::instant(args.at.as_deref(), &config)?;
    let now = people::instant(None, &config)?;
    let facts = facts(&args.facts, &config.site.zone)?;
    let (in_force, local) = in_force::read(&config, now)?;
    let next = in_force::outcome(&facts, &config, &local);
    let before = in_force.as_ref().map(|in_force| &in_force.outcome);
    let held = before.and_then(|before| held(before, &next, &config, now));
    let words = Words::new(&config, at);
    let (was, is) = (effective(before, &words), effective(Some(&next), &words));
    let changes = rules::changes(&was, &is);
    let changed = changes::by_person(&changes);
    let warnings: Vec<String> = next.warnings.iter().map(ToString::to_string).collect();
    if out.is_json() {
        out.json(&serde_json::json!({
            "at": moment::rfc3339(at), "zone": config.site.zone, "people": is, "changes": changes,
            "warnings": warnings, "held": held, "in_force": in_force.as_ref().map(|it| it.meta.version),
        }))?;
        return Ok(status::OK);
    }
    if !args.changes {
        heading(out, &format!("Who may open what {}", words.moment(now)))?;
        people::table(out, &words, &is, &people::Cards::of(&next))?;
        out.line("")?;
    }
    match in_force {
        Some(in_force) => {
            let age = moment::local_and_age(in_force.meta.taken_at, words.zone(), now);
            heading(out, &format!("What changes against the facts of {age}"))?;
        }
        None => heading(out, "What changes: nothing is in force yet, so all of it is new")?,
    }
    changes::table(out, &words, &changed)?;
    if !warnings.is_empty() {
        out.line("")?;
        heading(out, "What wants a look")?;
        for warning in &warnings {
            let line = out.paint(Tone::Watch, &plain(warning));
            out.line(&line)?;
        }
    }
    out.line("")?;
    verdict(out, held.as_ref())?;
    Ok(status::OK)
}

fn heading(out: &mut Out, text: &str) -> Result<(), Failure> {
    let line = out.paint(Tone::Strong, text);
    out.line(&line)
}

fn effective(outcome: Option<&Outcome>, words: &Words<'_>) -> Vec<rules::PersonAccess> {
    outcome.map_or_else(Vec::new, |outcome| {
        rules::effective(outcome, words.site(), words.at)
    })
}

/// Whether so many rights or cards would go that a person has to say yes. Versions are no matter here: the file's is
/// of its own.
fn held(before: &Outcome, next: &Outcome, config: &Config, now: i64) -> Option<Hold> {
    let scale = Scale::default();
    let weigh = |outcome: &Outcome| scale.parts(1, &outcome.grants, &outcome.credentials, now);
    judge::judge(&weigh(before), &weigh(next), config.sync.hold_share)
}

fn verdict(out: &mut Out, held: Option<&Hold>) -> Result<(), Failure> {
    let line = match held {
        Some(hold) => out.paint(Tone::Bad, &format!("it would be held back: {hold}")),
        None => out.paint(Tone::Good, "it would come into force at once"),
    };
    out.line(&line)
}
