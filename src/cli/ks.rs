//! `doorward ks`: SALTO KS, for the doors that it decides itself. A file an action; each asks the running gateway, which
//! has the login.
//!
//! | file | what |
//! | --- | --- |
//! | `connect` | the installer's walk: login, site, permissions |
//! | `locks` | locks, batteries, who stands outside |
//! | `open` | a door is opened from afar |
//! | `receiver` | where the browser comes back to, while `connect` runs |

mod connect;
mod locks;
mod open;
mod receiver;

use super::{Context, failure::Failure, out::Out};

/// Arguments of `ks`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks connect
  doorward ks open --door front-door

Exit status: 0; 1 if it was not done; 69 if the gateway does not run; 78 if the configuration has mistakes.")]
pub struct KsArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: KsAction,
}

/// Actions of `ks`.
#[derive(Debug, clap::Subcommand)]
pub enum KsAction {
    /// Logs the gateway in at SALTO, chooses the site, tries every permission.
    Connect(connect::ConnectArgs),
    /// Opens a door once that SALTO KS decides.
    Open(open::OpenArgs),
    /// Lists locks, batteries and IQs there, and who stands outside when one is cut off.
    Locks(locks::LocksArgs),
}

pub(super) fn run(context: &Context<'_>, args: &KsArgs, out: &mut Out) -> Result<u8, Failure> {
    match &args.action {
        KsAction::Connect(args) => connect::run(context, args, out),
        KsAction::Open(args) => open::run(context, args, out),
        KsAction::Locks(args) => locks::run(context, args, out),
    }
}
