//! The one task that keeps the book: what the stream brings and what asking finds goes through here, in turn.

use super::{
    backfill,
    book::{Book, Taken},
    hub,
    input::{Ask, Input, Page},
    map::{self, Known, Meaning},
    model::Entry,
    own::OwnOpenings,
    people::{Doors, Holders, People},
    plan::Plan,
    status::Status,
};
use crate::{
    clock::Clock,
    domain::{
        DoorId,
        time::{DAY_MS, Millis},
    },
    health::Health,
    salto::{KsError, Session, pairing::Desk},
    store::Store,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::sleep,
};

/// The faults of this task.
pub const FAULTS: [&str; 4] = [STREAM, ASKING, JOURNAL, UNREADABLE];
const STREAM: &str = "ks_stream";
const ASKING: &str = "ks_entries";
const JOURNAL: &str = "ks_entries_kept";
const UNREADABLE: &str = "ks_entries_unreadable";
/// A stream that is down for less is nobody's business: entries are asked for meanwhile.
const LONG_DOWN: Duration = Duration::from_secs(600);
/// So many questions in a row without an answer are one's business.
const MANY_FAILURES: u32 = 4;
/// Ids of streamed entries are written at the latest after this.
const SETTLE: Duration = Duration::from_secs(60);
/// So many entries are settled at a time.
const MANY: usize = 1_000;
/// Who is who is read again after this, and for a stranger after a shorter time.
const REREAD: Duration = Duration::from_secs(60);
const REREAD_FOR_STRANGERS: Duration = Duration::from_secs(2);
/// A journal that cannot be read yet is tried again after this.
const AGAIN: Duration = Duration::from_secs(2);
/// Events that are looked through at the start for openings of the gateway's own.
const RECENT: usize = 200;
/// The longest sleep without looking at the clock.
const LOOK: Duration = Duration::from_secs(5);

/// Hears entries at KS and keeps each once.
pub struct Listener {
    /// The account.
    pub session: Session,
    /// Which locks are doors.
    pub doors: Doors,
    /// Who holds which card.
    pub holders: Arc<dyn Holders>,
    /// Where tags are paired with cards.
    pub desk: Desk,
    /// What the gateway itself opens.
    pub own: OwnOpenings,
    /// The journal.
    pub store: Store,
    /// The clock.
    pub clock: Clock,
    /// For faults and the section `ks_entries`.
    pub health: Health,
}

/// What the task knows while it runs.
struct Ear {
    listener: Listener,
    /// Absent only while it is on its way to the disk.
    book: Option<Book<Store>>,
    people: People,
    people_read: Option<Duration>,
    plan: Plan,
    status: Status,
    settled: Duration,
    down_since: Option<Duration>,
    /// The latest entry of the question under way.
    through: Option<Millis>,
}

impl Listener {
    /// Nobody listens any more.
    pub fn stand_down(health: &Health) {
        for fault in FAULTS {
            health.clear(fault);
        }
        health.section("ks_entries", &serde_json::json!({}));
    }

    /// Runs until `stop` says so. What was not heard by then is asked for after the next start.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let book = tokio::select! {
            book = self.open() => book,
            _ = stop.changed() => return,
        };
        let (sender, mut inputs) = mpsc::channel(256);
        let (asks, asked) = mpsc::channel(1);
        let mut tasks = JoinSet::new();
        tasks.spawn(hub::keep(
            self.session.clone(),
            self.clock.clone(),
            sender.clone(),
        ));
        tasks.spawn(backfill::answer(self.session.clone(), asked, sender));
        let now = self.clock.monotonic();
        let mut ear = Ear {
            status: Status {
                complete_until: book.complete(),
                ..Status::default()
            },
            book: Some(book),
            people: People::default(),
            people_read: None,
            plan: Plan::default(),
            settled: now,
            down_since: Some(now),
            through: None,
            listener: self,
        };
        loop {
            ear.ask(&asks).await;
            ear.show();
            let pause = ear.pause();
            tokio::select! {
                input = inputs.recv() => match input {
                    Some(input) => ear.hear(input).await,
                    None => return,
                },
                () = sleep(pause) => {}
                _ = stop.changed() => break,
            }
            if ear.is_due() {
                ear.settle(None).await;
            }
        }
        drop(tasks);
        ear.settle(None).await;
    }

    /// Nothing may be heard before the journal has been read: it says what was heard before.
    async fn open(&self) -> Book<Store> {
        loop {
            let (store, now) = (self.store.clone(), self.clock.now());
            let own = self.own.clone();
            let opened = tokio::task::spawn_blocking(move || {
                let book = Book::open(store.clone(), now)?;
                // After the book, which has brought everything to the disk.
                if !own.is_read() {
                    let events = store.read().events_before(u64::MAX, RECENT);
                    own.read(&events.map_err(|error| error.to_string())?);
                }
                Ok::<_, String>(book)
            })
            .await;
            let error = match opened {
                Ok(Ok(book)) => {
                    self.health.clear(JOURNAL);
                    return book;
                }
                Ok(Err(error)) => error,
                Err(error) => error.to_string(),
            };
            let text = format!(
                "entries at SALTO KS wait until the journal can be read: {error}; none is lost there"
            );
            self.health.raise(JOURNAL, text, now.at);
            sleep(AGAIN).await;
        }
    }
}

impl Ear {
    fn now(&self) -> Duration {
        self.listener.clock.monotonic()
    }

    fn pause(&self) -> Duration {
        let has_begun = self.book.as_ref().is_some_and(|book| book.complete().is_some());
        if self.plan.is_asking() || !has_begun {
            return LOOK;
        }
        let due = self.plan.due().saturating_sub(self.now());
        due.clamp(Duration::from_millis(50), LOOK)
    }

    /// Asks for the past when it is due. The first start ever begins with that moment.
    async fn ask(&mut self, asks: &mpsc::Sender<Ask>) {
        let clock_now = self.listener.clock.now();
        let Some(complete) = self.book.as_ref().and_then(Book::complete) else {
            // A clock that may be wrong says no such moment.
            if clock_now.trusted {
                self.settle(Some(clock_now.at)).await;
            }
            return;
        };
        let Some(back) = self.plan.ask(self.now()) else {
            return;
        };
        let mut from = complete.saturating_sub(back);
        if clock_now.trusted {
            from = from.max(clock_now.at.saturating_sub(map::KEPT));
        }
        (self.status.asked, self.through) = (0, None);
        if asks.try_send(Ask { from }).is_err() {
            self.plan.asked(self.now(), false);
        }
    }

    async fn hear(&mut self, input: Input) {
        match input {
            Input::Up => {
                self.status.connected = true;
                self.status.streaming = Some(true);
                self.status.connections += 1;
                self.down_since = None;
                self.listener.health.clear(STREAM);
                self.plan.streaming(true);
            }
            Input::Down(why) => {
                self.status.connected = false;
                self.plan.streaming(false);
                tracing::info!(%why, "the stream of entries at SALTO KS is down; entries are asked for meanwhile");
                self.down(why);
            }
            Input::NoStream => {
                self.status.connected = false;
                self.status.streaming = Some(false);
                self.down_since = None;
                self.listener.health.clear(STREAM);
                self.plan.streaming(false);
            }
            Input::Streamed(Some(value)) => match Entry::read(value) {
                Ok((entry, at)) => {
                    if !self.take(&entry, at).await {
                        self.plan.missed();
                    }
                }
                Err(_) => self.plan.missed(),
            },
            Input::Streamed(None) => self.plan.missed(),
            Input::Page(page) => self.page(page).await,
            Input::Asked(outcome) => self.asked(outcome),
        }
    }

    fn down(&mut self, why: String) {
        let now = self.now();
        let since = *self.down_since.get_or_insert(now);
        let long = now.saturating_sub(since);
        if long >= LONG_DOWN {
            let minutes = long.as_secs() / 60;
            let polling = if self.plan.failures() == 0 {
                "entries are asked for every 15 s meanwhile, so that check-ins come later"
            } else {
                "and asking for entries fails as well"
            };
            let text = format!(
                "the stream of entries at SALTO KS has been down for {minutes} minutes; {polling}: {why}"
            );
            let at = self.listener.clock.now().at;
            self.listener.health.raise(STREAM, text, at);
        }
        self.status.last_error = Some(why);
    }

    /// Takes a page; what asked for it goes on when it is on disk.
    async fn page(&mut self, page: Page) {
        let now = self.listener.clock.now();
        let mut all = true;
        for item in page.items {
            self.status.asked += 1;
            let Ok((entry, at)) = Entry::read(item) else {
                self.unreadable();
                continue;
            };
            all = self.take(&entry, at).await;
            if !all {
                break;
            }
            // The mark never runs ahead: a lock whose clock does would hide what comes after.
            if now.trusted && at <= now.at {
                self.through = self.through.max(Some(at));
            }
        }
        let complete = self.through.filter(|_| page.in_order || page.last);
        let settle_now = page.last || self.book.as_ref().is_some_and(|book| book.unsettled() >= MANY);
        let kept = all && (!settle_now || self.settle(complete).await);
        self.show();
        let _ = page.kept.send(kept); // whoever asked may have ended
    }

    fn asked(&mut self, outcome: Result<u64, KsError>) {
        let now = self.now();
        self.plan.asked(now, outcome.is_ok());
        let health = &self.listener.health;
        match outcome {
            Ok(_) => {
                if self.status.connected || self.status.streaming == Some(false) {
                    self.status.last_error = None;
                }
                health.clear(ASKING);
            }
            Err(error) => {
                tracing::info!(%error, "entries at SALTO KS could not be asked for");
                if self.plan.failures() >= MANY_FAILURES {
                    let text = format!(
                        "entries at SALTO KS cannot be asked for, so some may be missing until they can; KS keeps \
                         them for 90 days: {error}"
                    );
                    health.raise(ASKING, text, self.listener.clock.now().at);
                }
                self.status.last_error = Some(error.text);
            }
        }
    }

    fn unreadable(&mut self) {
        self.status.unreadable += 1;
        let text = format!(
            "{} entries at SALTO KS cannot be read by this version; the others are kept; a newer gateway may \
             understand them",
            self.status.unreadable
        );
        let at = self.listener.clock.now().at;
        self.listener.health.raise(UNREADABLE, text, at);
    }

    /// Makes an entry an event, once. False: the journal has no room for it now.
    async fn take(&mut self, entry: &Entry, at: Millis) -> bool {
        let now = self.listener.clock.now();
        if self.book.as_ref().is_none_or(|book| book.knows(&entry.id)) {
            self.status.known += 1;
            return true;
        }
        self.listener.desk.heard(entry, at, now).await;
        self.read_people(entry).await;
        let doors = &self.listener.doors;
        let Some(door) = doors.of(entry).or_else(|| self.people.renamed(entry, doors)) else {
            let new = self.book.as_mut().is_some_and(|book| book.note(&entry.id, now));
            if new && !self.listener.desk.is_reader(entry) {
                let lock = entry
                    .lock_customer_reference
                    .as_deref()
                    .or(entry.lock_id.as_deref());
                self.status.count_elsewhere(lock);
            }
            return true;
        };
        let (person, name) = self.people.of_entry(entry, &*self.listener.holders);
        let office_mode_counts = self.listener.session.config().office_mode_counts;
        let is_remote = map::meaning(entry, office_mode_counts) == Meaning::Remote;
        let known = Known {
            own: is_remote && self.is_own(entry, &door, at).await,
            door: Some(door),
            person,
            name,
        };
        let draft = map::draft(entry, at, known, office_mode_counts, now);
        let taken = self
            .book
            .as_mut()
            .map_or(Taken::NoRoom, |book| book.take(&entry.id, &draft, now));
        match taken {
            Taken::New(_) => {
                let meaning = map::meaning(entry, office_mode_counts);
                self.status.count(meaning, entry.event_category.as_deref());
                if at <= now.at.saturating_add(DAY_MS) {
                    self.status.last_entry = self.status.last_entry.max(Some(at));
                }
                if meaning == Meaning::Unknown {
                    tracing::info!(entry = %entry.id, "an entry at SALTO KS of a category that this version does not know");
                }
                true
            }
            Taken::Known => true,
            Taken::NoRoom => false,
        }
    }

    /// Whether an opening from afar is one that the gateway asked for: at this door, about then, by its own user.
    async fn is_own(&self, entry: &Entry, door: &DoorId, at: Millis) -> bool {
        let own = &self.listener.own;
        if !own.may_be(door, at) {
            return false;
        }
        let me = self.listener.session.me().await;
        let somebody_else = match (entry.user_id.as_deref(), me) {
            (Some(user), Some(me)) => !user.eq_ignore_ascii_case(&me),
            _ => false,
        };
        !somebody_else && own.claim(door, at)
    }

    /// Who is who, from time to time and for a stranger.
    async fn read_people(&mut self, entry: &Entry) {
        let now = self.now();
        let every = if self.people.is_stranger(entry) {
            REREAD_FOR_STRANGERS
        } else {
            REREAD
        };
        if self
            .people_read
            .is_some_and(|read| now.saturating_sub(read) < every)
        {
            return;
        }
        let store = self.listener.store.clone();
        match tokio::task::spawn_blocking(move || People::read(&store)).await {
            Ok(Ok(people)) => {
                self.people = people;
                self.people_read = Some(now);
            }
            Ok(Err(error)) => tracing::warn!(%error, "who is who at SALTO KS cannot be read"),
            Err(error) => tracing::warn!(%error, "who is who at SALTO KS cannot be read"),
        }
    }

    fn is_due(&self) -> bool {
        let unsettled = self.book.as_ref().map_or(0, Book::unsettled);
        unsettled >= MANY || (unsettled > 0 && self.now().saturating_sub(self.settled) >= SETTLE)
    }

    /// Brings what was taken to the disk. False: it does not take it now; it is in the ring.
    async fn settle(&mut self, complete: Option<Millis>) -> bool {
        let Some(mut book) = self.book.take() else {
            return false;
        };
        let now = self.listener.clock.now();
        let settled = tokio::task::spawn_blocking(move || {
            let settled = book.settle(complete, now);
            (book, settled)
        });
        self.settled = self.now();
        match settled.await {
            Ok((book, outcome)) => {
                self.status.complete_until = book.complete();
                self.book = Some(book);
                match outcome {
                    Ok(()) => {
                        self.listener.health.clear(JOURNAL);
                        true
                    }
                    Err(error) => {
                        let text = format!(
                            "entries at SALTO KS are kept in memory only until the disk takes them: {error}"
                        );
                        self.listener.health.raise(JOURNAL, text, now.at);
                        false
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "the book of entries is lost; it is read again");
                self.book = Some(self.listener.open().await);
                false
            }
        }
    }

    fn show(&mut self) {
        self.status.asking = self.plan.is_asking();
        self.listener.health.section("ks_entries", &self.status);
    }
}
