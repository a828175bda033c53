//! One step as a request. A step that finds its work done is done.

use crate::{
    domain::{Credential, Millis, PersonId},
    salto::{
        KsError, KsKind,
        actual::{At, User},
        client::{V1_1, V1_2},
        links::{Link, Rest},
        model::SiteUser,
        plan::Act,
    },
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// More tags than this, and the whole list is read instead of each.
const FEW: usize = 4;

/// Ids that a step needs.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) link: Option<Link>,
    pub(super) user: Option<(String, User)>,
    pub(super) group: Option<String>,
    pub(super) tag: Option<String>,
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Done {
    /// A person's user, as it is now.
    User {
        person: PersonId,
        link: Link,
        user: User,
    },
    /// Something with this id.
    Made(String),
    Plain,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Tag {
    id: String,
    tag_number: String,
}

/// The number of a tag as KS writes it. It goes to KS and nowhere else.
fn number(tag: &Credential) -> String {
    tag.reveal_in_full().trim_start_matches("ks:").to_owned()
}

/// The ids of tags. Those that KS does not have are left out.
pub(super) async fn tags(
    at: &At,
    wanted: &BTreeSet<Credential>,
) -> Result<BTreeMap<Credential, String>, KsError> {
    let (path, what) = (at.path(&["tags"]), "look a tag up");
    let mut found: Vec<Tag> = Vec::new();
    if wanted.len() > FEW {
        found = at.connect.list(V1_2, &path, &[], "list the tags").await?;
    } else {
        for tag in wanted {
            let filter = format!("tag_number eq '{}'", number(tag));
            found.extend(
                at.connect
                    .list::<Tag>(V1_2, &path, &[("$filter", &filter)], what)
                    .await?,
            );
        }
    }
    let ids = found.into_iter().filter_map(|tag| {
        let number = Credential::ks_tag(&tag.tag_number).ok()?;
        wanted.contains(&number).then_some((number, tag.id))
    });
    Ok(ids.collect())
}

/// What must be written down before a step is sent: what it takes from a user. A start after a death in between must not
/// take it for the work of somebody's hand, which stays.
pub(super) fn beforehand(act: &Act, order: &Order) -> Option<(PersonId, Link)> {
    let rest = match act {
        Act::Block { .. } => Rest::Blocked,
        Act::Suspend { .. } => Rest::Idle,
        _ => return None,
    };
    let (person, mut link) = (act.person()?.clone(), order.link.clone()?);
    link.rests.insert(rest).then_some((person, link))
}

/// Sends a step.
pub(super) async fn send(
    at: &At,
    role: &str,
    act: &Act,
    order: &Order,
    now: Millis,
) -> Result<Done, KsError> {
    match act {
        Act::Adopt { person, .. } => Ok(adopted(person, order)),
        Act::CreateUser {
            person,
            alias,
            name,
            email,
            ..
        } => create(at, role, (person, alias, name, email.as_deref()), order, now).await,
        Act::Rename { .. }
        | Act::GiveTag { .. }
        | Act::TakeTag { .. }
        | Act::Block { .. }
        | Act::Unblock { .. }
        | Act::Suspend { .. }
        | Act::Subscribe { .. } => change(at, act, order).await,
        _ => group(at, act, order).await,
    }
}

fn adopted(person: &PersonId, order: &Order) -> Done {
    let Some((site_user, user)) = order.user.clone() else {
        return Done::Plain;
    };
    let link = Link {
        site_user,
        user: user.user.clone(),
        alias: user.alias.clone(),
        tag: None,
        made: None,
        // Whoever was at rest before anybody knew whose user it is gets a seat once one is free.
        rests: user.suspended.then_some(Rest::NoSeat).into_iter().collect(),
    };
    Done::User {
        person: person.clone(),
        link,
        user,
    }
}

async fn create(
    at: &At,
    role: &str,
    (person, alias, name, email): (&PersonId, &str, &str, Option<&str>),
    order: &Order,
    now: Millis,
) -> Result<Done, KsError> {
    // KS wants two names; who has one has a dash for the other.
    let (first, last) = name.rsplit_once(' ').unwrap_or((name, "-"));
    let mut body = json!({
        "first_name": first, "last_name": last, "alias": alias, "role_ids": [role], "blocked": false, "use_pin": false,
        "override_privacy_mode": false, "toggle_easy_office_mode": false, "toggle_manual_office_mode": false,
    });
    if let Some(body) = body.as_object_mut() {
        body.extend(email.map(|email| ("email".to_owned(), json!(email))));
        body.extend(order.tag.as_ref().map(|tag| ("tag_id".to_owned(), json!(tag))));
    }
    let what = "make a user";
    let answer = at
        .connect
        .change(Method::POST, V1_2, &at.path(&["users"]), Some(&body), false, what)
        .await?;
    let made: SiteUser = understood(at, answer, what)?;
    let user = User::of(&made);
    let link = Link {
        site_user: made.id.clone(),
        user: made.user.id.clone(),
        alias: alias.to_owned(),
        tag: user.tag,
        made: Some(now),
        // Made above the number of seats: 201, and nothing opens.
        rests: made.is_suspended().then_some(Rest::NoSeat).into_iter().collect(),
    };
    Ok(Done::User {
        person: person.clone(),
        link,
        user,
    })
}

/// A change of a user that is there.
async fn change(at: &At, act: &Act, order: &Order) -> Result<Done, KsError> {
    let (Some(person), Some(link)) = (act.person(), &order.link) else {
        return Ok(Done::Plain);
    };
    let mut link = link.clone();
    let id = link.site_user.clone();
    let (rest, body, what) = match act {
        Act::Rename { alias, .. } => (None, json!({ "alias": alias }), "rename a user"),
        Act::GiveTag { .. } => (None, json!({ "tag_id": order.tag }), "give a user a tag"),
        Act::TakeTag { .. } => (None, json!({ "tag_id": null }), "take a user's tag"),
        Act::Block { .. } => (None, json!({ "blocked": true }), "block a user"),
        Act::Unblock { .. } => (None, json!({ "blocked": false }), "unblock a user"),
        Act::Suspend { .. } => (Some("suspended"), Value::Null, "put a user to rest"),
        _ => (Some("subscribed"), Value::Null, "wake a user"),
    };
    match rest {
        Some(state) => {
            let path = at.path(&["users", &id, "subscription"]);
            let body = json!({ "state": state });
            at.connect
                .change(Method::PATCH, V1_2, &path, Some(&body), true, what)
                .await?;
        }
        None => {
            let path = at.path(&["users", &id]);
            at.connect
                .change(Method::PATCH, V1_2, &path, Some(&body), true, what)
                .await?;
        }
    }
    // Without a free seat waking changes nothing and nothing says so: what is there now is what counts.
    let now: SiteUser = at
        .connect
        .get(V1_2, &at.path(&["users", &id]), &[], "read a user")
        .await?;
    let user = User::of(&now);
    match act {
        Act::Rename { alias, .. } => link.alias.clone_from(alias),
        Act::GiveTag { tag, .. } => link.tag = Some(*tag),
        Act::TakeTag { .. } => link.tag = None,
        Act::Block { .. } => drop(link.rests.insert(Rest::Blocked)),
        Act::Unblock { .. } => drop(link.rests.remove(&Rest::Blocked)),
        Act::Suspend { .. } => drop(link.rests.insert(Rest::Idle)),
        _ => {
            link.rests.remove(&Rest::Idle);
            link.rests.remove(&Rest::NoSeat);
            link.rests.extend(user.suspended.then_some(Rest::NoSeat));
        }
    }
    Ok(Done::User {
        person: person.clone(),
        link,
        user,
    })
}

/// A change of a group or in one.
async fn group(at: &At, act: &Act, order: &Order) -> Result<Done, KsError> {
    let own = order.group.as_deref().unwrap_or_default();
    let user = order.link.as_ref().map_or("", |link| link.user.as_str());
    match act {
        Act::CreateGroup { group } => {
            let body = json!({ "customer_reference": group });
            let path = at.path(&["access_groups"]);
            made(at, V1_2, &path, &body, false, "make an access group").await
        }
        Act::DeleteGroup { id, .. } => gone(at, V1_2, &["access_groups", id], "remove an access group").await,
        Act::AddSlot { slot, .. } => {
            let body = json!(slot.to_ks());
            let path = at.path(&["access_groups", own, "time_schedules"]);
            made(at, V1_1, &path, &body, true, "add a time schedule").await
        }
        Act::RemoveSlot { id, schedule, .. } => {
            let path = ["access_groups", id, "time_schedules", schedule];
            gone(at, V1_1, &path, "remove a time schedule").await
        }
        Act::AddLock { lock, .. } => {
            let path = at.path(&["access_groups", own, "locks"]);
            put(
                at,
                V1_1,
                &path,
                &json!({ "lock_id": lock }),
                "add a lock to an access group",
            )
            .await
        }
        Act::RemoveLock { id, lock, .. } => {
            let path = ["access_groups", id, "locks", lock];
            gone(at, V1_1, &path, "remove a lock from an access group").await
        }
        Act::AddMember { .. } => {
            let path = at.path(&["access_groups", own, "users"]);
            put(
                at,
                V1_2,
                &path,
                &json!({ "user_id": user }),
                "put a person in an access group",
            )
            .await
        }
        Act::RemoveMember { id, user, .. } => {
            let path = ["access_groups", id, "users", user];
            gone(at, V1_2, &path, "take a person out of an access group").await
        }
        _ => Ok(Done::Plain),
    }
}

async fn made(
    at: &At,
    version: &str,
    path: &[&str],
    body: &Value,
    patient: bool,
    what: &str,
) -> Result<Done, KsError> {
    let answer = at
        .connect
        .change(Method::POST, version, path, Some(body), patient, what)
        .await?;
    Ok(Done::Made(understood::<Made>(at, answer, what)?.id))
}

/// Puts something in; that it is in already is as good.
async fn put(at: &At, version: &str, path: &[&str], body: &Value, what: &str) -> Result<Done, KsError> {
    let answer = at
        .connect
        .change(Method::POST, version, path, Some(body), true, what)
        .await;
    match answer {
        Err(error) if error.status == Some(409) => Ok(Done::Plain),
        other => other.map(|_| Done::Plain),
    }
}

/// Takes something away; that it is gone already is as good.
async fn gone(at: &At, version: &str, path: &[&str], what: &str) -> Result<Done, KsError> {
    let answer = at
        .connect
        .change(Method::DELETE, version, &at.path(path), None, false, what)
        .await;
    match answer {
        Err(error) if error.kind == KsKind::NotFound => Ok(Done::Plain),
        other => other.map(|_| Done::Plain),
    }
}

fn understood<T: serde::de::DeserializeOwned>(at: &At, answer: Value, what: &str) -> Result<T, KsError> {
    serde_json::from_value(answer).map_err(|error| {
        KsError::new(
            KsKind::Malformed,
            format!(
                "{}: the answer to \"{what}\" was not understood: {error}",
                at.connect.place()
            ),
        )
    })
}
