//! Passwords, by argon2id (RFC 9106).
//!
//! 12 MiB, three passes, one lane: one of the equal choices of OWASP's Password Storage Cheat Sheet (19 MiB with two passes
//! is another, RFC 9106's own second choice of 64 MiB would be four times what the whole gateway takes). One hash at a
//! time, on the pool for blocking work, so that sign-in neither holds the loop up nor takes more than that.

use super::random;
use crate::domain::say::{Said, page as say};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

const KIB: u32 = 12 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// Who waits for a hash; more are turned away.
const WAITING: usize = 8;
/// The shortest password. NIST SP 800-63B-4 asks for 15 where it is all there is, OWASP for 8 beside a second factor; a
/// wrong one waits longer each time, and the page is on the site's own network.
pub(super) const SHORTEST: usize = 12;
/// The longest, in bytes: a phrase fits, a book does not.
pub(super) const LONGEST: usize = 256;

/// Why a password is not taken, in words; `None` if it is.
#[must_use]
pub(super) fn flaw(password: &str, account: &str) -> Option<Said> {
    let distinct = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters.dedup();
        letters.len()
    };
    if password.chars().count() < SHORTEST {
        Some(say::password_short())
    } else if password.len() > LONGEST {
        Some(say::password_long())
    } else if distinct(password) < 5 {
        Some(say::password_repeats())
    } else if password.to_lowercase().contains(account) && account.len() > 3 {
        Some(say::password_name())
    } else {
        None
    }
}

/// Makes and checks hashes, one at a time.
#[derive(Clone, Debug)]
pub(super) struct Hasher {
    one: Arc<Semaphore>,
    queue: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self {
            one: Arc::new(Semaphore::new(1)),
            queue: Arc::new(Semaphore::new(WAITING)),
        }
    }
}

/// Too many wait already, or the system gave no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Busy;

impl Hasher {
    /// A new hash.
    pub(super) async fn hash(&self, password: Zeroizing<String>) -> Result<String, Busy> {
        self.work(move || {
            let salt = random::bytes::<16>()?;
            let sum = derive(&password, &salt, KIB, PASSES, LANES)?;
            let [salt, sum] = [STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(*sum)];
            Some(format!(
                "$argon2id$v=19$m={KIB},t={PASSES},p={LANES}${salt}${sum}"
            ))
        })
        .await
    }

    /// Whether it is the password of this hash. Without a hash it takes as long, and it is not.
    pub(super) async fn check(
        &self,
        password: Zeroizing<String>,
        hash: Option<String>,
    ) -> Result<bool, Busy> {
        self.work(move || {
            let parsed = hash.as_deref().and_then(parse);
            let known = parsed.is_some();
            let (memory, passes, lanes, salt, sum) =
                parsed.unwrap_or((KIB, PASSES, LANES, vec![0; 16], vec![0; 32]));
            let given = derive(&password, &salt, memory, passes, lanes)?;
            let same: bool = given.as_slice().ct_eq(&sum).into();
            Some(same && known)
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Result<T, Busy> {
        let _place = self.queue.try_acquire().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.one).acquire_owned().await.map_err(|_| Busy)?;
        let done = tokio::task::spawn_blocking(move || {
            // Also when whoever asked has gone: it is still being worked on.
            let _turn = turn;
            work()
        });
        done.await.ok().flatten().ok_or(Busy)
    }
}

fn derive(password: &str, salt: &[u8], memory: u32, passes: u32, lanes: u32) -> Option<Zeroizing<[u8; 32]>> {
    let params = Params::new(memory, passes, lanes, Some(32)).ok()?;
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, out.as_mut())
        .ok()?;
    Some(out)
}

/// Memory, passes, lanes, salt and sum.
type Parsed = (u32, u32, u32, Vec<u8>, Vec<u8>);

/// The parts of a hash in PHC's form. One of an earlier version's parameters keeps them.
fn parse(hash: &str) -> Option<Parsed> {
    let mut parts = hash.strip_prefix("$argon2id$v=19$")?.split('$');
    let mut numbers = parts.next()?.split(',').map(|part| part.split_once('='));
    let mut number = || numbers.next()??.1.parse::<u32>().ok();
    let (memory, passes, lanes) = (number()?, number()?, number()?);
    let mut bytes = || STANDARD_NO_PAD.decode(parts.next()?).ok();
    Some((memory, passes, lanes, bytes()?, bytes()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let hasher = Hasher::default();
        let hash = hasher.hash(secret("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=12288,t=3,p=1$"), "{hash}");
        assert_eq!(
            hasher.check(secret("correct horse"), Some(hash.clone())).await,
            Ok(true)
        );
        assert_eq!(
            hasher.check(secret("correct horsf"), Some(hash.clone())).await,
            Ok(false)
        );
        assert_eq!(hasher.check(secret("correct horse"), None).await, Ok(false));
        assert_eq!(hasher.check(secret(""), Some("nonsense".into())).await, Ok(false));
        assert_ne!(
            hasher.hash(secret("correct horse")).await.unwrap(),
            hash,
            "salted"
        );
        let many = (0..40).map(|_| hasher.check(secret("x"), None));
        let turned_away = futures(many)
            .await
            .into_iter()
            .filter(|it| *it == Err(Busy))
            .count();
        assert_eq!(turned_away, 40 - WAITING);
    }

    async fn futures<F: Future<Output = Result<bool, Busy>>>(
        all: impl Iterator<Item = F>,
    ) -> Vec<Result<bool, Busy>> {
        let mut all: Vec<_> = all.map(Box::pin).collect();
        let mut done = vec![None; all.len()];
        std::future::poll_fn(|context| {
            for (future, slot) in all.iter_mut().zip(&mut done) {
                if slot.is_none()
                    && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
                {
                    *slot = Some(value);
                }
            }
            if done.iter().all(Option::is_some) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        done.into_iter().flatten().collect()
    }

    #[test]
    fn poor_passwords_are_refused_in_words() {
        for poor in ["short", "aaaaaaaaaaaaaa", "ababababababab", "i am manager ok"] {
            assert!(flaw(poor, "manager").is_some(), "{poor}");
        }
        assert_eq!(flaw("correct horse battery", "ana"), None);
        assert!(flaw(&"ab cd ef gh ".repeat(40), "ana").is_some());
    }
}
