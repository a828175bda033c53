//! People and cards of the stored facts, for looking up and searching. Made when somebody asks, dropped when nobody has
//! for a while: the doors need none of it.

use super::fold::fold;
use crate::domain::{Credential, PersonId, facts::Facts};
use serde::Serialize;
use std::collections::HashMap;

/// People and cards as the platform has them.
#[derive(Debug, Default)]
pub struct Directory {
    /// Sorted by id.
    people: Vec<Entry>,
    /// Sorted by card: whose it is.
    cards: Vec<(Credential, u32)>,
}

#[derive(Debug)]
struct Entry {
    id: PersonId,
    name: Box<str>,
    email: Box<str>,
    company: Box<str>,
    /// Name, e-mail and company, folded, a word after each space; the name ends at `name_end`.
    folded: Box<str>,
    name_end: u32,
    deactivated: bool,
    /// How many cards.
    cards: u32,
}

/// What somebody typed into a search: every word of it begins a word of what is found.
#[derive(Clone, Debug)]
pub(super) struct Query {
    folded: String,
    /// An address is one word.
    address: Option<String>,
}

impl Query {
    pub(super) fn new(text: &str) -> Self {
        let whole = text.trim().to_lowercase();
        Self {
            folded: fold(text),
            address: (whole.contains('@') && !whole.contains(' ')).then_some(whole),
        }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        let one = self.address.as_deref().into_iter();
        let many = self.folded.split(' ').filter(|word| !word.is_empty());
        one.chain(many.take(if self.address.is_some() { 0 } else { usize::MAX }))
    }

    /// Nothing that could be looked for.
    pub(super) fn is_empty(&self) -> bool {
        self.words().next().is_none()
    }

    /// Whether this is found; `folded` as [`fold`] gives it.
    pub(super) fn finds(&self, folded: &str) -> bool {
        self.words().all(|word| begins_a_word(folded, word))
    }
}

/// Somebody who was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Hit {
    /// The platform's id.
    pub id: String,
    /// Full name.
    pub name: String,
    /// E-mail; empty when unknown.
    pub email: String,
    /// Team; empty when there is none.
    pub company: String,
    /// Whether the platform has locked the person out.
    pub deactivated: bool,
    /// How many cards the person has, as the platform says.
    pub cards: usize,
}

impl Directory {
    /// Of complete facts.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let teams: HashMap<&str, &str> = facts
            .teams
            .iter()
            .map(|team| (team.id.as_str(), team.name.as_str()))
            .collect();
        let mut people: Vec<Entry> = facts
            .people
            .iter()
            .map(|person| {
                let companies: Vec<&str> = person
                    .all_teams()
                    .map(|team| teams.get(team).copied().unwrap_or(team))
                    .collect();
                let company = companies.join(", ");
                let email = person.email.as_deref().unwrap_or_default();
                let mut folded = fold(&person.name);
                let name_end = u32::try_from(folded.len()).unwrap_or(u32::MAX);
                folded.push(' ');
                // As one word too, so that it is found by however much of it is typed.
                folded.push_str(&email.to_lowercase());
                folded.push(' ');
                folded.push_str(&fold(email));
                folded.push(' ');
                folded.push_str(&fold(&company));
                Entry {
                    id: person.id.clone(),
                    name: person.name.as_str().into(),
                    email: email.into(),
                    company: company.into(),
                    folded: folded.into(),
                    name_end,
                    deactivated: person.deactivated,
                    cards: 0,
                }
            })
            .collect();
        people.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut directory = Self {
            people,
            cards: Vec::new(),
        };
        let mut cards: Vec<(Credential, u32)> = Vec::new();
        for person in &facts.people {
            if let Some(place) = directory.place(&person.id) {
                cards.extend(person.credentials.iter().map(|card| (*card, place)));
            }
        }
        cards.sort_unstable();
        cards.dedup();
        cards.shrink_to_fit();
        for (_, place) in &cards {
            let holder = usize::try_from(*place).ok();
            if let Some(entry) = holder.and_then(|place| directory.people.get_mut(place)) {
                entry.cards = entry.cards.saturating_add(1);
            }
        }
        directory.cards = cards;
        directory
    }

    fn place(&self, id: &PersonId) -> Option<u32> {
        let found = self.people.binary_search_by(|entry| entry.id.cmp(id)).ok()?;
        u32::try_from(found).ok()
    }

    /// How many people.
    #[must_use]
    pub const fn people(&self) -> usize {
        self.people.len()
    }

    /// Somebody by the platform's id.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> Option<Hit> {
        let place = self.place(id)?;
        self.hit(place)
    }

    fn hit(&self, place: u32) -> Option<Hit> {
        let entry = self.people.get(usize::try_from(place).ok()?)?;
        Some(Hit {
            id: entry.id.as_str().to_owned(),
            name: entry.name.to_string(),
            email: entry.email.to_string(),
            company: entry.company.to_string(),
            deactivated: entry.deactivated,
            cards: usize::try_from(entry.cards).unwrap_or(usize::MAX),
        })
    }

    /// Who holds a card at the platform; several if it is in a muddle.
    pub fn holders(&self, card: &Credential) -> impl Iterator<Item = &PersonId> {
        let from = self.cards.partition_point(|(known, _)| known < card);
        let here = self.cards.get(from..).unwrap_or_default().iter();
        here.take_while(move |(known, _)| known == card)
            .filter_map(|(_, holder)| Some(&self.people.get(usize::try_from(*holder).ok()?)?.id))
    }

    /// Every card with its holder, by card.
    pub fn cards(&self) -> impl Iterator<Item = (&Credential, &PersonId)> {
        self.cards
            .iter()
            .filter_map(|(card, holder)| Some((card, &self.people.get(usize::try_from(*holder).ok()?)?.id)))
    }

    /// The cards of somebody.
    #[must_use]
    pub fn cards_of(&self, id: &PersonId) -> Vec<Credential> {
        let Some(place) = self.place(id) else {
            return Vec::new();
        };
        let theirs = self.cards.iter().filter(|(_, holder)| *holder == place);
        theirs.map(|(card, _)| *card).collect()
    }

    /// At most `most` people of whom every word of `query` begins a word of name, e-mail or company, whatever its case and
    /// accents. Those whose name begins so come first, then by name. Nobody for a query without a letter or digit.
    #[must_use]
    pub fn search(&self, query: &str, most: usize) -> Vec<Hit> {
        let query = Query::new(query);
        if query.is_empty() {
            return Vec::new();
        }
        self.ranked(&query, 0, most).0
    }

    /// The same in pages: `limit` people from place `cursor` on, and how many there are in all. A query without a letter or
    /// digit finds everybody; the platform's id of somebody finds them.
    #[must_use]
    pub fn page(&self, query: &str, cursor: usize, limit: usize) -> (Vec<Hit>, usize) {
        let page = self.ranked(&Query::new(query), cursor, limit);
        if page.1 == 0
            && let Some(hit) = self.person(&query.trim().into())
        {
            let found = [hit].into_iter().skip(cursor).take(limit).collect();
            return (found, 1);
        }
        page
    }

    fn ranked(&self, query: &Query, cursor: usize, limit: usize) -> (Vec<Hit>, usize) {
        let mut found: Vec<(u8, &str, u32)> = Vec::new();
        for (place, entry) in (0_u32..).zip(&self.people) {
            if query.finds(&entry.folded) {
                let name = entry.name();
                let rank = if name.starts_with(query.folded.as_str()) {
                    0
                } else if query.finds(name) {
                    1
                } else {
                    2
                };
                found.push((rank, &entry.folded, place));
            }
        }
        let total = found.len();
        let end = cursor.saturating_add(limit);
        if total > end {
            found.select_nth_unstable(end);
            found.truncate(end);
        }
        found.sort_unstable();
        let page = found.into_iter().skip(cursor);
        (page.filter_map(|(_, _, place)| self.hit(place)).collect(), total)
    }

    /// Everybody, by name.
    #[must_use]
    pub fn everybody(&self) -> Vec<Hit> {
        let all = self.by_name().into_iter();
        all.filter_map(|place| self.hit(place)).collect()
    }

    fn by_name(&self) -> Vec<u32> {
        let mut all: Vec<(&str, u32)> = (0..)
            .zip(&self.people)
            .map(|(place, entry)| (&*entry.folded, place))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, place)| place).collect()
    }

    /// Name, e-mail and company of somebody, folded: by this people are sorted and found.
    pub(super) fn folded(&self, id: &PersonId) -> Option<&str> {
        let place = usize::try_from(self.place(id)?).ok()?;
        Some(&self.people.get(place)?.folded)
    }

    /// Exactly one person of this id, e-mail or full name.
    ///
    /// # Errors
    /// How many there are, if not one.
    pub fn exactly(&self, text: &str) -> Result<Hit, usize> {
        let text = text.trim();
        if let Some(hit) = self.person(&text.into()) {
            return Ok(hit);
        }
        let (folded, lower) = (fold(text), text.to_lowercase());
        let same = |entry: &Entry| {
            let name = entry.name();
            (!entry.email.is_empty() && entry.email.to_lowercase() == lower)
                || (!folded.is_empty() && name == folded)
        };
        let mut found = (0_u32..).zip(&self.people).filter(|(_, entry)| same(entry));
        match (found.next(), found.count()) {
            (Some((place, _)), 0) => self.hit(place).ok_or(0),
            (None, _) => Err(0),
            (Some(_), more) => Err(more + 1),
        }
    }
}

impl Entry {
    /// The name, folded.
    fn name(&self) -> &str {
        let end = usize::try_from(self.name_end).unwrap_or(0);
        self.folded.get(..end).unwrap_or_default()
    }
}

/// Whether a word of `text` begins with `word`.
fn begins_a_word(text: &str, word: &str) -> bool {
    let mut from = 0;
    while let Some(rest) = text.get(from..) {
        let Some(found) = rest.find(word) else {
            return false;
        };
        let at = from + found;
        if at == 0 || text.as_bytes().get(at - 1) == Some(&b' ') {
            return true;
        }
        from = at + word.chars().next().map_or(1, char::len_utf8);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::{Person, Team};
    use proptest::prelude::*;

    fn directory() -> Directory {
        let mut facts = Facts::default();
        let mut add = |id: &str, name: &str, email: &str, team: &str| {
            let mut person = Person::new(id, name);
            person.email = Some(email.into()).filter(|email: &crate::domain::Text| !email.is_empty());
            person.team = Some(team.into()).filter(|team: &crate::domain::Text| !team.is_empty());
            person.credentials.extend(
                format!("uid:04A2B3{:02X}", facts.people.len())
                    .parse::<Credential>()
                    .ok(),
            );
            facts.people.push(person);
        };
        add("p1", "José Núñez", "jose@example.com", "t1");
        add("p2", "Josefine Weiß", "weiss@example.org", "");
        add("p3", "Ana Ruiz", "ana.ruiz@example.com", "t1");
        add("p4", "Ana Ruiz", "", "");
        facts.teams.push(Team {
            id: "t1".into(),
            name: "Ñandú Studio".into(),
            payer: None,
        });
        Directory::of(&facts)
    }

    fn ids(hits: &[Hit]) -> Vec<&str> {
        hits.iter().map(|hit| hit.id.as_str()).collect()
    }

    #[test]
    fn people_are_found_by_the_beginning_of_any_word() {
        let all = directory();
        let found =
            |query: &str| -> Vec<String> { all.search(query, 10).into_iter().map(|hit| hit.id).collect() };
        assert_eq!(found("JOSE"), ["p1", "p2"], "by name");
        assert_eq!(found("nún"), ["p1"]);
        assert_eq!(found("nandu ana"), ["p3"], "company and name");
        assert_eq!(found("weiss"), ["p2"]);
        assert_eq!(found("ana.ruiz@ex"), ["p3"]);
        assert_eq!(found("uiz"), [""; 0]);
        assert_eq!(found(" .. "), [""; 0]);
        assert_eq!(ids(&all.search("ruiz", 1)).len(), 1);
    }

    #[test]
    fn a_page_goes_on_where_the_one_before_ended() {
        let all = directory();
        let page = |query: &str, cursor, limit| {
            let (hits, total) = all.page(query, cursor, limit);
            let found: Vec<String> = hits.into_iter().map(|hit| hit.id).collect();
            (found.join(" "), total)
        };
        assert_eq!(page("", 0, 3), ("p4 p3 p1".into(), 4), "everybody, by name");
        assert_eq!(page("", 3, 3), ("p2".into(), 4));
        assert_eq!(page("ana", 1, 5), ("p3".into(), 2));
        assert_eq!(page("p2", 0, 5), ("p2".into(), 1), "by id");
        assert_eq!(page("p2", 1, 5), (String::new(), 1));
        assert_eq!(page("zzz", 0, 5), (String::new(), 0));
        assert_eq!(page("", usize::MAX, 5).0, "");
        assert_eq!(all.person(&"p1".into()).unwrap().cards, 1);
    }

    #[test]
    fn exactly_one_is_one_and_two_of_a_name_are_two() {
        let all = directory();
        assert_eq!(
            all.exactly("ana.ruiz@example.com").map(|hit| hit.id),
            Ok("p3".into())
        );
        assert_eq!(all.exactly("p4").map(|hit| hit.id), Ok("p4".into()));
        assert_eq!(all.exactly("Ana Ruiz"), Err(2));
        assert_eq!(all.exactly("Nobody"), Err(0));
    }

    #[test]
    fn cards_and_holders_are_found_both_ways() {
        let all = directory();
        let card: Credential = "uid:04A2B302".parse().unwrap();
        assert_eq!(
            all.holders(&card).map(PersonId::as_str).collect::<Vec<_>>(),
            ["p3"]
        );
        assert_eq!(all.cards_of(&"p3".into()), [card]);
        assert_eq!(all.holders(&"uid:04A2B3FF".parse().unwrap()).count(), 0);
    }

    proptest! {
        #[test]
        fn a_word_begins_where_a_split_says(text in "[ab ]{0,12}", word in "[ab]{1,3}") {
            let split = text.split(' ').any(|part| part.starts_with(&word));
            prop_assert_eq!(begins_a_word(&text, &word), split);
        }
        #[test]
        fn any_query_is_answered(query in "\\PC{0,20}") {
            let _ = directory().search(&query, 5);
        }
    }
}
