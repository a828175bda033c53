//! `doorward connect`: walks an installer from credentials to a configuration that can be pasted.
//!
//! | file | what |
//! | --- | --- |
//! | `keys` | what each platform asks for |
//! | `ask` | where the answers come from: flags, files, or a person at a terminal |
//! | `kept` | what the configuration says already and stays |
//! | `look` | the platform's survey, or facts where it has none |
//! | `suggest` | which groups of doors a plan or room probably opens, by its name |
//! | `draft` | `[cloud]` and `[map]` as text, and the files that are written |
//! | `show` | what the installer reads |

pub(super) mod ask;
mod draft;
mod kept;
mod keys;
mod look;
mod show;
mod suggest;

use super::{
    Context,
    failure::{Failure, status},
    out::Out,
};
use crate::{
    clock::Clock,
    config::{self, Config, Purpose},
    platform::{self, Around, vault::Vault},
};
use std::path::{Path, PathBuf};

/// Arguments of `connect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  doorward connect cobot                     asks for what it needs; secrets are not shown
  doorward connect officernd --set organization=riverside --set client_id=doorward \\
      --secret client_secret=secret.txt --print
  doorward connect file --set path=/var/lib/doorward/export

It reads from the platform and changes nothing there. It never overwrites a file: what to paste goes into
doorward.toml.new beside the configuration, secrets into files that only their owner may read.
Exit status: 0 if every permission is there, 1 if not, 64 if something was not given and there is nobody to ask.")]
pub struct ConnectArgs {
    /// Which platform.
    #[arg(value_name = "PLATFORM")]
    pub platform: Kind,
    /// A value instead of a question, as key=value; again for each.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// A file that holds a secret, instead of a question, as key=FILE; again for each.
    #[arg(long = "secret", value_name = "KEY=FILE")]
    pub secret: Vec<String>,
    /// Where the draft and the secrets are written. Without it: the folder of the configuration.
    #[arg(long, value_name = "DIR")]
    pub write_to: Option<PathBuf>,
    /// Prints what to paste instead of writing it.
    #[arg(long)]
    pub print: bool,
}

/// The words of `[cloud] kind` that name a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Cobot.
    Cobot,
    /// Nexudus.
    Nexudus,
    /// OfficeRnD Flex.
    Officernd,
    /// Spacebring.
    Spacebring,
    /// Coworks, over a bridge or over exported files.
    Coworks,
    /// Any cloud that speaks the open contract.
    Contract,
    /// A TOML file or a folder of CSV files.
    File,
}

impl Kind {
    /// The word of `[cloud] kind`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cobot => "cobot",
            Self::Nexudus => "nexudus",
            Self::Officernd => "officernd",
            Self::Spacebring => "spacebring",
            Self::Coworks => "coworks",
            Self::Contract => "contract",
            Self::File => "file",
        }
    }
}

pub(super) fn run(context: &Context<'_>, args: &ConnectArgs, out: &mut Out) -> Result<u8, Failure> {
    let site = context.config_as_far_as_it_goes().ok();
    let folder = match &args.write_to {
        Some(folder) => folder.clone(),
        None => folder_of(&context.args.config),
    };
    let folder = std::path::absolute(folder)?;
    let given = ask::collect(args)?;
    let before = std::fs::read_to_string(&context.args.config).unwrap_or_default();
    let kept = kept::lines(&before, args.platform, &given);
    let zone = site
        .as_ref()
        .map_or("UTC", |site| site.site.zone.as_str())
        .to_owned();
    // Until all is known to work, secrets that were typed stand in a folder that goes away again.
    let workshop = draft::Workshop::new(&folder, given.typed())?;
    let cloud = draft::cloud(args.platform.word(), &given, &kept, |key| workshop.secret(key));
    let config = parsed(context, &cloud, &zone)?;
    let around = Around {
        vault: Vault::new(workshop.path()),
        clock: Clock::system(true, 0),
        zone,
    };
    let failed = |error: platform::PlatformError| Failure::new(status::FAILED, error.to_string(), "");
    let platform = platform::open(&config.cloud, &around).map_err(failed)?;
    let platform = platform.ok_or_else(|| Failure::new(status::FAILED, "this is no platform", ""))?;
    let seen = context
        .runtime()?
        .block_on(look::look(platform.as_ref()))
        .map_err(failed)?;
    drop(workshop);
    let plan = suggest::plan(&seen, site.as_ref());
    let date = super::moment::local(around.clock.now().at, &around.zone);
    let draft = draft::Draft {
        kind: args.platform.word(),
        kept: &kept,
        config: &context.args.config,
        date: date.split(' ').next().unwrap_or_default(),
    };
    let report = show::Report {
        place: platform.place(),
        seen: &seen,
        plan: &plan,
        site: site.as_ref(),
    };
    report.show(out)?;
    let good = seen.checks.iter().all(|check| check.outcome.is_ok());
    let written = if args.print || (out.is_json() && args.write_to.is_none()) {
        draft.printed(&given, &plan, &folder)
    } else {
        draft.written(&given, &plan, &folder)?
    };
    report.end(out, &written, good)?;
    Ok(if good { status::OK } else { status::FAILED })
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The answers as a configuration, checked as the gateway itself checks one.
fn parsed(context: &Context<'_>, cloud: &str, zone: &str) -> Result<Config, Failure> {
    let text = format!(
        "{cloud}\n[site]\nid = \"connect\"\nzone = {}\n",
        draft::quoted(zone)
    );
    // Relative paths that stay are those of the configuration.
    let file = folder_of(&context.args.config).join("answers");
    let (config, findings) = config::parse(&file, text, Purpose::Run, context.environment);
    config.ok_or_else(|| {
        let message = "what was given cannot be used";
        Failure::new(status::USAGE, message, "run the command again with other answers")
            .with_details(findings.to_string())
    })
}
