//! Where facts come from and check-ins go: one folder an adapter. An adapter translates; it decides no rule and
//! no schedule. When to ask, what to hold back and how often to try again is `sync`'s.
//!
//! | file | what |
//! | --- | --- |
//! | `error` | what went wrong, in words, and what the caller should do |
//! | `wire` | the neutral words as JSON, TOML and CSV spell them |
//! | `check` | facts that contradict themselves: what is left out, and when the whole set is refused |
//! | `http` | one request: TLS, bounds, and failures in words |
//! | `budget` | how many requests a platform allows, and how many were made |
//! | `cards` | card numbers as platforms write them |
//! | `open` | the adapter of a configuration |
//! | `packed` | rows kept for the next hint, small |
//! | `polled` | versions for platforms that have none |
//! | `vault` | tokens that outlive a restart |
//! | `contract` | any cloud that implements docs/contract/openapi.yaml |
//! | `cobot` | Cobot |
//! | `officernd` | OfficeRnD Flex |
//! | `spacebring` | Spacebring |
//! | `file` | the same facts from a TOML file or a folder of CSV files |
//! | `nexudus` | Nexudus |

pub mod budget;
pub mod cards;
mod check;
pub mod cobot;
pub mod contract;
mod error;
pub mod file;
pub(crate) mod http;
pub mod nexudus;
pub mod officernd;
mod open;
mod packed;
pub mod polled;
pub mod spacebring;
pub mod vault;
mod wire;

use crate::domain::{
    Credential, DoorId, EventId, Millis, Moment, PersonId,
    event::ClockQuality,
    facts::{Catalogue, Facts, Resource},
};
use std::{fmt, pin::Pin, time::Duration};
use url::Url;

pub use budget::BudgetStatus;
pub use check::FactsProblem;
pub use error::{ErrorKind, PlatformError, Retry};
pub use open::{Around, open};

/// An answer that is on its way. Boxed, so that the daemon holds any adapter as `Box<dyn Platform>`.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, PlatformError>> + Send + 'a>>;

/// What a place of facts can do besides giving them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// [`Platform::wait_hint`] returns early when something changed.
    pub hints: bool,
    /// Whether and how [`Platform::check_in`] is understood.
    pub check_ins: CheckIns,
    /// [`Platform::assign_credential`] and [`Platform::remove_credential`] are understood.
    pub cards: bool,
}

/// How a platform takes entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckIns {
    /// Not at all; attendance stays in the journal. Why, for `doorward report`.
    Never(&'static str),
    /// Each once by its key, whenever it arrives.
    ByKey,
    /// With the time of the entry, without a key: the adapter looks before it sends again.
    Dated,
    /// Only as of now: a late one would spend today's pass for yesterday's entry (invariant 6), so it is not sent.
    NowOnly,
}

impl CheckIns {
    /// Whether any entry is taken.
    #[must_use]
    pub const fn any(self) -> bool {
        !matches!(self, Self::Never(_))
    }
}

/// What a web hook or a check-in suggests to fetch. Never what is true: only a fetch says that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Hint {
    /// Something changed; nobody says what.
    Anything,
    /// A collection of facts, as the contract names it: "bookings", "passes".
    Collection(&'static str),
    /// One object of a collection, by the platform's id.
    Object {
        /// As the contract names it.
        collection: &'static str,
        /// The platform's id.
        id: String,
    },
    /// A person with everything that they hold, by the platform's id.
    Person(PersonId),
    /// What a platform pushed as finished, signed and checked; only its own adapter reads it.
    Pushed(String),
}

/// A web hook as it arrived. Nothing in it is trusted yet.
#[derive(Clone, Copy)]
pub struct Hook<'a> {
    /// Header names in lower case, and values.
    pub headers: &'a [(String, String)],
    /// The body, byte by byte as it was signed.
    pub body: &'a [u8],
    /// When it arrived.
    pub now: Moment,
}

impl Hook<'_> {
    /// The first header of this name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Hook<'_> {
    /// Signatures and members' data stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook")
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A web hook that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Names this delivery: the same one a second time is a replay and refused. The signature or the delivery's id
    /// where there is one, else a hash of the body.
    pub delivery: String,
    /// Whether a signature was there and right. Where a platform signs nothing, only the secret part of the
    /// receiver's address stands for the sender, and the receiver has checked that already.
    pub signed: bool,
    /// What to fetch.
    pub hints: Vec<Hint>,
}

/// Why a web hook is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HookRefused {
    /// This platform sends none, or its secret is not configured.
    #[error("no web hooks are expected")]
    Unexpected,
    /// A signature is missing or wrong.
    #[error("the signature is missing or wrong")]
    Signature,
    /// Signed too long ago, or in the future.
    #[error("the delivery is too old")]
    Stale,
    /// Not what the platform sends.
    #[error("the body cannot be read")]
    Body,
}

/// A request to the secret part of the receiver's address and beyond: for platforms that ask the gateway.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// "GET", "POST" and so on.
    pub method: &'a str,
    /// What follows the secret part, without a slash at its beginning; may be empty for another method than POST.
    pub path: &'a str,
    /// The query without its question mark; may be empty.
    pub query: &'a str,
    /// Headers, body and time.
    pub hook: Hook<'a>,
}

/// What the gateway answers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// HTTP status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// What to fetch because of it.
    pub hints: Vec<Hint>,
}

/// What an installer learns about a connection before it is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Each permission that the gateway needs, tried by a read.
    pub checks: Vec<SurveyCheck>,
    /// What there is to be mapped.
    pub catalogue: Catalogue,
    /// Rooms, desks and offices.
    pub resources: Vec<Resource>,
    /// The zone that the platform has for the site, if it says.
    pub zone: Option<String>,
    /// Remarks for the installer, one sentence each.
    pub remarks: Vec<String>,
}

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SurveyCheck {
    /// What was read: "memberships", say.
    pub what: String,
    /// Why the gateway needs it.
    pub why: &'static str,
    /// How many there were, or what went wrong.
    pub outcome: Result<usize, PlatformError>,
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

    /// Complete facts again, after fetching only what the hints name: the rest is taken from `last`, the facts of
    /// the last complete fetch. A platform that cannot do that fetches everything.
    ///
    /// # Errors
    /// As for a fetch.
    fn refresh<'a>(&'a self, known: &'a Known, last: Facts, hints: &'a [Hint]) -> Reply<'a, Fetched> {
        let _ = (last, hints);
        self.fetch(Some(known))
    }

    /// Whether [`Platform::refresh`] makes use of the last facts. Where it does not, they are not read from the disk
    /// for it, and a hint is a fetch.
    fn refreshes_parts(&self) -> bool {
        true
    }

    /// Whether [`Platform::refresh`] wants the facts themselves. An adapter that keeps the rows that they were made of
    /// does not, and is given empty ones.
    fn wants_last(&self) -> bool {
        true
    }

    /// Understands a web hook, without a network: checks its signature, and says what to fetch.
    ///
    /// # Errors
    /// Why it is refused.
    fn hook(&self, hook: &Hook<'_>) -> Result<Heard, HookRefused> {
        let _ = hook;
        Err(HookRefused::Unexpected)
    }

    /// Answers a platform that asks the gateway, without a network. The receiver has checked the secret part of the
    /// address and nothing else. `None`: there is no such thing here (404).
    fn served(&self, asked: &Asked<'_>) -> Option<Served> {
        let _ = asked;
        None
    }

    /// What the platform's clock shows now, by its last answer, Unix milliseconds; `None` where nobody knows.
    fn server_time(&self) -> Option<Millis> {
        None
    }

    /// Asks the platform to send web hooks to `address`, or sees that it does already. Called at the start, and
    /// daily. A platform where a person sets them up has nothing to do.
    ///
    /// # Errors
    /// As for a fetch; polling goes on all the same.
    fn subscribe<'a>(&'a self, address: &'a Url) -> Reply<'a, ()> {
        let _ = address;
        Box::pin(async { Ok(()) })
    }

    /// Tries every permission and lists what there is to be mapped. Changes nothing.
    ///
    /// # Errors
    /// Only when nothing at all can be asked; what a single permission lacks stands in the survey.
    fn survey(&self) -> Reply<'_, Survey> {
        Box::pin(async { Ok(Survey::default()) })
    }

    /// How much of the platform's budgets is used, for `doorward sync status`.
    fn budgets(&self) -> Vec<BudgetStatus> {
        Vec::new()
    }

    /// Whether its facts are on this machine, so that looking whether they changed costs nobody anything, also while they
    /// cannot be used: whoever corrects a file sees at once whether it is right now.
    fn is_here(&self) -> bool {
        false
    }

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
