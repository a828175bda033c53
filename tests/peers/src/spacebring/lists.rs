//! Lists with their filters and pages, and single objects.

use super::{
    api::{Refused, bad, refused},
    space::Booking,
    state::Inner,
    wire,
};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// Items on a page unless the request says otherwise.
const USUAL: usize = 25;
/// The most that one can have.
const MOST: usize = 100;

/// The query of a request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
    fn only(&self, known: &[&str]) -> Result<(), Refused> {
        match self.0.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            Some((key, _)) => bad(&format!("{key} is not a parameter")),
            None => Ok(()),
        }
    }
    fn time(&self, name: &str) -> Result<Option<i64>, Refused> {
        match self.get(name).map(str::parse::<jiff::Timestamp>) {
            None => Ok(None),
            Some(Ok(at)) => Ok(Some(at.as_millisecond())),
            Some(Err(_)) => bad(&format!("{name} is not a date")),
        }
    }
}

fn missing<T>(what: &str) -> Result<T, Refused> {
    refused(StatusCode::NOT_FOUND, "not_found", &format!("{what} not found"))
}

pub(super) fn get(inner: &Inner, segments: &[&str], query: Query, now: i64) -> Result<Value, Refused> {
    let space = &inner.space;
    let allowed = |what: &str| {
        if inner.faults.revoked.contains(what) {
            return refused(
                StatusCode::FORBIDDEN,
                "permission_error",
                "insufficient permissions",
            );
        }
        Ok(())
    };
    match segments {
        ["locations", "v1"] => {
            allowed("locations")?;
            let rows = [&space.location, &space.elsewhere].map(|id| wire::location(space, id));
            Ok(json!({ "locations": rows }))
        }
        ["locations", "v1", id] => {
            allowed("locations")?;
            if **id != *space.location && **id != *space.elsewhere {
                return missing("location");
            }
            Ok(json!({ "location": wire::location(space, id) }))
        }
        ["community", "memberships", "v1"] => {
            allowed("memberships")?;
            query.only(&[
                "locationRef",
                "limit",
                "nextPageToken",
                "companyRef",
                "types",
                "status",
            ])?;
            let place = place(inner, &query)?;
            let wanted = query.get("status").unwrap_or("approved");
            let rows = space
                .members
                .iter()
                .filter(|member| member.location == place && member.status == wanted);
            let rows = rows.filter(|member| member.deleted.is_none_or(|deleted| deleted > now));
            let rows = rows.map(|member| wire::member(space, member)).collect();
            page(inner, "memberships", rows, &query, true)
        }
        ["community", "memberships", "v1", id] => {
            allowed("memberships")?;
            match space.members.iter().find(|member| member.id == *id) {
                Some(member) => Ok(json!({ "membership": wire::member(space, member) })),
                None => missing("membership"),
            }
        }
        ["community", "companies", "v1"] => {
            allowed("companies")?;
            query.only(&["locationRef", "limit", "nextPageToken", "title", "types"])?;
            place(inner, &query)?;
            let rows = space
                .companies
                .iter()
                .map(|company| wire::company(space, company))
                .collect();
            page(inner, "companies", rows, &query, true)
        }
        ["community", "companies", "v1", id] => {
            allowed("companies")?;
            match space.companies.iter().find(|company| company.id == *id) {
                Some(company) => Ok(json!({ "company": wire::company(space, company) })),
                None => missing("company"),
            }
        }
        ["plans", "v1"] => {
            allowed("plans")?;
            query.only(&["locationRef", "limit", "nextPageToken"])?;
            place(inner, &query)?;
            let rows = space.plans.iter().map(|plan| wire::plan(space, plan)).collect();
            page(inner, "plans", rows, &query, false)
        }
        ["resources", "v1"] => {
            allowed("resources")?;
            query.only(&["locationRef", "limit", "nextPageToken", "types"])?;
            place(inner, &query)?;
            let rows = space
                .resources
                .iter()
                .map(|resource| wire::resource(space, resource));
            page(inner, "resources", rows.collect(), &query, false)
        }
        ["subscriptions", "v1"] => {
            allowed("subscriptions")?;
            subscriptions(inner, &query, now)
        }
        ["subscriptions", "v1", id] => {
            allowed("subscriptions")?;
            match space.subscriptions.iter().find(|known| known.id == *id) {
                Some(found) => Ok(json!({ "subscription": wire::subscription(space, found, now) })),
                None => missing("subscription"),
            }
        }
        ["resources", "bookings", "v1"] => {
            allowed("bookings")?;
            bookings(inner, &query)
        }
        ["resources", "bookings", "v1", id] => {
            allowed("bookings")?;
            let (series, _) = id.split_once('_').unwrap_or((id, ""));
            match space.bookings.iter().find(|known| known.id == series) {
                Some(found) => Ok(json!({ "booking": wire::booking(space, found, None) })),
                None => missing("booking"),
            }
        }
        ["transactions", "v1", "balances", id, "day_passes"] => {
            allowed("balances")?;
            Ok(wire::balances(space, id))
        }
        _ => missing("operation"),
    }
}

/// The location that a request must name.
fn place(inner: &Inner, query: &Query) -> Result<String, Refused> {
    let Some(place) = query.get("locationRef") else {
        return bad("locationRef is required");
    };
    if place != inner.space.location && place != inner.space.elsewhere {
        return missing("location");
    }
    Ok(place.to_owned())
}

fn subscriptions(inner: &Inner, query: &Query, now: i64) -> Result<Value, Refused> {
    query.only(&[
        "locationRef",
        "limit",
        "nextPageToken",
        "customerRef",
        "planRef",
        "status",
        "order",
    ])?;
    if query.get("locationRef").is_some() {
        place(inner, query)?;
    }
    let wanted: Vec<&str> = query
        .get("status")
        .unwrap_or("active,scheduled,incomplete")
        .split(',')
        .collect();
    let known = [
        "active",
        "scheduled",
        "incomplete",
        "incompleteExpired",
        "canceled",
    ];
    if wanted.iter().any(|status| !known.contains(status)) {
        return bad("there is no such status");
    }
    let rows = inner.space.subscriptions.iter().filter(|row| {
        let customer = query
            .get("customerRef")
            .is_none_or(|wanted| wanted == row.customer.id());
        customer && wanted.contains(&wire::status(row, now))
    });
    let rows = rows
        .map(|row| wire::subscription(&inner.space, row, now))
        .collect();
    page(inner, "subscriptions", rows, query, false)
}

/// Times in the order that the platform asks for: `lt`, `gt`, `lte`, `gte`.
struct Bounds {
    start: [Option<i64>; 4],
    end: [Option<i64>; 4],
}

impl Bounds {
    fn of(query: &Query) -> Result<Self, Refused> {
        let all = |field: &str| -> Result<[Option<i64>; 4], Refused> {
            let one = |word: &str| query.time(&format!("{field}[{word}]"));
            Ok([one("lt")?, one("gt")?, one("lte")?, one("gte")?])
        };
        Ok(Self {
            start: all("startDate")?,
            end: all("endDate")?,
        })
    }
    fn hold(&self, (start, end): (i64, i64)) -> bool {
        let within = |[lt, gt, lte, gte]: [Option<i64>; 4], at: i64| {
            lt.is_none_or(|bound| at < bound)
                && gt.is_none_or(|bound| at > bound)
                && lte.is_none_or(|bound| at <= bound)
                && gte.is_none_or(|bound| at >= bound)
        };
        within(self.start, start) && within(self.end, end)
    }
}

fn bookings(inner: &Inner, query: &Query) -> Result<Value, Refused> {
    query.only(&[
        "locationRef",
        "resourceRef",
        "customerRef",
        "limit",
        "nextPageToken",
        "order",
        "singleBookings",
        "status",
        "type",
        "startDate[lt]",
        "startDate[gt]",
        "startDate[lte]",
        "startDate[gte]",
        "endDate[lt]",
        "endDate[gt]",
        "endDate[lte]",
        "endDate[gte]",
    ])?;
    let resource = query.get("resourceRef");
    if resource.is_none() {
        place(inner, query)?;
    }
    let wanted: Vec<&str> = query
        .get("status")
        .unwrap_or("tentative,confirmed")
        .split(',')
        .collect();
    let bounds = Bounds::of(query)?;
    let single = query.get("singleBookings") == Some("true");
    let mut rows = Vec::new();
    for booking in &inner.space.bookings {
        let status = if booking.deleted.is_some() {
            "canceled"
        } else {
            booking.status
        };
        let meant = wanted.contains(&status)
            && resource.is_none_or(|wanted| wanted == booking.resource)
            && query
                .get("customerRef")
                .is_none_or(|wanted| wanted == booking.owner.id());
        if !meant {
            continue;
        }
        let occurrences = match booking.repeat {
            Some((_, times)) if single => times,
            _ => 1,
        };
        for number in 0..occurrences {
            if bounds.hold(wire::times(booking, number)) {
                rows.push(wire::booking(
                    &inner.space,
                    booking,
                    expanded(booking, single, number),
                ));
            }
        }
    }
    page(inner, "bookings", rows, query, false)
}

fn expanded(booking: &Booking, single: bool, number: u32) -> Option<u32> {
    (single && booking.repeat.is_some()).then_some(number)
}

/// One page of rows. The token knows the filters and the place; other filters than before are refused.
fn page(
    inner: &Inner,
    key: &'static str,
    mut rows: Vec<Value>,
    query: &Query,
    strict: bool,
) -> Result<Value, Refused> {
    let faults = &inner.faults;
    let limit = match query.get("limit").map(str::parse::<usize>) {
        None => USUAL,
        Some(Ok(limit)) if limit >= 1 && (limit <= MOST || !strict) => limit.min(MOST),
        Some(_) if strict => return bad("limit must be from 1 to 100"),
        Some(_) => USUAL,
    };
    if faults.empty.contains(key) {
        rows.clear();
    }
    if faults.rows_without_id == Some(key) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.remove("id");
        }
    }
    let filters: Vec<String> = query
        .0
        .iter()
        .filter(|(name, _)| name != "nextPageToken")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let filters = filters.join("&");
    let from = match query.get("nextPageToken") {
        None => 0,
        Some(token) => match token.split_once('~') {
            Some((from, kept)) if kept == checksum(&filters) => from.parse::<usize>().unwrap_or(usize::MAX),
            _ => return bad("nextPageToken does not fit these filters"),
        },
    };
    let until = from.saturating_add(limit).min(rows.len());
    let shown = if faults.page_repeats && from > 0 {
        0..limit.min(rows.len())
    } else {
        from.min(rows.len())..until
    };
    let mut answer = Map::new();
    let shown = rows.get(shown).unwrap_or_default().to_vec();
    answer.insert(key.into(), Value::Array(shown));
    if until < rows.len() {
        let next = if faults.token_repeats { limit } else { until };
        let token = format!("{next}~{}", checksum(&filters));
        answer.insert("nextPageToken".into(), json!(token));
    }
    Ok(Value::Object(answer))
}

fn checksum(text: &str) -> String {
    let sum = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
    });
    format!("{sum:016x}")
}
