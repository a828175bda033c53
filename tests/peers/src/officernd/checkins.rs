//! `POST /checkins/{memberId}`, and what midnight does to check-ins without an end.

use super::{
    api::{Reply, body, midnight_after},
    state::{State, instant, millis, text},
};
use axum::http::StatusCode;
use serde_json::{Value, json};

pub(super) fn check_in(state: &mut State, member: &str, bytes: &[u8]) -> Reply {
    let body = body(bytes);
    let refuse = |text: &str| Reply::refused(StatusCode::BAD_REQUEST, text);
    let Some(row) = state.get("members", member) else {
        return Reply::refused(StatusCode::NOT_FOUND, "Member not found");
    };
    if !matches!(text(row, "status"), "active" | "drop-in") {
        return refuse("Only active and drop-in members can be checked in");
    }
    let company = row.get("company").cloned().unwrap_or(Value::Null);
    let location = text(&body, "location").to_owned();
    if state.get("locations", &location).is_none() {
        return refuse("location must be a valid location");
    }
    if let Some(unknown) = body.as_object().and_then(|fields| {
        fields
            .keys()
            .find(|key| !matches!(key.as_str(), "location" | "start" | "end"))
    }) {
        return refuse(&format!("property {unknown} should not exist"));
    }
    let now = state.server_now();
    let Some(start) = millis(text(&body, "start")) else {
        return refuse("start must be a valid ISO 8601 date string");
    };
    let end = millis(text(&body, "end"));
    let over = midnight_after(start)
        .and_then(|midnight| millis(&midnight))
        .is_none_or(|midnight| midnight <= now);
    if end.is_none() && over {
        return refuse(
            "Member checkins with start date before the current date and no end date are not allowed",
        );
    }
    if end.is_some_and(|end| end <= start) {
        return refuse("end must be after start");
    }
    let id = state.insert(
        "checkins",
        json!({
            "member": member,
            "company": company,
            "location": location,
            "start": instant(start),
            "end": end.map(instant),
            "source": "api",
        }),
    );
    if end.is_some() {
        deduct(state, &id);
    }
    if state.faults.lose_check_in_answers {
        return Reply::lost();
    }
    match state.get("checkins", &id) {
        Some(row) => Reply::json(StatusCode::CREATED, row),
        None => Reply::lost(),
    }
}

/// Both ends of a stay are known: a day pass of the member or the company is used, if there is one.
pub(super) fn deduct(state: &mut State, check_in: &str) {
    let Some(row) = state.get("checkins", check_in) else {
        return;
    };
    let (member, company) = (text(row, "member").to_owned(), text(row, "company").to_owned());
    let whose = |pass: &&Value| {
        text(pass, "member") == member
            || (!company.is_empty() && text(pass, "company") == company && text(pass, "member").is_empty())
    };
    let valid = state
        .list("passes")
        .iter()
        .filter(|pass| text(pass, "status") == "valid");
    let Some(pass) = valid
        .filter(whose)
        .map(|pass| text(pass, "_id").to_owned())
        .next()
    else {
        return;
    };
    state.update("passes", &pass, |row| {
        let used = row.get("usedCount").and_then(Value::as_i64).unwrap_or(0) + 1;
        let count = row.get("count").and_then(Value::as_i64).unwrap_or(0);
        if let Some(fields) = row.as_object_mut() {
            fields.insert("usedCount".into(), json!(used));
            if used >= count {
                fields.insert("status".into(), json!("used"));
            }
        }
    });
    state.update("checkins", check_in, |row| {
        if let Some(fields) = row.as_object_mut() {
            fields.insert("pass".into(), json!(pass));
        }
    });
}
