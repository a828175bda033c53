//! The house whose doors SALTO KS decides: no reader of ours, four locks of theirs, a cloud, and the real daemon as a process.

use super::super::super::stage::{Folder, secret};
use crate::{
    domain::EntryEvent,
    store::{ReadStore, Store},
};
use doorward_peers::{cloud::Cloud, ks::Ks};
use std::{
    fs, io,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// Everything that runs. Dropping it ends and removes it all.
pub(super) struct House {
    pub(super) ks: Ks,
    pub(super) cloud: Cloud,
    daemon: Option<Child>,
    journal: Option<ReadStore>,
    last: u64,
    /// Last, so that it goes when everything in it has ended.
    dir: Folder,
}

impl House {
    /// Builds it around a cloud and starts the daemon.
    pub(super) fn build(cloud: Cloud, ks: Ks) -> io::Result<Self> {
        let dir = Folder::new()?;
        for sub in ["state", "run"] {
            fs::create_dir(dir.path().join(sub))?;
        }
        secret(&dir.path().join("token"), cloud.token())?;
        let section = ks.ks_section(dir.path())?;
        let text = include_str!("house.toml")
            .replace("{dir}", &dir.path().display().to_string())
            .replace("{cloud}", &cloud.url())
            .replace("{ks}", &section);
        fs::write(dir.path().join("doorward.toml"), text)?;
        let mut house = Self {
            ks,
            cloud,
            daemon: None,
            journal: None,
            last: 0,
            dir,
        };
        house.start()?;
        Ok(house)
    }

    /// Starts the daemon.
    pub(super) fn start(&mut self) -> io::Result<()> {
        let log = fs::File::options().create(true).append(true).open(self.log())?;
        let child = Command::new(std::env::current_exe()?)
            .args(["run", "--config"])
            .arg(self.dir.path().join("doorward.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0) // a Ctrl-C in the terminal is for the play, which ends the daemon in good order
            .spawn()?;
        self.daemon = Some(child);
        Ok(())
    }

    /// Ends the daemon in good order.
    pub(super) fn stop(&mut self) {
        let Some(mut daemon) = self.daemon.take() else {
            return;
        };
        let pid = i32::try_from(daemon.id()).ok();
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = daemon.wait(); // it has ended either way
    }

    /// Whether the daemon has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        let daemon = self.daemon.as_mut();
        daemon.is_some_and(|daemon| daemon.try_wait().ok().flatten().is_some())
    }

    /// The last lines of the daemon's log.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines
            .get(lines.len().saturating_sub(20)..)
            .unwrap_or_default()
            .join("\n")
    }

    /// Where the control socket is.
    pub(super) fn runtime_dir(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Events of the journal that were not seen before.
    pub(super) fn events(&mut self) -> Vec<EntryEvent> {
        if self.journal.is_none() {
            self.journal = Store::open_read_only(&self.dir.path().join("state")).ok();
        }
        let journal = self.journal.as_ref();
        let events = journal.and_then(|journal| journal.events_after(self.last, 1_000).ok());
        let events = events.unwrap_or_default();
        self.last = events.last().map_or(self.last, |event| event.seq);
        events
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop();
    }
}
