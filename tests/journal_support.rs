//! What the scenarios of the journal share.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests: a failure here is a failed test"
)]

use doorward::{
    clock::Clock,
    domain::{
        Credential, Reason,
        event::{ClockQuality, Draft, EventKind},
    },
    health::Health,
    store::{Recovered, Store, StoreOptions},
};
use std::{path::Path, time::Duration};

/// A store that is not bounded in practice, with a small ring.
pub(crate) fn options(state: &Path, runtime: &Path) -> StoreOptions {
    StoreOptions {
        max_events: 1_000_000,
        ring_slots: 4_096,
        ..StoreOptions::new(state, runtime)
    }
}

pub(crate) fn store(options: &StoreOptions) -> (Store, Recovered) {
    store_with(options, &Health::default())
}

pub(crate) fn store_with(options: &StoreOptions, health: &Health) -> (Store, Recovered) {
    Store::open(options, &Clock::system(true, 0), health).unwrap()
}

/// An entry as the doors write it.
pub(crate) fn draft(door: &str) -> Draft {
    Draft {
        door: Some(door.into()),
        reader: Some("front-outside".into()),
        credential: Credential::uid(&[4, 1, 2, 3, 4, 5, 6]).ok(),
        person: Some("6f1c2b7e9d".into()),
        person_name: Some("Ada Lovelace".into()),
        reason: Some(Reason::GrantedPlan),
        source: Some("membership-4711".into()),
        rule: Some(1),
        ..Draft::new(EventKind::Granted, 1_790_000_000_000, ClockQuality::Trusted)
    }
}

/// Waits for a condition, ten seconds at most.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

/// Every sequence in the journal.
pub(crate) fn sequences(store: &Store) -> Vec<u64> {
    let mut all: Vec<u64> = Vec::new();
    loop {
        let next = store.events_after(all.last().copied().unwrap_or(0), 500).unwrap();
        if next.is_empty() {
            return all;
        }
        all.extend(next.iter().map(|event| event.seq));
    }
}
