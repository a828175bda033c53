//! What a command ends with when it does not do what it was asked for.

use super::client::ClientError;
use crate::{config::Findings, store::StoreError};

/// Exit statuses. Those above 63 are of sysexits(3).
pub mod status {
    /// Done.
    pub const OK: u8 = 0;
    /// Refused or failed.
    pub const FAILED: u8 = 1;
    /// `EX_USAGE`: the command line was not understood.
    pub const USAGE: u8 = 64;
    /// `EX_UNAVAILABLE`: the gateway is not running.
    pub const UNAVAILABLE: u8 = 69;
    /// `EX_CONFIG`: the configuration has mistakes.
    pub const CONFIG: u8 = 78;
}

/// A message, what to do next, and the exit status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// One of [`status`].
    pub status: u8,
    /// What happened, where.
    pub message: String,
    /// What to do next; may be empty.
    pub hint: String,
    /// Details that were rendered already, shown before the message.
    pub details: String,
    broken_pipe: bool,
}

impl Failure {
    /// A failure with a hint.
    #[must_use]
    pub fn new(status: u8, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            hint: hint.into(),
            details: String::new(),
            broken_pipe: false,
        }
    }

    /// The same with details that are shown before the message.
    #[must_use]
    pub fn with_details(self, details: impl Into<String>) -> Self {
        Self {
            details: details.into(),
            ..self
        }
    }

    /// A configuration that cannot be used.
    #[must_use]
    pub fn config(findings: &Findings) -> Self {
        let hint = format!(
            "mend it; `doorward check-config {}` checks it again",
            findings.file.display()
        );
        let count = findings.errors.len();
        let message = format!(
            "the configuration has {count} mistake{}",
            if count == 1 { "" } else { "s" }
        );
        Self {
            details: findings.to_string(),
            ..Self::new(status::CONFIG, message, hint)
        }
    }

    /// Whether nobody reads the output any more.
    #[must_use]
    pub const fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(status::FAILED, error.to_string(), "")
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let broken_pipe = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            broken_pipe,
            ..Self::new(status::FAILED, format!("cannot write: {error}"), "")
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let status = match error {
            ClientError::NotRunning(_) => status::UNAVAILABLE,
            _ => status::FAILED,
        };
        Self::new(status, error.to_string(), error.hint())
    }
}
