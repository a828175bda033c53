//! PyPI's libosdp as the reader: another build of the stack, in another process, over a cable.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy's exemption for tests does not reach their helpers"
)]

use crate::osdp_site::*;
use doorward_peers::pty::Cable;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

const SOON: Duration = Duration::from_secs(10);

struct Pypi {
    child: Child,
    orders: ChildStdin,
    says: Receiver<Value>,
}

impl Pypi {
    fn start(path: &Path, key: [u8; 16]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/venv/bin/python");
        assert!(
            python.exists(),
            "{} is missing: run `python3 -m venv target/venv && target/venv/bin/pip install libosdp pyserial`, \
             or scripts/test, which does",
            python.display()
        );
        let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut child = Command::new(python)
            .arg(root.join("tests/peers/osdp_pd.py"))
            .arg(path)
            .args(["--address", "5", "--key", &key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, says) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // libosdp's own lines go to standard output as well.
                if let Ok(said) = serde_json::from_str(&line) {
                    let _ = sender.send(said);
                }
            }
        });
        let orders = child.stdin.take().unwrap();
        let reader = Self { child, orders, says };
        reader.expect("ready", |_| true);
        reader
    }

    fn expect(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let said = self
                .says
                .recv_timeout(SOON)
                .unwrap_or_else(|_| panic!("no {kind}"));
            if said["kind"] == kind && fits(&said) {
                return said;
            }
        }
    }

    fn tap(&mut self, bits: usize, hex: &str) {
        writeln!(self.orders, "tap {bits} {hex}").unwrap();
    }
}

impl Drop for Pypi {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_tap_at_the_pypi_reader_is_answered_and_it_is_back_after_a_kill() {
    let cable = Cable::lay().unwrap();
    let [near, far] = cable.ends();
    let mut pypi = Pypi::start(far, KEY);
    let line = osdp_line("hall", near, vec![reader("front", 5, Some(KEY))]);
    let site = Site::start(&[line], &[door("front", Some(("front", 1)))]);
    pypi.expect("secure", |said| said["active"] == true);
    site.wait_online(&["front"]);

    pypi.tap(26, "BDD93740"); // facility 123, number 45678
    let output = pypi.expect("output", |_| true);
    assert_eq!(
        (
            &output["output_no"],
            &output["control_code"],
            &output["timer_count"]
        ),
        (&1.into(), &5.into(), &40.into())
    );
    pypi.expect("led", |led| led["temporary"] == true && led["on_color"] == 2);
    pypi.expect("buzzer", |buzzer| buzzer["rep_count"] == 1);
    let (presentation, _) = site.presented.recv_timeout(SOON).unwrap();
    assert_eq!(
        presentation.credential,
        Some(doorward::domain::Credential::wiegand26(123, 45678))
    );

    drop(pypi);
    site.wait_for(&offline("front"), 1, SOON);
    let mut pypi = Pypi::start(far, KEY);
    let back = site.wait_for(&online("front"), 2, Duration::from_secs(15));
    println!("online {back:?} after the reader's return");
    pypi.tap(56, "04A2B3C4D5E680");
    pypi.expect("output", |_| true);
}

#[test]
fn a_pypi_reader_with_another_key_never_comes_online() {
    let cable = Cable::lay().unwrap();
    let [near, far] = cable.ends();
    let _pypi = Pypi::start(far, [9; 16]);
    let line = osdp_line("hall", near, vec![reader("front", 5, Some(KEY))]);
    let site = Site::start(&[line], &[]);
    wait_until("the fault", SOON, || site.fault("reader_key:front").is_some());
    assert_eq!(site.happened(&online("front")), 0);
}
