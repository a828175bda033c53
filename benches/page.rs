//! The page in a real browser: the scenario `tests/page_browser.rs` with its figures alone, as release code. It needs chromium
//! and what npm has for it, which `scripts/bench` installs when this part is asked for.

use crate::{
    report::{Failure, Report},
    site,
};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

/// Runs the part.
pub(crate) fn run(report: &mut Report) -> Result<(), Failure> {
    if !has_browser() {
        site::say("page: passed over, there is no chromium (`scripts/bench page` installs it)");
        return Ok(());
    }
    let mut tests = Command::new("cargo")
        .args([
            "test",
            "--quiet",
            "--locked",
            "--profile",
            "fast",
            "-p",
            "doorward",
        ])
        .args([
            "--test",
            "scenarios",
            "page_browser",
            "--",
            "--ignored",
            "--nocapture",
        ])
        .current_dir(root())
        .env("DOORWARD_FLOWS", "figures")
        .stdout(Stdio::piped())
        .spawn()?;
    let lines = BufReader::new(tests.stdout.take().ok_or("no output")?).lines();
    for line in lines {
        let line = line?;
        match line.strip_prefix("figure").map(str::split_whitespace) {
            Some(mut words) => {
                if let (Some(name), Some(value), Some(unit)) = (words.next(), words.next(), words.next()) {
                    report.figure(name, value.parse()?, unit);
                }
            }
            None => site::say(&line),
        }
    }
    if tests.wait()?.success() {
        Ok(())
    } else {
        Err("the flows of the page failed; their words stand above".into())
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn has_browser() -> bool {
    let modules = root().join("target/node/node_modules");
    Path::new("/usr/bin/chromium").exists()
        && modules.join("playwright-core").exists()
        && modules.join("oidc-provider").exists()
}
