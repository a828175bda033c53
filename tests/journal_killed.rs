//! kill -9 at any moment: every event whose sequence was returned is in the journal exactly once (invariant 3).

use crate::journal_support::{draft, options, store};
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

/// A whole line only: the last one may be cut by the kill, and then it was not heard.
fn note(line: &str, answered: &mut HashSet<u64>) -> bool {
    let seq = line
        .rsplit_once("answered ")
        .and_then(|(_, seq)| seq.parse().ok());
    seq.is_some_and(|seq| answered.insert(seq))
}
