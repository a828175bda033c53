//! What becomes of an entry. Pure; the table for people is docs/salto-ks-entries.md, and a test compares the two.

use super::{model::Entry, own};
use crate::domain::{
    ClockQuality, Credential, DoorId, EventKind, PersonId, Reason,
    event::Draft,
    time::{DAY_MS, Millis, Moment},
};

/// KS keeps entries so long (`store_events_ttl`, measured). What is older was written by a lock with a wrong clock.
pub const KEPT: Millis = 90 * DAY_MS;
/// Clocks of locks and gateway may differ by this much.
const AHEAD: Millis = 5 * 60_000;
/// What begins the source of an event that was an entry.
const SOURCE: &str = "ks:";
/// Ids that are longer stand in a source as their hash. Theirs are UUIDs of 36 characters.
const LONGEST_ID: usize = 72;
/// Of a word of KS's that is shown to people.
const LONGEST_WORD: usize = 24;

/// What an entry means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Somebody came in: a check-in if the person is known.
    CameIn,
    /// The door was opened from afar. Whoever did it may not be there.
    Remote,
    /// The handle inside, or somebody who wants out.
    Exit,
    /// KS refused.
    Refused,
    /// Office or privacy mode began or ended: the door's state, nobody's entry.
    Mode,
    /// A category that this program does not know.
    Unknown,
}

/// What is known about an entry besides itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The door that names this lock.
    pub door: Option<DoorId>,
    /// Who it is.
    pub person: Option<PersonId>,
    /// What the platform calls the person.
    pub name: Option<String>,
    /// The gateway asked for this opening, and the journal has it from then.
    pub own: bool,
}

/// Says what an entry means. `office_mode_counts`: beginning office mode with a tag or a PIN is an entry.
#[must_use]
pub fn meaning(entry: &Entry, office_mode_counts: bool) -> Meaning {
    let by = entry.access_by.as_deref().unwrap_or_default();
    let is = |word: &str| by.eq_ignore_ascii_case(word);
    let category = entry.event_category.as_deref().unwrap_or_default();
    let category = category.trim().to_ascii_lowercase();
    let out = entry.exit_requested == Some(true) || is("inside_handle");
    match category.as_str() {
        "lock_rejected" => Meaning::Refused,
        "lock_opened" if out => Meaning::Exit,
        "lock_opened" if is("remote") => Meaning::Remote,
        "lock_opened" => Meaning::CameIn,
        "easy_office_mode" | "office_mode" | "manual_office_mode" => {
            let begun = entry
                .event_detail
                .as_deref()
                .is_some_and(|detail| detail.eq_ignore_ascii_case("start"));
            // Only what proves that the person stands there; a schedule or an app does not.
            let there = is("tag") || is("pin_code");
            if office_mode_counts && begun && there && !out {
                Meaning::CameIn
            } else {
                Meaning::Mode
            }
        }
        "privacy_mode" => Meaning::Mode,
        _ => Meaning::Unknown,
    }
}

/// The tag that was presented, if one was.
#[must_use]
pub fn tag(entry: &Entry) -> Option<Credential> {
    let by_tag = entry
        .access_by
        .as_deref()
        .is_some_and(|by| by.eq_ignore_ascii_case("tag"));
    let number = entry.access_detail.as_deref().filter(|_| by_tag)?;
    Credential::ks_tag(number.trim()).ok()
}

/// The event of an entry that happened `at`.
#[must_use]
pub fn draft(entry: &Entry, at: Millis, known: Known, office_mode_counts: bool, now: Moment) -> Draft {
    let meaning = meaning(entry, office_mode_counts);
    let (kind, reason) = match meaning {
        Meaning::CameIn => (EventKind::Granted, Some(Reason::GrantedByKs)),
        Meaning::Refused => (EventKind::Refused, Some(Reason::RefusedByKs)),
        Meaning::Exit => (EventKind::RequestToExit, None),
        Meaning::Remote if known.own => (EventKind::LockNoted, None),
        Meaning::Remote => (EventKind::RemoteRelease, None),
        Meaning::Mode | Meaning::Unknown => (EventKind::LockNoted, None),
    };
    let odd = odd_time(at, now);
    let mut detail = match (meaning, known.own) {
        (Meaning::Remote, true) => own::TOLD.to_owned(),
        _ => words(entry, meaning),
    };
    if meaning == Meaning::CameIn && known.person.is_none() {
        detail.push_str("; nobody here");
    }
    if let Some(odd) = odd {
        detail.push_str(odd);
    }
    let clock = if odd.is_some() {
        ClockQuality::Untrusted
    } else {
        ClockQuality::Trusted
    };
    Draft {
        door: known.door,
        credential: tag(entry),
        person_name: known.name.or_else(|| entry.person_name()),
        person: known.person,
        reason,
        source: Some(source(&entry.id)),
        detail: Some(detail),
        ..Draft::new(kind, at, clock)
    }
}

/// What says in the journal that an event was this entry.
#[must_use]
pub fn source(id: &str) -> String {
    if id.len() <= LONGEST_ID {
        return format!("{SOURCE}{id}");
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, id.as_bytes());
    let hex: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{SOURCE}#{hex}")
}

/// Whether a source is an entry's.
#[must_use]
pub fn is_source(source: &str) -> bool {
    source.starts_with(SOURCE)
}

/// A time that cannot be right, in words. The entry keeps it, and it is not believed.
fn odd_time(at: Millis, now: Moment) -> Option<&'static str> {
    if !now.trusted {
        return None;
    }
    let age = now.at.saturating_sub(at);
    if age < -AHEAD {
        Some("; its time lies ahead of ours")
    } else if age > KEPT + DAY_MS {
        Some("; its time cannot be right")
    } else {
        None
    }
}

fn words(entry: &Entry, meaning: Meaning) -> String {
    let by = match entry.access_by.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("") => String::new(),
        Some("tag") if tag(entry).is_none() => " with a tag without a number".into(),
        Some("tag") => " with a tag".into(),
        Some("pin_code") => " with a PIN".into(),
        Some("inside_handle") => " by the handle inside".into(),
        Some("remote") => " from afar".into(),
        Some(other) => format!(" by {}", word(other)),
    };
    let detail = match entry.event_detail.as_deref().map(word) {
        Some(detail) if !detail.is_empty() => format!(" ({detail})"),
        _ => String::new(),
    };
    let category = entry.event_category.as_deref().map(word).unwrap_or_default();
    match meaning {
        Meaning::CameIn if category == "lock opened" => format!("opened{by}{detail}"),
        Meaning::Refused => format!("refused{by}{detail}"),
        Meaning::Exit | Meaning::Remote => format!("opened{by}{detail}"),
        Meaning::Unknown if category.is_empty() => format!("an entry without a category{by}{detail}"),
        Meaning::Unknown => format!("unknown to this version: {category}{by}{detail}"),
        Meaning::CameIn | Meaning::Mode => format!("{category}{by}{detail}"),
    }
}

/// A word of KS's for people: short, letters only, so that nothing else comes through it.
pub(super) fn word(text: &str) -> String {
    let kept = text
        .trim()
        .chars()
        .map(|c| if matches!(c, '_' | '-') { ' ' } else { c });
    kept.filter(|c| c.is_ascii_alphabetic() || *c == ' ')
        .take(LONGEST_WORD)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Say;
    use serde_json::json;

    const NOW: Moment = Moment {
        at: 1_780_308_000_000,
        trusted: true,
    };

    fn entry(more: serde_json::Value) -> Entry {
        let mut value = json!({ "id": "e1", "utc_date_time": "2026-06-01T10:00:00Z" });
        for (name, field) in more.as_object().unwrap() {
            value[name] = field.clone();
        }
        Entry::read(value).unwrap().0
    }

    fn ana() -> Known {
        Known {
            door: Some("front".into()),
            person: Some("p1".into()),
            name: Some("Ana".into()),
            own: false,
        }
    }

    /// The rows of the table: category, detail, by, exit, counts, then kind and whether it checks a known person in.
    fn rows() -> Vec<Vec<String>> {
        let page = include_str!("../../../docs/salto-ks-entries.md");
        page.lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let cells = line.trim_matches('|').split('|');
                cells.map(|cell| cell.trim().replace('`', "")).collect()
            })
            .collect()
    }

    #[test]
    fn the_table_for_people_says_what_the_program_does() {
        let rows = rows();
        assert!(rows.len() >= 15, "the table is found: {}", rows.len());
        for row in rows {
            let [category, detail, by, exit, counts, kind, checks_in, ..] = row.as_slice() else {
                panic!("{row:?}");
            };
            let cell = |text: &str| (text != "-").then(|| text.to_owned());
            for counted in [true, false] {
                if counts == "yes" && !counted || counts == "no" && counted {
                    continue;
                }
                let entry = entry(json!({
                    "event_category": cell(category), "event_detail": cell(detail), "access_by": cell(by),
                    "exit_requested": exit == "yes",
                }));
                let draft = draft(&entry, NOW.at, ana(), counted, NOW);
                assert_eq!(draft.kind.name(), kind, "{row:?}");
                let is_check_in = draft.kind == EventKind::Granted && draft.person.is_some();
                assert_eq!(is_check_in, checks_in == "yes", "{row:?}");
            }
        }
    }

    #[test]
    fn a_tags_number_is_a_typed_credential_and_stands_in_no_words() {
        let rejected = entry(
            json!({ "event_category": "lock_rejected", "event_detail": "no_access",
            "access_by": "tag", "access_detail": "02309289" }),
        );
        let draft = draft(&rejected, NOW.at, Known::default(), false, NOW);
        assert_eq!(draft.credential, Credential::ks_tag("2309289").ok());
        assert_eq!(draft.reason, Some(Reason::RefusedByKs));
        assert_eq!(draft.detail.as_deref(), Some("refused with a tag (no access)"));
        assert!(!format!("{draft:?}").contains("2309289"), "{draft:?}");
    }

    #[test]
    fn a_pin_is_never_kept_and_an_unknown_one_is_nobodys_entry() {
        let pin = entry(
            json!({ "event_category": "lock_opened", "access_by": "pin_code", "access_detail": "4711",
            "user_id": "00000000-0000-0000-0000-000000000001" }),
        );
        let draft = draft(&pin, NOW.at, Known::default(), false, NOW);
        assert_eq!((draft.credential, draft.person), (None, None));
        assert_eq!(draft.detail.as_deref(), Some("opened with a PIN; nobody here"));
    }

    #[test]
    fn what_stands_beside_an_entry_can_be_said_in_another_language() {
        for by in [
            None,
            Some("tag"),
            Some("pin_code"),
            Some("inside_handle"),
            Some("remote"),
        ] {
            for category in ["lock_opened", "lock_rejected"] {
                for detail in [None, Some("no_access")] {
                    let one = json!({ "event_category": category, "access_by": by, "event_detail": detail });
                    let one = entry(one);
                    for at in [NOW.at, NOW.at + DAY_MS, NOW.at - 400 * DAY_MS] {
                        let text = draft(&one, at, Known::default(), false, NOW).detail.unwrap();
                        // What is no way in is KS's own word.
                        let known = by.is_some() || detail.is_none();
                        assert!(!known || Say::of_detail(&text).is_some(), "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_opening_that_the_gateway_asked_for_is_no_second_release() {
        let remote = entry(json!({ "event_category": "lock_opened", "access_by": "remote" }));
        let own = Known { own: true, ..ana() };
        let kind = |known| draft(&remote, NOW.at, known, false, NOW).kind;
        assert_eq!(
            (kind(own.clone()), kind(ana())),
            (EventKind::LockNoted, EventKind::RemoteRelease)
        );
        let by_tag = entry(json!({ "event_category": "lock_opened", "access_by": "tag" }));
        assert_eq!(draft(&by_tag, NOW.at, own, false, NOW).kind, EventKind::Granted);
    }

    #[test]
    fn a_time_that_cannot_be_right_is_kept_and_not_believed() {
        let opened = entry(json!({ "event_category": "lock_opened", "access_by": "tag" }));
        for at in [NOW.at + DAY_MS, NOW.at - 400 * DAY_MS] {
            let draft = draft(&opened, at, ana(), false, NOW);
            assert_eq!((draft.at, draft.clock), (at, ClockQuality::Untrusted));
        }
        let hours_ago = draft(&opened, NOW.at - 3 * 3_600_000, ana(), false, NOW);
        assert_eq!(hours_ago.clock, ClockQuality::Trusted);
    }

    #[test]
    fn words_of_others_come_through_as_words_only() {
        let odd = entry(json!({ "event_category": "a\u{1b}[31m02309289_left_open", "event_detail": "x" }));
        let draft = draft(&odd, NOW.at, Known::default(), false, NOW);
        assert_eq!(
            draft.detail.as_deref(),
            Some("unknown to this version: am left open (x)")
        );
    }

    #[test]
    fn a_source_fits_the_journal_whatever_the_id() {
        assert_eq!(source("e1"), "ks:e1");
        let long = source(&"x".repeat(300));
        assert!(long.len() <= crate::store::MAX_SOURCE && is_source(&long));
        assert_ne!(long, source(&"y".repeat(300)));
    }
}
