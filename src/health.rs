//! What is wrong and how each part is doing, in one place that every room may write and people may read.
//!
//! Faults are things a person should act on; they begin and end. Sections are the current state of a part,
//! as JSON. Both go to `doorward report`, to the control socket and, retained, to the building network.

use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// A fault that has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Stable name, `reader_offline:front` say: the part before the colon is the kind.
    pub key: String,
    /// What happened, where, and what to do next.
    pub text: String,
    /// When it began, Unix milliseconds.
    pub since: i64,
}

/// Everything at one instant.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct HealthDoc {
    /// Faults by key.
    pub faults: Vec<Fault>,
    /// State of each part.
    pub sections: BTreeMap<&'static str, serde_json::Value>,
}

/// The shared board. Cheap to clone. Never touched between a presentation and its answer.
#[derive(Clone, Debug)]
pub struct Health {
    inner: Arc<Mutex<Inner>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    faults: BTreeMap<String, Fault>,
    sections: BTreeMap<&'static str, serde_json::Value>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            inner: Arc::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl Health {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a fault, or rewords one that stands. True if it is new.
    pub fn raise(&self, key: &str, text: impl Into<String>, now: i64) -> bool {
        let mut inner = self.lock();
        let text = text.into();
        let begun = match inner.faults.get_mut(key) {
            Some(fault) if fault.text == text => return false,
            Some(fault) => {
                fault.text = text;
                false
            }
            None => {
                inner.faults.insert(
                    key.to_owned(),
                    Fault {
                        key: key.to_owned(),
                        text,
                        since: now,
                    },
                );
                true
            }
        };
        drop(inner);
        self.changed.send_modify(|count| *count += 1);
        begun
    }

    /// Ends a fault. True if there was one.
    pub fn clear(&self, key: &str) -> bool {
        let ended = self.lock().faults.remove(key).is_some();
        if ended {
            self.changed.send_modify(|count| *count += 1);
        }
        ended
    }

    /// Replaces the state of a part. Sections change often and wake nobody unless they differ.
    pub fn section(&self, name: &'static str, state: &impl Serialize) {
        let value = serde_json::to_value(state).unwrap_or_default();
        let mut inner = self.lock();
        if inner.sections.get(name) == Some(&value) {
            return;
        }
        inner.sections.insert(name, value);
        drop(inner);
        self.changed.send_modify(|count| *count += 1);
    }

    /// Everything now.
    #[must_use]
    pub fn doc(&self) -> HealthDoc {
        let inner = self.lock();
        HealthDoc {
            faults: inner.faults.values().cloned().collect(),
            sections: inner.sections.clone(),
        }
    }

    /// Wakes whenever something changed.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_begins_once_and_ends_once() {
        let health = Health::default();
        let watch = health.watch();
        assert!(health.raise("reader_offline:front", "gone", 5));
        assert!(!health.raise("reader_offline:front", "still gone", 6));
        assert_eq!(health.doc().faults[0].since, 5);
        assert!(health.clear("reader_offline:front") && !health.clear("reader_offline:front"));
        assert!(health.doc().faults.is_empty() && watch.has_changed().unwrap());
    }
}
