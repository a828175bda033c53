//! Entries for [`crate::fuzzing`]: framer and decoder are this room's own affair.

use super::{frame::Framer, wradapt::Decoder};
use crate::config::model::{Parity, WradaptFrame, WradaptNumber, WradaptReader};

/// Feeds bytes in pieces as long as the first byte of each says; silence at the end gives everything up.
pub(crate) fn framer(mut data: &[u8]) {
    let mut framer = Framer::default();
    while let Some((length, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        data = rest;
        framer.push(piece);
        while let Some((_, frame)) = framer.next_frame() {
            assert!(frame.len() <= 256, "no frame is longer than libosdp's buffer");
        }
    }
    while framer.gave_up().is_some() {}
    assert!(!framer.is_partial(), "after silence nothing is held");
}

/// Feeds characters; the first byte chooses the adaptor's switches.
pub(crate) fn wradapt(data: &[u8]) {
    let Some((switches, data)) = data.split_first() else {
        return;
    };
    let on = |bit: u8| switches >> bit & 1 == 1;
    let mut decoder = Decoder::new(&WradaptReader {
        id: "fuzzed".into(),
        door: "fuzzed".into(),
        frame: if on(0) {
            WradaptFrame::Text
        } else {
            WradaptFrame::Stx
        },
        number: if on(1) {
            WradaptNumber::Wiegand26
        } else {
            WradaptNumber::Rom14
        },
        data_bits: if on(2) { 7 } else { 8 },
        parity: Parity::None,
    });
    let heard = data.iter().filter_map(|byte| decoder.push(*byte)).count();
    assert!(heard as u64 + decoder.noise + decoder.bad_checks <= 2 * data.len() as u64);
}
