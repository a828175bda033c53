//! A slot of the ring and the event in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::ring_slot(data));
