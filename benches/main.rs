//! The figures of docs/benchmarks.md: `doorward-bench [PART...]` measures the named parts, or all. Each figure is a
//! line `name value unit`, and an entry of `target/bench.json`, which keeps the figures of parts that did not run.
//! `doorward-bench --table` writes that file into docs/benchmarks.md.

mod answer;
mod decide;
mod desk;
mod disk;
mod drain;
mod hint;
mod kill9;
mod ks;
mod machine;
mod page;
mod platforms;
mod report;
mod rss;
mod rules;
mod site;
mod start;
mod table;
mod tap;

use report::{Failure, Report};
use std::{path::Path, process::ExitCode};

/// A part: its name on the command line, what it measures, and how.
type Part = (&'static str, &'static str, fn(&mut Report) -> Result<(), Failure>);

/// Every part. A new one is a file and a line here.
const PARTS: &[Part] = &[
    (
        "decide",
        "decide() beside Cedar and an SQLite point query; size and loading of the image",
        decide::run,
    ),
    (
        "answer",
        "card bytes to answer, also while another process saturates the disk",
        answer::run,
    ),
    (
        "tap",
        "card on the reader to strike and light, over the pty",
        tap::run,
    ),
    (
        "start",
        "exec to the first decision with 250,000 people",
        start::run,
    ),
    (
        "rules",
        "grants out of facts: everything, and after one change",
        rules::run,
    ),
    ("rss", "memory of the daemon", rss::run),
    (
        "platforms",
        "memory of the daemon while 10,000 members come from each platform",
        platforms::run,
    ),
    ("kill9", "200 times kill -9 under load: what is lost", kill9::run),
    (
        "drain",
        "50,000 waiting check-ins to the reference cloud",
        drain::run,
    ),
    (
        "hint",
        "a change at the cloud to the decision, by a web hook and by the poll",
        hint::run,
    ),
    (
        "desk",
        "the enrolment desk: search, a fob given, lost, presented, sixty of them",
        desk::run,
    ),
    (
        "ks",
        "SALTO KS: a first plan, comparisons, entries to check-ins, the past",
        ks::run,
    ),
    ("disk", "bytes written for each event", disk::run),
    (
        "page",
        "card on the desk's reader to the name on the screen, search and weight, in chromium",
        page::run,
    ),
];

#[expect(
    clippy::print_stderr,
    reason = "a command line tool: usage and failures go to standard error"
)]
fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match wanted.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [answer::SATURATE, disk] => answer::saturate(Path::new(disk)),
        ["--table"] => table::write(),
        names => match names
            .iter()
            .find(|name| !PARTS.iter().any(|(part, ..)| part == *name))
        {
            Some(unknown) => {
                eprintln!("doorward-bench: there is no part {unknown:?}; the parts are:");
                for (name, about, _) in PARTS {
                    eprintln!("  {name:<10} {about}");
                }
                return ExitCode::from(64);
            }
            None => parts(names),
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("doorward-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs these parts, or all. A part that fails does not keep the others from running.
fn parts(wanted: &[&str]) -> Result<(), Failure> {
    let mut report = Report::default();
    machine::note(&mut report);
    let mut failed = Vec::new();
    for (name, _, run) in PARTS {
        if !wanted.is_empty() && !wanted.contains(name) {
            continue;
        }
        let before = report::now();
        if let Err(error) = run(&mut report) {
            site::say(&format!("part {name} failed: {error}"));
            failed.push(*name);
        }
        site::say(&format!("part {name}: {:.0} s", before.elapsed().as_secs_f64()));
        report.save()?;
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("these parts failed: {}", failed.join(", ")).into())
    }
}
