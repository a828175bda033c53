//! The seal of a file: ChaCha20-Poly1305 (RFC 8439), which needs no special instructions of the processor, under a key that
//! HKDF-SHA256 (RFC 5869) makes of a secret text. No IO.
//!
//! A sealed file is `MAGIC`, eight octets that name the key, the nonce, and the ciphertext with its tag. The name of the
//! file and everything before the ciphertext are authenticated with it, so one file cannot be put in another's place.

use crate::domain::secret::Secret;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, KeyType, Salt},
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

const MAGIC: &[u8] = b"doorward sealed 1\n";
const NAME: usize = 8;
const HEAD: usize = MAGIC.len() + NAME + NONCE_LEN;

/// Why a file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is no sealed file.
    Strange,
    /// Another key sealed it.
    OtherKey,
    /// The key is right, and the content is not what was sealed.
    Damaged,
}

/// A key with its name. The name says nothing about the key.
pub(super) struct Key {
    name: [u8; NAME],
    key: LessSafeKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

impl Key {
    /// Of a secret text, which has to be long and random: nothing here makes guessing slow.
    pub(super) fn of(secret: &Secret) -> Option<Self> {
        let root = Salt::new(HKDF_SHA256, b"doorward vault").extract(secret.reveal().as_bytes());
        let fill = |info: &[u8], out: &mut [u8]| {
            let info = [info];
            let expanded = root.expand(&info, Length(out.len())).ok()?;
            expanded.fill(out).ok()
        };
        let (mut name, mut key) = ([0_u8; NAME], Zeroizing::new([0_u8; 32]));
        fill(b"name", &mut name)?;
        fill(b"key", key.as_mut_slice())?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_slice()).ok()?;
        Some(Self {
            name,
            key: LessSafeKey::new(key),
        })
    }

    /// Seals the content of the file of this name, each time with another nonce. `None`: the system gives no random
    /// numbers.
    pub(super) fn seal(&self, file: &str, content: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0_u8; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = [MAGIC, &self.name, &nonce].concat();
        let mut body = content.to_vec();
        let with = Aad::from(associated(file, &sealed));
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), with, &mut body)
            .ok()?;
        sealed.append(&mut body);
        Some(sealed)
    }

    /// Opens it.
    pub(super) fn open(&self, file: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Unfit> {
        let (head, body) = sealed.split_at_checked(HEAD).ok_or(Unfit::Strange)?;
        let rest = head.strip_prefix(MAGIC).ok_or(Unfit::Strange)?;
        let (name, nonce) = rest.split_at_checked(NAME).ok_or(Unfit::Strange)?;
        if name != self.name {
            return Err(Unfit::OtherKey);
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unfit::Strange)?;
        let mut content = Zeroizing::new(body.to_vec());
        let with = Aad::from(associated(file, head));
        let length = self
            .key
            .open_in_place(nonce, with, &mut content)
            .map_err(|_| Unfit::Damaged)?
            .len();
        content.truncate(length);
        Ok(content)
    }
}

fn associated(file: &str, head: &[u8]) -> Vec<u8> {
    [head, file.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::of(&Secret::new(text.into())).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_under_the_same_name_only() {
        let one = key("one one one one");
        let sealed = one.seal("tokens", b"secret token").unwrap();
        assert_eq!(one.open("tokens", &sealed).unwrap().as_slice(), b"secret token");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        assert_eq!(key("two").open("tokens", &sealed).unwrap_err(), Unfit::OtherKey);
        assert_eq!(one.open("others", &sealed).unwrap_err(), Unfit::Damaged);
        assert_ne!(
            one.seal("tokens", b"x").unwrap(),
            one.seal("tokens", b"x").unwrap(),
            "a nonce is used once"
        );
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let one = key("one");
        let sealed = one.seal("tokens", b"t").unwrap();
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert!(one.open("tokens", &other).is_err(), "octet {at}");
            assert!(one.open("tokens", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_key_does_not_print() {
        assert_eq!(format!("{:?}", key("hunter2")), "Key(…)");
    }
}
