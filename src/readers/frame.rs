//! OSDP frames, as far as the keeper of the bus must know them: where one begins and ends, whether its check
//! is right, whose it is. Pure.
//!
//! Only whole replies with a right check, from the reader that was asked and with the sequence number that was
//! asked with, reach libosdp. It would take a reader offline for a second over any other (osdp_cp.c,
//! `cp_process_reply`): noise, a late or replayed frame, a reader that talks out of turn.

/// Start of message.
const SOM: u8 = 0x53;
/// The mark that may stand before it.
const MARK: u8 = 0xFF;
/// Direction bit of the address: set in replies.
const REPLY: u8 = 0x80;
/// Control bits: sequence number, CRC instead of checksum, security block present.
const SEQUENCE: u8 = 0x03;
const CRC: u8 = 0x04;
const SECURITY: u8 = 0x08;
/// The longest frame that libosdp's buffer holds, mark excluded (OSDP_PACKET_BUF_SIZE less the mark).
const MAX_FRAME: usize = 255;
/// SOM, address, length (2), control, code and a one-byte checksum.
const MIN_FRAME: usize = 7;

/// What the head of a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// 0 to 126, or 127 for everybody.
    pub(super) address: u8,
    /// Whether a reader sent it.
    pub(super) reply: bool,
    /// 0 to 3.
    pub(super) sequence: u8,
    /// Command or reply code; in the clear even on the secure channel.
    pub(super) code: u8,
    /// Length without the mark.
    length: usize,
}

enum Parsed {
    Whole(Head),
    Partial,
    Wrong,
    BadCheck,
}

/// Reads the head of a frame that this side sends: `bytes` begins with the mark or SOM.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let bytes = bytes.strip_prefix(&[MARK]).unwrap_or(bytes);
    match parse(bytes) {
        Parsed::Whole(head) => Some(head),
        _ => None,
    }
}

/// Whether an osdp_NAK is about the command itself, so that it would be refused again: a length, a command or values that the
/// reader does not take (OSDP 2.2, table 47: 2, 3 and 9). Others tell of a check, a sequence or a session that was lost,
/// and are told in the clear; on the secure channel the session is there, so it is about the command.
pub(super) fn refuses_the_command(frame: &[u8]) -> bool {
    let frame = frame.strip_prefix(&[MARK]).unwrap_or(frame);
    let secure = frame.get(4).is_some_and(|control| control & SECURITY != 0);
    secure || matches!(frame.get(6), Some(2 | 3 | 9))
}

fn parse(bytes: &[u8]) -> Parsed {
    let [SOM, address, low, high, control, ..] = *bytes else {
        return match bytes.first() {
            Some(&SOM) => Parsed::Partial,
            _ => Parsed::Wrong,
        };
    };
    let length = usize::from(u16::from_le_bytes([low, high]));
    if !(MIN_FRAME..=MAX_FRAME).contains(&length) {
        return Parsed::Wrong;
    }
    let Some(frame) = bytes.get(..length) else {
        return Parsed::Partial;
    };
    if !check_is_right(frame, control & CRC != 0) {
        return Parsed::BadCheck;
    }
    let skip = match (control & SECURITY, frame.get(5)) {
        (0, _) => 0,
        (_, Some(block)) => usize::from(*block),
        (_, None) => return Parsed::Wrong,
    };
    let Some(code) = frame.get(5 + skip) else {
        return Parsed::Wrong;
    };
    Parsed::Whole(Head {
        address: address & !REPLY,
        reply: address & REPLY != 0,
        sequence: control & SEQUENCE,
        code: *code,
        length,
    })
}

fn check_is_right(frame: &[u8], crc: bool) -> bool {
    if crc {
        frame
            .split_last_chunk::<2>()
            .is_some_and(|(body, check)| crc16(body) == u16::from_le_bytes(*check))
    } else {
        frame.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte)) == 0
    }
}

/// CRC-16 with polynomial 0x1021 from 0x1D0F, high bit first (OSDP 2.2, annex C).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0x1D0F, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

/// Finds frames in what the line brings. Holds at most one unfinished frame.
#[derive(Debug, Default)]
pub(super) struct Framer {
    buffer: Vec<u8>,
    /// Bytes that belonged to no frame, marks excepted.
    pub(super) noise: u64,
    /// Frames with a wrong CRC or checksum.
    pub(super) bad_checks: u64,
}

impl Framer {
    /// Takes what came, in pieces of any size.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether something unfinished waits for more.
    pub(super) fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next whole frame, with its mark if it had one.
    pub(super) fn next_frame(&mut self) -> Option<(Head, Vec<u8>)> {
        loop {
            let start = self.buffer.iter().position(|byte| *byte == SOM);
            let Some(start) = start else {
                // A mark at the very end may belong to a frame that has yet to come.
                let keep = usize::from(self.buffer.last() == Some(&MARK));
                self.skip(self.buffer.len() - keep);
                return None;
            };
            let marked = start > 0 && self.buffer.get(start - 1) == Some(&MARK);
            self.skip(start - usize::from(marked));
            let mark = usize::from(marked);
            match parse(self.buffer.get(mark..).unwrap_or_default()) {
                Parsed::Whole(head) => {
                    let frame = self.buffer.drain(..mark + head.length).collect();
                    return Some((head, frame));
                }
                Parsed::Partial => return None,
                Parsed::BadCheck => {
                    self.bad_checks += 1;
                    self.skip(mark + 1);
                }
                Parsed::Wrong => self.skip(mark + 1),
            }
        }
    }

    /// The line fell silent in the middle of a frame: what looked like its start was none. Looks for a frame
    /// further on.
    pub(super) fn gave_up(&mut self) -> Option<(Head, Vec<u8>)> {
        while self.is_partial() {
            let mark = usize::from(self.buffer.first() == Some(&MARK));
            self.skip((mark + 1).min(self.buffer.len()));
            if let Some(found) = self.next_frame() {
                return Some(found);
            }
        }
        None
    }

    fn skip(&mut self, count: usize) {
        let dropped = self.buffer.drain(..count.min(self.buffer.len()));
        self.noise += dropped.filter(|byte| *byte != MARK).count() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reply(address: u8, sequence: u8, code: u8, data: &[u8], crc: bool) -> Vec<u8> {
        let check = if crc { 2 } else { 1 };
        let length = (6 + data.len() + check) as u16;
        let mut frame = vec![SOM, address | REPLY];
        frame.extend(length.to_le_bytes());
        frame.push(sequence | if crc { CRC } else { 0 });
        frame.push(code);
        frame.extend(data);
        if crc {
            frame.extend(crc16(&frame).to_le_bytes());
        } else {
            let sum = frame.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            frame.push(sum.wrapping_neg());
        }
        frame
    }

    #[test]
    fn the_crc_is_the_standards() {
        // osdp_POLL to address 0x65, sequence 0, as libosdp's tests have it on the wire.
        assert!(head(&[0x53, 0x65, 0x08, 0x00, 0x04, 0x60, 0x60, 0x90]).is_some());
        // CRC-16/SPI-FUJITSU in the catalogue of parametrised CRCs: the check over "123456789".
        assert_eq!(crc16(b"123456789"), 0xE5CC);
    }

    #[test]
    fn a_wrong_check_is_counted_and_the_next_frame_is_found() {
        let mut framer = Framer::default();
        let mut broken = reply(3, 1, 0x40, &[], true);
        broken[5] ^= 1;
        framer.push(&broken);
        framer.push(&[0xFF]);
        framer.push(&reply(3, 2, 0x50, &[0, 1, 8, 0, 0xAA], true));
        let (head, frame) = framer.next_frame().unwrap();
        assert_eq!(
            (head.address, head.sequence, head.code, frame[0]),
            (3, 2, 0x50, 0xFF)
        );
        assert_eq!(framer.bad_checks, 1);
        assert!(framer.next_frame().is_none() && !framer.is_partial());
    }

    #[test]
    fn a_false_start_hides_a_frame_only_until_the_line_is_silent() {
        let mut framer = Framer::default();
        framer.push(&[SOM, 0x80, 200, 0, 4]);
        framer.push(&reply(1, 0, 0x40, &[], false));
        assert!(framer.next_frame().is_none());
        assert_eq!(framer.gave_up().unwrap().0.address, 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20)) {
            let mut framer = Framer::default();
            for chunk in &chunks {
                framer.push(chunk);
                while framer.next_frame().is_some() {}
                prop_assert!(framer.buffer.len() <= MAX_FRAME);
            }
            while framer.gave_up().is_some() {}
            prop_assert!(!framer.is_partial());
        }

        #[test]
        fn a_frame_after_noise_is_found(noise in prop::collection::vec(any::<u8>().prop_filter("SOM", |b| *b != SOM), 0..100),
            data in prop::collection::vec(any::<u8>(), 0..60), crc: bool, cut in 0_usize..60) {
            let frame = reply(5, 3, 0x50, &data, crc);
            let (one, two) = frame.split_at(cut.min(frame.len()));
            let mut framer = Framer::default();
            framer.push(&noise);
            framer.push(one);
            let early = framer.next_frame();
            framer.push(two);
            let (head, _) = early.or_else(|| framer.next_frame()).unwrap();
            prop_assert_eq!((head.address, head.reply, head.sequence, head.code), (5, true, 3, 0x50));
        }
    }
}
