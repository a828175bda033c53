//! Readers behind the real pcscd, with virtual cards. The command watches them, as an installer does.
#![cfg(test)] // so that the lints know helpers here for test code

use crate::{
    desk_watch::{Watch, now},
    harness::{Gateway, site::Layout},
};
use doorward_peers::vpcd::{Card, Pcscd, missing};
use std::time::Duration;

const LONG: [u8; 7] = [0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80];

/// Whether there is a pcscd to test with; says so if not. scripts/test installs it.
fn there_is_none() -> bool {
    if let Some(what) = missing() {
        println!("SKIPPED: {what} (apt-get install pcscd vsmartcard-vpcd)");
        return true;
    }
    false
}

/// A site with nothing but a desk for PC/SC readers, and what is seen there.
struct Desk {
    watch: Watch,
    _site: Gateway,
}

impl Desk {
    fn start(pcscd: &Pcscd) -> Self {
        let desk = Layout::new("rtc = true")
            .table("[cloud]", "kind = \"none\"")
            .table("[desk]", "pn532 = false");
        let site = Gateway::new(desk.text());
        Self {
            watch: Watch::start(&site, &pcscd.socket()),
            _site: site,
        }
    }

    fn two_readers(&self) {
        for name in ["Virtual PCD", "Virtual PCD (2)"] {
            assert_eq!(self.expect("appeared")["name"], name);
        }
    }
}

impl std::ops::Deref for Desk {
    type Target = Watch;
    fn deref(&self) -> &Watch {
        &self.watch
    }
}

#[test]
fn a_card_is_read_whatever_the_reader_answers_first() {
    if there_is_none() {
        return;
    }
    let mut pcscd = Pcscd::new().unwrap();
    pcscd.start().unwrap();
    let watch = Desk::start(&pcscd);
    watch.two_readers();
    let whole = [&LONG[..], &[0x90, 0x00]].concat();
    for (slot, card, masked) in [
        (0, Card::new(&LONG), "uid:…80"),
        (1, Card::new(&[0x71, 0x86, 0xA6, 0x1E]), "uid:…1E"),
        (0, Card::new(&[4, 2, 3, 4, 5, 6, 7, 8, 9, 10]), "uid:…0A"),
        (0, Card::answering(&[&[0x6C, 0x07], &whole]), "uid:…80"),
        (0, Card::answering(&[&[0x63, 0x00], &whole]), "uid:…80"),
        (
            0,
            Card::answering(&[&[&LONG[..], &[0x62, 0x82]].concat()]),
            "uid:…80",
        ),
    ] {
        let laid = pcscd.lay(slot, card).unwrap();
        let presented = watch.expect("presented");
        assert_eq!(presented["card"], masked);
        assert_eq!(presented["reader"], format!("pcsc:Virtual PCD 00 0{slot}"));
        let questions = laid.questions();
        assert_eq!(questions[0], [0xFF, 0xCA, 0x00, 0x00, 0x00]);
        drop(laid);
        watch.expect("removed");
    }
}

#[test]
fn a_card_that_gives_no_number_says_why_and_two_readers_are_two() {
    if there_is_none() {
        return;
    }
    let mut pcscd = Pcscd::new().unwrap();
    pcscd.start().unwrap();
    let watch = Desk::start(&pcscd);
    watch.two_readers();
    for (card, words) in [
        (Card::answering(&[&[0x6A, 0x81]]), "contact card"),
        (Card::answering(&[&[0x63, 0x00]]), "lay it flat"),
        (Card::new(&[0x80, 0x11, 0x22, 0x33]), "random UID"),
        (Card::new(&[1, 2, 3, 4, 5, 6, 7, 8]), "ISO 15693"),
        (Card::vanishing(), "taken away before it was read"),
    ] {
        let laid = pcscd.lay(0, card).unwrap();
        let trouble = watch.trouble();
        assert!(trouble.contains(words) && !trouble.contains("1122"), "{trouble}");
        drop(laid);
        // pcscd looks every 400 ms whether it is gone; the other reader's card is next in any case.
        let _laid = pcscd.lay(1, Card::new(&LONG)).unwrap();
        assert_eq!(
            watch.expect("presented")["reader"],
            "pcsc:Virtual PCD 00 01",
            "after {words}"
        );
        drop(_laid);
        watch.expect("removed");
    }
    // Both at once.
    let _one = pcscd.lay(0, Card::new(&LONG)).unwrap();
    let _two = pcscd.lay(1, Card::new(&[0x71, 0x86, 0xA6, 0x1E])).unwrap();
    let mut cards = [watch.expect("presented"), watch.expect("presented")].map(|event| event["card"].clone());
    cards.sort_by_key(ToString::to_string);
    assert_eq!(cards, ["uid:…1E", "uid:…80"]);
}

#[test]
fn pcscd_may_come_later_and_be_restarted() {
    if there_is_none() {
        return;
    }
    let mut pcscd = Pcscd::new().unwrap();
    let watch = Desk::start(&pcscd);
    let words = watch.trouble();
    assert!(
        words.contains("pcscd does not run") && words.contains("systemctl enable"),
        "{words}"
    );
    pcscd.start().unwrap();
    watch.two_readers();
    let laid = pcscd.lay(0, Card::new(&LONG)).unwrap();
    watch.expect("presented");
    drop(laid);
    pcscd.stop();
    let mut ends: Vec<String> = Vec::new();
    // The card may go before its reader does, or with it.
    while ends.iter().filter(|end| *end == "gone").count() < 2 || !ends.contains(&"trouble".into()) {
        ends.push(watch.next().0["event"].as_str().unwrap().to_owned());
    }
    pcscd.start().unwrap();
    watch.two_readers();
    let _laid = pcscd.lay(1, Card::new(&LONG)).unwrap();
    watch.expect("presented");
}

/// Printed by `scripts/test`: what we add to pcscd's own time, which looks at a virtual reader every 400 ms.
#[test]
fn figure_from_card_to_event() {
    if there_is_none() {
        return;
    }
    let mut pcscd = Pcscd::new().unwrap();
    pcscd.start().unwrap();
    let watch = Desk::start(&pcscd);
    watch.two_readers();
    let (mut whole, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..12 {
        let began = now();
        let laid = pcscd.lay(0, Card::new(&LONG)).unwrap();
        let (event, heard) = watch.next();
        assert_eq!(event["event"], "presented", "{event}");
        whole.push(heard - began);
        ours.push(heard.saturating_duration_since(laid.powered().unwrap()));
        drop(laid);
        watch.expect("removed");
    }
    for times in [&mut whole, &mut ours] {
        times.sort();
    }
    let ms = |times: &[Duration], at: usize| times[at].as_secs_f64() * 1_000.0;
    println!(
        "desk_pcsc_card_to_event p50 {:.0} ms, p95 {:.0} ms; from pcscd's noticing it to the event p50 {:.1} ms, p95 {:.1} ms",
        ms(&whole, 6),
        ms(&whole, 11),
        ms(&ours, 6),
        ms(&ours, 11)
    );
}
