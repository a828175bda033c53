//! The task that drains granted entries to the cloud as check-ins: in order, each exactly once there.
//!
//! The outbox's cursor moves only after the cloud has answered for everything before it. What was sent and not
//! acknowledged before a crash is sent again with the same idempotency key, so the cloud counts it once.
//! What the cloud can never take does not hold up the rest: `tries` says when that is certain.

use super::{
    hinter::Hinter,
    pace::Pace,
    running::Running,
    tries::{Next as Turn, Tries},
};
use crate::{
    clock::Clock,
    config::model::CheckinConfig,
    domain::{
        EntryEvent, EventKind,
        time::{DAY_MS, Millis},
    },
    health::Health,
    platform::{CheckIn, CheckInOutcome, CheckIns, Hint, Platform, PlatformError, Retry},
    store::{GUEST, Store},
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet, time::sleep};

/// The subscriber's name in the outbox.
pub const SUBSCRIBER: &str = "check-ins";
/// The fault of a check-in that the cloud cannot take.
const REJECTED: &str = "check_in_rejected";
/// How long that fault is shown after the last one.
const SHOWN: Millis = DAY_MS;
/// Events read from the journal at a time.
const BATCH: usize = 256;
/// Requests under way at a time. Order within them does not matter: each carries its own time.
const AT_ONCE: usize = 8;
/// The longest pause while the cloud is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// With nothing to deliver, faults that are old news are looked for this often.
const TIDY: Duration = Duration::from_secs(3_600);

/// How delivery stands, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Status {
    /// Taken by the cloud since the start.
    delivered: u64,
    /// Heard by the cloud, which does not count them: no pass left, say.
    refused: u64,
    /// Given up: the cloud can never take them.
    rejected: u64,
    /// Not sent: too old for a platform that counts every entry as of now. They stay in the journal.
    too_late: u64,
    cursor: u64,
    last_error: Option<String>,
    last_rejected: Option<Rejected>,
    last_refused: Option<Rejected>,
}

/// A check-in that was given up, or that does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Rejected {
    event: String,
    at: Millis,
    why: String,
}

/// The task.
pub struct Drain {
    /// Where check-ins go.
    pub platform: Arc<dyn Platform>,
    /// Which entries become one.
    pub config: CheckinConfig,
    /// The journal.
    pub store: Store,
    /// For lateness.
    pub clock: Clock,
    /// For faults.
    pub health: Health,
    /// Whose passes are read again after an entry (R23, R28); absent where nobody pulls.
    pub hinter: Option<Hinter>,
}

/// No check-in is delivered any more. `why` is the platform's reason, for `doorward report`.
pub fn stand_down(health: &Health, why: Option<&str>) {
    for fault in ["check_ins_waiting", REJECTED] {
        health.clear(fault);
    }
    health.section("check_ins", &serde_json::json!({ "kept_here": why }));
}

/// What the task knows between batches.
struct Progress {
    /// The highest sequence that was there when this run began.
    recorded_before: u64,
    status: Status,
    pace: Pace,
    tries: Tries,
    running: Running,
}

impl Drain {
    /// Runs until `stop` says so. Whatever was not delivered by then is, after the next start.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut committed = self.store.committed();
        let mut progress = Progress {
            recorded_before: *committed.borrow(),
            status: Status {
                cursor: self.store.cursor(SUBSCRIBER),
                ..Status::default()
            },
            pace: Pace::new(LONGEST_PAUSE),
            tries: Tries::default(),
            running: Running::default(),
        };
        loop {
            committed.mark_unchanged();
            let next = self.batch(&mut progress).await;
            self.tidy(&progress.status);
            self.health.section("check_ins", &progress.status);
            match next {
                Next::More => {
                    if *stop.borrow() {
                        return;
                    }
                }
                Next::Wait(pause) => tokio::select! {
                    () = sleep(pause) => {}
                    _ = stop.changed() => return,
                },
                Next::Idle => tokio::select! {
                    changed = committed.changed() => if changed.is_err() { return },
                    () = sleep(TIDY) => {}
                    _ = stop.changed() => return,
                },
            }
        }
    }

    /// One batch of the journal: delivered up to the first event that must wait.
    async fn batch(&self, progress: &mut Progress) -> Next {
        let (store, from) = (self.store.clone(), progress.status.cursor);
        let read = tokio::task::spawn_blocking(move || store.events_after(from, BATCH)).await;
        let events = match read {
            Ok(Ok(events)) => events,
            Ok(Err(error)) => return self.wait(progress, &error.to_string(), None),
            Err(error) => return self.wait(progress, &error.to_string(), None),
        };
        let Some(last) = events.last().map(|event| event.seq) else {
            return Next::Idle;
        };
        let before = progress.recorded_before;
        let due = events.iter().filter_map(|event| self.check_in(event, before));
        let mut due: Vec<CheckIn> = due.collect();
        if self.platform.capabilities().check_ins == CheckIns::NowOnly {
            due.retain(|check_in| !check_in.late || self.too_late(check_in, &mut progress.status));
        }
        for chunk in due.chunks(AT_ONCE) {
            if let Some(error) = self.deliver_all(chunk, progress).await {
                let asked = match error.retry() {
                    Retry::After(asked) => Some(asked),
                    Retry::Rarely => Some(LONGEST_PAUSE),
                    Retry::Backoff | Retry::Never => None,
                };
                return self.wait(progress, &error.to_string(), asked);
            }
            if let Some(seq) = chunk.last().and_then(|check_in| seq_of(&events, check_in)) {
                self.acknowledge(progress, seq);
            }
        }
        self.acknowledge(progress, last);
        progress.pace.succeeded();
        progress.status.last_error = None;
        self.health.clear("check_ins_waiting");
        Next::More
    }

    /// Delivers what of a chunk has no answer yet. The error of one that must wait, if there is one.
    async fn deliver_all(&self, chunk: &[CheckIn], progress: &mut Progress) -> Option<PlatformError> {
        let mut waits = None;
        let open: Vec<&CheckIn> = chunk
            .iter()
            .filter(|it| !progress.tries.is_settled(&it.key))
            .collect();
        for (check_in, outcome) in self.deliver(&open).await {
            match outcome {
                Ok(outcome) => {
                    progress.tries.settle(&check_in.key);
                    match outcome {
                        CheckInOutcome::Accepted { running_until } => {
                            progress.status.delivered += 1;
                            let now = self.clock.now().at;
                            if progress.running.is_news(&check_in.person, running_until, now) {
                                self.read_again(&check_in);
                            }
                        }
                        CheckInOutcome::Refused { reason } => {
                            progress.status.refused += 1;
                            tracing::info!(event = %check_in.key, %reason, "the cloud does not count this check-in");
                            progress.status.last_refused = Some(self.rejected(&check_in, reason));
                        }
                    }
                }
                Err(error) => match progress.tries.failed(&check_in.key, &error) {
                    Turn::Again => waits = Some(error),
                    Turn::GiveUp => self.reject(&check_in, &error, &mut progress.status),
                },
            }
        }
        waits
    }

    async fn deliver(&self, open: &[&CheckIn]) -> Vec<(CheckIn, Result<CheckInOutcome, PlatformError>)> {
        let mut under_way = JoinSet::new();
        for check_in in open.iter().copied().cloned() {
            let platform = Arc::clone(&self.platform);
            under_way.spawn(async move {
                let outcome = platform.check_in(&check_in).await;
                (check_in, outcome)
            });
        }
        under_way.join_all().await
    }

    /// The cloud can never take this one. The entry stays in the journal, and the rest goes on.
    fn reject(&self, check_in: &CheckIn, error: &PlatformError, status: &mut Status) {
        let now = self.clock.now().at;
        tracing::warn!(event = %check_in.key, %error, "the cloud will never take this check-in");
        status.rejected += 1;
        let text = format!(
            "the cloud does not take check-in {} (rejected since the start: {}); the entry is in the journal, and the \
             others go on: {error}",
            check_in.key, status.rejected
        );
        self.health.raise(REJECTED, text, now);
        status.last_rejected = Some(self.rejected(check_in, error.to_string()));
    }

    fn rejected(&self, check_in: &CheckIn, why: String) -> Rejected {
        Rejected {
            event: check_in.key.as_str().to_owned(),
            at: self.clock.now().at,
            why,
        }
    }

    /// Sent late, it would spend today's pass for yesterday's entry (invariant 6). False: it is not kept.
    fn too_late(&self, check_in: &CheckIn, status: &mut Status) -> bool {
        tracing::info!(event = %check_in.key, "too late for a platform that counts every entry as of now");
        status.too_late += 1;
        let why = "older than [checkins] late_after when it could be sent, and the platform counts every entry as of \
                   now; it is in the journal only";
        status.last_refused = Some(self.rejected(check_in, why.into()));
        false
    }

    /// A pass may run from now on, or one may be used up: the platform knows. An entry of long ago began none now.
    fn read_again(&self, check_in: &CheckIn) {
        if let Some(hinter) = self.hinter.as_ref().filter(|_| !check_in.late) {
            hinter.hint(vec![
                Hint::Person(check_in.person.clone()),
                Hint::Collection("passes"),
            ]);
        }
    }

    /// A rejection is no news for ever.
    fn tidy(&self, status: &Status) {
        let now = self.clock.now().at;
        let fresh = |last: &Rejected| now.saturating_sub(last.at) < SHOWN;
        if !status.last_rejected.as_ref().is_some_and(fresh) {
            self.health.clear(REJECTED);
        }
    }

    fn acknowledge(&self, progress: &mut Progress, seq: u64) {
        if let Err(error) = self.store.acknowledge(SUBSCRIBER, seq) {
            // Delivered again after a restart: the key makes that harmless.
            tracing::warn!(%error, "an acknowledgement is not on disk");
        }
        progress.tries.forget();
        progress.status.cursor = seq;
    }

    fn wait(&self, progress: &mut Progress, error: &str, asked: Option<Duration>) -> Next {
        let jitter = f64::from(self.clock.monotonic().subsec_nanos() % 1_000) / 1_000.0;
        let pause = progress.pace.failed(asked, jitter);
        let text = format!("check-ins wait in the journal, none is lost: {error}");
        self.health.raise("check_ins_waiting", text, self.clock.now().at);
        progress.status.last_error = Some(error.to_owned());
        Next::Wait(pause)
    }

    /// The check-in of an event, if it is one: a person's granted entry at a door that counts.
    fn check_in(&self, event: &EntryEvent, recorded_before: u64) -> Option<CheckIn> {
        let body = &event.body;
        let (person, door) = (body.person.clone()?, body.door.clone()?);
        let counts = self.config.doors.is_empty() || self.config.doors.contains(&door);
        let guest = person.as_str().starts_with(GUEST);
        if body.kind != EventKind::Granted || !counts || guest {
            return None;
        }
        Some(CheckIn {
            key: event.id.clone(),
            person,
            door,
            at: body.at,
            clock: body.clock,
            late: event.is_late(self.clock.now(), self.config.late_after, recorded_before),
        })
    }
}

fn seq_of(events: &[EntryEvent], check_in: &CheckIn) -> Option<u64> {
    events
        .iter()
        .find(|event| event.id == check_in.key)
        .map(|event| event.seq)
}

enum Next {
    /// There may be more.
    More,
    /// Everything is delivered.
    Idle,
    /// Try again after this long.
    Wait(Duration),
}
