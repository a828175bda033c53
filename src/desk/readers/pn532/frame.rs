//! Frames of the PN532 (NXP UM0701-02, 6.2.1): from bytes to what was heard, and back. Pure. Noise, half frames and wrong
//! checks are skipped a byte at a time, so a whole frame behind or inside them is found.

/// Host to PN532 (6.2.1.1).
const TO_CHIP: u8 = 0xD4;
/// PN532 to host.
const TO_HOST: u8 = 0xD5;
/// The longest data of a frame: TFI and 264 bytes (6.2.1.2).
pub(super) const LONGEST: usize = 265;
/// `00 00 FF 00 FF 00`: the frame was received (6.2.1.3). The chip says it, we never do.
#[cfg(test)]
pub(super) const ACK: [u8; 6] = [0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00];
/// `00 00 FF FF 00 00`: send the last one again (6.2.1.4).
pub(super) const NACK: [u8; 6] = [0x00, 0x00, 0xFF, 0xFF, 0x00, 0x00];

/// What came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The chip has the command.
    Ack,
    /// The chip did not understand the frame: it is sent again.
    Nack,
    /// The chip refuses the command on the level of its application (6.2.1.5).
    Error,
    /// An answer: its code and its data.
    Answer { code: u8, data: Vec<u8> },
}

/// A command as it goes over the wire: `code` and its parameters.
pub(super) fn encode(code: u8, parameters: &[u8]) -> Vec<u8> {
    let mut data = vec![TO_CHIP, code];
    data.extend_from_slice(parameters);
    wrap(&data)
}

/// TFI and what follows, in a normal frame, or in an extended one from 256 bytes on.
fn wrap(data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x00, 0x00, 0xFF];
    match u8::try_from(data.len()) {
        Ok(length) => frame.extend([length, length.wrapping_neg()]),
        Err(_) => {
            let [high, low] = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes();
            frame.extend([0xFF, 0xFF, high, low, high.wrapping_add(low).wrapping_neg()]);
        }
    }
    frame.extend_from_slice(data);
    frame.push(sum(data).wrapping_neg());
    frame.push(0x00);
    frame
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// What the buffer begins with.
enum Front {
    /// Something whole, and how many bytes it takes.
    Whole(Heard, usize),
    /// The beginning of something.
    Half,
    /// Nothing that a frame begins with.
    Noise,
    /// A frame whose checksum of the data is wrong, of this many bytes.
    Broken,
}

/// Reads what the chip sends.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    buffer: Vec<u8>,
    /// Bytes that belonged to no frame.
    pub(super) noise: u64,
    /// Frames with a wrong checksum since the last look.
    pub(super) broken: u64,
}

impl Decoder {
    /// The port was opened anew: half a frame of before means nothing.
    pub(super) fn restart(&mut self) {
        self.buffer.clear();
    }

    /// Takes bytes. Call [`Self::next`] until it gives nothing.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next thing that is whole.
    pub(super) fn next(&mut self) -> Option<Heard> {
        loop {
            match front(&self.buffer) {
                Front::Whole(heard, length) => {
                    self.buffer.drain(..length.min(self.buffer.len()));
                    return Some(heard);
                }
                Front::Half => return None,
                Front::Noise => self.skip(),
                Front::Broken => {
                    self.broken += 1;
                    self.skip();
                }
            }
        }
    }

    /// Bytes that wait for the rest of their frame.
    pub(super) const fn held(&self) -> usize {
        self.buffer.len()
    }

    /// One byte only: a frame may begin inside a broken one. Zeros are filling.
    fn skip(&mut self) {
        if !self.buffer.is_empty() && self.buffer.remove(0) != 0 {
            self.noise += 1;
        }
    }
}

/// A frame begins with `00 FF`. Zeros before and behind it are filling, and not waited for.
fn front(bytes: &[u8]) -> Front {
    let rest = match bytes {
        [] | [0x00] => return Front::Half,
        [0x00, 0xFF, rest @ ..] => rest,
        _ => return Front::Noise,
    };
    match rest {
        [0x00, 0xFF, ..] => Front::Whole(Heard::Ack, 4),
        [0xFF, 0x00, ..] => Front::Whole(Heard::Nack, 4),
        [0xFF, 0xFF, high, low, check, behind @ ..] => {
            if high.wrapping_add(*low).wrapping_add(*check) != 0 {
                return Front::Noise;
            }
            body(behind, usize::from(u16::from_be_bytes([*high, *low])), 7)
        }
        [] | [_] | [0xFF, 0xFF, ..] => Front::Half,
        [length, check, behind @ ..] if length.wrapping_add(*check) == 0 => {
            body(behind, usize::from(*length), 4)
        }
        _ => Front::Noise,
    }
}

/// `before`: bytes of the frame in front of its data.
fn body(behind: &[u8], length: usize, before: usize) -> Front {
    if length == 0 || length > LONGEST {
        return Front::Noise;
    }
    let (Some(data), Some(check)) = (behind.get(..length), behind.get(length)) else {
        return Front::Half;
    };
    if sum(data).wrapping_add(*check) != 0 {
        return Front::Broken;
    }
    let whole = before + length + 1;
    match data {
        // The error frame's only byte (6.2.1.5).
        [0x7F] => Front::Whole(Heard::Error, whole),
        [TO_HOST, code, data @ ..] => {
            let (code, data) = (*code, data.to_vec());
            Front::Whole(Heard::Answer { code, data }, whole)
        }
        // Our own frame, come back over a wire that echoes, or nothing that a PN532 says.
        _ => Front::Noise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(code: u8, data: &[u8]) -> Vec<u8> {
        let mut whole = vec![TO_HOST, code];
        whole.extend_from_slice(data);
        wrap(&whole)
    }

    fn all(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Heard> {
        decoder.push(bytes);
        std::iter::from_fn(|| decoder.next()).collect()
    }

    #[test]
    fn the_frames_of_the_manual() {
        // GetFirmwareVersion and its answer, UM0701-02 7.2.2; ACK, NACK and error frame, 6.2.1.
        assert_eq!(
            encode(0x02, &[]),
            [0x00, 0x00, 0xFF, 0x02, 0xFE, 0xD4, 0x02, 0x2A, 0x00]
        );
        let firmware = [
            0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03, 0x32, 0x01, 0x06, 0x07, 0xE8, 0x00,
        ];
        let error = [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00];
        let wire = [&ACK[..], &firmware, &NACK, &error].concat();
        let expected = [
            Heard::Ack,
            Heard::Answer {
                code: 0x03,
                data: vec![0x32, 0x01, 0x06, 0x07],
            },
            Heard::Nack,
            Heard::Error,
        ];
        assert_eq!(all(&mut Decoder::default(), &wire), expected);
    }

    #[test]
    fn our_own_echo_is_no_answer() {
        let mut decoder = Decoder::default();
        assert_eq!(all(&mut decoder, &encode(0x4A, &[2, 0])), []);
        assert_eq!(all(&mut decoder, &ACK), [Heard::Ack]);
    }

    proptest! {
        #[test]
        fn an_answer_is_found_behind_anything_and_in_any_pieces(
            noise in proptest::collection::vec(any::<u8>(), 0..40),
            code in any::<u8>(),
            data in proptest::collection::vec(any::<u8>(), 0..263),
            cut in 1_usize..20,
            half in 0_usize..60,
        ) {
            let frame = answer(code, &data);
            // Half a frame, noise, then enough filling to end whatever length the noise promised.
            let mut wire = frame.get(..half.min(frame.len() - 2)).unwrap().to_vec();
            wire.extend(&noise);
            wire.extend([0x55; 300]);
            wire.extend(&frame);
            let mut decoder = Decoder::default();
            let mut heard = Vec::new();
            for piece in wire.chunks(cut) {
                heard.extend(all(&mut decoder, piece));
            }
            prop_assert_eq!(heard.last(), Some(&Heard::Answer { code, data }));
        }

        #[test]
        fn nothing_makes_it_panic_or_hoard(wire in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let mut decoder = Decoder::default();
            for piece in wire.chunks(7) {
                all(&mut decoder, piece);
                prop_assert!(decoder.held() <= LONGEST + 16);
            }
        }
    }
}
