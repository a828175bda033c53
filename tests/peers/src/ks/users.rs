//! People, guests, their keys, and tags. A person has two ids: of the site, and of the platform.

use super::{
    lists,
    reply::{Answer, Fields, Refusal, Reply, Request},
    sites::{role, uuid},
    state::{State, Tag, User},
};
use serde_json::{Value, json};

const FLAGS: [&str; 3] = [
    "override_privacy_mode",
    "toggle_easy_office_mode",
    "toggle_manual_office_mode",
];
const KNOWN: &[&str] = &[
    "first_name",
    "last_name",
    "email",
    "alias",
    "role_ids",
    "tag_id",
    "blocked",
    "use_pin",
    "override_privacy_mode",
    "toggle_easy_office_mode",
    "toggle_manual_office_mode",
];
const FILTERS: &[&str] = &[
    "id",
    "alias",
    "blocked",
    "subscription_state",
    "user/id",
    "user/email",
    "user/first_name",
    "user/last_name",
    "user/tag_number",
];

pub(super) fn route(state: &mut State, request: &Request, parts: &[&str]) -> Answer {
    match (request.method.as_str(), parts) {
        ("GET", ["users"]) => list(state, request),
        ("POST", ["users"]) => create(state, request),
        ("POST", ["guests"]) => guest(state, request),
        ("GET", ["users", id]) => {
            let index = find(state, id)?;
            user_row(state, index).map(|row| Reply::ok(&row))
        }
        ("PATCH", ["users", id]) => change(state, request, id),
        ("DELETE", ["users", id]) => delete(state, id),
        ("PATCH", ["users", id, "subscription"]) => subscription(state, request, id),
        ("GET", ["users", id, "keys"]) => keys(state, id),
        ("PUT", ["users", id, "pin"]) => pin(state, request, id),
        ("GET", ["tags"]) => tags(state, request),
        ("GET", ["tags", id]) => one_tag(state, id),
        (
            _,
            ["users" | "guests" | "tags"]
            | ["users" | "tags", _]
            | ["users", _, "subscription" | "keys" | "pin"],
        ) => Ok(Reply::empty(405)),
        _ => Ok(Reply::empty(404)),
    }
}

/// A site user as lists show it.
pub(super) fn row(state: &State, user: &User) -> Value {
    let tag = state.tags.iter().find(|tag| Some(&tag.id) == user.tag.as_ref());
    // What is not spread yet has no roles.
    let spread = user.spreading.tries == 0 && state.now() >= user.spreading.until;
    let roles: Vec<Value> = user
        .roles
        .iter()
        .filter(|_| spread)
        .map(|id| role(state, id))
        .collect();
    json!({
        "id": user.id,
        "user": platform_row(state, user),
        "roles": roles,
        "alias": user.alias,
        "remote_access": false,
        "blocked": user.blocked,
        "tag_owned_by_this_site": tag.is_some_and(|tag| !tag.elsewhere),
        "subscription_state": if user.suspended { "suspended" } else { "subscribed" },
        "override_privacy_mode": user.flags[0],
        "toggle_easy_office_mode": user.flags[1],
        "toggle_manual_office_mode": user.flags[2],
        "use_pin": user.use_pin,
        "expires_at": user.expires_at,
        "data_removal_expires_at": null,
    })
}

/// The person behind a site user, as members of groups show it.
pub(super) fn platform_row(state: &State, user: &User) -> Value {
    let tag = state.tags.iter().find(|tag| Some(&tag.id) == user.tag.as_ref());
    json!({
        "id": user.platform, "email": user.email, "first_name": user.first_name, "last_name": user.last_name,
        "tag_number": tag.map(|tag| &tag.number), "is_managed_by_current_site": user.email.is_none(),
        "has_profile": user.email.is_some(), "image_url": null,
    })
}

fn user_row(state: &State, index: usize) -> Result<Value, Refusal> {
    let user = state.users.get(index).ok_or_else(|| Refusal::not_found("User"))?;
    Ok(row(state, user))
}

fn list(state: &mut State, request: &Request) -> Answer {
    let users = state.users.iter().filter(|user| state.listed(user.spreading));
    let rows = users.map(|user| row(state, user)).collect();
    let shape = state.manners.users;
    lists::list(state, request, FILTERS, shape, rows)
}

pub(super) fn me(state: &State) -> Answer {
    let me = state
        .person(&state.me)
        .ok_or_else(|| Refusal::not_found("User"))?;
    Ok(Reply::ok(&row(state, me)))
}

/// The place of a site user, by the site's id only.
fn find(state: &State, id: &str) -> Result<usize, Refusal> {
    let id = uuid(id)?;
    let found = state.users.iter().position(|user| user.id == id);
    found.ok_or_else(|| Refusal::not_found("User"))
}

/// The same, for something that a person who is too new is not allowed.
fn settled(state: &mut State, id: &str) -> Result<usize, Refusal> {
    let (index, now) = (find(state, id)?, state.now());
    let user = state.users.get_mut(index);
    if user.is_some_and(|user| user.spreading.passed(now)) {
        Ok(index)
    } else {
        Err(Refusal::forbidden())
    }
}

fn apply(state: &State, fields: &Fields, user: &mut User) -> Result<(), Refusal> {
    for (name, place) in [
        ("first_name", &mut user.first_name),
        ("last_name", &mut user.last_name),
        ("alias", &mut user.alias),
    ] {
        if let Some(text) = fields.text(name)? {
            if text.trim().is_empty() {
                return Err(Refusal::field(format!("{name} is required")));
            }
            *place = text;
        }
    }
    if let Some(email) = fields.text("email")? {
        let taken = |other: &&User| other.email.as_deref() == Some(&email) && other.id != user.id;
        if !email.contains('@') {
            return Err(Refusal::validation("email is not valid"));
        }
        if state.users.iter().any(|other| taken(&other)) {
            return Err(Refusal::field("A user with this email is at this site already"));
        }
        user.email = Some(email);
    }
    if let Some(roles) = fields.texts("role_ids")? {
        let known = |id: &String| state.roles.iter().any(|(role, _)| role == id);
        if roles.is_empty() || !roles.iter().all(known) {
            return Err(Refusal::not_found("Role"));
        }
        user.roles = roles;
    }
    if fields.has("tag_id") {
        user.tag = fields
            .text("tag_id")?
            .map(|id| free_tag(state, &id, &user.id))
            .transpose()?;
    }
    for (name, place) in [("blocked", &mut user.blocked), ("use_pin", &mut user.use_pin)] {
        *place = fields.flag(name)?.unwrap_or(*place);
    }
    for (name, place) in FLAGS.iter().zip(&mut user.flags) {
        *place = fields.flag(name)?.unwrap_or(*place);
    }
    Ok(())
}

/// A tag of this site that nobody else has.
fn free_tag(state: &State, id: &str, user: &str) -> Result<String, Refusal> {
    let tag = state.tags.iter().find(|tag| tag.id == id && !tag.elsewhere);
    let tag = tag.ok_or_else(|| Refusal::not_found("Tag"))?;
    let holder = state
        .users
        .iter()
        .find(|other| other.tag.as_ref() == Some(&tag.id));
    if holder.is_some_and(|holder| holder.id != user) {
        return Err(Refusal::field("The tag is assigned to another user"));
    }
    Ok(tag.id.clone())
}

fn create(state: &mut State, request: &Request) -> Answer {
    let fields = Fields::of(request, KNOWN, &["first_name", "last_name", "alias", "role_ids"])?;
    let mut user = User::default();
    apply(state, &fields, &mut user)?;
    let row = admit(state, user);
    Ok(Reply::json(201, &row))
}

/// Above the seats somebody is made all the same, and opens nothing.
fn admit(state: &mut State, mut user: User) -> Value {
    user.id = state.id(0x51);
    user.platform = state.id(0x9e);
    user.suspended = state.taken() >= state.seats;
    user.spreading = state.spreading();
    let row = row(state, &user);
    state.users.push(user);
    row
}

fn guest(state: &mut State, request: &Request) -> Answer {
    let fields = Fields::of(request, &["alias", "expires_at"], &["alias", "expires_at"])?;
    let role = state.roles.iter().find(|(_, code)| code == "site_guest");
    let user = User {
        alias: fields.text("alias")?.unwrap_or_default(),
        expires_at: fields.text("expires_at")?,
        roles: role.map(|(id, _)| vec![id.clone()]).unwrap_or_default(),
        ..User::default()
    };
    Ok(Reply::json(201, &admit(state, user)))
}

fn change(state: &mut State, request: &Request, id: &str) -> Answer {
    let fields = Fields::of(request, KNOWN, &[])?;
    let index = settled(state, id)?;
    let mut user = state.users.get(index).cloned().unwrap_or_default();
    apply(state, &fields, &mut user)?;
    if let Some(place) = state.users.get_mut(index) {
        *place = user;
    }
    Ok(Reply::ok(&user_row(state, index)?))
}

fn delete(state: &mut State, id: &str) -> Answer {
    let index = find(state, id)?;
    let gone = state.users.remove(index);
    for group in &mut state.groups {
        group.members.retain(|member| member.user != gone.platform);
    }
    Ok(Reply::empty(202))
}

/// Without a free seat nothing happens, and nothing says so.
fn subscription(state: &mut State, request: &Request, id: &str) -> Answer {
    let fields = Fields::of(request, &["state"], &["state"])?;
    let index = settled(state, id)?;
    let free = state.taken() < state.seats;
    let Some(user) = state.users.get_mut(index) else {
        return Err(Refusal::not_found("User"));
    };
    match fields.text("state")?.as_deref() {
        Some("suspended") => user.suspended = true,
        Some("subscribed") => user.suspended = user.suspended && !free,
        _ => return Err(Refusal::validation("state is not valid")),
    }
    Ok(Reply::empty(204))
}

fn keys(state: &State, id: &str) -> Answer {
    let user = state.users.get(find(state, id)?);
    let pin = user.and_then(|user| user.pin.as_ref());
    let items: Vec<Value> = pin
        .map(
            |_| json!({"type": "pin", "key_identifier": "pin", "expiry_date": null, "offline_access": false}),
        )
        .into_iter()
        .collect();
    Ok(Reply::ok(
        &json!({"items": items, "next_page_link": null, "count": null}),
    ))
}

/// A PIN comes as a bare text.
fn pin(state: &mut State, request: &Request, id: &str) -> Answer {
    Fields::of(request, &["expiry_date"], &[])?;
    let index = settled(state, id)?;
    let pin = format!("{:06}", (state.asked.len() * 7_919 + 104_729) % 1_000_000);
    if let Some(user) = state.users.get_mut(index) {
        user.pin = Some(pin.clone());
    }
    Ok(Reply::ok(&json!(pin)))
}

fn tag_row(tag: &Tag) -> Value {
    json!({"id": tag.id, "tag_number": tag.number, "added_date": "2026-01-05T09:00:00Z"})
}

/// Tags of another site are not in the list.
fn tags(state: &mut State, request: &Request) -> Answer {
    let here = state.tags.iter().filter(|tag| !tag.elsewhere);
    let rows = here.map(tag_row).collect();
    let shape = state.manners.lists;
    lists::list(state, request, &["id", "tag_number"], shape, rows)
}

fn one_tag(state: &State, id: &str) -> Answer {
    let id = uuid(id)?;
    let tag = state.tags.iter().find(|tag| tag.id == id && !tag.elsewhere);
    Ok(Reply::ok(&tag_row(tag.ok_or_else(|| Refusal::not_found("Tag"))?)))
}
