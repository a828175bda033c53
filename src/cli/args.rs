//! The command line as one type.

use super::{
    audit, cards, check_config, connect, demo, enrol, events, explain, ks, out::ColorChoice, people, report,
    rules, run, staff, sync,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Heading of what every command takes.
const EVERYWHERE: &str = "For every command";

/// What `--version` says: the version, and whether this build has the simulated site.
const VERSION: &str = if cfg!(feature = "demo") {
    concat!(env!("CARGO_PKG_VERSION"), " (with demo)")
} else {
    concat!(env!("CARGO_PKG_VERSION"), " (without demo)")
};

/// Decides at the doors of a coworking space, from its own memory.
#[derive(Debug, Parser)]
#[command(
    name = "doorward",
    version = VERSION,
    max_term_width = 100,
    after_help = "\
Examples:
  doorward check-config /etc/doorward/doorward.toml
  doorward explain --credential uid:04A2B3C4D5E680 --door front-door
  doorward events --follow

Exit status:
  0   done; for `explain`: the door would open; for `report`: no faults
  1   refused or failed; for `check-config`: the file has mistakes
  64  the command line was not understood
  69  the gateway is not running
  78  the configuration has mistakes
  130 ended by Ctrl-C"
)]
pub struct Args {
    /// The configuration file.
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        value_name = "PATH",
        default_value = "/etc/doorward/doorward.toml"
    )]
    pub config: PathBuf,
    /// Prints JSON: one document, or one line for each event.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    pub json: bool,
    /// Whether to use colours. By itself: on a terminal, unless NO_COLOR is set.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "auto|always|never", hide_possible_values = true, default_value = "auto")]
    pub color: ColorChoice,
    /// What is logged to standard error: a level, or a filter such as `info,doorward::readers=debug`.
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILTER")]
    pub log: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs the gateway until SIGTERM. SIGHUP or a changed file puts a new configuration into force.
    Run(run::RunArgs),
    /// Shows a simulated site: readers, cloud and doors in this terminal.
    Demo(demo::DemoArgs),
    /// Shows everything that is wrong with a configuration.
    CheckConfig(check_config::CheckConfigArgs),
    /// Connects a platform: asks for credentials, tries every permission, suggests the mapping.
    Connect(connect::ConnectArgs),
    /// Tells what a card would get at a door, and why. Opens nothing.
    Explain(explain::ExplainArgs),
    /// Lists who may open what now; `--why` tells everything about one person.
    People(people::PeopleArgs),
    /// Shows the rules in force, or what other facts would change.
    Rules(rules::RulesArgs),
    /// Lists what happened at the doors.
    Events(events::EventsArgs),
    /// Gives a card to a person: one, or a queue of people with one presentation each.
    Enrol(enrol::EnrolArgs),
    /// Lists cards; gives, moves, blocks, takes back, imports and exports them.
    Cards(cards::CardsArgs),
    /// Shows or steers how facts come from the cloud.
    Sync(sync::SyncArgs),
    /// SALTO KS: connects the site there, for the doors that it decides itself.
    Ks(ks::KsArgs),
    /// Lists and changes who may sign in at the page, and tokens for the building network.
    Staff(staff::StaffArgs),
    /// Lists who did what, or checks that nobody changed that.
    Audit(audit::AuditArgs),
    /// Shows how the gateway is: faults first, then each part.
    Report(report::ReportArgs),
}
