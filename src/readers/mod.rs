//! OSDP and WRADAPT: bytes to presentations, answers to feedback. `port` is the one user of serialport.
//!
//! | file | what |
//! | --- | --- |
//! | `lines` | starts, stops and feeds the lines; one thread each |
//! | `shared` | what a line's thread shares with the rest: commands in, heartbeat and state out |
//! | `bus` | an OSDP line: loss and return of the adapter, what it is asked and what it tells |
//! | `bus/exchange` | who may speak when on it |
//! | `device` | one reader on it: its libosdp control panel, its queue, what it is known to be able to do |
//! | `watch` | what the bus remembers of a reader, asks of it and tells about it |
//! | `frame` | OSDP frames, as far as the keeper of the bus must know them (pure) |
//! | `feedback` | answers as OSDP commands (pure) |
//! | `card` | card bits to credential (pure) |
//! | `wradapt` | the WRADAPT's frames and numbers (pure) |
//! | `adaptor` | a WRADAPT line |
//! | `fuzzed` | entries for the fuzzer |
//! | `port` | a serial port that never blocks |
//! | `log_bridge` | libosdp's log lines, without card data |
//!
//! Nothing here knows who may enter: that is behind [`Gate`]. A line's thread waits for its own port only, so
//! a stuck adapter delays no door on another line.

mod adaptor;
mod bus;
mod card;
mod device;
mod feedback;
mod frame;
mod fuzzed;
mod lines;
mod log_bridge;
mod port;
mod shared;
mod watch;
mod wradapt;

pub(crate) use fuzzed::{framer as fuzz_framer, wradapt as fuzz_wradapt};
pub use lines::Lines;
pub use log_bridge::bridge_logs;

use crate::domain::{Answer, LineId, Presentation, ReaderId};

/// Who decides and who listens, as seen from a line's thread. Both are called on that thread: neither may block.
pub trait Gate: Send + Sync {
    /// Somebody presented a credential; what shall the reader show, and what shall open?
    fn present(&self, presentation: &Presentation) -> Answer;
    /// Something else happened.
    fn line_event(&self, event: LineEvent);
}

/// What happens on a line beside presentations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineEvent {
    /// The reader answers and takes commands.
    Online {
        /// Which.
        reader: ReaderId,
    },
    /// It no longer does.
    Offline {
        /// Which.
        reader: ReaderId,
    },
    /// It went away once more, as it does all the time: no news, but what its inputs are is not known.
    Away {
        /// Which.
        reader: ReaderId,
    },
    /// The secure channel came up or went down. An OSDP reader without install mode is online only with it.
    Secure {
        /// Which.
        reader: ReaderId,
        /// Whether it is up.
        active: bool,
    },
    /// The reader is online in install mode: it accepts the well-known key, or speaks in the clear.
    Insecure {
        /// Which.
        reader: ReaderId,
    },
    /// The reader's tamper switch.
    Tamper {
        /// Which.
        reader: ReaderId,
        /// Whether it is open.
        active: bool,
    },
    /// The reader's power is failing, as it says.
    Power {
        /// Which.
        reader: ReaderId,
        /// Whether it is failing.
        failing: bool,
    },
    /// An input of the reader changed, or is known for the first time since it came online. As it is on the
    /// wire: what it means is the door's business.
    Input {
        /// Which device.
        reader: ReaderId,
        /// Its number, 0 first.
        input: u8,
        /// Whether it is active.
        active: bool,
        /// Whether it became so just now. False when it was asked for after the reader came online: so it may
        /// have been for hours.
        changed: bool,
    },
    /// A release was not carried out: the device was offline, or did not confirm it in time. It is never
    /// carried out later (invariant 8).
    ReleaseFailed {
        /// Which device.
        reader: ReaderId,
        /// Its output.
        output: u8,
    },
    /// The serial adapter is gone or cannot be opened.
    LineLost {
        /// Which.
        line: LineId,
        /// What the system said.
        error: String,
    },
    /// It is back.
    LineBack {
        /// Which.
        line: LineId,
    },
    /// Bytes that made no sense, wrong checks, replayed or late frames since the last such event. All were
    /// skipped. At most one a second.
    Noise {
        /// Which.
        line: LineId,
        /// How many.
        count: u64,
    },
}
