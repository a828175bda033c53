//! The bridge's protocol: any bytes end in messages, errors or silence, and messages are written as they were read.
#![no_main]

use doorward_link::{Accumulator, Feed, encode};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut accumulator = Accumulator::new();
    let mut remaining = data;
    loop {
        remaining = match accumulator.feed(remaining) {
            Feed::Consumed => return,
            Feed::OverFull { remaining } | Feed::Error { remaining, .. } => remaining,
            Feed::Success { frame, remaining } => {
                let written = encode(frame.sequence, &frame.message);
                let mut again = Accumulator::new();
                assert!(matches!(again.feed(written.bytes()), Feed::Success { frame: read, .. } if read == frame));
                remaining
            }
        };
    }
});
