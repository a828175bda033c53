//! What a story needs to know of the gateway besides its answers: what a card would get, and where to ask.

use super::Stage;
use crate::{
    access::{Limits, Query},
    config::{self, Environment},
    domain::{Credential, Moment, Reason},
    sync::build,
};
use std::path::PathBuf;

impl Stage {
    /// The site's configuration.
    pub(in crate::cli::demo) fn config(&self) -> PathBuf {
        self.dir.0.join("doorward.toml")
    }

    /// A folder of the site for whatever the play needs; it goes with the site.
    pub(in crate::cli::demo) fn folder(&self, name: &str) -> PathBuf {
        self.dir.0.join(name)
    }

    /// What the facts in force give a card at a door, without a reader: the stored index says it.
    pub(in crate::cli::demo) fn would_give(&self, door: &str, card: &[u8], now: Moment) -> Option<Reason> {
        let config = config::glance(&self.dir.0.join("doorward.toml"), &Environment::default())?;
        let index = build::stored_index(self.journal.as_ref()?, &config).ok()??.index;
        let door = config.site.doors.iter().find(|it| it.name == door)?;
        let query = Query {
            credential: Some(&Credential::uid(card).ok()?),
            door: index.door(door.id.as_str()),
            now,
            lockdown: false,
            limits: &Limits::default(),
        };
        Some(index.decide(&query).reason)
    }
}
