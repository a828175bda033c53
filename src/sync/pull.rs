//! The task that pulls facts, judges them, stores them and puts them in force.
//!
//! It never blocks the runtime: building and storing happen on the blocking pool. Whatever goes wrong, what is
//! in force stays in force (invariant 4).

use super::{
    burst::Burst,
    cancelled::StillIn,
    consider::{Considered, Extent},
    hints::Hints,
    pace::Pace,
    problems::Problems,
    stale,
    status::Status,
};
use crate::{
    access::{Index, Limits},
    clock::Clock,
    config::Config,
    domain::time::Millis,
    health::Health,
    platform::{ErrorKind, Fetched, Hint, Known, Platform, PlatformError, Retry},
    store::{SnapshotMeta, Store},
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
/// The platform's clock and ours differ.
pub const CLOCK_SKEW: &str = "cloud_clock_skew";
/// From here on clocks differ by more than answers take and seconds are rounded to. Bookings would begin that much too
/// early or late, and signatures hold for five minutes.
const MOST_SKEW: Millis = 120_000;
/// What came is not whole, or makes no sense.
const UNUSABLE: &str = "cloud_facts_unusable";

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
    /// Fetch what these name, soon: several within a moment are one fetch.
    Hint(Vec<Hint>),
    /// A new configuration: the facts in force are worked out again by its rules.
    Reconfigure(Arc<Config>),
}

/// The task.
pub struct Puller {
    pub(super) platform: Arc<dyn Platform>,
    pub(super) config: Arc<Config>,
    pub(super) store: Store,
    pub(super) doors: Arc<dyn Doors>,
    pub(super) clock: Clock,
    pub(super) health: Health,
    pub(super) pace: Pace,
    pub(super) hints: Hints,
    pub(super) burst: Burst,
    pub(super) active: Option<SnapshotMeta>,
    /// The last trusted time on disk at the start, Unix milliseconds.
    pub(super) last_trusted: Option<Millis>,
    /// When the last contact was, since the start, while its wall time is only guessed.
    pub(super) guessed_contact: Option<Duration>,
    /// Who is cancelled and gets in all the same, now or later; absent until it was looked at.
    pub(super) still_in: Option<Vec<StillIn>>,
    /// What was left out of the facts.
    pub(super) problems: Problems,
    pub(super) status: Status,
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
        let problems = Problems::stored(store.read());
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
            burst: Burst::default(),
            active,
            last_trusted,
            guessed_contact: None,
            still_in: None,
            problems,
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
            let listen_from = self.hints.listen_from().filter(|_| well || platform.is_here());
            let rest = listen_from
                .unwrap_or_default()
                .saturating_sub(self.clock.monotonic());
            let listen = async {
                sleep(rest).await;
                let begun = Instant::now();
                (platform.wait_hint(after, HINT_WAIT).await, begun.elapsed())
            };
            // While the cloud fails the timer asks, and asks for everything.
            let burst = self.burst.due().filter(|_| well);
            let gathered = sleep(burst.unwrap_or_default().saturating_sub(self.clock.monotonic()));
            tokio::select! {
                () = sleep_until(due) => due = Instant::now() + self.pull().await.1,
                () = gathered, if burst.is_some() => {
                    if let Some(pause) = self.refresh().await {
                        due = Instant::now() + pause;
                    }
                }
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
                    Some(Command::Hint(hints)) => {
                        self.status.hints += u64::try_from(hints.len()).unwrap_or(0);
                        self.burst.add(hints, self.clock.monotonic());
                    }
                    Some(Command::Reconfigure(config)) => self.reconfigure(config).await,
                },
                () = sleep(minute) => self.show(),
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
                let newer = self.known().is_some_and(|known| known.version > after);
                let useful = newer || self.platform.is_here();
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
    pub(super) fn known(&self) -> Option<Known> {
        let meta = self.status.held.as_ref().or(self.active.as_ref())?;
        Some(Known {
            version: meta.version,
            etag: meta.etag.clone(),
        })
    }

    /// Pulls everything once. Gives what to tell a person, and how long to wait.
    pub(super) async fn pull(&mut self) -> (Result<String, String>, Duration) {
        let known = self.known();
        self.burst.answered();
        let platform = Arc::clone(&self.platform);
        let fetched = platform.fetch(known.as_ref()).await;
        self.burst.rest(self.clock.monotonic());
        self.compare_clocks();
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(error) => return self.failed(&error),
        };
        let outcome = match self.taken(fetched, Extent::Whole).await {
            Ok(outcome) => outcome,
            Err(error) => return self.failed(&error),
        };
        // The platform answered, and what it said could not be used here: a card that fails, a defect.
        if let (Err(text), None) = (&outcome, &self.status.held) {
            let wait = self.pace.failed(None, self.jitter());
            self.not_used(text);
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

    /// What came is judged and put in force, or says that nothing did. The inner error is for people: it waits for
    /// one, or could not be used here.
    pub(super) async fn taken(
        &mut self,
        fetched: Fetched,
        extent: Extent,
    ) -> Result<Result<String, String>, PlatformError> {
        match fetched {
            Fetched::Unchanged => {
                if self.status.held.is_none() && extent == Extent::Whole {
                    self.contact();
                }
                Ok(Ok("nothing has changed".to_owned()))
            }
            Fetched::Facts {
                facts,
                etag,
                problems,
            } => {
                let problems = problems.iter().map(ToString::to_string).collect();
                match self.considered(facts, etag, problems, extent).await {
                    Ok(Considered::Applied(words)) => Ok(Ok(words)),
                    Ok(Considered::Held(why)) => Ok(Err(why)),
                    Err(error) => {
                        let text =
                            format!("the cloud's facts cannot be put in force, the last ones stay: {error}");
                        Err(PlatformError::malformed(text))
                    }
                }
            }
        }
    }

    /// The facts are used all the same: what is wrong may be either clock, and a platform's times are instants.
    fn compare_clocks(&mut self) {
        let now = self.clock.now();
        let skew = self
            .platform
            .server_time()
            .map(|theirs| theirs.saturating_sub(now.at));
        self.status.skew = skew;
        let Some(skew) = skew.filter(|skew| now.trusted && skew.saturating_abs() > MOST_SKEW) else {
            self.health.clear(CLOCK_SKEW);
            return;
        };
        let (minutes, direction) = (
            skew.saturating_abs() / 60_000,
            if skew > 0 { "ahead of" } else { "behind" },
        );
        let text = format!(
            "the clock of {} is {minutes} minutes {direction} this gateway's, which is trusted; the facts are used all the \
             same. Look at the time servers here, and tell whoever runs the cloud",
            self.status.place
        );
        self.health.raise(CLOCK_SKEW, text, now.at);
    }

    pub(super) fn not_used(&mut self, text: &str) {
        let words = format!("the newest facts could not be worked out, the last ones stay in force: {text}");
        tracing::warn!("{words}");
        self.health.raise("facts_not_used", words, self.clock.now().at);
        self.status.last_error = Some(text.to_owned());
        self.show();
    }

    pub(super) fn failed(&mut self, error: &PlatformError) -> (Result<String, String>, Duration) {
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

    pub(super) fn contact(&mut self) {
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

    pub(super) fn show(&mut self) {
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
        let now = self.clock.now();
        let still_in = self.still_in.as_ref();
        self.status.still_in =
            still_in.map(|all| all.iter().filter(|it| it.holds(now.at)).cloned().collect());
        self.health.section("sync", &self.status);
    }
}
