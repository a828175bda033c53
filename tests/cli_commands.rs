//! The commands as processes: what they print, where, and with which status they end.

use std::{
    path::Path,
    process::{Command, Output},
};

fn doorward(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .args(args)
        .env_remove("CREDENTIALS_DIRECTORY")
        .env_remove("NO_COLOR");
    command.output().unwrap()
}

/// Status, standard output, standard error; the folder's name taken out.
fn told(output: &Output, folder: &Path) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&folder.display().to_string(), "DIR");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    format!(
        "status {:?}\n--- out\n{out}--- err\n{err}",
        output.status.code().unwrap()
    )
}

fn site(folder: &Path, text: &str) -> String {
    let file = folder.join("doorward.toml");
    let (state, runtime) = (folder.join("state"), folder.join("run"));
    let head = format!(
        "[site]\nid = \"s\"\nzone = \"UTC\"\n[paths]\nstate = \"{}\"\nruntime = \"{}\"\n",
        state.display(),
        runtime.display()
    );
    std::fs::write(&file, format!("{head}{text}")).unwrap();
    file.display().to_string()
}

#[test]
fn check_config_tells_everything() {
    let folder = tempfile::tempdir().unwrap();
    let good = site(folder.path(), "[[door]]\nid = \"front\"\n");
    let mut shown = vec![doorward(&["check-config", &good])];
    shown.push(doorward(&["check-config", &good, "--json"]));
    shown.push(doorward(&[
        "--config",
        &good,
        "check-config",
        "--color",
        "always",
    ]));
    let bad = site(folder.path(), "[journal]\nmax_event = 5\n[clock]\nrtc = 1\n");
    shown.push(doorward(&["check-config", &bad]));
    shown.push(doorward(&["check-config", &bad, "--json"]));
    shown.push(doorward(&["check-config", &bad, "--color", "always"]));
    shown.push(doorward(&["check-config", "/nowhere/doorward.toml"]));
    let shown: Vec<_> = shown.iter().map(|output| told(output, folder.path())).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_command_that_cannot_go_on_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let good = site(folder.path(), "[[door]]\nid = \"front\"\n");
    let report = doorward(&["report", "--config", &good]);
    let sync = doorward(&["sync", "now", "--config", &good, "--json"]);
    let bad = site(folder.path(), "[clock]\nrtc = 1\n");
    let run = doorward(&["run", "--config", &bad]);
    let shown = [report, sync, run].map(|output| told(&output, folder.path()));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn a_command_line_that_is_not_understood_ends_with_64() {
    for args in [
        &["opne"][..],
        &[],
        &["explain", "--credential", "04A2B3C4", "--door", "d"],
        &["explain", "--credential", "uid:04A2B3C4"],
        &[
            "explain",
            "--credential",
            "uid:04A2B3C4",
            "--door",
            "d",
            "--reader",
            "r",
        ],
        &["events", "--limit", "0"],
    ] {
        let output = doorward(args);
        assert_eq!(output.status.code(), Some(64), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
    let help = doorward(&["--help"]);
    assert!(help.status.success() && !help.stdout.is_empty());
}

#[test]
fn a_card_number_on_the_command_line_is_not_repeated_in_full() {
    let output = doorward(&["explain", "--credential", "uid:0411223344556X", "--door", "d"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("hexadecimal"), "{told}");
}
