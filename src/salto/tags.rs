//! Tags: reading new ones at a lock, giving, blocking and replacing them. What is decided here stands in the gateway's own
//! cards first, so that the plan says the same afterwards; KS is told at once.
//!
//! How tags are listed and given at KS is not in its public pages; it is as its users and its other interface have it.

use super::{
    KsError, Session,
    client::{V1_1, V1_2},
    entries::{Holders, people::PAIRS},
    links::Links,
    model::{Lock, SiteUser},
    pairing::number,
};
use crate::{
    domain::{Credential, PersonId, credential::Scheme},
    store::Store,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// What staff set at the gateway itself.
pub trait LocalCards: Send + Sync {
    /// A card is a person's from now on. Blocks on the disk.
    ///
    /// # Errors
    /// In words.
    fn assign(&self, card: Credential, person: &PersonId) -> Result<(), String>;
    /// A card opens nothing any more, here at once. Blocks on the disk.
    ///
    /// # Errors
    /// In words; it is blocked in memory all the same.
    fn block(&self, cards: &[Credential], note: &str) -> Result<(), String>;
}

/// A tag that the site knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Tag {
    id: String,
    tag_number: String,
}

/// Why something was not done, in words for staff.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TagError(pub String);

impl From<KsError> for TagError {
    fn from(error: KsError) -> Self {
        Self(error.text)
    }
}

impl From<String> for TagError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// What tags are done with.
#[derive(Clone)]
pub struct Tags {
    /// The account.
    pub session: Session,
    /// Who is who, and pairs.
    pub store: Store,
    /// Who holds which card.
    pub holders: Arc<dyn Holders>,
    /// The gateway's own cards.
    pub local: Arc<dyn LocalCards>,
}

impl Tags {
    /// Gives a tag to a person. What was done, in words.
    ///
    /// # Errors
    /// When it is somebody else's, KS does not know it, or either side does not take it.
    pub async fn assign(&self, tag: Credential, person: &PersonId) -> Result<String, TagError> {
        only_a_tag(tag)?;
        self.nobody_elses(tag, person)?;
        let known = self.known(tag).await?;
        let link = self.link(person).await?;
        if let Some(holder) = self.holder_at_ks(tag).await?
            && link.as_deref() != Some(holder.id.as_str())
        {
            return Err(TagError(format!(
                "at SALTO KS tag {tag} is {}'s; block it there first with `doorward ks tag block`",
                name(&holder)
            )));
        }
        self.keep(tag, person).await?;
        let Some(site_user) = link else {
            return Ok(format!(
                "tag {tag} is {person}'s; SALTO KS gets it with the person, at the next plan"
            ));
        };
        self.set(&site_user, Some(&known.id)).await.map_err(later)?;
        Ok(format!("tag {tag} is {person}'s, here and at SALTO KS"))
    }

    /// Blocks a tag here with the card that it is, and takes it from whoever has it at KS.
    ///
    /// # Errors
    /// When either side does not take it; the words say what is done and what is not.
    pub async fn block(&self, tag: Credential, note: &str) -> Result<String, TagError> {
        only_a_tag(tag)?;
        self.block_here(tag, note).await?;
        let taken = async {
            let holder = self.holder_at_ks(tag).await?;
            if let Some(holder) = &holder {
                self.set(&holder.id, None).await?;
            }
            Ok::<_, KsError>(holder)
        };
        match taken.await.map_err(later)? {
            Some(holder) => Ok(format!(
                "tag {tag} is blocked here and taken from {} at SALTO KS",
                name(&holder)
            )),
            None => Ok(format!("tag {tag} is blocked here; at SALTO KS nobody had it")),
        }
    }

    /// Blocks one tag and gives another to the same person.
    ///
    /// # Errors
    /// When nobody had the old one, the new one is somebody else's or not known, or either side does not take it.
    pub async fn replace(&self, old: Credential, new: Credential, note: &str) -> Result<String, TagError> {
        only_a_tag(old)?;
        only_a_tag(new)?;
        if old == new {
            return Err(TagError("the old tag and the new one are the same".into()));
        }
        let at_ks = self.holder_at_ks(old).await?;
        let person = match self.holder_here(old).await? {
            Some(person) => person,
            None => self
                .person_of(at_ks.as_ref())
                .await?
                .ok_or_else(|| TagError(format!("nobody here has tag {old}")))?,
        };
        self.nobody_elses(new, &person)?;
        let known = self.known(new).await?;
        if let Some(other) = self.holder_at_ks(new).await?
            && at_ks.as_ref().map(|holder| &holder.id) != Some(&other.id)
        {
            return Err(TagError(format!("at SALTO KS tag {new} is {}'s", name(&other))));
        }
        self.block_here(old, note).await?;
        self.keep(new, &person).await?;
        let at_ks = at_ks.map(|holder| holder.id);
        let Some(site_user) = self.link(&person).await?.or_else(|| at_ks.clone()) else {
            return Ok(format!(
                "tag {old} is blocked and {new} is {person}'s; SALTO KS gets it with the person"
            ));
        };
        if let Some(other) = at_ks.filter(|holder| *holder != site_user) {
            self.set(&other, None).await.map_err(later)?;
        }
        // One request: the new tag takes the place of the old one.
        self.set(&site_user, Some(&known.id)).await.map_err(later)?;
        Ok(format!(
            "tag {old} is blocked and {new} is {person}'s, here and at SALTO KS"
        ))
    }

    /// The lock of this name or UUID.
    ///
    /// # Errors
    /// When there is none, or there are two.
    pub async fn lock(&self, wanted: &str) -> Result<Lock, TagError> {
        let site = self.session.site().await?;
        let path = ["sites", site.id.as_str(), "locks"];
        let locks: Vec<Lock> = self
            .session
            .connect()
            .list(V1_2, &path, &[], "list the locks")
            .await?;
        let named = |lock: &&Lock| {
            lock.id.eq_ignore_ascii_case(wanted)
                || lock.customer_reference.as_deref().map(str::trim) == Some(wanted.trim())
        };
        let mut found = locks.iter().filter(named);
        match (found.next(), found.next()) {
            (Some(lock), None) => Ok(lock.clone()),
            (Some(_), Some(_)) => Err(TagError(format!(
                "two locks at SALTO KS are called \"{wanted}\": give the UUID of one"
            ))),
            (None, _) => Err(TagError(format!("no lock at SALTO KS is called \"{wanted}\""))),
        }
    }

    /// Puts a lock into registration mode for so many seconds.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn begin_registration(&self, lock: &Lock, seconds: u64) -> Result<(), TagError> {
        let site = self.session.site().await?;
        let path = ["sites", &site.id, "locks", &lock.id, "tag_registration"];
        let body = json!({ "duration_in_seconds": seconds });
        self.session
            .connect()
            .change(
                Method::PATCH,
                V1_1,
                &path,
                Some(&body),
                false,
                "register tags at a lock",
            )
            .await?;
        Ok(())
    }

    /// All tags of the site, with KS's ids.
    ///
    /// # Errors
    /// As KS refuses.
    pub async fn all(&self) -> Result<BTreeMap<Credential, String>, TagError> {
        let tags = self.list(&[]).await?;
        let read = tags
            .into_iter()
            .filter_map(|tag| Some((Credential::ks_tag(&tag.tag_number).ok()?, tag.id)));
        Ok(read.collect())
    }

    async fn list(&self, query: &[(&str, &str)]) -> Result<Vec<Tag>, KsError> {
        let site = self.session.site().await?;
        let path = ["sites", site.id.as_str(), "tags"];
        self.session
            .connect()
            .list(V1_2, &path, query, "look a tag up")
            .await
    }

    async fn known(&self, tag: Credential) -> Result<Tag, TagError> {
        let filter = format!("tag_number eq '{}'", number(tag));
        let found = self.list(&[("$filter", &filter)]).await?;
        let mut same = found
            .into_iter()
            .filter(|found| Credential::ks_tag(&found.tag_number) == Ok(tag));
        same.next().ok_or_else(|| {
            TagError(format!(
                "SALTO KS does not know tag {tag}: register it at a lock with `doorward ks tag register`"
            ))
        })
    }

    async fn holder_at_ks(&self, tag: Credential) -> Result<Option<SiteUser>, KsError> {
        let site = self.session.site().await?;
        let path = ["sites", site.id.as_str(), "users"];
        let filter = format!("user/tag_number eq '{}'", number(tag));
        let found: Vec<SiteUser> = self
            .session
            .connect()
            .list(V1_2, &path, &[("$filter", &filter)], "look for a tag's holder")
            .await?;
        let same = |user: &SiteUser| {
            let held = user.user.tag_number.as_deref();
            held.is_some_and(|held| Credential::ks_tag(held) == Ok(tag))
        };
        Ok(found.into_iter().find(same))
    }

    async fn set(&self, site_user: &str, tag: Option<&str>) -> Result<(), KsError> {
        let site = self.session.site().await?;
        let path = ["sites", site.id.as_str(), "users", site_user];
        let body = json!({ "tag_id": tag });
        self.session
            .connect()
            .change(Method::PATCH, V1_2, &path, Some(&body), true, "give a tag")
            .await
            .map(|_: Value| ())
    }

    fn nobody_elses(&self, tag: Credential, person: &PersonId) -> Result<(), TagError> {
        match self.holders.holder(&tag) {
            Some((holder, name)) if holder != *person => Err(TagError(format!(
                "tag {tag} is {name}'s; block it, or replace theirs, before somebody else gets it"
            ))),
            _ => Ok(()),
        }
    }

    /// The person's id at the site, if the person is there.
    async fn link(&self, person: &PersonId) -> Result<Option<String>, TagError> {
        let person = person.clone();
        let links = self.links().await?;
        Ok(links.users.get(&person).map(|link| link.site_user.clone()))
    }

    async fn person_of(&self, user: Option<&SiteUser>) -> Result<Option<PersonId>, TagError> {
        let Some(user) = user else { return Ok(None) };
        let links = self.links().await?;
        let mut same = links.users.iter().filter(|(_, link)| link.site_user == user.id);
        Ok(same.next().map(|(person, _)| person.clone()))
    }

    async fn links(&self) -> Result<Links, TagError> {
        let store = self.store.clone();
        blocking(move || Links::read(store.read()).map_err(|error| error.to_string())).await
    }

    /// Whoever has the tag here, by its number or by the card that it is.
    async fn holder_here(&self, tag: Credential) -> Result<Option<PersonId>, TagError> {
        if let Some((person, _)) = self.holders.holder(&tag) {
            return Ok(Some(person));
        }
        let card = self.card_of(tag).await?;
        let held = card.and_then(|card| self.holders.holder(&card));
        Ok(held.map(|(person, _)| person))
    }

    async fn card_of(&self, tag: Credential) -> Result<Option<Credential>, TagError> {
        let store = self.store.clone();
        let body = blocking(move || {
            let body = store.read().document(PAIRS, &number(tag));
            body.map_err(|error| error.to_string())
        })
        .await?;
        let body: Option<Value> = body.and_then(|body| serde_json::from_str(&body).ok());
        Ok(body.and_then(|body| body.get("card")?.as_str()?.parse().ok()))
    }

    async fn keep(&self, tag: Credential, person: &PersonId) -> Result<(), TagError> {
        let (local, person) = (Arc::clone(&self.local), person.clone());
        blocking(move || local.assign(tag, &person)).await
    }

    async fn block_here(&self, tag: Credential, note: &str) -> Result<(), TagError> {
        let cards: Vec<Credential> = std::iter::once(tag).chain(self.card_of(tag).await?).collect();
        let (local, note) = (Arc::clone(&self.local), note.to_owned());
        blocking(move || local.block(&cards, &note)).await
    }
}

fn only_a_tag(tag: Credential) -> Result<(), TagError> {
    if tag.scheme() == Scheme::KsTag {
        return Ok(());
    }
    Err(TagError(
        "this is a card's number, not a tag's: write ks: and the eight digits that SALTO KS shows".into(),
    ))
}

/// The gateway's part is done, KS's is not.
fn later(error: KsError) -> TagError {
    TagError(format!(
        "it is done here, and SALTO KS did not take it, so its locks may still decide by the old state; the next plan \
         puts that right: {}",
        error.text
    ))
}

fn name(user: &SiteUser) -> String {
    user.alias.clone().unwrap_or_else(|| "somebody".into())
}

async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, TagError> {
    let done = tokio::task::spawn_blocking(job).await;
    Ok(done.map_err(|error| error.to_string())??)
}
