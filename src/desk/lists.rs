//! Many cards at once: what is known, and what a file says.

use super::{
    actions::Give,
    answers::{AtPlatform, Import, ImportOutcome, ImportRow, Known, Place, Theirs, shown},
    audit::Actor,
    decide::Refusal,
    directory::{Directory, Hit, Query},
    fold::fold,
    service::{Desk, DeskError},
    sheet,
};
use crate::{
    config::model::{CardText, CloudConfig},
    domain::{BlockTarget, Credential, Millis, PersonId, Say, say::desk as say},
    store::{CardKind, CardWrite, Guest, LocalCard},
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// What is read once for many cards.
struct Around {
    directory: Arc<Directory>,
    rows: HashMap<Credential, LocalCard>,
    guests: HashMap<PersonId, Guest>,
    writes: Vec<CardWrite>,
    heard: Option<Millis>,
    blocked: HashSet<BlockTarget>,
    now: Millis,
}

/// A card with its holder.
type Pair = (Credential, PersonId, Place);

impl Around {
    /// Every known card with its holder.
    fn pairs(&self) -> Vec<Pair> {
        let of_platform = self.directory.cards();
        let mut pairs: Vec<Pair> = of_platform
            .filter(|(card, person)| {
                let row = self.rows.get(card);
                row.is_none_or(|row| {
                    let said_here = row.person == **person && row.kind != CardKind::Nobody;
                    !row.instead.contains(person) && !said_here
                })
            })
            .map(|(card, person)| (*card, person.clone(), Place::Platform))
            .collect();
        for row in self.rows.values() {
            let over = self.guests.get(&row.person);
            let over = over.is_some_and(|guest| guest.until <= self.now);
            let place = match row.kind {
                CardKind::Member => Place::Desk,
                CardKind::Guest if !over => Place::Guest,
                CardKind::Guest | CardKind::Nobody => continue,
            };
            pairs.push((row.credential, row.person.clone(), place));
        }
        pairs
    }

    fn row(&self, (card, person, place): &Pair) -> Option<&LocalCard> {
        let row = self.rows.get(card)?;
        (row.person == *person && *place != Place::Platform).then_some(row)
    }

    /// By what a holder is sorted and found.
    fn folded(&self, person: &PersonId) -> Cow<'_, str> {
        match self.directory.folded(person) {
            Some(folded) => Cow::Borrowed(folded),
            None => Cow::Owned(fold(&named(person, &self.directory, self.guests.get(person)))),
        }
    }

    fn is_blocked(&self, card: &Credential, person: &PersonId) -> bool {
        self.blocked.contains(&BlockTarget::Credential(*card))
            || self.blocked.contains(&BlockTarget::Person(person.clone()))
    }
}

impl Desk {
    fn around(&self) -> Result<Around, DeskError> {
        let store = self.inner().store.read();
        let rows = store.local_cards()?.into_iter();
        let guests = store.guests()?.into_iter();
        Ok(Around {
            directory: self.directory()?,
            rows: rows.map(|row| (row.credential, row)).collect(),
            guests: guests.map(|guest| (guest.id.clone(), guest)).collect(),
            writes: store.card_writes()?,
            heard: self.heard()?,
            blocked: self.blocks()?.into_iter().map(|kept| kept.block.target).collect(),
            now: self.now(),
        })
    }

    /// Every known card, of the platform and of the desk, by the names of their holders. `reveal`: whole numbers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn cards(&self, reveal: bool) -> Result<Vec<Known>, DeskError> {
        Ok(self.cards_page("", 0, usize::MAX, reveal)?.0)
    }

    /// `limit` of them from place `cursor` on, of whoever is found by `query`, and how many there are of these. A query
    /// without a letter or digit finds everybody.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn cards_page(
        &self,
        query: &str,
        cursor: usize,
        limit: usize,
        reveal: bool,
    ) -> Result<(Vec<Known>, usize), DeskError> {
        let around = self.around()?;
        let query = Query::new(query);
        let pairs = around.pairs();
        let mut holders: HashMap<Credential, usize> = HashMap::new();
        for (card, ..) in &pairs {
            *holders.entry(*card).or_default() += 1;
        }
        let mut found: Vec<(Cow<'_, str>, &Pair)> = pairs
            .iter()
            .map(|pair| (around.folded(&pair.1), pair))
            .filter(|(folded, _)| query.finds(folded))
            .collect();
        let total = found.len();
        found.sort_unstable_by(|(a, one), (b, other)| (a, &one.1, one.0).cmp(&(b, &other.1, other.0)));
        let known = found.into_iter().skip(cursor).take(limit).map(|(_, pair)| {
            let (card, person, place) = pair;
            let hit = around.directory.person(person);
            let (row, guest) = (around.row(pair), around.guests.get(person));
            Known {
                card: shown(card, reveal),
                reference: self.name_card(card),
                name: named(person, &around.directory, guest),
                email: hit.as_ref().map(|hit| hit.email.clone()).unwrap_or_default(),
                company: hit.map(|hit| hit.company).unwrap_or_default(),
                place: *place,
                since: row.map(|row| row.added_at),
                by: row.map(|row| row.by.clone()).unwrap_or_default(),
                until: guest.map(|guest| guest.until),
                blocked: around.is_blocked(card, person),
                platform: Self::at_platform(row, &around.writes, around.heard),
                shared: holders.get(card).is_some_and(|count| *count > 1),
                person: person.as_str().to_owned(),
            }
        });
        Ok((known.collect(), total))
    }

    /// The cards of somebody.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn cards_of(&self, person: &PersonId) -> Result<Vec<Theirs>, DeskError> {
        let around = self.around()?;
        let pairs = around.pairs();
        let mut theirs: Vec<&Pair> = pairs.iter().filter(|(_, holder, _)| holder == person).collect();
        theirs.sort_unstable_by_key(|(card, ..)| *card);
        let shown = theirs.into_iter().map(|pair| {
            let (card, _, place) = pair;
            let row = around.row(pair);
            let platform = Self::at_platform(row, &around.writes, around.heard);
            let shown = card.masked();
            Theirs {
                reference: self.name_card(card),
                scheme: shown.split(':').next().unwrap_or_default().to_owned(),
                shown,
                kind: *place,
                since: row.map(|row| row.added_at),
                waiting: platform == Some(AtPlatform::Waiting),
                platform,
                blocked: around.blocked.contains(&BlockTarget::Credential(*card)),
                shared: pairs.iter().filter(|(other, ..)| other == card).count() > 1,
            }
        });
        Ok(shown.collect())
    }

    /// People in pages, as [`Directory::page`] finds them, each with whether they are blocked at the gateway. How many cards
    /// somebody has is what counts at the doors.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn people(
        &self,
        query: &str,
        cursor: usize,
        limit: usize,
    ) -> Result<(Vec<(Hit, bool)>, usize), DeskError> {
        let around = self.around()?;
        let (hits, total) = around.directory.page(query, cursor, limit);
        let people = hits.into_iter().map(|mut hit| {
            let id = PersonId::from(hit.id.as_str());
            for row in around.rows.values() {
                let holds = |it: &LocalCard| it.kind == CardKind::Member && it.person == id;
                let platform = around
                    .directory
                    .holders(&row.credential)
                    .any(|holder| *holder == id);
                if platform && row.instead.contains(&id) {
                    hit.cards = hit.cards.saturating_sub(1);
                } else if !platform && holds(row) {
                    hit.cards += 1;
                }
            }
            (hit, around.blocked.contains(&BlockTarget::Person(id)))
        });
        Ok((people.collect(), total))
    }

    /// Gives the cards of a sheet to whom it names. `format`: how its numbers are written; absent: as the platform's are.
    /// Rows that cannot be done are named and left out; the others are done, unless it is a dry run.
    ///
    /// # Errors
    /// When the sheet as a whole cannot be read, or the store cannot.
    pub fn import(
        &self,
        text: &str,
        format: Option<CardText>,
        dry_run: bool,
        actor: &Actor,
    ) -> Result<Import, DeskError> {
        let format = format.unwrap_or_else(|| self.card_format());
        let bad = |message| DeskError::refused(Refusal::BadInput, message);
        let mut import = Import {
            dry_run,
            ..Import::default()
        };
        let mut seen: HashMap<Credential, u64> = HashMap::new();
        for row in sheet::rows(text, format).map_err(bad)? {
            let row = match row {
                Ok(row) => self.import_row(&row, &mut seen, dry_run, actor)?,
                Err((line, words)) => ImportRow {
                    line,
                    card: String::new(),
                    who: String::new(),
                    outcome: ImportOutcome::Bad,
                    say: Say::of_row(&words),
                    words,
                },
            };
            match row.outcome {
                ImportOutcome::Assigned => import.assigned += 1,
                ImportOutcome::AlreadyTheirs => import.already += 1,
                ImportOutcome::Bad => import.bad += 1,
            }
            import.rows.push(row);
        }
        if import.assigned > 0 && !dry_run {
            self.rework()?;
        }
        Ok(import)
    }

    fn import_row(
        &self,
        row: &sheet::Row,
        seen: &mut HashMap<Credential, u64>,
        dry_run: bool,
        actor: &Actor,
    ) -> Result<ImportRow, DeskError> {
        let answer = |card: Option<&Credential>, outcome, words: String| ImportRow {
            line: row.line,
            card: card.map(Credential::masked).unwrap_or_default(),
            who: row.who.first().cloned().unwrap_or_default(),
            outcome,
            say: Say::of_row(&words),
            words,
        };
        let bad = |card, words| Ok(answer(card, ImportOutcome::Bad, words));
        let card = match &row.card {
            Some(Ok(card)) => *card,
            Some(Err(words)) => return bad(None, words.clone()),
            None => return bad(None, say::sheet_without_cards().into()),
        };
        if let Some(line) = seen.insert(card, row.line) {
            return bad(Some(&card), say::row_twice(line).into());
        }
        // What an export of this desk says of guests and of blocked cards is so already.
        let known = self.of_card(&card)?;
        let holds = |holder: &PersonId| row.who.first().is_some_and(|who| who == holder.as_str());
        if known.situation().holders().iter().all(holds) && !known.situation().holders().is_empty() {
            let words = self.refusal(Refusal::AlreadyTheirs, &known, &row.who.join(", "));
            return Ok(answer(Some(&card), ImportOutcome::AlreadyTheirs, words));
        }
        let hit = match self.one_of(&row.who) {
            Ok(hit) => hit,
            Err(DeskError::Refused { message, .. }) => return bad(Some(&card), message),
            Err(error) => return Err(error),
        };
        let person: PersonId = hit.id.as_str().into();
        let refused = if dry_run {
            let given = known.situation().give(CardKind::Member, &person, None);
            given
                .err()
                .map(|code| (code, self.refusal(code, &known, &hit.name)))
        } else {
            let give = Give {
                person: &person,
                from: None,
                seen: None,
            };
            match self.give(&card, &give, actor, false) {
                Ok(_) => None,
                Err(DeskError::Refused { code, message, .. }) => Some((code, message)),
                Err(error) => return Err(error),
            }
        };
        Ok(match refused {
            None => answer(
                Some(&card),
                ImportOutcome::Assigned,
                say::row_goes_to(hit.name).into(),
            ),
            Some((Refusal::AlreadyTheirs, words)) => answer(Some(&card), ImportOutcome::AlreadyTheirs, words),
            Some((_, words)) => answer(Some(&card), ImportOutcome::Bad, words),
        })
    }

    /// How the platform of the configuration writes cards.
    pub(super) fn card_format(&self) -> CardText {
        match &self.inner().config.borrow().cloud {
            CloudConfig::Nexudus(config) => config.cards,
            CloudConfig::Cobot(config) => config.cards,
            CloudConfig::OfficeRnd(config) => config.cards,
            CloudConfig::Spacebring(config) => config.cards,
            _ => CardText::Auto,
        }
    }
}

fn named(person: &PersonId, directory: &Directory, guest: Option<&Guest>) -> String {
    let of_platform = directory.person(person).map(|hit| hit.name);
    of_platform
        .or_else(|| guest.map(|guest| guest.name.clone()))
        .unwrap_or_else(|| person.as_str().to_owned())
}
