//! The pure decision: may this card open this door now, and if not, what comes nearest. No IO, no clock, no
//! lock, no allocation per decision.
//!
//! | file | what |
//! | --- | --- |
//! | [`query`] | what is asked and what is answered: `Query`, `Limits`, `Verdict` |
//! | [`decide`] | the order of the checks, and which miss is nearest |
//! | [`hours`] | weekly schedules and holidays by the wall clock of the site's zone |
//! | [`index`] | the immutable index: flat records in one block of bytes, and what it says about people and grants |
//! | [`build`] | a snapshot and a site in, an index and warnings out |
//! | [`image`] | the same bytes on disk: version, checksum, checks of every reference |
//! | `table` | the hash table of cards: two buckets a card, whatever the cards are |
//! | [`mod@explain`] | a verdict in words and as JSON |
//! | [`miss`] | the nearest miss in one clause, for the event of a refusal |
//! | [`cousins`] | known cards that look like an unknown one, for people who look into a refusal |
//!
//! # Order of the checks
//! The first that applies decides. `docs/reasons.md` says what each reason means.
//!
//! 1. No snapshot was ever fetched: `no_snapshot`. Without it blocks are not known either.
//! 2. The reader is bound to no door, `unknown_door`; to one that this index does not have, `internal_error`.
//! 3. Lockdown refuses everybody: `lockdown`.
//! 4. The door's open-for-all schedule is open and the clock is trusted: `granted_door_open`, for everybody,
//!    unreadable and unknown cards too, but not for a blocked card, a blocked person, or a card with two holders
//!    of whom one is blocked. Those go on with the next checks, which refuse them.
//! 5. `unreadable_card`, `unknown_credential`, `credential_blocked`, `credential_ambiguous`, `person_blocked`.
//! 6. Grants at this door: any that is open opens (R41). Of several, the one that the event names is the first
//!    by kind (plan, assignment, booking, pass, direct), then by source id.
//! 7. The nearest miss, see [`decide`].

pub mod build;
pub mod cousins;
pub mod decide;
pub mod explain;
pub mod hours;
pub mod image;
pub mod index;
pub mod miss;
pub mod query;
mod table;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

pub use build::{BuildError, BuildWarning, fingerprint};
pub use cousins::{Cousin, Likeness};
pub use explain::{Explanation, explain, feedback};
pub use image::ImageError;
pub use index::{DoorRef, GrantRef, HolderRef, Index, TargetRef};
pub use miss::nearest_miss;
pub use query::{DoorIx, GrantIx, Limits, PersonIx, Query, Verdict};
