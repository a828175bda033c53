//! What the two ends say to each other, and how each message's body is laid out.

use crate::{
    buffer::{Buffer, Full},
    frame::DecodeError,
};
use core::fmt;

/// The longest card number, in bits.
pub const MAX_BITS: u8 = 128;
const CARD_BYTES: usize = MAX_BITS as usize / 8;

/// The longest body: a card number with its reader and its length.
pub(crate) const MAX_BODY: usize = 2 + CARD_BYTES;

/// One message. Numbers of readers, inputs and outputs start at 0. Times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// The first message of each end, and again whenever the other end says hello.
    Hello {
        /// [`VERSION`](crate::VERSION) of the sender. Ends of different versions say nothing further.
        version: u8,
        /// How many readers the bridge has; 0 from the gateway, as the next two.
        readers: u8,
        /// How many inputs.
        inputs: u8,
        /// How many outputs.
        outputs: u8,
        /// A number that differs from start to start: who sees it change knows that the other end restarted.
        boot: u32,
    },
    /// The sender is alive.
    Heartbeat {
        /// Time since its start.
        uptime: u32,
    },
    /// A reader read a card.
    Card {
        /// The reader.
        reader: u8,
        /// What it sent.
        card: CardBits,
    },
    /// An input changed, or is reported after a hello.
    Input {
        /// The input.
        input: u8,
        /// Whether it is active.
        active: bool,
    },
    /// Switches an output on for a time; 0 switches it off at once. There is no "on until told otherwise": an
    /// output must not stay on because the line broke (invariant 8).
    Output {
        /// The output.
        output: u8,
        /// For how long.
        ms: u32,
    },
    /// Shows a colour for a time, then what was before.
    Led {
        /// The reader.
        reader: u8,
        /// The colour.
        colour: Colour,
        /// For how long.
        ms: u16,
    },
    /// Sounds the buzzer.
    Beep {
        /// The reader.
        reader: u8,
        /// Length of one tone, and of the pause after it.
        ms: u16,
        /// How many tones.
        count: u8,
    },
    /// The message with this sequence number has arrived and is done.
    Ack {
        /// The number.
        of: u8,
    },
    /// The message with this sequence number has arrived and cannot be done.
    Nak {
        /// The number.
        of: u8,
        /// Why.
        why: NakReason,
    },
}

/// A card number as it came off the reader: first bit first, from the highest bit of the first byte on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CardBits {
    len: u8,
    data: [u8; CARD_BYTES],
}

impl CardBits {
    /// `len` bits from `data`, which has as many bytes as they take and zeros after the last bit. None if it has
    /// not, or if there are no bits or more than [`MAX_BITS`].
    #[must_use]
    pub fn new(len: u8, data: &[u8]) -> Option<Self> {
        let wanted = usize::from(len.div_ceil(8));
        let padding = u32::from(len.next_multiple_of(8) - len);
        let last = data.last()?;
        if len > MAX_BITS || data.len() != wanted || last.trailing_zeros() < padding {
            return None;
        }
        let mut bits = Self {
            len,
            data: [0; CARD_BYTES],
        };
        bits.data.get_mut(..wanted)?.copy_from_slice(data);
        Some(bits)
    }

    /// How many bits.
    #[must_use]
    pub fn len(&self) -> u8 {
        self.len
    }

    /// Never: a card without bits cannot be made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes that hold them.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        self.data
            .get(..usize::from(self.len.div_ceil(8)))
            .unwrap_or_default()
    }
}

/// A card number does not print (invariant 7).
impl fmt::Debug for CardBits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardBits({} bits)", self.len)
    }
}

/// Colours of a reader's light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Colour {
    /// Dark.
    Off = 0,
    /// Red.
    Red = 1,
    /// Green.
    Green = 2,
    /// Amber.
    Amber = 3,
}

/// Why a message cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NakReason {
    /// The receiver does not know this kind of message.
    UnknownKind = 1,
    /// The layout or a value is not one of this version.
    BadValue = 2,
    /// There is no reader, input or output of that number.
    NoSuchNumber = 3,
    /// The two ends speak different versions.
    Version = 4,
}

impl Message {
    pub(crate) fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => 0x01,
            Self::Heartbeat { .. } => 0x02,
            Self::Ack { .. } => 0x03,
            Self::Nak { .. } => 0x04,
            Self::Card { .. } => 0x10,
            Self::Input { .. } => 0x11,
            Self::Output { .. } => 0x20,
            Self::Led { .. } => 0x21,
            Self::Beep { .. } => 0x22,
        }
    }

    pub(crate) fn write<const N: usize>(&self, out: &mut Buffer<N>) -> Result<(), Full> {
        match *self {
            Self::Hello {
                version,
                readers,
                inputs,
                outputs,
                boot,
            } => {
                out.extend(&[version, readers, inputs, outputs])?;
                out.extend(&boot.to_le_bytes())
            }
            Self::Heartbeat { uptime } => out.extend(&uptime.to_le_bytes()),
            Self::Card { reader, card } => {
                out.extend(&[reader, card.len])?;
                out.extend(card.data())
            }
            Self::Input { input, active } => out.extend(&[input, u8::from(active)]),
            Self::Output { output, ms } => {
                out.push(output)?;
                out.extend(&ms.to_le_bytes())
            }
            Self::Led { reader, colour, ms } => {
                out.extend(&[reader, colour as u8])?;
                out.extend(&ms.to_le_bytes())
            }
            Self::Beep { reader, ms, count } => {
                out.push(reader)?;
                out.extend(&ms.to_le_bytes())?;
                out.push(count)
            }
            Self::Ack { of } => out.push(of),
            Self::Nak { of, why } => out.extend(&[of, why as u8]),
        }
    }

    /// The message of a kind from its whole body.
    pub(crate) fn read(kind: u8, sequence: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let message = match (kind, body) {
            (0x01, &[version, readers, inputs, outputs, b0, b1, b2, b3]) => Self::Hello {
                version,
                readers,
                inputs,
                outputs,
                boot: u32::from_le_bytes([b0, b1, b2, b3]),
            },
            (0x02, &[u0, u1, u2, u3]) => Self::Heartbeat {
                uptime: u32::from_le_bytes([u0, u1, u2, u3]),
            },
            (0x03, &[of]) => Self::Ack { of },
            (0x04, &[of, why]) => Self::Nak {
                of,
                why: nak_reason(why).ok_or(DecodeError::BadValue { sequence })?,
            },
            (0x10, &[reader, len, ref data @ ..]) => Self::Card {
                reader,
                card: CardBits::new(len, data).ok_or(DecodeError::BadValue { sequence })?,
            },
            (0x11, &[input, active @ (0 | 1)]) => Self::Input {
                input,
                active: active == 1,
            },
            (0x20, &[output, m0, m1, m2, m3]) => Self::Output {
                output,
                ms: u32::from_le_bytes([m0, m1, m2, m3]),
            },
            (0x21, &[reader, shade, m0, m1]) => Self::Led {
                reader,
                colour: colour(shade).ok_or(DecodeError::BadValue { sequence })?,
                ms: u16::from_le_bytes([m0, m1]),
            },
            (0x22, &[reader, m0, m1, count]) => Self::Beep {
                reader,
                ms: u16::from_le_bytes([m0, m1]),
                count,
            },
            (0x01..=0x04 | 0x10 | 0x11 | 0x20..=0x22, _) => return Err(DecodeError::BadValue { sequence }),
            (kind, _) => return Err(DecodeError::UnknownKind { sequence, kind }),
        };
        Ok(message)
    }
}

fn colour(byte: u8) -> Option<Colour> {
    [Colour::Off, Colour::Red, Colour::Green, Colour::Amber]
        .into_iter()
        .find(|colour| *colour as u8 == byte)
}

fn nak_reason(byte: u8) -> Option<NakReason> {
    use NakReason::{BadValue, NoSuchNumber, UnknownKind, Version};
    [UnknownKind, BadValue, NoSuchNumber, Version]
        .into_iter()
        .find(|why| *why as u8 == byte)
}
