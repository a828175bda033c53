//! What the daemon tells systemd: ready, reloading, stopping, and the watchdog only while every line is alive.

use crate::{
    daemon_site::{ANA, Plan, Site},
    harness::wait_for,
};
use doorward_peers::osdp::Color;
use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

fn count(site: &Site, line: &str) -> usize {
    site.gateway
        .notified()
        .iter()
        .filter(|told| *told == line)
        .count()
}

/// Holds one thread of another process still, the rest of it running, until dropped. `ptrace(2)`, by Python's ctypes:
/// attaching stops the one thread, and the end of the tracer lets it go.
struct Held(Child);

impl Held {
    fn thread(pid: u32, name: &str) -> Self {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let thread = threads
            .map(|thread| thread.unwrap().path())
            .find(|thread| fs::read_to_string(thread.join("comm")).is_ok_and(|comm| comm.trim() == name))
            .unwrap();
        let id = thread.file_name().unwrap().to_str().unwrap().to_owned();
        let code = "import ctypes, sys, os\n\
                    tid = int(sys.argv[1]); libc = ctypes.CDLL(None, use_errno=True)\n\
                    if libc.ptrace(16, tid, None, None): sys.exit(os.strerror(ctypes.get_errno()))\n\
                    os.waitpid(tid, 0x40000000)\n\
                    print('held', flush=True); sys.stdin.read()\n";
        let mut child = Command::new("python3")
            .args(["-c", code, &id])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut word = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut word).unwrap();
        assert_eq!(word.trim(), "held");
        Self(child)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill(); // a tracer that ends lets its threads go
        let _ = self.0.wait();
    }
}

#[test]
fn the_watchdog_starves_while_a_line_is_stuck() {
    let mut site = Site::start(&Plan::default());
    wait_for("the watchdog's first meal", || match count(&site, "WATCHDOG=1") {
        0 => Err(site.gateway.notified()),
        _ => Ok(()),
    });
    let held = Held::thread(site.gateway.pid(), "line-bus");
    wait_for("the gateway to notice", || {
        let log = site.gateway.log();
        if log.contains("thread is stuck") {
            Ok(())
        } else {
            Err(())
        }
    });
    let meals = count(&site, "WATCHDOG=1");
    let complaints = || site.gateway.log().matches("thread is stuck").count();
    let before = complaints();
    wait_for("three more turns", || {
        let now = complaints();
        if now >= before + 3 { Ok(()) } else { Err(now) }
    });
    assert_eq!(
        count(&site, "WATCHDOG=1"),
        meals,
        "a card at this line is not answered"
    );
    drop(held);
    wait_for("meals again", || {
        let now = count(&site, "WATCHDOG=1");
        if now > meals { Ok(()) } else { Err(now) }
    });
    site.settle();
    assert_eq!(site.tap(ANA), Color::Green);
    site.gateway.stop();
}

#[test]
fn ready_reloading_and_stopping() {
    let mut site = Site::start(&Plan::default());
    assert_eq!(count(&site, "READY=1"), 1);
    site.gateway.signal("HUP");
    wait_for("a reload", || match count(&site, "READY=1") {
        2 => Ok(()),
        _ => Err(site.gateway.notified()),
    });
    let told = site.gateway.notified();
    let reloading = told.iter().position(|line| line == "RELOADING=1").unwrap();
    assert!(told[reloading + 1].starts_with("MONOTONIC_USEC="), "{told:?}");
    let ready = told.iter().rposition(|line| line == "READY=1").unwrap();
    assert!(reloading < ready);
    site.gateway.stop();
    wait_for("a goodbye", || match count(&site, "STOPPING=1") {
        1 => Ok(()),
        _ => Err(site.gateway.notified()),
    });
}
