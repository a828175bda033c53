//! A WRADAPT's characters.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::wradapt_decoder(data));
