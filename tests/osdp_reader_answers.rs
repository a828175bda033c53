//! A fob is presented at an OSDP reader: light, buzzer and output answer.

use crate::osdp_site::*;
use doorward_peers::osdp::{Bus, Color, PdSpec, What};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(15);

#[test]
fn a_known_fob_opens_and_an_unknown_one_does_not() {
    let bus = Bus::start(vec![PdSpec {
        address: 3,
        key: Some(KEY),
    }])
    .unwrap();
    let line = osdp_line("hall", bus.path(), vec![reader("front", 3, Some(KEY))]);
    let site = Site::start(&[line], &[door("front", Some(("front", 1)))]);
    let seen = bus.observed();
    site.wait_online(&["front"]);
    assert_eq!(
        seen.recv_timeout(SOON).unwrap().what,
        What::Idle { color: Color::Red }
    );

    bus.tap(3, 56, &MEMBER_BYTES);
    let shown: Vec<What> = (0..3).map(|_| seen.recv_timeout(SOON).unwrap().what).collect();
    assert_eq!(
        shown,
        [
            What::Output {
                output: 1,
                control: 5,
                timer: 40
            },
            What::Light {
                color: Color::Green,
                timer: 30
            },
            What::Sound { beeps: 1 },
        ]
    );

    bus.tap(3, 32, &[1, 2, 3, 4]);
    let shown: Vec<What> = (0..2).map(|_| seen.recv_timeout(SOON).unwrap().what).collect();
    assert_eq!(
        shown,
        [
            What::Light {
                color: Color::Red,
                timer: 30
            },
            What::Sound { beeps: 3 }
        ]
    );
    assert!(site.fault("install_mode:front").is_none());
}
