//! Whose entry it is, and at which door.

use super::{map, model::Entry};
use crate::{
    config::model::DoorConfig,
    domain::{Credential, DoorId, PersonId},
    store::{Store, StoreError},
};
use serde::Deserialize;
use std::collections::HashMap;

/// What KS calls each person here: a document a person.
const USERS: &str = "ks-user";
/// Which card a tag is, by the tag's number.
pub const PAIRS: &str = "ks-pair";

/// Who holds a card, by the rights in force.
pub trait Holders: Send + Sync {
    /// The one holder of a card, with the name. Nobody for a card that two people have (R34).
    fn holder(&self, card: &Credential) -> Option<(PersonId, String)>;
}

/// The doors that KS decides.
#[derive(Clone, Debug, Default)]
pub struct Doors(Vec<(String, DoorId)>);

impl Doors {
    /// Those of a configuration.
    #[must_use]
    pub fn new(doors: &[DoorConfig]) -> Self {
        let of_ks = doors
            .iter()
            .filter_map(|door| Some((door.ks_lock.clone()?, door.id.clone())));
        Self(of_ks.collect())
    }

    /// The door of an entry's lock.
    #[must_use]
    pub fn of(&self, entry: &Entry) -> Option<DoorId> {
        let door = self.0.iter().find(|(lock, _)| is_lock(entry, lock));
        door.map(|(_, door)| door.clone())
    }
}

/// Whether an entry happened at the lock of this name or UUID.
pub(in crate::salto) fn is_lock(entry: &Entry, lock: &str) -> bool {
    let is = |said: &Option<String>| {
        said.as_deref()
            .is_some_and(|said| said.trim().eq_ignore_ascii_case(lock.trim()))
    };
    is(&entry.lock_id) || is(&entry.lock_customer_reference)
}

/// Who is who at KS.
#[derive(Debug, Default)]
pub(super) struct People {
    users: HashMap<String, PersonId>,
    pairs: HashMap<Credential, Credential>,
}

#[derive(Deserialize)]
struct UserDoc {
    #[serde(default)]
    user: Option<String>,
}

#[derive(Deserialize)]
struct PairDoc {
    card: Credential,
}

impl People {
    /// What the documents say. Blocks on the disk.
    pub(super) fn read(store: &Store) -> Result<Self, StoreError> {
        let users = store.read().documents(USERS)?;
        let pairs = store.read().documents(PAIRS)?;
        Ok(Self::of(&users, &pairs))
    }

    fn of(users: &[(String, String)], pairs: &[(String, String)]) -> Self {
        let user = |(person, body): &(String, String)| {
            let doc: UserDoc = serde_json::from_str(body).ok()?;
            Some((doc.user?.to_ascii_lowercase(), PersonId::from(person.as_str())))
        };
        let pair = |(tag, body): &(String, String)| {
            let doc: PairDoc = serde_json::from_str(body).ok()?;
            Some((Credential::ks_tag(tag).ok()?, doc.card))
        };
        Self {
            users: users.iter().filter_map(user).collect(),
            pairs: pairs.iter().filter_map(pair).collect(),
        }
    }

    /// Whether the entry names somebody who is not known here.
    pub(super) fn is_stranger(&self, entry: &Entry) -> bool {
        let known = |user: &String| self.users.contains_key(&user.to_ascii_lowercase());
        let tag_known = |tag: Credential| self.pairs.contains_key(&tag);
        !entry.user_id.as_ref().is_some_and(known) && !map::tag(entry).is_some_and(tag_known)
    }

    /// The person of an entry: by KS's user, else by the tag's number as a card, else by the card that the tag is.
    pub(super) fn of_entry(
        &self,
        entry: &Entry,
        holders: &dyn Holders,
    ) -> (Option<PersonId>, Option<String>) {
        let user = entry
            .user_id
            .as_ref()
            .and_then(|user| self.users.get(&user.to_ascii_lowercase()));
        let by_tag = || {
            let tag = map::tag(entry)?;
            let by_pair = || holders.holder(self.pairs.get(&tag)?);
            holders.holder(&tag).or_else(by_pair)
        };
        match (user, by_tag()) {
            // KS decided by the user; the name is the platform's where it is the same person.
            (Some(user), held) => (
                Some(user.clone()),
                held.filter(|(person, _)| person == user).map(|(_, name)| name),
            ),
            (None, Some((person, name))) => (Some(person), Some(name)),
            (None, None) => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Cards(Vec<(&'static str, &'static str)>);
    impl Holders for Cards {
        fn holder(&self, card: &Credential) -> Option<(PersonId, String)> {
            let found = self.0.iter().find(|(text, _)| text.parse().ok() == Some(*card))?;
            Some((found.1.into(), found.1.to_uppercase()))
        }
    }

    fn entry(user: Option<&str>, tag: Option<&str>) -> Entry {
        Entry::read(json!({ "id": "e", "utc_date_time": "2026-06-01T10:00:00Z", "user_id": user,
            "access_by": "tag", "access_detail": tag, "lock_id": "AB-1", "lock_customer_reference": "Front" }))
        .unwrap()
        .0
    }

    #[test]
    fn a_person_is_found_by_the_user_else_by_the_tag_else_by_the_card_that_the_tag_is() {
        let text = |key: &str, body: serde_json::Value| (key.to_owned(), body.to_string());
        let people = People::of(
            &[
                text("p1", json!({ "site_user": "s", "user": "U-1" })),
                text("odd", json!(7)),
            ],
            &[text("00000003", json!({ "card": "uid:04A2B3C4", "at": 1 }))],
        );
        let cards = Cards(vec![("ks:00000002", "p2"), ("uid:04A2B3C4", "p3")]);
        let person = |user, tag| {
            let (person, name) = people.of_entry(&entry(user, tag), &cards);
            (person.map(|person| person.as_str().to_owned()), name)
        };
        let said = |person: &str, name: Option<&str>| (Some(person.to_owned()), name.map(str::to_owned));
        assert_eq!(person(Some("u-1"), None), said("p1", None));
        assert_eq!(person(Some("u-1"), Some("00000002")), said("p1", None));
        assert_eq!(person(None, Some("00000002")), said("p2", Some("P2")));
        assert_eq!(person(Some("stranger"), Some("3")), said("p3", Some("P3")));
        assert_eq!(person(Some("stranger"), Some("00000009")), (None, None));
        assert!(
            people.is_stranger(&entry(Some("x"), Some("9"))) && !people.is_stranger(&entry(None, Some("3")))
        );
    }

    #[test]
    fn a_lock_is_named_by_its_name_or_its_id() {
        let entry = entry(None, None);
        assert!(is_lock(&entry, "ab-1") && is_lock(&entry, "Front") && !is_lock(&entry, "Back"));
    }
}
