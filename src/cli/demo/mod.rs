//! `doorward demo`: a simulated site around the real daemon.
//!
//! | file | what |
//! | --- | --- |
//! | `cast` | who presents which card where, and what must come of it |
//! | `stage` | readers on ptys, a broker if there is one, the daemon as a process |
//! | `page` | the gateway's page, to be looked at |
//! | `presented` | one card at a reader until all of its answer is there |
//! | `play` | the free play: taps, answers, the reference cloud away and back |
//! | `scene` | what is shown |
//! | `draw` | the moving picture |
//! | `plain` | lines instead of it, and the summary |
//! | `stories` | what each platform's rules make of the same week, as data |
//! | `theatre` | plays a story against the platform's simulator |
//! | `bridge` | Coworks, which has no interface: the reference cloud as its bridge |
//! | `verdict` | the table at a story's end: step, expected, got, rule |

#[cfg(feature = "stories")]
mod bridge;
#[cfg(feature = "demo")]
mod cast;
#[cfg(feature = "demo")]
mod draw;
#[cfg(feature = "demo")]
mod page;
#[cfg(feature = "demo")]
mod plain;
#[cfg(feature = "demo")]
mod play;
#[cfg(feature = "demo")]
mod presented;
#[cfg(feature = "demo")]
mod scene;
#[cfg(feature = "demo")]
mod stage;
#[cfg(feature = "stories")]
mod stories;
#[cfg(feature = "stories")]
mod theatre;
#[cfg(feature = "stories")]
mod verdict;

use super::{Context, failure::Failure, out::Out};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward demo
  doorward demo --seconds 20         ends by itself, with status 0 only if every tap was answered
                                     and every check-in arrived
  doorward demo --platform coworks   plays that platform's own rules against its simulator, and ends with
                                     a table: step, expected, got, rule

Exit status: 0; 1 if something was not as expected.")]
pub struct DemoArgs {
    /// Plays the story of one platform instead of the free play.
    #[arg(long, value_name = "PLATFORM")]
    pub platform: Option<Platform>,
    /// Ends after so many seconds, with a summary. A story is played to its end in any case: without a pause, if the
    /// seconds are few.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,
}

/// A platform that has a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Platform {
    /// Cobot.
    Cobot,
    /// Nexudus.
    Nexudus,
    /// OfficeRnD.
    Officernd,
    /// Spacebring.
    Spacebring,
    /// Coworks, over a bridge.
    Coworks,
    /// SALTO KS, for the doors that it decides itself.
    Ks,
}

impl Platform {
    /// The word of `--platform`, and of `[cloud] kind` where it has one.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cobot => "cobot",
            Self::Nexudus => "nexudus",
            Self::Officernd => "officernd",
            Self::Spacebring => "spacebring",
            Self::Coworks => "coworks",
            Self::Ks => "ks",
        }
    }
}

#[cfg(feature = "demo")]
pub(super) fn run(context: &Context<'_>, args: &DemoArgs, out: &mut Out) -> Result<u8, Failure> {
    let total = args.seconds.map(std::time::Duration::from_secs);
    match args.platform {
        Some(platform) => story(context, platform, total, out),
        None => play::play(context, total, out),
    }
}

#[cfg(feature = "stories")]
fn story(
    context: &Context<'_>,
    platform: Platform,
    total: Option<std::time::Duration>,
    out: &mut Out,
) -> Result<u8, Failure> {
    match platform {
        Platform::Ks => stories::ks::play(context, total, out),
        platform => theatre::play(context, platform.word(), total, out),
    }
}

#[cfg(all(feature = "demo", not(feature = "stories")))]
fn story(
    _context: &Context<'_>,
    platform: Platform,
    _total: Option<std::time::Duration>,
    _out: &mut Out,
) -> Result<u8, Failure> {
    let hint = format!(
        "it would take a megabyte on a gateway at a door; from the sources, `scripts/demo --platform {}` plays it",
        platform.word()
    );
    let text = "this build has no simulators of the platforms";
    Err(Failure::new(super::failure::status::FAILED, text, hint))
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
