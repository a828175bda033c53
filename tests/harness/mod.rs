//! A whole site for a scenario: the real daemon as a process, simulated readers on ptys, the reference cloud.
//! Nothing here sleeps for a guess: it waits for a condition, with a deadline that fails with what was seen.

pub(crate) mod site;

use std::{
    fmt::Debug,
    fs,
    io::Read as _,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a scenario waits for anything. Generous: a loaded machine is no failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `look` gives something, or fails with `what` and the last thing seen.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "a deadline of a test is real time")]
pub(crate) fn wait_for<T, D: Debug>(what: &str, mut look: impl FnMut() -> Result<T, D>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) => assert!(
                Instant::now() < deadline,
                "waited {PATIENCE:?} for {what}; last seen: {seen:?}"
            ),
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A folder with a configuration, a state and a runtime directory, and maybe a daemon.
pub(crate) struct Gateway {
    dir: TempDir,
    child: Option<Child>,
    environment: Vec<(String, String)>,
    log_level: &'static str,
    notified: Arc<Mutex<Vec<String>>>,
}

impl Gateway {
    /// A site whose configuration is `config`; `{dir}` in it becomes the site's folder.
    pub(crate) fn new(config: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("doorward").tempdir().unwrap();
        for sub in ["state", "run"] {
            fs::create_dir(dir.path().join(sub)).unwrap();
        }
        let gateway = Self {
            dir,
            child: None,
            environment: Vec::new(),
            log_level: "debug",
            notified: Arc::default(),
        };
        gateway.configure(config);
        gateway
    }

    /// The site's folder.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The configuration file.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.dir.path().join("doorward.toml")
    }

    /// Writes the configuration, as an editor does: a new file renamed over the old one.
    pub(crate) fn configure(&self, config: &str) {
        let text = config.replace("{dir}", &self.dir.path().display().to_string());
        let draft = self.dir.path().join("doorward.toml.new");
        fs::write(&draft, text).unwrap();
        fs::rename(draft, self.config_path()).unwrap();
    }

    /// Writes a file that only its owner may read, for keys and tokens.
    pub(crate) fn secret(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Sets an environment variable of the daemon's next start.
    pub(crate) fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.into(), value.into()));
    }

    /// How much the daemon's next start logs.
    pub(crate) fn log_level(&mut self, level: &'static str) {
        self.log_level = level;
    }

    /// What the daemon told systemd since its start, a line each.
    pub(crate) fn notified(&self) -> Vec<String> {
        self.notified.lock().unwrap().clone()
    }

    /// Starts the daemon and waits until it says that it is ready to decide.
    pub(crate) fn start(&mut self) {
        let socket = self.dir.path().join("notify");
        let _ = fs::remove_file(&socket);
        let notify = UnixDatagram::bind(&socket).unwrap();
        notify.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["run", "--config"])
            .arg(self.config_path())
            .args(["--log", self.log_level])
            .env("NOTIFY_SOCKET", &socket)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        self.notified = Arc::default();
        let told = Arc::downgrade(&self.notified);
        // Read to the end: the daemon must never wait for us.
        std::thread::spawn(move || {
            let mut message = [0; 4096];
            while let Some(told) = told.upgrade() {
                if let Ok(length) = notify.recv(&mut message) {
                    let text = String::from_utf8_lossy(&message[..length]).into_owned();
                    told.lock().unwrap().extend(text.lines().map(str::to_owned));
                }
            }
        });
        wait_for("READY=1", || {
            let told = self.notified();
            if told.iter().any(|line| line == "READY=1") {
                return Ok(());
            }
            let ended = self.child.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "never ready, {ended:?}:\n{}", self.log());
            Err(told)
        });
    }

    /// The daemon's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends a signal by name, `HUP` say.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.pid().to_string())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// kill -9, and nothing else.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends the daemon in good order.
    pub(crate) fn stop(&mut self) {
        if self.child.is_some() {
            self.signal("TERM");
            self.stopped();
        }
    }

    /// Waits for the end of a daemon that was told to end.
    pub(crate) fn stopped(&mut self) {
        if self.child.is_some() {
            let status = self.child.take().unwrap().wait().unwrap();
            assert!(status.success(), "ended with {status}:\n{}", self.log());
        }
    }

    /// Runs a command of the program on this site. Gives status, standard output and standard error.
    pub(crate) fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .arg("--config")
            .arg(self.config_path())
            .args(arguments)
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap_or(-1),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// The same with `--json`, parsed; fails unless the status is 0.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let (status, out, error) = self.command(&arguments);
        assert_eq!(status, 0, "{arguments:?}: {error}{out}");
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{out}"))
    }

    /// The same, whatever the status: `report` ends with 1 while there are faults.
    #[track_caller]
    pub(crate) fn json_of_any_status(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let (_, out, error) = self.command(&arguments);
        serde_json::from_str(&out).unwrap_or_else(|bad| panic!("{arguments:?}: {bad}\n{out}{error}"))
    }

    fn log_path(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Everything that the daemon printed.
    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        if let Ok(mut file) = fs::File::open(self.log_path()) {
            let _ = file.read_to_string(&mut text);
        }
        text
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the daemon's log ---\n{}", self.log());
        }
    }
}
