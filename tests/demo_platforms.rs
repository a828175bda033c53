//! Each platform's story is played to its end against its simulator, and everything comes out as its rules say.
#![cfg(test)] // so that the lints know helpers here for test code

use doorward_peers::false_clock::FalseClock;
use jiff::{Timestamp, ToSpan, civil::Time, tz::TimeZone};
use std::process::{Command, Stdio};

/// Plays a story, and gives what it printed.
fn played(platform: &str, arguments: &[&str]) -> (bool, String) {
    played_at(platform, arguments, None)
}

/// The same by a clock of its own.
fn played_at(platform: &str, arguments: &[&str], clock: Option<&FalseClock>) -> (bool, String) {
    let temporary = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["demo", "--platform", platform, "--seconds", "1"])
        .args(arguments)
        .env("TMPDIR", temporary.path())
        .envs(clock.into_iter().flat_map(FalseClock::environment))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let left = std::fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(left, 0, "something was left behind");
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.success(), text + &errors)
}

/// The rows of the table at the end.
fn table(text: &str) -> Vec<&str> {
    let rows = text.lines().skip_while(|line| !line.starts_with("step "));
    rows.skip(1).take_while(|line| !line.is_empty()).collect()
}

#[track_caller]
fn agrees(platform: &str, shown: &[&str]) {
    let (good, text) = played(platform, &[]);
    let rows = table(&text);
    assert!(good, "{text}");
    assert!(
        rows.len() > 20 && rows.iter().all(|row| row.ends_with("ok")),
        "{text}"
    );
    // What is called agreed is what the table itself says was expected, word for word.
    let header = text.lines().find(|line| line.starts_with("step ")).unwrap();
    let [expected, got] = ["expected", "got"].map(|name| header.find(name).unwrap());
    for row in rows.iter().filter(|row| row.contains(" taps: ")) {
        let (expected, got) = (row[expected..got].trim(), &row[got..]);
        assert!(
            expected.split(" or ").any(|one| got.starts_with(one)),
            "not what was expected: {row}"
        );
    }
    for words in shown {
        assert!(
            rows.iter().any(|row| row.contains(words)),
            "no row {words:?}: {text}"
        );
    }
}

#[test]
fn coworks() {
    let cancelled = "Ana Ruiz is cancelled, last day yesterday";
    agrees(
        "coworks",
        &[
            cancelled,
            "stays shut, not_yet",
            "opens, granted_pass",
            "Ana Ruiz may still enter",
        ],
    );
}

#[test]
fn cobot() {
    let toggle = "stays shut, no_pass_left: plan Day passes is used up";
    agrees(
        "cobot",
        &[toggle, "Chiara Neri is checked in", "stays shut, ended by R1"],
    );
}

#[test]
fn nexudus() {
    let office = "Ana Ruiz gets \"Office 2\" assigned";
    agrees(
        "nexudus",
        &[office, "stays shut, no_pass_left", "opens, granted_assignment"],
    );
}

#[test]
fn officernd() {
    let invited = "Ana Ruiz invites Ben Okafor to the booking";
    agrees(
        "officernd",
        &[invited, "opens, granted_assignment", "stays shut, ended by R12"],
    );
}

#[test]
fn spacebring() {
    let local = "none there; the journal has them";
    agrees(
        "spacebring",
        &[
            local,
            "Ana Ruiz books \"Desk 7\" now",
            "stays shut, not_yet by R12",
        ],
    );
}

/// Doors that SALTO KS decides: the locks themselves say what became of it.
#[test]
fn ks() {
    agrees(
        "ks",
        &[
            "the lock 20, 26, 50, 64, 66 minutes from now",
            "the check-in at the platform",
            "by hand at KS: Hanna Hand",
        ],
    );
}

#[test]
fn a_story_as_json() {
    let (good, text) = played("coworks", &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    assert!(good && document["disagreements"] == 0, "{text}");
    let steps = document["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .any(|step| step["rule"] == 5 && step["expected"] == "stays shut, person_blocked")
    );
}

/// Seconds from now to the next time that the clock on the house's wall shows this.
fn until(time: Time) -> i64 {
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    let now = Timestamp::from_millisecond(doorward::clock::Clock::system(true, 0).now().at).unwrap();
    let now = now.to_zoned(zone.clone());
    let today = now.date().to_datetime(time).to_zoned(zone.clone()).unwrap();
    let then = if today > now {
        today
    } else {
        let tomorrow = now.date().saturating_add(1.day());
        tomorrow.to_datetime(time).to_zoned(zone).unwrap()
    };
    then.timestamp().as_second() - now.timestamp().as_second()
}

/// A story tells times from the moment of the play, and a play may be late in the evening, or early.
#[track_caller]
fn agrees_near_midnight(platform: &str) {
    let times = [Time::constant(23, 50, 0, 0), Time::constant(0, 5, 0, 0)];
    std::thread::scope(|plays| {
        let plays = times.map(|time| {
            plays.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let clock = FalseClock::build(folder.path()).unwrap();
                clock.set(until(time), true).unwrap();
                (time, played_at(platform, &[], Some(&clock)))
            })
        });
        for play in plays {
            let (time, (good, text)) = play.join().unwrap();
            let rows = table(&text);
            let all = rows.len() > 20 && rows.iter().all(|row| row.ends_with("ok"));
            assert!(good && all, "{platform} at {time}: {text}");
        }
    });
}

#[test]
fn coworks_near_midnight() {
    agrees_near_midnight("coworks");
}

#[test]
fn cobot_near_midnight() {
    agrees_near_midnight("cobot");
}

#[test]
fn nexudus_near_midnight() {
    agrees_near_midnight("nexudus");
}

#[test]
fn officernd_near_midnight() {
    agrees_near_midnight("officernd");
}

#[test]
fn spacebring_near_midnight() {
    agrees_near_midnight("spacebring");
}
