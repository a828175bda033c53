//! What the scenarios of the journal share.
use doorward::{
    clock::Clock,
    domain::{
        Credential, Reason,
        event::{ClockQuality, Draft, EventKind},
    },
    health::Health,
    store::{Recovered, Store, StoreOptions},
};
use std::{path::Path, time::Duration};

/// A store that is not bounded in practice, with a small ring.
pub(crate) fn options(state: &Path, runtime: &Path) -> StoreOptions {
    StoreOptions {
        max_events: 1_000_000,
        ring_slots: 4_096,
        ..StoreOptions::new(state, runtime)
    }
}

pub(crate) fn store(options: &StoreOptions) -> (Store, Recovered) {
    store_with(options, &Health::default())
}

pub(crate) fn store_with(options: &StoreOptions, health: &Health) -> (Store, Recovered) {
    Store::open(options, &Clock::system(true, 0), health).unwrap()
}

/// An entry as the doors write it.
pub(crate) fn draft(door: &str) -> Draft {
    Draft {
        door: Some(door.into()),
        reader: Some("front-outside".into()),
        credential: Credential::uid(&[4, 1, 2, 3, 4, 5, 6]).ok(),
        person: Some("6f1c2b7e9d".into()),
        person_name: Some("Ada Lovelace".into()),
        reason: Some(Reason::GrantedPlan),
        source: Some("membership-4711".into()),
        rule: Some(1),
        ..Draft::new(EventKind::Granted, 1_790_000_000_000, ClockQuality::Trusted)
    }
}

/// Records so many entries and returns the last one's sequence.
pub(crate) fn record(store: &Store, count: u64) -> u64 {
    (0..count).fold(0, |_, _| store.record(&draft("front")))
}

/// Waits for a condition, ten seconds at most.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

/// Every sequence in the journal.
pub(crate) fn sequences(store: &Store) -> Vec<u64> {
    let mut all: Vec<u64> = Vec::new();
    loop {
        let next = store.events_after(all.last().copied().unwrap_or(0), 500).unwrap();
        if next.is_empty() {
            return all;
        }
        all.extend(next.iter().map(|event| event.seq));
    }
}

/// The keys of the standing faults.
pub(crate) fn faults(health: &Health) -> Vec<String> {
    health.doc().faults.into_iter().map(|fault| fault.key).collect()
}

/// A small file system in memory that can run full and be made read-only.
pub(crate) struct Disk(tempfile::TempDir);

impl Disk {
    /// `None`, with a word about it, where this user may not mount.
    pub(crate) fn mount(bytes: u64) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let disk = Self(dir);
        if run(
            "mount",
            &[
                "-t",
                "tmpfs",
                "-o",
                &format!("size={bytes}"),
                "tmpfs",
                &disk.path().to_string_lossy(),
            ],
        ) {
            return Some(disk);
        }
        eprintln!("skipped: mounting a file system needs root");
        None
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn remount(&self, how: &str) {
        assert!(
            run(
                "mount",
                &["-o", &format!("remount,{how}"), &self.path().to_string_lossy()]
            ),
            "remount {how}"
        );
    }

    /// Takes all the space there is.
    pub(crate) fn fill(&self) {
        use std::io::Write;
        let mut file = std::fs::File::create(self.path().join("ballast")).unwrap();
        for size in [65_536, 4_096, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
    }

    pub(crate) fn free(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["-l", &self.path().to_string_lossy()]);
    }
}

/// A card with ext4 that turns itself read-only on an error, as the appliance's does.
pub(crate) struct Card(tempfile::TempDir);

impl Card {
    /// `None`, with a word about it, where this user may not mount or there are no loop devices.
    pub(crate) fn insert() -> Option<Self> {
        let card = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(card.path()).unwrap();
        std::fs::File::create(card.image())
            .unwrap()
            .set_len(16 << 20)
            .unwrap();
        let made = run("mkfs.ext4", &["-q", "-F", &card.image()]);
        if made && card.mount() && card.trigger().is_some_and(|path| path.exists()) {
            return Some(card);
        }
        eprintln!("skipped: a card needs root, loop devices and ext4");
        None
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.0.path().join("card")
    }

    fn image(&self) -> String {
        self.0.path().join("image").to_string_lossy().into_owned()
    }

    fn mount(&self) -> bool {
        run(
            "mount",
            &[
                "-o",
                "loop,errors=remount-ro",
                &self.image(),
                &self.path().to_string_lossy(),
            ],
        )
    }

    fn trigger(&self) -> Option<std::path::PathBuf> {
        let found = std::process::Command::new("findmnt")
            .args(["-no", "SOURCE"])
            .arg(self.path())
            .output()
            .ok()?;
        let device = String::from_utf8(found.stdout).ok()?;
        let name = device
            .trim()
            .strip_prefix("/dev/")
            .filter(|name| name.starts_with("loop"))?;
        Some(format!("/sys/fs/ext4/{name}/trigger_fs_error").into())
    }

    /// The file system meets an error and turns itself read-only.
    pub(crate) fn break_down(&self) {
        std::fs::write(self.trigger().unwrap(), "1").unwrap();
    }

    /// Taken out, checked, put back.
    pub(crate) fn repair(&self) {
        assert!(run("umount", &[&self.path().to_string_lossy()]));
        run("fsck.ext4", &["-y", &self.image()]);
        assert!(self.mount());
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        run("umount", &["-l", &self.path().to_string_lossy()]);
    }
}

fn run(program: &str, args: &[&str]) -> bool {
    use std::process::{Command, Stdio};
    let status = Command::new(program)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
