//! Signed web hooks (section 6): `Doorward-Signature: t=SECONDS,v1=HEX`, where the latter is the HMAC-SHA256 of
//! `SECONDS.BODY` with the bearer token as its key.

use crate::{
    domain::secret::Secret,
    platform::{Heard, Hint, Hook, HookRefused},
};
use ring::hmac;
use serde::Deserialize;

/// How far the time of a signature may be from ours, seconds.
const TOLERANCE: i64 = 300;

/// All that a web hook has to say is that there is something new: the facts are fetched whole.
#[derive(Deserialize)]
struct Body {
    #[expect(dead_code, reason = "it must be there, and a fetch says what it really is")]
    version: u64,
}

pub(super) fn heard(hook: &Hook<'_>, token: &Secret) -> Result<Heard, HookRefused> {
    let header = hook.header("doorward-signature").ok_or(HookRefused::Signature)?;
    let part = |name: &str| {
        let mut parts = header.split(',').filter_map(|part| part.trim().split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let (Some(at), Some(given)) = (part("t"), part("v1").and_then(bytes)) else {
        return Err(HookRefused::Signature);
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, token.reveal().as_bytes());
    let signed = [at.as_bytes(), b".", hook.body].concat();
    hmac::verify(&key, &signed, &given).map_err(|_| HookRefused::Signature)?;
    let at: i64 = at.parse().map_err(|_| HookRefused::Signature)?;
    // A clock that is not trusted proves no age; what was heard before is refused all the same.
    let age = (hook.now.at / 1_000).saturating_sub(at);
    if hook.now.trusted && age.saturating_abs() > TOLERANCE {
        return Err(HookRefused::Stale);
    }
    serde_json::from_slice::<Body>(hook.body).map_err(|_| HookRefused::Body)?;
    Ok(Heard {
        // Not the header as it stands: with a space more it would be another one.
        delivery: format!("{at}.{given:02x?}"),
        signed: true,
        hints: vec![Hint::Anything],
    })
}

/// Hexadecimal digits as bytes.
fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    pairs.remainder().is_empty().then(|| {
        pairs
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Moment;

    /// Of `openssl dgst -sha256 -hmac reference-token` over `1780000000.{"version":2}`.
    const SIGNED: &str = "t=1780000000,v1=b683cf515b7c35df475ffc5752f913db8c4de361fc2e13a5e011f8ab9cea6625";

    fn hear(signature: &str, body: &str, at: i64, trusted: bool) -> Result<Heard, HookRefused> {
        let headers = [("doorward-signature".to_owned(), signature.to_owned())];
        let at = at * 1_000;
        let now = if trusted {
            Moment::trusted(at)
        } else {
            Moment::untrusted(at)
        };
        let hook = Hook {
            headers: &headers,
            body: body.as_bytes(),
            now,
        };
        heard(&hook, &Secret::new("reference-token".into()))
    }

    #[test]
    fn only_what_the_token_signed_a_moment_ago_is_heard() {
        let body = "{\"version\":2}";
        let at = 1_780_000_000;
        let heard = hear(SIGNED, body, at, true).unwrap();
        assert!(heard.signed && heard.hints == [Hint::Anything]);
        let dressed = format!(
            "x=1, {}",
            SIGNED
                .replace(',', " , ")
                .to_ascii_uppercase()
                .replace("T=", "t=")
                .replace("V1=", "v1=")
        );
        assert_eq!(
            hear(&dressed, body, at, true),
            Ok(heard),
            "the same delivery in other clothes"
        );
        assert_eq!(hear(SIGNED, body, at + 301, true), Err(HookRefused::Stale));
        assert_eq!(hear(SIGNED, body, at - 301, true), Err(HookRefused::Stale));
        assert!(
            hear(SIGNED, body, at + 9_999, false).is_ok(),
            "a guess proves no age"
        );
        assert_eq!(
            hear(SIGNED, "{\"version\":3}", at, true),
            Err(HookRefused::Signature)
        );
        let later = SIGNED.replace("1780000000", "1780000001");
        assert_eq!(hear(&later, body, at, true), Err(HookRefused::Signature));
        for odd in ["", "t=1780000000", "v1=00", "t=1780000000,v1=0", "t=,v1="] {
            assert_eq!(hear(odd, body, at, true), Err(HookRefused::Signature), "{odd}");
        }
    }
}
