//! What the process was given in its environment. Nothing else asks for it.

use std::path::PathBuf;

/// The few variables that matter, read once at the start and handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `CREDENTIALS_DIRECTORY`: where systemd puts the service's credentials (systemd.exec(5)).
    pub credentials: Option<PathBuf>,
    /// `NO_COLOR` is set and not empty (no-color.org).
    pub no_color: bool,
    /// `JOURNAL_STREAM` is set: standard error goes to systemd's journal (systemd.exec(5)).
    pub under_journal: bool,
    /// `TERM=dumb`: a terminal without colours.
    pub dumb_terminal: bool,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that reads the environment"
    )]
    pub fn of_process() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            credentials: set("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            no_color: set("NO_COLOR").is_some(),
            under_journal: set("JOURNAL_STREAM").is_some(),
            dumb_terminal: set("TERM").is_some_and(|term| term == "dumb"),
        }
    }
}
