//! What went wrong at KS. It names its errors by a code that is a text in some answers and a number in others.

use serde::Deserialize;
use std::time::Duration;

/// A failure at KS. `Display` says what happened, where, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct KsError {
    /// What kind.
    pub kind: KsKind,
    /// HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// KS's own code, if it gave one.
    pub code: Option<u32>,
    /// The words.
    pub text: String,
}

/// What kind of failure, and so whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KsKind {
    /// No answer, or a server's own failure (5xx).
    Unreachable,
    /// The token or the login is not accepted (401), or nobody has logged in yet.
    Unauthorised,
    /// Known and not permitted (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// Too many requests (429).
    Throttled {
        /// What KS asks for, if it says.
        retry_after: Option<Duration>,
    },
    /// KS understood and says no.
    Rejected,
    /// An answer that is not what it should be.
    Malformed,
    /// The certificate, or a connection that cannot be prepared.
    Tls,
}

/// Codes that mean something here. Measured at a test site.
pub mod codes {
    /// A required field is missing, or an id is of the wrong kind.
    pub const BAD_FIELD: u32 = 1100;
    /// A body does not validate.
    pub const VALIDATION: u32 = 1101;
    /// There is no such thing, or not yet: for up to a minute after it was made.
    pub const NOT_FOUND: u32 = 2202;
    /// No permission, or not yet: for up to a minute after it was made.
    pub const NO_PERMISSION: u32 = 2203;
    /// A one-time password is wrong, or blocked after several tries.
    pub const OTP: u32 = 3102;
}

impl KsError {
    /// An error without an answer.
    #[must_use]
    pub fn new(kind: KsKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            code: None,
            text: text.into(),
        }
    }

    /// Whether the same request may succeed within a minute because KS has not yet spread what was made just now.
    #[must_use]
    pub const fn may_be_too_soon(&self) -> bool {
        matches!(
            (self.status, self.code),
            (Some(403 | 404), Some(codes::NOT_FOUND | codes::NO_PERMISSION))
        )
    }
}

/// The body of a refusal.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    #[serde(rename = "ErrorCode", default)]
    code: Option<Code>,
    #[serde(rename = "Message", default)]
    message: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    title: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u32),
    Text(String),
}

impl Said {
    pub(super) fn code(&self) -> Option<u32> {
        match self.code.as_ref()? {
            Code::Number(number) => Some(*number),
            Code::Text(text) => text.trim().parse().ok(),
        }
    }

    /// What it says, for people; without the values of fields.
    pub(super) fn words(&self) -> Option<&str> {
        let all = [&self.message, &self.error_description, &self.title, &self.error];
        all.into_iter().flatten().map(String::as_str).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_text_and_as_number() {
        let said = |body: &str| serde_json::from_str::<Said>(body).unwrap();
        assert_eq!(said(r#"{"ErrorCode":"2202","Message":"no"}"#).code(), Some(2202));
        assert_eq!(said(r#"{"ErrorCode":3102,"Message":"no"}"#).code(), Some(3102));
        assert_eq!(
            said(r#"{"error":"invalid_grant"}"#).words(),
            Some("invalid_grant")
        );
        assert_eq!(
            said(r#"{"type":"x","title":"Forbidden","status":403}"#).code(),
            None
        );
    }

    #[test]
    fn only_what_was_just_made_is_worth_another_try() {
        let error = |status, code| KsError {
            status: Some(status),
            code,
            ..KsError::new(KsKind::Rejected, "")
        };
        assert!(error(404, Some(codes::NOT_FOUND)).may_be_too_soon());
        assert!(error(403, Some(codes::NO_PERMISSION)).may_be_too_soon());
        assert!(!error(403, None).may_be_too_soon() && !error(400, Some(codes::NOT_FOUND)).may_be_too_soon());
    }
}
