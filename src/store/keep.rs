//! What the rooms keep besides events: snapshots, local cards, blocks, marks of time.

use super::{
    KeptBlock, LocalCard, Noted, PackedFacts, ReadStore, SnapshotMeta, Store, StoreError, StoredSnapshot,
    open, shared::lock, state,
};
use crate::domain::{Block, BlockTarget, Millis, facts::Facts};
use std::sync::atomic::Ordering;

/// Contact with the platform is written to the card at most this often: staleness counts in days.
const CONTACT_EVERY: Millis = 300_000;
/// The time is written at most this often; events carry it to the card besides.
const TIME_EVERY: Millis = 3_600_000;

impl Store {
    pub(super) fn write<T>(
        &self,
        mut work: impl FnMut(&mut rusqlite::Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let file = self.0.shared.state_dir.join(state::STATE.name);
        self.write_files(|db| work(db).map_err(|error| StoreError::sqlite(&file, error)))
    }

    fn then_tidy(
        &self,
        work: fn(&mut rusqlite::Connection) -> rusqlite::Result<bool>,
    ) -> Result<bool, StoreError> {
        let done = self.write(work)?;
        lock(&self.0.shared.owner.state).fold(&self.0.shared.state_dir);
        Ok(done)
    }

    fn write_files<T>(
        &self,
        mut work: impl FnMut(&mut rusqlite::Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let shared = &self.0.shared;
        let mut writer = lock(&shared.owner.state);
        let result = writer.with(&shared.state_dir, shared.now(), &mut work);
        drop(writer);
        match &result {
            Ok(_) => shared.clear_but("state", None),
            Err(error) => shared.raise("state", error),
        }
        open::show_damaged(&shared.state_dir, &shared.health, shared.now());
        result
    }

    /// Facts as they are kept, so that the facts themselves can be dropped before the snapshot is put into a role.
    ///
    /// # Errors
    /// `Snapshot`: they cannot be written down.
    pub fn pack(&self, facts: &Facts) -> Result<PackedFacts, StoreError> {
        state::pack(facts)
            .map(PackedFacts)
            .map_err(|source| self.snapshot_error(source))
    }

    /// Packed facts as they were.
    ///
    /// # Errors
    /// `Snapshot`: they do not read back.
    pub fn unpack(&self, PackedFacts(bytes): &PackedFacts) -> Result<Facts, StoreError> {
        state::unpack(bytes).map_err(|source| self.snapshot_error(source))
    }

    /// Replaces the snapshot in force, in one transaction with full sync: a crash leaves the old or the new one. A held
    /// one is dropped. Slow for large sites, and blocks: not for async tasks.
    ///
    /// # Errors
    /// `Disk`: the old one stays.
    pub fn apply_snapshot(&self, meta: &SnapshotMeta, facts: &Facts, image: &[u8]) -> Result<(), StoreError> {
        self.apply_packed(meta, &self.pack(facts)?, image)
    }

    /// [`Self::apply_snapshot`] with packed facts.
    ///
    /// # Errors
    /// `Disk`: the old one stays.
    pub fn apply_packed(
        &self,
        meta: &SnapshotMeta,
        facts: &PackedFacts,
        image: &[u8],
    ) -> Result<(), StoreError> {
        self.put_snapshot(state::ACTIVE, meta, facts, image)
    }

    /// Keeps an implausible snapshot until somebody confirms it (invariant 4).
    ///
    /// # Errors
    /// `Disk`: nothing is held.
    pub fn hold_snapshot(&self, meta: &SnapshotMeta, facts: &Facts, image: &[u8]) -> Result<(), StoreError> {
        self.hold_packed(meta, &self.pack(facts)?, image)
    }

    /// [`Self::hold_snapshot`] with packed facts.
    ///
    /// # Errors
    /// `Disk`: nothing is held.
    pub fn hold_packed(
        &self,
        meta: &SnapshotMeta,
        facts: &PackedFacts,
        image: &[u8],
    ) -> Result<(), StoreError> {
        self.put_snapshot(state::HELD, meta, facts, image)
    }

    fn put_snapshot(
        &self,
        role: &str,
        meta: &SnapshotMeta,
        PackedFacts(facts): &PackedFacts,
        image: &[u8],
    ) -> Result<(), StoreError> {
        let meta = serde_json::to_string(meta).map_err(|source| self.snapshot_error(source))?;
        let dir = &self.0.shared.state_dir;
        self.write_files(|db| state::put_snapshot(db, dir, role, &meta, facts, image))?;
        lock(&self.0.shared.owner.state).fold(dir);
        Ok(())
    }

    fn snapshot_error(&self, source: serde_json::Error) -> StoreError {
        StoreError::Snapshot {
            file: self.0.shared.state_dir.join(state::STATE.name),
            source,
        }
    }

    /// Puts the held snapshot in force. False if none is held.
    ///
    /// # Errors
    /// `Disk`: it stays held.
    pub fn accept_held(&self) -> Result<bool, StoreError> {
        self.then_tidy(state::accept_held)
    }

    /// Drops the held snapshot. False if none is held.
    ///
    /// # Errors
    /// `Disk`: it stays held.
    pub fn discard_held(&self) -> Result<bool, StoreError> {
        self.then_tidy(state::discard_held)
    }

    /// Replaces the index image of the snapshot in force: the site changed, the facts did not. False if there is none.
    ///
    /// # Errors
    /// `Disk`: the old one stays.
    pub fn replace_image(&self, image: &[u8]) -> Result<bool, StoreError> {
        let dir = &self.0.shared.state_dir;
        self.write_files(|db| state::replace_image(db, dir, image))
    }

    /// Everything that can be read: snapshots, facts, blocks, cards, events. Each call sees what was committed
    /// before it.
    #[must_use]
    pub fn read(&self) -> &ReadStore {
        &self.0.shared.read
    }

    /// The snapshot in force.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot`.
    pub fn active(&self) -> Result<Option<StoredSnapshot>, StoreError> {
        self.read().active()
    }

    /// The snapshot that waits for confirmation.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot`.
    pub fn held(&self) -> Result<Option<StoredSnapshot>, StoreError> {
        self.read().held()
    }

    /// The facts of a snapshot.
    ///
    /// # Errors
    /// `Disk`, or `Snapshot`.
    pub fn facts(&self, snapshot: &StoredSnapshot) -> Result<Facts, StoreError> {
        self.read().facts(snapshot)
    }

    /// The platform answered just now. In memory at once, on the card every five minutes.
    pub fn note_contact(&self, at: Millis) {
        self.note(&self.0.contact, state::CONTACT, at, CONTACT_EVERY);
    }

    /// When the platform last answered, Unix milliseconds.
    #[must_use]
    pub fn last_contact(&self) -> Option<Millis> {
        self.0.contact.get()
    }

    /// A trusted time, as a floor for the clock after the next boot. On the card once an hour; call it every minute.
    pub fn note_time(&self, at: Millis) {
        self.note(&self.0.time, state::TIME, at, TIME_EVERY);
    }

    fn note(&self, noted: &Noted, key: &str, at: Millis, every: Millis) {
        noted.now.store(at, Ordering::Relaxed);
        if let Some(due) = noted.due(every) {
            // A failure is shown as the state's fault; the next call tries again.
            if self.write(|db| state::set_value(db, key, due)).is_ok() {
                noted.on_disk.store(due, Ordering::Relaxed);
            }
        }
    }

    /// Cards that were given out at the gateway.
    ///
    /// # Errors
    /// `Disk`.
    pub fn local_cards(&self) -> Result<Vec<LocalCard>, StoreError> {
        self.read().local_cards()
    }

    /// Everything that is blocked at the gateway.
    ///
    /// # Errors
    /// `Disk`.
    pub fn blocks(&self) -> Result<Vec<Block>, StoreError> {
        self.read().blocks()
    }

    /// Blocks a card or a person, with full sync.
    ///
    /// # Errors
    /// `Disk`: the block is not kept. The caller blocks in memory all the same and says so.
    pub fn add_block(&self, block: &Block) -> Result<(), StoreError> {
        self.keep_block(&KeptBlock {
            block: block.clone(),
            by: String::new(),
            at: 0,
        })
    }

    /// Lifts a block. False if there was none.
    ///
    /// # Errors
    /// `Disk`: the block stays.
    pub fn remove_block(&self, target: &BlockTarget) -> Result<bool, StoreError> {
        self.write(|db| state::remove_block(db, target))
    }
}
