//! Which card a tag is: SALTO's own number and the chip's UID, of which none leads to the other. The same fob is presented
//! at the KS lock `[ks] tag_reader` and at the desk's reader within a short time.
//!
//! `Pairing` is pure; `Desk` is what rooms share.

use super::entries::{
    map::{self, KEPT, Meaning},
    model::Entry,
    people::{PAIRS, is_lock},
};
use crate::{
    domain::{
        Credential,
        credential::Scheme,
        time::{Millis, Moment},
    },
    store::Store,
};
use serde_json::json;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, broadcast};

/// Both presentations lie within this time of each other, by KS's clock and the gateway's.
pub const WINDOW: Duration = Duration::from_secs(30);
/// A lock uploads late; measured were up to 40 s.
pub const UPLOAD: Duration = Duration::from_secs(45);

/// What became of a presentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other one has not been seen yet.
    Waits,
    /// This tag is this card.
    Paired {
        /// The tag.
        tag: Credential,
        /// The card.
        card: Credential,
    },
    /// Two tags or two cards within the window: nobody knows which belong together. Neither is paired, and a pair that
    /// was made of them is withdrawn.
    Ambiguous {
        /// A pair that no longer holds.
        withdrawn: Option<(Credential, Credential)>,
    },
}

impl Outcome {
    /// For people.
    #[must_use]
    pub const fn words(&self) -> &'static str {
        match self {
            Self::Waits => "the other reader has not seen it yet",
            Self::Paired { .. } => "the tag and the card are one fob",
            Self::Ambiguous { .. } => {
                "two fobs were presented at the same time, so nothing was paired; wait half a minute and present one \
                 fob at both readers"
            }
        }
    }
}

/// The two readers' last presentations.
#[derive(Clone, Debug, Default)]
pub struct Pairing {
    tags: Vec<(Credential, Millis)>,
    cards: Vec<(Credential, Millis)>,
    pairs: Vec<(Credential, Credential)>,
}

impl Pairing {
    /// A presentation at either reader: a KS tag's number is the lock's, anything else the desk's.
    pub fn presented(&mut self, credential: Credential, at: Millis) -> Outcome {
        self.forget(at);
        let is_tag = credential.scheme() == Scheme::KsTag;
        let own = if is_tag { &mut self.tags } else { &mut self.cards };
        match own.iter_mut().find(|(known, _)| *known == credential) {
            Some(known) => known.1 = known.1.max(at),
            None => own.push((credential, at)),
        }
        let others = near(if is_tag { &self.cards } else { &self.tags }, at);
        let [(other, other_at)] = others.as_slice() else {
            if others.is_empty() {
                return Outcome::Waits;
            }
            return self.ambiguous(at);
        };
        // The other one must have been near this one only.
        if near(if is_tag { &self.tags } else { &self.cards }, *other_at).len() > 1 {
            return self.ambiguous(at);
        }
        let (tag, card) = if is_tag {
            (credential, *other)
        } else {
            (*other, credential)
        };
        if !self.pairs.contains(&(tag, card)) {
            self.pairs.push((tag, card));
        }
        Outcome::Paired { tag, card }
    }

    /// Everything near is forgotten, so that the next try is a clean one.
    fn ambiguous(&mut self, at: Millis) -> Outcome {
        let (tags, cards) = (near(&self.tags, at), near(&self.cards, at));
        let of_these = |pair: &(Credential, Credential)| {
            tags.iter().any(|(tag, _)| *tag == pair.0) || cards.iter().any(|(card, _)| *card == pair.1)
        };
        let withdrawn = self.pairs.iter().copied().find(of_these);
        self.pairs.retain(|pair| !of_these(pair));
        self.tags.retain(|it| !tags.contains(it));
        self.cards.retain(|it| !cards.contains(it));
        Outcome::Ambiguous { withdrawn }
    }

    fn forget(&mut self, now: Millis) {
        let keep = millis(WINDOW) * 2 + millis(UPLOAD);
        self.tags.retain(|(_, at)| now.saturating_sub(*at) <= keep);
        self.cards.retain(|(_, at)| now.saturating_sub(*at) <= keep);
        let (tags, cards) = (&self.tags, &self.cards);
        self.pairs.retain(|(tag, card)| {
            tags.iter().any(|(known, _)| known == tag) && cards.iter().any(|(known, _)| known == card)
        });
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

fn near(all: &[(Credential, Millis)], at: Millis) -> Vec<(Credential, Millis)> {
    let near = all
        .iter()
        .filter(|(_, when)| when.abs_diff(at) <= WINDOW.as_millis() as u64);
    near.copied().collect()
}

/// The desk, as rooms share it: the listener tells it of tags, the desk's reader or a command of cards. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reader: Option<String>,
    pairing: Mutex<Pairing>,
    store: Store,
    bell: Arc<Notify>,
    told: broadcast::Sender<Outcome>,
}

/// A pair as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The tag.
    pub tag: Credential,
    /// The card.
    pub card: Credential,
    /// Since when, Unix milliseconds.
    pub at: Millis,
}

impl Desk {
    /// A desk with the KS lock that reads tags there, if the configuration names one. `bell` rings when a pair comes or goes.
    #[must_use]
    pub fn new(reader: Option<String>, store: Store, bell: Arc<Notify>) -> Self {
        Self(Arc::new(Inner {
            reader,
            pairing: Mutex::default(),
            store,
            bell,
            told: broadcast::Sender::new(16),
        }))
    }

    /// The KS lock that reads tags.
    #[must_use]
    pub fn reader(&self) -> Option<&str> {
        self.0.reader.as_deref()
    }

    /// Whether an entry happened there.
    #[must_use]
    pub fn is_reader(&self, entry: &Entry) -> bool {
        self.reader().is_some_and(|lock| is_lock(entry, lock))
    }

    /// What becomes of presentations from now on.
    #[must_use]
    pub fn outcomes(&self) -> broadcast::Receiver<Outcome> {
        self.0.told.subscribe()
    }

    /// An entry at KS. Only a tag at the desk's lock means anything here, and only lately.
    pub async fn heard(&self, entry: &Entry, at: Millis, now: Moment) {
        let recent = now.at.saturating_sub(at) < KEPT.min(millis(WINDOW * 2 + UPLOAD));
        let presented = matches!(map::meaning(entry, true), Meaning::Refused | Meaning::CameIn);
        if !recent || !presented || !self.is_reader(entry) {
            return;
        }
        if let Some(tag) = map::tag(entry)
            && let Err(error) = self.presented(tag, at).await
        {
            tracing::warn!(%tag, %error, "a tag could not be paired");
        }
    }

    /// A credential was presented at the desk's reader (or a tag at its lock) at this time, Unix milliseconds. A pair is
    /// on disk when this returns.
    ///
    /// # Errors
    /// In words: no lock is configured, the credential names nobody, or the pair contradicts one that is known.
    pub async fn presented(&self, credential: Credential, at: Millis) -> Result<Outcome, String> {
        if self.reader().is_none() {
            return Err(
                "no KS lock reads tags here: name one in [ks] tag_reader, and present the fob at both".into(),
            );
        }
        if credential.is_random_uid() {
            return Err("this card shows another number each time, so it is nobody's".into());
        }
        let outcome = {
            let mut pairing = self.0.pairing.lock().unwrap_or_else(PoisonError::into_inner);
            pairing.presented(credential, at)
        };
        let (store, wanted) = (self.0.store.clone(), outcome);
        let kept = tokio::task::spawn_blocking(move || keep(&store, wanted, at)).await;
        if kept.map_err(|error| error.to_string())?? {
            self.0.bell.notify_one();
        }
        let _ = self.0.told.send(outcome); // nobody has to listen
        Ok(outcome)
    }

    /// All pairs, by tag. Blocks on the disk.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn pairs(&self) -> Result<Vec<Pair>, String> {
        let documents = self.0.store.read().documents(PAIRS);
        let documents = documents.map_err(|error| error.to_string())?;
        Ok(documents
            .iter()
            .filter_map(|(tag, body)| pair(tag, body))
            .collect())
    }

    /// Forgets the pair of a tag. True if there was one. Blocks on the disk.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget(&self, tag: Credential) -> Result<bool, String> {
        let known = self.pairs()?.iter().any(|pair| pair.tag == tag);
        let number = number(tag);
        let gone = self.0.store.put_documents(PAIRS, &[(&number, None)]);
        gone.map_err(|error| error.to_string())?;
        self.0.bell.notify_one();
        Ok(known)
    }
}

/// A tag's number as KS writes it.
#[must_use]
pub fn number(tag: Credential) -> String {
    let text = tag.reveal_in_full();
    text.split_once(':')
        .map_or_else(String::new, |(_, number)| number.to_owned())
}

fn pair(tag: &str, body: &str) -> Option<Pair> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    Some(Pair {
        tag: Credential::ks_tag(tag).ok()?,
        card: body.get("card")?.as_str()?.parse().ok()?,
        at: body.get("at").and_then(serde_json::Value::as_i64).unwrap_or(0),
    })
}

/// Keeps what came of a presentation. True: a pair came or went.
fn keep(store: &Store, outcome: Outcome, at: Millis) -> Result<bool, String> {
    let put = |tag: Credential, body: Option<String>| {
        let changed = store.put_documents(PAIRS, &[(&number(tag), body.as_deref())]);
        changed.map_err(|error| error.to_string()).map(|()| true)
    };
    match outcome {
        Outcome::Waits | Outcome::Ambiguous { withdrawn: None } => Ok(false),
        Outcome::Ambiguous {
            withdrawn: Some((tag, _)),
        } => put(tag, None),
        Outcome::Paired { tag, card } => {
            let known = store.read().documents(PAIRS);
            let known = known.map_err(|error| error.to_string())?;
            let known: Vec<Pair> = known.iter().filter_map(|(tag, body)| pair(tag, body)).collect();
            if known.iter().any(|it| it.tag == tag && it.card == card) {
                return Ok(false);
            }
            if let Some(other) = known.iter().find(|it| it.tag == tag || it.card == card) {
                return Err(format!(
                    "tag {} is known as card {}, which contradicts this; if that is wrong, forget it with `doorward \
                     ks pair --forget`",
                    other.tag, other.card
                ));
            }
            put(tag, Some(json!({ "card": card, "at": at }).to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(text: &str) -> Credential {
        text.parse().unwrap()
    }

    /// Presentations one after the other: seconds and credential.
    fn play(presented: &[(i64, &str)]) -> Vec<Outcome> {
        let mut pairing = Pairing::default();
        let outcome = |(at, text): &(i64, &str)| pairing.presented(card(text), at * 1_000);
        presented.iter().map(outcome).collect()
    }

    const TAG: &str = "ks:02309289";
    const UID: &str = "uid:04A2B3C4D5E680";

    fn paired() -> Outcome {
        Outcome::Paired {
            tag: card(TAG),
            card: card(UID),
        }
    }

    #[test]
    fn the_same_fob_at_both_readers_is_a_pair_in_either_order_and_with_a_late_upload() {
        assert_eq!(play(&[(0, TAG), (10, UID)]), [Outcome::Waits, paired()]);
        assert_eq!(play(&[(10, UID), (0, TAG)]), [Outcome::Waits, paired()]);
        assert_eq!(play(&[(0, TAG), (5, TAG), (10, UID), (12, UID)])[3], paired());
    }

    #[test]
    fn what_lies_too_far_apart_is_no_pair() {
        assert_eq!(play(&[(0, TAG), (31, UID)]), [Outcome::Waits, Outcome::Waits]);
    }

    #[test]
    fn two_fobs_in_the_window_are_refused_and_withdraw_a_pair_that_was_too_quick() {
        let none = Outcome::Ambiguous { withdrawn: None };
        assert_eq!(play(&[(0, TAG), (3, "ks:00000007"), (6, UID)])[2], none);
        assert_eq!(play(&[(0, UID), (3, "uid:01020304"), (6, TAG)])[2], none);
        let withdrawn = Outcome::Ambiguous {
            withdrawn: Some((card(TAG), card(UID))),
        };
        assert_eq!(
            play(&[(0, TAG), (3, UID), (6, "ks:00000007")]),
            [Outcome::Waits, paired(), withdrawn]
        );
        assert_eq!(
            play(&[(0, TAG), (3, UID), (6, "uid:01020304")]),
            [Outcome::Waits, paired(), withdrawn]
        );
        // And the next try is a clean one.
        assert_eq!(
            play(&[
                (0, TAG),
                (3, "ks:00000007"),
                (6, UID),
                (60, "ks:00000007"),
                (62, UID)
            ])[4],
            Outcome::Paired {
                tag: card("ks:00000007"),
                card: card(UID)
            }
        );
        assert!(none.words().contains("two fobs"));
    }

    #[tokio::test]
    async fn a_pair_is_on_disk_and_what_contradicts_it_is_refused_in_words() {
        use crate::{clock::Clock, health::Health, store::StoreOptions};
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions::new(dir.path().join("state"), dir.path().join("run"));
        let (store, _) = Store::open(&options, &Clock::system(true, 0), &Health::default()).unwrap();
        let desk = Desk::new(Some("Desk".into()), store.clone(), Arc::default());
        desk.presented(card(TAG), 0).await.unwrap();
        assert_eq!(desk.presented(card(UID), 9_000).await, Ok(paired()));
        let kept = store.read().document(PAIRS, "02309289").unwrap().unwrap();
        assert_eq!(kept, r#"{"at":9000,"card":"uid:04A2B3C4D5E680"}"#);
        // A minute later another card with the same tag.
        desk.presented(card(TAG), 300_000).await.unwrap();
        let refused = desk.presented(card("uid:01020304"), 301_000).await.unwrap_err();
        assert!(
            refused.contains("contradicts") && !refused.contains("02309289"),
            "{refused}"
        );
        assert_eq!((desk.forget(card(TAG)), desk.pairs()), (Ok(true), Ok(vec![])));
        let nowhere = Desk::new(None, store, Arc::default());
        assert!(
            nowhere
                .presented(card(UID), 0)
                .await
                .unwrap_err()
                .contains("tag_reader")
        );
    }
}
