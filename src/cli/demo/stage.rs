//! The simulated house: readers on ptys, a broker if one is installed, and the real daemon as a process of its own. The
//! cloud belongs to the play.

#[cfg(feature = "stories")]
mod ahead;

use super::cast;
use crate::{
    clock::Clock,
    domain::{EntryEvent, EventKind},
    store::{ReadStore, Store},
};
use doorward_peers::{
    mosquitto::{Mosquitto, Setup, Subscriber},
    osdp::{Bus, PdSpec, Seen},
    wradapt::Wradapt,
};
use std::{
    collections::HashSet,
    fs, io,
    os::unix::{
        fs::{DirBuilderExt as _, OpenOptionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::Receiver,
    time::Duration,
};

/// How long the daemon may take to know its readers and its facts.
const CURTAIN: Duration = Duration::from_secs(90);

/// Everything that runs. Dropping it ends and removes it all.
pub(super) struct Stage {
    buses: Vec<Bus>,
    adaptor: Wradapt,
    pub(super) seen: Vec<Receiver<Seen>>,
    broker: Result<(Mosquitto, Subscriber), String>,
    daemon: Option<Child>,
    journal: Option<ReadStore>,
    last: u64,
    /// Last, so that it goes when everything in it has ended.
    dir: Folder,
}

/// The key of each simulated reader: its number, over and over.
const fn key(bus: u8, address: u8) -> [u8; 16] {
    [0x40 + bus * 16 + address; 16]
}

impl Stage {
    /// Builds the house and starts the daemon. `cloud` gives the configuration's sections about the cloud, `{dir}` in
    /// them being the site's folder, and may write secrets there. Says what failed, in words for people.
    pub(super) fn build(cloud: impl FnOnce(&Path) -> io::Result<String>) -> Result<Self, String> {
        let pty =
            what("a simulated serial line needs a pty and the system gives none (is /dev/pts mounted?)");
        let dir = Folder::new().map_err(what("no folder for the site under the temporary files"))?;
        let cloud = cloud(&dir.0).map_err(what("the cloud's part of the site"))?;
        let spec = |bus, address| PdSpec {
            address,
            key: Some(key(bus, address)),
        };
        let buses = vec![
            Bus::start(vec![spec(0, 0), spec(0, 1)]).map_err(&pty)?,
            Bus::start(vec![spec(1, 0)]).map_err(&pty)?,
        ];
        let adaptor = Wradapt::start().map_err(&pty)?;
        let seen = buses.iter().map(Bus::observed).collect();
        let broker = broker(&dir.0);
        let mut stage = Self {
            dir,
            buses,
            adaptor,
            seen,
            broker,
            daemon: None,
            journal: None,
            last: 0,
        };
        stage
            .configure(&cloud)
            .map_err(what("the site's configuration"))?;
        stage.start_daemon().map_err(what("the gateway does not start"))?;
        Ok(stage)
    }

    fn configure(&self, cloud: &str) -> io::Result<()> {
        let dir = self.dir.0.display();
        for (bus, address) in [(0, 0), (0, 1), (1, 0)] {
            let hex: String = key(bus, address)
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect();
            secret(&self.dir.0.join(format!("key-{bus}-{address}")), &hex)?;
        }
        let text = format!("{}\n{cloud}\n", include_str!("site.toml"));
        let mut text = text.replace("{dir}", &dir.to_string());
        text = text.replace("{adaptor}", &self.adaptor.path().display().to_string());
        for (number, bus) in self.buses.iter().enumerate() {
            text = text.replace(&format!("{{bus{number}}}"), &bus.path().display().to_string());
        }
        if let Ok((broker, _)) = &self.broker {
            text.push_str(&format!(
                "\n[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\nperson = \"name\"\n",
                broker.plain_port
            ));
        }
        fs::write(self.dir.0.join("doorward.toml"), text)
    }

    fn start_daemon(&mut self) -> io::Result<()> {
        let log = fs::File::create(self.log())?;
        let child = Command::new(std::env::current_exe()?)
            .args(["run", "--config"])
            .arg(self.dir.0.join("doorward.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0) // a Ctrl-C in the terminal is for the play, which ends the daemon in good order
            .spawn()?;
        self.daemon = Some(child);
        Ok(())
    }

    /// Where the daemon's log is.
    pub(super) fn log(&self) -> PathBuf {
        self.dir.0.join("log")
    }

    /// Where its control socket is.
    pub(super) fn runtime_dir(&self) -> PathBuf {
        self.dir.0.join("run")
    }

    /// Waits until every reader answers and the facts are in force. False when `stop` says so before.
    pub(super) fn ready(&mut self, clock: &Clock, stop: impl Fn() -> bool) -> Result<bool, String> {
        let deadline = clock.monotonic() + CURTAIN;
        let (mut readers, mut facts) = (HashSet::new(), false);
        while readers.len() < cast::SPOTS.len() || !facts {
            if stop() {
                return Ok(false);
            }
            for event in self.events() {
                facts |= event.body.kind == EventKind::SnapshotApplied;
                if event.body.kind == EventKind::ReaderOnline {
                    readers.extend(event.body.reader);
                }
            }
            let ended = self
                .daemon
                .as_mut()
                .and_then(|daemon| daemon.try_wait().ok().flatten());
            let late = clock.monotonic() > deadline;
            if ended.is_some() || late {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                let lines: Vec<&str> = log.lines().collect();
                let last = lines
                    .get(lines.len().saturating_sub(20)..)
                    .unwrap_or_default()
                    .join("\n");
                let why = match ended {
                    Some(status) => format!("it ended with {status}"),
                    None => format!(
                        "{} of {} readers are online, facts: {facts}",
                        readers.len(),
                        cast::SPOTS.len()
                    ),
                };
                return Err(format!(
                    "the gateway did not come up: {why}; the end of its log:\n{last}"
                ));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(true)
    }

    /// Events of the journal that were not seen before.
    pub(super) fn events(&mut self) -> Vec<EntryEvent> {
        if self.journal.is_none() {
            self.journal = Store::open_read_only(&self.dir.0.join("state")).ok();
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
        match spot.reader {
            cast::Plug::Osdp { bus, address } => {
                if let Some(bus) = self.buses.get(bus) {
                    bus.tap(address, card.len() * 8, card);
                }
            }
            cast::Plug::Wradapt => {
                let digits: String = card.iter().map(|byte| format!("{byte:02X}")).collect();
                self.adaptor.frame(&digits);
            }
        }
    }

    /// Why there is no MQTT on this stage, if there is none.
    pub(super) fn no_broker(&self) -> Option<String> {
        self.broker.as_ref().err().cloned()
    }

    /// How many events the broker's subscriber has heard, if there is a broker.
    pub(super) fn heard(&self) -> Option<u64> {
        let (_, subscriber) = self.broker.as_ref().ok()?;
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
    }
}

fn what(what: &'static str) -> impl Fn(io::Error) -> String {
    move |error| format!("{what}: {error}")
}

/// Writes a file that only its owner may read.
pub(super) fn secret(path: &Path, text: &str) -> io::Result<()> {
    use io::Write as _;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// The site's folder, removed when the stage is.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("doorward-demo-{}", std::process::id()));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    #[cfg(feature = "stories")]
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A broker, if mosquitto is installed: the play goes on without.
fn broker(dir: &Path) -> Result<(Mosquitto, Subscriber), String> {
    let why = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "mosquitto is not installed".to_owned(),
        _ => format!("mosquitto does not start: {error}"),
    };
    let folder = dir.join("broker");
    fs::create_dir_all(&folder).map_err(why)?;
    let broker = Mosquitto::start(&folder, &Setup::default()).map_err(why)?;
    let subscriber = broker.subscribe("doorward/#").map_err(why)?;
    Ok((broker, subscriber))
}
