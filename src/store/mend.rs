//! How the journal's thread comes to a new file: one that could not be opened before, or a new one for a damaged one.

use super::{
    error::StoreError,
    journal::{self, Epoch, JOURNAL},
    ring::Taken,
    salvage::Salvage,
    shared::lock,
    writer::Writer,
};
use rusqlite::Connection;
use std::sync::{Arc, atomic::Ordering};

impl Writer {
    /// Learns what a file that could not be read before holds, and tells it what happened meanwhile.
    pub(super) fn adopt(&mut self, db: &Connection) -> Result<(), StoreError> {
        let path = self.shared.state_dir.join(JOURNAL.name);
        let wrap = |error| StoreError::sqlite(&path, error);
        let extent = journal::extent(db).map_err(wrap)?;
        let mut epochs: Vec<Epoch> = extent.epochs.clone();
        for ours in self.shared.epochs.load().iter() {
            if !epochs.iter().any(|epoch| epoch.first == ours.first) {
                epochs.push(ours.clone());
            }
        }
        epochs.sort_by_key(|epoch| epoch.first);
        journal::write_epochs(db, &epochs).map_err(wrap)?;
        self.shared.epochs.store(Arc::new(epochs));
        self.shared.first.store(extent.first, Ordering::Relaxed);
        self.shared.count.store(extent.count, Ordering::Relaxed);
        let mut cursors = lock(&self.shared.cursors);
        for (name, seq) in extent.cursors {
            let known = cursors.by_name.get(&name).map_or(0, |(_, seq)| *seq);
            self.shared.set_cursor(&mut cursors, &name, seq.max(known));
        }
        drop(cursors);
        if (self.shared.ring.committed()..=self.shared.ring.head()).contains(&extent.last) {
            self.done_through(extent.last);
        }
        Ok(())
    }

    /// Moves a damaged journal aside, begins a new one and fetches back what can be read.
    pub(super) fn replace_damaged(&mut self) {
        self.connection = None;
        self.shared.read.reset();
        match Salvage::begin(&self.shared.state_dir, self.shared.now()) {
            Ok((salvage, _)) => {
                self.take_again();
                self.shared.audit_doubtful.store(true, Ordering::Release);
                self.shared.salvaging.store(true, Ordering::Release);
                self.salvage = Some(salvage);
                self.backoff = None;
                lock(&self.shared.cursors).urgent = true;
            }
            Err(error) => self.shared.raise("journal", &error),
        }
    }

    /// Whatever of the end was not readable may still stand in the ring: takes it once more. Half the ring at most, so
    /// that new events find room meanwhile.
    pub(super) fn take_again(&mut self) {
        let ring = &self.shared.ring;
        let committed = ring.committed();
        let oldest = ring.head().saturating_sub(ring.slots() / 2) + 1;
        let held = |seq: &u64| matches!(ring.take(*seq), Taken::Event(_));
        let Some(first) = (oldest..=committed).find(held) else {
            return;
        };
        self.holes.extend((first..=committed).filter(|seq| !held(seq)));
        ring.commit(first - 1);
    }

    pub(super) fn salvage_some(&mut self) -> Result<(), StoreError> {
        let (Some(salvage), Some(connection)) = (&mut self.salvage, &mut self.connection) else {
            return Ok(());
        };
        let path = self.shared.state_dir.join(JOURNAL.name);
        let done = salvage
            .step(connection)
            .map_err(|error| StoreError::sqlite(&path, error))?;
        if done {
            let extent = journal::extent(connection).map_err(|error| StoreError::sqlite(&path, error))?;
            self.shared.first.store(extent.first, Ordering::Relaxed);
            self.shared.count.store(extent.count, Ordering::Relaxed);
            self.salvage = None;
            self.shared.salvaging.store(false, Ordering::Release);
            self.shared.committed.send_modify(|_| ());
        }
        Ok(())
    }
}
