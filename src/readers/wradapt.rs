//! The WRADAPT's frames and numbers. Pure.
//!
//! Manual of WRADAPT v2.31: `STX DATA ETX CHK`, where CHK is the XOR of the preceding characters. Taken by the
//! letter: of STX, DATA and ETX. No other span is accepted beside it: to accept two would leave single wrong
//! bits undetected. With 7 data bits CHK has 7 bits. Plain text has no check; a line end ends it.

use crate::{
    config::model::{WradaptFrame, WradaptNumber, WradaptReader},
    domain::Credential,
};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
/// More characters than any number that the adaptor sends (14), with room for spaces and a prefix.
const MAX_DATA: usize = 32;

/// Finds numbers in what the adaptor sends. Holds at most [`MAX_DATA`] characters.
#[derive(Debug)]
pub(super) struct Decoder {
    frame: WradaptFrame,
    number: WradaptNumber,
    mask: u8,
    state: State,
    data: Vec<u8>,
    /// Bytes that belonged to no frame.
    pub(super) noise: u64,
    /// Frames with a wrong check character.
    pub(super) bad_checks: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waiting for STX; in text mode, for the line's end after something that is no number.
    Idle,
    Data,
    Check,
}

/// A whole frame: a number, or something that is none.
pub(super) type Heard = Option<Credential>;

impl Decoder {
    pub(super) fn new(reader: &WradaptReader) -> Self {
        Self {
            frame: reader.frame,
            number: reader.number,
            mask: if reader.data_bits == 7 { 0x7F } else { 0xFF },
            state: first(reader.frame),
            data: Vec::with_capacity(MAX_DATA),
            noise: 0,
            bad_checks: 0,
        }
    }

    /// Forgets what had begun, as after a loss of the port. The counters stay.
    pub(super) fn restart(&mut self) {
        self.discard();
        self.state = first(self.frame);
    }

    /// Takes one character.
    pub(super) fn push(&mut self, byte: u8) -> Option<Heard> {
        let byte = byte & self.mask;
        match self.frame {
            WradaptFrame::Stx => self.push_stx(byte),
            WradaptFrame::Text => self.push_text(byte),
        }
    }

    fn push_stx(&mut self, byte: u8) -> Option<Heard> {
        match (self.state, byte) {
            (State::Check, _) => {
                let check = self.data.iter().fold(STX ^ ETX, |xor, byte| xor ^ byte) & self.mask;
                if byte == check {
                    self.state = State::Idle;
                    return Some(self.take());
                }
                self.bad_checks += 1;
                self.data.clear();
                self.state = if byte == STX { State::Data } else { State::Idle };
            }
            (_, STX) => {
                self.discard(); // a new start: what came before had no end
                self.state = State::Data;
            }
            (State::Data, ETX) => self.state = State::Check,
            (State::Data, _) if self.data.len() < MAX_DATA => self.data.push(byte),
            (State::Data, _) => {
                self.discard();
                self.noise += 1;
                self.state = State::Idle;
            }
            (State::Idle, _) => self.noise += 1,
        }
        None
    }

    fn push_text(&mut self, byte: u8) -> Option<Heard> {
        match (self.state, byte) {
            (State::Data, b'\r' | b'\n') if self.data.is_empty() => {}
            (State::Data, b'\r' | b'\n') => return Some(self.take()),
            (_, b'\r' | b'\n') => self.state = State::Data,
            (State::Data, b' '..=b'~') if self.data.len() < MAX_DATA => self.data.push(byte),
            (State::Data, b' '..=b'~') => {
                // Too long for a number: not one until the next line.
                self.discard();
                self.noise += 1;
                self.state = State::Idle;
            }
            (State::Data, _) => {
                // No character of text: what stands before it is noise, what follows may be a number.
                self.discard();
                self.noise += 1;
            }
            (_, _) => self.noise += 1,
        }
        None
    }

    fn discard(&mut self) {
        self.noise += self.data.len() as u64;
        self.data.clear();
    }

    fn take(&mut self) -> Heard {
        let number = number(self.number, &self.data);
        self.data.clear();
        number
    }
}

fn first(frame: WradaptFrame) -> State {
    match frame {
        WradaptFrame::Stx => State::Idle,
        WradaptFrame::Text => State::Data,
    }
}

/// Reads the number of a frame; spaces around it do not count.
fn number(kind: WradaptNumber, data: &[u8]) -> Heard {
    let text = std::str::from_utf8(data).ok()?.trim();
    match kind {
        WradaptNumber::Rom14 => {
            if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            let number = u64::from_str_radix(text, 16).ok()?;
            let [_, rom @ ..] = number.to_be_bytes();
            Some(Credential::rom14(rom))
        }
        WradaptNumber::Wiegand26 => {
            if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let (facility, card) = text.split_at_checked(3)?;
            Some(Credential::wiegand26(facility.parse().ok()?, card.parse().ok()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::Parity;
    use proptest::prelude::*;

    fn decoder(frame: WradaptFrame, number: WradaptNumber, data_bits: u8) -> Decoder {
        Decoder::new(&WradaptReader {
            id: "side".into(),
            door: "side".into(),
            frame,
            number,
            data_bits,
            parity: Parity::None,
        })
    }

    fn framed(data: &[u8]) -> Vec<u8> {
        let mut frame = vec![STX];
        frame.extend(data);
        frame.push(ETX);
        frame.push(frame.iter().fold(0, |xor, byte| xor ^ byte));
        frame
    }

    fn feed(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Heard> {
        bytes.iter().filter_map(|byte| decoder.push(*byte)).collect()
    }

    #[test]
    fn a_rom14_number_is_the_uid() {
        let mut decoder = decoder(WradaptFrame::Stx, WradaptNumber::Rom14, 8);
        let heard = feed(&mut decoder, &framed(b"04A2B3C4D5E680"));
        assert_eq!(heard, [Some("uid:04A2B3C4D5E680".parse().unwrap())]);
        let heard = feed(&mut decoder, &framed(b"7186A61E000000"));
        assert_eq!(heard, [Some("uid:7186A61E".parse().unwrap())]);
    }

    #[test]
    fn plain_text_has_facility_and_number() {
        let mut decoder = decoder(WradaptFrame::Text, WradaptNumber::Wiegand26, 7);
        let heard = feed(&mut decoder, b"12345678\r\n\xFF\x0011145678\r");
        assert_eq!(
            heard,
            [
                Some(Credential::wiegand26(123, 45678)),
                Some(Credential::wiegand26(111, 45678))
            ]
        );
        assert_eq!(
            feed(&mut decoder, b"99999999\r1234\r"),
            [None, None],
            "facility over 255; too short"
        );
    }

    #[test]
    fn a_wrong_check_is_counted_and_skipped() {
        let mut decoder = decoder(WradaptFrame::Stx, WradaptNumber::Rom14, 8);
        let good = framed(b"04A2B3C4D5E680");
        for at in 1..good.len() {
            for bit in 0..7 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                bad.extend(&good);
                let heard = feed(&mut decoder, &bad);
                assert!(
                    heard.len() == 1 || heard == [None, heard[1]],
                    "byte {at} bit {bit}: {heard:?}"
                );
                assert_eq!(heard.last().unwrap().unwrap().masked(), "uid:…80");
            }
        }
        assert!(decoder.bad_checks > 90);
    }

    #[test]
    fn a_line_that_never_ends_takes_no_memory() {
        for frame in [WradaptFrame::Stx, WradaptFrame::Text] {
            let mut decoder = decoder(frame, WradaptNumber::Rom14, 8);
            assert!(feed(&mut decoder, &[STX]).is_empty());
            assert!(feed(&mut decoder, &[b'A'; 10_000]).is_empty());
            assert!(decoder.data.len() <= MAX_DATA && decoder.noise > 9_000);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..500), text: bool, rom: bool, seven: bool) {
            let frame = if text { WradaptFrame::Text } else { WradaptFrame::Stx };
            let number = if rom { WradaptNumber::Rom14 } else { WradaptNumber::Wiegand26 };
            let mut decoder = decoder(frame, number, if seven { 7 } else { 8 });
            feed(&mut decoder, &bytes);
            prop_assert!(decoder.data.len() <= MAX_DATA);
        }

        #[test]
        fn a_frame_after_any_noise_is_decoded(
            noise in prop::collection::vec(any::<u8>().prop_filter("STX", |b| *b != STX), 0..200),
            uid in prop::array::uniform7(any::<u8>())) {
            let mut decoder = decoder(WradaptFrame::Stx, WradaptNumber::Rom14, 8);
            let digits: String = uid.iter().map(|byte| format!("{byte:02X}")).collect();
            let mut bytes = noise;
            bytes.extend(framed(digits.as_bytes()));
            prop_assert_eq!(feed(&mut decoder, &bytes), [Some(Credential::rom14(uid))]);
        }
    }
}
