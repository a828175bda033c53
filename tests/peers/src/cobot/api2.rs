//! API 2: `https://api.cobot.me`, JSON:API.

use super::{
    desk,
    documents::{allocation, booking, drop_in, external, member, plan_row, resource, session, team},
    jsonapi::{self, Pairs, Suffers, error, put, value, wrong},
    state::{Inner, Shared},
    time,
    world::{Allocation, Booking, DropIn, External, Member, PlanRow, Resource, Session},
};
use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::Response,
    routing::{get, post},
};
use serde_json::{Value, json};
use std::sync::Arc;

type App = State<Arc<Shared>>;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/user", get(user))
        .route("/spaces/{id}", get(space))
        .route("/spaces/{id}/check_ins/current", get(current))
        .route("/spaces/{id}/{list}", get(list))
        .route("/memberships/{id}/check_ins", get(member_check_ins))
        .route("/check_ins", post(check_in))
        .route("/{collection}/{id}", get(one))
}

async fn user(State(shared): App, uri: Uri) -> Response {
    let inner = shared.lock();
    let email = inner
        .personal
        .clone()
        .unwrap_or_else(|| "hello@riverside.example".into());
    let spaces = json!({ "data": [{ "type": "spaces", "id": inner.world.space }] });
    let mut document = json!({
        "data": {
            "type": "users", "id": "user-1", "attributes": { "email": email },
            "relationships": { "adminOf": spaces },
        },
    });
    let include = jsonapi::pairs(&uri);
    if value(&include, "include").is_some_and(|names| names.split(',').any(|it| it == "adminOf")) {
        let attributes = json!({
            "name": "Riverside", "subdomain": inner.world.subdomain, "timeZone": inner.world.zone,
            "email": "hello@riverside.example",
        });
        let included = json!([{ "type": "spaces", "id": inner.world.space, "attributes": attributes }]);
        put(&mut document, "included", included);
    }
    jsonapi::answer(StatusCode::OK, &document)
}

async fn space(State(shared): App, Path(id): Path<String>) -> Response {
    let inner = shared.lock();
    if id != inner.world.space {
        return error(StatusCode::NOT_FOUND, "there is no such space");
    }
    let related =
        |name: &str| json!({ "links": { "related": format!("{}/spaces/{id}/{name}", inner.address) } });
    let names = [
        ("allocations", "allocations"),
        ("availableResources", "resources/available"),
        ("calendarBlockers", "calendar_blockers"),
        ("costCenters", "cost_centers"),
        ("revenueAccounts", "revenue_accounts"),
        ("events", "events"),
        ("resources", "resources"),
        ("bookings", "bookings"),
        ("accessToken", "access_token"),
        ("products", "products"),
        ("paymentMethods", "payment_methods"),
    ];
    let relationships: serde_json::Map<String, Value> = names
        .iter()
        .map(|(key, path)| ((*key).to_owned(), related(path)))
        .collect();
    let attributes = json!({
        "name": "Riverside", "subdomain": inner.world.subdomain, "createdAt": "2019-03-01",
        "email": "hello@riverside.example", "countryCode": "ES", "locale": "en-GB", "description": "",
        "inEu": true, "timeZone": inner.world.zone, "hourFormat": 24, "priceDisplay": "gross",
        "priceDecimals": 2, "logo": null, "defaultTaxes": [{ "name": "VAT", "rate": "21.0" }],
    });
    jsonapi::answer(
        StatusCode::OK,
        &json!({ "data": {
            "type": "spaces", "id": id, "attributes": attributes, "relationships": relationships,
        }}),
    )
}

/// Both ends of a filter, or the answer that says what is wrong with them.
fn range(
    query: &Pairs,
    names: [&str; 2],
    read: impl Fn(&str) -> Option<String>,
) -> Result<(String, String), Box<Response>> {
    let end = |name: &str| match value(query, name) {
        None => Err(Box::new(wrong(name, "is missing"))),
        Some(text) => read(text).ok_or_else(|| Box::new(wrong(name, "is invalid"))),
    };
    Ok((end(names[0])?, end(names[1])?))
}

const RANGE: [&str; 2] = ["filter[from]", "filter[to]"];

fn days(query: &Pairs, names: [&str; 2]) -> Result<(String, String), Box<Response>> {
    range(query, names, |text| time::is_day(text).then(|| text.to_owned()))
}

fn instants(query: &Pairs) -> Result<(i64, i64), Box<Response>> {
    let number = |text: &str| text.parse().unwrap_or(0);
    let (from, to) = range(query, RANGE, |text| {
        let whole = text.contains('T') && text.parse::<jiff::Timestamp>().is_ok();
        time::read(text).filter(|_| whole).map(|at| at.to_string())
    })?;
    Ok((number(&from), number(&to)))
}

async fn list(State(shared): App, Path((id, list)): Path<(String, String)>, uri: Uri) -> Response {
    let mut inner = shared.lock();
    if id != inner.world.space {
        return error(StatusCode::NOT_FOUND, "there is no such space");
    }
    match listed(&mut inner, &list, &uri) {
        Ok(response) => response,
        Err(response) => *response,
    }
}

fn listed(inner: &mut Inner, list: &str, uri: &Uri) -> Result<Response, Box<Response>> {
    let query = &jsonapi::pairs(uri);
    let within = |starts: &str, ends: Option<&str>, (from, to): &(String, String)| {
        starts <= to.as_str() && ends.is_none_or(|ends| ends >= from.as_str())
    };
    let space = inner.world.space.clone();
    let world = &inner.world;
    let mut meta = json!({});
    let rows: Vec<Value> = match list {
        "memberships" => {
            let range = days(query, RANGE)?;
            let fits = |it: &&Member| {
                it.confirmed
                    .as_deref()
                    .is_some_and(|day| within(day, it.canceled.as_deref(), &range))
            };
            world
                .members
                .iter()
                .filter(fits)
                .map(|it| member(it, &space))
                .collect()
        }
        "teams" => {
            days(query, RANGE)?;
            world.teams.iter().map(|it| team(it, &space)).collect()
        }
        "membership_plans" => {
            let range = days(query, RANGE)?;
            let fits = |it: &&PlanRow| within(&it.starts, it.canceled.as_deref(), &range);
            world.plan_rows.iter().filter(fits).map(plan_row).collect()
        }
        "resources" => {
            let usage = value(query, "filter[usage]").unwrap_or("bookable");
            if !["bookable", "allocatable", "all"].contains(&usage) {
                return Err(Box::new(wrong("filter[usage]", "is not included in the list")));
            }
            let fits = |it: &&Resource| usage == "all" || it.allocatable == (usage == "allocatable");
            world
                .resources
                .iter()
                .filter(fits)
                .map(|it| resource(it, &space))
                .collect()
        }
        "bookings" => {
            let (from, to) = instants(query)?;
            let mut found: Vec<&Booking> = world
                .bookings
                .iter()
                .filter(|it| it.from < to && it.until > from)
                .collect();
            let total = found.len();
            let consistent = inner.faults.inconsistent == 0;
            if !consistent {
                found.pop();
            }
            meta = json!({ "totalBookings": total, "consistent": consistent });
            let rows = found.into_iter().map(|it| booking(it, &space)).collect();
            inner.faults.inconsistent = inner.faults.inconsistent.saturating_sub(1);
            rows
        }
        "external_bookings" => {
            let (from, to) = instants(query)?;
            // By where they begin, not by overlap.
            let fits = |it: &&External| it.from >= from && it.from < to;
            world
                .externals
                .iter()
                .filter(fits)
                .map(|it| external(it, &space))
                .collect()
        }
        "allocations" => {
            let range = days(query, RANGE)?;
            let fits = |it: &&Allocation| within(&it.starts, it.canceled.as_deref(), &range);
            world
                .allocations
                .iter()
                .filter(fits)
                .map(|it| allocation(it, &space))
                .collect()
        }
        "drop_in_passes" => {
            let names = ["filter[valid_on_from]", "filter[valid_on_to]"];
            let range = days(query, names)?;
            let fits = |it: &&DropIn| within(&it.day, Some(&it.day), &range);
            world
                .drop_ins
                .iter()
                .filter(fits)
                .map(|it| drop_in(it, &space))
                .collect()
        }
        _ => return Err(Box::new(error(StatusCode::NOT_FOUND, "there is no such address"))),
    };
    let hit = inner.faults.concern(uri.path());
    let suffers = Suffers {
        repeats: hit && inner.faults.repeats_page,
        circles: hit && inner.faults.circles,
        empty: hit && inner.faults.empty,
    };
    Ok(jsonapi::page(uri.path(), query, rows, meta, suffers))
}

/// A single object by its own address.
async fn one(State(shared): App, Path((collection, id)): Path<(String, String)>) -> Response {
    let inner = shared.lock();
    let (world, space) = (&inner.world, inner.world.space.as_str());
    let found = match collection.as_str() {
        "memberships" => world.member(&id).map(|it| member(it, space)),
        "teams" => world
            .teams
            .iter()
            .find(|it| it.id == id)
            .map(|it| team(it, space)),
        "resources" => world
            .resources
            .iter()
            .find(|it| it.id == id)
            .map(|it| resource(it, space)),
        "bookings" => world
            .bookings
            .iter()
            .find(|it| it.id == id)
            .map(|it| booking(it, space)),
        "external_bookings" => world
            .externals
            .iter()
            .find(|it| it.id == id)
            .map(|it| external(it, space)),
        "allocations" => world
            .allocations
            .iter()
            .find(|it| it.id == id)
            .map(|it| allocation(it, space)),
        "drop_in_passes" => world
            .drop_ins
            .iter()
            .find(|it| it.id == id)
            .map(|it| drop_in(it, space)),
        _ => None,
    };
    match found {
        Some(data) => jsonapi::answer(StatusCode::OK, &json!({ "data": data })),
        None => error(StatusCode::NOT_FOUND, "there is no such thing"),
    }
}

async fn current(State(shared): App, Path(id): Path<String>, uri: Uri) -> Response {
    let inner = shared.lock();
    let query = jsonapi::pairs(&uri);
    let Some(token) = value(&query, "filter[checkInToken]") else {
        return wrong("filter[checkInToken]", "is missing");
    };
    let Some(holder) = inner.world.tokens.iter().find(|it| it.token == token) else {
        return error(StatusCode::NOT_FOUND, "there is no such token");
    };
    let now = inner.now();
    let fits = |it: &&Session| it.membership == holder.membership && it.until > now;
    let rows = inner.world.sessions.iter().filter(fits);
    let rows = rows.map(|it| session(it, &id)).collect();
    jsonapi::page(uri.path(), &query, rows, json!({}), Suffers::default())
}

async fn member_check_ins(State(shared): App, Path(id): Path<String>, uri: Uri) -> Response {
    let inner = shared.lock();
    let query = jsonapi::pairs(&uri);
    let (from, to) = match instants(&query) {
        Ok(range) => range,
        Err(response) => return *response,
    };
    if inner.world.member(&id).is_none() {
        return error(StatusCode::NOT_FOUND, "there is no such membership");
    }
    let fits = |it: &&Session| it.membership == id && it.from >= from && it.from <= to;
    let rows = inner.world.sessions.iter().filter(fits);
    let rows = rows.map(|it| session(it, &inner.world.space)).collect();
    jsonapi::page(uri.path(), &query, rows, json!({}), Suffers::default())
}

async fn check_in(State(shared): App, headers: HeaderMap, body: Bytes) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    if kind.is_none_or(|kind| !kind.starts_with(jsonapi::TYPE)) {
        return error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/vnd.api+json",
        );
    }
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = body
        .pointer("/data/attributes/checkInToken")
        .and_then(Value::as_str);
    let space = body
        .pointer("/data/relationships/space/data/id")
        .and_then(Value::as_str);
    let mut inner = shared.lock();
    let (Some(token), Some(space)) = (token, space) else {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "the document is incomplete");
    };
    if space != inner.world.space {
        return error(StatusCode::UNPROCESSABLE_ENTITY, "the space does not exist");
    }
    let holder = inner.world.tokens.iter().find(|it| it.token == token);
    let Some(member) = holder.map(|it| it.membership.clone()) else {
        return error(
            StatusCode::UNPROCESSABLE_ENTITY,
            "the check-in token is not known",
        );
    };
    let now = inner.now();
    // Whoever is checked in already is checked in again, and that takes a pass again.
    match desk::check_in(&mut inner.world, &member, now) {
        Err(reason) => error(StatusCode::UNPROCESSABLE_ENTITY, &reason),
        Ok(new) => {
            let url = format!("{}/api/check_ins/{}", inner.address, new.id);
            shared
                .hooks
                .tell(&inner, "created_checkin", &json!({ "url": url }));
            jsonapi::answer(StatusCode::CREATED, &json!({ "data": session(&new, space) }))
        }
    }
}
