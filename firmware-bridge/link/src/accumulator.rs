//! Frames from a stream of bytes that comes in pieces, with noise in it.

use crate::{
    buffer::Buffer,
    frame::{DecodeError, Frame, MAX_COBS, decode},
};

/// Collects bytes until a frame is whole. After anything that is no frame it goes on at the next zero.
#[derive(Clone)]
pub struct Accumulator {
    buffer: Buffer<MAX_COBS>,
    /// More came than any frame has: skip to the next zero.
    overrun: bool,
}

/// What came of the bytes. Feed `remaining` next; nothing in it has been looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed<'a> {
    /// All bytes were taken, and no frame is whole yet.
    Consumed,
    /// More bytes without a zero than any frame has. They are dropped.
    OverFull {
        /// What follows the zero that ended them.
        remaining: &'a [u8],
    },
    /// The bytes up to a zero are no message. They are dropped.
    Error {
        /// Why.
        error: DecodeError,
        /// What follows the zero.
        remaining: &'a [u8],
    },
    /// A message.
    Success {
        /// The message with its number.
        frame: Frame,
        /// What follows the zero.
        remaining: &'a [u8],
    },
}

impl Default for Accumulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Accumulator {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            buffer: Buffer::new(),
            overrun: false,
        }
    }

    /// Takes bytes up to and including the next end of a frame. Empty frames pass in silence: zeros in a row are
    /// how frames begin.
    pub fn feed<'a>(&mut self, bytes: &'a [u8]) -> Feed<'a> {
        let mut remaining = bytes;
        while let Some((byte, rest)) = remaining.split_first() {
            remaining = rest;
            if *byte != 0 {
                self.overrun |= self.buffer.push(*byte).is_err();
            } else if self.overrun {
                self.reset();
                return Feed::OverFull { remaining };
            } else if !self.buffer.bytes().is_empty() {
                let decoded = decode(self.buffer.bytes());
                self.reset();
                return match decoded {
                    Ok(frame) => Feed::Success { frame, remaining },
                    Err(error) => Feed::Error { error, remaining },
                };
            }
        }
        Feed::Consumed
    }

    /// Forgets the bytes so far: for a line that was closed and opened again.
    pub fn reset(&mut self) {
        *self = Self::new();
    }
}
