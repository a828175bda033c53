//! How many events the journal holds: what everybody has goes first, what nobody took is kept, oldest first.

use super::{
    shared::lock,
    writer::{GROUP, Writer},
};
use std::sync::atomic::Ordering;

impl Writer {
    /// Deleting a few at a time would rewrite the same pages for each event.
    pub(super) fn slack(&self) -> u64 {
        (self.shared.max_events / 8).clamp(1, 512)
    }

    pub(super) fn surplus(&self, coming: u64) -> u64 {
        let count = self.shared.count.load(Ordering::Relaxed) + coming;
        if count > self.shared.max_events + self.slack() {
            count - self.shared.max_events
        } else {
            0
        }
    }

    pub(super) fn deletable(&self) -> bool {
        lock(&self.shared.cursors).delivered_to_all() >= self.shared.first.load(Ordering::Relaxed)
    }

    /// How many events may come in now. None, when the journal is full of unsent ones: then they wait in the ring.
    pub(super) fn room(&self) -> u64 {
        if self.deletable() {
            return GROUP;
        }
        let bound = self.shared.max_events + self.slack();
        bound
            .saturating_sub(self.shared.count.load(Ordering::Relaxed))
            .min(GROUP)
    }

    /// Raises and ends the faults of a journal that fills up.
    pub(super) fn show_bounds(&self) {
        let shared = &self.shared;
        let delivered = lock(&shared.cursors).delivered_to_all();
        let unsent = shared
            .ring
            .committed()
            .saturating_sub(delivered)
            .min(shared.count.load(Ordering::Relaxed));
        let max = shared.max_events;
        if unsent.saturating_mul(5) >= max.saturating_mul(4) {
            let text = format!(
                "{unsent} of at most {max} events in the journal wait for delivery: see why the cloud or the broker \
                 does not take them, before there is no room"
            );
            shared.health.raise("journal_nearly_full", text, shared.now());
        } else if unsent.saturating_mul(4) < max.saturating_mul(3) {
            shared.health.clear("journal_nearly_full");
        }
        if self.room() == 0 {
            let text = format!(
                "the journal holds {unsent} events that were not delivered, its bound: the oldest are kept, new ones \
                 wait in memory ({} of {}) and are lost beyond it; doors go on deciding",
                self.pending(),
                shared.ring.slots()
            );
            shared.health.raise("journal_full", text, shared.now());
        } else {
            shared.health.clear("journal_full");
        }
    }
}
