//! Everything as the platform spells it, with all that its document requires, and times as it writes them.

use super::space::{Booking, Company, Customer, Item, Member, Plan, Resource, Space, Subscription};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// When everything was created: of no interest to a gateway.
const CREATED: &str = "2026-01-05T08:00:00.000Z";

/// Milliseconds always, and `Z`.
pub(super) fn date(at: i64) -> String {
    let text = Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    format!(
        "{}.{:03}Z",
        text.strftime("%Y-%m-%dT%H:%M:%S"),
        at.rem_euclid(1_000)
    )
}

/// Absent rather than null, as the platform does.
fn set(object: &mut Value, key: &str, value: Option<impl Into<Value>>) {
    if let (Value::Object(object), Some(value)) = (object, value) {
        object.insert(key.into(), value.into());
    }
}

pub(super) fn location(space: &Space, id: &str) -> Value {
    let title = if id == space.location {
        "Riverside"
    } else {
        "Hillside"
    };
    json!({
        "address": "Calle Mayor 1", "createDate": CREATED, "currencyCode": "EUR", "description": "",
        "email": "hello@example.com", "id": id, "locale": "es", "networkRef": space.network,
        "timezoneId": "Europe/Madrid", "title": title
    })
}

fn user(member: &Member) -> Value {
    json!({ "email": member.email, "id": member.user, "name": member.name, "surname": member.surname })
}

pub(super) fn member(space: &Space, member: &Member) -> Value {
    let mut row = json!({
        "createDate": CREATED,
        "credits": { "expiring": 0, "permanent": 0 },
        "dayPasses": { "expiring": space.day_passes(&member.id) },
        "id": member.id, "locationRef": member.location,
        "metadata": Value::Object(member.metadata.clone()),
        "notes": "", "role": "member", "status": member.status, "type": member.kind,
        "user": user(member), "userRef": member.user
    });
    set(&mut row, "companyRef", member.company.clone());
    set(&mut row, "companyRole", member.company.as_ref().map(|_| "member"));
    set(&mut row, "deleteDate", member.deleted.map(date));
    row
}

pub(super) fn company(space: &Space, company: &Company) -> Value {
    let mut row = json!({
        "createDate": CREATED, "dayPasses": { "expiring": space.day_passes(&company.id) },
        "id": company.id, "locationRef": space.location, "metadata": Map::new(), "notes": "",
        "title": company.title
    });
    set(&mut row, "deleteDate", company.deleted.map(date));
    row
}

fn discounts() -> Value {
    json!({ "creditPackages": 0, "desks": 0, "equipment": 0, "events": 0, "rooms": 0, "shop": 0 })
}

pub(super) fn plan(space: &Space, plan: &Plan) -> Value {
    let mut access = json!({});
    set(&mut access, "saltoksAccessGroupRef", plan.salto.clone());
    json!({
        "access": access, "addons": [], "commitmentCycles": 0, "createDate": CREATED, "credits": 0,
        "customTax": { "enabled": false, "rate": 0 }, "dayPasses": plan.day_passes, "description": "",
        "discounts": discounts(), "exclusiveAccess": { "benefitRefs": [], "resourceRefs": [] },
        "grantedDiscounts": [], "id": plan.id, "locale": "en", "locationRef": space.location,
        "period": "month", "price": 100, "selfSignup": { "enabled": true, "type": "immediate" },
        "setupFee": 0, "title": plan.title
    })
}

pub(super) fn resource(space: &Space, resource: &Resource) -> Value {
    let bounds = json!({ "enabled": false, "min": 15, "max": 1_440 });
    let mut row = json!({
        "assignments": [], "bookingPermission": "public", "bufferTime": "zeroMinutes", "children": [],
        "confirmationEmail": {
            "bookingCreatedByAdmin": true, "bookingCreatedByMember": true,
            "bookingCreatedByNetworkMember": true, "bookingCreatedByPublic": true, "template": ""
        },
        "createDate": CREATED, "credits": { "enabled": false, "tiers": [] }, "description": "",
        "duration": { "min": 15, "max": 1_440, "public": bounds },
        "dynamicPricing": { "deltaAbove": 0, "deltaBelow": 0, "enabled": false },
        "id": resource.id, "locale": "en", "locationRef": space.location, "media": [],
        "money": { "enabled": false, "tiers": [] }, "networkRef": space.network,
        "preparationMinutes": "zeroMinutes", "refundThreshold": "noRefund", "title": resource.title,
        "type": resource.kind, "visibility": "public"
    });
    set(&mut row, "schedule", resource.schedule.clone());
    row
}

/// The status that a subscription has at a moment.
pub(super) fn status(subscription: &Subscription, now: i64) -> &'static str {
    if subscription.deleted.is_some() || subscription.end.is_some_and(|end| end <= now) {
        "canceled"
    } else if subscription.incomplete {
        "incomplete"
    } else if subscription.start > now {
        "scheduled"
    } else {
        "active"
    }
}

fn customer(space: &Space, customer: &Customer) -> Value {
    match customer {
        Customer::Company(id) => {
            let company = space.companies.iter().find(|company| company.id == *id);
            json!({ "id": id, "type": "company", "title": company.map(|company| company.title.clone()).unwrap_or_default() })
        }
        Customer::User(id) => {
            let mut row = json!({ "id": id, "type": "user" });
            let member = space.members.iter().find(|member| member.id == *id);
            set(&mut row, "user", member.map(user));
            row
        }
    }
}

fn item(space: &Space, item: &Item) -> Value {
    let plan = item
        .plan
        .as_ref()
        .and_then(|id| space.plans.iter().find(|plan| plan.id == *id));
    let mut row = json!({
        "autoUpdateFromProduct": true, "createDate": CREATED, "credits": 0,
        "customEnd": item.end.is_some(), "customStart": item.start.is_some(),
        "customTax": { "enabled": false, "rate": 0 }, "dayPasses": item.day_passes, "endFixed": false,
        "grantedDiscounts": [], "id": item.id, "price": 100, "quantity": 1, "saltoksAccessGroupRef": item.salto,
        "setupFee": 0, "startFixed": false, "type": "recurring"
    });
    set(&mut row, "planRef", item.plan.clone());
    set(
        &mut row,
        "plan",
        plan.map(|plan| json!({ "id": plan.id, "title": plan.title })),
    );
    set(&mut row, "startDate", item.start.map(date));
    set(&mut row, "endDate", item.end.map(date));
    row
}

pub(super) fn subscription(space: &Space, subscription: &Subscription, now: i64) -> Value {
    let assigned = |(id, resource): &(String, String)| {
        let known = space.resources.iter().find(|known| known.id == *resource);
        let (title, kind) = known.map_or((String::new(), "office"), |known| {
            (known.title.clone(), known.kind)
        });
        json!({
            "id": id, "entire": true, "title": title,
            "resource": { "id": resource, "title": title, "type": kind }
        })
    };
    let paid = json!({ "creditPackages": true, "desks": true, "events": true, "rooms": true, "shop": true });
    let items: Vec<Value> = subscription.items.iter().map(|line| item(space, line)).collect();
    let day_passes: u32 = subscription.items.iter().map(|line| line.day_passes).sum();
    let mut row = json!({
        "addPendingItemsToInvoice": false, "advanceInvoicing": { "days": 0, "type": "default" },
        "assignments": subscription.assignments.iter().map(assigned).collect::<Vec<_>>(),
        "billingCycleAnchor": "any", "createDate": CREATED, "credits": 0,
        "customer": customer(space, &subscription.customer), "customerRef": subscription.customer.id(),
        "dayPasses": day_passes, "id": subscription.id, "items": items, "locationRef": space.location,
        "networkRef": space.network, "payWithInvoice": paid, "period": "month", "price": 100,
        "startDate": date(subscription.start), "startFixed": false, "status": status(subscription, now),
        "subscriptionType": "user", "timezoneId": "Europe/Madrid"
    });
    match &subscription.customer {
        Customer::User(id) => {
            set(&mut row, "membershipRef", Some(id.clone()));
            let member = space.members.iter().find(|member| member.id == *id);
            set(&mut row, "userRef", member.map(|member| member.user.clone()));
        }
        Customer::Company(id) => {
            set(&mut row, "companyRef", Some(id.clone()));
            set(&mut row, "subscriptionType", Some("company"));
        }
    }
    set(&mut row, "endDate", subscription.end.map(date));
    set(&mut row, "deleteDate", subscription.deleted.map(date));
    let pause = json!({ "behavior": "draft", "createDate": CREATED });
    set(
        &mut row,
        "pausePaymentCollection",
        subscription.paused.then_some(pause),
    );
    row
}

/// One occurrence, or the series itself when `occurrence` is absent.
pub(super) fn booking(space: &Space, booking: &Booking, occurrence: Option<u32>) -> Value {
    let by_user = |id: &String| space.members.iter().find(|member| member.user == *id).map(user);
    let attendee = |invited: &Result<String, String>| match invited {
        Ok(membership) => {
            let mut row = json!({ "membershipRef": membership });
            let member = space.members.iter().find(|member| member.id == *membership);
            set(&mut row, "user", member.map(user));
            row
        }
        Err(email) => json!({ "user": { "id": space.network, "email": email } }),
    };
    let (start, end) = times(booking, occurrence.unwrap_or(0));
    let id = match (occurrence, booking.repeat) {
        (Some(_), Some(_)) => format!("{}_{}", booking.id, date(start)),
        _ => booking.id.clone(),
    };
    let mut row = json!({
        "attendees": booking.attendees.iter().map(attendee).collect::<Vec<_>>(),
        "createDate": CREATED, "endDate": date(end), "entire": true, "id": id,
        "membershipRefOwner": booking.owner.id(), "resourceRef": booking.resource, "seats": 1,
        "startDate": date(start)
    });
    set(&mut row, "userOwner", booking.user.as_ref().and_then(by_user));
    set(&mut row, "deleteDate", booking.deleted.map(date));
    row
}

/// Start and end of an occurrence.
pub(super) fn times(booking: &Booking, occurrence: u32) -> (i64, i64) {
    let days = booking.repeat.map_or(0, |(days, _)| days);
    let by = i64::from(days)
        .saturating_mul(i64::from(occurrence))
        .saturating_mul(86_400_000);
    (booking.start.saturating_add(by), booking.end.saturating_add(by))
}

pub(super) fn balances(space: &Space, customer: &str) -> Value {
    let rows = space
        .balances
        .get(customer)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let rows = rows.iter().map(|balance| {
        let mut row =
            json!({ "allocation": balance.allocation, "amount": balance.amount, "crossLocationUsage": 0 });
        set(&mut row, "expirationDate", balance.expires.map(date));
        set(&mut row, "subscriptionRef", balance.subscription.clone());
        row
    });
    json!({ "balances": rows.collect::<Vec<_>>() })
}
