//! From a presentation to its answer, on the reader's own thread: no disk, no network, no lock (invariant 1).
//! The event is in the ring before the answer exists (invariant 3).

use super::{
    keeper::Signal,
    loan::Borrowed,
    world::{Binding, World},
};
use crate::{
    access::{Index, Limits, Query, Verdict, feedback, nearest_miss},
    clock::Clock,
    domain::{
        Answer, DoorId, EventKind, PersonId, Presentation, ReaderId, Reason, Release, event::Draft,
        time::Moment,
    },
};
use std::{
    sync::{Arc, atomic::Ordering, mpsc::Sender},
    time::Duration,
};

/// Where events go before the answer is given. Never blocks, never fails; the sequence names the event.
pub trait Recorder: Send + Sync {
    /// Makes the event safe from the death of the process.
    fn record(&self, draft: &Draft) -> u64;
}

/// Tells the door's keeper that the answer released it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The door.
    pub door: DoorId,
    /// The reader at which it was granted.
    pub reader: ReaderId,
    /// For how long the strike is released.
    pub hold: Duration,
}

/// Answers presentations. One for each thread that reads cards; cheap to clone.
#[derive(Clone)]
pub struct Answerer {
    world: Arc<World>,
    recorder: Arc<dyn Recorder>,
    clock: Clock,
    keeper: Sender<Signal>,
}

impl Answerer {
    /// Joins what an answer needs.
    #[must_use]
    pub fn new(world: Arc<World>, recorder: Arc<dyn Recorder>, clock: Clock, keeper: Sender<Signal>) -> Self {
        Self {
            world,
            recorder,
            clock,
            keeper,
        }
    }

    /// Decides, records, answers.
    #[must_use]
    pub fn answer(&self, presentation: &Presentation) -> Answer {
        let now = self.clock.now();
        let reader = &presentation.reader;
        self.world.with(reader, |index, limits, binding| {
            let lent = binding.and_then(|binding| binding.loan.left(|| self.clock.monotonic()));
            if lent.is_some() {
                return self.at_the_desk(presentation, now);
            }
            let verdict = decide(index, limits, binding, presentation, now);
            let seq = self
                .recorder
                .record(&draft(index, binding, presentation, verdict, now));
            let release = binding.and_then(|binding| release(binding, verdict.reason));
            if let (Some(binding), true) = (binding, verdict.reason.grants()) {
                let hold = release.as_ref().map_or(Duration::ZERO, |release| release.hold);
                // A keeper that is gone means that the gateway is going down: the answer stands all the same.
                let _ = self.keeper.send(Signal::Granted(Granted {
                    door: binding.door.clone(),
                    reader: reader.clone(),
                    hold,
                }));
            }
            Answer {
                reason: verdict.reason,
                feedback: feedback(verdict.reason),
                release,
                seq,
            }
        })
    }

    /// The reader is the desk's for the moment: no decision, no release and no event.
    fn at_the_desk(&self, presentation: &Presentation, now: Moment) -> Answer {
        self.world.hand_over(Borrowed {
            reader: presentation.reader.clone(),
            credential: presentation.credential,
            at: now,
        });
        let reason = Reason::AtTheDesk;
        Answer {
            reason,
            feedback: feedback(reason),
            release: None,
            seq: 0,
        }
    }
}

fn decide(
    index: Option<&Index>,
    limits: &Limits,
    binding: Option<&Binding>,
    presentation: &Presentation,
    now: Moment,
) -> Verdict {
    let Some(binding) = binding else {
        return Verdict::bare(Reason::UnknownDoor);
    };
    let lockdown = binding.lockdown.load(Ordering::Acquire);
    let Some(index) = index else {
        return Verdict::bare(if lockdown {
            Reason::Lockdown
        } else {
            Reason::NoSnapshot
        });
    };
    let credential = presentation.credential.as_ref();
    index.decide(&Query {
        credential,
        door: binding.ix,
        now,
        lockdown,
        limits,
    })
}

fn release(binding: &Binding, reason: Reason) -> Option<Release> {
    let hold = binding.hold.filter(|_| reason.grants())?;
    Some(Release {
        door: binding.door.clone(),
        hold,
    })
}

fn draft(
    index: Option<&Index>,
    binding: Option<&Binding>,
    presentation: &Presentation,
    verdict: Verdict,
    now: Moment,
) -> Draft {
    let kind = if verdict.reason.grants() {
        EventKind::Granted
    } else {
        EventKind::Refused
    };
    let clock = now.quality();
    let person = index
        .zip(verdict.person)
        .and_then(|(index, person)| index.person(person));
    let grant = index
        .zip(verdict.grant)
        .and_then(|(index, grant)| index.grant(grant));
    Draft {
        door: binding.map(|binding| binding.door.clone()),
        reader: Some(presentation.reader.clone()),
        credential: presentation.credential,
        person: person.as_ref().map(|person| PersonId::from(person.id)),
        person_name: person.as_ref().map(|person| person.name.to_owned()),
        reason: Some(verdict.reason),
        source: grant.as_ref().map(|grant| grant.source_id.to_owned()),
        rule: grant.as_ref().map(|grant| grant.rule),
        detail: index.and_then(|index| nearest_miss(index, now, &verdict)),
        ..Draft::new(kind, now.at, clock)
    }
}

impl Recorder for crate::store::Store {
    fn record(&self, draft: &Draft) -> u64 {
        Self::record(self, draft)
    }
}
