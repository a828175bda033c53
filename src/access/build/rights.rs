//! Grants into their part of the image: each different one once, and for everybody the list of theirs.

use super::{BuildError, BuildWarning, Builder, once::Once, site::Plan};
use crate::access::index::{Part, TOP, text_at};
use crate::domain::{Grant, Snapshot, grant::Target};
use std::io::Write as _;

impl<'a> Builder<'a> {
    pub(super) fn grants(&mut self, snapshot: &'a Snapshot, plan: &Plan<'_>) -> Result<(), BuildError> {
        let mut sorted: Vec<(u32, &Grant, u32)> = Vec::with_capacity(snapshot.grants.len());
        for grant in &snapshot.grants {
            let target = match &grant.target {
                Target::Group(id) => plan.groups.get(id.as_str()).copied(),
                Target::Door(id) => plan.doors.get(id.as_str()).map(|door| door | TOP),
            };
            match target {
                None => self
                    .warnings
                    .push(BuildWarning::UnknownTarget(Box::new(grant.clone()))),
                Some(_) if grant.window.is_empty() => {
                    self.warnings
                        .push(BuildWarning::EmptyWindow(Box::new(grant.clone())));
                }
                Some(target) => sorted.push((self.unlisted(&grant.person)?, grant, target)),
            }
        }
        sorted.sort_unstable_by(|(a, left, _), (b, right, _)| (a, order(left)).cmp(&(b, order(right))));
        sorted.dedup_by(|left, right| left.1 == right.1);
        let mut numbers = Numbers::default();
        for of_one in sorted.chunk_by(|left, right| left.0 == right.0) {
            let mut list = Vec::with_capacity(of_one.len());
            for (_, grant, target) in of_one {
                list.push(self.grant(grant, *target, &mut numbers)?);
            }
            self.list(of_one, &list)?;
        }
        Ok(())
    }

    fn list(&mut self, of_one: &[(u32, &Grant, u32)], list: &[u32]) -> Result<(), BuildError> {
        let too_many = || BuildError::TooMany("grants");
        let count = u32::try_from(list.len()).map_err(|_| too_many())?;
        let first = match list {
            [only] => *only,
            _ => {
                let lists = self.part(Part::Lists).map_or(0, |bytes| bytes.len() / 4);
                self.put_words(Part::Lists, list);
                u32::try_from(lists).map_err(|_| too_many())?
            }
        };
        let number = of_one
            .first()
            .and_then(|(number, ..)| usize::try_from(*number).ok());
        if let Some(person) = number.and_then(|number| self.listed.get_mut(number)) {
            (person.first, person.count) = (first, count);
        }
        Ok(())
    }

    /// The number of a grant's record: everything of it but the person, each once.
    fn grant(&mut self, grant: &Grant, target: u32, numbers: &mut Numbers) -> Result<u32, BuildError> {
        let source = self.source(grant, numbers)?;
        let mut record = [0; RECORD];
        let ends = u8::from(grant.window.from.is_some()) | u8::from(grant.window.until.is_some()) << 1;
        let mut rest = record.as_mut_slice();
        let void = grant.void.map_or(0, |reason| reason.code());
        for bytes in [
            grant.window.from.unwrap_or_default().to_le_bytes().as_slice(),
            &grant.window.until.unwrap_or_default().to_le_bytes(),
            &source.to_le_bytes(),
            &target.to_le_bytes(),
            &[grant.kind as u8, grant.rule, void, ends],
        ] {
            rest.write_all(bytes).map_err(|_| BuildError::TooMany("grants"))?;
        }
        let there = |number: u32| self.record(Part::Grants, number) == Some(&record);
        if let Some(number) = numbers.grants.find(&record, there) {
            return Ok(number);
        }
        self.put(Part::Grants, &record);
        let number = numbers.grants.put(&record);
        number.ok_or(BuildError::TooMany("grants"))
    }

    fn source(&mut self, grant: &Grant, numbers: &mut Numbers) -> Result<u32, BuildError> {
        let pair = (grant.source.id.as_str(), grant.source.label.as_str());
        let there = |number: u32| {
            let text = self
                .record(Part::Sources, number)
                .copied()
                .map(u32::from_le_bytes);
            text.and_then(|at| text_at(self.bytes_of(Part::Text), at)) == Some(pair)
        };
        if let Some(source) = numbers.sources.find(&pair, there) {
            return Ok(source);
        }
        let text = self.new_text(pair)?;
        self.put_words(Part::Sources, &[text]);
        numbers.sources.put(&pair).ok_or(BuildError::TooMany("sources"))
    }
}

/// Bytes of a grant's record.
const RECORD: usize = 28;

/// Sources and grants that were seen already.
#[derive(Default)]
struct Numbers {
    sources: Once,
    grants: Once,
}

/// The order in which grants of one person decide: kind, source id, then whatever tells them apart.
fn order(grant: &Grant) -> impl Ord + '_ {
    (
        grant.kind,
        (&grant.source.id, &grant.source.label),
        (&grant.target, grant.window),
        (grant.rule, grant.void),
    )
}
