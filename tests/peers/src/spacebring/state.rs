//! What the requests share: the space, tokens, faults and a record of what was asked.

use super::{hooks::Hooks, space::Space};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The client's id that every simulated network has.
pub const CLIENT_ID: &str = "doorward";
/// Its secret.
pub const CLIENT_SECRET: &str = "s3cret-of-the-client";
/// The first refresh token.
pub const REFRESH_TOKEN: &str = "refresh-0";
/// What signs web hooks.
pub const HOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What goes wrong, until it is set otherwise. The default is nothing.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Every so many requests one fails with status 500. 0: none.
    pub error_every: u64,
    /// Every so many requests one is refused with 429; 0: none.
    pub throttle_every: u64,
    /// What `Retry-After` says then, seconds.
    pub retry_after: Option<u64>,
    /// Each answer takes so long.
    pub slow: Option<Duration>,
    /// Lists break off in the middle of their text.
    pub half_a_page: bool,
    /// The second page of a list has the rows of the first.
    pub page_repeats: bool,
    /// The token for the next page stays the same.
    pub token_repeats: bool,
    /// Lists that are empty, by their key: "memberships".
    pub empty: BTreeSet<&'static str>,
    /// Lists that this client may not read, by their key: 403.
    pub revoked: BTreeSet<&'static str>,
    /// The server's clock is so many milliseconds ahead.
    pub skew: i64,
    /// Changes are made and their answers lost.
    pub lose_answers_to_changes: bool,
    /// Rows of this list (by its key) lose their id.
    pub rows_without_id: Option<&'static str>,
}

/// A request that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// GET, PUT, POST.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The status that it got.
    pub status: u16,
}

/// Tokens and when they end.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) refresh: String,
    pub(super) access: Option<(String, i64)>,
    pub(super) lifetime: i64,
    pub(super) given: u64,
    pub(super) basic: bool,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) space: Space,
    pub(super) faults: Faults,
    pub(super) tokens: Tokens,
    pub(super) asked: Vec<Asked>,
    pub(super) count: u64,
}

#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    pub(super) hooks: Hooks,
}

impl Shared {
    pub(super) fn new(space: Space) -> Self {
        let tokens = Tokens {
            refresh: REFRESH_TOKEN.into(),
            access: None,
            lifetime: 3_600_000,
            given: 0,
            basic: true,
        };
        Self {
            inner: Mutex::new(Inner {
                space,
                faults: Faults::default(),
                tokens,
                asked: Vec::new(),
                count: 0,
            }),
            hooks: Hooks::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's own time, Unix milliseconds.
    pub(super) fn now(&self) -> i64 {
        now().saturating_add(self.lock().faults.skew)
    }

    pub(super) fn tell(&self, event: Value) {
        self.hooks.send(event, self.now());
    }
}

/// The time of this machine, Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "a peer has its own clock")]
pub(super) fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
