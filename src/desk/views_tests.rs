use super::*;
use proptest::prelude::*;

fn text(card: &Credential, format: Format) -> (String, bool) {
    let view = views(card)
        .into_iter()
        .find(|view| view.format == format)
        .unwrap();
    (view.text, view.lossy)
}

#[test]
fn one_short_uid_as_readers_of_all_kinds_write_it() {
    let card: Credential = "uid:7186A61E".parse().unwrap();
    let whole = |format| {
        let (text, lossy) = text(&card, format);
        assert!(!lossy, "{format:?}");
        text
    };
    assert_eq!(whole(Format::UidReversed), "1EA68671");
    assert_eq!(whole(Format::Decimal), "1904649758");
    assert_eq!(whole(Format::DecimalReversed), "0514229873");
    assert_eq!(whole(Format::Rom14), "7186A61E000000");
    // 86A61E: 134 and 42526.
    assert_eq!(text(&card, Format::ThreeFive), ("13442526".into(), true));
    let (telegram, lossy) = text(&card, Format::Wiegand26);
    assert!(lossy);
    assert_eq!(
        format!("wiegand26:{telegram}").parse(),
        Ok(Credential::wiegand26(134, 42526))
    );
    // 7186: seven ones, so even parity 1; A61E: eight, so odd parity 1.
    let expected = (1_u64 << 33) | (0x7186_A61E << 1) | 1;
    assert_eq!(whole(Format::Wiegand34), format!("{expected:010X}"));
}

#[test]
fn the_middle_bit_of_37_counts_in_both_halves() {
    // Only bit 17 of 35 is set, the one in the middle: both halves see one.
    assert_eq!(with_parity(1 << 17, 35), (1 << 36) | (1 << 18));
    assert_eq!(with_parity(0, 35), 1);
}

#[test]
fn a_number_that_is_a_known_one_turned_about_is_said_to_be_so() {
    for (given, known) in [
        ("uid:80E6D5C4B3A204", "uid:04A2B3C4D5E680"),
        ("uid:1EA68671", "uid:7186A61E"),
    ] {
        let given = Given::credential(&given.parse().unwrap());
        let view = given.may_be(&known.parse().unwrap()).unwrap();
        assert_eq!((view.format, view.lossy), (Format::UidReversed, false));
    }
}

#[test]
fn eight_digits_may_be_many_things_and_known_cards_decide() {
    let given = Given::text("02309289");
    let meant: Vec<_> = given
        .credentials()
        .into_iter()
        .map(|(format, _)| format)
        .collect();
    assert!(
        meant.contains(&Format::KsTag) && meant.contains(&Format::ThreeFive) && meant.contains(&Format::Uid)
    );
    let tag: Credential = "ks:02309289".parse().unwrap();
    let door = Credential::wiegand26(23, 9289);
    let other: Credential = "uid:04A2B3C4".parse().unwrap();
    let found = given.among([&other, &door, &tag].into_iter());
    let cards: Vec<_> = found.iter().map(|(card, view)| (*card, view.lossy)).collect();
    assert_eq!(cards, [(tag, false), (door, true)]);
}

#[test]
fn a_number_cut_short_finds_the_long_one_and_says_that_it_may_be_another() {
    let long: Credential = "uid:04A2B3C4D5E680".parse().unwrap();
    let twin: Credential = "uid:0499B3C4D5E680".parse().unwrap();
    let (decimal, lossy) = text(&long, Format::Decimal);
    assert!(lossy);
    let found = Given::text(&decimal).among([&long, &twin].into_iter());
    assert_eq!(found.len(), 2, "both end in the same four bytes");
    assert!(found.iter().all(|(_, view)| view.lossy));
    assert!(!format!("{:?}", Given::text(&decimal)).contains(&decimal));
}

#[test]
fn a_random_number_is_nobodys() {
    for random in ["uid:08A2B3C4", "uid:80A2B3C4"] {
        let card: Credential = random.parse().unwrap();
        assert_eq!(may_be_enrolled(&card), Err(CredentialError::RandomUid));
    }
    for real in ["uid:0804B3C4D5E680", "uid:81A2B3C4", "ks:08000000"] {
        assert_eq!(may_be_enrolled(&real.parse().unwrap()), Ok(()));
    }
}

fn uid() -> impl Strategy<Value = Credential> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 4),
        prop::collection::vec(any::<u8>(), 7),
        prop::collection::vec(any::<u8>(), 10)
    ];
    bytes.prop_map(|bytes| Credential::uid(&bytes).unwrap())
}

proptest! {
    /// PC/SC and PN532 give bytes, OSDP bits, WRADAPT a ROM code, a keyboard text in one of its formats.
    #[test]
    fn one_fob_gives_the_same_credential_from_every_reader(card in uid()) {
        use crate::{config::model::CardText, platform::cards::read};
        prop_assume!(may_be_enrolled(&card).is_ok());
        let bytes = card.bytes().to_vec();
        prop_assert_eq!(Credential::uid(&bytes), Ok(card), "bytes in the order on air, or bits");
        let typed = |format: Format| text(&card, format).0;
        prop_assert_eq!(read(&typed(Format::Uid), CardText::Uid), Ok(card));
        prop_assert_eq!(read(&typed(Format::UidReversed), CardText::UidReversed), Ok(card));
        if bytes.len() == 4 {
            prop_assert_eq!(read(&typed(Format::Decimal), CardText::Decimal), Ok(card));
            prop_assert_eq!(read(&typed(Format::DecimalReversed), CardText::DecimalReversed), Ok(card));
        }
        let rom = views(&card).into_iter().find(|view| view.format == Format::Rom14 && !view.lossy);
        if let Some(rom) = rom {
            prop_assert_eq!(format!("rom14:{}", rom.text).parse(), Ok(card));
        }
    }

    /// Every view of a card that keeps the whole number leads back to it, whatever reader or field it came from.
    #[test]
    fn one_fob_is_found_by_each_of_its_views(card in uid()) {
        for view in views(&card) {
            let given = match view.format {
                Format::Wiegand26 | Format::Wiegand26Reversed => format!("wiegand26:{}", view.text),
                Format::Wiegand34 | Format::Wiegand34Reversed => format!("wiegand34:{}", view.text),
                Format::Wiegand37 | Format::Wiegand37Reversed => format!("wiegand37:{}", view.text),
                _ => view.text.clone(),
            };
            let given = Given::text(&given);
            prop_assert!(given.may_be(&card).is_some(), "{:?}", view.format);
            let whole = matches!(view.format, Format::Uid | Format::UidReversed | Format::Rom14 | Format::Decimal | Format::DecimalReversed);
            if whole && !view.lossy {
                let meant = given.credentials();
                prop_assert!(meant.iter().any(|(_, it)| *it == card), "{:?}: {:?}", view.format, meant);
            }
        }
    }

    /// Of two cards with the same whole view there is only one.
    #[test]
    fn a_view_that_is_not_lossy_names_one_card(one in uid(), other in uid()) {
        prop_assume!(one != other);
        let theirs = views(&other);
        for view in views(&one).into_iter().filter(|view| !view.lossy) {
            prop_assert!(!theirs.iter().any(|it| !it.lossy && it.format == view.format && it.text == view.text));
        }
    }

    #[test]
    fn any_text_is_looked_at(text in "\\PC{0,24}") {
        let _ = Given::text(&text).credentials();
    }
}
