//! Where facts come from and check-ins go: one folder an adapter. An adapter translates; it decides no rule and
//! no schedule. When to ask, what to hold back and how often to try again is `sync`'s.
//!
//! | file | what |
//! | --- | --- |
//! | `error` | what went wrong, in words, and what the caller should do |
//! | `wire` | the neutral words as JSON, TOML and CSV spell them |
//! | `check` | facts that contradict themselves: what is left out, and when the whole set is refused |
//! | `contract` | any cloud that implements docs/contract/openapi.yaml |
//! | `file` | the same facts from a TOML file or a folder of CSV files |

mod check;
pub mod contract;
mod error;
pub mod file;
mod wire;

use crate::domain::{Credential, DoorId, EventId, Millis, PersonId, event::ClockQuality, facts::Facts};
use std::{pin::Pin, time::Duration};

pub use check::FactsProblem;
pub use error::{ErrorKind, PlatformError, Retry};

/// An answer that is on its way. Boxed, so that the daemon holds any adapter as `Box<dyn Platform>`.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, PlatformError>> + Send + 'a>>;

/// What a place of facts can do besides giving them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// [`Platform::wait_hint`] returns early when something changed.
    pub hints: bool,
    /// [`Platform::check_in`] is understood.
    pub check_ins: bool,
    /// [`Platform::assign_credential`] and [`Platform::remove_credential`] are understood.
    pub cards: bool,
}

/// What the caller has already, so that unchanged facts need not travel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Version of the facts.
    pub version: u64,
    /// Their ETag, as [`Fetched::Facts`] gave it.
    pub etag: Option<String>,
}

/// What a fetch brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Nothing changed since [`Known`].
    Unchanged,
    /// A complete set. Never a part of one (invariant 4).
    Facts {
        /// The facts, checked: every reference among them holds, no id stands twice.
        facts: Facts,
        /// For the next [`Known`].
        etag: Option<String>,
        /// What was left out, item by item, because it contradicts itself.
        problems: Vec<FactsProblem>,
    },
}

/// A granted entry, for the platform's attendance (R27, R44).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// The event's id, and the idempotency key.
    pub key: EventId,
    /// Who came in.
    pub person: PersonId,
    /// Where.
    pub door: DoorId,
    /// When, Unix milliseconds.
    pub at: Millis,
    /// How much that time may be believed.
    pub clock: ClockQuality,
    /// Delivered so long after the entry that it must not count as one now (invariant 6).
    pub late: bool,
}

/// What the platform made of a check-in. Neither undoes the opening, neither is tried again (R30).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckInOutcome {
    /// It counts.
    Accepted {
        /// The pass that it runs on lasts until here, Unix milliseconds (R23, R28).
        running_until: Option<Millis>,
    },
    /// The platform heard it and does not count it.
    Refused {
        /// Why, in the platform's words.
        reason: String,
    },
}

/// A source of facts and a place for check-ins.
///
/// Every method may be called again after an error, and from several tasks at once.
pub trait Platform: Send + Sync {
    /// Where this is, for status pages: an address or a path.
    fn place(&self) -> String;

    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Fetches the complete facts, or learns that `known` still holds.
    ///
    /// # Errors
    /// Whenever the whole set did not arrive and make sense. The caller keeps what it has.
    fn fetch<'a>(&'a self, known: Option<&'a Known>) -> Reply<'a, Fetched>;

    /// Waits until the platform has a version after `after`, at most `at_most`. True means: fetch now. A hint
    /// only: the fetch says what is true.
    ///
    /// # Errors
    /// As for a fetch; [`ErrorKind::Unsupported`] where there is nothing to wait for, so poll.
    fn wait_hint(&self, after: u64, at_most: Duration) -> Reply<'_, bool>;

    /// Delivers a check-in. Delivering the same one again changes nothing.
    ///
    /// # Errors
    /// [`PlatformError::retry`] says whether to deliver it again: [`Retry::Never`] means that it never will be
    /// taken.
    fn check_in<'a>(&'a self, check_in: &'a CheckIn) -> Reply<'a, CheckInOutcome>;

    /// Gives a card to a person at the platform.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] with status 409 when somebody else holds it, 404 when the person is unknown.
    fn assign_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()>;

    /// Takes a card from a person at the platform. Taking one that the person does not hold succeeds.
    ///
    /// # Errors
    /// [`ErrorKind::Rejected`] with status 404 when the person is unknown.
    fn remove_credential<'a>(&'a self, person: &'a PersonId, credential: &'a Credential) -> Reply<'a, ()>;
}
