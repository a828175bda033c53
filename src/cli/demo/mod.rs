//! `doorward demo`: a simulated site around the real daemon.
//!
//! | file | what |
//! | --- | --- |
//! | `cast` | who presents which card where, and what must come of it |
//! | `stage` | readers on ptys, the reference cloud, a broker if there is one, the daemon as a process |
//! | `play` | the play: taps, answers, the cloud away and back |
//! | `scene` | what is shown |
//! | `draw` | the moving picture |
//! | `plain` | lines instead of it, and the summary |

#[cfg(feature = "demo")]
mod cast;
#[cfg(feature = "demo")]
mod draw;
#[cfg(feature = "demo")]
mod plain;
#[cfg(feature = "demo")]
mod play;
#[cfg(feature = "demo")]
mod scene;
#[cfg(feature = "demo")]
mod stage;

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

#[cfg(feature = "demo")]
pub(super) fn run(context: &Context<'_>, args: &DemoArgs, out: &mut Out) -> Result<u8, Failure> {
    play::play(context, args.seconds.map(std::time::Duration::from_secs), out)
}

#[cfg(not(feature = "demo"))]
pub(super) fn run(_context: &Context<'_>, _args: &DemoArgs, _out: &mut Out) -> Result<u8, Failure> {
    let hint = "build it with `cargo build --features demo`, or run scripts/demo";
    Err(Failure::new(
        super::failure::status::FAILED,
        "this build has no simulated site",
        hint,
    ))
}
