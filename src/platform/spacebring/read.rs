//! A whole read: every list to its end, or nothing (invariant 4).

use super::{
    client::{
        BALANCES, BOOKINGS, COMPANIES, Client, LOCATIONS, MEMBERSHIPS, Operation, PLANS, RESOURCES,
        SUBSCRIPTIONS,
    },
    facts::{Draft, HasPasses},
    model::{Balance, Location, Membership},
};
use crate::{
    domain::Millis,
    platform::{ErrorKind, PlatformError},
};
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};

const HOUR: Millis = 3_600_000;
/// Bookings that ended so long ago still matter: a desk is open until its day's hours are over, whenever the booking
/// itself ends (R17), and hours may run past midnight.
const BACK: Millis = 36 * HOUR;
/// Bookings that begin so far ahead: how long the gateway knows them without the internet.
const AHEAD: Millis = 14 * 24 * HOUR;
/// Members of other locations who are looked up one by one.
const MOST_LOOKED_UP: usize = 500;
/// A balance is read again after this, even if the membership says that the number of passes is the same.
const BALANCE_AGE: Millis = HOUR;

/// The times that bookings are read for, Unix milliseconds. It moves by whole hours, so that facts do not change every
/// minute only because time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    from: Millis,
    until: Millis,
}

impl Window {
    pub(super) fn around(now: Millis) -> Self {
        let hour = now - now.rem_euclid(HOUR);
        Self {
            from: hour - BACK,
            until: hour + AHEAD,
        }
    }
}

/// Balances that need not be read again.
#[derive(Debug, Default)]
pub(super) struct Balances(HashMap<String, Known>);

#[derive(Debug)]
struct Known {
    count: f64,
    read: Millis,
    rows: Vec<Balance>,
}

impl Balances {
    fn get(&self, customer: &HasPasses, now: Millis) -> Option<&[Balance]> {
        let known = self.0.get(&customer.customer)?;
        let age = now.saturating_sub(known.read);
        let lapsed = known.rows.iter().any(|row| {
            let ends = row.expiration_date.as_deref();
            let ends = ends.and_then(|text| text.parse::<jiff::Timestamp>().ok());
            ends.is_some_and(|ends| (known.read..=now).contains(&ends.as_millisecond()))
        });
        #[expect(
            clippy::float_cmp,
            reason = "the same number as it was told before, or another one"
        )]
        let same = known.count == customer.count && (0..BALANCE_AGE).contains(&age) && !lapsed;
        same.then_some(known.rows.as_slice())
    }

    pub(super) fn forget(&mut self, customer: &str) {
        self.0.remove(customer);
    }
}

/// Everything of the location.
pub(super) async fn everything(
    client: &Client,
    draft: &mut Draft<'_>,
    location: &str,
    zone: &str,
) -> Result<Window, PlatformError> {
    self::location(client, draft, location, zone).await?;
    // After an answer: only then is the server's time known, should this gateway's be a guess.
    let window = Window::around(client.now());
    let here = [("locationRef", location)];
    plans(client, draft, location).await?;
    rows(client, draft, &COMPANIES, "teams", &here, |draft, _, row| {
        draft.company(row);
    })
    .await?;
    rows(
        client,
        draft,
        &MEMBERSHIPS,
        "people",
        &here,
        |draft, index, row| {
            draft.member(index, row);
        },
    )
    .await?;
    rows(
        client,
        draft,
        &RESOURCES,
        "resources",
        &here,
        |draft, index, row| {
            draft.resource(index, row);
        },
    )
    .await?;
    let current = [("locationRef", location), ("status", "active,scheduled")];
    rows(
        client,
        draft,
        &SUBSCRIPTIONS,
        "memberships",
        &current,
        |draft, _, row| {
            draft.subscription(row);
        },
    )
    .await?;
    bookings(client, draft, ("locationRef", location), window).await?;
    Ok(window)
}

/// The location itself: a wrong id is told as such.
pub(super) async fn location(
    client: &Client,
    draft: &mut Draft<'_>,
    id: &str,
    zone: &str,
) -> Result<(), PlatformError> {
    let found: Option<Location> = client.object(&LOCATIONS, &[id], Some("location")).await?;
    let Some(found) = found else {
        let text = format!(
            "{} has no location {id}; correct [cloud.spacebring] location: a survey of the connection lists those that there are",
            client.http.place()
        );
        return Err(PlatformError::new(ErrorKind::Unauthorised, text));
    };
    draft.location(&found, zone);
    Ok(())
}

pub(super) async fn plans(
    client: &Client,
    draft: &mut Draft<'_>,
    location: &str,
) -> Result<(), PlatformError> {
    let here = [("locationRef", location)];
    rows(client, draft, &PLANS, "plans", &here, |draft, _, row| {
        draft.plan(row);
    })
    .await?;
    Ok(())
}

/// Confirmed and tentative bookings of a location or a resource. The platform does not say of a booking which it is, so
/// each kind is asked for by itself, the tentative ones first.
pub(super) async fn bookings(
    client: &Client,
    draft: &mut Draft<'_>,
    of: (&str, &str),
    window: Window,
) -> Result<(), PlatformError> {
    let (from, until) = (instant(window.from), instant(window.until));
    for status in ["tentative", "confirmed"] {
        let query = [
            of,
            ("startDate[lt]", until.as_str()),
            ("endDate[gt]", from.as_str()),
            ("singleBookings", "true"),
            ("status", status),
        ];
        rows(client, draft, &BOOKINGS, "bookings", &query, |draft, _, row| {
            draft.booking(row, status == "tentative");
        })
        .await?;
    }
    Ok(())
}

/// A list into the draft, row by row.
pub(super) async fn rows<T: serde::de::DeserializeOwned>(
    client: &Client,
    draft: &mut Draft<'_>,
    operation: &Operation,
    collection: &'static str,
    query: &[(&str, &str)],
    mut take: impl FnMut(&mut Draft<'_>, usize, T) + Send,
) -> Result<usize, PlatformError> {
    let each = |index: usize, row: Value| {
        if let Some(row) = draft.row::<T>(collection, index, row) {
            take(draft, index, row);
        }
    };
    client.list(operation, query, each).await
}

/// People of other locations whom something here names: looked up one by one.
pub(super) async fn strangers(client: &Client, draft: &mut Draft<'_>) -> Result<(), PlatformError> {
    let unknown: Vec<String> = std::mem::take(&mut draft.unknown).into_iter().collect();
    let known: HashSet<String> = draft.strangers.iter().cloned().collect();
    let wanted: Vec<&String> = unknown.iter().filter(|id| !known.contains(*id)).collect();
    if wanted.len() > MOST_LOOKED_UP {
        return Err(PlatformError::malformed(format_args!(
            "{} people are named by bookings and subscriptions from {} and are not among its memberships; nothing is taken from it, and the next fetch tries again",
            wanted.len(),
            client.http.place()
        )));
    }
    for (index, id) in wanted.into_iter().enumerate() {
        let row: Option<Membership> = client.object(&MEMBERSHIPS, &[id], Some("membership")).await?;
        match row {
            Some(row) if row.id == *id && !draft.is_over(&row) => draft.member(index, row),
            _ => draft.nobody(id),
        }
    }
    Ok(())
}

/// The day passes of those who have some. A balance is one request for each customer, so it is read again only when the
/// number of passes changed, one lapsed, or an hour has passed.
pub(super) async fn balances(
    client: &Client,
    draft: &mut Draft<'_>,
    cache: &mut Balances,
) -> Result<(), PlatformError> {
    let now = client.now();
    for customer in std::mem::take(&mut draft.has_passes) {
        let id = customer.customer.clone();
        if cache.get(&customer, now).is_none() {
            let found: Option<Map<String, Value>> =
                client.object(&BALANCES, &[&id, "day_passes"], None).await?;
            let list = found
                .and_then(|mut body| body.remove("balances"))
                .unwrap_or_default();
            let mut rows = Vec::new();
            if let Value::Array(list) = list {
                for (index, row) in list.into_iter().enumerate() {
                    rows.extend(draft.row::<Balance>("passes", index, row));
                }
            }
            let known = Known {
                count: customer.count,
                read: now,
                rows,
            };
            cache.0.insert(id.clone(), known);
        }
        if let Some(known) = cache.0.get(&id) {
            let rows = known.rows.clone();
            draft.passes(&id, customer.company, &rows);
        }
    }
    Ok(())
}

fn instant(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |at| at.to_string())
}
