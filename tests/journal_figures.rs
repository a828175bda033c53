//! The journal's figures, printed. Not assertions: they belong to the machine and its load. Run alone, with
//! `cargo test --test scenarios journal_figures -- --ignored --nocapture --test-threads=1`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "clippy's exemption for tests does not reach their helpers"
)]

use crate::journal_support::{draft, options, store};
use doorward::{
    domain::facts::Facts,
    store::{Begin, SnapshotMeta, Store},
};
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

/// State on the disk that the build is on, ring in memory where there is some.
fn dirs() -> (tempfile::TempDir, tempfile::TempDir) {
    let memory = Path::new("/dev/shm");
    let memory = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    (
        tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        tempfile::tempdir_in(memory).unwrap(),
    )
}

#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> Instant {
    Instant::now()
}

fn percentile(sorted: &[Duration], share: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn say(name: &str, times: &mut [Duration]) {
    times.sort();
    println!(
        "{name}: p50 {:?} p99 {:?} max {:?} of {}",
        percentile(times, 0.5),
        percentile(times, 0.99),
        percentile(times, 1.0),
        times.len()
    );
}

/// What this process has written to the disk, in bytes.
fn written() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.unwrap().parse().unwrap()
}

/// Records at `distance` and returns the times of `record()` and from its return to the commit.
fn play(store: &Store, distances: &[Duration]) -> (Vec<Duration>, Vec<Duration>) {
    let last = store.health().last + distances.len() as u64;
    let mut committed = store.committed();
    let watcher = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut seen = Vec::new();
            while committed.changed().await.is_ok() {
                let here = *committed.borrow_and_update();
                seen.push((here, now()));
                if here >= last {
                    break;
                }
            }
            seen
        })
    });
    let mut calls = Vec::new();
    let mut answers = Vec::new();
    for distance in distances {
        let draft = draft("front");
        let before = now();
        let seq = store.record(&draft);
        let after = now();
        calls.push(after - before);
        answers.push((seq, after));
        std::thread::sleep(*distance);
    }
    let seen = watcher.join().unwrap();
    let delays = answers
        .iter()
        .map(|(seq, at)| {
            let (_, when) = seen.iter().find(|(here, _)| here >= seq).unwrap();
            when.saturating_duration_since(*at)
        })
        .collect();
    (calls, delays)
}

/// The floor under `record()`: one write to memory by a thread that slept.
fn bare_writes(dir: &Path) {
    use std::os::unix::fs::FileExt;
    let file = fs::File::create(dir.join("bare")).unwrap();
    file.write_all_at(&[1; 65_536], 0).unwrap();
    let mut times: Vec<Duration> = (0..500)
        .map(|n| {
            std::thread::sleep(Duration::from_millis(20));
            let before = now();
            file.write_all_at(&[2; 128], n % 128 * 512).unwrap();
            before.elapsed()
        })
        .collect();
    say("50/s a bare write to memory", &mut times);
}

#[test]
#[ignore = "a measurement"]
fn record_and_commit() {
    let (state, runtime) = dirs();
    let (store, _) = store(&options(state.path(), runtime.path()));
    for (name, distance, count) in [
        ("1/s", 1_000, 20),
        ("5/s", 200, 100),
        ("50/s", 20, 500),
        ("200/s", 5, 500),
    ] {
        let before = written();
        let (mut calls, mut delays) = play(&store, &vec![Duration::from_millis(distance); count]);
        let bytes = (written() - before) / count as u64;
        say(&format!("{name} record()"), &mut calls);
        say(&format!("{name} answer to commit"), &mut delays);
        println!("{name} bytes for each event: {bytes}");
    }
    bare_writes(runtime.path());
    let mixed: Vec<Duration> = (0..500_u64)
        .map(|n| Duration::from_millis(n * 7919 % 97))
        .collect();
    let (mut calls, mut delays) = play(&store, &mixed);
    say("0 to 97 ms apart, record()", &mut calls);
    say("0 to 97 ms apart, answer to commit", &mut delays);
}

#[test]
#[ignore = "a measurement"]
fn opening_with_250_000_events() {
    let (state, runtime) = dirs();
    {
        let (store, _) = store(&options(state.path(), runtime.path()));
        store.register("mqtt", Begin::Oldest).unwrap();
        for n in 0..250_000 {
            store.record(&draft("front"));
            if n % 4_000 == 3_999 {
                store.flush().unwrap();
            }
        }
    }
    let size = fs::metadata(state.path().join("journal.db")).unwrap().len();
    for ring in ["ring there", "ring gone"] {
        if ring == "ring gone" {
            fs::remove_file(runtime.path().join("ring")).unwrap();
        }
        let before = now();
        let (store, _) = store(&options(state.path(), runtime.path()));
        println!(
            "open, 250,000 events ({size} bytes), {ring}: {:?}",
            before.elapsed()
        );
        let before = now();
        let mut after = 0;
        while let Some(last) = store.events_after(after, 1_000).unwrap().last() {
            after = last.seq;
        }
        println!("reading all of them: {:?}", before.elapsed());
    }
}

#[test]
#[ignore = "a measurement"]
fn reading_the_image_of_the_snapshot() {
    let (state, runtime) = dirs();
    let (store, _) = store(&options(state.path(), runtime.path()));
    let image = vec![7; 15 << 20];
    let before = now();
    store
        .apply_snapshot(&SnapshotMeta::default(), &Facts::default(), &image)
        .unwrap();
    println!("putting an image of 15 MiB: {:?}", before.elapsed());
    for _ in 0..5 {
        let before = now();
        let found = store.active().unwrap().unwrap();
        println!("active(): {:?}", before.elapsed());
        assert_eq!(found.image.len(), image.len());
    }
}
