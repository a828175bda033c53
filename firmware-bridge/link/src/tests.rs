use crate::{frame::crc16, *};
use proptest::prelude::*;
use std::{vec, vec::Vec};

fn any_card() -> impl Strategy<Value = CardBits> {
    (1..=MAX_BITS, any::<[u8; 16]>()).prop_map(|(len, mut data)| {
        let bytes = usize::from(len.div_ceil(8));
        data[bytes - 1] &= 0xFF_u8 << (len.next_multiple_of(8) - len);
        CardBits::new(len, &data[..bytes]).unwrap()
    })
}

fn any_message() -> impl Strategy<Value = Message> {
    use NakReason::{BadValue, NoSuchNumber, UnknownKind, Version};
    let colour = prop_oneof![
        Just(Colour::Off),
        Just(Colour::Red),
        Just(Colour::Green),
        Just(Colour::Amber)
    ];
    let why = prop_oneof![
        Just(UnknownKind),
        Just(BadValue),
        Just(NoSuchNumber),
        Just(Version)
    ];
    prop_oneof![
        any::<([u8; 4], u32)>().prop_map(|([version, readers, inputs, outputs], boot)| Message::Hello {
            version,
            readers,
            inputs,
            outputs,
            boot
        }),
        any::<u32>().prop_map(|uptime| Message::Heartbeat { uptime }),
        (any::<u8>(), any_card()).prop_map(|(reader, card)| Message::Card { reader, card }),
        any::<(u8, bool)>().prop_map(|(input, active)| Message::Input { input, active }),
        any::<(u8, u32)>().prop_map(|(output, ms)| Message::Output { output, ms }),
        (any::<u8>(), colour, any::<u16>()).prop_map(|(reader, colour, ms)| Message::Led {
            reader,
            colour,
            ms
        }),
        any::<(u8, u16, u8)>().prop_map(|(reader, ms, count)| Message::Beep { reader, ms, count }),
        any::<u8>().prop_map(|of| Message::Ack { of }),
        (any::<u8>(), why).prop_map(|(of, why)| Message::Nak { of, why }),
    ]
}

/// Everything that comes of a stream fed in pieces of a length.
fn outcomes(stream: &[u8], piece: usize) -> (Vec<Frame>, usize) {
    let (mut frames, mut bad) = (Vec::new(), 0);
    let mut accumulator = Accumulator::new();
    for mut bytes in stream.chunks(piece) {
        loop {
            bytes = match accumulator.feed(bytes) {
                Feed::Consumed => break,
                Feed::Success { frame, remaining } => {
                    frames.push(frame);
                    remaining
                }
                Feed::Error { remaining, .. } | Feed::OverFull { remaining } => {
                    bad += 1;
                    remaining
                }
            };
        }
    }
    (frames, bad)
}

/// The example of firmware-bridge/README.md, so that the document cannot drift from the code.
#[test]
fn the_documented_example_is_what_goes_over_the_wire() {
    let frame = encode(7, &Message::Output { output: 1, ms: 3000 });
    let shown: Vec<_> = frame
        .bytes()
        .iter()
        .map(|byte| std::format!("{byte:02x}"))
        .collect();
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&shown.join(" ")),
        "README.md should show: {}",
        shown.join(" ")
    );
}

#[test]
fn the_crc_is_the_one_in_the_catalogue() {
    assert_eq!(crc16(b"123456789"), 0x29B1);
}

#[test]
fn a_card_number_does_not_print_and_has_one_form() {
    let card = CardBits::new(26, &[0xDE, 0xAD, 0xBE, 0xC0]).unwrap();
    assert_eq!(std::format!("{card:?}"), "CardBits(26 bits)");
    assert_eq!(card.data(), [0xDE, 0xAD, 0xBE, 0xC0]);
    assert_eq!(
        CardBits::new(26, &[0xDE, 0xAD, 0xBE, 0xE0]),
        None,
        "a bit beyond the last"
    );
    assert_eq!(CardBits::new(26, &[0xDE, 0xAD, 0xBE]), None, "too few bytes");
    assert_eq!(CardBits::new(0, &[]), None);
    assert_eq!(CardBits::new(129, &[0; 17]), None);
}

#[test]
fn what_a_newer_end_says_can_be_refused_by_its_number() {
    let strange = |kind: u8, body: &[u8]| {
        let mut raw = vec![kind, 9];
        raw.extend(body);
        raw.extend(crc16(&raw).to_le_bytes());
        let runs = raw.split(|byte| *byte == 0);
        decode(
            &runs
                .flat_map(|run| [&[run.len() as u8 + 1], run].concat())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        strange(0x7F, &[1]),
        Err(DecodeError::UnknownKind {
            sequence: 9,
            kind: 0x7F
        })
    );
    for (kind, body) in [
        (0x11, &[1, 2][..]),
        (0x11, &[1]),
        (0x21, &[0, 9, 0, 0]),
        (0x04, &[1, 0]),
        (0x10, &[0, 8]),
    ] {
        assert_eq!(strange(kind, body), Err(DecodeError::BadValue { sequence: 9 }));
    }
    assert_eq!(strange(0x03, &[5]).unwrap().message, Message::Ack { of: 5 });
}

#[test]
fn a_flood_without_end_is_bounded_and_over_at_the_next_zero() {
    let mut accumulator = Accumulator::new();
    assert_eq!(accumulator.feed(&[0x55; 10_000]), Feed::Consumed);
    let wire = encode(1, &Message::Ack { of: 2 });
    let Feed::OverFull { remaining } = accumulator.feed(wire.bytes()) else {
        panic!()
    };
    assert!(matches!(accumulator.feed(remaining), Feed::Success { .. }));
}

proptest! {
    #[test]
    fn messages_survive_the_wire(sequence: u8, message in any_message()) {
        let wire = encode(sequence, &message);
        let (first, inner) = wire.bytes().split_first().unwrap();
        let (last, inner) = inner.split_last().unwrap();
        prop_assert!(wire.bytes().len() <= MAX_FRAME && *first == 0 && *last == 0 && !inner.contains(&0));
        prop_assert_eq!(decode(inner), Ok(Frame { sequence, message }));
    }

    #[test]
    fn noise_between_frames_costs_no_frame(
        parts in prop::collection::vec((any_message(), prop::collection::vec(1..=255_u8, 0..40)), 1..8),
        piece in 1..64_usize,
    ) {
        let mut stream = Vec::new();
        for (message, noise) in &parts {
            stream.extend(noise);
            stream.extend(encode(3, message).bytes());
        }
        let noisy = parts.iter().filter(|(_, noise)| !noise.is_empty()).count();
        let (frames, bad) = outcomes(&stream, piece);
        let heard: Vec<_> = frames.into_iter().map(|frame| frame.message).collect();
        let said: Vec<_> = parts.into_iter().map(|(message, _)| message).collect();
        prop_assert_eq!((heard, bad), (said, noisy));
    }

    #[test]
    fn no_bytes_break_the_decoder(bytes: Vec<u8>, piece in 1..16_usize) {
        let _ = decode(&bytes);
        outcomes(&bytes, piece);
    }
}

/// Every pair of flipped bits in some frames, the zeros at their ends included: not a sample, so it cannot flicker.
#[test]
fn one_or_two_flipped_bits_are_never_taken_for_a_message() {
    let card = CardBits::new(56, &[4, 0xA1, 0, 0x5B, 2, 0x61, 0x80]).unwrap();
    for message in [
        Message::Card { reader: 0, card },
        Message::Output { output: 1, ms: 3000 },
        Message::Ack { of: 6 },
    ] {
        let sound = encode(5, &message);
        let bits = sound.bytes().len() * 8;
        for (one, two) in (0..bits).flat_map(|one| (one..bits).map(move |two| (one, two))) {
            let mut wire = sound.bytes().to_vec();
            wire[one / 8] ^= 1 << (one % 8);
            if two != one {
                wire[two / 8] ^= 1 << (two % 8);
            }
            let (heard, _) = outcomes(&wire, 64);
            assert!(
                heard.iter().all(|frame| frame.message == message),
                "bits {one} and {two}: {heard:?}"
            );
        }
    }
}
