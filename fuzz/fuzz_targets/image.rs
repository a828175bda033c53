//! A snapshot image of any bytes is refused, or gives an index that answers. The first byte chooses whether length
//! and checksum are put right before, so that the checks behind them are reached too.
#![no_main]

use doorward::access::{Index, Limits, Query, explain};
use doorward::domain::{Credential, Moment};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((repair, bytes)) = data.split_first() else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if repair & 1 == 1 && bytes.len() >= 64 {
        let length = (bytes.len() as u64).to_le_bytes();
        bytes[..8].copy_from_slice(b"DOORWIX\n");
        bytes[8..12].copy_from_slice(&1_u32.to_le_bytes());
        bytes[16..24].copy_from_slice(&length);
        let sum = crc32fast::hash(&bytes[16..]);
        bytes[12..16].copy_from_slice(&sum.to_le_bytes());
    }
    let Ok(index) = Index::from_image(bytes) else {
        return;
    };
    let mut limits = Limits::default();
    limits.allow_windowed_when_untrusted = repair & 2 == 2;
    let card = Credential::rom14([4, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, *repair]);
    for door in ["front", "room", "store"] {
        for at in [i64::MIN, 0, 1_795_388_400_000, i64::MAX] {
            let query = Query {
                credential: Some(&card),
                door: index.door(door),
                now: Moment {
                    at,
                    trusted: repair & 4 == 4,
                },
                lockdown: false,
                limits: &limits,
            };
            let verdict = index.decide(&query);
            assert!(!explain(&index, &query, &verdict).text.is_empty());
        }
    }
});
