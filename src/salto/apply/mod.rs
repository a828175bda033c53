//! Carries a plan out: stage by stage, several requests of one stage at a time. Whatever ends it, a start again ends in the
//! same state: users are written down before they are asked for, groups are found again by their names, and everything else
//! says the same thing twice.
//!
//! | file | what |
//! | --- | --- |
//! | `send` | one step as a request |

mod send;

use super::{
    KsError, KsKind,
    actual::{At, Group, Reader},
    links::{Intent, Ledger, Link, Links, Rest},
    plan::{Act, Step, StepDoc},
    together::together,
};
use crate::{
    clock::Clock,
    domain::{Credential, Millis, PersonId},
};
use send::{Done, Order};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::watch;

/// Whoever is asked for longer after it was written down is written down again: how long to look for somebody counts from the
/// asking.
const FRESH: Millis = 5_000;

/// What a plan is carried out with.
pub struct Apply<'a> {
    /// Where.
    pub at: At,
    /// The id of the role that new users get.
    pub role: String,
    /// What stands there; kept in step with what is done.
    pub reader: &'a mut Reader,
    /// Whose user is whose; kept in step as well.
    pub links: &'a mut Links,
    /// Where links are written down.
    pub ledger: Arc<dyn Ledger>,
    /// The time.
    pub clock: Clock,
    /// Ends it between two steps.
    pub stop: watch::Receiver<bool>,
    /// Hears how many steps of how many are done.
    pub progress: &'a (dyn Fn(usize, usize) + Send + Sync),
    /// What people call a lock.
    pub lock_name: &'a (dyn Fn(&str) -> String + Send + Sync),
}

impl std::fmt::Debug for Apply<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Apply")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What came of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// Steps that were to be done.
    pub of: usize,
    /// Steps that were done.
    pub done: usize,
    /// Steps that KS refused, or that hung on such a one.
    pub failed: Vec<Failed>,
    /// Why it ended before its end, if it did: the next plan goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// People without a seat, so that nothing opens for them: KS made or woke them without one, and whoever came after
    /// that was not asked for any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_seat: Vec<String>,
    /// People whose tag KS does not have: it was never registered there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_tag: Vec<String>,
}

/// A step that was not done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// Which.
    pub step: StepDoc,
    /// Why.
    pub text: String,
}

/// What came of a plan, and the error that ended it.
pub type Outcome = (Applied, Option<KsError>);

/// Whether an error is about everything and not about one step.
const fn is_general(kind: KsKind) -> bool {
    matches!(
        kind,
        KsKind::Unauthorised | KsKind::Throttled { .. } | KsKind::Unreachable | KsKind::Tls
    )
}

impl Apply<'_> {
    /// Carries the steps out, which stand in the order of their stages.
    pub async fn run(mut self, steps: Vec<Step>) -> Outcome {
        let mut applied = Applied {
            of: steps.len(),
            ..Applied::default()
        };
        (self.progress)(0, applied.of);
        let mut stages: BTreeMap<_, Vec<Step>> = BTreeMap::new();
        for step in steps {
            stages.entry(step.stage).or_default().push(step);
        }
        let (mut ended, mut seatless) = (None, BTreeSet::new());
        for (_, steps) in stages {
            ended = match self.prepare(&steps).await {
                Ok(tags) => self.stage(steps, &tags, &mut seatless, &mut applied).await,
                Err(error) => Some(error),
            };
            if ended.is_some() || *self.stop.borrow() {
                break;
            }
        }
        if ended.is_none() && *self.stop.borrow() && applied.done + applied.failed.len() < applied.of {
            applied.stopped = Some("the gateway is ending, or has another configuration".into());
        }
        if let Some(error) = &ended {
            applied.stopped = Some(error.to_string());
        }
        if applied.stopped.is_some() || !applied.failed.is_empty() {
            self.reader.distrust();
        }
        (applied, ended)
    }

    /// Finds the tags that are about to be given, and writes down which users and groups are about to be made.
    async fn prepare(&mut self, steps: &[Step]) -> Result<BTreeMap<Credential, String>, KsError> {
        let (mut intents, mut groups) = (Vec::new(), Vec::new());
        let mut tags = BTreeSet::new();
        for step in steps {
            match &step.act {
                Act::CreateUser {
                    person,
                    alias,
                    before,
                    tag,
                    ..
                } => {
                    tags.extend(*tag);
                    let intent = Intent {
                        alias: alias.clone(),
                        before: before.iter().cloned().collect(),
                        at: self.clock.now().at,
                    };
                    intents.push((person.clone(), intent));
                }
                Act::GiveTag { tag, .. } => drop(tags.insert(*tag)),
                Act::CreateGroup { group } => groups.push((group.clone(), self.clock.now().at)),
                _ => {}
            }
        }
        let found = send::tags(&self.at, &tags).await?;
        if !intents.is_empty() {
            self.links.intents.extend(intents.iter().cloned());
            let ledger = Arc::clone(&self.ledger);
            written(move || ledger.intend(&intents)).await?;
        }
        if !groups.is_empty() {
            self.links.founding.extend(groups.iter().cloned());
            let ledger = Arc::clone(&self.ledger);
            written(move || ledger.found(&groups)).await?;
        }
        Ok(found)
    }

    /// One stage. The error that is about everything, if there was one. Once KS has given somebody no seat, it is asked for
    /// no more: whoever would need one is `seatless`, and what hangs on them is not tried.
    async fn stage(
        &mut self,
        steps: Vec<Step>,
        tags: &BTreeMap<Credential, String>,
        seatless: &mut BTreeSet<PersonId>,
        applied: &mut Applied,
    ) -> Option<KsError> {
        let full = AtomicBool::new(!applied.no_seat.is_empty());
        let ended = Arc::new(AtomicBool::new(false));
        let mut error = None;
        let (mut orders, mut unsent) = (Vec::new(), Vec::new());
        for step in steps {
            if step.act.person().is_some_and(|person| seatless.contains(person)) {
                continue;
            }
            match self.order(&step, tags) {
                Ok(order) => orders.push((step, order)),
                Err(text) => applied.failed.push(self.failed(&step, text)),
            }
        }
        let (mut orders, mut left_out) = (orders.into_iter(), Vec::new());
        let (at, role, clock) = (self.at.clone(), self.role.clone(), self.clock.clone());
        let (ledger, stop) = (Arc::clone(&self.ledger), self.stop.clone());
        let (at_once, prepared) = (at.at_once, clock.now().at);
        let next = || {
            if ended.load(Ordering::Relaxed) || *stop.borrow() {
                return None;
            }
            let (step, order) = loop {
                let (step, order) = orders.next()?;
                if !full.load(Ordering::Relaxed) || !step.act.takes_a_seat() {
                    break (step, order);
                }
                left_out.push(step);
            };
            let (at, role, now, ledger) = (at.clone(), role.clone(), clock.now().at, Arc::clone(&ledger));
            Some(async move {
                let done = written_and_sent(&at, &role, &step.act, &order, (now, prepared), ledger).await;
                (step, done)
            })
        };
        let done = |(step, done): (Step, Result<Done, KsError>)| match done {
            Ok(done) => {
                self.take(&step, done, applied);
                full.store(!applied.no_seat.is_empty(), Ordering::Relaxed);
                applied.done += 1;
                (self.progress)(applied.done + applied.failed.len(), applied.of);
            }
            Err(failure) if is_general(failure.kind) => {
                ended.store(true, Ordering::Relaxed);
                // Refused, or never sent: what was only not answered may have been done.
                unsent.extend(Some(step.act).filter(|_| failure.kind != KsKind::Unreachable));
                error = Some(failure);
            }
            Err(failure) => {
                // An answer that was not understood may be one that says yes.
                applied.failed.push(self.failed(&step, failure.to_string()));
                unsent.extend(Some(step.act).filter(|_| failure.kind != KsKind::Malformed));
                (self.progress)(applied.done + applied.failed.len(), applied.of);
            }
        };
        together(at_once, next, done).await;
        unsent.extend(orders.map(|(step, _)| step.act));
        unsent.extend(left_out.iter().map(|step| step.act.clone()));
        seatless.extend(left_out.iter().filter_map(|step| step.act.person().cloned()));
        applied.no_seat.extend(left_out.into_iter().map(|step| step.who));
        self.forget(unsent).await;
        error
    }

    /// Nobody needs to look for what was certainly not made.
    async fn forget(&mut self, unsent: Vec<Act>) {
        let (mut people, mut groups) = (Vec::new(), Vec::new());
        for act in unsent {
            match act {
                Act::CreateUser { person, .. } => people.push(person),
                Act::CreateGroup { group } => groups.push(group),
                _ => {}
            }
        }
        if people.is_empty() && groups.is_empty() {
            return;
        }
        self.links.intents.retain(|person, _| !people.contains(person));
        self.links.founding.retain(|group, _| !groups.contains(group));
        let ledger = Arc::clone(&self.ledger);
        // If it fails they are looked for, which takes a minute and harms nobody.
        let _ = written(move || ledger.forget(&people).and_then(|()| ledger.founded(&groups))).await;
    }

    fn failed(&self, step: &Step, text: String) -> Failed {
        Failed {
            step: step.doc(self.lock_name),
            text,
        }
    }

    /// The ids that a step needs.
    fn order(&self, step: &Step, tags: &BTreeMap<Credential, String>) -> Result<Order, String> {
        let link = step.act.person().and_then(|person| self.links.users.get(person));
        let group = step.act.group();
        let mut order = Order {
            link: link.cloned(),
            group: self.group(group).cloned(),
            ..Order::default()
        };
        match &step.act {
            Act::Adopt { site_user, .. } => {
                let user = self.reader.actual.users.get(site_user);
                order.user = user.map(|user| (site_user.clone(), user.clone()));
            }
            Act::CreateUser { tag, .. } => order.tag = tag.and_then(|tag| tags.get(&tag).cloned()),
            Act::GiveTag { tag, .. } => {
                let missing = "the tag is not registered at SALTO KS: register it at a lock first";
                order.tag = Some(tags.get(tag).cloned().ok_or(missing)?);
            }
            Act::AddSlot { .. } | Act::AddLock { .. } | Act::AddMember { .. } if order.group.is_none() => {
                return Err(format!("the access group {group} is not there"));
            }
            _ => {}
        }
        let needs_user = !matches!(step.act, Act::CreateUser { .. } | Act::Adopt { .. });
        if needs_user && step.act.person().is_some() && order.link.is_none() {
            return Err("the person has no user yet".into());
        }
        Ok(order)
    }

    /// The id of a group by its name.
    fn group(&self, name: &str) -> Option<&String> {
        let mut groups = self.reader.actual.groups.iter();
        groups
            .find(|(_, group)| group.name.trim() == name)
            .map(|(id, _)| id)
    }

    /// Keeps what is known in step with what was done.
    fn take(&mut self, step: &Step, done: Done, applied: &mut Applied) {
        let now = self.clock.now().at;
        let actual = &mut self.reader.actual;
        if let Done::User { person, link, user } = done {
            if step.act.takes_a_seat() && link.rests.contains(&Rest::NoSeat) {
                applied.no_seat.push(step.who.clone());
            }
            if matches!(&step.act, Act::CreateUser { tag: Some(tag), .. } if user.tag.as_ref() != Some(tag)) {
                applied.no_tag.push(step.who.clone());
            }
            actual.users.insert(link.site_user.clone(), user);
            if matches!(step.act, Act::CreateUser { .. }) {
                self.reader.made(&link.site_user, now);
            }
            self.links.intents.remove(&person);
            self.links.users.insert(person, link);
            return;
        }
        let group_of = |act: &Act| match act {
            Act::RemoveSlot { id, .. } | Act::RemoveLock { id, .. } | Act::RemoveMember { id, .. } => {
                Some(id.clone())
            }
            _ => None,
        };
        let id = group_of(&step.act).or_else(|| {
            let mut groups = actual.groups.iter();
            groups
                .find(|(_, group)| group.name.trim() == step.act.group())
                .map(|(id, _)| id.clone())
        });
        let group = id.and_then(|id| actual.groups.get_mut(&id));
        match (&step.act, done, group) {
            (Act::CreateGroup { group }, Done::Made(id), _) => {
                let new = Group {
                    name: group.clone(),
                    ..Group::default()
                };
                actual.groups.insert(id.clone(), new);
                self.reader.made(&id, now);
            }
            (Act::DeleteGroup { id, group }, ..) => {
                actual.groups.remove(id);
                self.links.founding.remove(group);
            }
            (Act::AddSlot { slot, .. }, Done::Made(id), Some(group)) => {
                group.slots.insert(id, Some(*slot));
            }
            (Act::RemoveSlot { schedule, .. }, _, Some(group)) => drop(group.slots.remove(schedule)),
            (Act::AddLock { lock, .. }, _, Some(group)) => drop(group.locks.insert(lock.clone())),
            (Act::RemoveLock { lock, .. }, _, Some(group)) => drop(group.locks.remove(lock)),
            (Act::AddMember { person, .. }, _, Some(group)) => {
                group
                    .members
                    .extend(self.links.users.get(person).map(|link| link.user.clone()));
            }
            (Act::RemoveMember { user, .. }, _, Some(group)) => drop(group.members.remove(user)),
            _ => {}
        }
    }
}

/// One step, with what has to be written down before it and after it.
async fn written_and_sent(
    at: &At,
    role: &str,
    act: &Act,
    order: &Order,
    (now, prepared): (Millis, Millis),
    ledger: Arc<dyn Ledger>,
) -> Result<Done, KsError> {
    let before = Arc::clone(&ledger);
    let is_old = now.saturating_sub(prepared) > FRESH;
    match act {
        Act::CreateUser {
            person,
            alias,
            before: others,
            ..
        } if is_old => {
            let intent = Intent {
                alias: alias.clone(),
                before: others.iter().cloned().collect(),
                at: now,
            };
            let intents = [(person.clone(), intent)];
            written(move || before.intend(&intents)).await?;
        }
        Act::CreateGroup { group } if is_old => {
            let groups = [(group.clone(), now)];
            written(move || before.found(&groups)).await?;
        }
        _ => {
            if let Some((person, link)) = send::beforehand(act, order) {
                written(move || before.link(&person, &link)).await?;
            }
        }
    }
    let done = send::send(at, role, act, order, now).await?;
    if let Act::DeleteGroup { group, .. } = act {
        // Else it would be waited for, should it be wanted again within a minute.
        let (ledger, gone) = (Arc::clone(&ledger), [group.clone()]);
        written(move || ledger.founded(&gone)).await?;
    }
    note(ledger, &done).await?;
    Ok(done)
}

/// Writes a link down before anybody relies on it.
async fn note(ledger: Arc<dyn Ledger>, done: &Done) -> Result<(), KsError> {
    let Done::User { person, link, .. } = done else {
        return Ok(());
    };
    let (person, link): (PersonId, Link) = (person.clone(), link.clone());
    written(move || ledger.link(&person, &link)).await
}

async fn written(job: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), KsError> {
    // Without a place to write to nothing more may be made there.
    let failed =
        |text: String| KsError::new(KsKind::Unreachable, format!("the store did not take it: {text}"));
    let joined = tokio::task::spawn_blocking(job).await;
    joined.map_err(|error| failed(error.to_string()))?.map_err(failed)
}
