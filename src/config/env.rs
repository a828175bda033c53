//! What the process was given in its environment. Nothing else asks for it.

use std::path::PathBuf;

/// The few variables that matter, read once at the start and handed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `CREDENTIALS_DIRECTORY`: where systemd puts the service's credentials (systemd.exec(5)).
    pub credentials: Option<PathBuf>,
    /// `NO_COLOR` is set and not empty (no-color.org).
    pub no_color: bool,
    /// Standard error goes to systemd's journal: `JOURNAL_STREAM` names it (systemd.exec(5)).
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
            under_journal: set("JOURNAL_STREAM")
                .is_some_and(|stream| is_standard_error(&stream.to_string_lossy())),
            dumb_terminal: set("TERM").is_some_and(|term| term == "dumb"),
        }
    }
}

/// `JOURNAL_STREAM` is inherited by children whose output goes elsewhere, so it holds device and inode to compare.
fn is_standard_error(stream: &str) -> bool {
    let about = rustix::fs::fstat(std::io::stderr());
    about.is_ok_and(|about| stream == format!("{}:{}", about.st_dev, about.st_ino))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_journal_is_not_ours() {
        let about = rustix::fs::fstat(std::io::stderr()).unwrap();
        assert!(is_standard_error(&format!("{}:{}", about.st_dev, about.st_ino)));
        assert!(!is_standard_error("8:1") && !is_standard_error(""));
    }
}
