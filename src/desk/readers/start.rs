//! The handle of the desk's readers: the threads behind it come and go with the configuration, the handle stays.

use super::{
    DeskEvent, DeskReader, Kind, Presentation, Trouble,
    hub::{Hub, Recent},
    pcsc, pn532, wedge,
};
use crate::{
    clock::Clock,
    config::model::{DeskConfig, DeskPlace},
    domain::{Credential, ReaderId, say::readers as say},
    health::Health,
};
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::{broadcast, watch};

/// Where the system shows its devices. Tests have folders of their own.
#[derive(Clone, Debug)]
pub struct Places {
    /// Serial ports and the folder `input` are in it.
    pub dev: PathBuf,
    /// What the kernel tells about USB and input devices.
    pub sys: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            dev: "/dev".into(),
            sys: "/sys".into(),
        }
    }
}

/// What every thread at the desk is given.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub(super) hub: Hub,
    pub(super) places: Places,
    stop: Arc<AtomicBool>,
}

impl Around {
    /// Without a supervisor, for tests of one part.
    #[cfg(test)]
    pub(super) fn of(hub: Hub) -> Self {
        Self {
            hub,
            places: Places::default(),
            stop: Arc::default(),
        }
    }
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
    /// Time since the start, for pauses and deadlines.
    pub(super) fn now(&self) -> Duration {
        self.hub.clock().monotonic()
    }
    /// Waits, or less long when the desk ends.
    pub(super) fn rest(&self, pause: Duration) {
        let until = self.now() + pause;
        while !self.stopped() && self.now() < until {
            std::thread::park_timeout(pause.min(Duration::from_millis(100)));
        }
    }
}

/// The desk's readers. Cheap to clone; all clones are the same desk.
#[derive(Clone, Debug)]
pub struct Readers {
    hub: Hub,
    places: Places,
    running: Arc<Mutex<Vec<Running>>>,
}

#[derive(Debug)]
struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Readers {
    /// Begins to look for readers. `lines`: the serial ports of doors, which are never touched. Without a
    /// configuration nothing is looked for until [`Self::reconfigure`].
    #[must_use]
    pub fn start(
        config: Option<&DeskConfig>,
        lines: &[PathBuf],
        places: Places,
        clock: Clock,
        health: Health,
    ) -> (Self, broadcast::Receiver<DeskEvent>) {
        let readers = Self {
            hub: Hub::new(clock, health),
            places,
            running: Arc::default(),
        };
        let events = readers.subscribe();
        readers.begin(config, lines);
        (readers, events)
    }

    /// Ends the threads and begins again. Waits for what is under way, up to a second or so.
    pub fn reconfigure(&self, config: Option<&DeskConfig>, lines: &[PathBuf]) {
        self.stop();
        self.begin(config, lines);
    }

    fn begin(&self, config: Option<&DeskConfig>, lines: &[PathBuf]) {
        let Some(config) = config else { return };
        self.hub.show();
        if config.pcsc {
            self.spawn("desk-pcsc", pcsc::run);
        }
        let mut named = lines.to_vec();
        for reader in &config.readers {
            let name = reader.name.clone();
            match reader.place.clone() {
                DeskPlace::Pn532 { path } => {
                    named.push(path.clone());
                    self.spawn("desk-pn532", move |around| {
                        pn532::run(&around, &path, name.as_deref())
                    });
                }
                DeskPlace::Wedge { device, number } => {
                    self.spawn("desk-wedge", move |around| {
                        wedge::run(&around, &device, number, name.as_deref());
                    });
                }
            }
        }
        if config.find_pn532 {
            self.spawn("desk-find", move |around| pn532::find(&around, &named));
        }
    }

    fn spawn(&self, name: &str, run: impl FnOnce(Around) + Send + 'static) {
        let stop = Arc::<AtomicBool>::default();
        let around = Around {
            hub: self.hub.clone(),
            places: self.places.clone(),
            stop: Arc::clone(&stop),
        };
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || run(around));
        match thread {
            Ok(thread) => {
                let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
                running.push(Running { stop, thread });
            }
            Err(error) => {
                let words = format!("no reader at the desk works: the system gives no thread ({error})");
                self.hub.trouble("desk_thread", None, &words);
            }
        }
    }

    /// Ends every thread and waits for them, up to a second or so. What listens goes on listening.
    pub fn stop(&self) {
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in &running {
            thread.stop.store(true, Ordering::Relaxed);
            thread.thread.thread().unpark();
        }
        for thread in running {
            let _ = thread.thread.join(); // one that panicked has said so
        }
        self.hub.forget(&[Kind::Pcsc, Kind::Pn532, Kind::Wedge], "desk_");
    }

    /// Everything from now on. A listener that is slower than 256 events misses the oldest and is told so.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<DeskEvent> {
        self.hub.subscribe()
    }

    /// The readers that are there now, in the order of their ids.
    #[must_use]
    pub fn list(&self) -> Vec<DeskReader> {
        self.hub.list()
    }

    /// What stands wrong at the desk, in words for people. The same stand among the faults.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        self.standing().into_iter().map(|trouble| trouble.words).collect()
    }

    /// The same, with the reader where it is one's.
    #[must_use]
    pub fn standing(&self) -> Vec<Trouble> {
        self.hub.troubles()
    }

    /// Presentations after this number, oldest first, as far as they can still be named: the last 128, for a quarter of an
    /// hour.
    #[must_use]
    pub fn presentations(&self, after: u64) -> Vec<Presentation> {
        self.hub.presentations(after)
    }

    /// One of them.
    #[must_use]
    pub fn presentation(&self, number: u64) -> Option<Presentation> {
        let found = self.presentations(number.checked_sub(1)?).into_iter().next();
        found.filter(|it| it.number == number)
    }

    /// The number of the presentation that an event of [`Self::since`] tells of.
    #[must_use]
    pub fn number(&self, event: u64) -> u64 {
        self.hub.number(event)
    }

    /// A number that was typed at the page, or that a browser read. Gives the number of its presentation; nothing for a UID
    /// that is made anew each time.
    #[must_use]
    pub fn typed(&self, credential: Credential) -> Option<u64> {
        self.hub.typed(credential)
    }

    /// The last events after number `after`; at most 64 are kept.
    #[must_use]
    pub fn since(&self, after: u64) -> Recent {
        self.hub.since(after)
    }

    /// Changes at every event, to the number of the last one.
    #[must_use]
    pub fn told(&self) -> watch::Receiver<u64> {
        self.hub.told()
    }

    /// A door's reader was lent to the desk: from now on it is one of the desk's.
    pub fn lent(&self, reader: &ReaderId, name: &str) {
        self.hub.appeared(reader, name, Kind::Door);
    }

    /// A card was presented at a lent reader. `None`: bits that no format accepts.
    pub fn presented_at_door(&self, reader: &ReaderId, credential: Option<Credential>) {
        match credential {
            Some(credential) => {
                self.hub.presented(reader, credential);
            }
            None => self.hub.remark(reader, say::reader_bits()),
        }
    }

    /// The loan is over.
    pub fn returned(&self, reader: &ReaderId) {
        self.hub.gone(reader);
    }
}
