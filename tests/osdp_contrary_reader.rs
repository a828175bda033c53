//! A reader that refuses what it claims to do, and one that sends cards in forms that nobody knows.
#![allow(
    clippy::unwrap_used,
    reason = "clippy's exemption for tests does not reach their helpers"
)]

use crate::osdp_site::*;
use doorward::{
    config::model::{OsdpReader, OutputRef},
    readers::LineEvent,
};
use doorward_peers::contrary::Contrary;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
/// osdp_POLL, osdp_OUT, osdp_LED, osdp_BUZ; osdp_RAW and osdp_FMT.
const POLL: u8 = 0x60;
const OUT: u8 = 0x68;
const LED: u8 = 0x69;
const BUZ: u8 = 0x6A;
const RAW: u8 = 0x50;
const FMT: u8 = 0x51;
/// A command that the reader does not know.
const UNKNOWN: u8 = 3;

fn one() -> (Contrary, Site) {
    let contrary = Contrary::start(0).unwrap();
    let clear = OsdpReader {
        install_mode: true,
        ..reader("front", 0, None)
    };
    let line = osdp_line("hall", contrary.path(), vec![clear]);
    let site = Site::start(&[line], &[door("front", Some(("front", 1)))]);
    site.wait_online(&["front"]);
    (contrary, site)
}

/// osdp_RAW: reader, format, count of bits, bits.
fn card(format: u8) -> Vec<u8> {
    [&[0, format, 56, 0], MEMBER_BYTES.as_slice()].concat()
}

#[test]
fn lights_and_sounds_that_are_refused_are_not_asked_for_again() {
    let (contrary, site) = one();
    contrary.refuse(LED, UNKNOWN);
    contrary.refuse(BUZ, UNKNOWN);
    contrary.say(RAW, &card(0));
    site.wait_for(&offline("front"), 1, SOON);
    site.wait_for(&online("front"), 2, SOON);
    // Sounds are refused at the next card, and that is all: it stays.
    contrary.say(RAW, &card(0));
    site.wait_for(&online("front"), 3, SOON);
    let asked = (contrary.heard(LED), contrary.heard(BUZ));
    let outputs = contrary.heard(OUT);
    contrary.say(RAW, &card(0));
    wait_until("the strike", SOON, || contrary.heard(OUT) > outputs);
    let polls = contrary.heard(POLL);
    wait_until("some more polls", SOON, || contrary.heard(POLL) > polls + 20);
    assert_eq!((contrary.heard(LED), contrary.heard(BUZ)), asked);
    assert_eq!(site.happened(&offline("front")), 2);
}

#[test]
fn a_release_that_the_reader_refuses_is_told_as_failed() {
    let (contrary, site) = one();
    contrary.refuse(OUT, UNKNOWN);
    contrary.say(RAW, &card(0));
    let failed = LineEvent::ReleaseFailed {
        reader: "front".into(),
        output: 1,
    };
    site.wait_for(&failed, 1, SOON);
    contrary.obey(OUT);
    site.wait_for(&online("front"), 2, SOON);
    assert!(site.lines.output(
        &OutputRef {
            reader: "front".into(),
            output: 1
        },
        Duration::from_secs(1)
    ));
    wait_until("the strike", SOON, || contrary.heard(OUT) > 1);
    assert_eq!(site.happened(&failed), 1);
}

#[test]
fn a_card_in_a_form_that_nobody_knows_is_refused_and_the_reader_stays() {
    let (contrary, site) = one();
    for (code, data) in [(FMT, vec![0, 0, 4, b'1', b'2', b'3', b'4']), (RAW, card(2))] {
        contrary.say(code, &data);
        let (presentation, _) = site.presented.recv_timeout(SOON).unwrap();
        assert_eq!(presentation.credential, None, "{code:02x}");
    }
    contrary.say(RAW, &card(1));
    let (presentation, _) = site.presented.recv_timeout(SOON).unwrap();
    assert_eq!(presentation.credential, MEMBER.parse().ok());
    let polls = contrary.heard(POLL);
    wait_until("some more polls", SOON, || contrary.heard(POLL) > polls + 20);
    assert!(site.presented.try_recv().is_err(), "each card once");
    assert_eq!(site.happened(&offline("front")), 0);
}

#[test]
fn a_reader_that_comes_and_goes_all_the_time_is_a_fault_and_no_flood_of_events() {
    let (contrary, site) = one();
    contrary.refuse(POLL, UNKNOWN);
    let away = LineEvent::Away {
        reader: "front".into(),
    };
    site.wait_for(&away, 2, Duration::from_secs(60));
    assert_eq!(site.happened(&offline("front")), 6);
    let text = site.fault("reader_unsteady:front").unwrap();
    assert!(text.contains("6 times within a minute"), "{text}");
    assert_eq!(site.happened(&online("front")), 6);
    site.lines.reconfigure(&[], &[]);
    assert_eq!(
        site.fault("reader_unsteady:front"),
        None,
        "a reader that is not wanted is no fault"
    );
}

#[test]
fn two_readers_with_one_address_are_a_fault_of_the_line() {
    let (contrary, site) = one();
    contrary.twice(true);
    let crossed = || site.fault("line_crossed:hall");
    wait_until("the fault", Duration::from_secs(60), || crossed().is_some());
    let text = crossed().unwrap();
    assert!(text.contains("two readers have one address"), "{text}");
    contrary.twice(false);
    wait_until("its end", SOON, || crossed().is_none());
}
