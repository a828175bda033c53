//! Secrets that the gateway makes, and how they are kept: as sums, so that nobody signs in with what is on the disk.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

/// A SHA-256 sum of a secret of 256 random bits: such a secret needs no slow hash.
pub(super) type Sum = [u8; 32];

/// The system's random bytes. It has them, or the gateway would not have its ring's TLS either.
pub(super) fn bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(bytes)
}

/// 256 bits as 43 characters that fit into a cookie, a header and an address.
pub(super) fn secret() -> Option<Zeroizing<String>> {
    bytes::<32>().map(|bytes| Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes)))
}

pub(super) fn sum(secret: &str) -> Sum {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    out
}

pub(super) fn sum_text(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(sum(secret))
}

/// Letters and digits that nobody takes for another (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Sixty bits to be read from a screen: `7KQ2-MX4D-9TRV`.
pub(super) fn code() -> Option<Zeroizing<String>> {
    let random = bytes::<12>()?;
    let mut text = Zeroizing::new(String::new());
    for (place, byte) in random.iter().enumerate() {
        if place % 4 == 0 && place > 0 {
            text.push('-');
        }
        let letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0');
        text.push(char::from(letter));
    }
    Some(text)
}

/// A code as it was typed: case, spaces and dashes do not matter, nor which of O and 0, I, L and 1 it was.
pub(super) fn typed(code: &str) -> Zeroizing<String> {
    let letters = code.chars().filter(|c| c.is_ascii_alphanumeric());
    Zeroizing::new(
        letters
            .map(|c| match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = code().unwrap();
        assert_eq!(code.len(), 14);
        assert_eq!(*typed(&code.to_lowercase().replace('-', " ")), *typed(&code));
        assert_eq!(*typed("o0-iL1"), "00111");
        assert_ne!(*secret().unwrap(), *secret().unwrap());
        assert_eq!(secret().unwrap().len(), 43);
    }
}
