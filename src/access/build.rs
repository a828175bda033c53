//! A snapshot and a site in, an index and warnings out. What the facts get wrong (a person twice, a window that ends
//! before it starts) is a warning that names it, and opens nothing; what the configuration gets wrong is an error.

use super::{
    image,
    index::{
        CARD_AMBIGUOUS, CARD_BLOCKED, CARD_PERSON, HOLDER_BLOCKED, Header, Index, NONE, PERSON_BLOCKED, Part,
        TOP,
    },
    table,
};
use crate::domain::{
    BlockTarget, Credential, Grant, PersonId, Snapshot,
    grant::Target,
    site::{Site, Span},
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

/// Something in the facts that was left out or read with care. The text names people by id and cards masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildWarning {
    /// The snapshot lists a person twice; the first name stands, rights are joined.
    PersonTwice(PersonId),
    /// A card or a grant names a person whom the snapshot does not list; kept, without a name.
    UnlistedPerson(PersonId),
    /// Two people hold a card, so it opens for neither (R34).
    SharedCard(Credential),
    /// A card whose chip makes a new number each time; left out.
    RandomUid(Credential, PersonId),
    /// A grant for a group or door that the configuration does not have; left out.
    UnknownTarget(Box<Grant>),
    /// A grant whose window holds no instant; left out.
    EmptyWindow(Box<Grant>),
}

impl fmt::Display for BuildWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PersonTwice(person) => {
                write!(
                    f,
                    "person {person} is listed twice; the first name is used, the rights are joined"
                )
            }
            Self::UnlistedPerson(person) => {
                write!(
                    f,
                    "person {person} has a card or a right and is not listed; kept without a name"
                )
            }
            Self::SharedCard(card) => write!(f, "card {card} belongs to two people; it opens for neither"),
            Self::RandomUid(card, person) => write!(
                f,
                "card {card} of person {person} has a random UID, new at every presentation; left out: enrol another card"
            ),
            Self::UnknownTarget(grant) => {
                let (what, id) = match &grant.target {
                    Target::Group(id) => ("group", id.as_str()),
                    Target::Door(id) => ("door", id.as_str()),
                };
                write!(
                    f,
                    "the {} \"{}\" ({}) of person {} is for {what} {id:?}, which the configuration does not have; left out",
                    grant.kind.name(),
                    grant.source.label,
                    grant.source.id,
                    grant.person
                )
            }
            Self::EmptyWindow(grant) => write!(
                f,
                "the {} \"{}\" ({}) of person {} ends before it starts; left out",
                grant.kind.name(),
                grant.source.label,
                grant.source.id,
                grant.person
            ),
        }
    }
}

/// Why there is no index for a site. The configuration checks all of this before; nothing here is guessed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The zone is not in the zone data.
    #[error("unknown time zone {0:?}; write an IANA name such as Europe/Madrid")]
    UnknownZone(String),
    /// Two things of one kind have the same id.
    #[error("{what} {id:?} exists twice")]
    Twice {
        /// Door, group or schedule.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// A reference leads nowhere.
    #[error("{from} names {what} {id:?}, which does not exist")]
    Unknown {
        /// Who names it.
        from: String,
        /// Door or schedule.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// A span is empty or outside of the day.
    #[error(
        "schedule {schedule:?} has the span {from}..{until}; minutes run from 0 to 1440, and a span ends after it begins"
    )]
    BadSpan {
        /// The schedule.
        schedule: String,
        /// First minute.
        from: u16,
        /// Minute after the last.
        until: u16,
    },
    /// More than the image's numbers can count: 500 million cards, 4 GiB of names.
    #[error("too many {0} for one gateway")]
    TooMany(&'static str),
}

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

/// Numbers of the site's doors and groups.
struct Plan<'a> {
    doors: HashMap<&'a str, u32>,
    groups: HashMap<&'a str, u32>,
}

impl<'a> Builder<'a> {
    fn part(&mut self, part: Part) -> Option<&mut Vec<u8>> {
        self.parts.get_mut(part as usize)
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

    fn site(&mut self, site: &'a Site) -> Result<Plan<'a>, BuildError> {
        if jiff::tz::TimeZone::get(&site.zone).is_err() {
            return Err(BuildError::UnknownZone(site.zone.clone()));
        }
        let schedules = numbered(
            "schedule",
            site.schedules.iter().map(|schedule| schedule.id.as_str()),
        )?;
        let doors = numbered("door", site.doors.iter().map(|door| door.id.as_str()))?;
        let groups = numbered("group", site.groups.iter().map(|group| group.id.as_str()))?;
        let find = |map: &HashMap<&str, u32>, what, id: &str, from: String| {
            map.get(id).copied().ok_or_else(|| BuildError::Unknown {
                from,
                what,
                id: id.to_owned(),
            })
        };
        for door in &site.doors {
            let text = self.text((door.id.as_str(), &door.name))?;
            let schedule = door.open_for_all.as_ref().map_or(Ok(NONE), |id| {
                find(
                    &schedules,
                    "schedule",
                    id.as_str(),
                    format!("door {:?}", door.id.as_str()),
                )
            })?;
            self.put_words(Part::Doors, &[text, schedule]);
        }
        for group in &site.groups {
            let from = || format!("group {:?}", group.id.as_str());
            let text = self.text((group.id.as_str(), ""))?;
            let hours = group
                .hours
                .as_ref()
                .map_or(Ok(NONE), |id| find(&schedules, "schedule", id.as_str(), from()))?;
            self.put_words(Part::Groups, &[text, hours]);
            let mut row = vec![0_u8; site.doors.len().div_ceil(8)];
            for door in &group.doors {
                let door = find(&doors, "door", door.as_str(), from())?;
                if let Some(byte) = usize::try_from(door / 8).ok().and_then(|at| row.get_mut(at)) {
                    *byte |= 1 << (door % 8);
                }
            }
            self.put(Part::Cover, &row);
        }
        self.schedules(site)?;
        Ok(Plan { doors, groups })
    }

    fn schedules(&mut self, site: &Site) -> Result<(), BuildError> {
        let mut next = 0_u32;
        for schedule in &site.schedules {
            for day in schedule.week.iter().chain([&schedule.holiday]) {
                self.put_words(Part::Schedules, &[next]);
                for span in joined(day, schedule.id.as_str())? {
                    self.put(Part::Spans, &span.from.to_le_bytes());
                    self.put(Part::Spans, &span.until.to_le_bytes());
                    next += 1;
                }
            }
            self.put_words(Part::Schedules, &[next]);
        }
        let mut days: Vec<i32> = site.holidays.iter().map(|date| epoch_day(*date)).collect();
        days.sort_unstable();
        for day in days {
            self.put(Part::Holidays, &day.to_le_bytes());
        }
        Ok(())
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

    fn grants(&mut self, snapshot: &'a Snapshot, plan: &Plan<'_>) -> Result<(), BuildError> {
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

    fn cards(&mut self, snapshot: &'a Snapshot) -> Result<u64, BuildError> {
        let mut held: Vec<(table::Key, u32)> = Vec::with_capacity(snapshot.credentials.len());
        for (card, person) in &snapshot.credentials {
            if card.is_random_uid() {
                self.warnings.push(BuildWarning::RandomUid(*card, person.clone()));
            } else {
                held.push((card.key(), self.unlisted(person)?));
            }
        }
        held.sort_unstable();
        held.dedup();
        let mut blocked: BTreeMap<table::Key, &'a str> = BTreeMap::new();
        for block in &snapshot.blocks {
            if let BlockTarget::Credential(card) = &block.target {
                blocked.entry(card.key()).or_insert(&block.note);
            }
        }
        let mut entries: Vec<(table::Key, u32)> = Vec::with_capacity(held.len() + blocked.len());
        for of_one in held.chunk_by(|left, right| left.0 == right.0) {
            let Some(&(key, person)) = of_one.first() else {
                continue;
            };
            let mut value = person;
            if of_one.len() > 1 {
                let mut holders = of_one
                    .iter()
                    .filter_map(|(_, person)| self.listed.get(usize::try_from(*person).ok()?));
                value = CARD_PERSON | CARD_AMBIGUOUS;
                if holders.any(|person| person.blocked) {
                    value |= HOLDER_BLOCKED;
                }
                self.warnings
                    .extend(Credential::from_key(key).map(BuildWarning::SharedCard));
            }
            if blocked.contains_key(&key) {
                value |= CARD_BLOCKED;
            }
            entries.push((key, value));
        }
        let held_keys = |key: &table::Key| held.binary_search_by(|(held, _)| held.cmp(key)).is_ok();
        entries.extend(
            blocked
                .keys()
                .filter(|key| !held_keys(key))
                .map(|key| (*key, CARD_PERSON | CARD_BLOCKED)),
        );
        let (bytes, seed) = table::build(&entries).ok_or(BuildError::TooMany("cards"))?;
        drop((held, entries));
        let slots = bytes.as_chunks::<{ table::SLOT }>().0;
        let blocked_slots = slots.iter().map(table::parts).enumerate();
        let notes: Vec<(usize, &'a str)> = blocked_slots
            .filter(|(_, (key, value))| key.first() != Some(&0) && value & CARD_BLOCKED != 0)
            .filter_map(|(slot, (key, _))| Some((slot, *blocked.get(key)?)))
            .collect();
        for (slot, note) in notes {
            let slot = u32::try_from(slot).map_err(|_| BuildError::TooMany("cards"))?;
            let note = self.text((note, ""))?;
            self.put_words(Part::Blocks, &[slot | TOP, note]);
        }
        if let Some(part) = self.part(Part::Cards) {
            *part = bytes;
        }
        Ok(seed)
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

/// Sources and grants that were seen already.
#[derive(Default)]
struct Numbers<'a> {
    sources: HashMap<(&'a str, &'a str), u32>,
    grants: HashMap<[u8; 28], u32>,
    next_source: u32,
    next_grant: u32,
}

fn next(counter: &mut u32, what: &'static str) -> Result<u32, BuildError> {
    let number = *counter;
    *counter = number.checked_add(1).ok_or(BuildError::TooMany(what))?;
    Ok(number)
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

fn numbered<'a>(
    what: &'static str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<HashMap<&'a str, u32>, BuildError> {
    let mut numbers = HashMap::new();
    let mut counter = 0;
    for id in ids {
        if numbers.insert(id, next(&mut counter, what)?).is_some() {
            return Err(BuildError::Twice {
                what,
                id: id.to_owned(),
            });
        }
    }
    Ok(numbers)
}

/// Spans sorted, those that touch or overlap joined.
fn joined(spans: &[Span], schedule: &str) -> Result<Vec<Span>, BuildError> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut out: Vec<Span> = Vec::with_capacity(sorted.len());
    for span in sorted {
        if span.from >= span.until || span.until > 1440 {
            return Err(BuildError::BadSpan {
                schedule: schedule.to_owned(),
                from: span.from,
                until: span.until,
            });
        }
        match out.last_mut() {
            Some(last) if span.from <= last.until => last.until = last.until.max(span.until),
            _ => out.push(span),
        }
    }
    Ok(out)
}

/// Days since 1970-01-01.
fn epoch_day(date: jiff::civil::Date) -> i32 {
    let epoch = jiff::civil::date(1970, 1, 1);
    date.since((jiff::Unit::Day, epoch))
        .map_or(i32::MAX, |span| span.get_days())
}
