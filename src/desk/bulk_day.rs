//! Queues of people as the service keeps them: each presentation goes to the next, also after a restart.

use super::{
    actions::Give,
    answers::Change,
    audit::{Action, Actor},
    bulk::{Bulk, Progress},
    decide::Refusal,
    service::{Desk, DeskError, lock},
    sheet,
};
use crate::{
    config::model::CardText,
    domain::{
        Credential, PersonId, Say,
        facts::Facts,
        say::{Said, desk as say},
    },
};
use serde::{Deserialize, Serialize};

/// People with their names.
type People = Vec<(PersonId, String)>;

/// The room of the store's documents in which queues stand.
const ROOM: &str = "desk_queue";

/// Whom a queue is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// CSV with a column id, email or name: these, in this order.
    pub sheet: Option<String>,
    /// The platform's ids: these, in this order.
    pub people: Option<Vec<String>>,
    /// Whoever is found by this, as in a search.
    pub search: Option<String>,
    /// Of this team.
    pub company: Option<String>,
    /// With this plan, by id or name.
    pub plan: Option<String>,
    /// Only those who have no card.
    pub without_card: bool,
}

/// What a presentation came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Step {
    /// In words: whose it is now, or why it is nobody's.
    pub message: String,
    /// The same, for whoever says it in another language.
    #[serde(default)]
    pub say: Option<Say>,
    /// It was given to the one whose turn it was.
    pub given: bool,
    /// What was done, if something was.
    pub change: Option<Change>,
    /// How far it is now.
    pub progress: Progress,
    /// Rows of the sheet that name nobody, when a queue begins.
    #[serde(default)]
    pub left_out: Vec<String>,
    /// The same, for whoever says it in another language.
    #[serde(default)]
    pub left_out_say: Vec<Option<Say>>,
}

impl Desk {
    /// Begins a queue, in place of one of the same name.
    ///
    /// # Errors
    /// Nobody is in it, or the store does not keep it.
    pub fn bulk_begin(&self, name: &str, wanted: &Wanted, actor: &Actor) -> Result<Step, DeskError> {
        let (people, left_out) = self.wanted(wanted)?;
        let bulk = Bulk::new(people, &actor.name, self.now());
        let progress = bulk.progress();
        if progress.people == 0 {
            let words = left_out
                .first()
                .map_or_else(say::queue_empty, say::queue_empty_why);
            return Err(DeskError::refused(Refusal::EmptyQueue, words));
        }
        let _one = lock(&self.inner().queue);
        self.keep(name, Some(&bulk))?;
        Ok(Step {
            left_out_say: left_out.iter().map(|row| Say::of(row)).collect(),
            left_out,
            ..Step::nothing(
                match progress.people {
                    1 => say::queue_begun_one(),
                    people => say::queue_begun(people),
                },
                &bulk,
            )
        })
    }

    /// How far a queue is.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn bulk_progress(&self, name: &str) -> Result<Progress, DeskError> {
        Ok(self.bulk(name)?.progress())
    }

    /// A presentation: the card is the next one's. A card of somebody else, or one that was just given, changes nothing.
    ///
    /// # Errors
    /// Nobody is left, or the store does not take it. That this card cannot be given is no error: the step says so.
    pub fn bulk_present(&self, name: &str, card: &Credential, actor: &Actor) -> Result<Step, DeskError> {
        let _one = lock(&self.inner().queue);
        let mut bulk = self.bulk(name)?;
        if let Some(whose) = bulk.given(card) {
            return Ok(Step::nothing(say::queue_just_given(whose), &bulk));
        }
        let Some((person, called)) = bulk
            .next()
            .map(|(person, name)| (person.clone(), name.to_owned()))
        else {
            return Err(DeskError::refused(Refusal::NoQueue, say::queue_over()));
        };
        let give = Give {
            person: &person,
            from: None,
            seen: None,
        };
        let change = match self.give(card, &give, actor, true) {
            Ok(change) => Some(change),
            // A kill may come between the card and the queue.
            Err(DeskError::Refused {
                code: Refusal::AlreadyTheirs,
                ..
            }) => None,
            Err(DeskError::Refused { message, .. }) => {
                return Ok(Step::nothing(say::queue_not_given(message, called), &bulk));
            }
            Err(error) => return Err(error),
        };
        bulk.done(*card);
        self.keep(name, Some(&bulk))?;
        Ok(Step {
            given: true,
            change,
            ..Step::nothing(say::queue_given(called), &bulk)
        })
    }

    /// Passes the next one over.
    ///
    /// # Errors
    /// Nobody is left.
    pub fn bulk_skip(&self, name: &str) -> Result<Step, DeskError> {
        let _one = lock(&self.inner().queue);
        let mut bulk = self.bulk(name)?;
        let called = bulk.next().map(|(_, name)| name.to_owned());
        if !bulk.skip() {
            return Err(DeskError::refused(Refusal::NoQueue, say::queue_over()));
        }
        self.keep(name, Some(&bulk))?;
        Ok(Step::nothing(
            say::queue_skipped(called.unwrap_or_default()),
            &bulk,
        ))
    }

    /// Takes the last step back: the card is nobody's again, and it is that person's turn.
    ///
    /// # Errors
    /// There is none.
    pub fn bulk_undo(&self, name: &str, actor: &Actor) -> Result<Step, DeskError> {
        let _one = lock(&self.inner().queue);
        let mut bulk = self.bulk(name)?;
        let Some((person, called, card)) = bulk
            .last()
            .map(|(person, name, card)| (person.clone(), name.to_owned(), card))
        else {
            return Err(DeskError::refused(
                Refusal::NothingToUndo,
                say::queue_nothing_done(),
            ));
        };
        let mut change = None;
        if let Some(card) = card {
            // Not if it went on to somebody else meanwhile.
            let holders = self.of_card(&card)?.situation().holders();
            if holders == [person] {
                change = Some(self.take(&card, None, actor, Action::Undone)?);
            }
        }
        bulk.undo();
        self.keep(name, Some(&bulk))?;
        Ok(Step {
            change,
            ..Step::nothing(say::queue_again(called), &bulk)
        })
    }

    /// Ends a queue. What was given stays given.
    ///
    /// # Errors
    /// When the store does not take it.
    pub fn bulk_end(&self, name: &str) -> Result<(), DeskError> {
        let _one = lock(&self.inner().queue);
        self.keep(name, None)
    }

    fn bulk(&self, name: &str) -> Result<Bulk, DeskError> {
        let none = || DeskError::refused(Refusal::NoQueue, say::queue_unknown(name));
        let text = self.inner().store.read().document(ROOM, name)?.ok_or_else(none)?;
        serde_json::from_str(&text).map_err(|_| none())
    }

    fn keep(&self, name: &str, bulk: Option<&Bulk>) -> Result<(), DeskError> {
        let text = bulk.map(serde_json::to_string).transpose();
        let text = text.map_err(|error| DeskError::Failed(error.to_string()))?;
        Ok(self
            .inner()
            .store
            .put_documents(ROOM, &[(name, text.as_deref())])?)
    }

    fn wanted(&self, wanted: &Wanted) -> Result<(People, Vec<String>), DeskError> {
        let directory = self.directory()?;
        let mut left_out = Vec::new();
        let mut hits = Vec::new();
        if let Some(text) = &wanted.sheet {
            let bad = |message| DeskError::refused(Refusal::BadInput, message);
            for row in sheet::rows(text, CardText::Auto).map_err(bad)? {
                match row {
                    Err((line, why)) => left_out.push(say::row_left_out(line, why).into()),
                    Ok(row) => match self.one_of(&row.who) {
                        Ok(hit) => hits.push(hit),
                        Err(error) => left_out.push(say::row_left_out(row.line, error).into()),
                    },
                }
            }
        } else if let Some(people) = &wanted.people {
            for id in people.iter().take(super::bulk::MOST_PEOPLE) {
                match directory.person(&id.as_str().into()) {
                    Some(hit) => hits.push(hit),
                    None => left_out.push(say::person_unknown(id).into()),
                }
            }
        } else {
            hits = match &wanted.search {
                Some(query) => directory.search(query, super::bulk::MOST_PEOPLE),
                None => directory.everybody(),
            };
        }
        if let Some(company) = &wanted.company {
            let company = company.to_lowercase();
            hits.retain(|hit| {
                hit.company
                    .split(", ")
                    .any(|theirs| theirs.to_lowercase() == company)
            });
        }
        if let Some(plan) = &wanted.plan {
            let facts = self.inner().store.read().active_facts()?.unwrap_or_default();
            hits.retain(|hit| holds_plan(&facts, &hit.id, plan));
        }
        if wanted.without_card {
            let local = self.inner().store.read().local_cards()?;
            let has = |hit: &super::Hit| {
                let theirs = match hit.cards {
                    0 => Vec::new(),
                    _ => directory.cards_of(&hit.id.as_str().into()),
                };
                let gone = |card: &Credential| {
                    local.iter().any(|row| {
                        row.credential == *card && row.instead.iter().any(|it| it.as_str() == hit.id)
                    })
                };
                theirs.iter().any(|card| !gone(card))
                    || local.iter().any(|row| {
                        row.kind == crate::store::CardKind::Member && row.person.as_str() == hit.id
                    })
            };
            hits.retain(|hit| !has(hit));
        }
        hits.retain(|hit| !hit.deactivated);
        let people = hits.into_iter().map(|hit| (hit.id.into(), hit.name)).collect();
        Ok((people, left_out))
    }

    /// Whom a row of a sheet names: by its id, else its e-mail, else its name.
    pub(super) fn one_of(&self, who: &[String]) -> Result<super::Hit, DeskError> {
        let mut last = DeskError::refused(Refusal::NoSuchPerson, say::nobody_named());
        for text in who {
            match self.person(text) {
                Ok(hit) => return Ok(hit),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Whether somebody holds a plan, by themselves or with their team.
fn holds_plan(facts: &Facts, id: &str, plan: &str) -> bool {
    let named = |it: &str| {
        it == plan
            || facts
                .catalogue
                .plans
                .iter()
                .any(|known| known.id == it && known.name == plan)
    };
    let person = facts.people.iter().find(|person| person.id.as_str() == id);
    facts
        .memberships
        .iter()
        .filter(|membership| named(&membership.plan))
        .any(|membership| match (&membership.person, &membership.team) {
            (Some(holder), _) => holder.as_str() == id,
            (None, Some(team)) => person.is_some_and(|person| person.all_teams().any(|it| it == team)),
            (None, None) => false,
        })
}

impl Step {
    fn nothing(message: Said, bulk: &Bulk) -> Self {
        Self {
            say: Say::of(message.as_ref()),
            message: message.into(),
            given: false,
            change: None,
            progress: bulk.progress(),
            left_out: Vec::new(),
            left_out_say: Vec::new(),
        }
    }
}
