//! What the hub of entries at SALTO KS sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::ks_hub(data));
