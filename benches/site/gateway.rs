//! The folders, the store and the process of one site.

use super::{PATIENCE, TOKEN, VERSION, disk, facts, proc, say, wait};
use crate::report::{Failure, now};
use doorward::{
    clock::Clock,
    config::{self, Config, Environment},
    domain::{EntryEvent, EventKind},
    health::Health,
    store::{ReadStore, SnapshotMeta, Store, StoreOptions},
    sync::build,
};
use serde_json::Value;
use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixDatagram, UnixStream},
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Instant,
};
use tempfile::TempDir;

/// A site.
pub(crate) struct Gateway {
    dir: TempDir,
    run: TempDir,
    child: Option<Child>,
    environment: Vec<(&'static str, PathBuf)>,
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
            environment: Vec::new(),
        };
        let text = config
            .replace("{dir}", &gateway.dir.path().display().to_string())
            .replace("{run}", &gateway.run.path().display().to_string());
        fs::write(gateway.config_path(), text)?;
        gateway.secret("token", TOKEN)?;
        gateway.secret("key", &"42".repeat(16))?;
        Ok(gateway)
    }

    /// A file of its folder that only its owner can read.
    pub(crate) fn secret(&self, name: &str, secret: &str) -> Result<(), Failure> {
        let path = self.dir.path().join(name);
        fs::write(&path, secret)?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?)
    }

    /// Sets environment variables of the daemon's starts from now on.
    pub(crate) fn environment(&mut self, more: impl IntoIterator<Item = (&'static str, PathBuf)>) {
        self.environment.extend(more);
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
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
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

    /// What `doorward report --json` says in this place, a JSON pointer.
    pub(crate) fn status(&self, place: &str) -> Result<Option<Value>, Failure> {
        let out = self.run(&["report", "--json"])?;
        let all: Value = serde_json::from_slice(&out.stdout)?;
        Ok(all.pointer(place).cloned())
    }

    /// Runs a command of `doorward` on this site. What it prints is not looked at.
    pub(crate) fn order(&self, words: &[&str]) -> Result<bool, Failure> {
        Ok(self.run(words)?.status.success())
    }

    /// The same, with what it prints.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Output, Failure> {
        let mut command = Command::new(daemon()?);
        command.arg("--config").arg(self.config_path()).args(words);
        Ok(command.output()?)
    }

    /// The end of the daemon's log, for whoever has to find out why it did not do what it should.
    pub(crate) fn log(&self) -> String {
        let text = fs::read_to_string(self.run.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default();
        last.join("\n")
    }

    /// A part of what the daemon says on its own socket, in a millisecond or so.
    pub(crate) fn told(&self, place: &str) -> Result<Option<Value>, Failure> {
        let (_, all) = self.ask("GET", "/v1/status", &Value::Null)?;
        Ok(all.pointer(place).cloned())
    }

    /// Asks the daemon something on its own socket: the status of the answer, and its document.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let mut socket = UnixStream::connect(self.run.path().join("control.sock"))?;
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
        Ok((status, serde_json::from_str(body)?))
    }

    /// Waits until so many readers are online and facts are in force.
    pub(crate) fn settle(&self, readers: usize) -> Result<(), Failure> {
        wait("readers and facts", || {
            let Ok(Some(status)) = self.status("/sections") else {
                return Ok(false);
            };
            let facts = status.pointer("/sync/version").is_some_and(Value::is_u64);
            let lines = status.get("lines").and_then(Value::as_object);
            let of_line = |line: &Value| {
                let readers = line.get("readers").and_then(Value::as_object)?;
                let online = readers
                    .values()
                    .filter(|it| it.get("online") == Some(&Value::Bool(true)));
                Some(online.count())
            };
            let online: usize = lines
                .into_iter()
                .flat_map(|lines| lines.values())
                .filter_map(of_line)
                .sum();
            Ok(facts && online >= readers)
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

    /// Memory as `status` has it under this name, in MB of 1,000,000 bytes.
    pub(crate) fn megabytes(&self, key: &str) -> Result<f64, Failure> {
        Ok(self.proc("status", key)? / 1_000.0 * 1.024)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.kill();
    }
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
