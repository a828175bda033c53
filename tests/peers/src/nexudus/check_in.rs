//! Check-ins at Nexudus: who may, on which pass, until when.

use super::{
    BUSINESS, ZONE,
    state::{State, local, utc},
    tables::{Row, instant},
};
use serde_json::{Value, json};

/// Why a check-in is refused, and the property that is to blame.
pub(super) type Refusal = (String, Option<&'static str>);

fn number(row: &Row, column: &str) -> Option<u64> {
    row.get(column).and_then(Value::as_u64)
}

fn flag(row: &Row, column: &str) -> bool {
    row.get(column) == Some(&Value::Bool(true))
}

/// Takes a dated check-in.
pub(super) fn post(state: &mut State, body: &Value) -> Result<u64, Refusal> {
    let required = |name: &'static str| (format!("{name} is required"), Some(name));
    if body.get("BusinessId").and_then(Value::as_u64) != Some(BUSINESS) {
        return Err(required("BusinessId"));
    }
    let from = instant(body.get("FromTime")).ok_or_else(|| required("FromTime"))?;
    let coworker = body
        .get("CoworkerId")
        .and_then(Value::as_u64)
        .ok_or_else(|| required("CoworkerId"))?;
    let name = match state.row("spaces/coworkers", coworker) {
        Some(row) if flag(row, "Active") => row.get("FullName").cloned().unwrap_or_default(),
        Some(_) => return Err(("The customer is not active.".into(), None)),
        None => return Err(("The customer does not exist.".into(), Some("CoworkerId"))),
    };
    let to = instant(body.get("ToTime"));
    if running(state, coworker, from) {
        return Err(("The customer is already checked in.".into(), None));
    }
    let guid = if free(state, coworker, from) {
        Value::Null
    } else {
        let pass = choose(state, coworker, from)
            .ok_or_else(|| ("The customer does not have a valid pass.".to_owned(), None))?;
        spend(state, pass, from, to.is_none())
    };
    let id = state.add(
        "spaces/checkins",
        &json!({
            "CoworkerId": coworker, "CoworkerFullName": name, "BusinessId": BUSINESS, "Source": body.get("Source"),
            "FromTime": utc(from), "FromTimeLocal": local(from, ZONE),
            "ToTime": to.map(utc), "ToTimeLocal": to.map(|to| local(to, ZONE)), "CoworkerTimePassGuid": guid,
        }),
    );
    Ok(id)
}

/// Whether the customer is in at this time.
fn running(state: &State, coworker: u64, at: i64) -> bool {
    state.rows("spaces/checkins").any(|row| {
        number(row, "CoworkerId") == Some(coworker)
            && instant(row.get("FromTime")).is_some_and(|from| from <= at)
            && instant(row.get("ToTime")).is_none_or(|to| to > at)
    })
}

/// Whether a contract lets the customer in without a pass.
fn free(state: &State, coworker: u64, at: i64) -> bool {
    let needs = |tariff: Option<u64>| {
        state
            .rows("billing/tarifftimepasses")
            .any(|row| number(row, "TariffId") == tariff)
    };
    state.rows("billing/coworkercontracts").any(|row| {
        number(row, "CoworkerId") == Some(coworker)
            && flag(row, "Active")
            && instant(row.get("StartDate")).is_none_or(|start| start <= at)
            && instant(row.get("CancellationDate")).is_none_or(|end| at < end + 86_400_000)
            && !needs(number(row, "TariffId"))
    })
}

/// The pass that Nexudus takes: by priority, then a day pass before a pass of minutes (facts: platforms.md 3.8).
fn choose(state: &State, coworker: u64, at: i64) -> Option<u64> {
    let mut fit: Vec<(u64, bool, u64)> = state
        .rows("billing/coworkertimepasses")
        .filter(|row| number(row, "CoworkerId") == Some(coworker))
        .filter(|row| !flag(row, "Used") && number(row, "RemainingUses") != Some(0))
        .filter(|row| instant(row.get("ExpireDate")).is_none_or(|end| at < end + 86_400_000))
        .filter_map(|row| {
            let kind = state.row("billing/timepasses", number(row, "TimePassId")?)?;
            let minutes = number(kind, "MinutesIncluded").is_some();
            Some((
                number(kind, "UsePriority").unwrap_or(2),
                minutes,
                number(row, "Id")?,
            ))
        })
        .collect();
    fit.sort_unstable();
    fit.first().map(|(_, _, id)| *id)
}

/// Takes one use of a pass; the pass's id as check-ins name it.
fn spend(state: &mut State, pass: u64, from: i64, open: bool) -> Value {
    let Some(row) = state.row("billing/coworkertimepasses", pass) else {
        return Value::Null;
    };
    let guid = row.get("UniqueId").cloned().unwrap_or_default();
    let left = number(row, "RemainingUses").unwrap_or(1).saturating_sub(1);
    let change =
        json!({ "RemainingUses": left, "Used": left == 0, "CheckedIn": open, "UsedDate": utc(from) });
    state.set("billing/coworkertimepasses", pass, &change);
    guid
}
