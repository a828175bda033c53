//! The index on disk: the bytes that it decides from, with a version, a checksum and the site's fingerprint in front.
//! Loading copies nothing; it checks the sum and every reference once. An image that is not right in every respect
//! is an error, and the caller builds the index anew from the stored facts.
//!
//! Little endian. Offset 0 magic (8 bytes), 8 format (u32), 12 CRC-32 of everything from 16 on, 16 length of all
//! (u64), 24 site fingerprint (u64), 32 facts' version (u64), 40 taken at (i64, ms), 48 hash seed (u64), 56 flags
//! (u32: 1 has a snapshot), 60 zero, 64 the length of each part (u64), then the parts (`Part`) without gaps.

use super::{
    index::{CARD_PERSON, Header, Index, NONE, Part, Section, TOP},
    query::{DoorIx, GrantIx, PersonIx},
    table,
};
use jiff::tz::TimeZone;

const MAGIC: [u8; 8] = *b"DOORWIX\n";
/// Raise with every change of the layout, of a code in the domain, or of the hash.
const FORMAT: u32 = 1;
const PARTS_AT: usize = 64;
const HEADER_LEN: usize = PARTS_AT + Part::COUNT * 8;
/// The checksum covers what follows it.
const SUMMED_FROM: usize = 16;

/// Why bytes are no image that this build can use. The remedy is the same for all: build the index anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Too short, or not an image at all.
    #[error("this is no snapshot image")]
    NotAnImage,
    /// Written by a build with another layout.
    #[error("the snapshot image has format {found}, this build reads {FORMAT}")]
    OtherFormat {
        /// The format in the image.
        found: u32,
    },
    /// Bytes are missing, too many, or changed.
    #[error("the snapshot image is damaged: its length or checksum does not fit")]
    Damaged,
    /// The checksum fits and the contents do not fit together.
    #[error("the snapshot image is inconsistent in its {part} part")]
    Inconsistent {
        /// Which part.
        part: &'static str,
    },
    /// The zone is not in this build's zone data.
    #[error("the time zone of the snapshot image is not known to this build")]
    UnknownZone,
}

impl Index {
    /// The bytes to keep: what [`Self::from_image`] reads.
    #[must_use]
    pub fn to_image(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// The same bytes, not copied.
    #[must_use]
    pub fn image(&self) -> &[u8] {
        &self.bytes
    }

    /// The index of an image. Compare [`Self::site_fingerprint`] with the running site's before using it.
    ///
    /// # Errors
    /// [`ImageError`] for bytes that are not in every respect what [`Self::to_image`] gave.
    pub fn from_image(bytes: impl Into<Vec<u8>>) -> Result<Self, ImageError> {
        let bytes = bytes.into();
        let header = bytes.first_chunk::<PARTS_AT>().ok_or(ImageError::NotAnImage)?;
        if !header.starts_with(&MAGIC) {
            return Err(ImageError::NotAnImage);
        }
        let found = u32_at(header, 8);
        if found != FORMAT {
            return Err(ImageError::OtherFormat { found });
        }
        let summed = bytes.get(SUMMED_FROM..).ok_or(ImageError::Damaged)?;
        if crc32fast::hash(summed) != u32_at(header, 12) || usize_at(header, 16) != Some(bytes.len()) {
            return Err(ImageError::Damaged);
        }
        let header = Header {
            fingerprint: u64_at(header, 24),
            version: u64_at(header, 32),
            taken_at: u64_at(header, 40).cast_signed(),
            seed: u64_at(header, 48),
            has_snapshot: u32_at(header, 56) & 1 == 1,
        };
        let sections = sections(&bytes).ok_or(ImageError::Inconsistent { part: "header" })?;
        let mut index = Self {
            bytes,
            sections,
            header,
            zone: TimeZone::UTC,
        };
        let name = std::str::from_utf8(index.part(Part::Zone)).map_err(|_| ImageError::UnknownZone)?;
        index.zone = TimeZone::get(name).map_err(|_| ImageError::UnknownZone)?;
        index.check()?;
        Ok(index)
    }

    /// Every reference leads somewhere. After this, only `None`s that mean something are left.
    fn check(&self) -> Result<(), ImageError> {
        let part = |part| move |fits: bool| fits.then_some(()).ok_or(ImageError::Inconsistent { part });
        part("cards")(self.cards_fit())?;
        part("people")(self.people_fit())?;
        part("grants")(self.grants_fit())?;
        part("site")(self.site_fits())?;
        part("blocks")(self.blocks_fit())
    }

    fn count(&self, part: Part, size: usize) -> u32 {
        u32::try_from(self.part(part).len() / size).unwrap_or(0)
    }

    fn cards_fit(&self) -> bool {
        let people = self.count(Part::People, 12);
        let (slots, rest) = self.part(Part::Cards).as_chunks::<{ table::SLOT }>();
        let empty = |key: &table::Key| key.first() == Some(&0);
        rest.is_empty()
            && !slots.is_empty()
            && slots.len().is_multiple_of(4)
            && slots.iter().map(table::parts).all(|(key, value)| {
                let person = value & CARD_PERSON;
                empty(key) || person == CARD_PERSON || person < people
            })
    }

    fn people_fit(&self) -> bool {
        let (grants, lists) = (self.count(Part::Grants, 28), self.count(Part::Lists, 4));
        let people = self.count(Part::People, 12);
        self.part(Part::People).len().is_multiple_of(12)
            && (0..people).map(PersonIx).all(|person| {
                let Some(record) = self.person_record(person) else {
                    return false;
                };
                let named = self.text(record.text).is_some();
                named
                    && match record.count {
                        0 => true,
                        1 => record.first < grants,
                        count => record.first.checked_add(count).is_some_and(|end| end <= lists),
                    }
            })
            && self.part(Part::Lists).len().is_multiple_of(4)
            && (0..lists).all(|at| {
                self.words::<1>(Part::Lists, at)
                    .is_some_and(|[grant]| grant < grants)
            })
    }

    fn grants_fit(&self) -> bool {
        let grants = self.count(Part::Grants, 28);
        self.part(Part::Grants).len().is_multiple_of(28)
            && self.part(Part::Sources).len().is_multiple_of(4)
            && (0..grants).all(|grant| self.grant(GrantIx(grant)).is_some())
    }

    fn site_fits(&self) -> bool {
        let (doors, groups) = (self.count(Part::Doors, 8), self.count(Part::Groups, 8));
        let schedules = self.count(Part::Schedules, 36);
        let spans = self.count(Part::Spans, 4);
        let named = |part: Part, at: u32| {
            self.words::<2>(part, at).is_some_and(|[text, schedule]| {
                self.text(text).is_some() && (schedule == NONE || schedule < schedules)
            })
        };
        let whole = [
            (Part::Doors, 8),
            (Part::Groups, 8),
            (Part::Schedules, 36),
            (Part::Spans, 4),
            (Part::Holidays, 4),
        ];
        let row = usize::try_from(doors.div_ceil(8)).unwrap_or(0);
        whole
            .iter()
            .all(|(part, size)| self.part(*part).len().is_multiple_of(*size))
            && doors & TOP == 0
            && (0..doors).all(|door| self.door_ref(DoorIx(door)).is_some() && named(Part::Doors, door))
            && (0..groups).all(|group| named(Part::Groups, group))
            && usize::try_from(groups)
                .ok()
                .and_then(|groups| groups.checked_mul(row))
                == Some(self.part(Part::Cover).len())
            && (0..schedules).all(|at| {
                self.words::<9>(Part::Schedules, at).is_some_and(|bounds| {
                    bounds.is_sorted() && bounds.last().is_some_and(|last| *last <= spans)
                })
            })
            && self
                .part(Part::Holidays)
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| i32::from_le_bytes(*bytes))
                .is_sorted()
    }

    fn blocks_fit(&self) -> bool {
        let (people, slots) = (self.count(Part::People, 12), self.count(Part::Cards, table::SLOT));
        let blocks = self.count(Part::Blocks, 8);
        self.part(Part::Blocks).len().is_multiple_of(8)
            && (0..blocks).all(|at| {
                self.words::<2>(Part::Blocks, at).is_some_and(|[target, text]| {
                    let limit = if target & TOP == 0 { people } else { slots };
                    target & !TOP < limit && self.text(text).is_some()
                })
            })
    }
}

/// Header, then the parts in the order of [`Part`].
pub(super) fn assemble(header: &Header, parts: &[Vec<u8>; Part::COUNT]) -> Vec<u8> {
    let total = HEADER_LEN + parts.iter().map(Vec::len).sum::<usize>();
    let mut bytes = Vec::with_capacity(total);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(&(total as u64).to_le_bytes());
    bytes.extend_from_slice(&header.fingerprint.to_le_bytes());
    bytes.extend_from_slice(&header.version.to_le_bytes());
    bytes.extend_from_slice(&header.taken_at.to_le_bytes());
    bytes.extend_from_slice(&header.seed.to_le_bytes());
    bytes.extend_from_slice(&u32::from(header.has_snapshot).to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    seal(&mut bytes);
    bytes
}

/// Writes another fingerprint into an image, and its checksum anew.
pub(super) fn stamp(bytes: &mut [u8], stamp: u64) {
    if let Some(slot) = bytes.get_mut(24..32) {
        slot.copy_from_slice(&stamp.to_le_bytes());
    }
    seal(bytes);
}

/// Writes the checksum where it belongs.
pub(super) fn seal(bytes: &mut [u8]) {
    let sum = bytes.get(SUMMED_FROM..).map_or(0, crc32fast::hash);
    if let Some(slot) = bytes.get_mut(12..SUMMED_FROM) {
        slot.copy_from_slice(&sum.to_le_bytes());
    }
}

/// Where the parts stand: one after the other, and nothing behind the last.
fn sections(bytes: &[u8]) -> Option<[Section; Part::COUNT]> {
    let mut sections = [Section::default(); Part::COUNT];
    let lengths = bytes.get(PARTS_AT..HEADER_LEN)?.as_chunks::<8>().0;
    let mut start = HEADER_LEN;
    for (section, length) in sections.iter_mut().zip(lengths) {
        let len = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        *section = Section { start, len };
        start = start.checked_add(len)?;
    }
    (start == bytes.len()).then_some(sections)
}

fn u32_at(header: &[u8; PARTS_AT], at: usize) -> u32 {
    let bytes = header.get(at..).and_then(|rest| rest.first_chunk::<4>());
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(header: &[u8; PARTS_AT], at: usize) -> u64 {
    let bytes = header.get(at..).and_then(|rest| rest.first_chunk::<8>());
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn usize_at(header: &[u8; PARTS_AT], at: usize) -> Option<usize> {
    usize::try_from(u64_at(header, at)).ok()
}
