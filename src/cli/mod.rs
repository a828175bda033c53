//! The commands: arguments, one file each, and no logic.
//!
//! | file | what |
//! | --- | --- |
//! | `args` | the whole command line as one type |
//! | `out` | tables, colours and JSON lines on standard output |
//! | `failure` | what a command ends with when it fails: message, hint, exit status |
//! | `logging` | where the log goes and how it looks |
//! | `desk` | what `enrol` and `cards` share: the desk of the running gateway |
//! | `client` | talks to a running gateway |
//! | `stored` | the stored journal and facts, with or without a gateway |
//! | `in_force` | the stored facts with what the rules make of them |
//! | `moment` | times as people type and read them |
//! | `rule_words` | what each rule says in one line |
//! | the others | one command each |

pub mod args;
pub mod audit;
pub mod cards;
pub mod check_config;
pub mod client;
pub mod connect;
pub mod demo;
mod desk;
pub mod enrol;
pub mod events;
pub mod explain;
pub mod failure;
mod in_force;
pub mod ks;
pub mod logging;
pub mod moment;
pub mod out;
pub mod people;
pub mod report;
pub mod rule_words;
pub mod rules;
pub mod run;
pub mod staff;
mod stored;
pub mod sync;

use crate::config::{Config, Environment, Purpose};
use args::{Args, Command};
use clap::Parser;
use failure::{Failure, status};
use out::Out;
use std::process::ExitCode;

/// What a command needs besides its own arguments.
#[derive(Debug)]
pub struct Context<'a> {
    /// The global arguments.
    pub args: &'a Args,
    /// What the process was given.
    pub environment: &'a Environment,
}

impl Context<'_> {
    /// The configuration for a command that only looks: secrets that this user may not read are left empty.
    ///
    /// # Errors
    /// With everything that is wrong with it.
    pub fn config(&self) -> Result<Config, Failure> {
        let (config, findings) = crate::config::read(&self.args.config, Purpose::Inspect, self.environment);
        config.ok_or_else(|| Failure::config(&findings))
    }

    /// The configuration for a command that asks a running gateway, or looks at its journal: the file may have been
    /// broken since, which is when people ask.
    ///
    /// # Errors
    /// When there is no file to read.
    pub fn config_as_far_as_it_goes(&self) -> Result<Config, Failure> {
        self.config()
            .or_else(|failure| crate::config::glance(&self.args.config, self.environment).ok_or(failure))
    }

    /// A small runtime for a command that talks to the gateway.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn runtime(&self) -> Result<tokio::runtime::Runtime, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| Failure::new(status::FAILED, format!("no runtime: {error}"), ""))
    }
}

/// The whole program: reads the arguments, runs the command, prints what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    let environment = Environment::of_process();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print(); // help goes to standard output, mistakes to standard error
            return ExitCode::from(if error.use_stderr() {
                status::USAGE
            } else {
                status::OK
            });
        }
    };
    let mut out = Out::standard(args.json, args.color, &environment);
    let context = Context {
        args: &args,
        environment: &environment,
    };
    let ended = log_if_asked(&context).and_then(|()| dispatch(&context, &mut out));
    match ended.and_then(|status| out.finish().map(|()| status)) {
        Ok(status) => ExitCode::from(status),
        // Whoever reads has enough: `doorward events | head`.
        Err(failure) if failure.is_broken_pipe() => ExitCode::from(status::OK),
        Err(failure) => {
            out::complain(&failure, args.json, args.color, &environment);
            ExitCode::from(failure.status)
        }
    }
}

/// Commands are quiet; `run` logs by itself, and by default.
fn log_if_asked(context: &Context<'_>) -> Result<(), Failure> {
    match (&context.args.log, &context.args.command) {
        (Some(_), command) if !matches!(command, Command::Run(_)) => logging::of(context, "warn"),
        _ => Ok(()),
    }
}

fn dispatch(context: &Context<'_>, out: &mut Out) -> Result<u8, Failure> {
    match &context.args.command {
        Command::Run(args) => run::run(context, args),
        Command::Demo(args) => demo::run(context, args, out),
        Command::CheckConfig(args) => check_config::run(context, args, out),
        Command::Connect(args) => connect::run(context, args, out),
        Command::Explain(args) => explain::run(context, args, out),
        Command::Events(args) => events::run(context, args, out),
        Command::People(args) => people::run(context, args, out),
        Command::Rules(args) => rules::run(context, args, out),
        Command::Staff(args) => staff::run(context, args, out),
        Command::Audit(args) => audit::run(context, args, out),
        Command::Enrol(args) => enrol::run(context, args, out),
        Command::Cards(args) => cards::run(context, args, out),
        Command::Sync(args) => sync::run(context, args, out),
        Command::Ks(args) => ks::run(context, args, out),
        Command::Report(args) => report::run(context, args, out),
    }
}
