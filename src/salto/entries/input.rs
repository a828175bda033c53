//! What reaches the one task that keeps the book.

use crate::{domain::time::Millis, salto::KsError};
use serde_json::Value;
use tokio::sync::oneshot;

/// From the stream, or from asking.
#[derive(Debug)]
pub(super) enum Input {
    /// The stream stands.
    Up,
    /// It does not, and why.
    Down(String),
    /// The subscription has none.
    NoStream,
    /// Something came by the stream; nothing when it could not be read.
    Streamed(Option<Value>),
    /// A page of the past.
    Page(Page),
    /// The asking is over: how many entries KS gave.
    Asked(Result<u64, KsError>),
}

/// A page of the past.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    /// KS gives the oldest first, so that everything up to the end of this page was given.
    pub(super) in_order: bool,
    /// The last one: everything was given.
    pub(super) last: bool,
    /// Answered when the page is in the journal; the next one is asked for then.
    pub(super) kept: oneshot::Sender<bool>,
}

/// What the past is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// From this instant on.
    pub(super) from: Millis,
}
