//! The figures of docs/benchmarks.md: `doorward-bench [PART...]` measures the named parts, or all. Each figure is a
//! line `name value unit`, and an entry of `target/bench.json`, which keeps the figures of parts that did not run.

mod decide;
mod report;

use report::{Failure, Report};
use std::process::ExitCode;

/// A part: its name on the command line, what it measures, and how.
type Part = (&'static str, &'static str, fn(&mut Report) -> Result<(), Failure>);

/// Every part. A new one is a file and a line here.
const PARTS: &[Part] = &[(
    "decide",
    "decide() beside Cedar and an SQLite point query; size and loading of the image",
    decide::run,
)];

#[expect(
    clippy::print_stderr,
    reason = "a command line tool: usage and failures go to standard error"
)]
fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let unknown = wanted
        .iter()
        .find(|name| !PARTS.iter().any(|(part, ..)| part == name));
    if let Some(unknown) = unknown {
        eprintln!("doorward-bench: there is no part {unknown:?}; the parts are:");
        for (name, about, _) in PARTS {
            eprintln!("  {name:<10} {about}");
        }
        return ExitCode::from(64);
    }
    let mut report = Report::default();
    for (name, _, run) in PARTS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        if let Err(error) = run(&mut report) {
            eprintln!("doorward-bench: part {name} failed: {error}");
            return ExitCode::FAILURE;
        }
    }
    match report.save() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("doorward-bench: target/bench.json was not written: {error}");
            ExitCode::FAILURE
        }
    }
}
