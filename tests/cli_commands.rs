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
    let version = String::from_utf8(doorward(&["--version"]).stdout).unwrap();
    assert_eq!(
        version,
        format!("doorward {} (with demo)\n", env!("CARGO_PKG_VERSION"))
    );
    let help = doorward(&["--help"]);
    assert!(help.status.success() && !help.stdout.is_empty());
}

#[test]
fn a_card_number_on_the_command_line_is_not_repeated_in_full() {
    let output = doorward(&["explain", "--credential", "uid:0411223344556X", "--door", "d"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64));
    assert!(
        told.contains("hexadecimal") && !told.contains("0411223344556X"),
        "{told}"
    );
}

/// What a command prints on a terminal: a pty, whose other end is read here.
fn on_a_terminal(args: &[&str], environment: &[(&str, &str)]) -> String {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::io::Read;
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = std::fs::File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .args(args)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm")
        .envs(environment.iter().copied());
    let mut child = command.stdout(theirs).spawn().unwrap();
    drop(command); // it holds the terminal's end open
    let mut text = Vec::new();
    // The other end closed is an error here (EIO), after everything was read.
    let _ = std::fs::File::from(ours).read_to_end(&mut text);
    child.wait().unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let folder = tempfile::tempdir().unwrap();
    let good = site(folder.path(), "[[door]]\nid = \"front\"\n");
    let coloured = |args: &[&str], environment: &[(&str, &str)]| {
        let told = on_a_terminal(&[&["check-config", &good], args].concat(), environment);
        assert!(told.contains("can be used"), "{told}");
        told.contains('\u{1b}')
    };
    assert!(coloured(&[], &[]));
    assert!(!coloured(&[], &[("NO_COLOR", "1")]));
    assert!(coloured(&[], &[("NO_COLOR", "")]), "set and empty is not set");
    assert!(!coloured(&[], &[("TERM", "dumb")]));
    assert!(!coloured(&["--color", "never"], &[]));
    assert!(
        coloured(&["--color", "always"], &[("NO_COLOR", "1")]),
        "who asks gets them"
    );
}

/// The log of a gateway that began and was ended in good order.
fn log_of_a_run(folder: &std::path::Path, config: &str, args: &[&str]) -> String {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["run", "--config", config])
        .args(args)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let socket = folder.join("run/control.sock");
    crate::harness::wait_for("the control socket", || {
        let ended = child.try_wait().unwrap();
        if socket.exists() || ended.is_some() {
            Ok(())
        } else {
            Err(socket.display().to_string())
        }
    });
    let _ = std::process::Command::new("kill")
        .arg(child.id().to_string())
        .status();
    String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr).into_owned()
}

#[test]
fn the_log_is_plain_or_json() {
    let folder = tempfile::tempdir().unwrap();
    let good = site(folder.path(), "[[door]]\nid = \"front\"\n");
    let log = |args: &[&str]| log_of_a_run(folder.path(), &good, args);
    assert!(
        log(&[]).contains("WARN"),
        "a warning of the configuration is logged"
    );
    let json = log(&["--json"]);
    for line in json.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string());
    }
    assert!(json.contains("no reader belongs"), "{json}");
    assert!(!log(&["--log", "error"]).contains("no reader belongs"));
    let refused = doorward(&["run", "--config", &good, "--log", "=,="]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--log"));
}
