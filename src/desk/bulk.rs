//! A queue of people on the day when everybody gets a card: the next presentation is the next one's. Pure.

use crate::domain::{Credential, Millis, PersonId};
use serde::{Deserialize, Serialize};

/// The longest queue.
pub const MOST_PEOPLE: usize = 2_000;

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulk {
    /// Who began it.
    pub by: String,
    /// When, Unix milliseconds.
    pub begun: Millis,
    places: Vec<Place>,
    /// Whose turn it was, in order, for taking back.
    order: Vec<usize>,
}

/// Somebody in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    person: PersonId,
    name: String,
    card: Option<Credential>,
    #[serde(default)]
    skipped: bool,
}

/// Somebody whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Turn {
    /// The platform's id.
    pub person: String,
    /// Full name.
    pub name: String,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Progress {
    /// How many people are in the queue.
    pub people: usize,
    /// How many got a card.
    pub done: usize,
    /// How many were passed over.
    pub skipped: usize,
    /// Whose turn it is; absent at the end.
    pub next: Option<Turn>,
    /// Who came after that.
    pub after: Option<Turn>,
    /// Who got the last card.
    pub last: Option<Turn>,
}

impl Bulk {
    /// A queue of these people, each once, in this order.
    #[must_use]
    pub fn new(people: Vec<(PersonId, String)>, by: &str, now: Millis) -> Self {
        let mut seen = std::collections::HashSet::new();
        let places = people
            .into_iter()
            .filter(|(person, _)| seen.insert(person.clone()))
            .take(MOST_PEOPLE)
            .map(|(person, name)| Place {
                person,
                name,
                card: None,
                skipped: false,
            })
            .collect();
        Self {
            by: by.to_owned(),
            begun: now,
            places,
            order: Vec::new(),
        }
    }

    fn waiting(&self) -> impl Iterator<Item = (usize, &Place)> {
        let all = self.places.iter().enumerate();
        all.filter(|(_, place)| place.card.is_none() && !place.skipped)
    }

    /// Whose turn it is.
    #[must_use]
    pub fn next(&self) -> Option<(&PersonId, &str)> {
        self.waiting()
            .next()
            .map(|(_, place)| (&place.person, place.name.as_str()))
    }

    /// Who got this card in this queue: a fob that still lies on the reader, or was taken for a new one.
    #[must_use]
    pub fn given(&self, card: &Credential) -> Option<&str> {
        let place = self.places.iter().find(|place| place.card == Some(*card))?;
        Some(&place.name)
    }

    /// Notes that the next one got this card.
    pub fn done(&mut self, card: Credential) {
        let Some((at, _)) = self.waiting().next() else {
            return;
        };
        if let Some(place) = self.places.get_mut(at) {
            place.card = Some(card);
            self.order.push(at);
        }
    }

    /// The next one gets no card today. False at the end.
    pub fn skip(&mut self) -> bool {
        let Some((at, _)) = self.waiting().next() else {
            return false;
        };
        if let Some(place) = self.places.get_mut(at) {
            place.skipped = true;
            self.order.push(at);
        }
        true
    }

    /// What the last step was, without taking it back: who, and the card if one was given.
    #[must_use]
    pub fn last(&self) -> Option<(&PersonId, &str, Option<Credential>)> {
        let place = self.places.get(*self.order.last()?)?;
        Some((&place.person, &place.name, place.card))
    }

    /// Takes the last step back: it is that person's turn again.
    pub fn undo(&mut self) {
        if let Some(place) = self.order.pop().and_then(|at| self.places.get_mut(at)) {
            place.card = None;
            place.skipped = false;
        }
    }

    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let turn = |place: &Place| Turn {
            person: place.person.as_str().to_owned(),
            name: place.name.clone(),
        };
        let mut waiting = self.waiting().map(|(_, place)| turn(place));
        Progress {
            people: self.places.len(),
            done: self.places.iter().filter(|place| place.card.is_some()).count(),
            skipped: self.places.iter().filter(|place| place.skipped).count(),
            next: waiting.next(),
            after: waiting.next(),
            last: self
                .order
                .iter()
                .rev()
                .filter_map(|at| self.places.get(*at))
                .find(|place| place.card.is_some())
                .map(turn),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(n: u8) -> Credential {
        Credential::uid(&[4, 0, 0, n]).unwrap()
    }

    fn queue() -> Bulk {
        let people = ["ana", "ben", "ana", "cleo"];
        Bulk::new(
            people.map(|it| (PersonId::from(it), it.to_uppercase())).to_vec(),
            "Maria",
            0,
        )
    }

    fn next(bulk: &Bulk) -> Option<&str> {
        bulk.next().map(|(person, _)| person.as_str())
    }

    #[test]
    fn each_presentation_is_the_next_ones_and_the_last_can_be_taken_back() {
        let mut bulk = queue();
        assert_eq!(bulk.progress().people, 3, "each once");
        bulk.done(card(1));
        assert_eq!((next(&bulk), bulk.given(&card(1))), (Some("ben"), Some("ANA")));
        assert!(bulk.skip());
        bulk.done(card(3));
        assert_eq!(next(&bulk), None);
        assert!(!bulk.skip());
        let progress = bulk.progress();
        assert_eq!((progress.done, progress.skipped), (2, 1));
        assert_eq!(bulk.last().unwrap().2, Some(card(3)));
        bulk.undo();
        assert_eq!(next(&bulk), Some("cleo"));
        bulk.undo();
        assert_eq!(next(&bulk), Some("ben"), "who was passed over comes back too");
        assert_eq!(bulk.progress().last.unwrap().name, "ANA");
        bulk.undo();
        bulk.undo();
        assert_eq!((next(&bulk), bulk.given(&card(1))), (Some("ana"), None));
    }

    #[test]
    fn a_queue_goes_on_after_a_restart() {
        let mut bulk = queue();
        bulk.done(card(1));
        let text = serde_json::to_string(&bulk).unwrap();
        assert_eq!(serde_json::from_str::<Bulk>(&text).unwrap(), bulk);
    }
}
