//! What the requests share: the world and its version, frozen pages, check-ins, faults.

use super::{
    Cloud,
    faults::{Chance, Faults, Throttle},
    world::{Pass, Row, World},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Versions whose pages can still be read to the end after a change.
const KEPT_VERSIONS: usize = 4;
/// How long a pass runs after the check-in that began it.
const PASS_HOURS: i64 = 12;

/// A check-in, as it comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckInBody {
    /// The event's id.
    pub event: String,
    /// Who.
    pub person: String,
    /// Where.
    pub door: String,
    /// When, RFC 3339.
    pub at: String,
    /// `trusted` or `untrusted`.
    pub clock: Quality,
    /// Whether it is too old to count as an entry now.
    pub late: bool,
}

impl CheckInBody {
    /// Whether both tell of the same entry: by what never changes between deliveries. `late` does: an answer that is
    /// lost before an outage is asked for again after it.
    #[must_use]
    pub fn is_same_entry(&self, other: &Self) -> bool {
        (&self.event, &self.person, &self.door, &self.at)
            == (&other.event, &other.person, &other.door, &other.at)
    }
}

/// Quality of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// To be believed.
    Trusted,
    /// A guess.
    Untrusted,
}

/// A check-in that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its idempotency key.
    pub key: String,
    /// What came first.
    pub body: CheckInBody,
    /// What the last delivery said of `late`.
    pub last_late: bool,
    /// Whether it counts.
    pub accepted: bool,
    /// How many times it came; the first counted.
    pub deliveries: u32,
}

/// What is sent back for a check-in.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Outcome {
    Accepted {
        #[serde(skip_serializing_if = "Option::is_none")]
        running_until: Option<String>,
    },
    Refused {
        reason: String,
    },
}

/// What came of a delivery.
pub(super) enum Delivery {
    First(Outcome),
    Again(Outcome),
    OtherBody,
    UnknownPerson,
}

/// What a person's card came to.
pub(super) enum Card {
    Done,
    UnknownPerson,
    HeldBy(String),
}

/// What a request suffers before it is handled.
pub(super) struct Suffers {
    pub(super) slow: Option<Duration>,
    pub(super) instead: Option<Instead>,
}
pub(super) enum Instead {
    Error500,
    Throttled(u64),
    Redirect(String),
}

#[derive(Debug)]
pub(super) struct Shared {
    token: String,
    inner: Mutex<Inner>,
    changed: watch::Sender<u64>,
    turn: Condvar,
}

#[derive(Debug)]
struct Inner {
    world: World,
    version: u64,
    frozen: VecDeque<(u64, Arc<Vec<Row>>)>,
    order: Vec<String>,
    taken: HashMap<String, Taken>,
    faults: Faults,
    chance: Chance,
    requests: u64,
}

#[derive(Debug)]
struct Taken {
    received: Received,
    outcome: Outcome,
}

impl Shared {
    pub(super) fn new(token: String, world: World, version: u64) -> Self {
        let version = version.max(1);
        Self {
            token,
            inner: Mutex::new(Inner {
                world,
                version,
                frozen: VecDeque::new(),
                order: Vec::new(),
                taken: HashMap::new(),
                faults: Faults::default(),
                chance: Chance::default(),
                requests: 0,
            }),
            changed: watch::Sender::new(version),
            turn: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn token(&self) -> &str {
        &self.token
    }
    pub(super) fn version(&self) -> u64 {
        self.lock().version
    }
    pub(super) fn requests(&self) -> u64 {
        self.lock().requests
    }
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        let mut inner = self.lock();
        let before = inner.world.clone();
        let result = change(&mut inner.world);
        if inner.world != before {
            inner.version += 1;
            self.changed.send_replace(inner.version);
        }
        drop(inner);
        self.turn.notify_all();
        result
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        let mut inner = self.lock();
        inner.chance = Chance::new(faults.seed);
        inner.faults = faults;
    }

    pub(super) fn faults(&self) -> Faults {
        self.lock().faults.clone()
    }

    pub(super) fn hits(&self, share: f64) -> bool {
        self.lock().chance.hits(share)
    }

    pub(super) fn check_ins(&self) -> Vec<Received> {
        let inner = self.lock();
        let taken = inner.order.iter().filter_map(|key| inner.taken.get(key));
        taken.map(|taken| taken.received.clone()).collect()
    }

    /// Counts a request and says what befalls it.
    pub(super) fn begin(&self) -> Suffers {
        let mut inner = self.lock();
        inner.requests += 1;
        let faults = inner.faults.clone();
        let throttled = faults
            .throttle
            .as_ref()
            .and_then(|Throttle { every, retry_after }| {
                inner
                    .requests
                    .is_multiple_of((*every).max(1))
                    .then_some(*retry_after)
            });
        let instead = if let Some(to) = faults.redirect {
            Some(Instead::Redirect(to))
        } else if let Some(retry_after) = throttled {
            Some(Instead::Throttled(retry_after))
        } else {
            inner.chance.hits(faults.error_500).then_some(Instead::Error500)
        };
        Suffers {
            slow: faults.slow,
            instead,
        }
    }

    /// Wakes [`Cloud::wait`].
    pub(super) fn end(&self) {
        self.turn.notify_all();
    }

    pub(super) fn wait(
        &self,
        at_most: Duration,
        cloud: &Cloud,
        mut until: impl FnMut(&Cloud) -> bool,
    ) -> bool {
        // Looked at again every 20 ms as well, because `until` may look at more than this cloud.
        let slice = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        while !until(cloud) {
            if waited >= at_most {
                return false;
            }
            drop(self.turn.wait_timeout(self.lock(), slice));
            waited += slice;
        }
        true
    }

    /// The rows of the version now, kept for the pages to come.
    pub(super) fn freeze(&self) -> (u64, Arc<Vec<Row>>) {
        let mut inner = self.lock();
        let version = inner.version;
        if let Some((_, rows)) = inner.frozen.iter().find(|(kept, _)| *kept == version) {
            return (version, Arc::clone(rows));
        }
        let rows = Arc::new(inner.world.rows());
        inner.frozen.push_back((version, Arc::clone(&rows)));
        if inner.frozen.len() > KEPT_VERSIONS {
            inner.frozen.pop_front();
        }
        (version, rows)
    }

    /// The rows of a version that is still kept.
    pub(super) fn frozen(&self, version: u64) -> Option<Arc<Vec<Row>>> {
        let inner = self.lock();
        let (_, rows) = inner.frozen.iter().find(|(kept, _)| *kept == version)?;
        Some(Arc::clone(rows))
    }

    pub(super) fn deliver(&self, key: &str, body: &CheckInBody) -> Delivery {
        let mut inner = self.lock();
        if let Some(taken) = inner.taken.get_mut(key) {
            if !taken.received.body.is_same_entry(body) {
                return Delivery::OtherBody;
            }
            taken.received.deliveries += 1;
            taken.received.last_late = body.late;
            return Delivery::Again(taken.outcome.clone());
        }
        let Some(person) = inner.world.people.iter().find(|it| it.id == body.person) else {
            return Delivery::UnknownPerson;
        };
        let (outcome, changed) = if person.deactivated {
            let reason = "the member is deactivated".to_owned();
            (Outcome::Refused { reason }, false)
        } else {
            spend(&mut inner.world.passes, body)
        };
        inner.order.push(key.to_owned());
        inner.taken.insert(
            key.to_owned(),
            Taken {
                received: Received {
                    key: key.to_owned(),
                    body: body.clone(),
                    last_late: body.late,
                    accepted: matches!(outcome, Outcome::Accepted { .. }),
                    deliveries: 1,
                },
                outcome: outcome.clone(),
            },
        );
        if changed {
            inner.version += 1;
            self.changed.send_replace(inner.version);
        }
        Delivery::First(outcome)
    }

    pub(super) fn assign(&self, person: &str, card: &str) -> Card {
        self.edit(|world| {
            if !world.people.iter().any(|it| it.id == person) {
                return Card::UnknownPerson;
            }
            let other = world
                .people
                .iter()
                .find(|it| it.id != person && it.credentials.iter().any(|held| held == card));
            if let Some(other) = other {
                return Card::HeldBy(other.id.clone());
            }
            for holder in world.people.iter_mut().filter(|it| it.id == person) {
                if !holder.credentials.iter().any(|held| held == card) {
                    holder.credentials.push(card.to_owned());
                }
            }
            Card::Done
        })
    }

    pub(super) fn remove(&self, person: &str, card: &str) -> Card {
        self.edit(|world| {
            let Some(holder) = world.people.iter_mut().find(|it| it.id == person) else {
                return Card::UnknownPerson;
            };
            holder.credentials.retain(|held| held != card);
            Card::Done
        })
    }
}

/// A check-in of somebody with passes runs on one: the one that runs already, or else a new one (R24 to R26).
/// A late one spends nothing. The flag says whether the facts changed.
fn spend(passes: &mut [Pass], body: &CheckInBody) -> (Outcome, bool) {
    let accepted = |running_until| Outcome::Accepted { running_until };
    let Ok(at) = body.at.parse::<jiff::Timestamp>() else {
        return (accepted(None), false);
    };
    let mut own = passes
        .iter_mut()
        .filter(|pass| pass.person.as_ref() == Some(&body.person))
        .collect::<Vec<_>>();
    let running = own.iter().find_map(|pass| {
        let until = pass.running_until.clone()?;
        (until.parse::<jiff::Timestamp>().ok()? > at).then_some(until)
    });
    if running.is_some() || body.late {
        return (accepted(running), false);
    }
    let Some(pass) = own.iter_mut().find(|pass| pass.left.is_some_and(|left| left > 0)) else {
        return (accepted(None), false);
    };
    let until = at
        .checked_add(jiff::SignedDuration::from_hours(PASS_HOURS))
        .unwrap_or(at)
        .to_string();
    pass.left = pass.left.map(|left| left - 1);
    pass.running_until = Some(until.clone());
    (accepted(Some(until)), true)
}
