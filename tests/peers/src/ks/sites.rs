//! Sites, their subscription and roles, and who signed in.

use super::{
    lists,
    reply::{Answer, Refusal, Reply, Request},
    state::State,
};
use serde_json::{Value, json};

/// The readable id of the site, which addresses refuse.
pub const SITE_UID: &str = "ES4520168385";

/// Whether a text looks like a UUID.
pub(super) fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// A text that must be a UUID, as the id of something.
pub(super) fn uuid(text: &str) -> Result<&str, Refusal> {
    if is_uuid(text) {
        Ok(text)
    } else {
        Err(Refusal::field(format!("The value '{text}' is not valid.")))
    }
}

/// Refuses every site but the one.
pub(super) fn is_this(state: &State, site: &str) -> Result<(), Refusal> {
    if uuid(site)? == state.site {
        return Ok(());
    }
    if state.other_sites.iter().any(|other| other.id == site) {
        return Err(Refusal::forbidden());
    }
    Err(Refusal::not_found("Site"))
}

fn row(state: &State) -> Value {
    json!({
        "id": state.site, "site_uid": SITE_UID, "customer_reference": state.site_name,
        "subscribed_user_amount": state.seats, "active_user_amount": state.taken(),
        "active_iq_amount": state.iqs.len(), "pin_enabled": true, "subscription_valid": true,
        "country_code": "ES", "time_zone": state.zone, "owner": {"id": state.me, "tag_number": null},
        "installation_state": "released", "mkey_compatible": true, "store_events_ttl": "90.00:00:00",
    })
}

pub(super) fn list(state: &State) -> Answer {
    let others = state.other_sites.iter().map(|other| {
        json!({
            "id": other.id, "site_uid": "ES4520160001", "customer_reference": other.name,
            "subscribed_user_amount": 10, "active_user_amount": 1, "time_zone": "Europe/Lisbon",
            "subscription_valid": true, "store_events_ttl": "90.00:00:00",
        })
    });
    Ok(Reply::ok(&std::iter::once(row(state)).chain(others).collect()))
}

pub(super) fn one(state: &State) -> Answer {
    Ok(Reply::ok(&row(state)))
}

pub(super) fn subscription(state: &State) -> Answer {
    Ok(Reply::ok(&json!({
        "type": "default", "user_amount": state.seats, "features": state.features,
    })))
}

pub(super) fn role(state: &State, id: &str) -> Value {
    let code = state.roles.iter().find(|(role, _)| role == id);
    let code = code.map(|(_, code)| code.as_str()).unwrap_or_default();
    json!({"id": id, "code": code, "customer_reference": code, "parent_id": null, "is_hierarchical": false})
}

pub(super) fn roles(state: &mut State, request: &Request) -> Answer {
    let rows = state.roles.iter().map(|(id, _)| role(state, id)).collect();
    let shape = state.manners.lists;
    lists::list(state, request, &["code", "customer_reference"], shape, rows)
}

pub(super) fn me(state: &State) -> Answer {
    let me = state.person(&state.me);
    Ok(Reply::ok(&json!({
        "id": state.me, "first_name": me.map(|me| &me.first_name), "last_name": me.map(|me| &me.last_name),
        "phone": null, "email": super::identity::USERNAME, "language": "en", "tag_number": null,
        "tag_rf_id_uid": null, "image_url": null,
    })))
}
