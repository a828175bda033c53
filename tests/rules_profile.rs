//! `[rules] profile`: a platform's table, the site's own keys over it, and what check-config shows of both.

use doorward::config::{
    Config, Environment, Findings, Purpose,
    model::{BookingWindow, Connect, Profile, TeamRule},
    parse,
};
use std::{path::Path, time::Duration};

const SITE: &str =
    "[site]\nid = \"here\"\nname = \"Here\"\nzone = \"Europe/Madrid\"\n[[door]]\nid = \"front\"\n";

fn read(rest: &str) -> (Option<Config>, Findings) {
    let path = Path::new("/nowhere/doorward.toml");
    parse(
        path,
        format!("{SITE}{rest}"),
        Purpose::Inspect,
        &Environment::default(),
    )
}

fn good(rest: &str) -> Config {
    let (config, findings) = read(rest);
    config.unwrap_or_else(|| panic!("{findings}"))
}

#[test]
fn the_profile_follows_the_cloud_and_the_site_goes_over_it() {
    assert_eq!(good("").rules.profile, Profile::Open);
    let file = good("[cloud]\nkind = \"file\"\npath = \"facts.toml\"\n").rules;
    assert_eq!((file.profile, file.cancel_revokes), (Profile::Open, true));
    let coworks = good("[cloud]\nkind = \"coworks\"\npath = \"facts.toml\"\n").rules;
    assert_eq!(
        (coworks.profile, coworks.cancel_revokes),
        (Profile::Coworks, false),
        "S1:45"
    );
    assert_eq!(coworks.room_window, BookingWindow::WholeDay);

    let mixed = good("[rules]\nprofile = \"spacebring\"\nroom_before_minutes = 10\n").rules;
    assert_eq!(mixed.room_before, Duration::from_secs(600));
    assert_eq!(mixed.room_after, Duration::from_secs(1_800), "S2:93");
    assert_eq!(
        (mixed.desk_window, mixed.team_rule),
        (BookingWindow::Schedule, TeamRule::CompanySubscription)
    );
    assert_eq!(mixed.set_here, ["room_before_minutes"]);
}

#[test]
fn each_parameter_can_be_set_here() {
    let rules = good(
        "[rules]\nprofile = \"cobot\"\nroom_window = \"whole_day\"\nroom_before_minutes = 1\nroom_after_minutes = 2\n\
         desk_window = \"schedule\"\ndesk_before_minutes = 3\ndesk_after_minutes = 4\n\
         public_schedule_for_others = true\ngrant_invitees = true\ngrant_desk_invitees = true\n\
         grant_external = true\ngrant_tentative = true\ncancel_revokes = false\n\
         team_rule = \"payer_contract\"\nrestrict_on_exhaustion = true\nconnect = \"new_only\"\n\
         connect_since = \"2026-05-01\"\ndeactivate_inactive = true\nday_starts = \"03:30\"\nlocations = [\"London\"]\n",
    )
    .rules;
    let open: Vec<_> = rules.parameters().into_iter().filter(|it| !it.set_here).collect();
    assert!(open.is_empty(), "{open:?}");
    assert_eq!((rules.connect, rules.day_starts), (Connect::NewOnly, 210));
    assert_eq!(rules.only_locations, ["London"]);
    let cobot = good("[rules]\nprofile = \"cobot\"\n").rules;
    for (one, other) in rules
        .parameters()
        .iter()
        .filter(|it| it.key != "connect_since")
        .zip(cobot.parameters())
    {
        assert_ne!(one.value, other.value, "{} was set and nothing changed", one.key);
    }
}

#[test]
fn mistakes_say_what_to_write() {
    let cases = [
        ("profile = \"cobbot\"", "did you mean \"cobot\"?"),
        (
            "room_window = \"schedule\"",
            "it is one of \"booking\", \"whole_day\"",
        ),
        ("team_rule = \"payer\"", "did you mean \"payer_contract\"?"),
        ("connect = \"new_only\"", "connect_since = \"2026-05-01\""),
        (
            "connect_since = \"2026-05-01\"",
            "leave it out, or set connect = \"new_only\"",
        ),
        ("connect = \"new_only\"\nconnect_since = \"May\"", "it holds text"),
        ("day_starts = \"24:00\"", "it holds text"),
        ("day_starts = 4", "it holds 4"),
        ("locations = \"London\"", "in square brackets"),
    ];
    for (line, hint) in cases {
        let (config, findings) = read(&format!("[rules]\n{line}\n"));
        assert!(config.is_none(), "{line}");
        let all = findings.to_string();
        assert!(all.contains(hint), "{line}: {all}");
    }
}

#[test]
fn check_config_shows_the_profile_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("doorward.toml");
    let text = format!("{SITE}[rules]\nprofile = \"nexudus\"\nday_starts = \"03:00\"\n");
    std::fs::write(&path, text).unwrap();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let shown = run(&["check-config", path.to_str().unwrap()]);
    assert!(shown.contains("rules, by the profile \"nexudus\":"), "{shown}");
    assert!(shown.contains("  room_before_minutes = 15\n"), "{shown}");
    assert!(
        shown.contains("  day_starts = \"03:00\"  (set here)\n"),
        "{shown}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&run(&["check-config", path.to_str().unwrap(), "--json"])).unwrap();
    assert_eq!(json["rules"]["profile"], "nexudus");
    assert_eq!(json["rules"]["parameters"][0]["key"], "room_window");
}

/// docs/rules.md compares the profiles: its table must say what they are.
#[test]
fn the_documents_table_is_what_the_profiles_say() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md")).unwrap();
    let header = text
        .lines()
        .find(|line| line.starts_with("| parameter | "))
        .unwrap();
    let names: Vec<&str> = header
        .trim_matches('|')
        .split('|')
        .skip(1)
        .map(str::trim)
        .collect();
    assert_eq!(names, Profile::ALL.map(|(name, _)| name));
    for (column, (name, profile)) in Profile::ALL.into_iter().enumerate() {
        for parameter in doorward::config::model::RulesConfig::of(profile).parameters() {
            let row = text
                .lines()
                .find(|line| line.starts_with(&format!("| `{}` |", parameter.key)));
            let cells: Vec<&str> = row
                .unwrap()
                .trim_matches('|')
                .split('|')
                .skip(1)
                .map(str::trim)
                .collect();
            let (said, source) = cells[column].split_once(" (").unwrap();
            assert_eq!(
                said,
                parameter.value.trim_matches('"'),
                "{name}: {}",
                parameter.key
            );
            // The profile names the same source.
            let source = source.trim_end_matches(')');
            let marked = if source.len() > 1 {
                source.to_owned()
            } else {
                format!("[{source}]")
            };
            assert!(
                profile.text().contains(&marked),
                "{name}: {} ({source})",
                parameter.key
            );
        }
    }
}
