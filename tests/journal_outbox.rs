//! The journal as rooms use it: events in order, cursors, snapshots, restarts.

use crate::journal_support::{draft, eventually, options, sequences, store};
use doorward::{
    domain::{Block, BlockTarget, Credential, facts::Facts},
    store::{Begin, LocalCard, SnapshotMeta, Store, StoreError, StoreOptions},
};

#[test]
fn events_stand_in_the_journal_in_order_with_stable_ids() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        installation: Some("lab-1".into()),
        ..options(dir.path(), dir.path())
    };
    let (store, recovered) = store(&options);
    assert_eq!(recovered.installation, "lab-1");
    let given: Vec<u64> = (0..5).map(|_| store.record(&draft("front"))).collect();
    assert_eq!(given, [1, 2, 3, 4, 5]);
    eventually("all are committed", || *store.committed().borrow() == 5);
    let events = store.events_after(2, 2).unwrap();
    assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(events[0].id, store.event_id(3));
    assert_eq!(events[0].id.as_str(), "lab-1-3");
    assert_eq!(events[0].body, draft("front"));
}

#[test]
fn a_restart_continues_the_sequence_and_the_cursors() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tempfile::tempdir().unwrap();
    let (first, recovered) = store(&options(dir.path(), runtime.path()));
    first.register("mqtt", Begin::Next).unwrap();
    first.register("checkins", Begin::Next).unwrap();
    for _ in 0..10 {
        first.record(&draft("front"));
    }
    first.acknowledge("mqtt", 7).unwrap();
    first.acknowledge("mqtt", 3).unwrap();
    drop(first);
    // A reboot: the runtime directory is memory.
    let runtime = tempfile::tempdir().unwrap();
    let (second, again) = store(&options(dir.path(), runtime.path()));
    assert_eq!(
        (again.installation, again.last, again.from_ring),
        (recovered.installation, 10, 0)
    );
    assert_eq!((second.cursor("mqtt"), second.cursor("checkins")), (7, 0));
    assert_eq!(second.record(&draft("front")), 11);
    second.forget("checkins");
    assert_eq!(second.subscribers(), ["mqtt"]);
    let unknown = second.acknowledge("checkins", 3).unwrap_err();
    assert!(matches!(unknown, StoreError::UnknownSubscriber(_)), "{unknown}");
    assert!(second.register("no spaces", Begin::Next).is_err());
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (first, _) = store(&options(dir.path(), dir.path()));
    let clock = doorward::clock::Clock::system(true, 0);
    let second = Store::open(&options(dir.path(), dir.path()), &clock, &Default::default()).unwrap_err();
    assert!(matches!(second, StoreError::InUse(_)), "{second}");
    drop(first);
    store(&options(dir.path(), dir.path()));
}

#[test]
fn a_snapshot_replaces_a_snapshot_whole_and_a_held_one_waits() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = store(&options(dir.path(), dir.path()));
    let meta = |version| SnapshotMeta {
        version,
        etag: Some(format!("\"{version}\"")),
        ..Default::default()
    };
    let facts = |version| Facts {
        version,
        ..Default::default()
    };
    assert_eq!(store.active().unwrap(), None);
    store.apply_snapshot(&meta(1), &facts(1), b"image one").unwrap();
    store.hold_snapshot(&meta(2), &facts(2), b"image two").unwrap();
    let active = store.active().unwrap().unwrap();
    assert_eq!(
        (active.meta.version, active.image.as_slice()),
        (1, b"image one".as_slice())
    );
    let reader = Store::open_read_only(dir.path()).unwrap();
    assert_eq!(reader.held().unwrap().unwrap().meta, meta(2));
    assert!(store.accept_held().unwrap() && !store.accept_held().unwrap());
    assert_eq!(store.held().unwrap(), None);
    let active = reader.active().unwrap().unwrap();
    assert_eq!(
        (active.meta.version, reader.facts(&active).unwrap()),
        (2, facts(2))
    );
    assert!(store.replace_image(b"image three").unwrap());
    assert_eq!(store.active().unwrap().unwrap().image, b"image three");
    store.hold_snapshot(&meta(3), &facts(3), b"no").unwrap();
    assert!(store.discard_held().unwrap() && store.held().unwrap().is_none());
}

#[test]
fn blocks_cards_and_times_survive() {
    let dir = tempfile::tempdir().unwrap();
    let card = Credential::uid(&[1, 2, 3, 4]).unwrap();
    let blocks = [
        Block {
            target: BlockTarget::Credential(card),
            note: "lost".into(),
        },
        Block {
            target: BlockTarget::Person("p1".into()),
            note: "moved out".into(),
        },
    ];
    let local = LocalCard {
        note: "spare".into(),
        added_at: 5,
        ..LocalCard::new(card, "p2")
    };
    let (first, _) = store(&options(dir.path(), dir.path()));
    for block in &blocks {
        first.add_block(block).unwrap();
    }
    first.add_local_card(&local).unwrap();
    first.note_contact(1_790_000_000_000);
    first.note_time(1_790_000_000_001);
    first.note_time(1_790_000_000_002);
    drop(first);
    assert_eq!(doorward::store::time_floor(dir.path()), Some(1_790_000_000_002));
    let (second, _) = store(&options(dir.path(), dir.path()));
    assert_eq!(second.blocks().unwrap(), blocks);
    assert_eq!(second.local_cards().unwrap(), [local]);
    assert_eq!(second.last_contact(), Some(1_790_000_000_000));
    assert!(second.remove_block(&blocks[0].target).unwrap());
    assert!(second.remove_local_card(&card).unwrap() && !second.remove_local_card(&card).unwrap());
    assert_eq!(second.blocks().unwrap(), blocks[1..]);
}

#[test]
fn the_ring_of_a_killed_process_is_read_before_anything_new() {
    // A copy of the runtime directory stands for the process that died with events in its ring.
    let (dir, runtime) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (first, _) = store(&options(dir.path(), runtime.path()));
    for _ in 0..20 {
        first.record(&draft("front"));
    }
    drop(first);
    let later = tempfile::tempdir().unwrap();
    let journal = dir.path().join("journal.db");
    std::fs::copy(&journal, later.path().join("journal.db")).unwrap();
    let db = rusqlite::Connection::open(later.path().join("journal.db")).unwrap();
    db.execute("DELETE FROM event WHERE seq > 12", []).unwrap();
    drop(db);
    let (second, recovered) = store(&options(later.path(), runtime.path()));
    assert_eq!((recovered.from_ring, recovered.torn, recovered.last), (8, 0, 12));
    assert_eq!(second.record(&draft("back")), 21);
    second.flush().unwrap();
    assert_eq!(sequences(&second), (1..=21).collect::<Vec<_>>());
}
