//! What Nexudus knows: records, logins, what was asked, and what goes wrong.

use super::{
    faults::Faults,
    hooks::Outbox,
    tables::{Asked, Entity, Row, list},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// One request, as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` say.
    pub method: String,
    /// With its query.
    pub target: String,
    /// What it was answered with; 0 when it was not answered.
    pub status: u16,
}

/// Tokens of the one user.
#[derive(Debug, Default)]
pub(super) struct Logins {
    pub(super) access: Vec<(String, i64)>,
    pub(super) refresh: Option<(String, i64)>,
    given: u64,
    /// How often a password was shown.
    pub(super) by_password: u64,
}

impl Logins {
    /// A new pair; the refresh token before is no good any more.
    pub(super) fn give(&mut self, now: i64) -> (String, String) {
        self.given += 1;
        let (access, refresh) = (
            format!("access-{}", self.given),
            format!("refresh-{}", self.given),
        );
        self.access.push((access.clone(), now + ACCESS_SECONDS * 1_000));
        self.refresh = Some((refresh.clone(), now + REFRESH_SECONDS * 1_000));
        (access, refresh)
    }
}

/// Seven days less a second.
pub(super) const ACCESS_SECONDS: i64 = 604_799;
/// Fifteen days.
const REFRESH_SECONDS: i64 = 15 * 86_400;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) tables: BTreeMap<&'static str, BTreeMap<u64, Row>>,
    last_id: u64,
    pub(super) logins: Logins,
    pub(super) requests: Vec<Request>,
    pub(super) faults: Faults,
    /// Moved by tests, milliseconds.
    pub(super) ahead: i64,
}

/// Shared between the server and its staff.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) hooks: Outbox,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                last_id: 1_000,
                ..State::default()
            }),
            hooks: Outbox::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Unix milliseconds.
    #[expect(
        clippy::disallowed_methods,
        reason = "a peer is the world outside, which has its own clock"
    )]
    pub(super) fn now(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond() + self.ahead
    }

    pub(super) fn row(&self, path: &str, id: u64) -> Option<&Row> {
        self.tables.get(path)?.get(&id)
    }

    pub(super) fn rows(&self, path: &str) -> impl Iterator<Item = &Row> {
        self.tables.get(path).into_iter().flat_map(BTreeMap::values)
    }

    /// Adds a record; its id.
    pub(super) fn add(&mut self, path: &'static str, given: &Value) -> u64 {
        self.last_id += 1;
        let id = given.get("Id").and_then(Value::as_u64).unwrap_or(self.last_id);
        let now = utc(self.now());
        if let Some(entity) = Entity::at(path) {
            let row = entity.fill(id, &now, given);
            self.tables.entry(path).or_default().insert(id, row);
        }
        id
    }

    /// Sets columns of a record. False when there is none of this id.
    pub(super) fn set(&mut self, path: &'static str, id: u64, given: &Value) -> bool {
        let now = utc(self.now());
        let Some(row) = self.tables.get_mut(path).and_then(|table| table.get_mut(&id)) else {
            return false;
        };
        for (column, value) in given.as_object().into_iter().flatten() {
            row.insert(column.clone(), value.clone());
        }
        row.insert("UpdatedOn".into(), json!(now));
        true
    }

    pub(super) fn remove(&mut self, path: &'static str, id: u64) -> Option<Row> {
        self.tables.get_mut(path)?.remove(&id)
    }

    /// A page, with the faults that concern it.
    pub(super) fn page(&self, entity: &Entity, asked: &mut Asked) -> Value {
        let none = BTreeMap::new();
        let faults = &self.faults;
        let hits = |fault: Option<&'static str>| fault == Some(entity.path);
        let table = if hits(faults.empty) {
            &none
        } else {
            self.tables.get(entity.path).unwrap_or(&none)
        };
        if hits(faults.repeats) && asked.page > 1 {
            let real = list(entity, table, asked);
            let number = asked.page;
            asked.page = 1;
            let mut page = list(entity, table, asked);
            if let Some(page) = page.as_object_mut() {
                page.insert("CurrentPage".into(), json!(number));
                page.insert("PageNumber".into(), json!(number));
                page.insert(
                    "HasNextPage".into(),
                    real.get("HasNextPage").cloned().unwrap_or_default(),
                );
            }
            return page;
        }
        let mut page = list(entity, table, asked);
        if hits(faults.wrong_total)
            && let Some(total) = page.get_mut("TotalItems")
        {
            *total = json!(total.as_u64().unwrap_or(0) + 1);
        }
        page
    }
}

/// As Nexudus writes an instant.
pub(super) fn utc(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
        .unwrap_or_default()
}

/// The same as the wall clock of the location, the `*Local` twin.
pub(super) fn local(at: i64, zone: &str) -> String {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    jiff::Timestamp::from_millisecond(at)
        .map(|at| at.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S").to_string())
        .unwrap_or_default()
}

/// Local midnight of a day `YYYY-MM-DD`, Unix milliseconds.
pub(super) fn midnight(day: &str, zone: &str) -> i64 {
    let zone = jiff::tz::TimeZone::get(zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let day: Option<jiff::civil::Date> = day.parse().ok();
    day.and_then(|day| day.to_zoned(zone).ok())
        .map_or(0, |at| at.timestamp().as_millisecond())
}
