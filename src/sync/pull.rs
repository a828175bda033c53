//! The task that pulls facts, judges them, stores them and puts them in force.
//!
//! It never blocks the runtime: building and storing happen on the blocking pool. Whatever goes wrong, what is
//! in force stays in force (invariant 4).

use super::{
    build,
    hints::Hints,
    pace::Pace,
    ready::{self, Ready},
    stale,
    status::{Status, meta},
};
use crate::{
    access::{Index, Limits},
    clock::Clock,
    config::Config,
    domain::{EventKind, event::Draft, facts::Facts, time::Millis},
    health::Health,
    memory,
    platform::{ErrorKind, Fetched, Known, Platform, PlatformError, Retry},
    store::{SnapshotMeta, Store, StoreError},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};

/// A hint is waited for this long at a time.
const HINT_WAIT: Duration = Duration::from_secs(50);
/// The longest pause after failures in a row.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The pause when a person has to change something first: a wrong token, an untrusted certificate.
const RARELY: Duration = Duration::from_secs(60);
/// The faults of fetching. One at a time is true.
pub const FAULTS: [&str; 3] = [UNREACHABLE, REFUSED, UNUSABLE];
/// No answer, or the cloud's own failure.
const UNREACHABLE: &str = "cloud_unreachable";
/// The cloud does not accept this gateway, or this gateway not the cloud.
const REFUSED: &str = "cloud_refused";
/// What came is not whole, or makes no sense.
const UNUSABLE: &str = "cloud_facts_unusable";
/// How many warnings the status shows; the rest is counted.
const SHOWN_WARNINGS: usize = 50;

/// Where a new index and new limits go.
pub trait Doors: Send + Sync {
    /// Puts a complete index in force, at once.
    fn swap(&self, index: Arc<Index>);
    /// Puts new limits in force.
    fn limits(&self, limits: Limits);
}

/// What the task is told.
#[derive(Debug)]
pub enum Command {
    /// Pull now, and say how it went.
    Now(oneshot::Sender<Result<String, String>>),
    /// Put the held snapshot in force, and say how it went.
    Accept(oneshot::Sender<Result<String, String>>),
    /// A new configuration: the facts in force are worked out again by its rules.
    Reconfigure(Arc<Config>),
}

/// What became of complete facts, in words.
enum Considered {
    /// In force.
    Applied(String),
    /// Waiting for a person.
    Held(String),
}

/// The task.
pub struct Puller {
    platform: Arc<dyn Platform>,
    config: Arc<Config>,
    store: Store,
    doors: Arc<dyn Doors>,
    clock: Clock,
    health: Health,
    pace: Pace,
    hints: Hints,
    active: Option<SnapshotMeta>,
    /// The last trusted time on disk at the start, Unix milliseconds.
    last_trusted: Option<Millis>,
    /// When the last contact was, since the start, while its wall time is only guessed.
    guessed_contact: Option<Duration>,
    status: Status,
}

impl Puller {
    /// A task that begins where the store left off. `active` is in force already; the caller has read it, so that an
    /// image of many megabytes is not read again for it.
    #[must_use]
    pub fn new(
        platform: Arc<dyn Platform>,
        config: Arc<Config>,
        store: Store,
        active: Option<SnapshotMeta>,
        doors: Arc<dyn Doors>,
        clock: Clock,
        health: Health,
    ) -> Self {
        let held = store.held().ok().flatten().map(|stored| stored.meta);
        let status = Status {
            place: platform.place(),
            last_contact: store.last_contact(),
            held,
            ..Status::default()
        };
        let hints = Hints::new(platform.capabilities().hints, LONGEST_PAUSE);
        let last_trusted = store.read().last_trusted_time().ok().flatten();
        let pace = Pace::new(LONGEST_PAUSE);
        let mut puller = Self {
            platform,
            config,
            store,
            doors,
            clock,
            health,
            pace,
            hints,
            active,
            last_trusted,
            guessed_contact: None,
            status,
        };
        puller.show();
        puller
    }

    /// Runs until nobody can command it any more.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut due = Instant::now();
        let minute = Duration::from_secs(60);
        loop {
            let platform = Arc::clone(&self.platform);
            let after = self.known().map_or(0, |known| known.version);
            let well = self.pace.failures() == 0 && self.active.is_some();
            let listen_from = self.hints.listen_from().filter(|_| well);
            let rest = listen_from
                .unwrap_or_default()
                .saturating_sub(self.clock.monotonic());
            let listen = async {
                sleep(rest).await;
                let begun = Instant::now();
                (platform.wait_hint(after, HINT_WAIT).await, begun.elapsed())
            };
            tokio::select! {
                () = sleep_until(due) => due = Instant::now() + self.pull().await.1,
                (hint, waited) = listen, if listen_from.is_some() => {
                    if let Some(next) = self.hinted(hint, waited, after).await {
                        due = due.min(Instant::now() + next);
                    }
                }
                command = commands.recv() => match command {
                    None => return,
                    Some(Command::Now(reply)) => {
                        let (outcome, pause) = self.pull().await;
                        due = Instant::now() + pause;
                        let _ = reply.send(outcome);
                    }
                    Some(Command::Accept(reply)) => {
                        let _ = reply.send(self.accept().await);
                    }
                    Some(Command::Reconfigure(config)) => self.reconfigure(config).await,
                },
                () = sleep(minute) => {}
            }
            self.age();
        }
    }

    /// A wait for a hint is over. How long until the next pull, if that must be sooner than the timer has it.
    async fn hinted(
        &mut self,
        hint: Result<bool, PlatformError>,
        waited: Duration,
        after: u64,
    ) -> Option<Duration> {
        match hint {
            Ok(true) => {
                let pause = self.pull().await.1;
                let useful = self.known().is_some_and(|known| known.version > after);
                let (now, jitter) = (self.clock.monotonic(), self.jitter());
                self.hints.hinted(useful, now, jitter);
                Some(pause)
            }
            Ok(false) => {
                let (now, jitter) = (self.clock.monotonic(), self.jitter());
                self.hints.quiet(waited, now, jitter);
                None
            }
            Err(error) => {
                tracing::debug!(%error, "no hints for now");
                let (now, jitter) = (self.clock.monotonic(), self.jitter());
                let from = self.hints.failed(&error, now, jitter)?;
                Some(from.saturating_sub(now))
            }
        }
    }

    /// What the platform need not send again: what is held back, if something is, else what is in force.
    fn known(&self) -> Option<Known> {
        let meta = self.status.held.as_ref().or(self.active.as_ref())?;
        Some(Known {
            version: meta.version,
            etag: meta.etag.clone(),
        })
    }

    /// Pulls once. Gives what to tell a person, and how long to wait.
    async fn pull(&mut self) -> (Result<String, String>, Duration) {
        let known = self.known();
        let platform = Arc::clone(&self.platform);
        let outcome = match platform.fetch(known.as_ref()).await {
            Ok(Fetched::Unchanged) => {
                if self.status.held.is_none() {
                    self.contact();
                }
                Ok("nothing has changed".to_owned())
            }
            Ok(Fetched::Facts {
                facts,
                etag,
                problems,
            }) => {
                let problems = problems.iter().map(ToString::to_string).collect();
                match self.considered(facts, etag, problems).await {
                    Ok(Considered::Applied(words)) => Ok(words),
                    Ok(Considered::Held(why)) => Err(why),
                    Err(error) => {
                        let text =
                            format!("the cloud's facts cannot be put in force, the last ones stay: {error}");
                        return self.failed(&PlatformError::malformed(text));
                    }
                }
            }
            Err(error) => return self.failed(&error),
        };
        // The platform answered, and what it said could not be used here: a card that fails, a defect.
        if let (Err(text), None) = (&outcome, &self.status.held) {
            let wait = self.pace.failed(None, self.jitter());
            let words =
                format!("the newest facts could not be worked out, the last ones stay in force: {text}");
            tracing::warn!("{words}");
            self.health.raise("facts_not_used", words, self.clock.now().at);
            self.status.last_error = Some(text.clone());
            self.show();
            return (outcome, wait);
        }
        self.health.clear("facts_not_used");
        self.pace.succeeded();
        self.hints.offer(self.platform.capabilities().hints);
        self.status.last_error = None;
        for fault in FAULTS {
            self.health.clear(fault);
        }
        self.show();
        (outcome, self.config.sync.poll)
    }

    fn failed(&mut self, error: &PlatformError) -> (Result<String, String>, Duration) {
        let wait = match error.retry() {
            Retry::After(asked) => self.pace.failed(Some(asked), self.jitter()),
            Retry::Backoff => self.pace.failed(None, self.jitter()),
            Retry::Rarely | Retry::Never => {
                self.pace.failed(None, 1.0);
                RARELY
            }
        };
        let fault = match error.kind {
            ErrorKind::Unauthorised | ErrorKind::Tls | ErrorKind::Rejected { .. } => REFUSED,
            ErrorKind::Malformed => UNUSABLE,
            ErrorKind::Unreachable | ErrorKind::Throttled { .. } | ErrorKind::Unsupported => UNREACHABLE,
        };
        if self.health.raise(fault, error.text.clone(), self.clock.now().at) {
            tracing::warn!(error = %error.text, "the facts could not be fetched; the last ones stay in force");
        }
        for other in FAULTS.iter().filter(|other| **other != fault) {
            self.health.clear(other);
        }
        self.status.last_error = Some(error.text.clone());
        self.show();
        (Err(error.text.clone()), wait)
    }

    /// Anything between 0 and 1 that differs between gateways and tries.
    fn jitter(&self) -> f64 {
        f64::from(self.clock.monotonic().subsec_nanos() % 1_000) / 1_000.0
    }

    /// [`Self::consider`], and the memory that took is given back.
    async fn considered(
        &mut self,
        facts: Facts,
        etag: Option<String>,
        problems: Vec<String>,
    ) -> Result<Considered, String> {
        let outcome = self.consider(facts, etag, problems).await;
        // Beside the runtime: it takes some milliseconds. That it did not run is no failure of the pull.
        let _ = tokio::task::spawn_blocking(memory::give_back).await;
        outcome
    }

    /// Complete facts have come: build, judge, and hold them or put them in force.
    async fn consider(
        &mut self,
        facts: Facts,
        etag: Option<String>,
        problems: Vec<String>,
    ) -> Result<Considered, String> {
        let now = self.clock.now().at;
        let (config, store) = (Arc::clone(&self.config), self.store.clone());
        let active = self.active.clone();
        let job = move || ready::work_out(facts, etag, problems, active.as_ref(), &store, &config, now);
        let (mut ready, hold) = blocking(job).await?;
        match hold {
            Some(hold) => {
                ready.meta.held_because = Some(hold.to_string());
                self.hold(ready).await.map(Considered::Held)
            }
            None => self.apply(ready).await.map(Considered::Applied),
        }
    }

    async fn hold(&mut self, ready: Ready) -> Result<String, String> {
        let why = ready.meta.held_because.clone().unwrap_or_default();
        let (store, meta) = (self.store.clone(), ready.meta.clone());
        blocking(move || {
            store
                .hold_packed(&ready.meta, &ready.facts, ready.index.image())
                .map_err(|error| error.to_string())
        })
        .await?;
        if self
            .health
            .raise("snapshot_held", why.clone(), self.clock.now().at)
        {
            self.event(EventKind::SnapshotHeld, why.clone());
            tracing::warn!(%why, "a snapshot is held back");
        }
        self.status.held = Some(meta);
        Ok(why)
    }

    async fn apply(&mut self, ready: Ready) -> Result<String, String> {
        let Ready {
            meta,
            facts,
            index,
            warnings,
        } = ready;
        let (store, was_held) = (self.store.clone(), self.status.held.is_some());
        let (stored, image) = (meta.clone(), Arc::clone(&index));
        let kept = blocking(move || {
            let text = |error: StoreError| error.to_string();
            store.apply_packed(&stored, &facts, image.image()).map_err(text)?;
            if was_held {
                store.discard_held().map(drop).map_err(text)
            } else {
                Ok(())
            }
        });
        // A card that cannot be written must not keep new rights from the doors: they live in memory until it can.
        if let Err(error) = kept.await {
            let text = format!("the newest facts decide at the doors, but are not on disk: {error}");
            self.health
                .raise("snapshot_not_stored", text, self.clock.now().at);
        } else {
            self.health.clear("snapshot_not_stored");
        }
        self.doors.swap(index);
        self.health.clear("snapshot_held");
        self.status.held = None;
        self.show_warnings(warnings);
        let words = format!(
            "version {}: {} people, {} cards, {} grants",
            meta.version, meta.people, meta.credentials, meta.grants
        );
        self.event(EventKind::SnapshotApplied, words.clone());
        self.active = Some(meta);
        self.contact();
        Ok(words)
    }

    /// A person says that what is held back is meant.
    async fn accept(&mut self) -> Result<String, String> {
        if self.status.held.is_none() {
            return Err("no snapshot is held back".into());
        }
        let (config, store) = (Arc::clone(&self.config), self.store.clone());
        let ready = blocking(move || ready::work_out_held(&store, &config)).await?;
        let outcome = self.apply(ready).await;
        self.show();
        outcome
    }

    /// The rules, the mapping or the site changed: the same facts, worked out again.
    async fn reconfigure(&mut self, config: Arc<Config>) {
        self.config = config;
        let (config, store) = (Arc::clone(&self.config), self.store.clone());
        let job = move || build::rebuild(store.read(), &config);
        match blocking(job).await {
            Ok(Some((stored, built))) => {
                let meta = meta(&built.snapshot, stored.etag);
                let index = Arc::new(built.index);
                let (store, image) = (self.store.clone(), Arc::clone(&index));
                let kept = blocking(move || {
                    store
                        .replace_image(image.image())
                        .map_err(|error| error.to_string())
                });
                if let Err(error) = kept.await {
                    tracing::warn!(%error, "the index of the new configuration is not on disk");
                }
                self.doors.swap(index);
                self.active = Some(meta);
                self.show_warnings(built.warnings);
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, "the facts could not be worked out by the new configuration")
            }
        }
        self.show();
    }

    fn contact(&mut self) {
        let now = self.clock.now();
        // An untrusted clock must not make contact look older than it was: keep the later of the two for now, and
        // put it right when the time is known.
        let guess = now.at.max(self.status.last_contact.unwrap_or(Millis::MIN));
        let at = if now.trusted { now.at } else { guess };
        self.guessed_contact = (!now.trusted).then(|| self.clock.monotonic());
        self.note_contact(at);
        self.age();
    }

    fn note_contact(&mut self, at: Millis) {
        self.status.last_contact = Some(at);
        self.store.note_contact(at);
    }

    /// With the time known: a contact whose time was guessed gets the true one, and none lies in the future.
    fn correct_contact(&mut self, now: Millis) {
        let since = |at: Duration| self.clock.monotonic().saturating_sub(at).as_millis();
        let guessed = self.guessed_contact.take();
        let true_time = guessed.map(|at| now.saturating_sub(Millis::try_from(since(at)).unwrap_or(0)));
        let ahead = || {
            self.status
                .last_contact
                .filter(|contact| *contact > now)
                .map(|_| now)
        };
        if let Some(at) = true_time.or_else(ahead) {
            self.note_contact(at);
        }
    }

    /// Staleness: limits for the doors, warnings before.
    fn age(&mut self) {
        let now = self.clock.now();
        if now.trusted {
            self.correct_contact(now.at);
        }
        let known = stale::Known::new(now, self.last_trusted, self.clock.monotonic());
        self.doors
            .limits(stale::limits(&self.config, self.status.last_contact, known));
        let ageing = stale::ageing(&self.config, self.status.last_contact, now.at);
        for kind in crate::domain::GrantKind::ALL {
            let key = format!("stale:{}", kind.name());
            match ageing.iter().find(|ageing| ageing.kind == kind && now.trusted) {
                None => drop(self.health.clear(&key)),
                Some(ageing) => drop(self.health.raise(&key, ageing.words(now.at), now.at)),
            }
        }
    }

    fn event(&self, kind: EventKind, detail: String) {
        let now = self.clock.now();
        self.store.record(&Draft {
            detail: Some(detail),
            ..Draft::new(kind, now.at, now.quality())
        });
    }

    fn show_warnings(&mut self, mut warnings: Vec<String>) {
        if warnings.len() > SHOWN_WARNINGS {
            let more = warnings.len() - SHOWN_WARNINGS;
            warnings.truncate(SHOWN_WARNINGS);
            warnings.push(format!("and {more} more"));
        }
        self.status.warnings = warnings;
    }

    fn show(&mut self) {
        self.status.failures = self.pace.failures();
        if let Some(active) = &self.active {
            self.status.version = Some(active.version);
            self.status.taken_at = Some(active.taken_at);
            (self.status.people, self.status.credentials) = (active.people, active.credentials);
            self.status.grants = active.grants;
        }
        if let Some(why) = self
            .status
            .held
            .as_ref()
            .and_then(|held| held.held_because.clone())
        {
            self.health.raise("snapshot_held", why, self.clock.now().at);
        }
        self.health.section("sync", &self.status);
    }
}

async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    match tokio::task::spawn_blocking(job).await {
        Ok(outcome) => outcome,
        Err(error) => Err(format!("work in the background broke off: {error}")),
    }
}
