//! A SALTO wall reader behind its RS232 adaptor: it speaks, and a door opens by an OSDP output.
#![allow(
    clippy::unwrap_used,
    reason = "clippy's exemption for tests does not reach their helpers"
)]

use crate::osdp_site::*;
use doorward::{
    config::model::{LineConfig, LineKind, Parity, WradaptFrame, WradaptNumber, WradaptReader},
    domain::Credential,
    readers::LineEvent,
};
use doorward_peers::{
    osdp::{Bus, PdSpec, What},
    wradapt::Wradapt,
};
use std::{path::Path, time::Duration};

const SOON: Duration = Duration::from_secs(5);

fn line(path: &Path, frame: WradaptFrame, number: WradaptNumber) -> LineConfig {
    LineConfig {
        id: "side".into(),
        path: path.to_owned(),
        baud: 9600,
        kind: LineKind::Wradapt(WradaptReader {
            id: "side".into(),
            door: "side".into(),
            frame,
            number,
            data_bits: 8,
            parity: Parity::None,
        }),
    }
}

#[test]
fn a_rom_code_after_noise_opens_a_door_by_an_output_elsewhere() {
    let (adaptor, bus) = (
        Wradapt::start().unwrap(),
        Bus::start(vec![PdSpec {
            address: 0,
            key: Some(KEY),
        }])
        .unwrap(),
    );
    let side = line(adaptor.path(), WradaptFrame::Stx, WradaptNumber::Rom14);
    let hall = osdp_line("hall", bus.path(), vec![reader("front", 0, Some(KEY))]);
    let site = Site::start(&[side, hall], &[door("side", Some(("front", 1)))]);
    let seen = bus.observed();
    site.wait_online(&["front", "side"]);
    adaptor.bytes(b"\xFF\x00power up\x03");
    adaptor.frame("04A2B3C4D5E680");
    let (presentation, _) = site.presented.recv_timeout(SOON).unwrap();
    assert_eq!(presentation.credential, MEMBER.parse().ok());
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
    adaptor.bytes(b"\x0204A2B3C4D5E680\x03\x00");
    wait_until("the counter", SOON, || {
        site.line_counter("side", "bad_checks") == 1
    });
    assert!(site.presented.try_recv().is_err(), "a wrong check opens nothing");
    adaptor.frame("04A2");
    assert_eq!(site.presented.recv_timeout(SOON).unwrap().0.credential, None);
}

#[test]
fn plain_text_is_read_and_the_adapter_may_come_and_go() {
    let mut adaptor = Wradapt::start().unwrap();
    let side = line(adaptor.path(), WradaptFrame::Text, WradaptNumber::Wiegand26);
    let site = Site::start(&[side], &[]);
    site.wait_online(&["side"]);
    for round in 1..=2 {
        adaptor.text("12345678");
        let (presentation, _) = site.presented.recv_timeout(SOON).unwrap();
        assert_eq!(presentation.credential, Some(Credential::wiegand26(123, 45678)));
        adaptor.unplug();
        site.wait_for(&offline("side"), round, SOON);
        assert!(site.fault("line_lost:side").is_some());
        adaptor.plug().unwrap();
        site.wait_for(&online("side"), round + 1, Duration::from_secs(15));
        assert!(site.fault("line_lost:side").is_none());
    }
    assert_eq!(site.happened(&LineEvent::LineBack { line: "side".into() }), 2);
}
