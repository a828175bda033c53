//! `doorward sync status|now|accept`: all over the control socket.

use super::{
    Context,
    client::Client,
    failure::{Failure, status},
    out::{Out, Tone},
    report,
};
use crate::daemon::control::{Done, StatusDoc};

/// Arguments of `sync`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward sync status
  doorward sync now        asks the cloud at once and waits for the outcome
  doorward sync accept     puts a held snapshot into force, after a look at `sync status`

Exit status: 0; 1 if it was not done; 69 if the gateway does not run; 78 if the configuration has mistakes.")]
pub struct SyncArgs {
    /// What to do. Without it: status.
    #[command(subcommand)]
    pub action: Option<SyncAction>,
}

/// Actions of `sync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Subcommand)]
pub enum SyncAction {
    /// Shows which facts are in force, how old they are, and whether others are held back.
    Status,
    /// Asks the cloud at once and waits for the outcome.
    Now,
    /// Puts the snapshot that is held back into force.
    Accept,
}

pub(super) fn run(context: &Context<'_>, args: &SyncArgs, out: &mut Out) -> Result<u8, Failure> {
    let config = context.config_as_far_as_it_goes()?;
    let client = Client::new(&config.runtime_dir);
    let runtime = context.runtime()?;
    match args.action.unwrap_or(SyncAction::Status) {
        SyncAction::Status => show(
            out,
            &report::with_warnings(runtime.block_on(client.status())?, &config),
            &report::View::now(&config),
        ),
        SyncAction::Now => done(out, &runtime.block_on(client.sync_now())?),
        SyncAction::Accept => done(out, &runtime.block_on(client.sync_accept())?),
    }
}

fn done(out: &mut Out, done: &Done) -> Result<u8, Failure> {
    if out.is_json() {
        out.json(done)?;
    } else {
        let message = out.paint(Tone::Good, &done.message);
        out.line(&message)?;
    }
    Ok(status::OK)
}

/// Faults of the sync and of staleness: their kinds begin so.
const KINDS: [&str; 4] = ["cloud_", "snapshot_", "stale", "hook"];

/// Prints the `sync` section of a status, and the faults that belong to it. The exit status.
///
/// # Errors
/// When it cannot be written.
pub fn show(out: &mut Out, doc: &StatusDoc, view: &report::View<'_>) -> Result<u8, Failure> {
    let ours = |key: &str| KINDS.iter().any(|kind| key.starts_with(kind));
    let faults: Vec<_> = doc.faults.iter().filter(|fault| ours(&fault.key)).collect();
    let section = doc.sections.get("sync");
    if out.is_json() {
        let [budgets, hooks] = ["budgets", "hooks"].map(|name| doc.sections.get(name));
        out.json(
            &serde_json::json!({ "faults": faults, "sync": section, "budgets": budgets, "hooks": hooks }),
        )?;
        return Ok(status::OK);
    }
    let elsewhere = doc.faults.len() - faults.len();
    if faults.is_empty() && elsewhere > 0 {
        let none = out.paint(Tone::Good, "no faults of the facts");
        let them = if elsewhere == 1 { "fault" } else { "faults" };
        out.line(&format!("{none}; {elsewhere} {them} elsewhere: doorward report"))?;
        out.line("")?;
    } else {
        report::faults(out, &faults, view)?;
    }
    match section {
        Some(section) => report::sync_section(out, section, doc, view)?,
        None => out.line("no cloud is configured: see [cloud] in the configuration")?,
    }
    Ok(status::OK)
}
