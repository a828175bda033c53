//! For platforms that have no version of their facts: one that grows whenever the contents are others.

use super::{FactsProblem, Fetched, Known, PlatformError, check};
use crate::domain::facts::Facts;
use siphasher::sip128::{Hasher128, SipHasher13};
use std::{hash::Hasher, io};

/// Checks complete facts and gives them a version: one more than the known one if their contents are others, in
/// whatever order the platform listed them. `problems` is what the adapter had to leave out; `place` is for messages.
///
/// # Errors
/// [`super::ErrorKind::Malformed`] when more than a few items contradict themselves.
pub fn settle(
    mut facts: Facts,
    problems: Vec<FactsProblem>,
    known: Option<&Known>,
    place: &str,
) -> Result<Fetched, PlatformError> {
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
    let etag = fingerprint(&facts)?;
    if known.is_some_and(|known| known.etag.as_deref() == Some(etag.as_str())) {
        return Ok(Fetched::Unchanged);
    }
    Ok(Fetched::Facts {
        facts,
        etag: Some(etag),
        problems,
    })
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

/// Of everything but the version. Not against forgery: the platform is trusted to say what it says.
fn fingerprint(facts: &Facts) -> Result<String, PlatformError> {
    let mut hashed = Hashed(SipHasher13::new());
    let contents = (
        (&facts.people, &facts.memberships, &facts.assignments),
        (&facts.resources, &facts.bookings, &facts.passes),
        (&facts.teams, &facts.catalogue),
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
}
