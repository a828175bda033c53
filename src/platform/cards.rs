//! Card numbers as platforms write them. Most platforms have a text field that staff fill with whatever their reader
//! typed, so the site says once which format that is (`[cloud] card_format`), and `auto` takes only what cannot be
//! mistaken.

use crate::{
    config::model::CardText,
    domain::{Credential, CredentialError, Scheme},
};

/// A platform's text as a credential.
///
/// # Errors
/// When it is none of this format, or a number that names nobody. The error holds no part of the number.
pub fn read(text: &str, format: CardText) -> Result<Credential, CredentialError> {
    let text = text.trim();
    // A number that names its scheme is what it says, whatever the format.
    if text.split_once(':').is_some_and(|(scheme, _)| {
        let first = scheme.trim().as_bytes().first().copied().unwrap_or(b'0');
        first.is_ascii_alphabetic() && !scheme.trim().bytes().all(|byte| byte.is_ascii_hexdigit())
    }) {
        return refused_if_random(text.parse()?);
    }
    let credential = match format {
        CardText::Auto => unmistakable(text)?,
        CardText::Uid => format!("uid:{text}").parse()?,
        CardText::UidReversed => {
            let credential: Credential = format!("uid:{text}").parse()?;
            credential.reversed().ok_or(CredentialError::BadLength)?
        }
        CardText::Decimal => decimal(text)?,
        CardText::DecimalReversed => decimal(text)?.reversed().ok_or(CredentialError::BadLength)?,
        CardText::Wiegand26 => three_and_five(text)?,
        CardText::KsTag => Credential::ks_tag(text)?,
        CardText::Token => Credential::token(text.as_bytes())?,
    };
    refused_if_random(credential)
}

/// The text that a platform of this format holds for a credential; `None` if the format cannot say it, and then its
/// full form is the one that every format understands.
#[must_use]
pub fn write(credential: &Credential, format: CardText) -> Option<String> {
    let hex = |credential: &Credential| -> String {
        credential
            .bytes()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    };
    let number = |credential: &Credential| {
        let bytes = credential.bytes().iter();
        bytes.fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte))
    };
    let short = credential.bits() == 32;
    match (format, credential.scheme()) {
        (CardText::Auto | CardText::Uid, Scheme::Uid) => Some(hex(credential)),
        (CardText::UidReversed, Scheme::Uid) => Some(hex(&credential.reversed()?)),
        (CardText::Decimal, Scheme::Uid) if short => Some(format!("{:010}", number(credential))),
        (CardText::DecimalReversed, Scheme::Uid) if short => {
            Some(format!("{:010}", number(&credential.reversed()?)))
        }
        (CardText::Wiegand26, Scheme::Wiegand) if credential.bits() == 26 => {
            let body = number(credential) >> 1;
            Some(format!("{:03}{:05}", (body >> 16) & 0xFF, body & 0xFFFF))
        }
        (CardText::KsTag, Scheme::KsTag) => Some(format!("{:08}", number(credential))),
        (CardText::Token, Scheme::Token) => String::from_utf8(credential.bytes().to_vec()).ok(),
        _ => None,
    }
}

/// Hexadecimal of 4, 7 or 10 bytes with at least one letter or separator: decimal digits alone could be anything.
fn unmistakable(text: &str) -> Result<Credential, CredentialError> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() != 14 && text.len() != 20 {
        return Err(CredentialError::NoScheme);
    }
    format!("uid:{text}").parse()
}

/// Ten decimal digits: a UID of four bytes as one number, first byte on air most significant.
fn decimal(text: &str) -> Result<Credential, CredentialError> {
    if text.is_empty() || text.len() > 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CredentialError::BadNumber);
    }
    let number: u32 = text.parse().map_err(|_| CredentialError::BadNumber)?;
    Credential::uid(&number.to_be_bytes())
}

/// `FACILITY,NUMBER`, `FACILITY-NUMBER`, `FACILITY:NUMBER`, or three and five digits.
fn three_and_five(text: &str) -> Result<Credential, CredentialError> {
    let parts = text.split_once([',', '-', ':', ' ']);
    let (facility, number) = match parts {
        Some((facility, number)) => (facility.trim(), number.trim()),
        None if text.len() == 8 && text.is_ascii() => text.split_at(3),
        None => return Err(CredentialError::BadNumber),
    };
    let facility = facility.parse().map_err(|_| CredentialError::BadNumber)?;
    let number = number.parse().map_err(|_| CredentialError::BadNumber)?;
    Ok(Credential::wiegand26(facility, number))
}

fn refused_if_random(credential: Credential) -> Result<Credential, CredentialError> {
    if credential.is_random_uid() {
        return Err(CredentialError::RandomUid);
    }
    Ok(credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(text: &str, format: CardText) -> Result<String, CredentialError> {
        read(text, format).map(|credential| credential.reveal_in_full())
    }

    #[test]
    fn each_format_reads_its_own_and_writes_it_back() {
        let table = [
            ("04A2B3C4D5E680", CardText::Auto, "uid:04A2B3C4D5E680"),
            ("04A2B3C4", CardText::Uid, "uid:04A2B3C4"),
            ("C4B3A204", CardText::UidReversed, "uid:04A2B3C4"),
            ("0077771716", CardText::Decimal, "uid:04A2B3C4"),
            ("3300106756", CardText::DecimalReversed, "uid:04A2B3C4"),
            ("12304567", CardText::Wiegand26, "wiegand26:02F623AE"),
            ("02309289", CardText::KsTag, "ks:02309289"),
            ("fob-17", CardText::Token, "token:666F622D3137"),
        ];
        for (text, format, expected) in table {
            assert_eq!(full(text, format).as_deref(), Ok(expected), "{format:?}");
            let credential = read(text, format).unwrap();
            assert_eq!(write(&credential, format).as_deref(), Some(text), "{format:?}");
        }
    }

    #[test]
    fn a_number_that_names_its_scheme_is_what_it_says_and_a_bare_decimal_one_is_not_guessed() {
        assert_eq!(full("ks:02309289", CardText::Uid).as_deref(), Ok("ks:02309289"));
        assert_eq!(full("04:A2:B3:C4", CardText::Auto).as_deref(), Ok("uid:04A2B3C4"));
        assert_eq!(full("12304567", CardText::Auto), Err(CredentialError::NoScheme));
        assert_eq!(full("08A2B3C4", CardText::Uid), Err(CredentialError::RandomUid));
    }
}
