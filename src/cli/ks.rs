//! `doorward ks`: SALTO KS, for the doors that it decides itself. A file an action; each asks the running gateway, which
//! has the login.
//!
//! | file | what |
//! | --- | --- |
//! | `connect` | the installer's walk: login, site, permissions |
//! | `pair` | which card a tag is |
//! | `tag` | reading, giving, blocking and replacing tags |
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
mod pair;
mod plan;
mod receiver;
mod status;
mod tag;

use super::{Context, failure::Failure, out::Out};

/// Arguments of `ks`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks connect
  doorward ks open --door front-door
  doorward ks plan             what would be changed at SALTO KS, and why; the plan has a name
  doorward ks apply 5f0c21d9   accepts that plan: from then on the gateway keeps KS in step by itself
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
    /// Pairs a tag with a card: the same fob at the lock `[ks] tag_reader` and at the desk.
    Pair(pair::PairArgs),
    /// Registers, gives, blocks and replaces tags.
    Tag(tag::TagArgs),
    /// Opens a door once that SALTO KS decides.
    Open(open::OpenArgs),
    /// Lists locks, batteries and IQs there, and who stands outside when one is cut off.
    Locks(locks::LocksArgs),
    /// Shows every change that would be made at SALTO KS, and why. Changes nothing.
    Plan,
    /// Makes the changes of the plan that was shown; from the first time on the gateway keeps SALTO KS in step by itself.
    Apply(apply::ApplyArgs),
    /// Shows what is wanted against what stands at SALTO KS.
    Status,
}

pub(super) fn run(context: &Context<'_>, args: &KsArgs, out: &mut Out) -> Result<u8, Failure> {
    match &args.action {
        KsAction::Connect(args) => connect::run(context, args, out),
        KsAction::Pair(args) => pair::run(context, args, out),
        KsAction::Tag(args) => tag::run(context, args, out),
        KsAction::Open(args) => open::run(context, args, out),
        KsAction::Locks(args) => locks::run(context, args, out),
        KsAction::Plan => plan::run(context, out),
        KsAction::Apply(args) => apply::run(context, args, out),
        KsAction::Status => status::run(context, out),
    }
}
