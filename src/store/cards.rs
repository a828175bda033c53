//! Cards that the gateway itself gives out or takes back, guests, and what the platform is still to be told of it.
//!
//! A row says what shall be true of one card. What the platform is told hangs on the row: both change in one
//! transaction, and only if the row is still the one that was looked at.

use super::{ReadStore, Store, StoreError, shared::lock, state};
use crate::domain::{Block, BlockTarget, Credential, DoorId, GroupId, Millis, PersonId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::MutexGuard;

/// What a row says of its card. The code is what the table keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CardKind {
    /// A person of the platform holds it.
    Member = 1,
    /// A guest of the gateway's own holds it.
    Guest = 2,
    /// Nobody holds it, whatever the platform still says.
    Nobody = 3,
}

/// What the gateway says of a card, beside the platform's facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalCard {
    /// The card.
    pub credential: Credential,
    /// Whose; for [`CardKind::Nobody`] whose it was.
    pub person: PersonId,
    /// Staff's words.
    pub note: String,
    /// When, Unix milliseconds.
    pub added_at: Millis,
    /// What the row says.
    pub kind: CardKind,
    /// Whose the card is no more: what the platform says of these and this card does not count.
    pub instead: Vec<PersonId>,
    /// Who did it.
    pub by: String,
    /// Grows with every change of any card, never 0 for a row. Whoever changes a row names the one that was seen.
    pub revision: u64,
    /// When the platform was told all of it, Unix milliseconds.
    pub written_at: Option<Millis>,
}

impl LocalCard {
    /// A person's card, given by nobody yet at no time.
    #[must_use]
    pub fn new(credential: Credential, person: impl Into<PersonId>) -> Self {
        Self {
            credential,
            person: person.into(),
            note: String::new(),
            added_at: 0,
            kind: CardKind::Member,
            instead: Vec::new(),
            by: String::new(),
            revision: 0,
            written_at: None,
        }
    }
}

/// How the id of a guest begins: the gateway's own, which no platform has heard of.
pub const GUEST: &str = "guest:";

/// Somebody whom no platform knows, with rights that end by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// An id of the gateway's own: [`GUEST`] and a number.
    pub id: PersonId,
    /// Whose guest, or what the card is for.
    pub name: String,
    /// From when on, Unix milliseconds.
    pub from: Millis,
    /// First instant after it, Unix milliseconds.
    pub until: Millis,
    /// Which groups of doors.
    pub groups: Vec<GroupId>,
    /// Which single doors besides.
    pub doors: Vec<DoorId>,
    /// Who let them in.
    pub by: String,
}

/// How a write to the platform stands. The code is what the table keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum WriteState {
    /// To be sent, or sent again.
    Waiting = 1,
    /// The platform says no: a person decides.
    Refused = 2,
}

/// Something that the platform is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardWrite {
    /// Its place in the queue.
    pub id: i64,
    /// Which card.
    pub credential: Credential,
    /// Given to this person, or taken from them.
    pub person: PersonId,
    /// Given rather than taken.
    pub give: bool,
    /// Who did it at the desk.
    pub by: String,
    /// When they did, Unix milliseconds.
    pub at: Millis,
    /// How it stands.
    pub state: WriteState,
    /// How often it was sent.
    pub tries: u32,
    /// Not before, Unix milliseconds.
    pub next_at: Millis,
    /// What the platform said last.
    pub said: String,
}

/// A change of one card.
#[derive(Clone, Debug)]
pub struct CardChange<'a> {
    /// Which card.
    pub credential: Credential,
    /// The revision of the row that was looked at; 0 if there was none.
    pub seen: u64,
    /// What shall be true now; `None`: as the platform says.
    pub row: Option<LocalCard>,
    /// What the platform is to be told, in this order, instead of what still waits: to whom the card is given (true) or
    /// from whom it is taken.
    pub writes: &'a [(PersonId, bool)],
    /// A new guest, or one whose end moved.
    pub guest: Option<&'a Guest>,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Done; the new revision.
    Done(u64),
    /// Somebody else was first: the row as it is now.
    Meanwhile(Option<Box<LocalCard>>),
}

/// A block with who set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBlock {
    /// What it stops, and why.
    pub block: Block,
    /// Who set it; empty when nobody knows.
    pub by: String,
    /// When, Unix milliseconds; 0 when nobody knows.
    pub at: Millis,
}

const ROW: &str = "card, person, note, added_at, kind, instead, by_whom, revision, written_at";
pub(super) const REVISION: &str = "card_revision";

fn texts<T: From<String>>(json: &str) -> Vec<T> {
    let texts: Vec<String> = serde_json::from_str(json).unwrap_or_default();
    texts.into_iter().map(T::from).collect()
}

fn json<T: ToString>(items: &[T]) -> String {
    serde_json::to_string(&items.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap_or_default()
}

fn local_card(row: &Row<'_>) -> rusqlite::Result<LocalCard> {
    Ok(LocalCard {
        credential: state::card(row.get(0)?)?,
        person: row.get::<_, String>(1)?.into(),
        note: row.get(2)?,
        added_at: row.get(3)?,
        kind: match row.get(4)? {
            2 => CardKind::Guest,
            3 => CardKind::Nobody,
            _ => CardKind::Member,
        },
        instead: texts(&row.get::<_, String>(5)?),
        by: row.get(6)?,
        revision: super::journal::unsigned(row.get(7)?),
        written_at: row.get(8)?,
    })
}

pub(super) fn local_cards(db: &Connection) -> rusqlite::Result<Vec<LocalCard>> {
    db.prepare(&format!("SELECT {ROW} FROM local_card ORDER BY added_at, card"))?
        .query_map([], local_card)?
        .collect()
}

fn one(db: &Connection, card: &Credential) -> rusqlite::Result<Option<LocalCard>> {
    db.query_row(
        &format!("SELECT {ROW} FROM local_card WHERE card = ?1"),
        [card.key()],
        local_card,
    )
    .optional()
}

pub(super) fn put(db: &Connection, card: &LocalCard) -> rusqlite::Result<()> {
    db.execute(
        &format!("INSERT OR REPLACE INTO local_card ({ROW}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        params![
            card.credential.key(),
            card.person.as_str(),
            card.note,
            card.added_at,
            card.kind as u8,
            json(&card.instead),
            card.by,
            super::journal::signed(card.revision),
            card.written_at,
        ],
    )
    .map(drop)
}

/// Removes a row with whatever the platform was to be told of it.
pub(super) fn remove(db: &Connection, card: &Credential) -> rusqlite::Result<bool> {
    db.execute("DELETE FROM card_write WHERE card = ?1", [card.key()])?;
    Ok(db.execute("DELETE FROM local_card WHERE card = ?1", [card.key()])? > 0)
}

fn next_revision(db: &Connection) -> rusqlite::Result<u64> {
    let next = state::value(db, REVISION)?.unwrap_or(0) + 1;
    state::set_value(db, REVISION, next)?;
    Ok(super::journal::unsigned(next))
}

fn change(db: &mut Connection, change: &CardChange<'_>, now: Millis, by: &str) -> rusqlite::Result<Changed> {
    let work = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = one(&work, &change.credential)?;
    if found.as_ref().map_or(0, |row| row.revision) != change.seen {
        return Ok(Changed::Meanwhile(found.map(Box::new)));
    }
    let revision = next_revision(&work)?;
    remove(&work, &change.credential)?;
    if let Some(row) = &change.row {
        put(
            &work,
            &LocalCard {
                revision,
                ..row.clone()
            },
        )?;
    }
    for (person, give) in change.writes {
        put_write(
            &work,
            &CardWrite {
                id: 0,
                credential: change.credential,
                person: person.clone(),
                give: *give,
                by: by.to_owned(),
                at: now,
                state: WriteState::Waiting,
                tries: 0,
                next_at: 0,
                said: String::new(),
            },
        )?;
    }
    if let Some(guest) = change.guest {
        put_guest(&work, guest)?;
    }
    work.commit()?;
    Ok(Changed::Done(revision))
}

pub(super) fn put_guest(db: &Connection, guest: &Guest) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO guest (id, name, starts, ends, groups, by_whom, doors) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            guest.id.as_str(),
            guest.name,
            guest.from,
            guest.until,
            json(&guest.groups),
            guest.by,
            json(&guest.doors)
        ],
    )
    .map(drop)
}

pub(super) fn guests(db: &Connection) -> rusqlite::Result<Vec<Guest>> {
    db.prepare("SELECT id, name, starts, ends, groups, by_whom, doors FROM guest ORDER BY id")?
        .query_map([], |row| {
            Ok(Guest {
                id: row.get::<_, String>(0)?.into(),
                name: row.get(1)?,
                from: row.get(2)?,
                until: row.get(3)?,
                groups: texts(&row.get::<_, String>(4)?),
                by: row.get(5)?,
                doors: texts(&row.get::<_, String>(6)?),
            })
        })?
        .collect()
}

/// Removes guests that ended before `before`, with their cards: each a row that says nothing any more.
fn sweep_guests(db: &mut Connection, before: Millis) -> rusqlite::Result<usize> {
    let work = db.transaction()?;
    work.execute(
        "DELETE FROM local_card WHERE kind = 2 AND person IN (SELECT id FROM guest WHERE ends < ?1)",
        [before],
    )?;
    let gone = work.execute("DELETE FROM guest WHERE ends < ?1", [before])?;
    work.commit()?;
    Ok(gone)
}

pub(super) fn writes(db: &Connection) -> rusqlite::Result<Vec<CardWrite>> {
    db.prepare(
        "SELECT id, card, person, give, by_whom, at, state, tries, next_at, said FROM card_write ORDER BY id",
    )?
    .query_map([], |row| {
        Ok(CardWrite {
            id: row.get(0)?,
            credential: state::card(row.get(1)?)?,
            person: row.get::<_, String>(2)?.into(),
            give: row.get(3)?,
            by: row.get(4)?,
            at: row.get(5)?,
            state: match row.get(6)? {
                2 => WriteState::Refused,
                _ => WriteState::Waiting,
            },
            tries: row.get(7)?,
            next_at: row.get(8)?,
            said: row.get(9)?,
        })
    })?
    .collect()
}

/// Puts a write at the end of the queue.
pub(super) fn put_write(db: &Connection, write: &CardWrite) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO card_write (card, person, give, by_whom, at, state, tries, next_at, said)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            write.credential.key(),
            write.person.as_str(),
            write.give,
            write.by,
            write.at,
            write.state as u8,
            write.tries,
            write.next_at,
            write.said
        ],
    )
    .map(drop)
}

fn note_write(db: &Connection, write: &CardWrite) -> rusqlite::Result<bool> {
    let changed = db.execute(
        "UPDATE card_write SET state = ?2, tries = ?3, next_at = ?4, said = ?5 WHERE id = ?1",
        params![
            write.id,
            write.state as u8,
            write.tries,
            write.next_at,
            write.said
        ],
    )?;
    Ok(changed > 0)
}

fn finish_write(db: &mut Connection, write: &CardWrite, now: Millis) -> rusqlite::Result<()> {
    let work = db.transaction()?;
    work.execute("DELETE FROM card_write WHERE id = ?1", [write.id])?;
    work.execute(
        "UPDATE local_card SET written_at = ?2
         WHERE card = ?1 AND NOT EXISTS (SELECT 1 FROM card_write WHERE card = ?1)",
        params![write.credential.key(), now],
    )?;
    work.commit()
}

/// Removes rows that are still the ones of these revisions, and have nothing to tell the platform that it would take.
fn settle(db: &mut Connection, rows: &[(Credential, u64)]) -> rusqlite::Result<usize> {
    let work = db.transaction()?;
    let mut gone = 0;
    for (card, revision) in rows {
        let settled = work.execute(
            "DELETE FROM local_card WHERE card = ?1 AND revision = ?2
             AND NOT EXISTS (SELECT 1 FROM card_write WHERE card = ?1 AND state = 1)",
            params![card.key(), super::journal::signed(*revision)],
        )?;
        if settled > 0 {
            work.execute("DELETE FROM card_write WHERE card = ?1", [card.key()])?;
            gone += settled;
        }
    }
    work.commit()?;
    Ok(gone)
}

pub(super) fn kept_blocks(db: &Connection) -> rusqlite::Result<Vec<KeptBlock>> {
    let mut statement =
        db.prepare("SELECT kind, target, note, by_whom, at FROM block ORDER BY kind, target")?;
    let rows = statement.query_map([], |row| {
        let (kind, target): (i64, Vec<u8>) = (row.get(0)?, row.get(1)?);
        let target = match kind {
            1 => BlockTarget::Credential(state::card(target)?),
            _ => BlockTarget::Person(String::from_utf8_lossy(&target).into_owned().into()),
        };
        Ok(KeptBlock {
            block: Block {
                target,
                note: row.get(2)?,
            },
            by: row.get(3)?,
            at: row.get(4)?,
        })
    })?;
    rows.collect()
}

impl ReadStore {
    /// What the gateway says of cards.
    ///
    /// # Errors
    /// `Disk` when the file cannot be read; the same holds for the other lists.
    pub fn local_cards(&self) -> Result<Vec<LocalCard>, StoreError> {
        self.or_empty(local_cards)
    }

    /// What it says of one card.
    ///
    /// # Errors
    /// `Disk`.
    pub fn local_card(&self, card: &Credential) -> Result<Option<LocalCard>, StoreError> {
        match self.state(|db| one(db, card)) {
            Err(StoreError::Missing(_)) => Ok(None),
            other => other,
        }
    }

    /// Guests, those that ended lately included.
    ///
    /// # Errors
    /// `Disk`.
    pub fn guests(&self) -> Result<Vec<Guest>, StoreError> {
        self.or_empty(guests)
    }

    /// What the platform is still to be told, or did not take, in order.
    ///
    /// # Errors
    /// `Disk`.
    pub fn card_writes(&self) -> Result<Vec<CardWrite>, StoreError> {
        self.or_empty(writes)
    }

    /// Everything that is blocked at the gateway, with who set it.
    ///
    /// # Errors
    /// `Disk`.
    pub fn kept_blocks(&self) -> Result<Vec<KeptBlock>, StoreError> {
        self.or_empty(kept_blocks)
    }
}

impl Store {
    /// Held by whoever changes which index decides, from reading what the gateway itself holds until the doors have the
    /// index and the store its facts: else a fetch could bring a card back that was blocked while its index was built. Only
    /// for threads that may block.
    pub fn in_turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.0.shared.turn)
    }

    /// Changes one card with full sync, if it is still as it was seen.
    ///
    /// # Errors
    /// `Disk`: nothing is changed.
    pub fn change_card(&self, wanted: &CardChange<'_>, now: Millis, by: &str) -> Result<Changed, StoreError> {
        self.write(|db| change(db, wanted, now, by))
    }

    /// Gives out a card, or changes one, whatever it was before.
    ///
    /// # Errors
    /// `Disk`: nothing is changed.
    pub fn add_local_card(&self, card: &LocalCard) -> Result<(), StoreError> {
        self.write(|db| put(db, card))
    }

    /// Takes a card back. False if it was not given out here.
    ///
    /// # Errors
    /// `Disk`: nothing is changed.
    pub fn remove_local_card(&self, card: &Credential) -> Result<bool, StoreError> {
        self.write(|db| remove(db, card))
    }

    /// Notes how a write stands. False if it is none any more: the card was changed meanwhile.
    ///
    /// # Errors
    /// `Disk`.
    pub fn note_card_write(&self, write: &CardWrite) -> Result<bool, StoreError> {
        self.write(|db| note_write(db, write))
    }

    /// The platform took a write.
    ///
    /// # Errors
    /// `Disk`: it will be sent again, which changes nothing there.
    pub fn finish_card_write(&self, write: &CardWrite, now: Millis) -> Result<(), StoreError> {
        self.write(|db| finish_write(db, write, now))
    }

    /// Drops rows that the platform's facts say by themselves now, unless they were changed since. How many went.
    ///
    /// # Errors
    /// `Disk`.
    pub fn settle_cards(&self, rows: &[(Credential, u64)]) -> Result<usize, StoreError> {
        self.write(|db| settle(db, rows))
    }

    /// Forgets guests that ended before an instant. How many.
    ///
    /// # Errors
    /// `Disk`.
    pub fn sweep_guests(&self, before: Millis) -> Result<usize, StoreError> {
        self.write(|db| sweep_guests(db, before))
    }

    /// Blocks a card or a person with full sync, and keeps who did it.
    ///
    /// # Errors
    /// `Disk`: the block is not kept. The caller blocks in memory all the same and says so.
    pub fn keep_block(&self, block: &KeptBlock) -> Result<(), StoreError> {
        self.write(|db| state::keep_block(db, block))
    }
}

#[cfg(test)]
#[path = "cards_tests.rs"]
mod tests;
