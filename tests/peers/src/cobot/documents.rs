//! Objects of API 2 as JSON:API, with every field that the vendor's document requires.

use super::{
    jsonapi::{link, optional_link, price, put},
    time,
    world::{Allocation, Booking, DropIn, External, Member, PlanRow, Resource, Session, Team},
};
use serde_json::{Value, json};

pub(super) fn session(it: &Session, space: &str) -> Value {
    json!({
        "type": "checkIns", "id": it.id,
        "attributes": { "validFrom": time::iso(it.from), "validUntil": time::iso(it.until) },
        "relationships": {
            "space": link("spaces", space), "membership": link("memberships", &it.membership),
        },
    })
}

pub(super) fn member(it: &Member, space: &str) -> Value {
    let mut relationships = json!({ "space": link("spaces", space) });
    if let Some(team) = &it.team {
        put(&mut relationships, "team", link("teams", team));
    }
    json!({
        "type": "memberships", "id": it.id,
        "attributes": {
            "name": it.name, "email": it.email, "phone": null, "company": null,
            "confirmedAt": it.confirmed, "canceledAt": it.canceled, "photo": null,
        },
        "relationships": relationships,
    })
}

pub(super) fn plan_row(it: &PlanRow) -> Value {
    json!({
        "type": "membershipPlans", "id": it.id,
        "attributes": {
            "accountingCode": null, "cycleDuration": 1, "name": it.name, "pricePerCycle": price(),
            "startsAt": it.starts, "canceledAt": it.canceled, "extras": [], "description": "",
        },
        "relationships": { "membership": link("memberships", &it.membership) },
    })
}

pub(super) fn team(it: &Team, space: &str) -> Value {
    let address = json!({
        "name": null, "company": it.name, "fullAddress": "Calle Mayor 1\n28013 Madrid", "street": null,
        "postCode": null, "city": null, "state": null, "countryCode": "ES",
    });
    json!({
        "type": "teams", "id": it.id,
        "attributes": {
            "name": it.name, "taxId": null, "customerNumber": "1", "photo": null,
            "billingAddress": address, "billingEmails": [],
        },
        "relationships": { "space": link("spaces", space) },
    })
}

pub(super) fn resource(it: &Resource, space: &str) -> Value {
    let pricing = json!({
        "currency": "EUR", "pricePerHour": price(), "discounts": [], "priceCap": null, "priceCaps": [],
        "taxes": [],
    });
    let availability = format!("/resources/{}/availability", it.id);
    json!({
        "type": "resources", "id": it.id,
        "attributes": {
            "name": it.name, "resourceType": it.kind,
            "usage": if it.allocatable { "allocatable" } else { "bookable" },
            "hidden": false, "units": 1, "capacity": 6, "bookingTimes": it.times, "bookingTimesString": null,
            "accountingCode": null, "areaPreferredUnit": "sqm", "costCenter": null, "revenueAccount": null,
            "area": [{ "unit": "sqm", "number": 12 }, { "unit": "sqft", "number": null }],
            "canBook": true, "bookingCutoff": 0, "cancellationPeriod": 0, "color": "#3366CC",
            "description": null, "maxBookingDuration": null, "minBookingDuration": 15,
            "onlyAdminsCanBook": false, "photo": null, "pricing": pricing,
        },
        "relationships": {
            "categories": { "data": [] }, "space": link("spaces", space),
            "resourceAvailability": { "links": { "related": availability } },
        },
    })
}

pub(super) fn booking(it: &Booking, space: &str) -> Value {
    let attendees: Vec<Value> = it
        .attendees
        .iter()
        .map(|email| json!({ "email": email }))
        .collect();
    json!({
        "type": "bookings", "id": it.id,
        "attributes": {
            "from": time::iso(it.from), "to": time::iso(it.until), "name": null, "title": null, "units": 1,
            "canUpdate": true, "cancellationPeriod": 0, "attendees": attendees,
        },
        "relationships": {
            "membership": optional_link("memberships", it.membership.as_deref()),
            "resource": link("resources", &it.resource), "space": link("spaces", space),
            "externalBooking": optional_link("externalBookings", it.external.as_deref()),
        },
    })
}

pub(super) fn external(it: &External, space: &str) -> Value {
    let mut total = price();
    put(&mut total, "taxes", json!([]));
    json!({
        "type": "externalBookings", "id": it.id,
        "attributes": {
            "from": time::iso(it.from), "to": time::iso(it.until), "price": price(), "totalPrice": total,
            "name": it.name, "email": it.email, "numberOfVisitors": 1, "acceptedTerms": true,
            "status": it.status, "canUpdate": true, "accountingCode": null, "title": null, "bookingExtras": [],
        },
        "relationships": {
            "resource": link("resources", &it.resource), "space": link("spaces", space),
            "invoices": { "data": [] }, "paymentMethod": { "data": null },
            "contact": optional_link("contacts", it.contact.as_deref()),
        },
    })
}

pub(super) fn allocation(it: &Allocation, space: &str) -> Value {
    let kind = if it.team { "teams" } else { "memberships" };
    json!({
        "type": "allocations", "id": it.id,
        "attributes": {
            "startsAt": it.starts, "canceledTo": it.canceled, "cycleDuration": 1, "minimumCommitment": 0,
            "recurringMinimumCommitment": false, "cancellationPeriod": null, "pricePerCycle": price(),
        },
        "relationships": {
            "resource": link("resources", &it.resource), "space": link("spaces", space),
            "allocatee": link(kind, &it.to),
        },
    })
}

pub(super) fn drop_in(it: &DropIn, space: &str) -> Value {
    json!({
        "type": "dropInPasses", "id": it.id,
        "attributes": {
            "name": it.name, "email": it.email, "phone": null, "price": price(), "comments": null,
            "taxId": null, "billingAddress": { "name": it.visitor, "company": null }, "validOn": it.day,
            "onboardingInstructions": null, "timeAvailability": it.times, "status": it.status,
        },
        "relationships": {
            "space": link("spaces", space), "dropInPassTemplate": { "data": null },
            "contact": optional_link("contacts", it.contact.as_deref()),
        },
    })
}
