//! The one-time password of a remote opening, and how often one may be tried. No IO; time is an argument.

use crate::domain::{Millis, secret::Secret};
use md5::{Digest, Md5};
use std::time::Duration;

/// Digits of it (developer pages: generating-otp).
const DIGITS: usize = 5;
/// Wrong ones in a row, after which nothing is sent for a while: KS blocks a lock's command after three to eight.
const MOST_WRONG: u8 = 2;
/// That while. KS lets go by itself after some minutes.
const REST: Duration = Duration::from_secs(600);

/// The password of an instant: the first five hexadecimal digits of MD5 of `YYYYMMDDHHMMSS` in UTC, the secret of user and
/// IQ, and the PIN. It is good for three minutes. `None` for an instant that no calendar has.
#[must_use]
pub fn otp(at: Millis, secret: &Secret, pin: &Secret) -> Option<Secret> {
    let at = jiff::Timestamp::from_millisecond(at).ok()?;
    let mut hash = Md5::new();
    hash.update(at.strftime("%Y%m%d%H%M%S").to_string());
    hash.update(secret.reveal());
    hash.update(pin.reveal());
    let digits = hash
        .finalize()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect::<String>();
    Some(Secret::new(digits.chars().take(DIGITS).collect()))
}

/// How often a password was wrong lately. Times are since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tries {
    wrong: u8,
    rests_until: Option<Duration>,
}

impl Tries {
    /// Whether another may be sent.
    ///
    /// # Errors
    /// How long to wait.
    pub fn may(&mut self, now: Duration) -> Result<(), Duration> {
        match self.rests_until {
            Some(until) if now < until => Err(until.saturating_sub(now)),
            Some(_) => {
                *self = Self::default();
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// KS said that it was wrong.
    pub fn wrong(&mut self, now: Duration) {
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong >= MOST_WRONG {
            self.blocked(now);
        }
    }

    /// KS takes none for now.
    pub fn blocked(&mut self, now: Duration) {
        self.rests_until = Some(now.saturating_add(REST));
    }

    /// It was right.
    pub fn right(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(at: Millis, secret: &str, pin: &str) -> String {
        let text = |text: &str| Secret::new(text.to_owned());
        otp(at, &text(secret), &text(pin)).unwrap().reveal().to_owned()
    }

    /// Made with `printf 'YYYYMMDDHHMMSS%s%s' SECRET PIN | openssl md5` (OpenSSL 3.0), and the first with `md5sum` too.
    #[test]
    fn it_is_what_other_tools_make_of_the_same_text() {
        assert_eq!(made(1_795_378_500_000, "s3cr3t-of-iq", "1234"), "5adc6");
        assert_eq!(made(0, "00", "00"), "c956b");
        assert_eq!(made(1_774_746_000_000, "Zm9vYmFy", "98765"), "78dcd");
        assert_eq!(
            made(1_774_746_000_999, "Zm9vYmFy", "98765"),
            "78dcd",
            "whole seconds"
        );
        let nothing = Secret::new(String::new());
        assert!(otp(Millis::MAX, &nothing, &nothing).is_none());
    }

    #[test]
    fn after_two_wrong_ones_nothing_is_sent_for_ten_minutes() {
        let at = Duration::from_secs;
        let mut tries = Tries::default();
        tries.may(at(0)).unwrap();
        tries.wrong(at(0));
        tries.may(at(1)).unwrap();
        tries.wrong(at(1));
        assert_eq!(tries.may(at(2)), Err(at(599)));
        tries.may(at(601)).unwrap();
        tries.wrong(at(601));
        tries.may(at(602)).unwrap();
        tries.right();
        tries.wrong(at(603));
        tries.may(at(604)).unwrap();
        tries.blocked(at(604));
        assert!(tries.may(at(605)).is_err());
    }
}
