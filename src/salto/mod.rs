//! SALTO KS: the doors that it decides itself. Its access groups, users and tags are kept as the grants here say, and its
//! entries are heard. No word of coworking: what arrives here is people, grants and cards.
//!
//! | file | what |
//! | --- | --- |
//! | `error` | what went wrong at KS, by its own codes |
//! | `model` | what KS says, as read from its answers |
//! | `entries` | what happened at its locks: the stream, the past, exactly once into the journal |
//! | `pairing` | which card a tag is |
//! | `client` | requests: versions, paging, what to try again |
//! | `doors` | which lock is which door |
//! | `links` | whose user is whose, as the store keeps it |
//! | `wanted` | what should stand at KS |
//! | `actual` | what stands there |
//! | `plan` | the difference, as steps with their reasons |
//! | `apply` | carries them out |
//! | `reconcile` | compares and applies, as a task |
//! | `together` | several requests at a time |
//! | `auth` | the login and its tokens |
//! | `sites` | which site, and what it has |
//! | `open` | a lock is opened from afar, with its one-time password |
//! | `watch` | locks, batteries and IQs, and who gets in when one is cut off |
//! | `survey` | what an installer sees before anything is changed |
//! | `session` | one account: login, requests, site |
//!
//! Facts about the API are from SALTO's developer pages and from measurements at a test site, both as of 2026; where they
//! contradict each other every reading is accepted and every address can be configured.

pub mod actual;
pub mod apply;
pub mod auth;
pub mod client;
pub mod doors;
pub mod entries;
pub mod error;
pub mod links;
pub mod model;
pub mod open;
pub mod pairing;
pub mod plan;
pub mod reconcile;
pub mod session;
pub mod sites;
pub mod survey;
mod together;
pub mod wanted;
pub mod watch;

#[cfg(test)]
mod testing;

pub use client::{Bearer, Connect};
pub use error::{KsError, KsKind};
pub use reconcile::Rights;
pub use session::Session;
pub use sites::SiteFacts;
pub use survey::Survey;
