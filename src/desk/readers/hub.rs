//! Who is there, what they said, and who listens. The readers' threads write, the desk reads.

use super::{DeskEvent, DeskReader, Kind, PAGE, Presentation, Trouble};
use crate::{
    clock::Clock,
    domain::{
        Credential, CredentialError, Millis, ReaderId, Say,
        say::{Said, desk},
    },
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
/// Presentations that are kept, so that they can be named; none for longer than [`NAMED`].
const KEPT_CARDS: usize = 128;
/// So long a presentation can be named, in milliseconds: later the card in somebody's hand is another one.
const NAMED: Millis = 15 * 60_000;

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
    /// Presentations are numbered from here on: those of another run of the gateway have other numbers.
    base: u64,
}

#[derive(Debug, Default)]
struct State {
    readers: BTreeMap<ReaderId, DeskReader>,
    recent: VecDeque<(u64, DeskEvent)>,
    last: u64,
    presentations: VecDeque<Presentation>,
    /// Troubles that stand, by their keys on the board of health.
    standing: BTreeMap<String, Trouble>,
}

impl Hub {
    pub(super) fn new(clock: Clock, health: Health) -> Self {
        Self(Arc::new(Inner {
            state: Mutex::default(),
            events: broadcast::Sender::new(BACKLOG),
            told: watch::Sender::new(0),
            base: u64::try_from(clock.now().at).unwrap_or(0),
            clock,
            health,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, event: DeskEvent) -> u64 {
        self.tell_of(event, None)
    }

    /// The same of a card: it can be named by its number from the moment on at which anybody hears of it.
    fn tell_of(&self, event: DeskEvent, card: Option<(DeskReader, Credential)>) -> u64 {
        let now = self.0.clock.now().at;
        let mut state = self.state();
        state.last += 1;
        let last = state.last;
        if let Some((reader, credential)) = card {
            if state.presentations.len() >= KEPT_CARDS {
                state.presentations.pop_front();
            }
            state.presentations.push_back(Presentation {
                number: self.0.base.saturating_add(last),
                reader,
                credential,
                at: now,
            });
        }
        if state.recent.len() >= KEPT {
            state.recent.pop_front();
        }
        state.recent.push_back((last, event.clone()));
        // Sent under the lock, so that all hear the same order. Nobody listening is no mistake.
        let _ = self.0.events.send(event);
        drop(state);
        self.0.told.send_replace(last);
        last
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
        let known = self.state().readers.get(reader).cloned();
        let known = known.unwrap_or_else(|| DeskReader {
            id: reader.clone(),
            name: reader.as_str().to_owned(),
            kind: Kind::Door,
        });
        self.presented_at(known, credential).is_some()
    }

    /// A number that was typed at the page, or that a browser read: the number of its presentation.
    pub(super) fn typed(&self, credential: Credential) -> Option<u64> {
        let page = DeskReader {
            id: PAGE.into(),
            name: "the page".into(),
            kind: Kind::Page,
        };
        self.presented_at(page, credential)
    }

    fn presented_at(&self, reader: DeskReader, credential: Credential) -> Option<u64> {
        if credential.is_random_uid() {
            self.remark(&reader.id, unusable(CredentialError::RandomUid));
            return None;
        }
        let event = DeskEvent::Presented {
            reader: reader.id.clone(),
            credential,
            at: self.0.clock.now(),
        };
        let last = self.tell_of(event, Some((reader, credential)));
        Some(self.0.base.saturating_add(last))
    }

    /// Presentations after this number that can still be named, oldest first.
    pub(super) fn presentations(&self, after: u64) -> Vec<Presentation> {
        let since = self.0.clock.now().at.saturating_sub(NAMED);
        let state = self.state();
        let named = state.presentations.iter();
        named
            .filter(|it| it.number > after && it.at >= since)
            .cloned()
            .collect()
    }

    /// What the number of an event is as that of a presentation.
    pub(super) fn number(&self, event: u64) -> u64 {
        self.0.base.saturating_add(event)
    }

    /// The card was taken away.
    pub(super) fn removed(&self, reader: &ReaderId) {
        self.tell(DeskEvent::Removed {
            reader: reader.clone(),
        });
    }

    /// Something about this one presentation.
    pub(super) fn remark(&self, reader: &ReaderId, words: Said) {
        self.tell(DeskEvent::Trouble {
            reader: Some(reader.clone()),
            say: Say::of(words.as_ref()),
            words: words.into(),
        });
    }

    /// Something that stands until [`Self::well`]. Told once, however often it is said.
    pub(super) fn trouble(&self, key: &str, reader: Option<&ReaderId>, words: &str) {
        let say = Say::of_fault(key, words);
        let trouble = Trouble {
            reader: reader.cloned(),
            words: words.to_owned(),
            say: say.clone(),
        };
        let before = self.state().standing.insert(key.to_owned(), trouble);
        if before.is_some_and(|before| before.words == words) {
            return;
        }
        tracing::warn!("{words}");
        self.0.health.raise(key, words, self.0.clock.now().at);
        self.tell(DeskEvent::Trouble {
            reader: reader.cloned(),
            words: words.to_owned(),
            say,
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

    /// What stands wrong.
    pub(super) fn troubles(&self) -> Vec<Trouble> {
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
pub(super) fn unusable(why: CredentialError) -> Said {
    match why {
        CredentialError::RandomUid => desk::card_random_fob(),
        other => desk::card_unusable(other),
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
