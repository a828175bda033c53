//! Who is there, what they said, and who listens. The readers' threads write, the desk reads.

use super::{DeskEvent, DeskReader, Kind};
use crate::{
    clock::Clock,
    domain::{Credential, CredentialError, ReaderId},
    health::Health,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{broadcast, watch};

/// Events that a slow listener may be behind before it misses some.
const BACKLOG: usize = 256;
/// Events that are kept for those who ask by number.
const KEPT: usize = 64;

/// Events since a number, and the number to ask from next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// The number of the last event of all.
    pub last: u64,
    /// Events with their numbers, oldest first.
    pub events: Vec<(u64, DeskEvent)>,
}

/// Shared by everything at the desk. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Hub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    events: broadcast::Sender<DeskEvent>,
    told: watch::Sender<u64>,
    clock: Clock,
    health: Health,
}

#[derive(Debug, Default)]
struct State {
    readers: BTreeMap<ReaderId, DeskReader>,
    recent: VecDeque<(u64, DeskEvent)>,
    last: u64,
    /// Troubles that stand, by their keys on the board of health.
    standing: BTreeMap<String, String>,
}

impl Hub {
    pub(super) fn new(clock: Clock, health: Health) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            events: broadcast::Sender::new(BACKLOG),
            told: watch::Sender::new(0),
            clock,
            health,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: DeskEvent) {
        let mut state = self.state();
        state.last += 1;
        let last = state.last;
        if state.recent.len() >= KEPT {
            state.recent.pop_front();
        }
        state.recent.push_back((last, event.clone()));
        // Sent under the lock, so that all hear the same order. Nobody listening is no mistake.
        let _ = self.0.events.send(event);
        drop(state);
        self.0.told.send_replace(last);
    }

    /// A reader is there. One that was there already keeps its name.
    pub(super) fn appeared(&self, id: &ReaderId, name: &str, kind: Kind) {
        let mut state = self.state();
        if state.readers.contains_key(id) {
            return;
        }
        let taken = |name: &str| state.readers.values().any(|reader| reader.name == name);
        let mut unique = name.to_owned();
        let mut number = 2;
        while taken(&unique) {
            unique = format!("{name} ({number})");
            number += 1;
        }
        let reader = DeskReader {
            id: id.clone(),
            name: unique.clone(),
            kind,
        };
        state.readers.insert(id.clone(), reader);
        drop(state);
        tracing::info!(reader = %id, name = unique, "a reader at the desk");
        self.tell(DeskEvent::Appeared {
            id: id.clone(),
            name: unique,
            kind,
        });
        self.show();
    }

    /// A reader is gone.
    pub(super) fn gone(&self, id: &ReaderId) {
        if self.state().readers.remove(id).is_none() {
            return;
        }
        tracing::info!(reader = %id, "a reader at the desk is gone");
        self.tell(DeskEvent::Gone { id: id.clone() });
        self.show();
    }

    /// A card lies on a reader. A random UID is refused here, for every kind of reader alike. Whether it was told.
    pub(super) fn presented(&self, reader: &ReaderId, credential: Credential) -> bool {
        if credential.is_random_uid() {
            self.remark(reader, &unusable(CredentialError::RandomUid));
            return false;
        }
        let at = self.0.clock.now();
        self.tell(DeskEvent::Presented {
            reader: reader.clone(),
            credential,
            at,
        });
        true
    }

    /// The card was taken away.
    pub(super) fn removed(&self, reader: &ReaderId) {
        self.tell(DeskEvent::Removed {
            reader: reader.clone(),
        });
    }

    /// Something about this one presentation.
    pub(super) fn remark(&self, reader: &ReaderId, words: &str) {
        self.tell(DeskEvent::Trouble {
            reader: Some(reader.clone()),
            words: words.to_owned(),
        });
    }

    /// Something that stands until [`Self::well`]. Told once, however often it is said.
    pub(super) fn trouble(&self, key: &str, reader: Option<&ReaderId>, words: &str) {
        let before = self.state().standing.insert(key.to_owned(), words.to_owned());
        if before.as_deref() == Some(words) {
            return;
        }
        tracing::warn!("{words}");
        self.0.health.raise(key, words, self.0.clock.now().at);
        self.tell(DeskEvent::Trouble {
            reader: reader.cloned(),
            words: words.to_owned(),
        });
    }

    /// It stands no longer.
    pub(super) fn well(&self, key: &str) {
        if self.state().standing.remove(key).is_some() {
            self.0.health.clear(key);
        }
    }

    /// All readers of a kind are gone, and all troubles whose keys begin so are over: their thread ended.
    pub(super) fn forget(&self, kinds: &[Kind], troubles: &str) {
        let (gone, over) = {
            let state = self.state();
            let of_kind = state
                .readers
                .values()
                .filter(|reader| kinds.contains(&reader.kind));
            let gone: Vec<_> = of_kind.map(|reader| reader.id.clone()).collect();
            let over = state.standing.keys().filter(|key| key.starts_with(troubles));
            (gone, over.cloned().collect::<Vec<_>>())
        };
        gone.iter().for_each(|id| self.gone(id));
        over.iter().for_each(|key| self.well(key));
    }

    /// The state on the board of health.
    pub(super) fn show(&self) {
        let readers = self.list();
        self.0
            .health
            .section("desk_readers", &serde_json::json!({ "readers": readers }));
    }

    pub(super) fn list(&self) -> Vec<DeskReader> {
        self.state().readers.values().cloned().collect()
    }

    /// What stands wrong, in words.
    pub(super) fn troubles(&self) -> Vec<String> {
        self.state().standing.values().cloned().collect()
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<DeskEvent> {
        self.0.events.subscribe()
    }

    /// What was said after event number `after`, as far as it is kept.
    pub(super) fn since(&self, after: u64) -> Recent {
        let state = self.state();
        let newer = state.recent.iter().filter(|(number, _)| *number > after);
        Recent {
            last: state.last,
            events: newer.cloned().collect(),
        }
    }

    /// Wakes at every event.
    pub(super) fn told(&self) -> watch::Receiver<u64> {
        self.0.told.subscribe()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }
}

/// Why this card cannot be given to anybody, and what to do.
pub(super) fn unusable(why: CredentialError) -> String {
    match why {
        CredentialError::RandomUid => {
            format!("{why}; give this person a fob or card with a number of its own")
        }
        other => format!("this card cannot be used: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Moment;

    fn hub() -> Hub {
        Hub::new(Clock::manual(Moment::trusted(5)), Health::default())
    }

    #[test]
    fn a_random_uid_is_refused_with_its_reason_and_never_presented() {
        let hub = hub();
        let id = ReaderId::from("pcsc:a");
        for uid in ["uid:08A1B2C3", "uid:80A1B2C3"] {
            assert!(!hub.presented(&id, uid.parse().unwrap()));
        }
        assert!(hub.presented(&id, "uid:04A1B2C3D4E580".parse().unwrap()));
        let told = hub.since(0).events;
        let words = |event: &DeskEvent| match event {
            DeskEvent::Trouble { words, .. } => words.clone(),
            other => panic!("{other:?}"),
        };
        assert!(words(&told[0].1).contains("random UID") && !words(&told[0].1).contains("A1"));
        assert_eq!(words(&told[0].1), words(&told[1].1));
        assert!(matches!(&told[2].1, DeskEvent::Presented { at, .. } if at.at == 5));
    }

    #[test]
    fn two_of_a_kind_have_two_names_and_a_trouble_is_told_once() {
        let hub = hub();
        let (a, b) = (ReaderId::from("pcsc:a"), ReaderId::from("pcsc:b"));
        let mut heard = hub.subscribe();
        hub.appeared(&a, "ACR122U", Kind::Pcsc);
        hub.appeared(&a, "ACR122U", Kind::Pcsc);
        hub.appeared(&b, "ACR122U", Kind::Pcsc);
        let names: Vec<_> = hub.list().into_iter().map(|reader| reader.name).collect();
        assert_eq!(names, ["ACR122U", "ACR122U (2)"]);
        hub.trouble("desk_pcsc", None, "no pcscd");
        hub.trouble("desk_pcsc", None, "no pcscd");
        assert_eq!(hub.0.health.doc().faults.len(), 1);
        hub.forget(&[Kind::Pcsc], "desk_pcsc");
        assert!(hub.0.health.doc().faults.is_empty() && hub.list().is_empty() && hub.troubles().is_empty());
        assert_eq!(hub.since(0).last, 5, "two came, one trouble, two went");
        assert_eq!(hub.since(4).events.len(), 1);
        assert!(matches!(heard.try_recv(), Ok(DeskEvent::Appeared { id, .. }) if id == a));
    }
}
