//! Secrets that do not print and are wiped when dropped.

use std::fmt;
use zeroize::Zeroizing;

/// A password, token or private key as text. `Debug` and `Display` show that there is one, never what it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
    /// The secret itself, for the one place that sends it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// An OSDP secure channel base key (SCBK), AES-128.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelKey(Zeroizing<[u8; 16]>);

impl ChannelKey {
    /// Wraps a key.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self(Zeroizing::new(key))
    }
    /// The key itself, for the secure channel.
    #[must_use]
    pub fn reveal(&self) -> [u8; 16] {
        *self.0
    }
    /// Reads 32 hexadecimal digits; spaces, colons and line ends are skipped.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut key = [0_u8; 16];
        let mut digits = text.chars().filter(|c| !c.is_whitespace() && *c != ':');
        for byte in &mut key {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then(|| Self::new(key))
    }
}
impl fmt::Debug for ChannelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let secret = Secret::new("hunter2".into());
        let key = ChannelKey::from_hex("30 31 32 33 34 35 36 37 38 39 3A 3B 3C 3D 3E 3F\n").unwrap();
        let shown = format!("{secret} {secret:?} {key:?}");
        assert!(!shown.contains("hunter") && !shown.contains("48"), "{shown}");
        assert_eq!(key.reveal()[15], 0x3F);
        assert!(ChannelKey::from_hex("30").is_none() && ChannelKey::from_hex(&"0".repeat(33)).is_none());
    }
}
