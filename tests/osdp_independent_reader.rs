//! A reader that shares no code with libosdp: whatever both sides agree on is the standard's.

use crate::osdp_site::*;
use doorward::domain::Credential;
use doorward_peers::independent::Independent;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(5);
/// osdp_OUT, osdp_LED, osdp_BUZ.
const OUT: u8 = 0x68;
const LED: u8 = 0x69;
const BUZ: u8 = 0x6A;

#[test]
fn an_independent_reader_is_answered_over_the_secure_channel() {
    let independent = Independent::start(9, KEY).unwrap();
    let line = osdp_line("hall", independent.path(), vec![reader("front", 9, Some(KEY))]);
    let site = Site::start(&[line], &[door("front", Some(("front", 1)))]);
    site.wait_online(&["front"]);
    let (code, _) = independent.commands.recv_timeout(SOON).unwrap();
    assert_eq!(code, LED, "the light between answers");

    independent.tap(26, &(0x02F7_64DD_u32 << 6).to_be_bytes());
    let (presentation, _) = site.presented.recv_timeout(SOON).unwrap();
    assert_eq!(presentation.credential, Some(Credential::wiegand26(123, 45678)));
    let told: Vec<_> = (0..3)
        .map(|_| independent.commands.recv_timeout(SOON).unwrap())
        .collect();
    assert_eq!(told[0], (OUT, vec![1, 5, 40, 0]));
    assert_eq!((told[1].0, told[1].1[5]), (LED, 2), "green");
    assert_eq!(told[2], (BUZ, vec![0, 2, 2, 0, 1]));
    assert_eq!(site.happened(&offline("front")), 0);
}

#[test]
fn an_independent_reader_with_another_key_stays_offline() {
    let independent = Independent::start(9, [1; 16]).unwrap();
    let line = osdp_line("hall", independent.path(), vec![reader("front", 9, Some(KEY))]);
    let site = Site::start(&[line], &[]);
    wait_until("the fault", Duration::from_secs(10), || {
        site.fault("reader_key:front").is_some()
    });
    assert_eq!(site.happened(&online("front")), 0);
}
