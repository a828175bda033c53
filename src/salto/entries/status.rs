//! How the listening stands, for people.

use super::map::{self, Meaning};
use crate::domain::time::Millis;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Names that are shown, of locks and of categories.
const SHOWN: usize = 20;

/// The section `ks_entries`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Status {
    /// Whether the stream stands.
    pub(super) connected: bool,
    /// Whether the subscription has one, once that is known.
    pub(super) streaming: Option<bool>,
    /// How often the stream was opened since the start.
    pub(super) connections: u64,
    /// When the last entry happened.
    pub(super) last_entry: Option<Millis>,
    /// Everything that KS had up to here is in the journal.
    pub(super) complete_until: Option<Millis>,
    /// The past is being asked for.
    pub(super) asking: bool,
    /// Entries that KS gave for the question under way, or for the last one.
    pub(super) asked: u64,
    /// Events made of entries since the start, by what they mean.
    pub(super) events: BTreeMap<&'static str, u64>,
    /// Heard again, and not counted again.
    pub(super) known: u64,
    /// At locks that no door names.
    pub(super) elsewhere: u64,
    /// The names of these locks.
    pub(super) other_locks: BTreeSet<String>,
    /// That are no entries of a shape that is known.
    pub(super) unreadable: u64,
    /// Categories that this version does not know.
    pub(super) unknown_categories: BTreeMap<String, u64>,
    /// What went wrong last, while it does.
    pub(super) last_error: Option<String>,
}

impl Status {
    pub(super) fn count(&mut self, meaning: Meaning, category: Option<&str>) {
        let name = match meaning {
            Meaning::CameIn => "came_in",
            Meaning::Remote => "remote",
            Meaning::Exit => "exit",
            Meaning::Refused => "refused",
            Meaning::Mode => "mode",
            Meaning::Unknown => "unknown",
        };
        *self.events.entry(name).or_default() += 1;
        if meaning == Meaning::Unknown {
            let category = map::word(category.unwrap_or("none"));
            let room = self.unknown_categories.len() < SHOWN;
            if let Some(count) = self.unknown_categories.get_mut(&category) {
                *count += 1;
            } else if room {
                self.unknown_categories.insert(category, 1);
            }
        }
    }

    pub(super) fn count_elsewhere(&mut self, lock: Option<&str>) {
        self.elsewhere += 1;
        if let Some(lock) = lock.filter(|_| self.other_locks.len() < SHOWN)
            && !self.other_locks.contains(lock)
        {
            let shown = lock.chars().filter(|c| !c.is_control()).take(40).collect();
            self.other_locks.insert(shown);
        }
    }
}
