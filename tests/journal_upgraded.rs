//! A state that an earlier version wrote: the first start after the upgrade decides from it, with the cloud down.

use crate::journal_support::*;
use doorward::{
    clock::Clock,
    domain::{Block, BlockTarget, facts::Facts},
    health::Health,
    store::{ReadStore, SnapshotMeta, Store, StoreError},
};
use std::path::Path;

/// What each step of the state added, taken away again: the last step first. (src/store/state.rs, `STEPS`.)
const BACK: [&str; 4] = [
    "ALTER TABLE guest DROP COLUMN doors",
    "DROP TABLE guest; DROP TABLE card_write;
     ALTER TABLE local_card DROP COLUMN kind; ALTER TABLE local_card DROP COLUMN instead;
     ALTER TABLE local_card DROP COLUMN by_whom; ALTER TABLE local_card DROP COLUMN revision;
     ALTER TABLE local_card DROP COLUMN written_at;
     ALTER TABLE block DROP COLUMN by_whom; ALTER TABLE block DROP COLUMN at",
    "DROP TABLE document",
    "DROP TABLE image;
     CREATE TABLE snapshot_image (id INTEGER PRIMARY KEY, image BLOB NOT NULL) STRICT",
];

fn format(state: &Path) -> i64 {
    let db = rusqlite::Connection::open(state.join("state.db")).unwrap();
    db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// A state with a snapshot and a block, taken back by so many steps.
fn written_before(state: &Path, steps: usize) -> Block {
    let block = Block {
        target: BlockTarget::Person("p1".into()),
        note: "left".into(),
    };
    {
        let (store, _) = store(&options(state, state));
        store.add_block(&block).unwrap();
        let meta = SnapshotMeta {
            version: 7,
            ..SnapshotMeta::default()
        };
        store.apply_snapshot(&meta, &Facts::default(), b"image").unwrap();
    }
    let known = format(state);
    let db = rusqlite::Connection::open(state.join("state.db")).unwrap();
    for step in &BACK[..steps] {
        db.execute_batch(step).unwrap();
    }
    db.pragma_update(None, "user_version", known - i64::try_from(steps).unwrap())
        .unwrap();
    block
}

#[test]
fn the_first_start_after_an_upgrade_reads_what_every_version_before_wrote() {
    for steps in 1..=BACK.len() {
        let state = tempfile::tempdir().unwrap();
        let block = written_before(state.path(), steps);
        let health = Health::default();
        let (store, recovered) = store_with(&options(state.path(), state.path()), &health);
        // Nothing has been written yet: this is what the doors begin with.
        let active = store.active().unwrap().unwrap();
        assert_eq!(active.meta.version, 7, "{steps} steps back");
        assert_eq!(store.blocks().unwrap(), [block], "{steps} steps back");
        assert!(store.read().guests().unwrap().is_empty());
        assert!(store.read().documents("doors").unwrap().is_empty());
        assert!(store.facts(&active).is_ok());
        assert!(health.doc().faults.is_empty(), "{:?}", health.doc().faults);
        assert!(recovered.moved_aside.is_empty());
    }
}

#[test]
fn whoever_reads_it_before_that_start_is_told_so_and_not_of_damage() {
    let state = tempfile::tempdir().unwrap();
    written_before(state.path(), 2);
    let error = ReadStore::open(state.path()).unwrap().guests().unwrap_err();
    assert!(matches!(error, StoreError::Older(_)), "{error}");
    assert!(error.to_string().contains("earlier version"), "{error}");
}

#[test]
fn a_state_of_a_later_version_is_refused_at_the_start() {
    let state = tempfile::tempdir().unwrap();
    drop(store(&options(state.path(), state.path())));
    written_before(state.path(), 0);
    let db = rusqlite::Connection::open(state.path().join("state.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let (clock, health) = (Clock::system(true, 0), Health::default());
    let error = Store::open(&options(state.path(), state.path()), &clock, &health).unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
}
