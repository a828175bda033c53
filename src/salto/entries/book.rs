//! Which entries are in the journal already: each becomes one event, whichever way and however often it is heard, and
//! whatever ends the gateway in between.
//!
//! The journal itself is the truth: an event that was an entry says so in its source. Beside it the ids are kept as hashes,
//! written only after the events are on disk, with the sequence up to which they are complete. The start reads the journal
//! from there on. So a kill between the two repeats nothing, and a power cut forgets no entry that the journal lost.

use super::map;
use crate::domain::{
    event::Draft,
    time::{DAY_MS, Millis, Moment},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, hash::Hasher};

/// The room of these documents.
pub const ROOM: &str = "ks-entry";
/// The document with the marks. Every other one is a piece of ids.
const MARK: &str = "mark";
/// Ids in a piece: the last one is written again and again until it is full.
const PIECE: usize = 512;
/// Ids are kept so many days after their arrival: KS gives none for longer than 90.
const KEPT_DAYS: i64 = 91;
/// Events read at a time.
const READ: usize = 1_000;

/// An event's sequence and source.
pub type Sourced = (u64, Option<String>, Millis);

/// The journal, as far as this needs it. Blocks on the disk.
pub trait Journal {
    /// Keeps an event where a kill cannot take it; 0 when there is no room.
    fn record(&self, draft: &Draft) -> u64;
    /// Brings everything recorded to the disk. The highest sequence there.
    ///
    /// # Errors
    /// When the disk does not take it, or what is there cannot all be read now.
    fn flush(&self) -> Result<u64, String>;
    /// Events on disk above a sequence.
    ///
    /// # Errors
    /// When they cannot be read.
    fn after(&self, seq: u64, limit: usize) -> Result<Vec<Sourced>, String>;
    /// The documents of [`ROOM`].
    ///
    /// # Errors
    /// When they cannot be read.
    fn documents(&self) -> Result<Vec<(String, String)>, String>;
    /// Writes and removes documents of [`ROOM`], all or none.
    ///
    /// # Errors
    /// When they cannot be written: none is.
    fn put(&self, changes: &[(String, Option<String>)]) -> Result<(), String>;
}

/// What became of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is an event now, with this sequence.
    New(u64),
    /// It was one before.
    Known,
    /// The journal has no room: it must be offered again.
    NoRoom,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Mark {
    /// Entries up to this event are among the ids.
    seq: u64,
    /// KS was asked for everything up to this time.
    complete: Option<Millis>,
}

#[derive(Debug)]
struct Piece {
    day: i64,
    key: String,
    ids: Vec<u64>,
    dirty: bool,
}

/// The book.
#[derive(Debug)]
pub struct Book<J> {
    journal: J,
    ids: HashSet<u64, foldhash::fast::RandomState>,
    pieces: Vec<Piece>,
    mark: Mark,
    unsettled: usize,
}

/// The id's place among the others. 64 bits: among the 100,000 ids of a busy quarter two agree once in four thousand
/// million sites.
fn hash(text: &str) -> u64 {
    let mut hasher = siphasher::sip::SipHasher13::new_with_keys(0x6b73, 0x656e_7472);
    hasher.write(text.as_bytes());
    hasher.finish()
}

impl<J: Journal> Book<J> {
    /// Reads what is known. Nothing may be taken before: the last run may have recorded what is not yet among the ids.
    ///
    /// # Errors
    /// When journal or documents cannot be read now.
    pub fn open(journal: J, now: Moment) -> Result<Self, String> {
        let end = journal.flush()?;
        let mut book = Self {
            ids: HashSet::default(),
            pieces: Vec::new(),
            mark: Mark::default(),
            unsettled: 0,
            journal,
        };
        for (key, body) in book.journal.documents()? {
            if key == MARK {
                book.mark = serde_json::from_str(&body).unwrap_or_default();
            } else if let Some(piece) = read_piece(&key, &body) {
                book.ids.extend(&piece.ids);
                book.pieces.push(piece);
            }
        }
        book.pieces.sort_by_key(|piece| (piece.day, piece.key.clone()));
        let newest = book.catch_up(end, now)?;
        // The documents were lost, and the journal was not.
        if book.mark.complete.is_none() {
            book.mark.complete = newest.map(|newest| newest.min(now.at));
        }
        Ok(book)
    }

    /// Adds what the journal has above the mark. The time of the newest entry there.
    fn catch_up(&mut self, end: u64, now: Moment) -> Result<Option<Millis>, String> {
        let (mut from, mut newest) = (self.mark.seq, None);
        while from < end {
            let events = self.journal.after(from, READ)?;
            let Some((last, _, _)) = events.last() else { break };
            from = *last;
            for (_, source, at) in events {
                if let Some(source) = source.filter(|source| map::is_source(source)) {
                    newest = newest.max(Some(at));
                    self.add(hash(&source), now);
                }
            }
        }
        Ok(newest)
    }

    /// Whether an entry is an event already.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.ids.contains(&hash(&map::source(id)))
    }

    /// How many ids are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Entries that were taken since everything was last settled.
    #[must_use]
    pub const fn unsettled(&self) -> usize {
        self.unsettled
    }

    /// Everything that KS had up to this time is in the journal.
    #[must_use]
    pub const fn complete(&self) -> Option<Millis> {
        self.mark.complete
    }

    /// Makes an entry an event, unless it is one. Waits for no disk.
    pub fn take(&mut self, id: &str, draft: &Draft, now: Moment) -> Taken {
        let key = hash(&map::source(id));
        if self.ids.contains(&key) {
            return Taken::Known;
        }
        match self.journal.record(draft) {
            0 => Taken::NoRoom,
            seq => {
                self.add(key, now);
                Taken::New(seq)
            }
        }
    }

    /// Remembers an entry that becomes no event. True if it is new.
    pub fn note(&mut self, id: &str, now: Moment) -> bool {
        let key = hash(&map::source(id));
        let new = !self.ids.contains(&key);
        if new {
            self.add(key, now);
        }
        new
    }

    /// Brings everything taken to the disk, then the ids, then the marks. `complete`: KS was asked up to this time and
    /// everything that it said was taken. Blocks on the disk.
    ///
    /// # Errors
    /// When the disk does not take it: then it is as before, and may be tried again.
    pub fn settle(&mut self, complete: Option<Millis>, now: Moment) -> Result<(), String> {
        let seq = self.journal.flush()?;
        let mark = Mark {
            seq: seq.max(self.mark.seq),
            complete: complete.max(self.mark.complete),
        };
        let old = self.old(now);
        let mut changes: Vec<(String, Option<String>)> = old.iter().map(|key| (key.clone(), None)).collect();
        for piece in self
            .pieces
            .iter()
            .filter(|piece| piece.dirty && !old.contains(&piece.key))
        {
            changes.push((piece.key.clone(), Some(write_piece(&piece.ids))));
        }
        let body = serde_json::to_string(&mark).map_err(|error| error.to_string())?;
        changes.push((MARK.to_owned(), Some(body)));
        self.journal.put(&changes)?;
        self.mark = mark;
        self.unsettled = 0;
        for piece in &mut self.pieces {
            piece.dirty = false;
        }
        for piece in self.pieces.extract_if(.., |piece| old.contains(&piece.key)) {
            for id in piece.ids {
                self.ids.remove(&id);
            }
        }
        Ok(())
    }

    /// Pieces that KS cannot repeat any more. Nothing is old by a clock that may be wrong.
    fn old(&self, now: Moment) -> HashSet<String> {
        let oldest = now.at.div_euclid(DAY_MS) - KEPT_DAYS;
        let old = self
            .pieces
            .iter()
            .filter(|piece| now.trusted && piece.day < oldest);
        old.map(|piece| piece.key.clone()).collect()
    }

    fn add(&mut self, id: u64, now: Moment) {
        if !self.ids.insert(id) {
            return;
        }
        self.unsettled += 1;
        let today = now.at.div_euclid(DAY_MS);
        if let Some(last) = self.pieces.last_mut()
            && last.ids.len() < PIECE
            && last.day >= today
        {
            last.ids.push(id);
            last.dirty = true;
            return;
        }
        let day = self.pieces.last().map_or(today, |last| last.day.max(today));
        let number = self.pieces.iter().filter(|piece| piece.day == day).count();
        self.pieces.push(Piece {
            day,
            key: format!("{day:06}-{number:06}"),
            ids: vec![id],
            dirty: true,
        });
    }
}

fn read_piece(key: &str, body: &str) -> Option<Piece> {
    let day = key.split('-').next()?.parse().ok()?;
    let bytes = STANDARD.decode(body).ok()?;
    let ids = bytes.as_chunks::<8>().0.iter();
    Some(Piece {
        day,
        key: key.to_owned(),
        ids: ids.map(|id| u64::from_le_bytes(*id)).collect(),
        dirty: false,
    })
}

fn write_piece(ids: &[u64]) -> String {
    let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

#[cfg(test)]
#[path = "book/tests.rs"]
mod tests;
