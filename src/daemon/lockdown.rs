//! Lockdown that outlives the gateway: what was locked down is so from the first presentation after a start on.

use crate::{
    clock::Clock,
    domain::{DoorId, Millis},
    doors::world::World,
    health::Health,
    store::{ReadStore, Store},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The room of the store's documents: a key for each door that is locked down.
const ROOM: &str = "lockdown";

/// Who began it, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Begun {
    by: String,
    /// Unix milliseconds.
    at: Millis,
}

/// Puts the lockdowns of before in force. To be called before any reader is asked.
pub(super) fn restore(store: &Store, world: &World, health: &Health, clock: &Clock) {
    match store.read().documents(ROOM) {
        Ok(doors) => {
            for (door, _) in &doors {
                tracing::warn!(%door, "still locked down");
                world.set_lockdown(&door.as_str().into(), true);
            }
        }
        Err(error) => {
            let text = format!(
                "which doors were locked down cannot be read, so none is: look at them, and lock them down again ({error})"
            );
            health.raise("lockdown_unreadable", text, clock.now().at);
        }
    }
    show(store.read(), health);
}

/// Keeps that a door is locked down, or is no more.
///
/// # Errors
/// In words, when the disk does not take it: then it ends, or comes back, with the next restart.
pub(super) fn keep(
    store: &Store,
    health: &Health,
    now: Millis,
    (door, on): (&DoorId, bool),
    by: &str,
) -> Result<(), String> {
    let begun = Begun {
        by: by.to_owned(),
        at: now,
    };
    let body = match on {
        true => Some(serde_json::to_string(&begun).map_err(|error| error.to_string())?),
        false => None,
    };
    let kept = store.put_documents(ROOM, &[(door.as_str(), body.as_deref())]);
    show(store.read(), health);
    kept.map_err(|error| error.to_string())
}

/// For the report: which doors, since when, by whom.
fn show(store: &ReadStore, health: &Health) {
    let doors = store.documents(ROOM).unwrap_or_default();
    let shown: BTreeMap<String, Begun> = doors
        .into_iter()
        .filter_map(|(door, body)| Some((door, serde_json::from_str(&body).ok()?)))
        .collect();
    health.section("lockdown", &shown);
}
