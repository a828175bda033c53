//! An event as bytes: compact, versioned, bounded. The ring's slots and the journal's rows hold the same bytes.
//!
//! Layout, version 1, little-endian: version, kind, flags (bit 0: time trusted, bit 1: detail present), presence
//! (a bit for each of door, reader, credential, person, name, reason, source, rule), time as i64, then what is
//! present in that order: the credential as its twelve-byte key, reason and rule as one byte, text as a length
//! byte and UTF-8. `docs/journal.md` says the same for people.

use crate::domain::{ClockQuality, Credential, EventKind, Reason, event::Draft};

/// Longest door and reader id, in bytes.
pub const MAX_DOOR: usize = 64;
/// Longest person id, in bytes. Platforms use numbers, UUIDs (36) or hex (24).
pub const MAX_PERSON: usize = 72;
/// Longest person's name, in bytes.
pub const MAX_NAME: usize = 80;
/// Longest source id, in bytes.
pub const MAX_SOURCE: usize = 88;
/// Longest detail, in bytes.
pub const MAX_DETAIL: usize = 96;

const VERSION: u8 = 1;
const FIXED: usize = 12;
const TRUSTED: u8 = 1;
const DETAIL: u8 = 2;
const DOOR: u8 = 1;
const READER: u8 = 2;
const CARD: u8 = 4;
const PERSON: u8 = 8;
const NAME: u8 = 16;
const REASON: u8 = 32;
const SOURCE: u8 = 64;
const RULE: u8 = 128;

/// The most bytes that an event takes, everything present and as long as it may be.
pub const MAX_RECORD: usize =
    FIXED + 12 + 2 + 6 + 2 * MAX_DOOR + MAX_PERSON + MAX_NAME + MAX_SOURCE + MAX_DETAIL;

/// Why bytes are no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Written by a later version of the program.
    #[error("the event has format {0}, this program knows {VERSION}")]
    Version(u8),
    /// Fewer or more bytes than the event says it has.
    #[error("the event has the wrong length")]
    Length,
    /// A code or a text that no event has.
    #[error("the event holds a value that does not exist")]
    Value,
}

struct Out<'a> {
    buffer: &'a mut [u8],
    used: usize,
}

impl Out<'_> {
    fn put(&mut self, bytes: &[u8]) {
        // Callers' bounds add up to MAX_RECORD, so the target is always there.
        if let Some(to) = self.buffer.get_mut(self.used..self.used + bytes.len()) {
            to.copy_from_slice(bytes);
            self.used += bytes.len();
        }
    }
    fn text(&mut self, text: &str, most: usize) {
        let cut = clip(text, most);
        self.put(&[u8::try_from(cut.len()).unwrap_or(0)]);
        self.put(cut.as_bytes());
    }
}

/// The longest start of `text` that has at most `most` bytes and ends between characters.
fn clip(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// Writes an event into `buffer` and returns how many bytes it took. Text beyond its bound is cut between
/// characters. Allocates nothing.
pub fn encode(draft: &Draft, buffer: &mut [u8; MAX_RECORD]) -> usize {
    let mut presence = 0;
    for (bit, present) in [
        (DOOR, draft.door.is_some()),
        (READER, draft.reader.is_some()),
        (CARD, draft.credential.is_some()),
        (PERSON, draft.person.is_some()),
        (NAME, draft.person_name.is_some()),
        (REASON, draft.reason.is_some()),
        (SOURCE, draft.source.is_some()),
        (RULE, draft.rule.is_some()),
    ] {
        presence |= if present { bit } else { 0 };
    }
    let trusted = if draft.clock == ClockQuality::Trusted {
        TRUSTED
    } else {
        0
    };
    let detail = if draft.detail.is_some() { DETAIL } else { 0 };
    let mut out = Out { buffer, used: 0 };
    out.put(&[VERSION, draft.kind as u8, trusted | detail, presence]);
    out.put(&draft.at.to_le_bytes());
    if let Some(door) = &draft.door {
        out.text(door.as_str(), MAX_DOOR);
    }
    if let Some(reader) = &draft.reader {
        out.text(reader.as_str(), MAX_DOOR);
    }
    if let Some(card) = &draft.credential {
        out.put(&card.key());
    }
    if let Some(person) = &draft.person {
        out.text(person.as_str(), MAX_PERSON);
    }
    if let Some(name) = &draft.person_name {
        out.text(name, MAX_NAME);
    }
    if let Some(reason) = draft.reason {
        out.put(&[reason.code()]);
    }
    if let Some(source) = &draft.source {
        out.text(source, MAX_SOURCE);
    }
    if let Some(rule) = draft.rule {
        out.put(&[rule]);
    }
    if let Some(detail) = &draft.detail {
        out.text(detail, MAX_DETAIL);
    }
    out.used
}

struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(RecordError::Length)?;
        self.0 = rest;
        Ok(*head)
    }
    fn byte(&mut self) -> Result<u8, RecordError> {
        self.take::<1>().map(|[byte]| byte)
    }
    fn text(&mut self) -> Result<&'a str, RecordError> {
        let length = usize::from(self.byte()?);
        let (head, rest) = self.0.split_at_checked(length).ok_or(RecordError::Length)?;
        self.0 = rest;
        std::str::from_utf8(head).map_err(|_| RecordError::Value)
    }
}

/// Reads an event back.
///
/// # Errors
/// When the bytes are none that [`encode`] wrote; never panics, whatever they are.
pub fn decode(bytes: &[u8]) -> Result<Draft, RecordError> {
    let mut input = In(bytes);
    let [version, kind, flags, presence] = input.take::<4>()?;
    if version != VERSION {
        return Err(RecordError::Version(version));
    }
    let at = i64::from_le_bytes(input.take::<8>()?);
    let clock = if flags & TRUSTED == 0 {
        ClockQuality::Untrusted
    } else {
        ClockQuality::Trusted
    };
    let kind = EventKind::from_code(kind).ok_or(RecordError::Value)?;
    let mut draft = Draft::new(kind, at, clock);
    let has = |bit: u8| presence & bit != 0;
    if has(DOOR) {
        draft.door = Some(input.text()?.into());
    }
    if has(READER) {
        draft.reader = Some(input.text()?.into());
    }
    if has(CARD) {
        draft.credential = Some(Credential::from_key(input.take()?).ok_or(RecordError::Value)?);
    }
    if has(PERSON) {
        draft.person = Some(input.text()?.into());
    }
    if has(NAME) {
        draft.person_name = Some(input.text()?.into());
    }
    if has(REASON) {
        draft.reason = Some(Reason::from_code(input.byte()?).ok_or(RecordError::Value)?);
    }
    if has(SOURCE) {
        draft.source = Some(input.text()?.into());
    }
    if has(RULE) {
        draft.rule = Some(input.byte()?);
    }
    if flags & DETAIL != 0 {
        draft.detail = Some(input.text()?.into());
    }
    if input.0.is_empty() {
        Ok(draft)
    } else {
        Err(RecordError::Length)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::{option, prelude::*};

    prop_compose! {
        /// Any event whose texts are within the bounds.
        pub(in crate::store) fn any_draft()(
            kind in prop::sample::select(EventKind::ALL.to_vec()),
            at in any::<i64>(),
            trusted in any::<bool>(),
            door in option::of("[a-z-]{0,64}"),
            reader in option::of("[a-z-]{0,64}"),
            card in option::of((1_usize..=80, prop::array::uniform10(any::<u8>()))),
            person in option::of("[0-9a-f-]{0,72}"),
            name in option::of("\\PC{0,20}"),
            (reason, rule) in (option::of(prop::sample::select(Reason::ALL.to_vec())), option::of(any::<u8>())),
            (source, detail) in (option::of("[a-z0-9]{0,88}"), option::of("[a-z ]{0,96}")),
        ) -> Draft {
            let clock = if trusted { ClockQuality::Trusted } else { ClockQuality::Untrusted };
            Draft {
                door: door.map(Into::into),
                reader: reader.map(Into::into),
                credential: card.map(|(bits, raw)| Credential::wiegand(bits, &raw).unwrap()),
                person: person.map(Into::into),
                person_name: name,
                reason,
                source,
                rule,
                detail,
                ..Draft::new(kind, at, clock)
            }
        }
    }

    proptest! {
        #[test]
        fn an_event_round_trips(draft in any_draft()) {
            let mut buffer = [0; MAX_RECORD];
            let used = encode(&draft, &mut buffer);
            prop_assert_eq!(decode(&buffer[..used]), Ok(draft));
            prop_assert!(decode(&buffer[..used - 1]).is_err());
        }
        #[test]
        fn any_bytes_are_an_event_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..MAX_RECORD)) {
            let _ = decode(&bytes);
            let mut versioned = bytes;
            versioned.splice(0..0, [VERSION, 1]);
            let _ = decode(&versioned);
        }
    }

    #[test]
    fn text_beyond_its_bound_is_cut_between_characters() {
        let long = "é".repeat(200);
        let mut draft = Draft::new(EventKind::Fault, 0, ClockQuality::Trusted);
        draft.door = Some(format!("a{long}").as_str().into());
        draft.reader = Some(long.as_str().into());
        draft.person = Some(long.as_str().into());
        draft.person_name = Some(long.clone());
        draft.source = Some(long.clone());
        draft.detail = Some(long);
        draft.credential = Credential::uid(&[1; 10]).ok();
        draft.reason = Some(Reason::GrantedPlan);
        draft.rule = Some(1);
        let mut buffer = [0; MAX_RECORD];
        let used = encode(&draft, &mut buffer);
        let back = decode(&buffer[..used]).unwrap();
        assert_eq!(used, MAX_RECORD - 1, "the odd one lost half a character");
        assert_eq!(back.door.unwrap().as_str().len(), MAX_DOOR - 1);
        assert_eq!(back.detail.unwrap().len(), MAX_DETAIL);
    }
}
