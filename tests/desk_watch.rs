//! `doorward desk readers --watch --json` as a process: what an installer sees, a line an event.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::harness::{Gateway, wait_for};
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Instant,
};

/// The command while it runs.
pub(crate) struct Watch {
    child: Child,
    lines: Receiver<(Value, Instant)>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watch {
    /// Begins to watch a site, whether its gateway runs or not. `pcscd`: the socket of its daemon.
    pub(crate) fn start(site: &Gateway, pcscd: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["desk", "readers", "--watch", "--json", "--config"])
            .arg(site.config_path())
            .env("PCSCLITE_CSOCK_NAME", pcscd)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (said, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = said.send((serde_json::from_str(&line).unwrap(), now()));
            }
        });
        Self { child, lines }
    }

    /// The next event, and when it was read here.
    #[track_caller]
    pub(crate) fn next(&self) -> (Value, Instant) {
        wait_for("an event at the desk", || self.lines.try_recv())
    }

    /// The next event, which must be of this kind.
    #[track_caller]
    pub(crate) fn expect(&self, event: &str) -> Value {
        let (value, _) = self.next();
        assert_eq!(value["event"], event, "{value}");
        value
    }

    /// The words of the next event, which must be a trouble.
    #[track_caller]
    pub(crate) fn trouble(&self) -> String {
        self.expect("trouble")["words"].as_str().unwrap().to_owned()
    }
}

#[expect(clippy::disallowed_methods, reason = "a test of speed measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
