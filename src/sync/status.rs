//! How synchronisation stands, for people, and what is known about a snapshot that was just built.

use super::cancelled::StillIn;
use crate::{
    domain::{Millis, Snapshot},
    store::SnapshotMeta,
};
use serde::Serialize;

/// The state of synchronisation, as `doorward sync status` shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// Where the facts come from.
    pub place: String,
    /// Version in force, if there is one.
    pub version: Option<u64>,
    /// When it was fetched, Unix milliseconds.
    pub taken_at: Option<Millis>,
    /// People, cards and grants in force.
    pub people: u64,
    /// See `people`.
    pub credentials: u64,
    /// See `people`.
    pub grants: u64,
    /// Last successful contact, Unix milliseconds.
    pub last_contact: Option<Millis>,
    /// What went wrong at the last try, if anything did.
    pub last_error: Option<String>,
    /// Failures in a row.
    pub failures: u32,
    /// What is held back, and why.
    pub held: Option<SnapshotMeta>,
    /// What a person should look at in the facts.
    pub warnings: Vec<String>,
    /// Who is cancelled at the platform and still gets in (C1); absent until it was looked at.
    pub still_in: Option<Vec<StillIn>>,
    /// How many hints came, by web hooks and by entries.
    pub hints: u64,
    /// How many fetches of what hints named, alone or with everything, there were.
    pub refreshes: u64,
    /// When the last of them was, Unix milliseconds.
    pub last_refresh: Option<Millis>,
    /// How far the platform's clock is ahead of ours, milliseconds, where it tells.
    pub skew: Option<Millis>,
}

/// What is known about a snapshot without opening it.
pub(super) fn meta(snapshot: &Snapshot, etag: Option<String>) -> SnapshotMeta {
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    SnapshotMeta {
        version: snapshot.version,
        etag,
        taken_at: snapshot.taken_at,
        people: count(snapshot.people.len()),
        credentials: count(snapshot.credentials.len()),
        grants: count(snapshot.grants.len()),
        held_because: None,
    }
}
