//! The desk's part of the stream: cards as they are presented, and how the readers and the conflicts stand.

use super::{Api, desk_readers};
use crate::{desk::readers::DeskEvent, web::problem::Problem};
use serde_json::{Value, json};
use tokio::sync::watch;

/// A message: its name and its data.
type Message = (&'static str, Value);

/// What one listener was told so far.
pub(super) struct DeskFeed {
    told: watch::Receiver<u64>,
    /// The last event of the readers that was sent.
    seen: u64,
    readers: Option<Value>,
    conflicts: Option<Value>,
}

impl DeskFeed {
    /// From now on.
    pub(super) fn new(api: &Api) -> Self {
        let told = api.desk.readers().told();
        let seen = *told.borrow();
        let feed = Self {
            told,
            seen,
            readers: None,
            conflicts: None,
        };
        feed.keep_at_hand(api);
        feed
    }

    /// Waits until something happened at the readers.
    pub(super) async fn told(&mut self) {
        let seen = self.seen;
        // The sender lives as long as the gateway.
        if self.told.wait_for(|last| *last > seen).await.is_err() {
            std::future::pending().await
        }
    }

    /// While somebody listens, people are kept at hand: a name is looked up in a moment.
    pub(super) fn keep_at_hand(&self, api: &Api) {
        let desk = api.desk.clone();
        tokio::task::spawn_blocking(move || desk.directory().map(drop));
    }

    /// Cards that were presented and taken away since.
    pub(super) async fn cards(&mut self, api: &Api) -> Vec<Message> {
        if *self.told.borrow_and_update() <= self.seen {
            return Vec::new();
        }
        let seen = self.seen;
        let recent = api.desk.readers().since(seen);
        self.seen = recent.last;
        let found = api.ask(move |api| {
            let events = recent.events.into_iter();
            Ok::<_, Problem>(
                events
                    .filter_map(|(number, event)| message(api, number, event))
                    .collect(),
            )
        });
        found.await.unwrap_or_default()
    }

    /// Readers and conflicts, where they are others than the last time.
    pub(super) fn state(&mut self, api: &Api) -> Vec<Message> {
        let mut said = Vec::new();
        let readers = desk_readers::all(api);
        let mut key = readers.clone();
        // That a loan runs out is no news.
        for reader in &mut key.readers {
            reader.lent_for_seconds = reader.lent_for_seconds.map(|_| 0);
        }
        let key = json!(key);
        if self.readers.as_ref() != Some(&key) {
            self.readers = Some(key);
            said.push(("readers", json!(readers)));
        }
        let desk = api.health.doc().sections.remove("desk").unwrap_or_default();
        let count = desk.get("conflicts").cloned().unwrap_or_else(|| json!(0));
        if self.conflicts.as_ref() != Some(&count) {
            said.push(("conflicts", json!({ "count": count })));
            self.conflicts = Some(count);
        }
        said
    }
}

fn message(api: &Api, number: u64, event: DeskEvent) -> Option<Message> {
    Some(match event {
        DeskEvent::Presented { .. } => {
            let number = api.desk.readers().number(number);
            let presented = api.desk.presented_as(number).inspect_err(|error| {
                tracing::warn!(%error, "a card at the desk could not be looked up");
            });
            ("presented", json!(presented.ok()??))
        }
        DeskEvent::Removed { reader } => ("removed", json!({ "reader": reader })),
        DeskEvent::Trouble { reader, words, say } => {
            ("trouble", json!({ "reader": reader, "words": words, "say": say }))
        }
        DeskEvent::Appeared { .. } | DeskEvent::Gone { .. } => return None,
    })
}
