//! A snapshot and a site in, an index and warnings out. What the facts get wrong (a person twice, a window that ends
//! before it starts) is a warning that names it, and opens nothing; what the configuration gets wrong is an error.

mod cards;
mod once;
mod problems;
mod rights;
mod site;

pub use problems::{BuildError, BuildWarning};

use super::{
    image,
    index::{CARD_PERSON, Header, Index, NONE, PERSON_BLOCKED, Part},
};
use crate::domain::{BlockTarget, PersonId, Snapshot, site::Site};
use std::collections::HashMap;

/// What an image was built for. Another site, and images of the old one must not be used.
#[must_use]
pub fn fingerprint(site: &Site) -> u64 {
    let text = serde_json::to_vec(site).unwrap_or_default();
    siphasher::sip::SipHasher13::new_with_keys(1, 2).hash(&text)
}

impl Index {
    /// The index for a snapshot at a site, and what was wrong with the snapshot. The same input gives the same image.
    ///
    /// # Errors
    /// [`BuildError`] for a site that contradicts itself, or for more than an image can hold.
    pub fn build(snapshot: &Snapshot, site: &Site) -> Result<(Self, Vec<BuildWarning>), BuildError> {
        let mut builder = Builder::default();
        let plan = builder.site(site)?;
        builder.people(snapshot)?;
        builder.grants(snapshot, &plan)?;
        let seed = builder.cards(snapshot)?;
        let header = Header {
            fingerprint: fingerprint(site),
            version: snapshot.version,
            taken_at: snapshot.taken_at,
            seed,
            has_snapshot: true,
        };
        Ok((builder.finish(&header, site)?, builder.warnings))
    }

    /// The index of a site that has never fetched anything: refuses everybody as `no_snapshot`.
    ///
    /// # Errors
    /// As [`Self::build`].
    pub fn without_snapshot(site: &Site) -> Result<Self, BuildError> {
        let nothing = Snapshot::default();
        let mut builder = Builder::default();
        builder.site(site)?;
        let seed = builder.cards(&nothing)?;
        let header = Header {
            fingerprint: fingerprint(site),
            seed,
            ..Header::default()
        };
        builder.finish(&header, site)
    }
}

#[derive(Default)]
struct Builder<'a> {
    parts: [Vec<u8>; Part::COUNT],
    texts: HashMap<(&'a str, &'a str), u32>,
    numbers: HashMap<&'a PersonId, u32>,
    listed: Vec<Listed<'a>>,
    warnings: Vec<BuildWarning>,
}

struct Listed<'a> {
    id: &'a PersonId,
    name: &'a str,
    first: u32,
    count: u32,
    blocked: bool,
}

impl<'a> Builder<'a> {
    fn part(&mut self, part: Part) -> Option<&mut Vec<u8>> {
        self.parts.get_mut(part as usize)
    }

    fn bytes_of(&self, part: Part) -> &[u8] {
        self.parts.get(part as usize).map_or(&[], Vec::as_slice)
    }

    /// A record of a part that was put there.
    fn record<const N: usize>(&self, part: Part, number: u32) -> Option<&[u8; N]> {
        let at = usize::try_from(number).ok()?.checked_mul(N)?;
        self.bytes_of(part).get(at..)?.first_chunk::<N>()
    }

    fn put(&mut self, part: Part, bytes: &[u8]) {
        if let Some(part) = self.part(part) {
            part.extend_from_slice(bytes);
        }
    }

    fn put_words(&mut self, part: Part, words: &[u32]) {
        for word in words {
            self.put(part, &word.to_le_bytes());
        }
    }

    /// A pair of texts, each pair once.
    fn text(&mut self, pair: (&'a str, &'a str)) -> Result<u32, BuildError> {
        if let Some(at) = self.texts.get(&pair) {
            return Ok(*at);
        }
        let at = self.new_text(pair)?;
        self.texts.insert(pair, at);
        Ok(at)
    }

    /// A pair of texts that is not looked for: there are too many, and few are alike.
    fn new_text(&mut self, (first, second): (&str, &str)) -> Result<u32, BuildError> {
        let too_many = BuildError::TooMany("names and labels");
        let bytes = self.part(Part::Text).ok_or_else(|| too_many.clone())?;
        let at = u32::try_from(bytes.len()).map_err(|_| too_many.clone())?;
        for text in [first, second] {
            let mut length = text.len();
            if length >> 28 != 0 {
                return Err(too_many);
            }
            while length > 0x7F {
                bytes.push(u8::try_from(length & 0x7F).unwrap_or(0) | 0x80);
                length >>= 7;
            }
            bytes.push(u8::try_from(length).unwrap_or(0));
            bytes.extend_from_slice(text.as_bytes());
        }
        Ok(at)
    }

    fn number_of(&mut self, id: &'a PersonId, name: &'a str) -> Result<(u32, bool), BuildError> {
        if let Some(number) = self.numbers.get(id) {
            return Ok((*number, false));
        }
        let number = u32::try_from(self.listed.len()).unwrap_or(NONE);
        if number >= CARD_PERSON {
            return Err(BuildError::TooMany("people"));
        }
        self.numbers.insert(id, number);
        self.listed.push(Listed {
            id,
            name,
            first: 0,
            count: 0,
            blocked: false,
        });
        Ok((number, true))
    }

    fn unlisted(&mut self, id: &'a PersonId) -> Result<u32, BuildError> {
        let (number, new) = self.number_of(id, "")?;
        if new {
            self.warnings.push(BuildWarning::UnlistedPerson(id.clone()));
        }
        Ok(number)
    }

    fn people(&mut self, snapshot: &'a Snapshot) -> Result<(), BuildError> {
        self.numbers.reserve(snapshot.people.len());
        for holder in &snapshot.people {
            if !self.number_of(&holder.id, &holder.name)?.1 {
                self.warnings.push(BuildWarning::PersonTwice(holder.id.clone()));
            }
        }
        for block in &snapshot.blocks {
            if let BlockTarget::Person(id) = &block.target {
                let (number, _) = self.number_of(id, "")?;
                if let Some(person) = usize::try_from(number)
                    .ok()
                    .and_then(|at| self.listed.get_mut(at))
                {
                    person.blocked = true;
                }
                let note = self.text((&block.note, ""))?;
                self.put_words(Part::Blocks, &[number, note]);
            }
        }
        Ok(())
    }

    fn finish(&mut self, header: &Header, site: &Site) -> Result<Index, BuildError> {
        for person in std::mem::take(&mut self.listed) {
            let text = self.new_text((person.id.as_str(), person.name))?;
            let flag = if person.blocked { PERSON_BLOCKED } else { 0 };
            self.put_words(Part::People, &[text, person.first, person.count | flag]);
        }
        self.put(Part::Zone, site.zone.as_bytes());
        let bytes = image::assemble(header, &self.parts);
        // Unreachable unless this file and the image disagree, which the tests would show.
        Index::from_image(bytes).map_err(|_| BuildError::TooMany("parts"))
    }
}

fn next(counter: &mut u32, what: &'static str) -> Result<u32, BuildError> {
    let number = *counter;
    *counter = number.checked_add(1).ok_or(BuildError::TooMany(what))?;
    Ok(number)
}
