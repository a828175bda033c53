//! `doorward ks`: SALTO KS, for the doors that it decides itself. A file an action; each asks the running gateway, which
//! has the login.
//!
//! | file | what |
//! | --- | --- |
//! | `connect` | the installer's walk: login, site, permissions |
//! | `locks` | locks, batteries, who stands outside |
//! | `open` | a door is opened from afar |
//! | `plan` | what would be changed, and why |
//! | `apply` | changes it |
//! | `status` | wanted against actual |
//! | `receiver` | where the browser comes back to, while `connect` runs |

mod apply;
mod connect;
mod locks;
mod open;
mod plan;
mod receiver;
mod status;

use super::{Context, failure::Failure, out::Out};

/// Arguments of `ks`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks connect
  doorward ks open --door front-door
  doorward ks plan         what would be changed at SALTO KS, and why
  doorward ks apply        accepts it: from then on the gateway keeps KS in step by itself
  doorward ks status

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
    /// Shows every change that would be made at SALTO KS, and why. Changes nothing.
    Plan,
    /// Makes the changes of the plan; from the first time on the gateway keeps SALTO KS in step by itself.
    Apply,
    /// Shows what is wanted against what stands at SALTO KS.
    Status,
}

pub(super) fn run(context: &Context<'_>, args: &KsArgs, out: &mut Out) -> Result<u8, Failure> {
    match &args.action {
        KsAction::Connect(args) => connect::run(context, args, out),
        KsAction::Open(args) => open::run(context, args, out),
        KsAction::Locks(args) => locks::run(context, args, out),
        KsAction::Plan => plan::run(context, out),
        KsAction::Apply => apply::run(context, out),
        KsAction::Status => status::run(context, out),
    }
}
