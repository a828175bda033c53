//! A facts file.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| doorward::fuzzing::facts_toml(text));
