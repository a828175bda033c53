//! An entry as KS says it: in pages of the past and in messages of the hub.

use crate::domain::time::Millis;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Something that happened at a lock.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// KS's id: the same in the stream and in every page.
    pub id: String,
    /// `lock_opened`, `lock_rejected`, `easy_office_mode` and others; the whole list is not public.
    #[serde(default)]
    pub event_category: Option<String>,
    /// `no_access`, `suspended`, `offline`, `start`, `end` and others.
    #[serde(default)]
    pub event_detail: Option<String>,
    /// When, RFC 3339 in UTC, to the second. The local time beside it has no offset and is not read.
    pub utc_date_time: String,
    /// UUID of the lock.
    #[serde(default)]
    pub lock_id: Option<String>,
    /// What people call the lock.
    #[serde(default)]
    pub lock_customer_reference: Option<String>,
    /// The person at KS, whatever the site. An unknown PIN has one that is nobody's.
    #[serde(default)]
    pub user_id: Option<String>,
    /// First name.
    #[serde(default)]
    pub user_first_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub user_last_name: Option<String>,
    /// What the site calls the person.
    #[serde(default)]
    pub user_alias: Option<String>,
    /// Somebody wants out.
    #[serde(default)]
    pub exit_requested: Option<bool>,
    /// `tag`, `pin_code`, `inside_handle`, `remote` and others.
    #[serde(default)]
    pub access_by: Option<String>,
    /// With `tag` the tag's number. Never read otherwise: with a PIN it could be the PIN.
    #[serde(default)]
    pub access_detail: Option<String>,
}

/// Why something is no entry. Carries nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEntry {
    /// No object with the fields of an entry.
    #[error("it has not the shape of an entry")]
    Shape,
    /// No id.
    #[error("it has no id")]
    Id,
    /// A time that is no instant.
    #[error("its time cannot be read")]
    Time,
}

impl Entry {
    /// Reads one, whatever the case of the names of its fields. The second part is its time, Unix milliseconds.
    ///
    /// # Errors
    /// What is missing.
    pub fn read(value: Value) -> Result<(Self, Millis), NoEntry> {
        let Value::Object(fields) = value else {
            return Err(NoEntry::Shape);
        };
        let fields: Map<String, Value> = fields
            .into_iter()
            .map(|(name, value)| (snake_case(&name), value))
            .collect();
        let entry: Self = serde_json::from_value(Value::Object(fields)).map_err(|_| NoEntry::Shape)?;
        if entry.id.trim().is_empty() {
            return Err(NoEntry::Id);
        }
        let at = instant(&entry.utc_date_time).ok_or(NoEntry::Time)?;
        Ok((entry, at))
    }

    /// What KS calls the person: the alias, else first and last name.
    #[must_use]
    pub fn person_name(&self) -> Option<String> {
        let filled = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim).unwrap_or_default();
            (!text.is_empty()).then(|| text.to_owned())
        };
        filled(&self.user_alias).or_else(|| {
            match (filled(&self.user_first_name), filled(&self.user_last_name)) {
                (Some(first), Some(last)) => Some(format!("{first} {last}")),
                (first, last) => first.or(last),
            }
        })
    }
}

/// Without names and numbers: an entry stands in log lines.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("id", &self.id)
            .field("category", &self.event_category)
            .field("at", &self.utc_date_time)
            .finish_non_exhaustive()
    }
}

/// An instant as KS writes it: with `Z`, or without any offset, and then UTC is meant.
fn instant(text: &str) -> Option<Millis> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_millisecond());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    let instant = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(instant.timestamp().as_millisecond())
}

/// `EventCategory` and `eventCategory` as `event_category`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
            snake.push(c.to_ascii_lowercase());
        } else {
            snake.push(c);
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_is_read_whatever_the_case_of_its_fields_and_without_what_is_not_needed() {
        let (entry, at) = Entry::read(json!({
            "id": "e1", "event_category": "lock_opened", "utc_date_time": "2026-06-01T10:00:00Z",
            "user_alias": "Ana Ruiz", "ttl_in_seconds": 7_776_000, "access_by": "tag", "access_detail": "02309289"
        }))
        .unwrap();
        assert_eq!(
            (entry.id.as_str(), entry.person_name().as_deref()),
            ("e1", Some("Ana Ruiz"))
        );
        assert_eq!(at, 1_780_308_000_000);
        let shown = format!("{entry:?}");
        assert!(!shown.contains("Ana") && !shown.contains("02309289"), "{shown}");
        let pascal = Entry::read(
            json!({ "Id": "e2", "EventCategory": "x", "UtcDateTime": "2026-06-01T10:00:00", "lockId": "l" }),
        )
        .unwrap();
        assert_eq!(
            (pascal.1, pascal.0.lock_id.as_deref()),
            (1_780_308_000_000, Some("l"))
        );
    }

    #[test]
    fn what_is_no_entry_says_so() {
        assert_eq!(Entry::read(json!(7)).unwrap_err(), NoEntry::Shape);
        assert_eq!(Entry::read(json!({ "id": "e" })).unwrap_err(), NoEntry::Shape);
        let no_time = json!({ "id": "e", "utc_date_time": "yesterday" });
        assert_eq!(Entry::read(no_time).unwrap_err(), NoEntry::Time);
        let no_id = json!({ "id": " ", "utc_date_time": "2026-06-01T10:00:00Z" });
        assert_eq!(Entry::read(no_id).unwrap_err(), NoEntry::Id);
    }
}
