//! The simulated site: readers on ptys, the reference cloud, a broker if one is installed, and the real daemon
//! as a process of its own.

use super::cast;
use crate::{
    clock::Clock,
    domain::{EntryEvent, EventKind},
    store::{ReadStore, Store},
};
use doorward_peers::{
    cloud::{Cloud, Options},
    mosquitto::{Mosquitto, Setup, Subscriber},
    osdp::{Bus, PdSpec, Seen},
};
use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::Receiver,
    time::Duration,
};

/// How long the daemon may take to know its readers and its facts.
const CURTAIN: Duration = Duration::from_secs(30);

/// Everything that runs. Dropping it ends and removes it all.
pub(super) struct Stage {
    dir: PathBuf,
    buses: Vec<Bus>,
    pub(super) seen: Vec<Receiver<Seen>>,
    pub(super) cloud: Cloud,
    broker: Option<(Mosquitto, Subscriber)>,
    daemon: Option<Child>,
    journal: Option<ReadStore>,
    last: u64,
}

/// The key of each simulated reader: its number, over and over.
const fn key(bus: u8, address: u8) -> [u8; 16] {
    [0x40 + bus * 16 + address; 16]
}

impl Stage {
    /// Builds the site and starts the daemon.
    pub(super) fn build(clock: &Clock) -> io::Result<Self> {
        let dir = std::env::temp_dir().join(format!("doorward-demo-{}", std::process::id()));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let spec = |bus, address| PdSpec {
            address,
            key: Some(key(bus, address)),
        };
        let buses = vec![
            Bus::start(vec![spec(0, 0), spec(0, 1)])?,
            Bus::start(vec![spec(1, 0)])?,
        ];
        let seen = buses.iter().map(Bus::observed).collect();
        let cloud = Cloud::start(Options {
            world: cast::world(clock.now().at),
            ..Options::default()
        })?;
        let broker = broker(&dir);
        let mut stage = Self {
            dir,
            buses,
            seen,
            cloud,
            broker,
            daemon: None,
            journal: None,
            last: 0,
        };
        stage.configure()?;
        stage.start_daemon()?;
        Ok(stage)
    }

    fn secret(&self, name: &str, text: &str) -> io::Result<()> {
        use io::Write as _;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(self.dir.join(name))?;
        file.write_all(text.as_bytes())
    }

    fn configure(&self) -> io::Result<()> {
        let dir = self.dir.display();
        self.secret("token", self.cloud.token())?;
        for (bus, address) in [(0, 0), (0, 1), (1, 0)] {
            let hex: String = key(bus, address)
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect();
            self.secret(&format!("key-{bus}-{address}"), &hex)?;
        }
        let mut text = include_str!("site.toml").replace("{dir}", &dir.to_string());
        text = text.replace("{cloud}", &self.cloud.url());
        for (number, bus) in self.buses.iter().enumerate() {
            text = text.replace(&format!("{{bus{number}}}"), &bus.path().display().to_string());
        }
        if let Some((broker, _)) = &self.broker {
            text.push_str(&format!(
                "\n[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\nperson = \"name\"\n",
                broker.plain_port
            ));
        }
        fs::write(self.dir.join("doorward.toml"), text)
    }

    fn start_daemon(&mut self) -> io::Result<()> {
        let log = fs::File::create(self.log())?;
        let child = Command::new(std::env::current_exe()?)
            .args(["run", "--config"])
            .arg(self.dir.join("doorward.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.daemon = Some(child);
        Ok(())
    }

    /// Where the daemon's log is.
    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// Waits until every reader answers and the facts are in force.
    pub(super) fn ready(&mut self, clock: &Clock) -> Result<(), String> {
        let deadline = clock.monotonic() + CURTAIN;
        let (mut readers, mut facts) = (0, false);
        while readers < cast::SPOTS.len() || !facts {
            for event in self.events() {
                readers += usize::from(event.body.kind == EventKind::ReaderOnline);
                facts |= event.body.kind == EventKind::SnapshotApplied;
            }
            let gone = self
                .daemon
                .as_mut()
                .and_then(|daemon| daemon.try_wait().ok().flatten());
            if gone.is_some() || clock.monotonic() > deadline {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                return Err(format!(
                    "the daemon did not come up ({readers} readers, facts: {facts}):\n{log}"
                ));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Events of the journal that were not seen before.
    pub(super) fn events(&mut self) -> Vec<EntryEvent> {
        if self.journal.is_none() {
            self.journal = Store::open_read_only(&self.dir.join("state")).ok();
        }
        let events = self
            .journal
            .as_ref()
            .and_then(|journal| journal.events_after(self.last, 1_000).ok());
        let events = events.unwrap_or_default();
        self.last = events.last().map_or(self.last, |event| event.seq);
        events
    }

    /// Presents a card.
    pub(super) fn tap(&self, spot: cast::Spot, card: &[u8]) {
        if let Some(bus) = self.buses.get(spot.bus) {
            bus.tap(spot.address, card.len() * 8, card);
        }
    }

    /// How many events the broker's subscriber has heard, if there is a broker.
    pub(super) fn heard(&self) -> Option<u64> {
        let (_, subscriber) = self.broker.as_ref()?;
        let messages = subscriber.messages();
        let events = messages
            .iter()
            .filter(|message| message.topic.ends_with("/event"));
        u64::try_from(events.count()).ok()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let pid = i32::try_from(daemon.id())
                .ok()
                .and_then(rustix::process::Pid::from_raw);
            if let Some(pid) = pid {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            }
            let _ = daemon.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A broker, if mosquitto is installed: the play goes on without.
fn broker(dir: &Path) -> Option<(Mosquitto, Subscriber)> {
    let folder = dir.join("broker");
    fs::create_dir_all(&folder).ok()?;
    let broker = Mosquitto::start(&folder, &Setup::default()).ok()?;
    let subscriber = broker.subscribe("doorward/#").ok()?;
    Some((broker, subscriber))
}
