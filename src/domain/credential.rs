//! Card numbers as typed credentials (invariant 7): scheme and value, canonical, never printed whole.
//!
//! A KS tag number and a "3+5" Wiegand number are both eight digits and mean different things, so a bare
//! string never stands for a card here (facts: salto.md 4.4).

use super::say::{Said, desk as say};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest value: 80 bits, the longest card that a reader sends.
pub const MAX_BYTES: usize = 10;

/// What kind of number this is. The code is part of the snapshot image: add at the end, never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Scheme {
    /// The chip's own number: 4, 7 or 10 bytes, first byte on air first.
    Uid = 1,
    /// The bits of a Wiegand telegram as the reader sent them, parity bits included, with their count.
    Wiegand = 2,
    /// The eight-digit number that SALTO KS shows for a tag. No formula leads to it from the UID.
    KsTag = 3,
    /// A PIN or an opaque token of up to ten bytes that a platform issued.
    Token = 4,
}

/// A canonical credential. `Debug` and `Display` show the scheme and the last two hex digits only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Credential {
    scheme: Scheme,
    bits: u8,
    value: [u8; MAX_BYTES],
}

/// Why a text or a telegram is no credential. Carries no part of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialError {
    /// The part before the colon is none of the known schemes.
    UnknownScheme,
    /// There is no `scheme:` at the start.
    NoScheme,
    /// Not an even number of hexadecimal digits.
    NotHex,
    /// A length that this scheme does not have.
    BadLength,
    /// Digits other than the eight of a KS tag, or numbers too large for their fields.
    BadNumber,
    /// A UID that the chip makes anew at each presentation (NXP AN10927: 4 bytes that begin 08; DESFire EV1: 80).
    RandomUid,
}

impl CredentialError {
    /// In words.
    #[must_use]
    pub fn said(self) -> Said {
        match self {
            Self::UnknownScheme => say::card_scheme_unknown(),
            Self::NoScheme => say::card_without_scheme(),
            Self::NotHex => say::card_not_hex(),
            Self::BadLength => say::card_length(),
            Self::BadNumber => say::card_number(),
            Self::RandomUid => say::card_random(),
        }
    }
}

impl fmt::Display for CredentialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.said().fmt(f)
    }
}

impl std::error::Error for CredentialError {}

impl Credential {
    /// A chip's UID, first byte on air first.
    ///
    /// # Errors
    /// `BadLength` unless there are 4, 7 or 10 bytes.
    pub fn uid(bytes: &[u8]) -> Result<Self, CredentialError> {
        if !matches!(bytes.len(), 4 | 7 | 10) {
            return Err(CredentialError::BadLength);
        }
        Self::new(Scheme::Uid, bytes)
    }

    /// The bits of a Wiegand telegram, `bits` of them, left-aligned in `bytes` as OSDP's RAW reply has them.
    /// Stored right-aligned with zeros in front, so that the value reads as a number.
    ///
    /// # Errors
    /// `BadLength` unless there are 1 to 80 bits and enough bytes.
    pub fn wiegand(bits: usize, left_aligned: &[u8]) -> Result<Self, CredentialError> {
        if bits == 0 || bits > MAX_BYTES * 8 || left_aligned.len() * 8 < bits {
            return Err(CredentialError::BadLength);
        }
        let mut number = 0_u128;
        for byte in left_aligned.iter().take(bits.div_ceil(8)) {
            number = (number << 8) | u128::from(*byte);
        }
        number >>= bits.div_ceil(8) * 8 - bits;
        Ok(Self::from_number(Scheme::Wiegand, bits, number))
    }

    /// The standard 26-bit telegram: even parity, 8 bits facility, 16 bits number, odd parity
    /// (SIA AC-01-1996.10).
    #[must_use]
    pub fn wiegand26(facility: u8, number: u16) -> Self {
        let body = (u128::from(facility) << 16) | u128::from(number);
        let even = u128::from((body >> 12).count_ones() % 2);
        let odd = u128::from((body & 0xFFF).count_ones() % 2 == 0);
        Self::from_number(Scheme::Wiegand, 26, (even << 25) | (body << 1) | odd)
    }

    /// SALTO's ROM code: 7 bytes, a 4-byte UID padded with three zero bytes behind (salto.md section 2).
    #[must_use]
    pub fn rom14(bytes: [u8; 7]) -> Self {
        let short = bytes
            .get(4..)
            .is_some_and(|tail| tail.iter().all(|byte| *byte == 0));
        let bits = if short { 32 } else { 56 };
        let mut value = [0; MAX_BYTES];
        for (to, from) in value.iter_mut().zip(bytes) {
            *to = from; // a short one's last three are zero already
        }
        Self {
            scheme: Scheme::Uid,
            bits,
            value,
        }
    }

    /// The eight-digit tag number of SALTO KS. Leading zeros may be missing.
    ///
    /// # Errors
    /// `BadNumber` unless it is one to eight decimal digits.
    pub fn ks_tag(digits: &str) -> Result<Self, CredentialError> {
        if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CredentialError::BadNumber);
        }
        let number: u32 = digits.parse().map_err(|_| CredentialError::BadNumber)?;
        Ok(Self::from_number(Scheme::KsTag, 32, u128::from(number)))
    }

    /// A token of one to ten bytes.
    ///
    /// # Errors
    /// `BadLength` for any other count.
    pub fn token(bytes: &[u8]) -> Result<Self, CredentialError> {
        if bytes.is_empty() || bytes.len() > MAX_BYTES {
            return Err(CredentialError::BadLength);
        }
        Self::new(Scheme::Token, bytes)
    }

    fn new(scheme: Scheme, bytes: &[u8]) -> Result<Self, CredentialError> {
        let mut value = [0; MAX_BYTES];
        let target = value.get_mut(..bytes.len()).ok_or(CredentialError::BadLength)?;
        target.copy_from_slice(bytes);
        let bits = u8::try_from(bytes.len() * 8).map_err(|_| CredentialError::BadLength)?;
        Ok(Self { scheme, bits, value })
    }

    fn from_number(scheme: Scheme, bits: usize, number: u128) -> Self {
        let mut value = [0; MAX_BYTES];
        let big_endian = number.to_be_bytes();
        let count = bits.div_ceil(8);
        for (to, from) in value.iter_mut().zip(big_endian.iter().skip(16 - count)) {
            *to = *from;
        }
        Self {
            scheme,
            bits: u8::try_from(bits).unwrap_or(u8::MAX),
            value,
        }
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }
    /// The number of bits.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }
    /// The value's bytes: the UID in on-air order, a number right-aligned, most significant byte first.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let count = usize::from(self.bits).div_ceil(8).min(MAX_BYTES);
        self.value.get(..count).unwrap_or(&self.value)
    }

    /// Twelve bytes that are equal exactly when the credentials are: scheme, bits, value. For indexes and storage.
    #[must_use]
    pub fn key(&self) -> [u8; 12] {
        let mut key = [0; 12];
        let [scheme, bits, value @ ..] = &mut key;
        *scheme = self.scheme as u8;
        *bits = self.bits;
        *value = self.value;
        key
    }

    /// The credential of a key, if the key is one that [`Self::key`] made.
    #[must_use]
    pub fn from_key(key: [u8; 12]) -> Option<Self> {
        let [scheme, bits, value @ ..] = key;
        let scheme = match scheme {
            1 => Scheme::Uid,
            2 => Scheme::Wiegand,
            3 => Scheme::KsTag,
            4 => Scheme::Token,
            _ => return None,
        };
        let used = usize::from(bits).div_ceil(8);
        let clean = bits > 0 && used <= MAX_BYTES && value.iter().skip(used).all(|byte| *byte == 0);
        clean.then_some(Self { scheme, bits, value })
    }

    /// Whether this is a UID that changes at every presentation (salto.md 4.4): 4 bytes that begin 08 or 80.
    /// Such a card may be presented, and is unknown; it may not be enrolled.
    #[must_use]
    pub fn is_random_uid(&self) -> bool {
        self.scheme == Scheme::Uid && self.bits == 32 && matches!(self.value.first(), Some(0x08 | 0x80))
    }

    /// The same bytes in the other order: what a reader with reversed wiring or firmware sends.
    /// Only a UID has such a twin.
    #[must_use]
    pub fn reversed(&self) -> Option<Self> {
        if self.scheme != Scheme::Uid {
            return None;
        }
        let bytes: Vec<u8> = self.bytes().iter().rev().copied().collect();
        Self::uid(&bytes).ok()
    }

    /// The whole number as `scheme:value`. For the platform, the operator's own export and `explain`: never for
    /// a log line. The name is long so that a reader of code stops at it.
    #[must_use]
    pub fn reveal_in_full(&self) -> String {
        let hex: String = self.bytes().iter().map(|byte| format!("{byte:02X}")).collect();
        match self.scheme {
            Scheme::Uid => format!("uid:{hex}"),
            Scheme::Wiegand => format!("wiegand{}:{hex}", self.bits),
            Scheme::Token => format!("token:{hex}"),
            Scheme::KsTag => {
                let number = self
                    .bytes()
                    .iter()
                    .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
                format!("ks:{number:08}")
            }
        }
    }

    /// What may stand in a log or on a screen: the scheme and the last two digits.
    #[must_use]
    pub fn masked(&self) -> String {
        let full = self.reveal_in_full();
        let (scheme, value) = full.split_once(':').unwrap_or((full.as_str(), ""));
        let tail: String = value
            .chars()
            .skip(value.chars().count().saturating_sub(2))
            .collect();
        format!("{scheme}:…{tail}")
    }
}

/// Reads `uid:04A2…`, `rom14:…`, `wiegand26:FACILITY-NUMBER`, `wiegandN:HEX`, `ks:02309289` or `token:HEX`.
/// Spaces, colons and dashes between hex digits are accepted, as stickers and tools print them.
impl std::str::FromStr for Credential {
    type Err = CredentialError;

    fn from_str(text: &str) -> Result<Self, CredentialError> {
        let (scheme, value) = text.trim().split_once(':').ok_or(CredentialError::NoScheme)?;
        let value = value.trim();
        match scheme.trim().to_ascii_lowercase().as_str() {
            "uid" => Self::uid(&hex(value)?),
            "rom14" => Ok(Self::rom14(
                hex(value)?.try_into().map_err(|_| CredentialError::BadLength)?,
            )),
            "ks" => Self::ks_tag(value),
            "token" => Self::token(&hex(value)?),
            other => {
                let bits = other.strip_prefix("wiegand").or_else(|| other.strip_prefix('w'));
                let bits: usize = bits
                    .and_then(|n| n.parse().ok())
                    .ok_or(CredentialError::UnknownScheme)?;
                wiegand_text(bits, value)
            }
        }
    }
}

fn wiegand_text(bits: usize, value: &str) -> Result<Credential, CredentialError> {
    if let (26, Some((facility, number))) = (bits, value.split_once('-')) {
        let facility = facility.trim().parse().map_err(|_| CredentialError::BadNumber)?;
        let number = number.trim().parse().map_err(|_| CredentialError::BadNumber)?;
        return Ok(Credential::wiegand26(facility, number));
    }
    let bytes = hex(value)?;
    if bits == 0 || bits > MAX_BYTES * 8 || bytes.len() != bits.div_ceil(8) {
        return Err(CredentialError::BadLength);
    }
    let number = bytes
        .iter()
        .fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    if number >> bits != 0 {
        return Err(CredentialError::BadNumber);
    }
    Ok(Credential::from_number(Scheme::Wiegand, bits, number))
}

fn hex(text: &str) -> Result<Vec<u8>, CredentialError> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ':' | '-'))
        .map(|c| c.to_digit(16).ok_or(CredentialError::NotHex))
        .collect::<Result<_, _>>()?;
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return Err(CredentialError::NotHex);
    }
    let bytes = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |sum, digit| sum * 16 + digit));
    bytes
        .map(|byte| u8::try_from(byte).map_err(|_| CredentialError::NotHex))
        .collect()
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}
/// The wire form carries the whole number: it goes to the store and the platform, never to a log.
impl Serialize for Credential {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.reveal_in_full())
    }
}
impl<'de> Deserialize<'de> for Credential {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_fob_is_one_credential_however_it_is_written() {
        let uid: Credential = "uid:04A2B3C4D5E680".parse().unwrap();
        assert_eq!("UID: 04:a2:b3:c4:d5:e6:80".parse(), Ok(uid));
        assert_eq!("rom14:04A2B3C4D5E680".parse(), Ok(uid));
        assert_eq!(
            "rom14:7186A61E000000".parse::<Credential>(),
            Credential::uid(&[0x71, 0x86, 0xA6, 0x1E])
        );
        assert_eq!("ks:2309289".parse::<Credential>(), "ks:02309289".parse());
        assert_eq!(uid.masked(), "uid:…80");
        assert_eq!(format!("{uid} {uid:?}"), "uid:…80 uid:…80");
    }

    #[test]
    fn wiegand_26_has_its_parity_bits() {
        // Facility 123, number 45678 is 7BB26E: nine ones in the first half (even parity 1), six in the second (odd 1).
        let card = Credential::wiegand26(123, 45678);
        assert_eq!(card.reveal_in_full(), "wiegand26:02F764DD");
        assert_eq!("wiegand26:123-45678".parse(), Ok(card));
        let left_aligned = (0x02F7_64DD_u32 << 6).to_be_bytes();
        assert_eq!(Credential::wiegand(26, &left_aligned), Ok(card));
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        let wrong = |text: &str| text.parse::<Credential>().unwrap_err();
        assert_eq!(wrong("04A2B3C4"), CredentialError::NoScheme);
        assert_eq!(wrong("card:04"), CredentialError::UnknownScheme);
        assert_eq!(wrong("uid:04A2B"), CredentialError::NotHex);
        assert_eq!(wrong("uid:04A2B3"), CredentialError::BadLength);
        assert_eq!(wrong("ks:123456789"), CredentialError::BadNumber);
        assert_eq!(wrong("wiegand26:FFFFFFFF"), CredentialError::BadNumber);
        assert_eq!(wrong("wiegand81:00"), CredentialError::BadLength);
    }

    proptest! {
        #[test]
        fn text_and_key_round_trip(bits in 1_usize..=80, raw in prop::array::uniform10(any::<u8>())) {
            let card = Credential::wiegand(bits, &raw).unwrap();
            prop_assert_eq!(card.reveal_in_full().parse(), Ok(card));
            prop_assert_eq!(Credential::from_key(card.key()), Some(card));
        }
        #[test]
        fn a_uid_twice_reversed_is_itself(raw in prop::array::uniform7(any::<u8>())) {
            let card = Credential::uid(&raw).unwrap();
            prop_assert_eq!(card.reversed().and_then(|twin| twin.reversed()), Some(card));
            let masked = card.masked();
            prop_assert!(masked.len() <= 10, "{}", masked);
        }
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            let _ = text.parse::<Credential>();
        }
    }
}
