//! Reading beside the daemon or without it: the reader leaves nothing that the daemon cannot open, and needs nothing
//! that it may not write.

use crate::journal_support::{Disk, draft, options, record, store};
use doorward::{
    domain::facts::Facts,
    store::{ReadStore, SnapshotMeta, Store},
};
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// A copy of the state as a power cut leaves it: the newest events stand in the log alone.
fn state_after_a_power_cut(to: &Path) {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, _) = store(&options(dir.path(), runtime.path()));
    store
        .apply_snapshot(&SnapshotMeta::default(), &Facts::default(), b"image")
        .unwrap();
    store.note_contact(5);
    record(&store, 40);
    store.flush().unwrap();
    for entry in fs::read_dir(dir.path()).unwrap().flatten() {
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    assert!(fs::metadata(to.join("journal.db-wal")).unwrap().len() > 0);
}

fn names(dir: &Path) -> Vec<String> {
    let all = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = all
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_card_that_cannot_be_written_is_read_with_its_newest_events() {
    let Some(disk) = Disk::mount(8 << 20) else { return };
    state_after_a_power_cut(disk.path());
    disk.remount("ro");
    let before = names(disk.path());
    let reader = ReadStore::open(disk.path()).unwrap();
    assert_eq!(reader.events_after(0, 100).unwrap().len(), 40);
    assert_eq!(reader.active().unwrap().unwrap().image, b"image");
    assert_eq!(reader.last_contact().unwrap(), Some(5));
    assert!(reader.blocks().unwrap().is_empty());
    drop(reader);
    assert_eq!(names(disk.path()), before);
}

#[test]
fn what_root_leaves_behind_belongs_to_the_daemon() {
    const DAEMON: u32 = 12_345;
    let dir = tempfile::tempdir().unwrap();
    state_after_a_power_cut(dir.path());
    let all = || {
        fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
    };
    for path in all().chain([dir.path().to_owned()]) {
        if std::os::unix::fs::chown(path, Some(DAEMON), Some(DAEMON)).is_err() {
            eprintln!("skipped: giving files away needs root");
            return;
        }
    }
    let reader = Store::open_read_only(dir.path()).unwrap();
    assert_eq!(reader.events_after(0, 100).unwrap().len(), 40);
    assert_eq!(reader.last_contact().unwrap(), Some(5));
    let foreign = || all().find(|path| fs::metadata(path).unwrap().uid() != DAEMON);
    assert_eq!(foreign(), None, "while it reads");
    drop(reader);
    assert_eq!(foreign(), None, "and afterwards");
}

#[test]
fn a_reader_beside_the_daemon_sees_each_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = store(&options(dir.path(), dir.path()));
    store.record(&draft("front"));
    store.flush().unwrap();
    let reader = Store::open_read_only(dir.path()).unwrap();
    for count in 2..5 {
        store.record(&draft("front"));
        store.flush().unwrap();
        assert_eq!(reader.events_after(0, 100).unwrap().len(), count);
    }
}
