//! Asking for the past, a page at a time, the oldest first. The next page is asked for when this one is in the journal.

use super::{
    input::{Ask, Input, Page},
    model::Entry,
};
use crate::{
    domain::time::Millis,
    salto::{KsError, KsKind, Session, client::V1_1},
};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// Entries of a page.
const PAGE: &str = "200";
/// Pages of one asking: ninety days of a large site are some hundred.
const MOST_PAGES: usize = 5_000;

/// Answers questions until nobody asks any more.
pub(super) async fn answer(session: Session, mut asks: mpsc::Receiver<Ask>, inputs: mpsc::Sender<Input>) {
    while let Some(ask) = asks.recv().await {
        let outcome = pages(&session, ask, &inputs).await;
        if inputs.send(Input::Asked(outcome)).await.is_err() {
            return;
        }
    }
}

async fn pages(session: &Session, ask: Ask, inputs: &mpsc::Sender<Input>) -> Result<u64, KsError> {
    const WHAT: &str = "read entries";
    let site = session.site().await?;
    let filter = format!("(utc_date_time ge DateTime'{}')", instant(ask.from));
    let query = [
        ("$filter", filter.as_str()),
        ("$orderby", "utc_date_time"),
        ("$top", PAGE),
    ];
    let path = ["sites", site.id.as_str(), "entries"];
    let (mut token, mut given, mut latest): (Option<String>, u64, Option<Millis>) = (None, 0, None);
    let mut in_order = true;
    for _ in 0..MOST_PAGES {
        let connect = session.connect();
        let answer = connect
            .continued(V1_1, &path, &query, token.as_deref(), WHAT)
            .await?;
        let (items, next) = page(answer).ok_or_else(|| malformed("a page of entries has no list"))?;
        if next.is_some() && next == token {
            return Err(malformed("the pages of entries lead in circles"));
        }
        for at in items.iter().filter_map(time_of) {
            in_order &= latest.is_none_or(|latest| latest <= at);
            latest = latest.max(Some(at));
        }
        given += items.len() as u64;
        let (kept, is_kept) = oneshot::channel();
        let last = next.is_none();
        let page = Page {
            items,
            in_order,
            last,
            kept,
        };
        let sent = inputs.send(Input::Page(page)).await;
        if sent.is_err() || !is_kept.await.unwrap_or(false) {
            return Err(KsError::new(
                KsKind::Rejected,
                "the journal takes no entries now; KS is asked again later",
            ));
        }
        if last {
            return Ok(given);
        }
        token = next;
    }
    Err(malformed("the pages of entries do not end"))
}

/// The items of an answer, a bare list or in an object, and the token of the next page: a text, or anything else as JSON.
fn page(answer: Value) -> Option<(Vec<Value>, Option<String>)> {
    let mut fields = match answer {
        Value::Array(items) => return Some((items, None)),
        Value::Object(fields) => fields,
        _ => return None,
    };
    let token = match fields.remove("continuation_token") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
        Some(other) => Some(other.to_string()),
    };
    match fields.remove("items")? {
        Value::Array(items) => Some((items, token)),
        _ => None,
    }
}

fn time_of(item: &Value) -> Option<Millis> {
    Entry::read(item.clone()).ok().map(|(_, at)| at)
}

/// An instant as its filters want it: to the second.
fn instant(at: Millis) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn malformed(what: &str) -> KsError {
    KsError::new(KsKind::Malformed, format!("SALTO KS: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_is_a_bare_list_or_an_object_and_its_token_a_text_or_anything() {
        let read = |value: Value| page(value).map(|(items, token)| (items.len(), token));
        assert_eq!(read(json!([1, 2])), Some((2, None)));
        assert_eq!(
            read(json!({ "items": [1], "continuation_token": null })),
            Some((1, None))
        );
        let text = json!({ "items": [], "continuation_token": "[{\"token\":1}]" });
        assert_eq!(read(text), Some((0, Some("[{\"token\":1}]".into()))));
        let object = json!({ "items": [], "continuation_token": { "a": 1 } });
        assert_eq!(read(object), Some((0, Some("{\"a\":1}".into()))));
        assert_eq!(
            (read(json!({})), read(json!("x")), read(json!({ "items": 1 }))),
            (None, None, None)
        );
    }

    #[test]
    fn an_instant_is_written_as_filters_want_it() {
        assert_eq!(instant(1_780_308_000_999), "2026-06-01T10:00:00Z");
    }
}
