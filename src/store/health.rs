//! How the store is doing.

use super::{Store, shared::lock};
use serde::Serialize;
use std::{collections::BTreeMap, sync::atomic::Ordering};

/// How the store is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreHealth {
    /// Events in the journal.
    pub events: u64,
    /// Its bound.
    pub max_events: u64,
    /// Lowest sequence in the journal, 0 when empty.
    pub first: u64,
    /// Highest sequence in the journal.
    pub last: u64,
    /// Undelivered events of each subscriber.
    pub unsent: BTreeMap<String, u64>,
    /// Events in the ring that are not in the journal yet.
    pub ring_used: u64,
    /// Its size.
    pub ring_slots: u64,
    /// Whether answered events survive the death of the process before they are in the journal.
    pub ring_survives: bool,
    /// Whether the ring is in memory. On a disk a write may have to wait for it.
    pub ring_in_memory: bool,
    /// Events since the start that found no room, or could not be read back from the ring.
    pub lost: u64,
    /// What the disk last said, until it works again.
    pub last_error: Option<String>,
}

impl Store {
    /// How the store is doing.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        let shared = &self.0.shared;
        let last = shared.ring.committed();
        let cursors = lock(&shared.cursors).plain();
        let unsent = cursors
            .into_iter()
            .map(|(name, seq)| (name, last.saturating_sub(seq)))
            .collect();
        StoreHealth {
            events: shared.count.load(Ordering::Relaxed),
            max_events: shared.max_events,
            first: shared.first.load(Ordering::Relaxed),
            last,
            unsent,
            ring_used: shared.ring.head().saturating_sub(last),
            ring_slots: shared.ring.slots(),
            ring_survives: shared.ring_survives && shared.ring.spilled() == 0,
            ring_in_memory: shared.ring_in_memory,
            lost: shared.ring.lost() + shared.gone.load(Ordering::Relaxed),
            last_error: lock(&shared.last_error).clone(),
        }
    }
}
