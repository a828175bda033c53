//! `doorward ks`: SALTO KS, for the doors that it decides itself. A file an action; each asks the running gateway, which
//! has the login.
//!
//! | file | what |
//! | --- | --- |
//! | `connect` | the installer's walk: login, site, permissions |
//! | `pair` | which card a tag is |
//! | `tag` | reading, giving, blocking and replacing tags |
//! | `receiver` | where the browser comes back to, while `connect` runs |

mod connect;
mod pair;
mod receiver;
mod tag;

use super::{Context, failure::Failure, out::Out};

/// Arguments of `ks`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward ks connect

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
}

pub(super) fn run(context: &Context<'_>, args: &KsArgs, out: &mut Out) -> Result<u8, Failure> {
    match &args.action {
        KsAction::Connect(args) => connect::run(context, args, out),
        KsAction::Pair(args) => pair::run(context, args, out),
        KsAction::Tag(args) => tag::run(context, args, out),
    }
}
