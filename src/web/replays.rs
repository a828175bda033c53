//! Which deliveries were heard already. The second of the same is a replay: it is answered as the first was, since an
//! honest platform that lost our answer would else go on for days, and it does nothing.
//!
//! They are also in a file of the runtime directory, which is memory and outlives a restart of the gateway. After a
//! boot that file is gone: then the age of a signature, which the adapters check, is what refuses an old delivery.

use siphasher::sip::SipHasher13;
use std::{
    collections::{HashSet, VecDeque},
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// So many deliveries are remembered: at one each second more than two hours, where signatures hold for minutes.
const MOST: usize = 8_192;
/// The file's name in the runtime directory.
const FILE: &str = "hooks-heard";

/// The deliveries.
#[derive(Debug)]
pub(super) struct Replays {
    heard: HashSet<u64>,
    order: VecDeque<u64>,
    path: PathBuf,
    /// Absent when the system gives none: then a restart forgets.
    file: Option<File>,
    written: usize,
}

impl Replays {
    /// What was heard before this start.
    pub(super) fn open(runtime_dir: &Path) -> Self {
        let path = runtime_dir.join(FILE);
        let mut replays = Self {
            heard: HashSet::new(),
            order: VecDeque::new(),
            file: None,
            written: 0,
            path,
        };
        let before = fs::read(&replays.path).unwrap_or_default();
        for bytes in before.chunks_exact(8) {
            replays.add(bytes.try_into().map_or(0, u64::from_le_bytes));
        }
        replays.rewrite();
        replays
    }

    /// Whether this delivery is heard for the first time, and remembers it.
    pub(super) fn is_new(&mut self, delivery: &str) -> bool {
        let sum = SipHasher13::new_with_keys(11, 13).hash(delivery.as_bytes());
        if !self.add(sum) {
            return false;
        }
        if self.written >= 2 * MOST {
            self.rewrite();
        } else if let Some(file) = &mut self.file {
            let _ = file.write_all(&sum.to_le_bytes()); // then a restart forgets this one
            self.written += 1;
        }
        true
    }

    fn add(&mut self, sum: u64) -> bool {
        if !self.heard.insert(sum) {
            return false;
        }
        self.order.push_back(sum);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.heard.remove(&oldest);
        }
        true
    }

    fn rewrite(&mut self) {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&self.path);
        self.file = file.ok();
        self.written = self.order.len();
        let all: Vec<u8> = self.order.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        if let Some(file) = &mut self.file {
            let _ = file.write_all(&all); // as above
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_new_once_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut replays = Replays::open(folder.path());
        assert!(replays.is_new("a") && replays.is_new("b") && !replays.is_new("a"));
        drop(replays);
        let mut replays = Replays::open(folder.path());
        assert!(!replays.is_new("b") && replays.is_new("c"));
        for number in 0..5 * MOST {
            assert!(replays.is_new(&format!("n{number}")));
        }
        assert!(!replays.is_new(&format!("n{}", 5 * MOST - 1)));
        assert!(replays.is_new("a"), "the oldest are forgotten");
        assert!(fs::metadata(folder.path().join(FILE)).unwrap().len() <= 16 * MOST as u64 + 8);
        let missing = Replays::open(Path::new("/nowhere/at/all")).is_new("a");
        assert!(missing, "without a file it works until the restart");
    }
}
