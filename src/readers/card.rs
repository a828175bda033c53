//! Card bits to a credential, by the reader's configured format. Pure.

use crate::{config::model::CardFormat, domain::Credential};

/// What a reader's bits are. `bits` of them, left-aligned in `data` as OSDP's RAW reply has them
/// (OSDP 2.2, 7.11). `None` for no bits, more than 80, or a count that the format does not have.
pub(super) fn credential(format: CardFormat, bits: usize, data: &[u8]) -> Option<Credential> {
    let bytes = data.get(..bits.div_ceil(8))?;
    let uid = || {
        bits.is_multiple_of(8)
            .then(|| Credential::uid(bytes).ok())
            .flatten()
    };
    match format {
        CardFormat::Auto if matches!(bits, 32 | 56 | 80) => uid(),
        CardFormat::Auto | CardFormat::Wiegand => Credential::wiegand(bits, bytes).ok(),
        CardFormat::Uid => uid(),
        CardFormat::UidReversed => uid()?.reversed(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scheme;

    const DATA: [u8; 10] = [0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80, 0x11, 0x22, 0x33];

    #[test]
    fn every_length_a_reader_sends_is_a_credential() {
        for bits in 1..=80 {
            let card = credential(CardFormat::Auto, bits, &DATA).unwrap();
            let scheme = if matches!(bits, 32 | 56 | 80) {
                Scheme::Uid
            } else {
                Scheme::Wiegand
            };
            assert_eq!((card.scheme(), usize::from(card.bits())), (scheme, bits));
        }
    }

    #[test]
    fn formats_do_what_they_say() {
        let text = |format, bits| credential(format, bits, &DATA).map(|card| card.reveal_in_full());
        assert_eq!(text(CardFormat::Uid, 56).as_deref(), Some("uid:04A2B3C4D5E680"));
        assert_eq!(text(CardFormat::UidReversed, 32).as_deref(), Some("uid:C4B3A204"));
        assert_eq!(
            text(CardFormat::Wiegand, 32).as_deref(),
            Some("wiegand32:04A2B3C4")
        );
        assert_eq!(text(CardFormat::Uid, 26), None);
    }

    #[test]
    fn nonsense_is_no_credential() {
        assert_eq!(credential(CardFormat::Auto, 0, &DATA), None);
        assert_eq!(credential(CardFormat::Auto, 81, &[0; 11]), None);
        assert_eq!(
            credential(CardFormat::Auto, 56, &DATA[..4]),
            None,
            "fewer bytes than bits"
        );
    }
}
