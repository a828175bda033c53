//! Answers and web hooks of Cobot's.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::cobot_answer(data));
