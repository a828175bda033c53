//! `doorward demo`.

use super::{Context, failure::Failure, out::Out};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward demo
  doorward demo --seconds 20     ends by itself, with status 0 only if every tap was answered
                                 and every check-in arrived")]
pub struct DemoArgs {
    /// Ends after so many seconds, with a summary.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,
}

pub(super) fn run(context: &Context<'_>, args: &DemoArgs, out: &mut Out) -> Result<u8, Failure> {
    site(context, args, out)
}

/// The simulated site takes over here.
fn site(_context: &Context<'_>, _args: &DemoArgs, _out: &mut Out) -> Result<u8, Failure> {
    Err(Failure::not_available("`demo`"))
}
