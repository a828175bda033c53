//! A whole site for a part: folders, configuration, what is stored, and the real daemon as a process.
//!
//! The state directory is below `target/`, on the disk; the runtime directory is in memory where there is
//! `/dev/shm`, as on the appliance. The daemon's log goes there too, so that it does not count as written.

use crate::report::{Failure, now};
use doorward::{
    clock::Clock,
    config::{self, Config, Environment},
    domain::{
        Credential, EntryEvent, EventKind, PersonId,
        facts::{Facts, Membership, Person},
    },
    health::Health,
    store::{ReadStore, SnapshotMeta, Store, StoreOptions},
    sync::build,
};
use doorward_peers::cloud;
use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, net::UnixDatagram},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The key of every simulated OSDP reader.
pub(crate) const KEY: [u8; 16] = [0x42; 16];
/// Nothing here takes longer unless it is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
const TOKEN: &str = "reference-token";
const PLAN: &str = "Hot desk";
/// The version of seeded facts, and of clouds that have nothing newer.
pub(crate) const VERSION: u64 = 7;

/// The bytes of a card, as a reader hears them: a seven-byte UID.
pub(crate) fn card(number: u32) -> [u8; 7] {
    let [a, b, c, d] = number.to_be_bytes();
    [4, a, b, c, d, d.wrapping_mul(151) ^ c, 0x80]
}

/// The same as the 14 digits that a WRADAPT sends.
pub(crate) fn digits(number: u32) -> String {
    card(number).iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The id of the person who holds a card.
pub(crate) fn person(number: u32) -> String {
    format!("m{number:07}")
}

/// Everybody has one card and one membership that opens every door around the clock.
pub(crate) fn world(size: u32) -> cloud::World {
    let mut world = cloud::World::default();
    for n in 0..size {
        let card = format!("uid:{}", digits(n));
        world.member(&person(n), &format!("Member No {n:06}"), &card, PLAN);
    }
    world
}

fn facts(size: u32) -> Result<Facts, Failure> {
    let mut facts = Facts {
        version: VERSION,
        ..Facts::default()
    };
    for n in 0..size {
        let id = PersonId::from(person(n));
        facts.people.push(Person {
            id: id.clone(),
            name: format!("Member No {n:06}"),
            email: None,
            team: None,
            deactivated: false,
            credentials: vec![Credential::uid(&card(n))?],
            groups: Vec::new(),
        });
        facts.memberships.push(Membership {
            id: format!("m-{id}"),
            plan: PLAN.into(),
            person: Some(id),
            team: None,
            starts: None,
            ends: None,
            cancelled: false,
            pass_based: false,
        });
    }
    Ok(facts)
}

/// A site's configuration: where its cloud is, how many doors it has, and its lines.
pub(crate) fn config(cloud: Option<&str>, doors: u8, lines: &str) -> String {
    let doors: Vec<String> = (0..doors).map(|n| format!("\"door{n}\"")).collect();
    let cloud = cloud.map_or_else(String::new, |url| {
        format!(
            "[cloud]\nkind = \"contract\"\nurl = \"{url}\"\ntoken = {{ file = \"{{dir}}/token\" }}\n\
             [sync]\npoll_seconds = 5\n[checkins]\n"
        )
    });
    format!(
        "[site]\nid = \"bench\"\nzone = \"Europe/Madrid\"\n[paths]\nstate = \"{{dir}}/state\"\nruntime = \"{{run}}\"\n\
         [clock]\nrtc = true\n{cloud}[map.plans]\n\"{PLAN}\" = [\"members\"]\n[[group]]\nid = \"members\"\n\
         doors = [{}]\n{lines}",
        doors.join(", ")
    )
}

/// The building network that is not there.
pub(crate) const DEAD_BROKER: &str = "[mqtt]\nurl = \"mqtt://127.0.0.1:9\"\n";
/// The cloud that is not there: nobody listens on the discard port.
pub(crate) const DEAD_CLOUD: &str = "http://127.0.0.1:9";

/// The readers and doors of these numbers, on one OSDP bus. A reader's address is its number.
pub(crate) fn osdp(path: &Path, numbers: std::ops::Range<u8>) -> String {
    let path = path.display();
    let readers = numbers.clone().map(|n| {
        format!(
            "[[line.reader]]\nid = \"reader{n}\"\ndoor = \"door{n}\"\naddress = {n}\nkey = {{ file = \"{{dir}}/key\" }}\n"
        )
    });
    let doors = numbers
        .clone()
        .map(|n| format!("[[door]]\nid = \"door{n}\"\nrelease = {{ reader = \"reader{n}\", output = 0 }}\n"));
    let all: String = readers.chain(doors).collect();
    format!(
        "[[line]]\nid = \"bus{}\"\npath = \"{path}\"\nbaud = 115200\n{all}",
        numbers.start
    )
}

/// Door 0 with a WRADAPT.
pub(crate) fn wradapt(path: &Path) -> String {
    format!(
        "[[line]]\nid = \"wall\"\npath = \"{}\"\nkind = \"wradapt\"\nbaud = 115200\n[[line.reader]]\nid = \"reader0\"\n\
         door = \"door0\"\n[[door]]\nid = \"door0\"\n",
        path.display()
    )
}

/// A site.
pub(crate) struct Gateway {
    dir: TempDir,
    run: TempDir,
    child: Option<Child>,
}

impl Gateway {
    /// A site with this configuration; `{dir}` and `{run}` in it become its folders.
    pub(crate) fn new(config: &str) -> Result<Self, Failure> {
        let root = disk()?;
        let memory = Path::new("/dev/shm");
        let memory = if memory.is_dir() { memory } else { &root };
        let folder = |place: &Path| {
            tempfile::Builder::new()
                .prefix("doorward-bench")
                .tempdir_in(place)
        };
        let gateway = Self {
            dir: folder(&root)?,
            run: folder(memory)?,
            child: None,
        };
        let text = config
            .replace("{dir}", &gateway.dir.path().display().to_string())
            .replace("{run}", &gateway.run.path().display().to_string());
        fs::write(gateway.config_path(), text)?;
        for (name, secret) in [("token", TOKEN.to_owned()), ("key", "42".repeat(16))] {
            let path = gateway.dir.path().join(name);
            fs::write(&path, secret)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        }
        Ok(gateway)
    }

    fn config_path(&self) -> PathBuf {
        self.dir.path().join("doorward.toml")
    }

    /// Its configuration, as the daemon reads it.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        config::load(&self.config_path(), &Environment::default()).map_err(|error| error.to_string().into())
    }

    /// Its store, for as long as no daemon runs.
    pub(crate) fn store(&self, clock: &Clock) -> Result<Store, Failure> {
        let config = self.config()?;
        let options = StoreOptions::new(&config.state_dir, &config.runtime_dir);
        Ok(Store::open(&options, clock, &Health::default())?.0)
    }

    /// Stores facts with so many people, in the way a pull does.
    pub(crate) fn seed(&self, size: u32) -> Result<(), Failure> {
        say(&format!("storing {size} people"));
        let (config, clock) = (self.config()?, Clock::system(true, 0));
        let store = self.store(&clock)?;
        let facts = facts(size)?;
        let built = build::build(&facts, &config, &build::Local::default(), clock.now().at)?;
        if let Some(warning) = built.warnings.first() {
            return Err(format!("the facts are wrong: {warning}").into());
        }
        let meta = SnapshotMeta {
            version: VERSION,
            etag: Some(format!("\"v{VERSION}\"")),
            taken_at: clock.now().at,
            people: size.into(),
            credentials: size.into(),
            grants: size.into(),
            held_because: None,
        };
        store.apply_snapshot(&meta, &facts, &built.index.to_image())?;
        store.note_contact(clock.now().at);
        store.close();
        Ok(())
    }

    /// Starts the daemon. Gives the instant before exec, when it says that it decides.
    pub(crate) fn start(&mut self) -> Result<Instant, Failure> {
        let socket = self.run.path().join("notify");
        let _ = fs::remove_file(&socket);
        let notify = UnixDatagram::bind(&socket)?;
        notify.set_read_timeout(Some(PATIENCE))?;
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.run.path().join("log"))?;
        let before = now();
        let child = Command::new(daemon()?)
            .args(["run", "--config"])
            .arg(self.config_path())
            .env("NOTIFY_SOCKET", &socket)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
        let mut message = [0; 4096];
        loop {
            let length = notify.recv(&mut message)?;
            let text = String::from_utf8_lossy(message.get(..length).unwrap_or_default());
            if text.lines().any(|line| line == "READY=1") {
                return Ok(before);
            }
        }
    }

    /// The daemon's process id; 0 when none runs.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Ends the daemon in good order: everything is in the journal afterwards.
    pub(crate) fn stop(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()?;
        child.wait()?;
        Ok(())
    }

    /// `doorward report --json`.
    pub(crate) fn report(&self) -> Result<serde_json::Value, Failure> {
        let out = Command::new(daemon()?)
            .arg("--config")
            .arg(self.config_path())
            .args(["report", "--json"])
            .output()?;
        Ok(serde_json::from_slice(&out.stdout)?)
    }

    /// Waits until so many readers are online and facts are in force.
    pub(crate) fn settle(&self, readers: usize) -> Result<(), Failure> {
        wait("readers and facts", || {
            let Ok(status) = self.report() else {
                return Ok(false);
            };
            let facts = status["sections"]["sync"]["version"].is_u64();
            let lines = status["sections"]["lines"].as_object();
            let online = lines.into_iter().flat_map(|lines| lines.values());
            let online = online.filter_map(|line| line["readers"].as_object());
            let online = online
                .flat_map(|readers| readers.values())
                .filter(|it| it["online"] == true);
            Ok(facts && online.count() >= readers)
        })
    }

    /// Everything granted that stands in the journal.
    pub(crate) fn granted(&self) -> Result<Vec<EntryEvent>, Failure> {
        let store = ReadStore::open(&self.config()?.state_dir)?;
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let events = store.events_after(after, 4_096)?;
            let Some(last) = events.last() else { return Ok(all) };
            after = last.seq;
            all.extend(events.into_iter().filter(|it| it.body.kind == EventKind::Granted));
        }
    }

    /// A number that the kernel keeps of the daemon: `write_bytes` of `io`, `VmRSS` (kB) of `status`.
    pub(crate) fn proc(&self, file: &str, key: &str) -> Result<f64, Failure> {
        proc(self.pid(), file, key)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// A number out of `/proc/PID/file`.
pub(crate) fn proc(pid: u32, file: &str, key: &str) -> Result<f64, Failure> {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let word = line.and_then(|line| line.split_whitespace().next());
    Ok(word.ok_or("the kernel does not say")?.parse()?)
}

/// A folder on the disk that is measured.
pub(crate) fn disk() -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bench");
    fs::create_dir_all(&root)?;
    Ok(root.canonicalize()?)
}

/// The daemon stands beside this program.
fn daemon() -> Result<PathBuf, Failure> {
    let path = std::env::current_exe()?.with_file_name("doorward");
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is missing: scripts/bench builds it", path.display()).into())
    }
}

/// Waits for a condition.
pub(crate) fn wait(what: &str, mut look: impl FnMut() -> Result<bool, Failure>) -> Result<(), Failure> {
    let before = now();
    while !look()? {
        if before.elapsed() > PATIENCE {
            return Err(format!("waited {PATIENCE:?} for {what}").into());
        }
        pause(Duration::from_millis(5));
    }
    Ok(())
}

/// Lets time pass.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Progress, for people.
#[expect(clippy::print_stderr, reason = "progress goes to standard error")]
pub(crate) fn say(text: &str) {
    eprintln!("# {text}");
}
