//! A disk that is full, cannot be written, or returns other bytes than it was given: doors go on (every `record`
//! returns), the fault is visible, and what was answered reaches the journal when the disk is back.

use crate::journal_support::{
    Card, Disk, draft, eventually, faults, options, record, sequences, store, store_with,
};
use doorward::{
    domain::{Block, BlockTarget, facts::Facts},
    health::Health,
    store::{Begin, ReadStore, SnapshotMeta, StoreError},
};
use std::{fs, io::Write, os::unix::fs::FileExt, path::Path};

#[test]
fn a_disk_that_runs_full_loses_nothing_and_says_so() {
    let Some(disk) = Disk::mount(2 << 20) else { return };
    let runtime = tempfile::tempdir().unwrap();
    let health = Health::default();
    let (store, _) = store_with(&options(disk.path(), runtime.path()), &health);
    store.record(&draft("front"));
    store.flush().unwrap();
    disk.fill();
    // The log has some room of its own: go on until the disk refuses.
    eventually("the disk refuses", || {
        for _ in 0..20 {
            assert_ne!(store.record(&draft("front")), 0);
        }
        faults(&health).contains(&"disk_full:journal".to_owned())
    });
    let error = store.flush().unwrap_err();
    assert!(error.to_string().contains("no space is left"), "{error}");
    let last = store.record(&draft("back"));
    assert!(store.health().ring_used > 0 && store.health().last_error.is_some());
    disk.free();
    eventually("everything is in the journal", || {
        *store.committed().borrow() == last
    });
    eventually("the fault is over", || faults(&health).is_empty());
    assert_eq!(sequences(&store), (1..=last).collect::<Vec<_>>());
    assert_eq!((store.health().lost, store.health().last_error), (0, None));
}

#[test]
fn a_start_on_a_full_disk_decides_and_journals_later() {
    let Some(disk) = Disk::mount(1 << 20) else { return };
    disk.fill();
    let runtime = tempfile::tempdir().unwrap();
    let health = Health::default();
    let (store, _) = store_with(&options(disk.path(), runtime.path()), &health);
    let last = record(&store, 50);
    eventually("it is shown", || {
        faults(&health).contains(&"disk_full:journal".to_owned())
    });
    let facts = Facts::default();
    let refused = store
        .apply_snapshot(&SnapshotMeta::default(), &facts, b"image")
        .unwrap_err();
    assert!(refused.disk_fault().is_some(), "{refused}");
    let ids = (store.event_id(1), store.event_id(last));
    disk.free();
    eventually("everything is in the journal", || {
        *store.committed().borrow() == last
    });
    store
        .apply_snapshot(&SnapshotMeta::default(), &facts, b"image")
        .unwrap();
    eventually("the fault is over", || faults(&health).is_empty());
    let events = store.events_after(0, 100).unwrap();
    assert_eq!(events.len(), 50);
    assert_eq!(
        (events[0].id.clone(), events[49].id.clone()),
        ids,
        "ids hold from the answer on"
    );
}

#[test]
fn a_card_that_became_read_only_is_read_and_events_wait() {
    let Some(disk) = Disk::mount(4 << 20) else { return };
    let runtime = tempfile::tempdir().unwrap();
    let options = options(disk.path(), runtime.path());
    {
        let (store, _) = store(&options);
        store
            .apply_snapshot(&SnapshotMeta::default(), &Facts::default(), b"image")
            .unwrap();
        store.record(&draft("front"));
    }
    disk.remount("ro");
    let health = Health::default();
    let (store, recovered) = store_with(&options, &health);
    assert_eq!(recovered.last, 1);
    assert_eq!(store.active().unwrap().unwrap().image, b"image");
    assert_eq!(
        (store.record(&draft("front")), store.record(&draft("back"))),
        (2, 3)
    );
    assert!(
        faults(&health).contains(&"disk_read_only:journal".to_owned()),
        "{:?}",
        faults(&health)
    );
    let error = store.add_block(&Block {
        target: BlockTarget::Person("p".into()),
        note: String::new(),
    });
    assert_eq!(error.unwrap_err().disk_fault().unwrap().kind(), "disk_read_only");
    assert!(faults(&health).contains(&"disk_read_only:state".to_owned()));
    let reader = ReadStore::open(disk.path()).unwrap();
    assert_eq!(reader.events_after(0, 9).unwrap().len(), 1);
    assert_eq!(store.events_after(0, 9).unwrap().len(), 1);
    disk.remount("rw");
    eventually("events arrive", || *store.committed().borrow() == 3);
    store.note_contact(1_790_000_000_000);
    eventually("the faults are over", || faults(&health).is_empty());
    assert_eq!(sequences(&store), [1, 2, 3]);
}

#[test]
fn a_card_that_turns_read_only_under_the_daemon_is_survived() {
    let Some(card) = Card::insert() else { return };
    let runtime = tempfile::tempdir().unwrap();
    let options = options(&card.path(), runtime.path());
    let health = Health::default();
    let (first, _) = store_with(&options, &health);
    first.register("mqtt", Begin::Oldest).unwrap();
    first.record(&draft("front"));
    first.flush().unwrap();
    card.break_down();
    let last = record(&first, 20);
    eventually("it is shown", || {
        faults(&health).contains(&"disk_read_only:journal".to_owned())
    });
    assert_eq!(
        first.events_after(0, 99).unwrap().len(),
        1,
        "what is on the card is still read"
    );
    assert_eq!(*first.committed().borrow(), 1);
    first.acknowledge("mqtt", 1).unwrap();
    drop(first);
    card.repair();
    let (second, recovered) = store(&options);
    assert_eq!((recovered.last, recovered.from_ring), (1, 20));
    second.flush().unwrap();
    assert_eq!(sequences(&second), (1..=last).collect::<Vec<_>>());
    assert_eq!(second.cursor("mqtt"), 1);
}

/// Writes noise into a file.
fn garble(path: &Path, from: u64, length: usize) {
    let file = fs::OpenOptions::new().write(true).open(path);
    let done = file.and_then(|file| file.write_all_at(&vec![0xA5; length], from));
    assert!(done.is_ok(), "{done:?}");
}

#[test]
fn a_damaged_journal_is_moved_aside_and_what_reads_is_fetched_back() {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = options(dir.path(), runtime.path());
    let installation = {
        let (store, recovered) = store(&options);
        store.register("mqtt", Begin::Oldest).unwrap();
        for _ in 0..2_000 {
            store.record(&draft("front"));
        }
        store.acknowledge("mqtt", 100).unwrap();
        store.flush().unwrap();
        recovered.installation
    };
    // One page in the middle, and the page that says what the tables are.
    garble(&dir.path().join("journal.db"), 160 * 1_024, 4_096);
    garble(&dir.path().join("journal.db"), 100, 1);
    let health = Health::default();
    let (store, recovered) = store_with(&options, &health);
    assert_eq!(recovered.moved_aside.len(), 1);
    assert!(recovered.moved_aside[0].exists());
    assert!(faults(&health).contains(&"disk_corrupt:journal".to_owned()));
    let next = store.record(&draft("back"));
    assert_eq!(next, 2_001, "the ring knows every number that was given out");
    assert_eq!(store.event_id(next).as_str(), format!("{installation}-2001"));
    eventually("the ring's events are there", || {
        sequences(&store) == (1..=2_001).collect::<Vec<_>>()
    });
    assert_eq!(store.cursor("mqtt"), 100);
}

#[test]
fn a_damaged_journal_after_a_reboot_never_gives_an_id_twice() {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = {
        let (store, recovered) = store(&options(dir.path(), runtime.path()));
        for _ in 0..2_000 {
            store.record(&draft("front"));
        }
        store.flush().unwrap();
        recovered.installation
    };
    garble(&dir.path().join("journal.db"), 160 * 1_024 + 10, 2_000);
    let db = rusqlite::Connection::open(dir.path().join("journal.db")).unwrap();
    db.execute_batch("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'salvage'")
        .unwrap();
    drop(db);
    garble(&dir.path().join("journal.db"), 18, 2);
    let reboot = tempfile::tempdir().unwrap();
    let (store, recovered) = store(&options(dir.path(), reboot.path()));
    assert_ne!(recovered.installation, first);
    let next = store.record(&draft("back"));
    assert!(store.event_id(next).as_str().starts_with(&recovered.installation));
    store.flush().unwrap();
}

#[test]
fn damage_that_shows_while_running_is_repaired_while_running() {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = options(dir.path(), runtime.path());
    {
        let (store, _) = store(&options);
        for _ in 0..2_000 {
            store.record(&draft("front"));
        }
    }
    // The last leaf of the table of events: read by the next insert, not by the start.
    let pages = fs::metadata(dir.path().join("journal.db")).unwrap().len() / 1_024;
    garble(&dir.path().join("journal.db"), (pages - 20) * 1_024, 20 * 1_024);
    let health = Health::default();
    let (store, _) = store_with(&options, &health);
    store.register("mqtt", Begin::Oldest).unwrap();
    let last = record(&store, 10);
    eventually("the new ones are there", || *store.committed().borrow() >= last);
    eventually("the fault is shown", || {
        faults(&health).contains(&"disk_corrupt:journal".to_owned())
    });
    eventually("the ring's are there", || sequences(&store).last() == Some(&last));
    let _ = store.flush();
}

/// A page of the table of events that holds only events, in the middle of the file: its number from 0, and how many
/// events it holds. (The file format: 2.3 of sqlite.org/fileformat.html.)
fn middle_leaf(journal: &Path) -> (u64, u64) {
    let bytes = fs::read(journal).unwrap();
    let pages = bytes.len() / 1_024;
    let cells = |page: usize| u64::from(bytes[page * 1_024 + 3]) << 8 | u64::from(bytes[page * 1_024 + 4]);
    let page = (pages / 2..pages)
        .find(|page| bytes[page * 1_024] == 13 && cells(*page) > 3)
        .unwrap();
    (page as u64, cells(page))
}

/// A journal of 3,000 events with one damaged page in the middle, and how many events stood there.
fn journal_with_a_damaged_leaf(dir: &Path) -> u64 {
    let runtime = tempfile::tempdir().unwrap();
    let (store, _) = store(&options(dir, runtime.path()));
    store.register("mqtt", Begin::Oldest).unwrap();
    record(&store, 3_000);
    drop(store);
    let (page, cells) = middle_leaf(&dir.join("journal.db"));
    garble(&dir.join("journal.db"), page * 1_024, 1_024);
    cells
}

#[test]
fn a_page_that_only_a_reader_meets_is_repaired_and_costs_only_its_own_events() {
    // No ring from before: what comes back comes from the damaged file.
    let (dir, reboot) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let gone = journal_with_a_damaged_leaf(dir.path());
    let health = Health::default();
    let (store, recovered) = store_with(&options(dir.path(), reboot.path()), &health);
    assert_eq!((recovered.moved_aside.len(), recovered.last), (0, 3_000));
    let last = record(&store, 10);
    store.flush().unwrap();
    assert!(faults(&health).is_empty(), "nobody has met it yet");
    let read = |after: u64| store.events_after(after, 500);
    let mut after = 0;
    while let Ok(events) = read(after) {
        after = events.last().expect("it stops at the damage").seq;
    }
    eventually("the reader goes on past the damage", || {
        read(after).is_ok_and(|events| !events.is_empty())
    });
    let kept = sequences(&store);
    assert_eq!(kept.len() as u64, last - gone, "one page's events are gone");
    assert_eq!((kept.first(), kept.last()), (Some(&1), Some(&last)));
    assert_eq!(faults(&health), ["disk_corrupt:journal"]);
    assert_eq!(record(&store, 1), last + 1);
    store.flush().unwrap();
    assert_eq!(store.health().last_error, None);
}

#[test]
fn damage_under_the_running_daemon_loses_nothing_old_that_is_readable() {
    let (dir, reboot) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let gone = journal_with_a_damaged_leaf(dir.path());
    // And the end of the file, which the next insert meets.
    let path = dir.path().join("journal.db");
    let pages = fs::metadata(&path).unwrap().len() / 1_024;
    let at_the_end = 4;
    garble(&path, (pages - at_the_end) * 1_024, (at_the_end * 1_024) as usize);
    let health = Health::default();
    let (store, recovered) = store_with(&options(dir.path(), reboot.path()), &health);
    let first = record(&store, 1);
    record(&store, 9);
    assert!(first > 3_000, "no number is given twice: {first}");
    eventually("old and new are there", || {
        sequences(&store).last() == Some(&(first + 9))
    });
    let old = sequences(&store).into_iter().filter(|seq| *seq <= 3_000).count() as u64;
    // Ten events or so to a page.
    assert!(
        (3_000 - gone - 12 * at_the_end..=3_000 - gone).contains(&old),
        "{old}, {gone}"
    );
    assert!(
        store
            .event_id(first)
            .as_str()
            .starts_with(&recovered.installation)
    );
}

#[test]
fn a_damaged_state_is_moved_aside_and_blocks_come_back() {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let options = options(dir.path(), runtime.path());
    let block = Block {
        target: BlockTarget::Person("p1".into()),
        note: "left".into(),
    };
    {
        let (store, _) = store(&options);
        store.add_block(&block).unwrap();
        store
            .apply_snapshot(&SnapshotMeta::default(), &Facts::default(), &vec![7; 200_000])
            .unwrap();
    }
    // The middle of the image: its chain of pages breaks.
    garble(&dir.path().join("state.db"), 16 * 8_192, 8_192);
    let health = Health::default();
    let (store, _) = store_with(&options, &health);
    assert!(store.active().map_or(true, |found| {
        found.is_none_or(|found| found.image != vec![7; 200_000])
    }));
    assert_eq!(store.blocks().unwrap(), std::slice::from_ref(&block));
    garble(&dir.path().join("state.db"), 0, 100);
    store
        .add_block(&Block {
            target: BlockTarget::Person("p2".into()),
            note: String::new(),
        })
        .unwrap();
    assert!(faults(&health).contains(&"disk_corrupt:state".to_owned()));
    assert!(!store.blocks().unwrap().is_empty());
    for entry in fs::read_dir(dir.path()).unwrap().flatten() {
        if entry.file_name().to_string_lossy().contains(".corrupt-") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    store.note_contact(5);
    assert!(
        !faults(&health).contains(&"disk_corrupt:state".to_owned()),
        "gone with the files"
    );
}

#[test]
fn a_later_format_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(store(&options(dir.path(), dir.path())));
    let path = dir.path().join("journal.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let before = fs::read(&path).unwrap();
    let clock = doorward::clock::Clock::system(true, 0);
    let error = doorward::store::Store::open(&options(dir.path(), dir.path()), &clock, &Health::default())
        .unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 99, .. }), "{error}");
    assert!(
        error.to_string().contains("later version of doorward (format 99"),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(matches!(
        ReadStore::open(dir.path()),
        Err(StoreError::TooNew { .. })
    ));
}

#[test]
fn without_a_runtime_directory_events_still_reach_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::File::create(&file)
        .unwrap()
        .write_all(b"not a directory")
        .unwrap();
    let health = Health::default();
    let (store, recovered) = store_with(&options(dir.path(), &file.join("run")), &health);
    assert_eq!(
        (faults(&health), recovered.warnings.len()),
        (vec!["ring_unavailable".to_owned()], 1)
    );
    assert!(!store.health().ring_survives);
    store.record(&draft("front"));
    store.flush().unwrap();
    assert_eq!(sequences(&store), [1]);
}

#[test]
fn a_ring_of_noise_is_begun_anew_and_shown() {
    let (dir, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    {
        let (store, _) = store(&options(dir.path(), runtime.path()));
        store.record(&draft("front"));
    }
    fs::write(runtime.path().join("ring"), vec![0xA5; 100_000]).unwrap();
    let health = Health::default();
    let (store, _) = store_with(&options(dir.path(), runtime.path()), &health);
    assert_eq!(faults(&health), ["ring_unreadable"]);
    assert_eq!(store.record(&draft("front")), 2);
    store.flush().unwrap();
    assert_eq!(sequences(&store), [1, 2]);
}

#[test]
fn a_ring_of_another_journal_is_set_aside() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let runtime = tempfile::tempdir().unwrap();
    drop(store(&options(two.path(), two.path())));
    {
        let (store, _) = store(&options(one.path(), runtime.path()));
        store.record(&draft("front"));
    }
    let health = Health::default();
    let (store, _) = store_with(&options(two.path(), runtime.path()), &health);
    assert_eq!(faults(&health), ["ring_foreign"]);
    assert_eq!(fs::read_dir(runtime.path()).unwrap().count(), 2);
    assert_eq!(store.record(&draft("front")), 1);
}
