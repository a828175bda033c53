//! Exactly once, with a journal that dies at every call and one that is real.

use super::*;
use crate::domain::{ClockQuality, EventKind};
use proptest::prelude::*;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

const NOON: Moment = Moment {
    at: 1_780_308_000_000,
    trusted: true,
};

/// What outlives the process: the disk, and the ring that a power cut takes.
#[derive(Debug, Default)]
struct Outside {
    disk: RefCell<Vec<(u64, String)>>,
    ring: RefCell<Vec<(u64, String)>>,
    documents: RefCell<std::collections::BTreeMap<String, String>>,
    /// Calls left until the process dies.
    left: Cell<u32>,
}

impl Outside {
    /// The next call, if the process lives to make it.
    fn alive(&self) -> Result<(), String> {
        match self.left.get() {
            0 => Err("dead".into()),
            left => {
                self.left.set(left - 1);
                Ok(())
            }
        }
    }
    fn power_cut(&self) {
        self.ring.borrow_mut().clear();
    }
    fn times(&self, id: &str) -> usize {
        let source = map::source(id);
        let (disk, ring) = (self.disk.borrow(), self.ring.borrow());
        disk.iter()
            .chain(ring.iter())
            .filter(|(_, found)| *found == source)
            .count()
    }
}

/// A handle on it.
struct Model(Rc<Outside>);

impl Journal for Model {
    fn record(&self, draft: &Draft) -> u64 {
        if self.0.alive().is_err() {
            return 0;
        }
        let (disk, mut ring) = (self.0.disk.borrow(), self.0.ring.borrow_mut());
        let seq = disk
            .last()
            .map_or(0, |last| last.0)
            .max(ring.last().map_or(0, |last| last.0))
            + 1;
        ring.push((seq, draft.source.clone().unwrap_or_default()));
        seq
    }
    fn flush(&self) -> Result<u64, String> {
        self.0.alive()?;
        self.0.disk.borrow_mut().append(&mut self.0.ring.borrow_mut());
        Ok(self.0.disk.borrow().last().map_or(0, |last| last.0))
    }
    fn after(&self, seq: u64, limit: usize) -> Result<Vec<Sourced>, String> {
        self.0.alive()?;
        let disk = self.0.disk.borrow();
        let above = disk.iter().filter(|(at, _)| *at > seq).take(limit);
        Ok(above
            .map(|(at, source)| (*at, Some(source.clone()), NOON.at))
            .collect())
    }
    fn documents(&self) -> Result<Vec<(String, String)>, String> {
        self.0.alive()?;
        Ok(self.0.documents.borrow().clone().into_iter().collect())
    }
    fn put(&self, changes: &[(String, Option<String>)]) -> Result<(), String> {
        self.0.alive()?;
        let mut documents = self.0.documents.borrow_mut();
        for (key, body) in changes {
            match body {
                Some(body) => documents.insert(key.clone(), body.clone()),
                None => documents.remove(key),
            };
        }
        Ok(())
    }
}

fn event(id: &str) -> Draft {
    Draft {
        source: Some(map::source(id)),
        ..Draft::new(EventKind::Granted, NOON.at, ClockQuality::Trusted)
    }
}

/// What may happen at a gateway, in any order.
#[derive(Clone, Debug)]
enum Step {
    /// The stream or a page brings these.
    Bring(Vec<u8>),
    /// They are settled, as complete or not.
    Settle(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => prop::collection::vec(0_u8..24, 1..6).prop_map(Step::Bring),
        1 => any::<bool>().prop_map(Step::Settle),
    ];
    prop::collection::vec(step, 1..14)
}

/// Runs the steps until they end or the process dies.
fn live(outside: &Rc<Outside>, steps: &[Step]) -> Result<(), String> {
    let mut book = Book::open(Model(Rc::clone(outside)), NOON)?;
    for step in steps {
        match step {
            Step::Bring(ids) => {
                for id in ids {
                    if book.take(&id.to_string(), &event(&id.to_string()), NOON) == Taken::NoRoom {
                        return Err("dead".into());
                    }
                }
            }
            Step::Settle(complete) => book.settle(complete.then_some(NOON.at), NOON)?,
        }
    }
    Ok(())
}

proptest! {
    /// Every entry is one event, wherever the process died and whatever the power cut took, once KS is asked again.
    #[test]
    fn each_entry_is_one_event_wherever_the_gateway_ends(
        lives in prop::collection::vec((steps(), 0_u32..60, any::<bool>()), 1..6),
    ) {
        let outside = Rc::new(Outside::default());
        let mut told = std::collections::BTreeSet::new();
        for (steps, lives_for, power_cut) in lives {
            outside.left.set(lives_for);
            for step in &steps {
                if let Step::Bring(ids) = step {
                    told.extend(ids.iter().copied());
                }
            }
            let _ = live(&outside, &steps);
            if power_cut {
                outside.power_cut();
            }
        }
        outside.left.set(u32::MAX);
        let all: Vec<u8> = told.iter().copied().collect();
        live(&outside, &[Step::Bring(all.clone()), Step::Settle(true), Step::Bring(all)]).unwrap();
        for id in told {
            prop_assert_eq!(outside.times(&id.to_string()), 1, "entry {}", id);
        }
    }
}

#[test]
fn what_was_settled_is_on_disk_before_it_is_remembered() {
    // Every point at which a power cut can come between an entry and the end of its settling.
    for dies_after in 0..12 {
        let outside = Rc::new(Outside::default());
        outside.left.set(dies_after);
        let _ = live(&outside, &[Step::Bring(vec![1, 2]), Step::Settle(true)]);
        outside.power_cut();
        outside.left.set(u32::MAX);
        live(&outside, &[Step::Bring(vec![1, 2]), Step::Settle(true)]).unwrap();
        assert_eq!(
            (outside.times("1"), outside.times("2")),
            (1, 1),
            "died after {dies_after} calls"
        );
    }
}

#[test]
fn ids_go_when_ks_cannot_repeat_them_and_not_by_a_clock_that_may_be_wrong() {
    let outside = Rc::new(Outside::default());
    outside.left.set(u32::MAX);
    let mut book = Book::open(Model(Rc::clone(&outside)), NOON).unwrap();
    for id in 0..1_300 {
        assert!(book.note(&id.to_string(), NOON));
    }
    book.settle(None, NOON).unwrap();
    assert_eq!(outside.documents.borrow().len(), 4, "three pieces and the mark");
    let later = |days: i64, trusted| Moment {
        at: NOON.at + days * DAY_MS,
        trusted,
    };
    book.settle(None, later(400, false)).unwrap();
    book.settle(None, later(91, true)).unwrap();
    assert_eq!(book.len(), 1_300);
    book.settle(None, later(92, true)).unwrap();
    assert!(book.is_empty() && outside.documents.borrow().len() == 1);
}

#[test]
fn lost_documents_are_found_in_the_journal() {
    let outside = Rc::new(Outside::default());
    outside.left.set(u32::MAX);
    live(&outside, &[Step::Bring(vec![7]), Step::Settle(true)]).unwrap();
    outside.documents.borrow_mut().clear();
    let book = Book::open(Model(Rc::clone(&outside)), NOON).unwrap();
    assert!(book.knows("7") && book.complete() == Some(NOON.at));
}

#[test]
fn a_kill_of_the_real_journal_repeats_nothing() {
    use crate::{
        clock::Clock,
        health::Health,
        store::{Store, StoreOptions},
    };
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions::new(dir.path().join("state"), dir.path().join("run"));
    let open = || {
        Store::open(&options, &Clock::manual(NOON), &Health::default())
            .unwrap()
            .0
    };
    let (first, last) = (open(), 40);
    let mut book = Book::open(first.clone(), NOON).unwrap();
    for id in 0..last {
        assert!(matches!(
            book.take(&id.to_string(), &event(&id.to_string()), NOON),
            Taken::New(_)
        ));
        if id == 20 {
            book.settle(Some(NOON.at), NOON).unwrap();
        }
    }
    // As after a kill: what was taken since is in the ring and the journal, and among no ids.
    drop((book, first));
    let second = open();
    let mut book = Book::open(second.clone(), NOON).unwrap();
    assert_eq!(book.complete(), Some(NOON.at));
    for id in 0..last {
        assert_eq!(
            book.take(&id.to_string(), &event(&id.to_string()), NOON),
            Taken::Known,
            "{id}"
        );
    }
    book.settle(None, NOON).unwrap();
    assert_eq!(second.events_after(0, 100).unwrap().len(), 40);
}
