//! Grants into their part of the image: each different one once, and for everybody the list of theirs.

use super::{BuildError, BuildWarning, Builder, next, site::Plan};
use crate::access::index::{Part, TOP};
use crate::domain::{Grant, Snapshot, grant::Target};
use std::collections::HashMap;

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
    fn grant(&mut self, grant: &'a Grant, target: u32, numbers: &mut Numbers<'a>) -> Result<u32, BuildError> {
        let pair = (grant.source.id.as_str(), grant.source.label.as_str());
        let source = match numbers.sources.get(&pair) {
            Some(source) => *source,
            None => {
                let text = self.text(pair)?;
                self.put_words(Part::Sources, &[text]);
                let source = next(&mut numbers.next_source, "sources")?;
                numbers.sources.insert(pair, source);
                source
            }
        };
        let mut record = Vec::with_capacity(28);
        record.extend_from_slice(&grant.window.from.unwrap_or_default().to_le_bytes());
        record.extend_from_slice(&grant.window.until.unwrap_or_default().to_le_bytes());
        record.extend_from_slice(&source.to_le_bytes());
        record.extend_from_slice(&target.to_le_bytes());
        let ends = u8::from(grant.window.from.is_some()) | u8::from(grant.window.until.is_some()) << 1;
        record.extend_from_slice(&[
            grant.kind as u8,
            grant.rule,
            grant.void.map_or(0, |reason| reason.code()),
            ends,
        ]);
        let record: [u8; 28] = record.try_into().map_err(|_| BuildError::TooMany("grants"))?;
        if let Some(number) = numbers.grants.get(&record) {
            return Ok(*number);
        }
        let number = next(&mut numbers.next_grant, "grants")?;
        self.put(Part::Grants, &record);
        numbers.grants.insert(record, number);
        Ok(number)
    }
}

/// Sources and grants that were seen already.
#[derive(Default)]
struct Numbers<'a> {
    sources: HashMap<(&'a str, &'a str), u32>,
    grants: HashMap<[u8; 28], u32>,
    next_source: u32,
    next_grant: u32,
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
