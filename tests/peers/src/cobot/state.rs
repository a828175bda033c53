//! What all parts of the simulator share.

use super::{faults::Faults, hooks::Hooks, world::World};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A request as it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// HTTP status.
    pub status: u16,
}

#[derive(Debug)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    pub(super) hooks: Hooks,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) world: World,
    pub(super) token: String,
    /// The e-mail of the admin whose token it is; nobody's when it belongs to the space.
    pub(super) personal: Option<String>,
    pub(super) faults: Faults,
    pub(super) requests: Vec<Request>,
    now: Option<i64>,
    limited: bool,
    /// How many times the usual number of requests was granted.
    allowance: usize,
    recent: VecDeque<Instant>,
    recent_memberships: VecDeque<Instant>,
    /// The base address, for links and web hooks.
    pub(super) address: String,
}

impl Shared {
    pub(super) fn new(world: World, address: String) -> Self {
        Self {
            inner: Mutex::new(Inner {
                world,
                token: "cobot-token".into(),
                personal: None,
                faults: Faults::default(),
                requests: Vec::new(),
                now: None,
                limited: true,
                allowance: 1,
                recent: VecDeque::new(),
                recent_memberships: VecDeque::new(),
                address,
            }),
            hooks: Hooks::start(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub(super) fn set_now(&self, now: Option<i64>) {
        self.lock().now = now;
    }
    pub(super) fn set_allowance(&self, times: usize) {
        self.lock().allowance = times;
    }
    pub(super) fn set_limited(&self, limited: bool) {
        self.lock().limited = limited;
    }
}

/// Requests a minute that the vendor allows: all, and the old list of memberships.
const LIMIT: usize = 60;
const LIMIT_MEMBERSHIPS: usize = 6;

impl Inner {
    #[expect(clippy::disallowed_methods, reason = "a peer has its own clock")]
    pub(super) fn now(&self) -> i64 {
        self.now.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    /// Counts a request; the seconds to wait if it is one too many within a minute.
    #[expect(clippy::disallowed_methods, reason = "a peer has its own clock")]
    pub(super) fn over_limit(&mut self, path: &str) -> Option<u64> {
        let now = Instant::now();
        let minute = Duration::from_secs(60);
        let count = |recent: &mut VecDeque<Instant>, limit: usize| {
            while recent.front().is_some_and(|at| now.duration_since(*at) >= minute) {
                recent.pop_front();
            }
            if recent.len() >= limit {
                let oldest = recent.front().map(|at| minute - now.duration_since(*at));
                return Some(oldest.unwrap_or(minute).as_secs() + 1);
            }
            recent.push_back(now);
            None
        };
        if !self.limited {
            return None;
        }
        if path == "/api/memberships"
            && let Some(wait) = count(&mut self.recent_memberships, LIMIT_MEMBERSHIPS * self.allowance)
        {
            return Some(wait);
        }
        count(&mut self.recent, LIMIT * self.allowance)
    }
}
