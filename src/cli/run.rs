//! `doorward run`.

use super::{Context, failure::Failure, logging};
use crate::config::{Config, load};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward run --config /etc/doorward/doorward.toml
  doorward run --log info,doorward::readers=debug")]
pub struct RunArgs {}

pub(super) fn run(context: &Context<'_>, _args: &RunArgs) -> Result<u8, Failure> {
    logging::of(context, "info")?;
    let config =
        load(&context.args.config, context.environment).map_err(|findings| Failure::config(&findings))?;
    for warning in &config.warnings {
        tracing::warn!("{}: {warning}", context.args.config.display());
    }
    daemon(context, config)
}

/// The daemon takes over here.
fn daemon(_context: &Context<'_>, _config: Config) -> Result<u8, Failure> {
    Err(Failure::not_available("`run`"))
}
