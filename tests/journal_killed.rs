//! kill -9 at any moment: every event whose sequence was returned is in the journal exactly once (invariant 3).

use crate::journal_support::{draft, options, store};
use doorward::{
    domain::facts::Facts,
    store::{SnapshotMeta, Store},
};
use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

const CHILD: &str = "DOORWARD_TEST_JOURNAL_CHILD";
const ROUNDS: &str = "DOORWARD_TEST_KILL_ROUNDS";

/// Not a test of its own: the process that is killed. Records from two threads and says each number that it was
/// answered, as a door would.
#[test]
#[expect(clippy::disallowed_methods, reason = "the parent says where the child works")]
fn child_that_is_killed() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let (store, _) = store(&options(dir.as_ref(), dir.as_ref()));
    std::thread::scope(|scope| {
        for door in ["front", "back"] {
            let store = store.clone();
            scope.spawn(move || {
                loop {
                    let seq = store.record(&draft(door));
                    let line = format!("answered {seq}\n");
                    if seq > 0 && std::io::stdout().write_all(line.as_bytes()).is_err() {
                        return;
                    }
                    std::thread::yield_now();
                }
            });
        }
    });
}

/// R44, S3:66: entries are the record of attendance.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how many rounds is a matter of patience"
)]
fn no_answered_event_is_lost_to_kill_9() {
    let rounds: u64 = std::env::var(ROUNDS)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(30);
    let dir = tempfile::tempdir().unwrap();
    let mut answered = HashSet::new();
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "journal_killed::child_that_is_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The moment of death: after so many answers, a different number each round.
        let patience = 1 + round * 37 % 400;
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut heard = 0;
        while heard < patience {
            let line = lines.next().expect("the child lives until it is killed");
            heard += u64::from(note(&line, &mut answered));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines {
            note(&line, &mut answered);
        }
    }
    let (store, recovered) = store(&options(dir.path(), dir.path()));
    assert_eq!(recovered.torn, 0);
    store.flush().unwrap();
    let mut kept = Vec::new();
    loop {
        let events = store
            .events_after(kept.last().copied().unwrap_or(0), 1_000)
            .unwrap();
        if events.is_empty() {
            break;
        }
        kept.extend(events.iter().map(|event| event.seq));
    }
    let unique: HashSet<u64> = kept.iter().copied().collect();
    assert_eq!(unique.len(), kept.len(), "an event twice");
    let lost: Vec<_> = answered.difference(&unique).collect();
    assert!(
        lost.is_empty(),
        "{} of {} answered events lost: {lost:?}",
        lost.len(),
        answered.len()
    );
    assert!(answered.len() as u64 > rounds);
}

const SNAPSHOTS: &str = "DOORWARD_TEST_SNAPSHOT_CHILD";

/// Not a test of its own: the process that is killed. Replaces the snapshot for as long as it lives.
#[test]
#[expect(clippy::disallowed_methods, reason = "the parent says where the child works")]
fn child_that_is_killed_between_snapshots() {
    let Ok(dir) = std::env::var(SNAPSHOTS) else { return };
    let (store, _) = store(&options(dir.as_ref(), dir.as_ref()));
    let before = store.active().unwrap().map_or(0, |active| active.meta.version);
    for version in before + 1.. {
        let meta = SnapshotMeta {
            version,
            ..SnapshotMeta::default()
        };
        let facts = Facts {
            version,
            ..Facts::default()
        };
        store.apply_snapshot(&meta, &facts, &image(version)).unwrap();
        let line = format!("answered {version}\n");
        if std::io::stdout().write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

/// A different image for each version, large enough that a kill finds it half written.
fn image(version: u64) -> Vec<u8> {
    version.to_le_bytes().repeat(200_000)
}

#[test]
fn a_kill_leaves_the_old_snapshot_or_the_new_one() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "journal_killed::child_that_is_killed_between_snapshots",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(SNAPSHOTS, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let mut answered = HashSet::new();
        while answered.len() < 2 {
            note(
                &lines.next().expect("the child lives until it is killed"),
                &mut answered,
            );
        }
        // Anywhere within the next one: a different number of turns of this loop each round.
        (0..round * 40_000).for_each(|turn| {
            std::hint::black_box(turn);
        });
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines {
            note(&line, &mut answered);
        }
        let last = answered.into_iter().max().unwrap();
        let reader = Store::open_read_only(dir.path()).unwrap();
        let active = reader.active().unwrap().unwrap();
        let version = active.meta.version;
        assert!((last..=last + 1).contains(&version), "{version} after {last}");
        assert!(active.image == image(version), "an image of another version");
        assert_eq!(reader.facts(&active).unwrap().version, version);
    }
}

/// A whole line only: the last one may be cut by the kill, and then it was not heard.
fn note(line: &str, answered: &mut HashSet<u64>) -> bool {
    let seq = line
        .rsplit_once("answered ")
        .and_then(|(_, seq)| seq.parse().ok());
    seq.is_some_and(|seq| answered.insert(seq))
}
