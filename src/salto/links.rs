//! Who at KS is whom here, as the store keeps it: KS knows two ids of a person, the platform a third one. What is kept here
//! is written before anybody relies on it, so that a start after any death finds the same people again.

use super::{actual::Actual, wanted::Wanted};
use crate::{
    domain::{Credential, Millis, PersonId},
    store::{ReadStore, Store, StoreError},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// For so long lists may not have what was made: up to a minute was measured. What was made or asked for within it and is
/// nowhere to be seen is waited for and not made again.
pub const SPREADS: Millis = 75_000;
/// Documents by person: [`Link`].
pub const USERS: &str = "ks-user";
/// Documents by KS tag number: [`Pair`].
pub const PAIRS: &str = "ks-pair";
/// Documents by person: [`Intent`].
pub const STEPS: &str = "ks-step";
/// Documents by name of an access group that is or was being made: when, Unix milliseconds. Kept until every list must have it.
pub const FOUNDING: &str = "ks-group";
/// Single documents: `site`, `accepted`, `locks`.
pub const KS: &str = "ks";

/// A person's user at KS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The id at the site.
    pub site_user: String,
    /// The id at KS: what members of groups and entries name.
    pub user: String,
    /// What the gateway called the person there last.
    #[serde(default)]
    pub alias: String,
    /// The tag that the gateway gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<Credential>,
    /// When the gateway made the user, Unix milliseconds: lists may not have it for a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<Millis>,
    /// What the gateway took from the user, and so may give back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rests: BTreeSet<Rest>,
}

/// Why a user is at rest, as far as the gateway did it. What staff did by hand stands nowhere and is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// Suspended, as nobody needs the seat (R32).
    Idle,
    /// KS suspended the user when it was made or woken: there was no seat.
    NoSeat,
    /// Blocked, as the person is deactivated (R5).
    Blocked,
}

/// A tag that is the same fob as a card.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pair {
    /// The card.
    pub card: Credential,
}

/// A user that is being made. If the answer is lost, whoever has this alias and is none of `before` is the one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// What the user is called.
    pub alias: String,
    /// Site users of that name that were there before.
    pub before: BTreeSet<String>,
    /// When, Unix milliseconds.
    #[serde(default)]
    pub at: Millis,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Users by person.
    pub users: BTreeMap<PersonId, Link>,
    /// Users under way by person.
    pub intents: BTreeMap<PersonId, Intent>,
    /// Access groups under way by name, and since when: no list may have them for a minute.
    pub founding: BTreeMap<String, Millis>,
}

impl Links {
    /// From the store.
    ///
    /// # Errors
    /// When it cannot be read. A document that cannot be understood is passed over, and the person found again by name.
    pub fn read(store: &ReadStore) -> Result<Self, StoreError> {
        Ok(Self {
            users: room(store, USERS)?,
            intents: room(store, STEPS)?,
            founding: room(store, FOUNDING)?,
        })
    }

    /// Links that should say something else by what is seen at KS: a death came between a change there and its note here, or
    /// hands did what the gateway would have done. A tag of the person's own is the gateway's to take again, whoever gave
    /// it; what was taken from a user and is there again cannot be given back twice.
    #[must_use]
    pub fn mended(&self, wanted: &Wanted, actual: &Actual) -> Vec<(PersonId, Link)> {
        let mut mended = Vec::new();
        for (person, link) in &self.users {
            let Some(user) = actual.users.get(&link.site_user) else {
                continue;
            };
            let who = wanted.people.get(person);
            let own = |tag: &Credential| who.is_some_and(|who| who.tags.contains(tag));
            let mut new = link.clone();
            match &user.tag {
                Some(tag) if own(tag) => new.tag = user.tag,
                None if !link.tag.as_ref().is_some_and(own) => new.tag = None,
                _ => {}
            }
            if !user.blocked && who.is_none_or(|who| who.blocked.is_none()) {
                new.rests.remove(&Rest::Blocked);
            }
            if !user.suspended && who.is_some_and(|who| who.active) {
                new.rests.remove(&Rest::Idle);
                new.rests.remove(&Rest::NoSeat);
            }
            if new != *link {
                mended.push((person.clone(), new));
            }
        }
        mended
    }
}

fn room<K: From<String> + Ord, T: for<'de> Deserialize<'de>>(
    store: &ReadStore,
    room: &str,
) -> Result<BTreeMap<K, T>, StoreError> {
    let documents = store.documents(room)?.into_iter();
    Ok(documents
        .filter_map(|(key, body)| Some((key.into(), serde_json::from_str(&body).ok()?)))
        .collect())
}

/// Every pair of tag and card.
///
/// # Errors
/// When the store cannot be read.
pub fn pairs(store: &ReadStore) -> Result<Vec<(Credential, Credential)>, StoreError> {
    let documents = store.documents(PAIRS)?.into_iter();
    Ok(documents
        .filter_map(|(tag, body)| {
            let pair: Pair = serde_json::from_str(&body).ok()?;
            Some((Credential::ks_tag(tag.trim_start_matches("ks:")).ok()?, pair.card))
        })
        .collect())
}

/// What is written down in the course of an apply: links before they are relied on.
pub trait Ledger: Send + Sync {
    /// Users that are about to be made, in one go.
    ///
    /// # Errors
    /// In words. Then nothing may be sent.
    fn intend(&self, intents: &[(PersonId, Intent)]) -> Result<(), String>;
    /// Access groups that are about to be made, in one go.
    ///
    /// # Errors
    /// In words. Then nothing may be sent.
    fn found(&self, groups: &[(String, Millis)]) -> Result<(), String>;
    /// Access groups that were made long enough ago, or certainly not, or are gone.
    ///
    /// # Errors
    /// In words.
    fn founded(&self, groups: &[String]) -> Result<(), String>;
    /// A person's user, and that it is not under way any more.
    ///
    /// # Errors
    /// In words.
    fn link(&self, person: &PersonId, link: &Link) -> Result<(), String>;
    /// Users that were certainly not made.
    ///
    /// # Errors
    /// In words.
    fn forget(&self, people: &[PersonId]) -> Result<(), String>;
}

impl Ledger for Store {
    fn intend(&self, intents: &[(PersonId, Intent)]) -> Result<(), String> {
        let bodies: Vec<(&str, String)> = intents
            .iter()
            .map(|(person, intent)| (person.as_str(), serde_json::to_string(intent).unwrap_or_default()))
            .collect();
        let changes: Vec<_> = bodies
            .iter()
            .map(|(key, body)| (*key, Some(body.as_str())))
            .collect();
        self.put_documents(STEPS, &changes)
            .map_err(|error| error.to_string())
    }

    fn found(&self, groups: &[(String, Millis)]) -> Result<(), String> {
        let bodies: Vec<(&str, String)> = groups
            .iter()
            .map(|(name, at)| (name.as_str(), at.to_string()))
            .collect();
        let changes: Vec<_> = bodies
            .iter()
            .map(|(name, at)| (*name, Some(at.as_str())))
            .collect();
        self.put_documents(FOUNDING, &changes)
            .map_err(|error| error.to_string())
    }

    fn founded(&self, groups: &[String]) -> Result<(), String> {
        let changes: Vec<_> = groups.iter().map(|name| (name.as_str(), None)).collect();
        self.put_documents(FOUNDING, &changes)
            .map_err(|error| error.to_string())
    }

    fn link(&self, person: &PersonId, link: &Link) -> Result<(), String> {
        let body = serde_json::to_string(link).map_err(|error| error.to_string())?;
        let put = |room, change| self.put_documents(room, &[(person.as_str(), change)]);
        // The link first: an intent beside a link says nothing, a lost link would be a second user.
        put(USERS, Some(body.as_str()))
            .and_then(|()| put(STEPS, None))
            .map_err(|error| error.to_string())
    }

    fn forget(&self, people: &[PersonId]) -> Result<(), String> {
        let changes: Vec<_> = people.iter().map(|person| (person.as_str(), None)).collect();
        self.put_documents(STEPS, &changes)
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::salto::{
        actual::User,
        wanted::{Person, Why},
    };

    #[test]
    fn what_a_death_kept_from_being_noted_is_noted_by_what_is_seen() {
        let tag = |number: &str| Credential::ks_tag(number).unwrap();
        let who = |blocked: Option<&str>, tags: &[Credential]| Person {
            alias: "Ana".into(),
            name: "Ana".into(),
            email: None,
            active: blocked.is_none(),
            blocked: blocked.map(str::to_owned),
            tags: tags.iter().copied().collect(),
            why: Why::plain("plan"),
        };
        let link = |given: Option<Credential>, rests: &[Rest]| Link {
            site_user: "s".into(),
            user: "k".into(),
            alias: "Ana".into(),
            tag: given,
            made: None,
            rests: rests.iter().copied().collect(),
        };
        let mended = |who: Option<Person>, user: User, link: Link| {
            let mut links = Links::default();
            links.users.insert("ana".into(), link);
            let (mut wanted, mut actual) = (Wanted::default(), Actual::default());
            wanted.people.extend(who.map(|who| ("ana".into(), who)));
            actual.users.insert("s".into(), user);
            links.mended(&wanted, &actual).pop().map(|(_, link)| link)
        };
        let user = |has: Option<Credential>, blocked: bool, suspended: bool| User {
            user: "k".into(),
            tag: has,
            blocked,
            suspended,
            ..User::default()
        };
        let (one, two) = (tag("1"), tag("2"));
        // Given, and nobody heard of it: it can be taken again.
        assert_eq!(
            mended(
                Some(who(None, &[one])),
                user(Some(one), false, false),
                link(None, &[])
            ),
            Some(link(Some(one), &[]))
        );
        // Somebody else's work stays that: a tag of nobody's, a block by hand, a rest by hand.
        let none = [
            mended(
                Some(who(None, &[one])),
                user(Some(two), false, false),
                link(None, &[]),
            ),
            mended(
                Some(who(Some("left"), &[])),
                user(None, true, false),
                link(None, &[]),
            ),
            mended(Some(who(None, &[])), user(None, false, true), link(None, &[])),
            mended(
                None,
                user(None, true, true),
                link(None, &[Rest::Idle, Rest::Blocked]),
            ),
        ];
        assert_eq!(none, [None, None, None, None]);
        // Lifted, and nobody heard of it: what a hand does from now on stays.
        assert_eq!(
            mended(
                Some(who(None, &[])),
                user(None, false, false),
                link(Some(two), &[Rest::Idle, Rest::NoSeat, Rest::Blocked])
            ),
            Some(link(None, &[]))
        );
    }
}
