//! The last refusals and changes of a card, from the newest part of the journal.

use super::answers::RefusedAt;
use crate::{
    domain::{Credential, EntryEvent, EventKind, Millis, Reason},
    store::{ReadStore, StoreError},
};

/// How many of the newest events are looked through: the desk is about what happened just now.
const NEWEST: u64 = 3_000;

/// What is known of a card from the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// The last refusal.
    pub refused: Option<RefusedAt>,
    /// When it was last given, Unix milliseconds.
    pub changed: Option<Millis>,
}

/// A card that was refused at a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCard {
    /// The card.
    pub card: Credential,
    /// When, where and why.
    pub refused: RefusedAt,
    /// Its place in the journal.
    pub seq: u64,
}

fn newest(store: &ReadStore, after: u64) -> Result<Vec<EntryEvent>, StoreError> {
    let (_, last, _) = match store.extent() {
        Err(StoreError::Missing(_)) => return Ok(Vec::new()),
        other => other?,
    };
    let from = last.saturating_sub(NEWEST).max(after);
    store.events_after(from, usize::try_from(NEWEST).unwrap_or(usize::MAX))
}

fn refused_at(event: &EntryEvent) -> Option<RefusedAt> {
    let reason = event
        .body
        .reason
        .filter(|_| event.body.kind == EventKind::Refused)?;
    Some(RefusedAt {
        at: event.body.at,
        door: event
            .body
            .door
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        reader: event
            .body
            .reader
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        reason: reason.name().to_owned(),
        words: reason.words().to_owned(),
    })
}

/// What the newest part of the journal knows of a card.
///
/// # Errors
/// When the journal cannot be read.
pub fn of(store: &ReadStore, card: &Credential) -> Result<Recent, StoreError> {
    let mut recent = Recent::default();
    for event in newest(store, 0)? {
        if event.body.credential != Some(*card) {
            continue;
        }
        if event.body.kind == EventKind::CardChanged {
            recent.changed = Some(event.body.at);
        }
        if let Some(refused) = refused_at(&event) {
            recent.refused = Some(refused);
        }
    }
    Ok(recent)
}

/// The last card that nobody holds and that a door refused, not before `since` (Unix milliseconds) nor up to `after` of the
/// journal. `at`: only at this door or reader.
///
/// # Errors
/// When the journal cannot be read.
pub fn last_refused(
    store: &ReadStore,
    since: Millis,
    after: u64,
    at: Option<&str>,
) -> Result<Option<RefusedCard>, StoreError> {
    let mut found = None;
    for event in newest(store, after)? {
        let unknown = matches!(
            event.body.reason,
            Some(Reason::UnknownCredential | Reason::CredentialAmbiguous | Reason::NoSnapshot)
        );
        let (Some(card), Some(refused), true) = (event.body.credential, refused_at(&event), unknown) else {
            continue;
        };
        let here = at.is_none_or(|at| refused.door == at || refused.reader == at);
        if here && event.body.at >= since {
            found = Some(RefusedCard {
                card,
                refused,
                seq: event.seq,
            });
        }
    }
    Ok(found)
}

/// The first card presented at a door or reader after this place in the journal, known or not: a door reader lent to the
/// desk.
///
/// # Errors
/// When the journal cannot be read.
pub fn next_presented(
    store: &ReadStore,
    after: u64,
    at: &str,
) -> Result<Option<(u64, Credential)>, StoreError> {
    let mut events = newest(store, after)?.into_iter();
    Ok(events.find_map(|event| {
        let presented = matches!(event.body.kind, EventKind::Granted | EventKind::Refused);
        let here = event.body.door.as_ref().is_some_and(|door| door.as_str() == at)
            || event
                .body
                .reader
                .as_ref()
                .is_some_and(|reader| reader.as_str() == at);
        (presented && here).then_some((event.seq, event.body.credential?))
    }))
}
