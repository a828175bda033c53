//! A file of the store that is gone, or was emptied, while the other one is there: a new one is begun, and said so.

use crate::journal_support::*;
use doorward::{
    health::Health,
    store::{SnapshotMeta, Store},
};
use std::{fs, path::Path};

/// A store with an event and a snapshot, closed again.
fn used(state: &Path, runtime: &Path) {
    let (store, _): (Store, _) = store(&options(state, runtime));
    record(&store, 3);
    store
        .apply_snapshot(
            &SnapshotMeta::default(),
            &doorward::domain::facts::Facts::default(),
            b"image",
        )
        .unwrap();
    store.flush().unwrap();
}

/// The faults at a start after something happened to the files.
fn faults_after(happened: impl FnOnce(&Path)) -> Vec<String> {
    let (state, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    used(state.path(), runtime.path());
    happened(state.path());
    let (health, reboot) = (Health::default(), tempfile::tempdir().unwrap());
    let (store, recovered) = store_with(&options(state.path(), reboot.path()), &health);
    record(&store, 1);
    store.flush().unwrap();
    let faults: Vec<String> = health.doc().faults.into_iter().map(|fault| fault.key).collect();
    assert_eq!(recovered.warnings.len(), faults.len(), "{recovered:?}");
    faults
}

#[test]
fn a_journal_that_is_gone_or_empty_is_told() {
    let gone = |state: &Path| fs::remove_file(state.join("journal.db")).unwrap();
    assert_eq!(faults_after(gone), ["journal_lost"]);
    let emptied = |state: &Path| fs::write(state.join("journal.db"), "").unwrap();
    assert_eq!(faults_after(emptied), ["journal_lost"]);
}

#[test]
fn a_state_that_is_gone_or_empty_is_told_for_blocks_were_in_it() {
    let gone = |state: &Path| fs::remove_file(state.join("state.db")).unwrap();
    assert_eq!(faults_after(gone), ["state_lost"]);
    let emptied = |state: &Path| fs::write(state.join("state.db"), "").unwrap();
    assert_eq!(faults_after(emptied), ["state_lost"]);
}

#[test]
fn a_first_start_and_a_return_lose_nothing() {
    assert_eq!(faults_after(|_| ()), Vec::<String>::new());
    let both = |state: &Path| {
        for entry in fs::read_dir(state).unwrap().flatten() {
            fs::remove_file(entry.path()).unwrap();
        }
    };
    assert_eq!(faults_after(both), Vec::<String>::new());
}
