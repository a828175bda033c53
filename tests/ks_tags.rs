//! Tags of SALTO KS: paired with a card, registered at a lock, given, blocked and replaced, from the command line.

use crate::{
    harness::wait_for,
    ks_entries::{KsSite, tag},
};

const CARD: &str = "uid:04A2B3C4D5E680";

/// As a command in another window.
fn meanwhile<'a>(
    scope: &'a std::thread::Scope<'a, '_>,
    site: &'a KsSite,
    arguments: &'a [&'a str],
) -> std::thread::ScopedJoinHandle<'a, (i32, String, String)> {
    scope.spawn(move || site.gateway.command(arguments))
}

#[test]
fn the_same_fob_at_the_desks_lock_and_at_the_desks_reader_is_a_pair() {
    let site = KsSite::start("tag_reader = \"Desk reader\"", false);
    std::thread::scope(|scope| {
        let command = meanwhile(scope, &site, &["ks", "pair", "--credential", CARD]);
        let present = |number: &str| {
            site.ks.add_entry("Desk reader", site.ks.now(), |entry| {
                entry.category = "lock_rejected".into();
                entry.by = Some("tag".into());
                entry.by_detail = Some(number.to_owned());
            })
        };
        present("01507333");
        let (status, out, error) = command.join().unwrap();
        assert_eq!(status, 0, "{out}{error}");
        assert_eq!(out.trim(), "tag ks:…33 is card uid:…80");
    });
    let (_, listed, _) = site.gateway.command(&["ks", "pair"]);
    assert_eq!(listed.trim(), "tag ks:…33 is card uid:…80");
    // The desk's lock is no door, and nothing to wonder about.
    let entries = site.section("the entry", |entries, _| entries["known"].is_u64());
    assert_eq!(entries["elsewhere"], 0);
    let (status, _, _) = site.gateway.command(&["ks", "pair", "--forget", "ks:01507333"]);
    assert_eq!(status, 0);
    let (_, listed, _) = site.gateway.command(&["ks", "pair"]);
    assert_eq!(listed.trim(), "no tag is paired with a card");
    let log = site.gateway.log();
    assert!(!log.contains("01507333") && !log.contains("04A2B3C4D5E680"));
}

#[test]
fn two_fobs_at_once_and_a_missing_reader_are_refused_in_words() {
    let site = KsSite::start("tag_reader = \"Desk reader\"", false);
    let now = site.ks.now();
    for number in ["01507333", "00007528"] {
        site.ks.add_entry("Desk reader", now, |entry| {
            entry.category = "lock_rejected".into();
            entry.by = Some("tag".into());
            entry.by_detail = Some(number.into());
        });
    }
    // Both have been heard when a third entry after them is an event.
    site.opens(0, 0);
    site.section("all three", |entries, _| entries["events"]["came_in"] == 1);
    let (status, _, error) = site.gateway.command(&["ks", "pair", "--credential", CARD]);
    assert!(status == 1 && error.contains("two fobs"), "{error}");
    let nowhere = KsSite::start("", false);
    let (status, _, error) = nowhere.gateway.command(&["ks", "pair", "--credential", CARD]);
    assert!(status == 1 && error.contains("[ks] tag_reader"), "{error}");
}

#[test]
fn a_new_tag_is_registered_at_a_lock_and_shown() {
    let site = KsSite::start("", false);
    let arguments = [
        "ks",
        "tag",
        "register",
        "--lock",
        "Desk reader",
        "--seconds",
        "4",
        "--show-number",
    ];
    std::thread::scope(|scope| {
        let command = meanwhile(scope, &site, &arguments);
        wait_for("registration mode", || {
            let locks = site.ks.locks();
            let desk = locks.iter().find(|lock| lock.name == "Desk reader").unwrap();
            if desk.registering.is_some() {
                Ok(())
            } else {
                Err(())
            }
        });
        site.ks
            .open_lock_with_tag("Desk reader", "02309289", site.ks.now());
        let (status, out, error) = command.join().unwrap();
        assert_eq!(status, 0, "{out}{error}");
        assert!(
            out.contains("reads new tags for") && out.contains("new tag ks:02309289"),
            "{out}"
        );
    });
    let (status, _, error) = site
        .gateway
        .command(&["ks", "tag", "register", "--lock", "Nowhere"]);
    assert!(
        status == 1 && error.contains("no lock at SALTO KS is called"),
        "{error}"
    );
}

#[test]
fn a_tag_is_given_blocked_and_replaced_here_and_at_ks() {
    let site = KsSite::start("", false);
    let run = |arguments: &[&str]| {
        let all: Vec<&str> = ["ks", "tag"].iter().chain(arguments).copied().collect();
        site.gateway.command(&all)
    };
    for number in ["02309289", "01507333"] {
        site.ks.add_tag(number);
    }
    // Somebody else's tag, and one that nobody registered.
    let (status, _, error) = run(&["assign", &format!("ks:{}", tag(1)), "--person", "p0"]);
    assert!(status == 1 && error.contains("Member 1"), "{error}");
    let (status, _, error) = run(&["assign", "ks:00000042", "--person", "p0"]);
    assert!(status == 1 && error.contains("ks tag register"), "{error}");
    let (status, out, error) = run(&["assign", "ks:02309289", "--person", "p0"]);
    assert_eq!(status, 0, "{out}{error}");
    let explained = || {
        let (_, out, _) =
            site.gateway
                .command(&["explain", "--credential", "ks:02309289", "--door", "front"]);
        out
    };
    assert!(explained().contains("Member 0"), "{}", explained());
    // At KS somebody has it by hand: blocking takes it there too.
    site.ks.add_user_by_hand("Hana Hand", Some("02309289"));
    let (status, out, error) = run(&["replace", "ks:02309289", "--by", "ks:01507333", "--note", "lost"]);
    assert_eq!(status, 0, "{out}{error}");
    assert!(explained().contains("blocked"), "{}", explained());
    let hana = site.ks.user("Hana Hand").unwrap();
    let new = site.ks.with(|state| {
        state
            .tags
            .iter()
            .find(|tag| tag.number == "01507333")
            .unwrap()
            .id
            .clone()
    });
    assert_eq!(hana.tag, Some(new));
    let (status, out, error) = run(&["block", "ks:01507333"]);
    assert_eq!(status, 0, "{out}{error}");
    assert_eq!(site.ks.user("Hana Hand").unwrap().tag, None);
    // Each is an action of the desk, by the user who opened the socket.
    let (_, trail, _) = site.gateway.command(&["audit", "list", "--json"]);
    for action in ["card.assigned", "card.blocked"] {
        let of = trail.lines().filter(|line| line.contains(action));
        let by = of.clone().filter(|line| line.contains("command line"));
        assert_eq!((of.count(), by.count()), (2, 2), "{action}: {trail}");
    }
    assert!(
        !trail.contains("02309289") && !trail.contains("01507333"),
        "{trail}"
    );
    // A blocked tag is given to nobody.
    let (status, _, error) = run(&["assign", "ks:02309289", "--person", "p0"]);
    assert!(status == 1 && error.contains("blocked"), "{error}");
    // The last of them is in the journal a moment after the answer.
    crate::harness::wait_for("two of each", || {
        let events = site.gateway.events();
        let of = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
        match (of("card_changed"), of("block_changed")) {
            (2, 2) => Ok(()),
            others => Err(others),
        }
    });
}
