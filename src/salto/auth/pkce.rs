//! Proof of possession of a login: RFC 7636, method S256. Whoever redeems the code must know the verifier, and only its
//! digest went through the browser.

use crate::domain::secret::Secret;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};

/// Random octets of a verifier and of a state: 43 characters each (RFC 7636, section 4.1, recommends these 32 octets).
const OCTETS: usize = 32;

/// Text that nobody can guess, fit for an address.
///
/// # Errors
/// When the system gives no random numbers.
pub(super) fn unguessable() -> Result<Secret, String> {
    let mut octets = zeroize::Zeroizing::new([0_u8; OCTETS]);
    SystemRandom::new()
        .fill(octets.as_mut_slice())
        .map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(octets.as_slice())))
}

/// The challenge of a verifier: `BASE64URL(SHA256(verifier))`, RFC 7636, section 4.2.
pub(super) fn challenge(verifier: &Secret) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.reveal().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_the_one_of_the_standards_example() {
        let verifier = Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
        assert_eq!(
            challenge(&verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn no_two_are_alike_and_all_are_fit_for_an_address() {
        let (one, two) = (unguessable().unwrap(), unguessable().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.reveal().len(), 43);
        let fit = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        assert!(one.reveal().chars().all(fit));
    }
}
