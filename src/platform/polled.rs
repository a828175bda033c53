//! For platforms that have no version of their facts: one that grows whenever the contents are others.

use super::{FactsProblem, Fetched, Hint, Known, PlatformError, check};
use crate::domain::{PersonId, facts::Facts};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::{
    collections::HashSet,
    hash::Hasher,
    io,
    sync::{Mutex, PoisonError},
};

/// Checks complete facts and gives them a version: one more than the known one if their contents are others, in
/// whatever order the platform listed them. `problems` is what the adapter had to leave out; `place` is for messages.
///
/// # Errors
/// [`super::ErrorKind::Malformed`] when more than a few items contradict themselves.
pub fn settle(
    facts: Facts,
    problems: Vec<FactsProblem>,
    known: Option<&Known>,
    place: &str,
) -> Result<Fetched, PlatformError> {
    settled(facts, problems, known, place).map(|(fetched, _)| fetched)
}

/// What was left out at the last reading. For adapters that read a part anew and take the rest from the facts before, in
/// which nothing of it stands: what is wrong with that rest is still so.
#[derive(Debug, Default)]
pub struct LeftOut(Mutex<Vec<FactsProblem>>);

impl LeftOut {
    /// [`settle`] after everything was read.
    ///
    /// # Errors
    /// As [`settle`].
    pub fn whole(
        &self,
        facts: Facts,
        problems: Vec<FactsProblem>,
        known: Option<&Known>,
        place: &str,
    ) -> Result<Fetched, PlatformError> {
        let (fetched, problems) = settled(facts, problems, known, place)?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = problems;
        Ok(fetched)
    }

    /// [`settle`] after what `hints` name was read: what was left out before of anything else is left out still.
    ///
    /// # Errors
    /// As [`settle`].
    pub fn part(
        &self,
        facts: Facts,
        problems: Vec<FactsProblem>,
        hints: &[Hint],
        known: &Known,
        place: &str,
    ) -> Result<Fetched, PlatformError> {
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let problems = carried(before, problems, hints);
        self.whole(facts, problems, Some(known), place)
    }
}

fn carried(before: Vec<FactsProblem>, mut now: Vec<FactsProblem>, hints: &[Hint]) -> Vec<FactsProblem> {
    let again: HashSet<(&str, String)> = now.iter().map(|it| (it.collection, it.id.clone())).collect();
    let named = |it: &FactsProblem| {
        hints.iter().any(|hint| match hint {
            Hint::Anything => true,
            Hint::Collection(collection) => *collection == it.collection,
            Hint::Object { collection, id } => *collection == it.collection && it.id.starts_with(id.as_str()),
            Hint::Person(person) => it.collection == "people" && it.id == person.as_str(),
            Hint::Pushed(_) => false,
        })
    };
    let stays = |it: &FactsProblem| !named(it) && !again.contains(&(it.collection, it.id.clone()));
    let mut all: Vec<FactsProblem> = before.into_iter().filter(stays).collect();
    all.append(&mut now);
    all
}

fn settled(
    mut facts: Facts,
    problems: Vec<FactsProblem>,
    known: Option<&Known>,
    place: &str,
) -> Result<(Fetched, Vec<FactsProblem>), PlatformError> {
    facts.version = known.map_or(1, |known| known.version.saturating_add(1));
    let items = facts.people.len()
        + facts.memberships.len()
        + facts.assignments.len()
        + facts.resources.len()
        + facts.bookings.len()
        + facts.passes.len();
    let version = facts.version;
    let (mut facts, problems) = check::check(facts.into(), version, problems);
    check::bearable(&problems, items, place)?;
    sort(&mut facts);
    slim(&mut facts);
    let etag = fingerprint(&facts, &problems)?;
    if known.is_some_and(|known| known.etag.as_deref() == Some(etag.as_str())) {
        return Ok((Fetched::Unchanged, problems));
    }
    let fetched = Fetched::Facts {
        facts,
        etag: Some(etag),
        problems: problems.clone(),
    };
    Ok((fetched, problems))
}

/// The order of a platform's pages says nothing.
fn sort(facts: &mut Facts) {
    facts.people.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    facts.memberships.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    facts.assignments.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    facts.resources.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    facts.bookings.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    facts.passes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    facts.teams.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let catalogue = &mut facts.catalogue;
    for list in [
        &mut catalogue.plans,
        &mut catalogue.locations,
        &mut catalogue.floors,
        &mut catalogue.passes,
        &mut catalogue.groups,
    ] {
        list.sort_unstable();
    }
}

/// A person's id is in memory once, however many objects name it, and no list has room for more than it holds. Sorted
/// facts only.
fn slim(facts: &mut Facts) {
    let people = &facts.people;
    let share = |id: &mut PersonId| {
        let place = people.binary_search_by(|person| person.id.cmp(id));
        if let Some(person) = place.ok().and_then(|place| people.get(place)) {
            *id = person.id.clone();
        }
    };
    facts
        .memberships
        .iter_mut()
        .filter_map(|it| it.person.as_mut())
        .for_each(share);
    facts
        .assignments
        .iter_mut()
        .filter_map(|it| it.person.as_mut())
        .for_each(share);
    facts
        .passes
        .iter_mut()
        .filter_map(|it| it.person.as_mut())
        .for_each(share);
    let booked = facts.bookings.iter_mut();
    booked
        .flat_map(|it| it.person.iter_mut().chain(&mut it.invitees))
        .for_each(share);
    facts.people.shrink_to_fit();
    facts.memberships.shrink_to_fit();
    facts.bookings.shrink_to_fit();
    facts.passes.shrink_to_fit();
}

/// Of everything but the version, and of what was left out: who reads warnings shall see when it is put right. Not against
/// forgery: the platform is trusted to say what it says.
fn fingerprint(facts: &Facts, problems: &[FactsProblem]) -> Result<String, PlatformError> {
    let mut left_out: Vec<(&str, &str, &str)> = problems
        .iter()
        .map(|it| (it.collection, it.id.as_str(), it.text.as_str()))
        .collect();
    left_out.sort_unstable();
    let mut hashed = Hashed(SipHasher13::new());
    let contents = (
        (&facts.people, &facts.memberships, &facts.assignments),
        (&facts.resources, &facts.bookings, &facts.passes),
        (&facts.teams, &facts.catalogue),
        left_out,
    );
    serde_json::to_writer(&mut hashed, &contents)
        .map_err(|error| PlatformError::malformed(format_args!("the facts cannot be kept: {error}")))?;
    let sum = hashed.0.finish128();
    Ok(format!("{:016x}{:016x}", sum.h1, sum.h2))
}

struct Hashed(SipHasher13);

impl io::Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Person;

    fn facts(names: &[&str]) -> Facts {
        Facts {
            people: names.iter().map(|name| Person::new(*name, *name)).collect(),
            ..Facts::default()
        }
    }

    #[test]
    fn the_version_grows_with_the_contents_and_not_with_their_order() {
        let Fetched::Facts {
            facts: first, etag, ..
        } = settle(facts(&["a", "b"]), Vec::new(), None, "x").unwrap()
        else {
            panic!("facts")
        };
        let known = Known {
            version: first.version,
            etag,
        };
        let again = settle(facts(&["b", "a"]), Vec::new(), Some(&known), "x").unwrap();
        assert_eq!(again, Fetched::Unchanged);
        let Fetched::Facts { facts: next, .. } =
            settle(facts(&["a"]), Vec::new(), Some(&known), "x").unwrap()
        else {
            panic!("facts")
        };
        assert_eq!(next.version, first.version + 1);
    }

    fn odd(collection: &'static str, id: &str) -> FactsProblem {
        FactsProblem {
            collection,
            index: 0,
            field: None,
            id: id.into(),
            text: "is odd; left out".into(),
        }
    }

    /// The facts' etag with the ids of what was left out; nothing where nothing changed.
    fn told(fetched: Fetched) -> Option<(Known, Vec<String>)> {
        let Fetched::Facts {
            facts,
            etag,
            problems,
        } = fetched
        else {
            return None;
        };
        let known = Known {
            version: facts.version,
            etag,
        };
        Some((known, problems.into_iter().map(|it| it.id).collect()))
    }

    #[test]
    fn what_was_left_out_stays_so_until_it_was_read_again() {
        let left_out = LeftOut::default();
        let all = vec![odd("people", "p1"), odd("bookings", "b1"), odd("bookings", "b2")];
        let whole = left_out.whole(facts(&["a"]), all, None, "x").unwrap();
        let (known, ids) = told(whole).unwrap();
        assert_eq!(ids, ["p1", "b1", "b2"]);
        // Of the booking that was named something else is said, or nothing; of the rest what was said before.
        let booking = Hint::Object {
            collection: "bookings",
            id: "b1".into(),
        };
        let part = left_out.part(facts(&["a", "b"]), Vec::new(), &[booking], &known, "x");
        let (known, ids) = told(part.unwrap()).unwrap();
        assert_eq!(ids, ["p1", "b2"]);
        let person = Hint::Person("p1".into());
        let again = vec![odd("bookings", "b2")];
        let part = left_out.part(facts(&["a", "c"]), again, &[person], &known, "x");
        let (known, ids) = told(part.unwrap()).unwrap();
        assert_eq!(ids, ["b2"]);
        // The facts are the same, and what was left out is put right: that is news.
        let whole = left_out.whole(facts(&["a", "c"]), Vec::new(), Some(&known), "x");
        assert_eq!(told(whole.unwrap()).unwrap().1, Vec::<String>::new());
    }
}
