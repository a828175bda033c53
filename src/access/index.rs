//! The immutable index: one block of bytes, the same in memory and on disk, read by number. Records are small and
//! flat; texts, sources and grants that repeat stand there once. Every read is checked: a number that leads nowhere
//! gives `None`, never a panic.

use super::{
    query::{DoorIx, GrantIx, PersonIx},
    table,
};
use crate::domain::{Credential, GrantKind, Reason, time::Millis, time::Window};
use jiff::tz::TimeZone;

/// What the doors decide from. Made by [`Index::build`] or [`Index::from_image`], then never changed.
pub struct Index {
    pub(super) bytes: Vec<u8>,
    pub(super) sections: [Section; Part::COUNT],
    pub(super) header: Header,
    pub(super) zone: TimeZone,
}

/// The numbers at the front of the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fingerprint: u64,
    pub(super) version: u64,
    pub(super) taken_at: Millis,
    pub(super) seed: u64,
    pub(super) has_snapshot: bool,
}

/// Where a part stands in the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) start: usize,
    pub(super) len: usize,
}

/// The parts of the image, in their order. Add at the end and raise the image's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Part {
    /// The hash table of cards: [`table::SLOT`] bytes a slot.
    Cards,
    /// 12 bytes each: text (id, name), grant or start of the list, count and flags.
    People,
    /// 4 bytes each: a grant. The list of everybody with more than one.
    Lists,
    /// 28 bytes each: from, until, source, target, kind, rule, void, which ends are set.
    Grants,
    /// 4 bytes each: text (id, label).
    Sources,
    /// 8 bytes each: text (id, name), schedule or none.
    Doors,
    /// 8 bytes each: text (id, nothing), schedule or none.
    Groups,
    /// A bit for each door, a row of whole bytes for each group.
    Cover,
    /// 36 bytes each: where the spans of Monday to Sunday and of a holiday begin, and where the last end.
    Schedules,
    /// 4 bytes each: first minute, minute after the last. Sorted and joined within a day.
    Spans,
    /// 4 bytes each: days since 1970-01-01, sorted.
    Holidays,
    /// 8 bytes each: person (top bit set: slot of a card), text (note, nothing).
    Blocks,
    /// Pairs of texts, each with its length in front (LEB128).
    Text,
    /// The IANA name of the site's zone.
    Zone,
}

impl Part {
    pub(super) const COUNT: usize = 14;
}

/// No schedule.
pub(super) const NONE: u32 = u32::MAX;
/// Value of a card: the card is blocked.
pub(super) const CARD_BLOCKED: u32 = 1 << 31;
/// Value of a card: several people hold it.
pub(super) const CARD_AMBIGUOUS: u32 = 1 << 30;
/// Value of a card: several people hold it, and at least one of them is blocked.
pub(super) const HOLDER_BLOCKED: u32 = 1 << 29;
/// Value of a card: the person's part, and what stands there for nobody.
pub(super) const CARD_PERSON: u32 = HOLDER_BLOCKED - 1;
/// Count of a person's grants: the person is blocked.
pub(super) const PERSON_BLOCKED: u32 = 1 << 31;
/// A target that is a door, or a block that is a card's.
pub(super) const TOP: u32 = 1 << 31;

/// What the table says of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) blocked: bool,
    pub(super) ambiguous: bool,
    pub(super) holder_blocked: bool,
    pub(super) person: Option<PersonIx>,
}

/// A person's record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Person {
    pub(super) text: u32,
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) blocked: bool,
}

/// A grant's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct GrantRecord {
    pub(super) window: Window,
    pub(super) source: u32,
    pub(super) target: u32,
    pub(super) kind: GrantKind,
    pub(super) rule: u8,
    pub(super) void: Option<Reason>,
}

/// A person, for events and people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderRef<'a> {
    /// The platform's id.
    pub id: &'a str,
    /// Full name; empty when the snapshot does not say it.
    pub name: &'a str,
}

/// A door, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoorRef<'a> {
    /// Its id in the configuration.
    pub id: &'a str,
    /// What people call it.
    pub name: &'a str,
}

/// What a grant opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetRef<'a> {
    /// The doors of this group.
    Group(&'a str),
    /// This door.
    Door(&'a str),
}

/// A grant, for events and people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantRef<'a> {
    /// What kind of source.
    pub kind: GrantKind,
    /// What it opens.
    pub target: TargetRef<'a>,
    /// When.
    pub window: Window,
    /// The id of the platform's object.
    pub source_id: &'a str,
    /// What people call that object.
    pub source_label: &'a str,
    /// Which rule, 1 to 44.
    pub rule: u8,
    /// Why it opens nothing, if it does not.
    pub void: Option<Reason>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index")
            .field("version", &self.header.version)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

impl Index {
    /// The door of an id. Resolve once, not at each presentation: this walks through all doors.
    #[must_use]
    pub fn door(&self, id: &str) -> Option<DoorIx> {
        let count = u32::try_from(self.part(Part::Doors).len() / 8).ok()?;
        (0..count)
            .map(DoorIx)
            .find(|door| self.door_ref(*door).is_some_and(|found| found.id == id))
    }

    /// What a door is called.
    #[must_use]
    pub fn door_ref(&self, door: DoorIx) -> Option<DoorRef<'_>> {
        let (id, name) = self.text(self.words::<2>(Part::Doors, door.0)?[0])?;
        Some(DoorRef { id, name })
    }

    /// A person's id and name.
    #[must_use]
    pub fn person(&self, person: PersonIx) -> Option<HolderRef<'_>> {
        let (id, name) = self.text(self.person_record(person)?.text)?;
        Some(HolderRef { id, name })
    }

    /// The one holder of a card, whatever it opens. Nobody for a card that two people have (R34).
    #[must_use]
    pub fn holder(&self, credential: &Credential) -> Option<HolderRef<'_>> {
        let card = self.card(credential).filter(|card| !card.ambiguous)?;
        self.person(card.person?)
    }

    /// What a grant is and where it comes from.
    #[must_use]
    pub fn grant(&self, grant: GrantIx) -> Option<GrantRef<'_>> {
        let record = self.grant_record(grant.0)?;
        let (source_id, source_label) = self.text(self.words::<1>(Part::Sources, record.source)?[0])?;
        let target = if record.target & TOP == 0 {
            TargetRef::Group(self.text(self.words::<2>(Part::Groups, record.target)?[0])?.0)
        } else {
            TargetRef::Door(self.door_ref(DoorIx(record.target & !TOP))?.id)
        };
        Some(GrantRef {
            kind: record.kind,
            target,
            window: record.window,
            source_id,
            source_label,
            rule: record.rule,
            void: record.void,
        })
    }

    /// Every grant with its person, those that are over and the void ones too.
    pub fn rights(&self) -> impl Iterator<Item = (HolderRef<'_>, GrantRef<'_>)> {
        let people = u32::try_from(self.part(Part::People).len() / 12).unwrap_or(0);
        (0..people).map(PersonIx).flat_map(move |at| {
            let person = self.person(at).zip(self.person_record(at));
            person.into_iter().flat_map(move |(person, record)| {
                let grants = self.grants_of(&record);
                grants.filter_map(move |grant| Some((person, self.grant(GrantIx(grant?))?)))
            })
        })
    }

    /// The key of every card that has exactly one holder, blocked or not: [`Credential::key`].
    pub fn working_cards(&self) -> impl Iterator<Item = [u8; 12]> {
        let slots = self.part(Part::Cards).as_chunks::<{ table::SLOT }>().0;
        slots.iter().filter_map(|slot| {
            let (key, value) = table::parts(slot);
            let held = value & CARD_PERSON != CARD_PERSON && value & CARD_AMBIGUOUS == 0;
            (key.first() != Some(&0) && held).then_some(*key)
        })
    }

    /// What whoever set a block wrote, for a blocked card first, else for its holder.
    #[must_use]
    pub fn block_note(&self, credential: Option<&Credential>, person: Option<PersonIx>) -> Option<&str> {
        let slot = credential
            .and_then(|card| self.slot_of(card))
            .map(|slot| slot | TOP);
        let note = |wanted: u32| {
            let blocks = self.part(Part::Blocks).as_chunks::<8>().0.iter();
            let [_, text] = blocks.map(words_of).find(|[target, _]| *target == wanted)?;
            Some(self.text(text)?.0).filter(|note| !note.is_empty())
        };
        slot.and_then(note)
            .or_else(|| person.and_then(|person| note(person.0)))
    }

    /// The zone of the site.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }
    /// The version of the facts behind this index.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.header.version
    }
    /// When those facts were fetched, Unix milliseconds.
    #[must_use]
    pub const fn taken_at(&self) -> Millis {
        self.header.taken_at
    }
    /// Whether there is a snapshot at all; without one everybody is refused.
    #[must_use]
    pub const fn has_snapshot(&self) -> bool {
        self.header.has_snapshot
    }
    /// The same index, marked as made for more than its site: [`Self::site_fingerprint`] then says `stamp`, here and
    /// in the image.
    #[must_use]
    pub fn stamped(mut self, stamp: u64) -> Self {
        self.header.fingerprint = stamp;
        super::image::stamp(&mut self.bytes, stamp);
        self
    }

    /// What [`super::fingerprint`] said of the site that this index was built for.
    #[must_use]
    pub const fn site_fingerprint(&self) -> u64 {
        self.header.fingerprint
    }
    /// The bytes that this index takes in memory and on disk.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// What the table says of a card.
    pub(super) fn card(&self, credential: &Credential) -> Option<Card> {
        let value = table::find(self.part(Part::Cards), self.header.seed, &credential.key())?;
        let person = value & CARD_PERSON;
        Some(Card {
            blocked: value & CARD_BLOCKED != 0,
            ambiguous: value & CARD_AMBIGUOUS != 0,
            holder_blocked: value & HOLDER_BLOCKED != 0,
            person: (person != CARD_PERSON).then_some(PersonIx(person)),
        })
    }

    fn slot_of(&self, credential: &Credential) -> Option<u32> {
        let slots = self.part(Part::Cards).as_chunks::<{ table::SLOT }>().0;
        let at = slots
            .iter()
            .position(|slot| *table::parts(slot).0 == credential.key())?;
        u32::try_from(at).ok()
    }

    pub(super) fn person_record(&self, person: PersonIx) -> Option<Person> {
        let [text, first, count] = self.words(Part::People, person.0)?;
        Some(Person {
            text,
            first,
            count: count & !PERSON_BLOCKED,
            blocked: count & PERSON_BLOCKED != 0,
        })
    }

    /// The grants of a person, in the order in which they decide.
    pub(super) fn grants_of<'i>(&'i self, person: &Person) -> impl Iterator<Item = Option<u32>> + use<'i> {
        let (first, count) = (person.first, person.count);
        (0..count).map(move |at| match count {
            1 => Some(first),
            _ => Some(self.words::<1>(Part::Lists, first.checked_add(at)?)?[0]),
        })
    }

    pub(super) fn grant_record(&self, grant: u32) -> Option<GrantRecord> {
        let bytes: &[u8; 28] = self.record(Part::Grants, grant)?;
        let (from, rest) = bytes.split_first_chunk::<8>()?;
        let (until, rest) = rest.split_first_chunk::<8>()?;
        let (source, rest) = rest.split_first_chunk::<4>()?;
        let (target, rest) = rest.split_first_chunk::<4>()?;
        let [kind, rule, void, ends] = *rest.first_chunk::<4>()?;
        Some(GrantRecord {
            window: Window {
                from: (ends & 1 != 0).then_some(i64::from_le_bytes(*from)),
                until: (ends & 2 != 0).then_some(i64::from_le_bytes(*until)),
            },
            source: u32::from_le_bytes(*source),
            target: u32::from_le_bytes(*target),
            kind: kind_of(kind)?,
            rule,
            void: if void == 0 {
                None
            } else {
                Some(Reason::from_code(void)?)
            },
        })
    }

    /// Whether a target (group, or door with the top bit) has this door.
    pub(super) fn covers(&self, target: u32, door: DoorIx) -> bool {
        if target & TOP != 0 {
            return target & !TOP == door.0;
        }
        let row = self.part(Part::Doors).len() / 8;
        let row = row.div_ceil(8);
        let at = |group: u32| {
            usize::try_from(group)
                .ok()?
                .checked_mul(row)?
                .checked_add(usize::try_from(door.0 / 8).ok()?)
        };
        at(target)
            .and_then(|at| self.part(Part::Cover).get(at))
            .is_some_and(|byte| byte >> (door.0 % 8) & 1 == 1)
    }

    /// The schedule that narrows a target: its group's hours, or none. `Err` for a group that is not there.
    pub(super) fn hours_of(&self, target: u32) -> Option<Option<u32>> {
        if target & TOP != 0 {
            return Some(None);
        }
        let [_, hours] = self.words(Part::Groups, target)?;
        Some((hours != NONE).then_some(hours))
    }

    /// The schedule by which a door opens for everybody. The outer `None`: there is no such door.
    pub(super) fn open_for_all(&self, door: DoorIx) -> Option<Option<u32>> {
        let [_, schedule] = self.words(Part::Doors, door.0)?;
        Some((schedule != NONE).then_some(schedule))
    }

    pub(super) fn part(&self, part: Part) -> &[u8] {
        let section = self.sections.get(part as usize).copied().unwrap_or_default();
        let end = section.start.saturating_add(section.len);
        self.bytes.get(section.start..end).unwrap_or(&[])
    }

    pub(super) fn record<const N: usize>(&self, part: Part, at: u32) -> Option<&[u8; N]> {
        let start = usize::try_from(at).ok()?.checked_mul(N)?;
        self.part(part).get(start..)?.first_chunk::<N>()
    }

    /// A record of `N` numbers.
    pub(super) fn words<const N: usize>(&self, part: Part, at: u32) -> Option<[u32; N]> {
        let size = N * 4;
        let start = usize::try_from(at).ok()?.checked_mul(size)?;
        let bytes = self.part(part).get(start..start.checked_add(size)?)?;
        let mut words = [0; N];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*chunk);
        }
        Some(words)
    }

    /// The two texts at a place.
    pub(super) fn text(&self, at: u32) -> Option<(&str, &str)> {
        text_at(self.part(Part::Text), at)
    }
}

/// The two texts at a place of [`Part::Text`].
pub(super) fn text_at(texts: &[u8], at: u32) -> Option<(&str, &str)> {
    let mut rest = texts.get(usize::try_from(at).ok()?..)?;
    let first = take_text(&mut rest)?;
    Some((first, take_text(&mut rest)?))
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        length |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
        if shift > 21 {
            return None; // no text is longer than 2^28 bytes
        }
    }
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

fn words_of(bytes: &[u8; 8]) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = *bytes;
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

pub(super) const fn kind_of(code: u8) -> Option<GrantKind> {
    Some(match code {
        1 => GrantKind::Plan,
        2 => GrantKind::Assignment,
        3 => GrantKind::Booking,
        4 => GrantKind::Pass,
        5 => GrantKind::Direct,
        _ => return None,
    })
}
