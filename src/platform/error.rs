//! What went wrong with a platform: words for people, a kind for the caller.

use std::{fmt, time::Duration};

/// A failure at a platform. `Display` says what happened, where, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct PlatformError {
    /// What kind.
    pub kind: ErrorKind,
    /// The words.
    pub text: String,
}

/// What kind of failure, and so whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No answer, or a server's own failure (5xx).
    Unreachable,
    /// The token is not accepted (401, 403).
    Unauthorised,
    /// Too many requests (429).
    Throttled {
        /// What the platform asks for, if it says.
        retry_after: Option<Duration>,
    },
    /// The platform understood and says no.
    Rejected {
        /// HTTP status.
        status: u16,
    },
    /// An answer that is not what it should be: cut off, another shape, contradicting itself.
    Malformed,
    /// The certificate or the handshake.
    Tls,
    /// This platform has no such thing.
    Unsupported,
}

/// When the same call makes sense again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Not before this long from now.
    After(Duration),
    /// Soon, then ever more rarely: it may pass by itself.
    Backoff,
    /// Rarely: a person has to change something first.
    Rarely,
    /// Not at all: the answer will stay the same.
    Never,
}

impl PlatformError {
    /// An error with its words.
    pub(crate) fn new(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    pub(crate) fn malformed(text: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Malformed, text.to_string())
    }

    /// When the same call makes sense again.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self.kind {
            ErrorKind::Throttled {
                retry_after: Some(after),
            } => Retry::After(after),
            // 408 and 425 ask for a repeat; 409 on a check-in means that the first delivery is still being taken.
            ErrorKind::Rejected {
                status: 408 | 409 | 425,
            }
            | ErrorKind::Throttled { retry_after: None }
            | ErrorKind::Unreachable
            | ErrorKind::Malformed => Retry::Backoff,
            ErrorKind::Unauthorised | ErrorKind::Tls => Retry::Rarely,
            ErrorKind::Rejected { .. } | ErrorKind::Unsupported => Retry::Never,
        }
    }
}
