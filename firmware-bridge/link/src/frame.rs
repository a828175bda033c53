//! One message as bytes: kind, sequence, body, CRC; then COBS between two zeros.

use crate::{
    buffer::{Buffer, Full},
    message::{MAX_BODY, Message},
};
use core::fmt;

/// Kind, sequence number, body, CRC.
const MAX_RAW: usize = 2 + MAX_BODY + 2;
/// COBS adds one byte to anything shorter than 254.
pub(crate) const MAX_COBS: usize = MAX_RAW + 1;
/// The longest frame on the wire, both zeros included.
pub const MAX_FRAME: usize = MAX_COBS + 2;

/// A message with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Grows by one with each new message of a sender and wraps; a repetition keeps it.
    pub sequence: u8,
    /// The message.
    pub message: Message,
}

/// A frame ready for the wire.
#[derive(Clone, Copy)]
pub struct Encoded(Buffer<MAX_FRAME>);

impl Encoded {
    /// The bytes to send.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// Why bytes between two zeros are no message. Where the number of the message is known, it can be answered with a
/// [`Message::Nak`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Not COBS, or longer or shorter than any message.
    Malformed,
    /// The CRC does not match: noise, or bytes were lost.
    Crc,
    /// A sound frame of a kind that this version does not know.
    UnknownKind {
        /// Its number.
        sequence: u8,
        /// Its kind.
        kind: u8,
    },
    /// A sound frame of a known kind with a length or value that it does not have in this version.
    BadValue {
        /// Its number.
        sequence: u8,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(f, "not a frame"),
            Self::Crc => write!(f, "wrong CRC"),
            Self::UnknownKind { sequence, kind } => {
                write!(f, "message {sequence} is of the unknown kind {kind:#04x}")
            }
            Self::BadValue { sequence } => {
                write!(
                    f,
                    "message {sequence} has a length or value that this version does not know"
                )
            }
        }
    }
}

impl core::error::Error for DecodeError {}

/// The frame of a message. A zero stands at both ends: the first ends whatever noise came before, so that noise on
/// an idle line costs no message.
#[must_use]
pub fn encode(sequence: u8, message: &Message) -> Encoded {
    let mut wire = Buffer::new();
    let full = fill(sequence, message, &mut wire);
    debug_assert!(full.is_ok(), "MAX_FRAME holds every message");
    Encoded(wire)
}

fn fill(sequence: u8, message: &Message, wire: &mut Buffer<MAX_FRAME>) -> Result<(), Full> {
    let mut raw = Buffer::<MAX_RAW>::new();
    raw.extend(&[message.kind(), sequence])?;
    message.write(&mut raw)?;
    raw.extend(&crc16(raw.bytes()).to_le_bytes())?;

    wire.push(0)?;
    // COBS: each run without zeros, preceded by its length plus one. No run here reaches the 254 bytes at which
    // COBS has to split.
    for run in raw.bytes().split(|byte| *byte == 0) {
        wire.push(u8::try_from(run.len() + 1).map_err(|_| Full)?)?;
        wire.extend(run)?;
    }
    wire.push(0)
}

/// The message in the bytes between two zeros.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(between_zeros: &[u8]) -> Result<Frame, DecodeError> {
    let raw = uncobs(between_zeros).ok_or(DecodeError::Malformed)?;
    let (&[kind, sequence], rest) = raw.bytes().split_first_chunk().ok_or(DecodeError::Malformed)?;
    let (body, crc) = rest.split_last_chunk().ok_or(DecodeError::Malformed)?;
    let covered = raw.bytes().len() - crc.len();
    if raw.bytes().get(..covered).map(crc16) != Some(u16::from_le_bytes(*crc)) {
        return Err(DecodeError::Crc);
    }
    Ok(Frame {
        sequence,
        message: Message::read(kind, sequence, body)?,
    })
}

fn uncobs(bytes: &[u8]) -> Option<Buffer<MAX_RAW>> {
    let mut raw = Buffer::new();
    let mut rest = bytes;
    while let Some((code, after)) = rest.split_first() {
        let (run, next) = after.split_at_checked(usize::from(code.checked_sub(1)?))?;
        raw.extend(run).ok()?;
        if !next.is_empty() {
            raw.push(0).ok()?;
        }
        rest = next;
    }
    Some(raw)
}

/// CRC-16/IBM-3740: polynomial 0x1021, starting at 0xFFFF, nothing reflected.
pub(crate) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}
