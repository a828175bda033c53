//! Many cards at once: what is known, and what a file says.

use super::{
    actions::Give,
    answers::{Import, ImportOutcome, ImportRow, Known, Place, shown},
    audit::Actor,
    decide::Refusal,
    directory::Directory,
    service::{Desk, DeskError},
    sheet,
};
use crate::{
    config::model::{CardText, CloudConfig},
    domain::{BlockTarget, Credential, PersonId},
    store::{CardKind, Guest, LocalCard},
};
use std::collections::{HashMap, HashSet};

impl Desk {
    /// Every known card, of the platform and of the desk, by the names of their holders. `reveal`: whole numbers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn cards(&self, reveal: bool) -> Result<Vec<Known>, DeskError> {
        let (directory, now) = (self.directory()?, self.now());
        let store = self.inner().store.read();
        let rows: HashMap<Credential, LocalCard> = store
            .local_cards()?
            .into_iter()
            .map(|row| (row.credential, row))
            .collect();
        let guests: HashMap<PersonId, Guest> = store
            .guests()?
            .into_iter()
            .map(|guest| (guest.id.clone(), guest))
            .collect();
        let (writes, heard) = (store.card_writes()?, self.heard()?);
        let blocked: HashSet<BlockTarget> =
            self.blocks()?.into_iter().map(|kept| kept.block.target).collect();
        let mut pairs: Vec<(Credential, PersonId, Place)> = directory
            .cards()
            .filter(|(card, person)| rows.get(card).is_none_or(|row| !row.instead.contains(person)))
            .map(|(card, person)| (*card, person.clone(), Place::Platform))
            .collect();
        for row in rows.values() {
            let over = guests.get(&row.person).is_some_and(|guest| guest.until <= now);
            let place = match row.kind {
                CardKind::Member => Place::Desk,
                CardKind::Guest if !over => Place::Guest,
                CardKind::Guest | CardKind::Nobody => continue,
            };
            pairs.retain(|(card, person, _)| !(*card == row.credential && *person == row.person));
            pairs.push((row.credential, row.person.clone(), place));
        }
        let mut holders: HashMap<Credential, usize> = HashMap::new();
        for (card, ..) in &pairs {
            *holders.entry(*card).or_default() += 1;
        }
        let mut known: Vec<Known> = pairs
            .into_iter()
            .map(|(card, person, place)| {
                let hit = directory.person(&person);
                let row = rows
                    .get(&card)
                    .filter(|row| row.person == person && place != Place::Platform);
                let guest = guests.get(&person);
                Known {
                    card: shown(&card, reveal),
                    name: named(&person, &directory, guest),
                    email: hit.as_ref().map(|hit| hit.email.clone()).unwrap_or_default(),
                    company: hit.map(|hit| hit.company).unwrap_or_default(),
                    place,
                    since: row.map(|row| row.added_at),
                    by: row.map(|row| row.by.clone()).unwrap_or_default(),
                    until: guest.map(|guest| guest.until),
                    blocked: blocked.contains(&BlockTarget::Credential(card))
                        || blocked.contains(&BlockTarget::Person(person.clone())),
                    platform: Self::at_platform(row, &writes, heard),
                    shared: holders.get(&card).is_some_and(|count| *count > 1),
                    person: person.into(),
                }
            })
            .collect();
        known.sort_by(|a, b| (&a.name, &a.person, &a.card).cmp(&(&b.name, &b.person, &b.card)));
        Ok(known)
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
            words,
        };
        let bad = |card, words| Ok(answer(card, ImportOutcome::Bad, words));
        let card = match &row.card {
            Some(Ok(card)) => *card,
            Some(Err(words)) => return bad(None, words.clone()),
            None => return bad(None, "the sheet has no column for cards".to_owned()),
        };
        if let Some(line) = seen.insert(card, row.line) {
            return bad(Some(&card), format!("the same card stands in line {line}"));
        }
        let hit = match self.one_of(&row.who) {
            Ok(hit) => hit,
            Err(DeskError::Refused { message, .. }) => return bad(Some(&card), message),
            Err(error) => return Err(error),
        };
        let person: PersonId = hit.id.as_str().into();
        let refused = if dry_run {
            let known = self.of_card(&card)?;
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
            None => answer(Some(&card), ImportOutcome::Assigned, format!("{}'s", hit.name)),
            Some((Refusal::AlreadyTheirs, words)) => answer(Some(&card), ImportOutcome::AlreadyTheirs, words),
            Some((_, words)) => answer(Some(&card), ImportOutcome::Bad, words),
        })
    }

    /// How the platform of the configuration writes cards.
    fn card_format(&self) -> CardText {
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
