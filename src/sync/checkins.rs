//! The task that drains granted entries to the cloud as check-ins: in order, each exactly once there.
//!
//! The outbox's cursor moves only after the cloud has answered for everything before it. What was sent and not
//! acknowledged before a crash is sent again with the same idempotency key, so the cloud counts it once.

use super::pace::Pace;
use crate::{
    clock::Clock,
    config::model::CheckinConfig,
    domain::{EntryEvent, EventKind, time::Millis},
    health::Health,
    platform::{CheckIn, CheckInOutcome, Platform, PlatformError, Retry},
    store::Store,
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet, time::sleep};

/// The subscriber's name in the outbox.
pub const SUBSCRIBER: &str = "check-ins";
/// Events read from the journal at a time.
const BATCH: usize = 256;
/// Requests under way at a time. Order within them does not matter: each carries its own time.
const AT_ONCE: usize = 8;
/// The longest pause while the cloud is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How delivery stands, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
struct Status {
    delivered: u64,
    refused: u64,
    cursor: u64,
    last_error: Option<String>,
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
}

impl Drain {
    /// Runs until `stop` says so. Whatever was not delivered by then is, after the next start.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut committed = self.store.committed();
        let mut status = Status {
            cursor: self.store.cursor(SUBSCRIBER),
            ..Status::default()
        };
        let mut pace = Pace::new(LONGEST_PAUSE);
        loop {
            committed.mark_unchanged();
            let pause = self.batch(&mut status, &mut pace).await;
            self.health.section("check_ins", &status);
            match pause {
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
                    _ = stop.changed() => return,
                },
            }
        }
    }

    /// One batch of the journal: delivered up to the first event that must wait.
    async fn batch(&self, status: &mut Status, pace: &mut Pace) -> Next {
        let (store, from) = (self.store.clone(), status.cursor);
        let read = tokio::task::spawn_blocking(move || store.events_after(from, BATCH)).await;
        let events = match read {
            Ok(Ok(events)) => events,
            Ok(Err(error)) => return self.wait(status, pace, &error.to_string(), None),
            Err(error) => return self.wait(status, pace, &error.to_string(), None),
        };
        let Some(last) = events.last().map(|event| event.seq) else {
            return Next::Idle;
        };
        let due: Vec<CheckIn> = events.iter().filter_map(|event| self.check_in(event)).collect();
        for chunk in due.chunks(AT_ONCE) {
            let mut first_failure = None;
            for (check_in, outcome) in self.deliver(chunk).await {
                match outcome {
                    Ok(CheckInOutcome::Accepted { .. }) => status.delivered += 1,
                    Ok(CheckInOutcome::Refused { reason }) => {
                        status.refused += 1;
                        tracing::info!(event = %check_in.key, %reason, "the cloud does not count this check-in");
                    }
                    Err(error) if error.retry() == Retry::Never => {
                        status.refused += 1;
                        tracing::warn!(event = %check_in.key, %error, "the cloud will never take this check-in");
                    }
                    Err(error) => first_failure = Some(error),
                }
            }
            // The whole chunk is sent again: the keys make the repeated ones harmless.
            if let Some(error) = first_failure {
                let asked = match error.retry() {
                    Retry::After(asked) => Some(asked),
                    Retry::Rarely => Some(LONGEST_PAUSE),
                    Retry::Backoff | Retry::Never => None,
                };
                return self.wait(status, pace, &error.to_string(), asked);
            }
            if let Some(seq) = chunk.last().and_then(|check_in| seq_of(&events, check_in)) {
                self.acknowledge(status, seq);
            }
        }
        self.acknowledge(status, last);
        pace.succeeded();
        status.last_error = None;
        self.health.clear("check_ins_waiting");
        Next::More
    }

    async fn deliver(&self, chunk: &[CheckIn]) -> Vec<(CheckIn, Result<CheckInOutcome, PlatformError>)> {
        let mut under_way = JoinSet::new();
        for check_in in chunk.iter().cloned() {
            let platform = Arc::clone(&self.platform);
            under_way.spawn(async move {
                let outcome = platform.check_in(&check_in).await;
                (check_in, outcome)
            });
        }
        under_way.join_all().await
    }

    fn acknowledge(&self, status: &mut Status, seq: u64) {
        if let Err(error) = self.store.acknowledge(SUBSCRIBER, seq) {
            // Delivered again after a restart: the key makes that harmless.
            tracing::warn!(%error, "an acknowledgement is not on disk");
        }
        status.cursor = seq;
    }

    fn wait(&self, status: &mut Status, pace: &mut Pace, error: &str, asked: Option<Duration>) -> Next {
        let jitter = f64::from(self.clock.monotonic().subsec_nanos() % 1_000) / 1_000.0;
        let pause = pace.failed(asked, jitter);
        let text = format!("check-ins wait in the journal, none is lost: {error}");
        self.health.raise("check_ins_waiting", text, self.clock.now().at);
        status.last_error = Some(error.to_owned());
        Next::Wait(pause)
    }

    /// The check-in of an event, if it is one: a person's granted entry at a door that counts.
    fn check_in(&self, event: &EntryEvent) -> Option<CheckIn> {
        let body = &event.body;
        let (person, door) = (body.person.clone()?, body.door.clone()?);
        let counts = self.config.doors.is_empty() || self.config.doors.contains(&door);
        if body.kind != EventKind::Granted || !counts {
            return None;
        }
        let late_after = Millis::try_from(self.config.late_after.as_millis()).unwrap_or(Millis::MAX);
        let late = self.clock.now().at.saturating_sub(body.at) > late_after;
        Some(CheckIn {
            key: event.id.clone(),
            person,
            door,
            at: body.at,
            clock: body.clock,
            late,
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
