//! What a wedge typed, as a credential: the same as every other reader makes of the same card. Pure.

use crate::{
    config::model::{CardText, WedgeNumber},
    domain::{Credential, CredentialError},
    platform::cards,
};

/// The credential of a typed number.
///
/// # Errors
/// Why it is none, without any part of it. A random UID is one of the reasons.
pub(in crate::desk::readers) fn credential(
    text: &str,
    number: WedgeNumber,
) -> Result<Credential, CredentialError> {
    let text = text.trim();
    match number {
        WedgeNumber::Hex => cards::read(text, CardText::Uid),
        WedgeNumber::HexReversed => cards::read(text, CardText::UidReversed),
        WedgeNumber::Decimal => cards::read(text, CardText::Decimal),
        WedgeNumber::DecimalReversed => cards::read(text, CardText::DecimalReversed),
        WedgeNumber::ThreeFive => cards::read(text, CardText::Wiegand26),
        WedgeNumber::KsTag => cards::read(text, CardText::KsTag),
        WedgeNumber::Rom14 => format!("rom14:{text}").parse(),
        WedgeNumber::Wiegand26 => wiegand26(text),
    }
}

/// Six hexadecimal digits: facility and number. Seven or eight: the telegram with its parity bits, which must be right.
fn wiegand26(text: &str) -> Result<Credential, CredentialError> {
    if !(6..=8).contains(&text.len()) {
        return Err(CredentialError::BadLength);
    }
    if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(CredentialError::NotHex);
    }
    let number = u32::from_str_radix(text, 16).map_err(|_| CredentialError::NotHex)?;
    let body = if text.len() == 6 {
        number
    } else {
        number >> 1 & 0x00FF_FFFF
    };
    let [_, facility, high, low] = body.to_be_bytes();
    let credential = Credential::wiegand26(facility, u16::from_be_bytes([high, low]));
    let telegram = credential
        .bytes()
        .iter()
        .fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    if text.len() > 6 && telegram != number {
        return Err(CredentialError::BadNumber);
    }
    Ok(credential)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, number: WedgeNumber) -> Result<Credential, CredentialError> {
        credential(text, number)
    }

    #[test]
    fn facility_and_number_are_one_card_however_they_are_typed() {
        let card = Ok(Credential::wiegand26(123, 45678));
        assert_eq!(read("123,45678", WedgeNumber::ThreeFive), card);
        assert_eq!(read("12345678", WedgeNumber::ThreeFive), card);
        assert_eq!(read("7BB26E", WedgeNumber::Wiegand26), card);
        assert_eq!(read("2F764DD", WedgeNumber::Wiegand26), card);
        assert_eq!(read("02F764DD", WedgeNumber::Wiegand26), card);
        assert_eq!(
            read("02F764DC", WedgeNumber::Wiegand26),
            Err(CredentialError::BadNumber)
        );
        assert_eq!(
            read("7BB2", WedgeNumber::Wiegand26),
            Err(CredentialError::BadLength)
        );
    }

    #[test]
    fn a_tag_number_and_a_short_uid_keep_their_zeros() {
        assert_eq!(read("00007527", WedgeNumber::KsTag), Credential::ks_tag("7527"));
        assert_eq!(read("7186A61E000000", WedgeNumber::Rom14), "uid:7186A61E".parse());
        assert_eq!(
            read("0000000007", WedgeNumber::Decimal),
            Credential::uid(&[0, 0, 0, 7])
        );
        assert_eq!(
            read("08A1B2C3", WedgeNumber::Hex),
            Err(CredentialError::RandomUid)
        );
        assert_eq!(read("QX", WedgeNumber::Hex), Err(CredentialError::NotHex));
    }

    proptest! {
        #[test]
        fn one_fob_is_one_credential_whatever_the_wedge_types(uid in any::<[u8; 4]>()) {
            prop_assume!(!matches!(uid[0], 0x08 | 0x80));
            let card = Credential::uid(&uid);
            let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02X}")).collect() };
            let mut back = uid;
            back.reverse();
            prop_assert_eq!(read(&hex(&uid), WedgeNumber::Hex), card);
            prop_assert_eq!(read(&hex(&back), WedgeNumber::HexReversed), card);
            prop_assert_eq!(read(&format!("{:010}", u32::from_be_bytes(uid)), WedgeNumber::Decimal), card);
            prop_assert_eq!(read(&format!("{:010}", u32::from_be_bytes(back)), WedgeNumber::DecimalReversed), card);
            prop_assert_eq!(read(&format!("{}000000", hex(&uid)), WedgeNumber::Rom14), card);
        }
    }
}
