//! Entries: what locks saw, in pages with a continuation token, for ninety days.

use super::{
    hardware::mac,
    lists::{self, Wanted},
    reply::{Answer, Refusal, Reply, Request},
    state::{Entry, State, instant},
};
use serde_json::{Value, json};

/// How long entries are kept, milliseconds.
const KEPT: i64 = 90 * 86_400_000;
const FIELDS: &[&str] = &[
    "utc_date_time",
    "event_category",
    "lock_id",
    "user_id",
    "access_by",
];

/// An opening without anything else.
pub(super) fn blank(at: i64) -> Entry {
    Entry {
        id: String::new(),
        at,
        category: "lock_opened".into(),
        detail: None,
        by: None,
        by_detail: None,
        lock: String::new(),
        user: None,
        exit: false,
    }
}

/// Writes it down, to the second, and streams it. Its id.
pub(super) fn add(state: &mut State, mut entry: Entry) -> String {
    entry.at -= entry.at.rem_euclid(1_000);
    entry.id = state.id(0xe7);
    let id = entry.id.clone();
    let row = row(state, &entry);
    state.entries.push(entry);
    if !state.faults.lose_events && !state.faults.stream_away && !state.faults.away {
        state.streams.send(&row);
    }
    id
}

/// An entry as it is told.
pub(super) fn row(state: &State, entry: &Entry) -> Value {
    let lock = state.locks.iter().find(|lock| lock.id == entry.lock);
    let iq = lock.and_then(|lock| state.iqs.iter().find(|iq| iq.id == lock.iq));
    let user = entry.user.as_deref().and_then(|id| state.person(id));
    let local = jiff::Timestamp::from_millisecond(entry.at)
        .unwrap_or_default()
        .to_zoned(state.tz());
    json!({
        "id": entry.id, "event_category": entry.category, "event_detail": entry.detail,
        "utc_date_time": instant(entry.at), "local_date_time": local.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
        "lock_id": entry.lock, "lock_mac_address": mac(&entry.lock), "lock_customer_reference": lock.map(|lock| &lock.name),
        "user_id": entry.user, "user_first_name": user.map(|user| &user.first_name),
        "user_last_name": user.map(|user| &user.last_name), "user_image_url": null,
        "user_alias": user.map(|user| &user.alias),
        "iq_id": iq.map(|iq| &iq.id), "iq_customer_reference": iq.map(|iq| &iq.name),
        "iq_mac_address": iq.map(|iq| mac(&iq.id)), "iq_revision": "2.0", "exit_requested": entry.exit,
        "access_by": entry.by, "access_detail": entry.by_detail, "ttl_in_seconds": 7_776_000,
        "expiration_date_time": instant(entry.at + KEPT),
    })
}

/// Where a page ended.
#[derive(Debug)]
struct Place {
    at: i64,
    id: String,
}

impl Place {
    /// The kind of text that the database behind KS gives away.
    fn token(&self) -> String {
        json!([{"token": format!("-RID:~{}#{}", self.at, self.id), "range": {"min": "", "max": "FF"}}])
            .to_string()
    }
    fn parse(text: &str) -> Option<Self> {
        let token: Value = serde_json::from_str(text).ok()?;
        let place = token.pointer("/0/token")?.as_str()?.strip_prefix("-RID:~")?;
        let (at, id) = place.split_once('#')?;
        Some(Self {
            at: at.parse().ok()?,
            id: id.to_owned(),
        })
    }
}

/// `GET …/entries`: newest first unless asked otherwise.
pub(super) fn list(state: &mut State, request: &Request) -> Answer {
    let wanted: Wanted = lists::wanted(request, FIELDS)?;
    let down = match &wanted.order {
        None => true,
        Some((field, down)) if field == "utc_date_time" => *down,
        Some((field, _)) => return Err(Refusal::query(format!("$orderby cannot be {field}"))),
    };
    let after = match &request.continuation {
        None => None,
        Some(text) => {
            Some(Place::parse(text).ok_or_else(|| Refusal::field("The continuation token is not valid"))?)
        }
    };
    let oldest = state.now() - KEPT;
    let mut kept: Vec<&Entry> = state.entries.iter().filter(|entry| entry.at >= oldest).collect();
    kept.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    if down {
        kept.reverse();
    }
    let beyond = |entry: &&&Entry| {
        after.as_ref().is_none_or(|place| {
            let order = (entry.at, &entry.id).cmp(&(place.at, &place.id));
            if down { order.is_lt() } else { order.is_gt() }
        })
    };
    let top = wanted.top.unwrap_or(50).min(state.manners.most_entries);
    let mut rest = kept
        .iter()
        .filter(beyond)
        .map(|entry| (*entry, row(state, entry)))
        .filter(|(_, row)| wanted.conditions.iter().all(|condition| condition.fits(row)));
    let page: Vec<(&Entry, Value)> = rest.by_ref().take(top).collect();
    let more = rest.next().is_some();
    let last = page.last().map(|(entry, _)| Place {
        at: entry.at,
        id: entry.id.clone(),
    });
    let token = last.filter(|_| more).map(|place| place.token());
    let items: Vec<Value> = page.into_iter().map(|(_, row)| row).collect();
    Ok(Reply::ok(&json!({"items": items, "continuation_token": token})))
}
