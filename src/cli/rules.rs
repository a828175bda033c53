//! `doorward rules show|preview`.

mod changes;
mod preview;
mod show;

use super::{Context, failure::Failure, out::Out};
use std::path::PathBuf;

/// Arguments of `rules`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward rules show
  doorward rules preview --facts export/
  doorward rules preview --facts facts.toml --at '2026-12-24 18:00'

Exit status: 0; 1 if the facts cannot be used; 78 if the configuration has mistakes.")]
pub struct RulesArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: RulesAction,
}

/// Actions of `rules`.
#[derive(Debug, clap::Subcommand)]
pub enum RulesAction {
    /// Shows the rules in force: each parameter with its rule, and whether the profile or the site sets it; and the
    /// mapping.
    Show,
    /// Shows what other facts would change: who gains what, who loses what, and because of which rule.
    Preview(PreviewArgs),
}

/// Arguments of `rules preview`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward rules preview --facts facts.toml
  doorward rules preview --facts export/ --at 19:30
  doorward rules preview --facts facts.json --changes

It changes nothing. The facts are compared with those in force, as the gateway would take them by the configuration
as it stands in the file.
Exit status: 0, also if the facts would be held back; 1 if they cannot be used; 78 if the configuration has mistakes.")]
pub struct PreviewArgs {
    /// The facts: a TOML file or a folder of CSV files (docs/facts-file.md), or a JSON file of facts as the gateway
    /// keeps them.
    #[arg(long, value_name = "FILE")]
    pub facts: PathBuf,
    /// When: 14:25 (today), 2026-12-25 09:00 (both by the building's clock), RFC 3339 or 20m (ago). Without it: now.
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Only what changes, not what everybody has.
    #[arg(long)]
    pub changes: bool,
}

pub(super) fn run(context: &Context<'_>, args: &RulesArgs, out: &mut Out) -> Result<u8, Failure> {
    match &args.action {
        RulesAction::Show => show::run(context, out),
        RulesAction::Preview(args) => preview::run(context, args, out),
    }
}
