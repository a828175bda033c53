//! A card's number as readers, platforms, keyboards and stickers write it.
//!
//! The credential is what counts (scheme and value, on-air order, explicit length). A view is a way to write it. Some
//! views keep only a part of the number, and then several cards look the same in them: such a view finds a card among
//! known ones and never makes one (facts: salto.md 4.4).

use crate::domain::{Credential, CredentialError, Scheme};
use serde::Serialize;

/// A way to write a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Hexadecimal, first byte on air first.
    Uid,
    /// Hexadecimal, last byte on air first.
    UidReversed,
    /// SALTO's ROM code: 14 hexadecimal digits, a short UID with zeros behind.
    Rom14,
    /// Ten decimal digits: four bytes as one number, first byte on air most significant.
    Decimal,
    /// The same, last byte on air most significant.
    DecimalReversed,
    /// Three and five digits: the low three bytes of that number.
    ThreeFive,
    /// The same of the reversed number.
    ThreeFiveReversed,
    /// A telegram of 26 bits: those three bytes between two parity bits (SIA AC-01-1996.10).
    Wiegand26,
    /// The same of the reversed number.
    Wiegand26Reversed,
    /// 34 bits: four bytes between two parity bits.
    Wiegand34,
    /// The same of the reversed number.
    Wiegand34Reversed,
    /// 37 bits: a number of 35 bits between two parity bits that share the middle one (HID H10302).
    Wiegand37,
    /// The same of the reversed number.
    Wiegand37Reversed,
    /// The eight digits of a SALTO KS tag.
    KsTag,
    /// Bytes that a platform issued, as hexadecimal.
    Token,
    /// A telegram of any length, as hexadecimal.
    Telegram,
}

/// One way in which a card is written somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct View {
    /// Which way.
    pub format: Format,
    /// The text. It is a card number: never for a log.
    pub text: String,
    /// Other cards may look the same: a part of the number is missing, or its length.
    pub lossy: bool,
}

/// A number of `bits` bits.
fn hex(number: u128, bits: usize) -> String {
    format!("{number:0width$X}", width = bits.div_ceil(8) * 2)
}

fn number(bytes: &[u8]) -> u128 {
    bytes.iter().fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

/// The body between its parity bits: even over the first half, odd over the second. An odd body's middle bit counts twice.
fn with_parity(body: u128, bits: u32) -> u128 {
    let half = bits.div_ceil(2);
    let low = (1_u128 << half) - 1;
    let even = u128::from((body >> (bits - half)).count_ones() % 2);
    let odd = u128::from((body & low).count_ones().is_multiple_of(2));
    (even << (bits + 1)) | (body << 1) | odd
}

fn three_five(number: u128) -> String {
    format!("{:03}{:05}", (number >> 16) & 0xFF, number & 0xFFFF)
}

/// Every way in which this card may be written, the whole ones first.
#[must_use]
pub fn views(card: &Credential) -> Vec<View> {
    let view = |format, text, lossy| View { format, text, lossy };
    let value = number(card.bytes());
    let mut all = match card.scheme() {
        Scheme::KsTag => vec![view(Format::KsTag, format!("{value:08}"), false)],
        Scheme::Token => vec![view(Format::Token, hex(value, card.bits().into()), false)],
        Scheme::Wiegand => telegram(card, value),
        Scheme::Uid => {
            let reversed: Vec<u8> = card.bytes().iter().rev().copied().collect();
            let bits = usize::from(card.bits());
            let mut all = vec![
                view(Format::Uid, hex(value, bits), false),
                view(Format::UidReversed, hex(number(&reversed), bits), false),
            ];
            if bits <= 56 {
                let padded = value << (56 - bits);
                // A long UID that ends in three zeros is written as a short one is.
                let lossy = bits == 56 && value.trailing_zeros() >= 24;
                all.push(view(Format::Rom14, hex(padded, 56), lossy));
            }
            all.extend(numbers(value, bits, false));
            all.extend(numbers(number(&reversed), bits, true));
            all
        }
    };
    all.sort_by_key(|view| view.lossy);
    all
}

/// What readers make of the number that a UID is.
fn numbers(value: u128, bits: usize, reversed: bool) -> [View; 5] {
    let pick = |plain, turned| if reversed { turned } else { plain };
    let lossy = bits > 32;
    let (low24, low32, low35) = (value & 0xFF_FFFF, value & 0xFFFF_FFFF, value & ((1 << 35) - 1));
    let view = |format, text, lossy| View { format, text, lossy };
    [
        view(
            pick(Format::Decimal, Format::DecimalReversed),
            format!("{low32:010}"),
            lossy,
        ),
        view(
            pick(Format::Wiegand34, Format::Wiegand34Reversed),
            hex(with_parity(low32, 32), 34),
            lossy,
        ),
        view(
            pick(Format::Wiegand37, Format::Wiegand37Reversed),
            hex(with_parity(low35, 35), 37),
            lossy,
        ),
        view(
            pick(Format::ThreeFive, Format::ThreeFiveReversed),
            three_five(low24),
            true,
        ),
        view(
            pick(Format::Wiegand26, Format::Wiegand26Reversed),
            hex(with_parity(low24, 24), 26),
            true,
        ),
    ]
}

fn telegram(card: &Credential, value: u128) -> Vec<View> {
    let bits = usize::from(card.bits());
    let format = match bits {
        26 => Format::Wiegand26,
        34 => Format::Wiegand34,
        37 => Format::Wiegand37,
        _ => Format::Telegram,
    };
    let view = |format, text, lossy| View { format, text, lossy };
    let mut all = vec![view(format, hex(value, bits), false)];
    let body = (value >> 1) & ((1 << bits.saturating_sub(2)) - 1);
    match bits {
        // Without the parity bits it is a number that a sticker has; other cards have it as well.
        26 => all.push(view(Format::ThreeFive, three_five(body), true)),
        34 => all.push(view(Format::Decimal, format!("{body:010}"), true)),
        _ => {}
    }
    all
}

/// A number as it was given, and the ways in which it may be meant.
#[derive(Clone, PartialEq, Eq)]
pub struct Given(Vec<(Format, String)>);

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let formats: Vec<_> = self.0.iter().map(|(format, _)| format).collect();
        write!(f, "Given({formats:?})") // never the number
    }
}

impl Given {
    /// A text from a keyboard, a sticker or a platform's field.
    #[must_use]
    pub fn text(text: &str) -> Self {
        let text = text.trim();
        if let Ok(credential) = text.parse::<Credential>() {
            return Self::credential(&credential);
        }
        let digits: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | ':' | '-' | ',' | '.'))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut meant = Vec::new();
        let mut may = |formats: &[Format], text: &str| {
            meant.extend(formats.iter().map(|format| (*format, text.to_owned())));
        };
        if hexadecimal {
            may(&[Format::Uid, Format::UidReversed], &digits);
            if digits.len() == 14 {
                may(&[Format::Rom14], &digits);
            }
        }
        if decimal && digits.len() <= 10 {
            // Readers and people leave zeros in front away.
            let padded = format!("{digits:0>10}");
            may(&[Format::Decimal, Format::DecimalReversed], &padded);
        }
        if decimal && digits.len() <= 8 {
            let padded = format!("{digits:0>8}");
            may(
                &[Format::ThreeFive, Format::ThreeFiveReversed, Format::KsTag],
                &padded,
            );
        }
        Self(meant)
    }

    /// What a door reader sent.
    #[must_use]
    pub fn credential(card: &Credential) -> Self {
        let mut meant = Vec::new();
        for view in views(card).into_iter().filter(|view| !view.lossy) {
            meant.push((view.format, view.text.clone()));
            let turned = match view.format {
                Format::Wiegand26 => Format::Wiegand26Reversed,
                Format::Wiegand34 => Format::Wiegand34Reversed,
                Format::Wiegand37 => Format::Wiegand37Reversed,
                Format::Uid => Format::UidReversed,
                _ => continue,
            };
            meant.push((turned, view.text));
        }
        Self(meant)
    }

    /// The credentials that the number itself can be, without looking at known cards. A part of a number is none.
    #[must_use]
    pub fn credentials(&self) -> Vec<(Format, Credential)> {
        let mut found: Vec<(Format, Credential)> = Vec::new();
        for (format, text) in &self.0 {
            let read = match format {
                Format::Uid => format!("uid:{text}").parse::<Credential>(),
                Format::UidReversed => format!("uid:{text}")
                    .parse::<Credential>()
                    .and_then(|card| card.reversed().ok_or(CredentialError::BadLength)),
                Format::Rom14 => format!("rom14:{text}").parse(),
                Format::Decimal | Format::DecimalReversed => text
                    .parse::<u32>()
                    .map_err(|_| CredentialError::BadNumber)
                    .and_then(|number| {
                        let bytes = match format {
                            Format::Decimal => number.to_be_bytes(),
                            _ => number.to_le_bytes(),
                        };
                        Credential::uid(&bytes)
                    }),
                Format::ThreeFive => {
                    let (facility, number) = text.split_at_checked(3).unwrap_or_default();
                    format!("wiegand26:{facility}-{number}").parse()
                }
                Format::KsTag => Credential::ks_tag(text),
                Format::Wiegand26 => format!("wiegand26:{text}").parse(),
                Format::Wiegand34 => format!("wiegand34:{text}").parse(),
                Format::Wiegand37 => format!("wiegand37:{text}").parse(),
                Format::Token => format!("token:{text}").parse(),
                _ => continue,
            };
            if let Ok(card) = read
                && !found.iter().any(|(_, known)| *known == card)
            {
                found.push((*format, card));
            }
        }
        found
    }

    /// How a known card is written if it is the one that was given: by its fullest view.
    #[must_use]
    pub fn may_be(&self, known: &Credential) -> Option<View> {
        views(known).into_iter().find(|view| {
            self.0
                .iter()
                .any(|(format, text)| *format == view.format && *text == view.text)
        })
    }

    /// The known cards that this may be, the whole ones first. More than one, or a lossy one: a person has to say.
    pub fn among<'a>(&self, known: impl Iterator<Item = &'a Credential>) -> Vec<(Credential, View)> {
        let mut found: Vec<_> = known
            .filter_map(|card| Some((*card, self.may_be(card)?)))
            .collect();
        found.sort_by_key(|(card, view)| (view.lossy, *card));
        found
    }
}

/// A card that may be given to somebody.
///
/// # Errors
/// `RandomUid` for a number that the chip makes anew at every presentation (NXP AN10927: four bytes that begin 08; DESFire
/// EV1: 80).
pub fn may_be_enrolled(card: &Credential) -> Result<(), CredentialError> {
    if card.is_random_uid() {
        return Err(CredentialError::RandomUid);
    }
    Ok(())
}

#[cfg(test)]
#[path = "views_tests.rs"]
mod tests;
