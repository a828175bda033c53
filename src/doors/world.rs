//! What an answer reads: the index, which reader belongs to which door, and the limits of staleness and trust.
//! All of it is replaced whole, behind atomic pointers: an answer never waits for a lock (invariant 1).

use super::loan::{Borrowed, Counter, Loan};
use crate::{
    access::{DoorIx, Index, Limits, Query},
    config::model::{Config, LineKind},
    domain::{DoorId, ReaderId, time::Moment},
};
use arc_swap::ArcSwap;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{mpsc::UnboundedReceiver, watch};

/// Where a reader stands.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The door.
    pub door: DoorId,
    /// The door in the index beside which this binding stands.
    pub ix: Option<DoorIx>,
    /// How long the door is released for; absent if nothing of ours drives it.
    pub hold: Option<Duration>,
    /// Whether the door is locked down now.
    pub lockdown: Arc<AtomicBool>,
    /// Whether the reader is lent to the desk now.
    pub(super) loan: Arc<Loan>,
}

/// Index and bindings, swapped together: a `DoorIx` is good for its own index only.
#[derive(Clone, Debug, Default)]
struct View {
    index: Option<Arc<Index>>,
    bindings: HashMap<ReaderId, Binding>,
}

/// The shared state behind all answers.
#[derive(Debug)]
pub struct World {
    view: ArcSwap<View>,
    limits: ArcSwap<Limits>,
    /// Counts the indexes that came into force.
    swaps: watch::Sender<u64>,
    counter: Counter,
    /// Doors that are locked down, whether a reader of ours stands there or not.
    locked_down: ArcSwap<BTreeSet<DoorId>>,
}

impl World {
    /// A world without a snapshot: everything is refused with `no_snapshot`.
    #[must_use]
    pub fn new(config: &Config, limits: Limits) -> Self {
        let world = Self {
            view: ArcSwap::default(),
            limits: ArcSwap::from_pointee(limits),
            swaps: watch::Sender::new(0),
            counter: Counter::new(),
            locked_down: ArcSwap::default(),
        };
        world.bind(config, None);
        world
    }

    /// Binds readers to doors by a new configuration, with the index that was built for it, if there is a new
    /// one: both in one swap. Doors that stay keep their lockdown, readers that stay their loan.
    pub fn bind(&self, config: &Config, index: Option<Arc<Index>>) {
        let before = self.view.load();
        let mut flags: HashMap<DoorId, Arc<AtomicBool>> = HashMap::new();
        for binding in before.bindings.values() {
            flags.insert(binding.door.clone(), Arc::clone(&binding.lockdown));
        }
        let index = index.or_else(|| before.index.clone());
        let driven = config.doors.iter().filter(|door| door.release.is_some());
        let holds: HashMap<&DoorId, Duration> = driven.map(|door| (&door.id, door.release_for)).collect();
        let mut bindings = HashMap::new();
        for (reader, door) in config.lines.iter().flat_map(|line| readers_of(&line.kind)) {
            let flag = || Arc::new(AtomicBool::new(self.is_locked_down(door)));
            let lockdown = Arc::clone(flags.entry(door.clone()).or_insert_with(flag));
            let ix = index.as_ref().and_then(|index| index.door(door.as_str()));
            let hold = holds.get(door).copied();
            let stays = before
                .bindings
                .get(reader)
                .filter(|binding| binding.door == *door);
            let loan = stays.map(|binding| Arc::clone(&binding.loan)).unwrap_or_default();
            bindings.insert(
                reader.clone(),
                Binding {
                    door: door.clone(),
                    ix,
                    hold,
                    lockdown,
                    loan,
                },
            );
        }
        self.view.store(Arc::new(View { index, bindings }));
        self.swaps.send_modify(|count| *count += 1);
    }

    /// Puts a complete index in force, at once.
    pub fn swap_index(&self, index: Arc<Index>) {
        let mut view = View::clone(&self.view.load());
        for binding in view.bindings.values_mut() {
            binding.ix = index.door(binding.door.as_str());
        }
        view.index = Some(index);
        self.view.store(Arc::new(view));
        self.swaps.send_modify(|count| *count += 1);
    }

    /// Changes whenever other rights came into force: by a fetch, a new configuration, or the desk.
    #[must_use]
    pub fn swaps(&self) -> watch::Receiver<u64> {
        self.swaps.subscribe()
    }

    /// The index in force.
    #[must_use]
    pub fn index(&self) -> Option<Arc<Index>> {
        self.view.load().index.clone()
    }

    /// Puts new limits in force.
    pub fn set_limits(&self, limits: Limits) {
        self.limits.store(Arc::new(limits));
    }

    /// Begins or ends the lockdown of a door; from the next presentation on. False if no reader stands there.
    pub fn set_lockdown(&self, door: &DoorId, on: bool) -> bool {
        self.locked_down.rcu(|doors| {
            let mut doors = BTreeSet::clone(doors);
            match on {
                true => drop(doors.insert(door.clone())),
                false => drop(doors.remove(door)),
            }
            doors
        });
        let view = self.view.load();
        let mut found = false;
        for binding in view.bindings.values().filter(|binding| binding.door == *door) {
            binding.lockdown.store(on, Ordering::Release);
            found = true;
        }
        found
    }

    /// Lends a reader to the desk from `now` (monotonic) on: cards there go to [`Self::borrowed`] and open nothing. Ends
    /// by itself after `length`, at most [`super::loan::LONGEST`]. Gives how long it holds; `None` if no such reader stands
    /// at a door.
    pub fn lend(&self, reader: &ReaderId, length: Duration, now: Duration) -> Option<Duration> {
        let view = self.view.load();
        let binding = view.bindings.get(reader)?;
        Some(binding.loan.begin(length, now))
    }

    /// Ends a loan at once. False if the reader was not lent.
    pub fn give_back(&self, reader: &ReaderId, now: Duration) -> bool {
        let view = self.view.load();
        let lent = view
            .bindings
            .get(reader)
            .filter(|binding| binding.loan.left(|| now).is_some());
        lent.inspect(|binding| binding.loan.end()).is_some()
    }

    /// Every reader at a door with the door's id, and for how long it is lent still.
    #[must_use]
    pub fn readers(&self, now: Duration) -> Vec<(ReaderId, DoorId, Option<Duration>)> {
        let view = self.view.load();
        let all = view.bindings.iter();
        all.map(|(reader, binding)| (reader.clone(), binding.door.clone(), binding.loan.left(|| now)))
            .collect()
    }

    /// Cards at lent readers, for the one who asks first.
    #[must_use]
    pub fn borrowed(&self) -> Option<UnboundedReceiver<Borrowed>> {
        self.counter.take()
    }

    /// The card goes to the desk.
    pub(super) fn hand_over(&self, borrowed: Borrowed) {
        self.counter.hand_over(borrowed);
    }

    /// Whether a door is locked down now, also one that others decide.
    #[must_use]
    pub fn is_locked_down(&self, door: &DoorId) -> bool {
        self.locked_down.load().contains(door)
    }

    /// Runs `answer` with the index, the limits and the reader's place as they are at this instant.
    pub(super) fn with<T>(
        &self,
        reader: &ReaderId,
        answer: impl FnOnce(Option<&Index>, &Limits, Option<&Binding>) -> T,
    ) -> T {
        let view = self.view.load();
        let limits = self.limits.load();
        answer(view.index.as_deref(), &limits, view.bindings.get(reader))
    }

    /// Whether a decision is possible now: asks for one, about a card that nobody has. For the watchdog.
    #[must_use]
    pub fn can_decide(&self, now: Moment) -> bool {
        let view = self.view.load();
        let limits = self.limits.load();
        let query = Query {
            credential: None,
            door: None,
            now,
            lockdown: false,
            limits: &limits,
        };
        view.index
            .as_ref()
            .is_none_or(|index| !index.decide(&query).reason.grants())
    }
}

/// The readers of a line with their doors.
fn readers_of(kind: &LineKind) -> Vec<(&ReaderId, &DoorId)> {
    match kind {
        LineKind::Osdp(readers) => readers.iter().map(|reader| (&reader.id, &reader.door)).collect(),
        LineKind::Wradapt(reader) => vec![(&reader.id, &reader.door)],
    }
}
