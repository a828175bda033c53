//! What this room needs of the store: the journal behind a cursor.

use crate::domain::EntryEvent;
use tokio::sync::watch;

/// The journal could not be read, or the cursor not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutboxError(pub String);

/// The journal as one subscriber sees it. All methods but `wake` may touch the disk: they are called from
/// blocking threads only.
pub trait Outbox: Send + Sync {
    /// Committed events with a sequence above `seq`, in journal order, at most `limit`.
    ///
    /// # Errors
    /// If the journal cannot be read; the driver tries again.
    fn after(&self, seq: u64, limit: usize) -> Result<Vec<EntryEvent>, OutboxError>;

    /// Everything up to this sequence is delivered.
    fn cursor(&self) -> u64;

    /// Moves the cursor: everything up to `seq` is delivered.
    ///
    /// # Errors
    /// If it cannot be written; the events will be delivered again after a restart.
    fn acknowledge(&self, seq: u64) -> Result<(), OutboxError>;

    /// The highest committed sequence; wakes when it grows.
    fn wake(&self) -> watch::Receiver<u64>;
}
