//! What a PN532 at the desk sends, in pieces and with pauses.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::pn532_session(data));
