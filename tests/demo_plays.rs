//! The demo as a process: it ends by itself with a summary that is true, and leaves nothing behind, whoever ends it.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::harness::wait_for;
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

fn demo(temporary: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .arg("demo")
        .args(arguments)
        .env("TMPDIR", temporary)
        .stdin(Stdio::null());
    command
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn a_play_of_one_second_has_taps_and_a_summary() {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path(), &["--seconds", "1", "--json"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert!(summary["taps"].as_u64().unwrap() >= 1, "{summary}");
    assert_eq!(summary["complaints"], serde_json::json!([]));
    assert_eq!(summary["check_ins_owed"], summary["check_ins_arrived"]);
    assert!(output.status.success());
    assert!(is_empty(temporary.path()), "something was left behind");
}

#[test]
fn a_play_that_is_interrupted_waits_for_its_check_ins_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let mut child = demo(temporary.path(), &[])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(lines.any(|line| line.contains("Ana Ruiz")), "the first tap");
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let rest: Vec<String> = lines.collect();
    assert!(
        rest.iter()
            .any(|line| line.contains("every check-in arrived once")),
        "{rest:?}"
    );
    let status = wait_for("its end", || child.try_wait().unwrap().ok_or("still there"));
    assert!(status.success());
    assert!(is_empty(temporary.path()), "something was left behind");
}
