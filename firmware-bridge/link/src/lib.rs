//! The link protocol between the gateway and the reader bridge: a microcontroller with Wiegand readers, inputs and
//! outputs at the end of a serial line. Both ends use this crate, so it needs neither std nor an allocator.
//!
//! It turns messages into bytes and bytes into messages, and does nothing else: no IO, no timers, no retries.
//! `firmware-bridge/README.md` has the byte layout and the rules of the conversation.
//!
//! ```
//! use doorward_link::{Accumulator, Feed, Message, encode};
//!
//! let frame = encode(7, &Message::Input { input: 2, active: true });
//! let mut accumulator = Accumulator::new();
//! let Feed::Success { frame, remaining } = accumulator.feed(frame.bytes()) else { panic!() };
//! assert_eq!((frame.sequence, frame.message), (7, Message::Input { input: 2, active: true }));
//! assert!(remaining.is_empty());
//! ```
#![no_std]

#[cfg(test)]
extern crate std;

mod accumulator;
mod buffer;
mod frame;
mod message;
#[cfg(test)]
mod tests;

pub use accumulator::{Accumulator, Feed};
pub use frame::{DecodeError, Encoded, Frame, MAX_FRAME, decode, encode};
pub use message::{CardBits, Colour, MAX_BITS, Message, NakReason};

/// The version of this protocol that [`Message::Hello`] states. It grows when a layout changes; the layout of the
/// hello itself never does.
pub const VERSION: u8 = 1;
