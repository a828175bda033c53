//! A power cut: the card has everything up to the last sync and anything or nothing of what was written after it.
//! What was committed is there, the rest is a whole prefix, SQLite opens.

use crate::journal_support::{draft, options, sequences, store};
use proptest::prelude::*;
use std::{fs, path::Path};

/// What the card holds right after a sync, while the daemon runs: the file and its log, without the ring, without
/// the shared memory.
fn card_now(state: &Path) -> (Vec<u8>, Vec<u8>) {
    let read = |name| fs::read(state.join(name)).unwrap_or_default();
    (read("journal.db"), read("journal.db-wal"))
}

fn after_the_cut(file: &[u8], log: &[u8]) -> Vec<u64> {
    let (state, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(state.path().join("journal.db"), file).unwrap();
    fs::write(state.path().join("journal.db-wal"), log).unwrap();
    let (store, recovered) = store(&options(state.path(), runtime.path()));
    assert_eq!(recovered.moved_aside, Vec::<std::path::PathBuf>::new());
    let kept = sequences(&store);
    assert_eq!(
        store.record(&draft("front")),
        kept.last().map_or(1, |last| last + 1)
    );
    kept
}

#[test]
fn everything_that_was_committed_survives_a_power_cut() {
    let (state, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, _) = store(&options(state.path(), runtime.path()));
    for round in 1..=40 {
        store.record(&draft("front"));
        store.flush().unwrap();
        let (file, log) = card_now(state.path());
        assert_eq!(after_the_cut(&file, &log), (1..=round).collect::<Vec<_>>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_torn_log_leaves_a_whole_prefix(
        synced in 1_u64..12,
        unsynced in 1_u64..6,
        cut in any::<prop::sample::Index>(),
        noise in any::<bool>(),
    ) {
        let (state, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (store, _) = store(&options(state.path(), runtime.path()));
        for _ in 0..synced {
            store.record(&draft("front"));
            store.flush().unwrap();
        }
        let (file, safe) = card_now(state.path());
        for _ in 0..unsynced {
            store.record(&draft("front"));
            store.flush().unwrap();
        }
        let (_, mut log) = card_now(state.path());
        let torn = safe.len() + cut.index(log.len() - safe.len());
        if noise {
            log.iter_mut().skip(torn).for_each(|byte| *byte ^= 0x5A);
        } else {
            log.truncate(torn);
        }
        let kept = after_the_cut(&file, &log);
        prop_assert!(kept.len() as u64 >= synced, "{} of {synced}", kept.len());
        prop_assert_eq!(&kept, &(1..=kept.len() as u64).collect::<Vec<_>>());
    }
}
