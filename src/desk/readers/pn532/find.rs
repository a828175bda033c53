//! Which serial ports are asked whether a PN532 is there. Sending bytes to a door's line could disturb its readers, so a
//! port is asked only if
//! 1. it is a USB port (`ttyUSB…`, `ttyACM…`) that no `[[line]]` and no `[[desk.reader]]` names, by whatever link;
//! 2. every line's port is there now: one that is missing may come back under another name;
//! 3. it has been there for two seconds, so that udev has made the names by which lines know it;
//! 4. nobody has it open: the lines open theirs exclusively.
//!
//! What is sent is a wake-up and one command, ten times at most. A port that does not answer as a PN532 is left alone until
//! it is plugged anew.

use super::{End, Reader, session};
use crate::desk::readers::start::Around;
use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread::JoinHandle,
    time::Duration,
};

const EVERY: Duration = Duration::from_millis(500);
/// How long udev may take to make its links.
const SETTLED: Duration = Duration::from_secs(2);
const PREFIXES: [&str; 2] = ["ttyUSB", "ttyACM"];

/// One plugging of a port: another inode or time is another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Plugged {
    path: PathBuf,
    inode: u64,
    changed: i64,
}

/// The thread that looks.
pub(in crate::desk::readers) fn find(around: &Around, named: &[PathBuf]) {
    let mut seen: BTreeMap<Plugged, Duration> = BTreeMap::new();
    let mut asked: BTreeMap<Plugged, JoinHandle<()>> = BTreeMap::new();
    while !around.stopped() {
        let now = around.now();
        let there = ports(&around.places.dev);
        seen.retain(|port, _| there.contains(port));
        for port in &there {
            seen.entry(port.clone()).or_insert(now);
        }
        // A thread that ended stays in the map for as long as its port is there: it is not asked again.
        asked.retain(|port, thread| there.contains(port) || !thread.is_finished());
        for (port, since) in may_be_asked(&seen, named) {
            if now.saturating_sub(since) >= SETTLED && !asked.contains_key(&port) {
                let (around, path) = (around.clone(), port.path.clone());
                let thread = std::thread::Builder::new().name("desk-pn532".into());
                if let Ok(thread) = thread.spawn(move || ask(&around, &path)) {
                    asked.insert(port, thread);
                }
            }
        }
        around.rest(EVERY);
    }
    for thread in asked.into_values() {
        let _ = thread.join();
    }
}

/// One port: silent unless a PN532 answers.
fn ask(around: &Around, path: &Path) {
    let reader = Reader::at(path, None);
    loop {
        let end = session(around, &reader, "desk_pn532_found");
        let was_there = around.hub.list().iter().any(|known| known.id == reader.id);
        around.hub.gone(&reader.id);
        match end {
            // It answered before: the chip was disturbed, not the port.
            End::Lost(_) if was_there && !around.stopped() => {}
            End::Closed(error) | End::Pulled(error) => {
                tracing::debug!(port = %path.display(), %error, "not asked for a PN532");
                return;
            }
            End::Lost(_) | End::Stopped => return,
        }
    }
}

fn ports(dev: &Path) -> BTreeSet<Plugged> {
    let Ok(entries) = std::fs::read_dir(dev) else {
        return BTreeSet::new();
    };
    let usb = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    usb.filter_map(|entry| {
        let path = entry.path();
        let about = std::fs::symlink_metadata(&path).ok()?;
        Some(Plugged {
            inode: about.ino(),
            changed: about.ctime(),
            path,
        })
    })
    .collect()
}

/// The rules 1 and 2.
fn may_be_asked(seen: &BTreeMap<Plugged, Duration>, named: &[PathBuf]) -> Vec<(Plugged, Duration)> {
    let resolved: Option<BTreeSet<PathBuf>> = named.iter().map(|path| path.canonicalize().ok()).collect();
    let Some(resolved) = resolved else {
        return Vec::new();
    };
    let free = |port: &&Plugged| {
        port.path
            .canonicalize()
            .is_ok_and(|device| !resolved.contains(&device))
    };
    let free = seen.keys().filter(free).cloned();
    free.filter_map(|port| seen.get(&port).copied().map(|since| (port, since)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doors_port_is_never_asked_nor_any_while_one_is_missing() {
        let dev = tempfile::tempdir().unwrap();
        let path = |name: &str| dev.path().join(name);
        for name in ["ttyUSB0", "ttyUSB1", "ttyACM0", "ttyS0", "null"] {
            std::fs::write(path(name), "").unwrap();
        }
        std::os::unix::fs::symlink(path("ttyUSB1"), path("by-id")).unwrap();
        let seen: BTreeMap<_, _> = ports(dev.path())
            .into_iter()
            .map(|port| (port, Duration::ZERO))
            .collect();
        let names = |named: &[PathBuf]| -> Vec<String> {
            let free = may_be_asked(&seen, named);
            let name =
                |(port, _): (Plugged, Duration)| port.path.file_name().unwrap().to_str().unwrap().to_owned();
            free.into_iter().map(name).collect()
        };
        assert_eq!(names(&[]), ["ttyACM0", "ttyUSB0", "ttyUSB1"]);
        assert_eq!(
            names(&[path("by-id")]),
            ["ttyACM0", "ttyUSB0"],
            "by whatever link"
        );
        let missing = [path("by-id"), path("unplugged")];
        assert!(
            names(&missing).is_empty(),
            "it may be any of them under another name"
        );
    }
}
