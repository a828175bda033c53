//! Why a tap was decided as it was, with the nearest miss: the words of `doorward explain`, from the same index.

use crate::{
    access::{self, Index, Limits, Query},
    config::{Environment, Purpose},
    domain::{ClockQuality, EntryEvent, time::Moment},
    store::ReadStore,
    sync::{build, stale},
};
use std::path::Path;

/// The index that the gateway decides from, read from its own store.
pub(super) struct Why {
    index: Index,
    limits: Limits,
}

impl Why {
    /// Of the site's configuration and state; nothing when they cannot be read.
    pub(super) fn of(config: &Path, store: &ReadStore, environment: &Environment) -> Option<Self> {
        let config = crate::config::read(config, Purpose::Inspect, environment).0?;
        let index = build::stored_index(store, &config).ok()??;
        // Each question brings its own time; none is proven by another.
        let known = stale::Known {
            now: Moment::trusted(0),
            certain: None,
        };
        let limits = stale::limits(&config, store.last_contact().ok()?, known);
        Some(Self { index, limits })
    }

    /// One line for people; nothing when the same question would be answered differently by now.
    pub(super) fn words(&self, event: &EntryEvent) -> Option<String> {
        let body = &event.body;
        let query = Query {
            credential: body.credential.as_ref(),
            door: self.index.door(body.door.as_ref()?.as_str()),
            now: Moment {
                at: body.at,
                trusted: body.clock == ClockQuality::Trusted,
            },
            lockdown: false,
            limits: &self.limits,
        };
        let verdict = self.index.decide(&query);
        let text = access::explain(&self.index, &query, &verdict).text;
        let (_, words) = text.split_once(" — ")?;
        (Some(verdict.reason) == body.reason).then(|| brief(words))
    }
}

/// Without the ids in parentheses and the quotation marks: a row of a table has little room.
fn brief(words: &str) -> String {
    let mut depth = 0_usize;
    let mut brief = String::with_capacity(words.len());
    for character in words.chars() {
        match character {
            '(' => {
                depth += 1;
                brief.truncate(brief.trim_end().len());
            }
            ')' => depth = depth.saturating_sub(1),
            '"' => {}
            _ if depth == 0 => brief.push(character),
            _ => {}
        }
    }
    brief
}

#[cfg(test)]
mod tests {
    use super::brief;

    #[test]
    fn ids_are_left_out() {
        let words = "booking \"Meeting room\" (booking-2, rule R12) starts 19:02";
        assert_eq!(brief(words), "booking Meeting room starts 19:02");
    }
}
