//! `doorward run`.

use super::{
    Context,
    failure::{Failure, status},
    logging,
};
use crate::daemon::{self, RunError};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward run --config /etc/doorward/doorward.toml
  doorward run --log info,doorward::readers=debug")]
pub struct RunArgs {}

pub(super) fn run(context: &Context<'_>, _args: &RunArgs) -> Result<u8, Failure> {
    logging::of(context, "info")?;
    daemon::run(&context.args.config, context.environment).map_err(|error| match error {
        RunError::Config(findings) => Failure::config(&findings),
        RunError::Store(error) => Failure::new(status::FAILED, error.to_string(), ""),
        RunError::Runtime(error) => Failure::new(status::FAILED, format!("no thread or socket: {error}"), ""),
    })?;
    Ok(status::OK)
}
