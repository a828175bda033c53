//! A door's reader lent to the enrolment desk: for a moment it answers nobody. Nothing opens, nothing is journalled, the
//! card goes to the desk. A loan is one number beside the reader's binding, so an answer reads it without a lock
//! (invariant 1), and it ends by itself: a desk that forgets it, or dies, gives the door back.

use crate::domain::{Credential, ReaderId, time::Moment};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The longest loan. A member may stand at that door.
pub const LONGEST: Duration = Duration::from_secs(60);

/// A card at a lent reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Borrowed {
    /// Where.
    pub reader: ReaderId,
    /// The card; `None` for bits that no format accepts.
    pub credential: Option<Credential>,
    /// When.
    pub at: Moment,
}

/// Until when one reader is lent, on the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Loan {
    /// Milliseconds; 0 is never.
    until: AtomicU64,
}

impl Loan {
    /// Lends from `now` on. Gives how long it holds.
    pub(super) fn begin(&self, length: Duration, now: Duration) -> Duration {
        let length = length.min(LONGEST);
        let until = u64::try_from((now + length).as_millis()).unwrap_or(0);
        self.until.store(until, Ordering::Release);
        length
    }

    /// Ends at once.
    pub(super) fn end(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// How long it still holds. `now` is only asked for if there is a loan at all.
    pub(super) fn left(&self, now: impl FnOnce() -> Duration) -> Option<Duration> {
        let until = self.until.load(Ordering::Acquire);
        if until == 0 {
            return None;
        }
        let left = Duration::from_millis(until).saturating_sub(now());
        (!left.is_zero()).then_some(left)
    }
}

/// Where cards at lent readers go. Sending never waits.
#[derive(Debug)]
pub(super) struct Counter {
    to_desk: UnboundedSender<Borrowed>,
    /// Until the desk takes it.
    inbox: Mutex<Option<UnboundedReceiver<Borrowed>>>,
}

impl Counter {
    pub(super) fn new() -> Self {
        let (to_desk, inbox) = unbounded_channel();
        Self {
            to_desk,
            inbox: Mutex::new(Some(inbox)),
        }
    }

    /// A desk that is gone is no reason to open.
    pub(super) fn hand_over(&self, borrowed: Borrowed) {
        let _ = self.to_desk.send(borrowed);
    }

    pub(super) fn take(&self) -> Option<UnboundedReceiver<Borrowed>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
