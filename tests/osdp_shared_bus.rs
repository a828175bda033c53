//! Several readers on a bus and several buses; every length of card; outputs elsewhere; inputs; install mode.
#![allow(
    clippy::unwrap_used,
    reason = "clippy's exemption for tests does not reach their helpers"
)]

use crate::osdp_site::*;
use doorward::{
    config::model::InputRef,
    domain::{Credential, Scheme},
    readers::LineEvent,
};
use doorward_peers::osdp::{Bus, PdSpec, What};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);

fn key(address: u8) -> [u8; 16] {
    let mut key = KEY;
    key[15] = address;
    key
}

fn specs(addresses: std::ops::Range<u8>) -> Vec<PdSpec> {
    addresses
        .map(|address| PdSpec {
            address,
            key: Some(key(address)),
        })
        .collect()
}

#[test]
fn every_length_that_a_reader_sends_becomes_a_credential() {
    let bus = Bus::start(specs(0..1)).unwrap();
    let line = osdp_line("hall", bus.path(), vec![reader("front", 0, Some(key(0)))]);
    let site = Site::start(&[line], &[]);
    site.wait_online(&["front"]);
    let data = [0xA5_u8; 10];
    for bits in (1..=80).rev() {
        bus.tap(0, bits, &data[..bits.div_ceil(8)]);
        let (presentation, _) = site.presented.recv_timeout(SOON).unwrap();
        let card = presentation.credential.unwrap();
        let scheme = if matches!(bits, 32 | 56 | 80) {
            Scheme::Uid
        } else {
            Scheme::Wiegand
        };
        assert_eq!((card.scheme(), usize::from(card.bits())), (scheme, bits));
        if scheme == Scheme::Wiegand {
            assert_eq!(card, Credential::wiegand(bits, &data).unwrap());
        }
    }
    bus.tap(0, 88, &[1; 11]);
    assert_eq!(
        site.presented.recv_timeout(SOON).unwrap().0.credential,
        None,
        "longer than any card"
    );
    bus.tap(0, 0, &[]);
    assert_eq!(
        site.presented.recv_timeout(SOON).unwrap().0.credential,
        None,
        "no bits at all"
    );
}

#[test]
fn eight_readers_share_a_bus_and_one_that_is_gone_does_not_slow_the_others() {
    let bus = Bus::start(specs(0..8)).unwrap();
    let names: Vec<String> = (0..8).map(|address| format!("r{address}")).collect();
    let readers = (0_u8..)
        .zip(&names)
        .map(|(address, name)| reader(name, address, Some(key(address))))
        .collect();
    let doors: Vec<_> = names.iter().map(|name| door(name, Some((name, 0)))).collect();
    let site = Site::start(&[osdp_line("hall", bus.path(), readers)], &doors);
    let seen = bus.observed();
    site.wait_online(&names.iter().map(String::as_str).collect::<Vec<_>>());

    bus.silence(7, true);
    site.wait_for(&offline("r7"), 1, Duration::from_secs(10));
    let mut worst = Duration::ZERO;
    for round in 0..35_u8 {
        let address = round % 7;
        let start = now();
        bus.tap(address, 56, &MEMBER_BYTES);
        loop {
            let seen = seen.recv_timeout(SOON).unwrap();
            if seen.address == address && matches!(seen.what, What::Output { .. }) {
                worst = worst.max(seen.at - start);
                break;
            }
        }
    }
    println!("worst tap to output with one of eight absent: {worst:?}");
    assert!(worst < Duration::from_secs(5), "{worst:?}");
    bus.silence(7, false);
    site.wait_for(&online("r7"), 2, Duration::from_secs(15));
}

#[test]
fn a_release_reaches_an_output_on_another_bus() {
    let (hall, yard) = (Bus::start(specs(0..1)).unwrap(), Bus::start(specs(1..2)).unwrap());
    let lines = [
        osdp_line("hall", hall.path(), vec![reader("front", 0, Some(key(0)))]),
        osdp_line("yard", yard.path(), vec![reader("gate", 1, Some(key(1)))]),
    ];
    let site = Site::start(&lines, &[door("front", Some(("gate", 1)))]);
    let seen = yard.observed();
    site.wait_online(&["front", "gate"]);
    assert_eq!(site.lines.heartbeats().len(), 2);

    hall.tap(0, 56, &MEMBER_BYTES);
    wait_until("the output", SOON, || {
        seen.try_iter().any(|seen| {
            seen.what
                == What::Output {
                    output: 1,
                    control: 5,
                    timer: 40,
                }
        })
    });
    // The far bus is lost: the tap is answered all the same, and the release is not kept for later.
    yard.unplug();
    site.wait_for(&offline("gate"), 1, SOON);
    hall.tap(0, 56, &MEMBER_BYTES);
    site.wait_for(
        &LineEvent::ReleaseFailed {
            reader: "gate".into(),
            output: 1,
        },
        1,
        SOON,
    );
}

#[test]
fn inputs_and_tamper_are_told() {
    let bus = Bus::start(specs(0..1)).unwrap();
    let line = osdp_line("hall", bus.path(), vec![reader("front", 0, Some(key(0)))]);
    let mut watched = door("front", None);
    watched.contact = Some(InputRef {
        reader: "front".into(),
        input: 1,
        active_low: false,
    });
    let site = Site::start(&[line], &[watched]);
    site.wait_online(&["front"]);
    let input = |active| LineEvent::Input {
        reader: "front".into(),
        input: 1,
        active,
        changed: true,
    };
    bus.inputs(0, [false, true]);
    site.wait_for(&input(true), 1, SOON);
    bus.inputs(0, [false, false]);
    site.wait_for(&input(false), 1, SOON);
    bus.tamper(0, true);
    site.wait_for(
        &LineEvent::Tamper {
            reader: "front".into(),
            active: true,
        },
        1,
        SOON,
    );
    assert!(site.fault("reader_tamper:front").is_some());
    bus.tamper(0, false);
    site.wait_for(
        &LineEvent::Tamper {
            reader: "front".into(),
            active: false,
        },
        1,
        SOON,
    );
    assert!(site.fault("reader_tamper:front").is_none());
}

#[test]
fn install_mode_is_refused_unless_configured_and_then_is_a_warning() {
    let bus = Bus::start(vec![PdSpec {
        address: 0,
        key: None,
    }])
    .unwrap();
    let strict = reader("front", 0, Some(KEY));
    let site = Site::start(&[osdp_line("hall", bus.path(), vec![strict.clone()])], &[]);
    wait_until("the refusal", Duration::from_secs(10), || {
        site.fault("reader_key:front").is_some()
    });
    assert_eq!(site.happened(&online("front")), 0);

    let mut installing = strict;
    installing.install_mode = true;
    site.lines
        .reconfigure(&[osdp_line("hall", bus.path(), vec![installing])], &[]);
    site.wait_online(&["front"]);
    site.wait_for(
        &LineEvent::Insecure {
            reader: "front".into(),
        },
        1,
        SOON,
    );
    assert!(site.fault("install_mode:front").is_some());
    // The key was given to the reader over the well-known one: it now comes online without install mode.
    site.wait_for(
        &LineEvent::Secure {
            reader: "front".into(),
            active: true,
        },
        1,
        SOON,
    );
    let strict = reader("front", 0, Some(KEY));
    site.lines
        .reconfigure(&[osdp_line("hall", bus.path(), vec![strict])], &[]);
    site.wait_for(&online("front"), 2, SOON);
    assert!(site.fault("install_mode:front").is_none());
}

#[test]
fn install_mode_without_a_key_speaks_in_the_clear_and_says_so() {
    let bus = Bus::start(vec![PdSpec {
        address: 0,
        key: None,
    }])
    .unwrap();
    let mut installing = reader("front", 0, None);
    let site = Site::start(&[osdp_line("hall", bus.path(), vec![installing.clone()])], &[]);
    wait_until("the refusal", SOON, || {
        site.fault("reader_offline:front").is_some()
    });
    installing.install_mode = true;
    site.lines
        .reconfigure(&[osdp_line("hall", bus.path(), vec![installing])], &[]);
    site.wait_online(&["front"]);
    let insecure = LineEvent::Insecure {
        reader: "front".into(),
    };
    site.wait_for(&insecure, 1, SOON);
    bus.tap(0, 56, &MEMBER_BYTES);
    site.presented.recv_timeout(SOON).unwrap();
    assert!(site.fault("install_mode:front").is_some() && site.fault("reader_offline:front").is_none());
}

#[test]
fn only_lines_that_changed_start_again() {
    let (hall, yard) = (Bus::start(specs(0..1)).unwrap(), Bus::start(specs(1..2)).unwrap());
    let unchanged = osdp_line("hall", hall.path(), vec![reader("front", 0, Some(key(0)))]);
    let before = osdp_line("yard", yard.path(), vec![reader("gate", 1, Some(key(1)))]);
    let after = osdp_line("yard", yard.path(), vec![reader("barrier", 1, Some(key(1)))]);
    let site = Site::start(&[unchanged.clone(), before], &[]);
    site.wait_online(&["front", "gate"]);
    site.lines.reconfigure(&[unchanged, after], &[]);
    site.wait_online(&["barrier"]);
    assert_eq!(site.line_counter("hall", "opened"), 1);
    assert_eq!(site.happened(&online("front")), 1);
}
