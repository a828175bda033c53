//! The index on disk.

use super::*;
use crate::access::{ImageError, fingerprint, image};
use proptest::prelude::*;

fn sample() -> Index {
    let grants = [
        grant(
            "m_1",
            GrantKind::Plan,
            "house",
            ("pl_1", "Hot desk"),
            Window::ALWAYS,
        ),
        grant(
            "m_1",
            GrantKind::Booking,
            "rooms",
            ("bk_1", "Room Berlin"),
            Window::between(5, 9),
        ),
        grant(
            "m_2",
            GrantKind::Plan,
            "house",
            ("pl_1", "Hot desk"),
            Window::ALWAYS,
        ),
    ];
    let mut snapshot = ada(&grants);
    snapshot.credentials.push((card(2), "m_2".into()));
    snapshot
        .blocks
        .push(block(BlockTarget::Credential(card(2)), "lost"));
    Index::build(&snapshot, &site()).unwrap().0
}

#[test]
fn an_image_comes_back_as_the_same_index() {
    let index = sample();
    let again = Index::from_image(index.to_image()).unwrap();
    assert_eq!(again.to_image(), index.to_image());
    assert_eq!(
        (again.version(), again.taken_at()),
        (7, at("2026-11-20T09:00[Europe/Madrid]"))
    );
    assert_eq!(again.site_fingerprint(), fingerprint(&site()));
    assert_eq!(
        sample().to_image(),
        index.to_image(),
        "the same snapshot, the same bytes"
    );
    let mut other = site();
    other.holidays.clear();
    assert_ne!(fingerprint(&other), fingerprint(&site()));
}

#[test]
fn every_changed_cut_or_added_byte_is_an_error() {
    let image = sample().to_image();
    for at in 0..image.len() {
        let mut damaged = image.clone();
        damaged[at] ^= 0x41;
        assert!(Index::from_image(damaged).is_err(), "byte {at}");
        assert!(Index::from_image(&image[..at]).is_err(), "cut at {at}");
    }
    let longer = [image.as_slice(), &[0]].concat();
    assert_eq!(Index::from_image(longer).unwrap_err(), ImageError::Damaged);
    let mut newer = image;
    newer[8] = 2;
    assert_eq!(
        Index::from_image(newer).unwrap_err().to_string(),
        "the snapshot image has format 2, this build reads 1"
    );
}

/// Bytes changed on purpose, checksum and all: refused, or an index that answers without a panic.
#[test]
fn a_forged_image_never_panics() {
    let image = sample().to_image();
    let limits = Limits::default();
    proptest!(ProptestConfig::with_cases(2_000), |(at in 16..image.len(), byte: u8, now: i64, trusted: bool)| {
        let mut forged = image.clone();
        forged[at] = byte;
        image::seal(&mut forged);
        if let Ok(index) = Index::from_image(forged) {
            for card in [card(1), card(2), card(3)] {
                for door in ["front", "room", "store"] {
                    let query = Query {
                        credential: Some(&card),
                        door: index.door(door),
                        now: Moment { at: now, trusted },
                        lockdown: false,
                        limits: &limits,
                    };
                    let text = explain(&index, &query, &index.decide(&query)).text;
                    assert!(!text.is_empty());
                }
            }
        }
    });
}

#[test]
fn a_stamp_is_in_the_image_too() {
    let stamped = sample().stamped(77);
    assert_eq!(stamped.site_fingerprint(), 77);
    let again = Index::from_image(stamped.to_image()).unwrap();
    assert_eq!(again.site_fingerprint(), 77);
}
