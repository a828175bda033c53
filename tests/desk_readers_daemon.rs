//! The desk's readers in the running gateway: by name, over the control socket, and with a door's reader on loan, which
//! opens nothing and journals nothing meanwhile.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    desk_watch::Watch,
    harness::{
        Gateway,
        site::{FRONT_DOOR, Layout},
        wait_for,
    },
    osdp_site::answered,
};
use doorward_peers::{
    osdp::{Bus, Color, PdSpec, Seen, What},
    pn532::Pn532,
    vpcd::{Card, Pcscd, missing},
};
use std::{
    io::Read as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::Receiver,
};

const KEY: [u8; 16] = [0x42; 16];
const FOB: [u8; 7] = [0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80];
const FACTS: &str = "[[people]]\nid = \"ada\"\nname = \"Ada\"\ncredentials = [\"uid:04A2B3C4D5E680\"]\n\
                     [[memberships]]\nid = \"m\"\nplan = \"Flex\"\nperson = \"ada\"\nstarts = 2020-01-01\n";

struct Site {
    gateway: Gateway,
    bus: Bus,
    seen: Receiver<Seen>,
}

fn site(desk: &str, pcscd: &Path) -> Site {
    let bus = Bus::start(vec![PdSpec {
        address: 3,
        key: Some(KEY),
    }])
    .unwrap();
    let layout = Layout::new("rtc = true")
        .facts_file()
        .map("plans", "Flex", &["members"])
        .group("members", &["front"])
        .osdp(&bus, "key = { file = \"{dir}/key\" }")
        .door("front", FRONT_DOOR)
        .table("[desk]", desk);
    let mut gateway = Gateway::new(layout.text());
    gateway.secret("key", &"42".repeat(16));
    std::fs::write(gateway.path().join("facts.toml"), FACTS).unwrap();
    gateway.environment("PCSCLITE_CSOCK_NAME", &pcscd.display().to_string());
    gateway.start();
    gateway.settle();
    let seen = bus.observed();
    Site { gateway, bus, seen }
}

impl Site {
    /// Presents the fob at the door: the light, and whether the strike was released by then.
    fn tap(&self) -> (Color, bool) {
        while self.seen.try_recv().is_ok() {}
        self.bus.tap(3, 56, &FOB);
        answered(&self.seen)
    }

    /// Entries in the journal, granted or refused.
    fn entries(&self) -> usize {
        let of = |event: &serde_json::Value| {
            event.to_string().contains("granted") || event.to_string().contains("refused")
        };
        self.gateway.events().iter().filter(|event| of(event)).count()
    }
}

#[test]
fn a_door_reader_on_loan_reads_for_the_desk_and_opens_nothing() {
    let site = site("pcsc = false\npn532 = false", Path::new("/nowhere"));
    assert_eq!(site.tap(), (Color::Green, true));
    wait_for("the entry", || {
        if site.entries() == 1 {
            Ok(())
        } else {
            Err(site.entries())
        }
    });
    let watch = Watch::start(&site.gateway, Path::new("/nowhere"));

    let (status, out, error) = site.gateway.command(&["desk", "lend", "front-reader"]);
    assert_eq!(status, 0, "{error}");
    assert!(out.contains("for 60 s"), "{out}");
    let appeared = watch.expect("appeared");
    assert_eq!(
        (appeared["kind"].as_str(), appeared["reader"].as_str()),
        (Some("door"), Some("front-reader"))
    );
    assert_eq!(site.tap(), (Color::Amber, false), "not now");
    let card = watch.expect("presented");
    assert_eq!(
        (card["card"].as_str(), card["reader"].as_str()),
        (Some("uid:…80"), Some("front-reader"))
    );

    let (status, ..) = site.gateway.command(&["desk", "return", "front-reader"]);
    assert_eq!(status, 0);
    watch.expect("gone");
    assert_eq!(site.tap(), (Color::Green, true));
    wait_for("the second entry", || {
        if site.entries() == 2 {
            Ok(())
        } else {
            Err(site.gateway.events())
        }
    });

    // It ends by itself as well.
    site.gateway
        .command(&["desk", "lend", "front-reader", "--seconds", "1"]);
    watch.expect("appeared");
    watch.expect("gone");
    assert_eq!(site.tap(), (Color::Green, true));
    let (status, _, error) = site.gateway.command(&["desk", "lend", "back-reader"]);
    assert!(status == 1 && error.contains("front-reader"), "{error}");
    let (status, ..) = site
        .gateway
        .command(&["desk", "lend", "front-reader", "--seconds", "61"]);
    assert_eq!(status, 64, "a minute at most");
}

#[test]
fn one_fob_is_one_credential_at_every_reader_and_no_reader_journals_it() {
    let chip = Pn532::start().unwrap();
    let mut pcscd = Pcscd::new().unwrap();
    let with_pcsc = missing().is_none();
    if with_pcsc {
        pcscd.start().unwrap();
    } else {
        println!("SKIPPED the PC/SC part: {}", missing().unwrap_or_default());
    }
    let desk = format!(
        "pcsc = {with_pcsc}\npn532 = false\n[[desk.reader]]\nkind = \"pn532\"\nname = \"Reception\"\npath = \"{}\"",
        chip.path().display()
    );
    let mut site = site(&desk, &pcscd.socket());
    let known = wait_for("the readers", || {
        let doc = site.gateway.json(&["desk", "readers"]);
        let names = doc["readers"].as_array().unwrap().len();
        if names == 1 + 2 * usize::from(with_pcsc) {
            Ok(doc)
        } else {
            Err(doc)
        }
    });
    assert!(known["readers"].to_string().contains("Reception"), "{known}");
    assert_eq!(known["doors"][0]["reader"], "front-reader");
    let report = site.gateway.report();
    assert_eq!(
        report["sections"]["desk_readers"]["readers"], known["readers"],
        "the report shows the same"
    );

    let watch = Watch::start(&site.gateway, Path::new("/nowhere"));
    let readers = known["readers"].as_array().unwrap().len();
    for _ in 0..readers {
        watch.expect("appeared");
    }
    chip.lay(&FOB);
    let mut cards = vec![watch.expect("presented")["card"].clone()];
    let _laid = with_pcsc.then(|| pcscd.lay(0, Card::new(&FOB)).unwrap());
    if with_pcsc {
        cards.push(watch.expect("presented")["card"].clone());
    }
    site.gateway.command(&["desk", "lend", "front-reader"]);
    watch.expect("appeared");
    assert_eq!(site.tap(), (Color::Amber, false));
    cards.push(watch.expect("presented")["card"].clone());
    assert!(cards.iter().all(|card| *card == "uid:…80"), "{cards:?}");
    assert_eq!(
        site.entries(),
        0,
        "a presentation at a desk is never an entry event"
    );
    site.gateway.stop();
    assert!(
        !site.gateway.log().contains("04A2B3C4D5E680"),
        "no number in the log"
    );
}

/// A command that waits for a card: it ends with the scenario, whatever becomes of that.
struct Enrolling(Child);

impl Drop for Enrolling {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_card_at_the_desk_is_given_to_a_member_and_opens_the_door() {
    let chip = Pn532::start().unwrap();
    let desk = format!(
        "pcsc = false\npn532 = false\n[[desk.reader]]\nkind = \"pn532\"\nname = \"Reception\"\npath = \"{}\"",
        chip.path().display()
    );
    let site = site(&desk, Path::new("/nowhere"));
    wait_for("the reader", || {
        let doc = site.gateway.json(&["desk", "readers"]);
        match doc["readers"].as_array().map(Vec::len) {
            Some(1) => Ok(()),
            _ => Err(doc),
        }
    });
    let fresh = [0x04, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66];
    let tap = || {
        while site.seen.try_recv().is_ok() {}
        site.bus.tap(3, 56, &fresh);
        wait_for("an answer", || {
            let light = site.seen.try_iter().find_map(|seen| match seen.what {
                What::Light { color, .. } => Some(color),
                _ => None,
            });
            light.ok_or(())
        })
    };
    assert_eq!(tap(), Color::Red, "nobody's yet");
    let mut enrolling = Enrolling(
        Command::new(env!("CARGO_BIN_EXE_doorward"))
            .arg("--config")
            .arg(site.gateway.config_path())
            .args(["enrol", "--at", "reception", "--to", "Ada", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    // Whoever waits for the next card does not take one that lay there before: it is laid again until it was taken, and each
    // time it lies until the gateway saw it.
    let events = || site.gateway.json(&["desk", "readers"])["last"].as_u64().unwrap();
    let turn = |what: &str| {
        let before = events();
        match what {
            "laid" => chip.lay(&fresh),
            _ => chip.clear(),
        }
        wait_for(what, || if events() > before { Ok(()) } else { Err(before) });
    };
    let status = wait_for("the card to be taken", || {
        turn("laid");
        turn("cleared");
        enrolling.0.try_wait().unwrap().ok_or("not yet")
    });
    let mut out = String::new();
    enrolling
        .0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut out)
        .unwrap();
    assert!(status.success(), "{out}");
    assert!(!out.contains("04112233445566"), "masked: {out}");
    assert_eq!(tap(), Color::Green);
    let entries: Vec<_> = site.gateway.events();
    let given = entries
        .iter()
        .filter(|event| event["kind"] == "card_changed")
        .count();
    assert_eq!(given, 1, "{entries:?}");
}
