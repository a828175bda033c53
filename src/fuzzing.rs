//! What `fuzz/` drives: bytes and texts from outside, into the parts that take them apart. Not an interface.
//!
//! Each entry takes any bytes and asserts what must hold for all of them. The tests here drive the same entries
//! with random bytes, so that they stay true between runs of the fuzzer.

use crate::{desk, platform, readers, salto, store};

/// OSDP frames on a line, in pieces: nothing is held for ever, nothing longer than a frame is held at all.
pub fn osdp_framer(data: &[u8]) {
    readers::fuzz_framer(data);
}

/// A WRADAPT's characters. The first byte chooses its switches.
pub fn wradapt_decoder(data: &[u8]) {
    readers::fuzz_wradapt(data);
}

/// What a PN532 at the desk sends, in pieces and with pauses.
pub fn pn532_session(data: &[u8]) {
    desk::readers::fuzz_pn532(data);
}

/// A slot of the ring, and the event in it: what can be read can be written and is read the same again.
pub fn ring_slot(data: &[u8]) {
    let _ = store::parse_slot(data);
    let Ok(draft) = store::decode(data) else { return };
    let mut buffer = [0; store::MAX_RECORD];
    let length = store::encode(&draft, &mut buffer);
    let written = buffer.get(..length).unwrap_or_default();
    // Over-long texts are cut when they are written, so the first round may differ, and no later one.
    let again = store::decode(written).map(|draft| {
        let mut buffer = [0; store::MAX_RECORD];
        let length = store::encode(&draft, &mut buffer);
        buffer.get(..length).unwrap_or_default().to_vec()
    });
    assert_eq!(
        again.as_deref(),
        Ok(written),
        "what was written is read and written the same"
    );
}

/// A page of facts from the cloud.
pub fn contract_page(data: &[u8]) {
    platform::contract::fuzz_page(data);
}

/// An answer or a web hook of Cobot's. The first byte chooses which.
pub fn cobot_answer(data: &[u8]) {
    platform::cobot::fuzz_answer(data);
}

/// What the hub of entries sends, in pieces: where it is cut makes no difference. The first byte chooses where.
pub fn ks_hub(data: &[u8]) {
    salto::entries::hub::protocol::fuzz(data);
}

/// Records of Nexudus', or what it sends by itself. The first byte chooses which.
pub fn nexudus_answer(data: &[u8]) {
    platform::nexudus::fuzz_answer(data);
}

/// Rows of OfficeRnD's. The first byte chooses which.
pub fn officernd_answer(data: &[u8]) {
    platform::officernd::fuzz_answer(data);
}

/// Rows of Spacebring's. The first byte chooses which.
pub fn spacebring_answer(data: &[u8]) {
    platform::spacebring::fuzz_answer(data);
}

/// A facts file.
pub fn facts_toml(text: &str) {
    platform::file::fuzz_toml(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A text with mutations of what is right, so that more than the first check is reached.
    fn nearly(right: &'static str) -> impl Strategy<Value = String> {
        let edit = (0..right.len(), 0..8_usize, "[-:\\[\\]{}\",=\n0-9a-zé\u{0}]{0,4}");
        prop::collection::vec(edit, 0..4).prop_map(move |edits| {
            let mut text = right.to_owned();
            for (at, cut, instead) in edits {
                let end = (at + cut).min(text.len());
                if at <= end && text.is_char_boundary(at) && text.is_char_boundary(end) {
                    text.replace_range(at..end, &instead);
                }
            }
            text
        })
    }

    const TOML: &str = "[[people]]\nid = \"p1\"\nname = \"Ana\"\ncredentials = [\"uid:04A2B3C4\"]\n\
        [[bookings]]\nid = \"b1\"\nresource = \"blue\"\nperson = \"p1\"\nfrom = 2026-06-01T12:00:00\nuntil = 2026-06-01T13:00:00\n\
        [[resources]]\nid = \"blue\"\nname = \"Blue\"\nkind = \"room\"\n";
    const PAGE: &str = r#"{"version":3,"complete":true,"facts":{"people":[{"id":"p1","name":"Ana","credentials":["uid:04A2B3C4"]}],
        "memberships":[{"id":"m1","plan":"Hot desk","person":"p1","starts":"2026-01-01","ends":"2026-12-31T10:00:00Z"}]}}"#;

    /// Fields of several platforms, each of which takes its own.
    const ROW: &str = r#"{"_id":"m1","id":"m1","name":"Ana","title":"Ana","member":"m1","plan":"p1","resource":"r1","status":"valid",
        "start":"2026-06-01T10:00:00Z","end":"2026-06-01T11:00:00Z","startDate":"2026-06-01T10:00:00Z","count":2,"usedCount":1,
        "Records":[{"Id":7,"FullName":"Ana","CoworkerId":7,"TariffId":2,"FromTime":"2026-06-01T10:00:00Z"}],
        "CurrentPage":1,"HasNextPage":false,"TotalItems":1}"#;

    proptest! {
        #[test]
        fn any_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..600)) {
            osdp_framer(&data);
            wradapt_decoder(&data);
            pn532_session(&data);
            ring_slot(&data);
            contract_page(&data);
            cobot_answer(&data);
            ks_hub(&data);
            nexudus_answer(&data);
            officernd_answer(&data);
            spacebring_answer(&data);
            facts_toml(&String::from_utf8_lossy(&data));
        }

        #[test]
        fn nearly_right_facts_are_survived(toml in nearly(TOML), page in nearly(PAGE)) {
            facts_toml(&toml);
            contract_page(page.as_bytes());
        }

        #[test]
        fn nearly_right_rows_are_survived(which: u8, row in nearly(ROW)) {
            let data: Vec<u8> = [which].into_iter().chain(row.bytes()).collect();
            nexudus_answer(&data);
            officernd_answer(&data);
            spacebring_answer(&data);
        }

        #[test]
        fn nearly_right_events_are_survived(mut data in prop::collection::vec(any::<u8>(), 12..120), kind in 1_u8..48, presence: u8) {
            data[..4].copy_from_slice(&[1, kind, 1, presence]);
            ring_slot(&data);
        }
    }
}
