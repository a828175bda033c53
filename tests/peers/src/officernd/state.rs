//! What the platform knows, and who asked for what.

use super::faults::Faults;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One request as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// GET, POST …
    pub method: String,
    /// Below `/api/v2/organizations/{slug}`, or the whole path.
    pub path: String,
    /// As it came.
    pub query: String,
    /// What was answered; 0 when nothing was.
    pub status: u16,
}

/// A token that was given.
#[derive(Clone, Debug)]
pub struct Token {
    /// What it may do.
    pub scopes: BTreeSet<String>,
    /// When it ends, Unix seconds.
    pub until: i64,
}

/// Everything.
#[derive(Debug, Default)]
pub struct State {
    /// Rows by collection, each in the order of ids.
    pub rows: BTreeMap<&'static str, Vec<Value>>,
    /// The client's scopes.
    pub granted: BTreeSet<String>,
    /// Tokens that are about.
    pub tokens: BTreeMap<String, Token>,
    /// When tokens were asked for, Unix seconds.
    pub token_calls: Vec<i64>,
    /// What goes wrong.
    pub faults: Faults,
    /// Every request since the start.
    pub asked: Vec<Asked>,
    /// Web hooks that went out: signature and body.
    pub sent: Vec<(String, String)>,
    /// How far its clock was set, milliseconds.
    pub set_by: i64,
    next_id: u64,
}

/// Now, Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "a platform has a clock of its own")]
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// As the platform writes instants: UTC with milliseconds.
pub(super) fn instant(at: i64) -> String {
    let at = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The instant that a text says.
pub(super) fn millis(text: &str) -> Option<i64> {
    Some(text.parse::<Timestamp>().ok()?.as_millisecond())
}

/// A text field of a row; empty when it is not there.
pub(super) fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row.get(field).and_then(Value::as_str).unwrap_or_default()
}

impl State {
    /// The server's time, Unix milliseconds, wrong or not.
    #[must_use]
    pub fn server_now(&self) -> i64 {
        now() + self.set_by + self.faults.skew_seconds * 1_000
    }

    /// A new id: 24 hexadecimal digits.
    pub fn id(&mut self) -> String {
        self.next_id += 1;
        format!("65f0c0de{:016x}", self.next_id)
    }

    /// The rows of a collection.
    #[must_use]
    pub fn list(&self, collection: &str) -> &[Value] {
        self.rows.get(collection).map_or(&[], Vec::as_slice)
    }

    /// A row by id.
    #[must_use]
    pub fn get(&self, collection: &str, id: &str) -> Option<&Value> {
        self.list(collection).iter().find(|row| text(row, "_id") == id)
    }

    /// The id of a row by name.
    #[must_use]
    pub fn named(&self, collection: &str, name: &str) -> String {
        let found = self.list(collection).iter().find(|row| text(row, "name") == name);
        found.map(|row| text(row, "_id").to_owned()).unwrap_or_default()
    }

    /// Adds a row; its id.
    pub fn insert(&mut self, collection: &'static str, mut row: Value) -> String {
        let id = self.id();
        let now = instant(self.server_now());
        if let Some(fields) = row.as_object_mut() {
            fields.insert("_id".into(), json!(id));
            fields.entry("createdAt").or_insert_with(|| json!(now));
            fields.insert("modifiedAt".into(), json!(now));
        }
        self.rows.entry(collection).or_default().push(row);
        id
    }

    /// Changes a row.
    pub fn update(&mut self, collection: &'static str, id: &str, change: impl FnOnce(&mut Value)) {
        let now = instant(self.server_now());
        let rows = self.rows.entry(collection).or_default();
        if let Some(row) = rows.iter_mut().find(|row| text(row, "_id") == id) {
            change(row);
            if let Some(fields) = row.as_object_mut() {
                fields.insert("modifiedAt".into(), json!(now));
            }
        }
    }

    /// Removes a row.
    pub fn remove(&mut self, collection: &'static str, id: &str) {
        if let Some(rows) = self.rows.get_mut(collection) {
            rows.retain(|row| text(row, "_id") != id);
        }
    }
}
