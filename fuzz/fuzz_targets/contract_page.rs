//! A page of facts from the cloud.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| doorward::fuzzing::contract_page(data));
