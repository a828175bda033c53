//! From keys to the text that a reader types. Pure. Keys are taken by their place on a keyboard, so the layout and the shift
//! key do not matter for digits: a reader set to a French layout types its digits with shift.

use std::time::Duration;

/// Longer than this between two keys is no reader, or another card: they take some 10 ms.
const GAP: Duration = Duration::from_millis(500);
/// No number that we know is longer.
const LONGEST: usize = 32;

/// `EV_KEY` and the codes of keys (linux/input-event-codes.h).
pub(super) const EV_KEY: u16 = 1;
/// `EV_SYN` with the code `SYN_DROPPED`: the kernel lost events.
pub(super) const EV_SYN: u16 = 0;
const SYN_DROPPED: u16 = 3;
const ENDS: [u16; 3] = [28, 96, 15]; // Enter, keypad Enter, Tab
const MODIFIERS: [u16; 8] = [42, 54, 29, 97, 56, 100, 58, 69]; // shift, ctrl, alt, caps lock, num lock

/// An event of the kernel's input layer, as `struct input_event` has it, without its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) kind: u16,
    pub(super) code: u16,
    pub(super) value: i32,
}

/// Puts keys together to lines.
#[derive(Debug, Default)]
pub(super) struct Typed {
    text: String,
    last: Option<Duration>,
    /// What came cannot be a number: nothing until it ends.
    spoilt: bool,
}

/// What was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Letters, digits and the signs that stand between them.
    Text(String),
    /// Keys that no number has, or too many.
    Spoilt,
}

impl Typed {
    /// Takes a key. `at`: when it was seen.
    pub(super) fn key(&mut self, key: Key, at: Duration) -> Option<Line> {
        if (key.kind, key.code) == (EV_SYN, SYN_DROPPED) {
            self.spoilt = true;
        }
        // Presses alone: 0 is a release, 2 a repetition, which no reader means.
        if key.kind != EV_KEY || key.value != 1 {
            return None;
        }
        let paused = self.last.is_some_and(|last| at.saturating_sub(last) > GAP);
        self.last = Some(at);
        if paused {
            self.text.clear();
            self.spoilt = false;
        }
        if ENDS.contains(&key.code) {
            let text = std::mem::take(&mut self.text);
            return match (std::mem::take(&mut self.spoilt), text.is_empty()) {
                (true, _) => Some(Line::Spoilt),
                (false, true) => None, // Enter behind Tab, say
                (false, false) => Some(Line::Text(text)),
            };
        }
        if MODIFIERS.contains(&key.code) {
            return None;
        }
        match character(key.code) {
            Some(character) if self.text.len() < LONGEST => self.text.push(character),
            _ => self.spoilt = true,
        }
        None
    }
}

/// The character on a key of a US keyboard.
fn character(code: u16) -> Option<char> {
    const ROWS: [(u16, &str); 6] = [
        (2, "1234567890-"),
        (16, "QWERTYUIOP"),
        (30, "ASDFGHJKL;"),
        (44, "ZXCVBNM,./"),
        (57, " "),
        (71, "789-456+1230."),
    ];
    ROWS.iter().find_map(|(first, row)| {
        let place = usize::from(code.checked_sub(*first)?);
        row.chars().nth(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[(u16, u64)]) -> Vec<Line> {
        let mut typed = Typed::default();
        let mut lines = Vec::new();
        for (code, ms) in keys {
            for value in [1, 0] {
                let key = Key {
                    kind: EV_KEY,
                    code: *code,
                    value,
                };
                lines.extend(typed.key(key, Duration::from_millis(*ms)));
            }
        }
        lines
    }

    fn text(line: &str) -> Line {
        Line::Text(line.into())
    }

    #[test]
    fn digit_row_keypad_and_letters_are_read_by_their_place() {
        // 0 4 A (with shift) 2, Enter; then on the keypad 7 8 9 4 5 6 1 2 3 0, its Enter.
        let row = [(11, 0), (5, 8), (42, 12), (30, 16), (3, 24), (28, 32)];
        let pad = [71, 72, 73, 75, 76, 77, 79, 80, 81, 82, 96].map(|code| (code, 40));
        assert_eq!(
            typed(&[&row[..], &pad].concat()),
            [text("04A2"), text("7894561230")]
        );
        assert_eq!(
            typed(&[(2, 0), (51, 1), (3, 2), (15, 3), (28, 4)]),
            [text("1,2")],
            "Tab, then Enter"
        );
    }

    #[test]
    fn a_pause_starts_anew_and_what_is_no_number_spoils_its_line_only() {
        assert_eq!(typed(&[(2, 0), (3, 10), (4, 511), (28, 520)]), [text("3")]);
        assert_eq!(
            typed(&[(2, 0), (59, 10), (28, 20), (3, 30), (28, 40)]),
            [Line::Spoilt, text("2")]
        );
        let long: Vec<_> = (0..40).map(|n| (2, n)).chain([(28, 41)]).collect();
        assert_eq!(typed(&long), [Line::Spoilt]);
    }

    #[test]
    fn lost_events_and_repetitions_make_no_number() {
        let mut typed = Typed::default();
        let mut feed = |kind, code, value| typed.key(Key { kind, code, value }, Duration::ZERO);
        assert_eq!(feed(EV_KEY, 2, 1), None);
        assert_eq!(feed(EV_KEY, 2, 2), None);
        assert_eq!(feed(4, 4, 458_782), None, "EV_MSC, the scan code beside each key");
        assert_eq!(feed(EV_KEY, 28, 1), Some(text("1")));
        assert_eq!(feed(EV_KEY, 3, 1), None);
        assert_eq!(feed(EV_SYN, SYN_DROPPED, 0), None);
        assert_eq!(feed(EV_KEY, 28, 1), Some(Line::Spoilt));
    }
}
