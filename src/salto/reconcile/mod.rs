//! Keeps KS in step: compares what is wanted with what stands there whenever other rights come into force, a window begins
//! or ends, and every now and then; and carries the difference out, once somebody has accepted a first plan.
//!
//! | file | what |
//! | --- | --- |
//! | `accept` | a plan that was shown is accepted |
//! | `board` | how it stands, in documents |
//! | `by_hand` | whom hands put into groups of the gateway |
//! | `compare` | one comparison |

mod accept;
mod board;
mod by_hand;
mod compare;

use accept::ShownPlans;
pub use accept::{Asked, Refusal};
pub use board::{Counts, KsDoc, PlanDoc, Progress};
use compare::Compared;

use super::{
    KsError, KsKind, Session, SiteFacts,
    actual::{Depth, Reader},
    apply::{Applied, Apply},
    doors::Doors,
    links::{Ledger, Links, SPREADS},
    model::Lock,
    plan::{Plan, Step},
    wanted::Wanted,
};
use crate::{
    clock::Clock,
    config::Config,
    domain::{Credential, Millis, PersonId, Snapshot, Text},
    health::Health,
    store::Store,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

/// Faults that this room begins and ends.
pub const FAULTS: [&str; 7] = [
    "ks_by_hand",
    "ks_plan_held",
    "ks_first_plan",
    "ks_seats",
    "ks_unreachable",
    "ks_apply",
    "ks_waits",
];
/// A fault for each door whose lock is not found.
const LOST: &str = "ks_lock:";
/// So often everything is read, even if nothing points to a need.
const FULL_EVERY: Duration = Duration::from_secs(3_600);
/// Somebody who is on the way into the lists of KS is looked for after this.
const SPREAD: Duration = Duration::from_millis(SPREADS.unsigned_abs() + 1_000);
/// So many people are named in a fault.
const MOST_NAMES: usize = 5;
/// Rights often change several times in a row.
const GATHER: Duration = Duration::from_millis(300);

/// Grants in force, from whoever works them out.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// As the gateway's own doors have it.
    pub snapshot: Snapshot,
    /// E-mail addresses, where the platform has them.
    pub emails: HashMap<PersonId, Text>,
}

/// Who knows the grants in force.
pub trait Rights: Send + Sync {
    /// The grants in force; `None` before there are any. Blocks.
    ///
    /// # Errors
    /// In words.
    fn rights(&self) -> Result<Option<InForce>, String>;
}

/// What a person asks for.
#[derive(Debug)]
pub enum Order {
    /// What would be changed.
    Plan(oneshot::Sender<Result<PlanDoc, Refusal>>),
    /// Accept it and do it. Answers when it begins, with the number of steps; the progress tells the rest.
    Apply(Asked, oneshot::Sender<Result<usize, Refusal>>),
}

/// Where the progress of a plan stands for whoever asks.
pub type Shown = Arc<Mutex<Progress>>;

/// Keeps KS in step.
pub struct Reconciler {
    session: Session,
    config: Arc<Config>,
    rights: Arc<dyn Rights>,
    store: Store,
    clock: Clock,
    health: Health,
    shown: Shown,
    stop: watch::Receiver<bool>,
    reader: Reader,
    known: Known,
    plans: ShownPlans,
    by_hand: by_hand::Shown,
    doc: KsDoc,
    lost: Vec<String>,
}

/// What was worked out or read, and need not be again.
#[derive(Debug, Default)]
struct Known {
    wanted: Option<Arc<Wanted>>,
    pairs: Vec<(Credential, Credential)>,
    zone: Option<String>,
    /// The site, as it was at the last comparison.
    facts: Option<Arc<SiteFacts>>,
    locks: Vec<Lock>,
    doors: Doors,
    /// When everything was read, by the monotonic clock.
    full: Option<Duration>,
}

impl std::fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reconciler")
            .field("doc", &self.doc)
            .finish_non_exhaustive()
    }
}

/// What a reconciler is made of.
#[derive(Clone)]
pub struct Parts {
    /// The account.
    pub session: Session,
    /// With `[ks]`.
    pub config: Arc<Config>,
    /// The grants.
    pub rights: Arc<dyn Rights>,
    /// Links, and whether a plan was accepted.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Faults and the section `ks`.
    pub health: Health,
    /// The progress.
    pub shown: Shown,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl Reconciler {
    /// Nothing is read yet.
    #[must_use]
    pub fn new(parts: Parts, stop: watch::Receiver<bool>) -> Self {
        Self {
            session: parts.session,
            config: parts.config,
            rights: parts.rights,
            store: parts.store,
            clock: parts.clock,
            health: parts.health,
            shown: parts.shown,
            stop,
            reader: Reader::default(),
            known: Known::default(),
            plans: ShownPlans::default(),
            by_hand: by_hand::Shown::new(),
            doc: KsDoc::default(),
            lost: Vec::new(),
        }
    }

    /// Until it is told to stop. `swaps` changes whenever other rights come into force.
    pub async fn run(mut self, mut swaps: watch::Receiver<u64>, orders: &mut mpsc::Receiver<Order>) {
        let every = self.config.ks.as_ref().map_or(FULL_EVERY, |ks| ks.reconcile);
        let mut stop = self.stop.clone();
        let mut logins = self.session.tokens().watch_logins();
        let pairs = self.session.pairs();
        let mut next = Due::after(Duration::ZERO);
        loop {
            tokio::select! {
                biased;
                () = told_to_stop(&mut stop) => break,
                Some(order) = orders.recv() => self.obey(order).await,
                changed = swaps.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.rights_changed();
                    tokio::time::sleep(GATHER).await;
                    swaps.mark_unchanged();
                    self.turn().await;
                }
                // What a login that had ended left undone is not left until the next look.
                Ok(()) = logins.changed() => self.turn().await,
                // Whoever stands at the desk with a fob goes to the door with it.
                () = pairs.notified() => self.turn().await,
                () = sleep_until(next.0) => self.turn().await,
            }
            next = Due::after(self.wait(every));
        }
        self.clear();
    }

    /// Other rights are in force.
    pub fn rights_changed(&mut self) {
        self.known.wanted = None;
    }

    /// How long until something else is wanted, or it is time to look.
    fn wait(&self, every: Duration) -> Duration {
        let boundary = self.known.wanted.as_ref().and_then(|wanted| wanted.next);
        let until = boundary.map(|at| at.saturating_sub(self.clock.now().at).max(0));
        let until = until
            .and_then(|wait| u64::try_from(wait).ok())
            .map(Duration::from_millis);
        let spread = self.doc.waits.iter().any(|waiting| waiting.kind == "under-way");
        let every = if spread { every.min(SPREAD) } else { every };
        until.map_or(every, |until| until.min(every))
    }

    /// Compares, and carries out what may be.
    pub async fn turn(&mut self) {
        let full_due = self
            .known
            .full
            .is_none_or(|full| self.clock.monotonic().saturating_sub(full) >= FULL_EVERY);
        let depth = if full_due { Depth::Full } else { Depth::Steady };
        match self.compare(depth).await {
            Ok(Some(mut compared)) => {
                let steps = match (self.doc.accepted, &compared.plan.held) {
                    (false, _) => Vec::new(),
                    (true, Some(_)) => compared.plan.urgent(),
                    (true, None) => self.ripe(&mut compared.plan.steps),
                };
                self.tell(&compared.plan);
                if !steps.is_empty() && self.clock.now().trusted {
                    let held = compared.plan.held.is_some();
                    self.carry_out(steps, compared, held).await;
                }
            }
            Ok(None) => {}
            Err(error) => self.fail(&error),
        }
        self.publish();
    }

    /// Compares because somebody asks.
    async fn compare_for_a_person(&mut self) -> Result<Compared, Refusal> {
        match self.compare(Depth::Full).await {
            Ok(Some(compared)) => Ok(compared),
            Ok(None) => Err(Refusal {
                message: "no facts were fetched yet, so nothing is wanted at SALTO KS".to_owned(),
                hint: "`doorward sync status` tells how far it is".to_owned(),
            }),
            Err(error) => {
                self.fail(&error);
                Err(error.to_string().into())
            }
        }
    }

    async fn carry_out(&mut self, steps: Vec<Step>, compared: Compared, held: bool) {
        let Compared {
            at,
            role,
            mut links,
            plan,
            ..
        } = compared;
        let role = match role {
            Ok(role) => role,
            Err(error) => return self.fail(&error),
        };
        let lock_name = self.lock_names();
        let shown = Arc::clone(&self.shown);
        let progress = move |done, of| {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            (shown.running, shown.done, shown.of) = (true, done, of);
        };
        let apply = Apply {
            at,
            role,
            reader: &mut self.reader,
            links: &mut links,
            ledger: Arc::new(self.store.clone()) as Arc<dyn Ledger>,
            clock: self.clock.clone(),
            stop: self.stop.clone(),
            progress: &progress,
            lock_name: &lock_name,
        };
        let (applied, error) = apply.run(steps).await;
        tracing::info!(
            done = applied.done,
            of = applied.of,
            refused = applied.failed.len(),
            "a plan for SALTO KS was carried out"
        );
        self.told(&applied, plan.held.filter(|_| held), &links);
        if !applied.no_seat.is_empty() {
            // There are fewer seats than KS said.
            self.session.look_again().await;
        }
        if let Some(error) = error {
            self.fail(&error);
        }
        self.show(|progress| {
            progress.running = false;
            progress.applied = Some(applied.clone());
        });
        self.doc.applied = Some(applied);
    }

    /// What a plan left behind, worked out from what is known now.
    fn told(&mut self, applied: &Applied, held: Option<String>, links: &Links) {
        let now = self.clock.now().at;
        match applied.failed.first() {
            Some(first) => {
                let text = format!(
                    "{} of {} changes were refused by SALTO KS; the first, {} {}: {}",
                    applied.failed.len(),
                    applied.of,
                    first.step.act,
                    first.step.who,
                    first.text
                );
                self.health.raise("ks_apply", text, now);
            }
            None => drop(self.health.clear("ks_apply")),
        }
        if let (Some(wanted), Some(policy)) = (self.known.wanted.clone(), self.policy()) {
            self.seats_counted(!applied.no_seat.is_empty());
            let mut left = super::plan::plan(&wanted, &self.reader.actual, links, &policy);
            left.held = held.or(left.held);
            self.tell(&left);
        }
        if !applied.no_seat.is_empty() {
            let text = format!(
                "SALTO KS has no seat left for these people, so nothing opens for them: {}; order more seats, or free some; \
                 the gateway goes on by itself then",
                names(&applied.no_seat)
            );
            self.health.raise("ks_seats", text, now);
        }
    }

    fn show(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.shown.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Faults and counts of a plan that was just made.
    fn tell(&mut self, plan: &Plan) {
        let now = self.clock.now().at;
        self.doc.take(plan);
        self.doc.error = None;
        self.doc.there = Counts::there(&self.reader.actual);
        self.doc.seats = self.reader.actual.seats.map(|seats| (seats.all, seats.taken));
        self.health.clear("ks_unreachable");
        let first = !self.doc.accepted && !plan.steps.is_empty();
        self.fault(
            "ks_first_plan",
            first.then(|| {
                "SALTO KS is not kept in step yet: look at `doorward ks plan`, then `doorward ks apply`"
                    .to_owned()
            }),
            now,
        );
        self.fault(
            "ks_plan_held",
            plan.held.clone().filter(|_| self.doc.accepted),
            now,
        );
        let seatless: Vec<_> = plan
            .waits
            .iter()
            .filter(|waiting| waiting.kind == "no-seat")
            .collect();
        let seats = seatless.first().map(|first| {
            format!(
                "{} people wait for a seat at SALTO KS; the first: {}",
                seatless.len(),
                first.text
            )
        });
        let by_hand = by_hand::words(&plan.steps).filter(|_| self.doc.accepted);
        self.fault("ks_by_hand", by_hand, now);
        // What was made without a seat is asked for again with every plan, until it has one.
        self.fault("ks_seats", seats, now);
        let mut others = plan
            .waits
            .iter()
            .filter(|waiting| !matches!(waiting.kind.as_str(), "no-seat" | "under-way"));
        let text = others
            .next()
            .map(|first| format!("{}{}", first.text, more(others.count())));
        self.fault("ks_waits", text, now);
    }

    fn fault(&self, key: &str, text: Option<String>, now: Millis) {
        match text {
            Some(text) => drop(self.health.raise(key, text, now)),
            None => drop(self.health.clear(key)),
        }
    }

    fn fail(&mut self, error: &KsError) {
        self.doc.error = Some(error.to_string());
        // The login raises a fault of its own.
        if error.kind != KsKind::Unauthorised {
            let now = self.clock.now().at;
            self.health.raise("ks_unreachable", error.to_string(), now);
        }
    }

    fn publish(&self) {
        self.health.section("ks", &self.doc);
    }

    /// Nothing that was wrong is said any more once nobody looks.
    fn clear(&self) {
        for fault in FAULTS {
            self.health.clear(fault);
        }
        for lost in &self.lost {
            self.health.clear(lost);
        }
    }
}

/// The first of them, and how many more there are.
fn names(people: &[String]) -> String {
    let first: Vec<&str> = people.iter().take(MOST_NAMES).map(String::as_str).collect();
    let rest = people.len() - first.len();
    let rest = if rest == 0 {
        String::new()
    } else {
        format!(" and {rest} more")
    };
    format!("{}{rest}", first.join(", "))
}

fn more(count: usize) -> String {
    match count {
        0 => String::new(),
        more => format!(" (and {more} more: `doorward ks status`)"),
    }
}

/// Until it is told to stop, or nobody is there who could tell.
pub async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// An instant of tokio's timer: the one clock that only waits.
#[derive(Clone, Copy)]
struct Due(Instant);

impl Due {
    fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait)
    }
}
