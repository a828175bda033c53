//! The space as it is at first: one location in Madrid, two floors, rooms, a desk, an office, three plans, a company of two.

use super::{CARD_PROPERTY, state::State};
use serde_json::{Value, json};

/// Every scope that the gateway may ask for.
pub(super) const SCOPES: &[&str] = &[
    "flex.community.members.read",
    "flex.community.members.update",
    "flex.community.companies.read",
    "flex.community.memberships.read",
    "flex.community.visitors.read",
    "flex.community.checkins.read",
    "flex.community.checkins.create",
    "flex.space.bookings.read",
    "flex.space.resources.read",
    "flex.space.assignments.read",
    "flex.space.floors.read",
    "flex.space.locations.read",
    "flex.space.passes.read",
    "flex.billing.plans.read",
    "flex.settings.webhooks.read",
    "flex.settings.webhooks.create",
];

/// The plan that includes day passes.
pub(super) const PASS_PLAN: &str = "Day passes";

pub(super) fn space(state: &mut State) {
    state.granted = SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    let location = state.insert(
        "locations",
        json!({"name": "Riverside", "timezone": "Europe/Madrid", "isOpen": true}),
    );
    let ground = state.insert("floors", json!({"name": "Ground floor", "location": location}));
    let first = state.insert("floors", json!({"name": "First floor", "location": location}));
    for (name, kind) in [
        ("Full time", "desk"),
        ("Hot desk", "hotdesk"),
        (PASS_PLAN, "hotdesk"),
    ] {
        state.insert(
            "plans",
            json!({"name": name, "type": kind, "locations": [location]}),
        );
    }
    for (name, kind, floor) in [
        ("Meeting room", "meeting_room", &ground),
        ("Phone booth", "meeting_room", &ground),
        ("Desk 7", "desk", &first),
    ] {
        state.insert(
            "resources",
            json!({"name": name, "type": kind, "location": location, "floor": floor, "parents": []}),
        );
    }
    let office = state.insert(
        "resources",
        json!({"name": "Office 2", "type": "team_room", "location": location, "floor": first, "parents": []}),
    );
    // A desk inside an office has no floor of its own.
    state.insert(
        "resources",
        json!({"name": "Desk 2a", "type": "desk_tr", "location": location, "parents": [office]}),
    );
    let company = state.insert(
        "companies",
        json!({"name": "Two Oars", "email": "oars@example.org", "location": location, "status": "active"}),
    );
    for name in ["Olga Oar", "Omar Oar"] {
        let email = format!(
            "{}@example.org",
            name.split(' ').next().unwrap_or_default().to_lowercase()
        );
        let mut row = member(name, &email, &location);
        if let Some(fields) = row.as_object_mut() {
            fields.insert("company".into(), json!(company));
        }
        state.insert("members", row);
    }
}

/// A member as the platform has one.
pub(super) fn member(name: &str, email: &str, location: &str) -> Value {
    json!({
        "name": name,
        "email": email,
        "phone": "",
        "location": location,
        "company": null,
        "status": "active",
        "properties": {CARD_PROPERTY: ""},
    })
}
