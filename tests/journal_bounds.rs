//! The journal is bounded: what everybody has goes first; what nobody took is kept, oldest first.

use crate::journal_support::{draft, eventually, faults, options, sequences, store_with};
use doorward::{
    health::Health,
    store::{Begin, StoreOptions},
};

fn small(dir: &std::path::Path) -> StoreOptions {
    StoreOptions {
        max_events: 1_000,
        ring_slots: 64,
        ..options(dir, dir)
    }
}

/// Records as a patient door: waits while the ring is full.
fn record(store: &doorward::store::Store, count: u64) -> u64 {
    (0..count).fold(0, |_, _| {
        eventually("room in the ring", || store.health().ring_used < 64);
        store.record(&draft("front"))
    })
}

#[test]
fn delivered_events_make_room_for_new_ones() {
    let dir = tempfile::tempdir().unwrap();
    let health = Health::default();
    let (store, _) = store_with(&small(dir.path()), &health);
    store.register("mqtt", Begin::Oldest).unwrap();
    for _ in 0..30 {
        let last = record(&store, 100);
        store.acknowledge("mqtt", last).unwrap();
    }
    store.flush().unwrap();
    let kept = sequences(&store);
    assert!((1_000..=1_125).contains(&kept.len()), "{}", kept.len());
    assert_eq!(
        (kept.last(), store.health().events),
        (Some(&3_000), kept.len() as u64)
    );
    assert_eq!((faults(&health), store.health().lost), (vec![], 0));
}

#[test]
fn a_journal_full_of_undelivered_events_keeps_the_oldest() {
    let dir = tempfile::tempdir().unwrap();
    let health = Health::default();
    let (store, _) = store_with(&small(dir.path()), &health);
    store.register("mqtt", Begin::Oldest).unwrap();
    store.register("checkins", Begin::Oldest).unwrap();
    record(&store, 790);
    store.flush().unwrap();
    assert_eq!(faults(&health), Vec::<String>::new());
    record(&store, 10);
    store.flush().unwrap();
    assert_eq!(faults(&health), ["journal_nearly_full"]);
    record(&store, 325);
    store.flush().unwrap();
    assert_eq!(faults(&health), ["journal_full", "journal_nearly_full"]);
    // The ring takes what the journal does not, and then refuses the newest.
    let given: Vec<u64> = (0..70).map(|_| store.record(&draft("back"))).collect();
    assert_eq!((given[63], given[64], given[69]), (1_189, 0, 0));
    eventually("the loss is shown", || {
        faults(&health).contains(&"events_lost".to_owned())
    });
    assert_eq!(store.health().lost, 6);
    store.acknowledge("mqtt", 1_125).unwrap();
    assert_eq!(
        store.events_after(0, 1).unwrap()[0].seq,
        1,
        "the other one still needs it"
    );
    store.acknowledge("checkins", 600).unwrap();
    eventually("the rest follows", || *store.committed().borrow() == 1_189);
    store.flush().unwrap();
    assert_eq!(sequences(&store).last(), Some(&1_189));
    assert_eq!(faults(&health), ["events_lost"]);
}

#[test]
fn a_subscriber_that_is_forgotten_holds_nothing_back() {
    let dir = tempfile::tempdir().unwrap();
    let health = Health::default();
    let (store, _) = store_with(&small(dir.path()), &health);
    store.register("gone", Begin::Oldest).unwrap();
    record(&store, 1_125);
    store.flush().unwrap();
    store.forget("gone");
    record(&store, 500);
    store.flush().unwrap();
    assert!(faults(&health).is_empty() && store.health().events <= 1_125);
}
