//! What is said to a PN532 from its wake-up on, and which cards it sees (UM0701-02, chapter 7). Pure.
//!
//! Each round the field goes on, up to two cards are listed, released, and the field goes off again: a card that was
//! released would not answer the next listing, one that lost power does.

use super::link::{Link, Outcome};
use crate::domain::Credential;
use std::time::Duration;

const GET_FIRMWARE_VERSION: u8 = 0x02;
const SET_PARAMETERS: u8 = 0x12;
const SAM_CONFIGURATION: u8 = 0x14;
const RF_CONFIGURATION: u8 = 0x32;
const IN_LIST_PASSIVE_TARGET: u8 = 0x4A;
const IN_RELEASE: u8 = 0x52;
/// What GetFirmwareVersion says first (7.2.2).
const PN532: u8 = 0x32;
/// A command that does not use the field.
const QUICK: Duration = Duration::from_millis(150);
/// A listing: activation is tried a few times, some 5 ms each.
const LISTING: Duration = Duration::from_millis(500);
/// Field off between two rounds: enough that a card forgets, short enough that nobody waits.
const PAUSE: Duration = Duration::from_millis(40);
/// A card is gone when it was not seen for this many rounds: one that is moved about misses one.
const MISSES: u8 = 2;

/// What a session tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A PN532, with its firmware's version.
    Ready { version: (u8, u8) },
    /// A card lies there.
    Card(Credential),
    /// The card is gone.
    Removed,
    /// Two at once: neither is taken.
    TwoCards,
    /// A card whose number is no UID: of 5 bytes, say.
    Strange,
    /// The chip does not answer, or something that is no PN532 does.
    Lost(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Sam,
    Firmware,
    Parameters,
    Retries,
    List,
    Release,
    FieldOff,
    Pause { until: Duration },
    Over,
}

/// What lies on the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lying {
    Nothing,
    Card(Credential),
    Two,
    Strange,
}

/// One chip, from the opening of its port to its loss.
#[derive(Debug)]
pub(super) struct Session {
    link: Link,
    step: Step,
    lying: Lying,
    misses: u8,
    /// Rounds in a row in which the chip refused to list.
    refusals: u8,
}

impl Session {
    /// Wakes the chip and asks what it is.
    pub(super) fn new(now: Duration) -> Self {
        let mut link = Link::new();
        link.wake();
        let mut session = Self {
            link,
            step: Step::Sam,
            lying: Lying::Nothing,
            misses: 0,
            refusals: 0,
        };
        session.begin(Step::Sam, now);
        session
    }

    /// What is to be sent now.
    pub(super) fn take(&mut self) -> Vec<u8> {
        self.link.take()
    }

    /// When to call [`Self::turn`] if no byte comes before.
    pub(super) fn due(&self) -> Option<Duration> {
        match self.step {
            Step::Pause { until } => Some(until),
            _ => self.link.due(),
        }
    }

    /// Bytes that belonged to nothing, and answers that came broken.
    pub(super) fn noise(&self) -> (u64, u64) {
        (self.link.decoder.noise, self.link.decoder.broken)
    }

    /// Looks at what came and at the time.
    pub(super) fn turn(&mut self, bytes: &[u8], now: Duration) -> Vec<Told> {
        let mut told = Vec::new();
        let mut bytes = bytes;
        // Until nothing whole is left: what nobody asked for is not kept for later.
        while let Some(outcome) = self.link.turn(bytes, now) {
            self.ended(outcome, now, &mut told);
            bytes = &[];
        }
        if let Step::Pause { until } = self.step
            && now >= until
        {
            self.begin(Step::List, now);
        }
        told
    }

    fn begin(&mut self, step: Step, now: Duration) {
        self.step = step;
        let (code, parameters, within): (u8, &[u8], Duration) = match step {
            // Normal mode, no SAM; no time-out; the IRQ pin is not ours (7.2.10).
            Step::Sam => (SAM_CONFIGURATION, &[0x01, 0x00, 0x00], QUICK),
            Step::Firmware => (GET_FIRMWARE_VERSION, &[], QUICK),
            // No RATS by itself (7.2.9): the number is wanted, not a session, and it costs time.
            Step::Parameters => (SET_PARAMETERS, &[0x00], QUICK),
            // ATR_RES and PSL_RES for ever as by default, passive activation three times (7.3.1, item 5): the answer comes
            // whether there is a card or not.
            Step::Retries => (RF_CONFIGURATION, &[0x05, 0xFF, 0x01, 0x02], QUICK),
            // Two cards at most, 106 kbit/s type A (7.3.5).
            Step::List => (IN_LIST_PASSIVE_TARGET, &[0x02, 0x00], LISTING),
            // All of them (7.3.11).
            Step::Release => (IN_RELEASE, &[0x00], QUICK),
            Step::FieldOff => (RF_CONFIGURATION, &[0x01, 0x00], QUICK),
            Step::Pause { .. } | Step::Over => return,
        };
        self.link.send(code, parameters, within, now);
    }

    fn ended(&mut self, outcome: Outcome, now: Duration, told: &mut Vec<Told>) {
        let data = match outcome {
            Outcome::Answer(data) => data,
            Outcome::Refused if self.step == Step::List && self.refusals < 10 => {
                self.refusals += 1;
                return self.begin(Step::FieldOff, now);
            }
            // Clones know some commands only; these are not needed for a number.
            Outcome::Refused if matches!(self.step, Step::Parameters | Step::Retries | Step::Release) => {
                Vec::new()
            }
            Outcome::Refused => return self.lost("it refuses what a PN532 knows", told),
            Outcome::Silent => return self.lost("it does not answer", told),
        };
        match self.step {
            Step::Sam => self.begin(Step::Firmware, now),
            Step::Firmware => match data.as_slice() {
                [PN532, version, revision, ..] => {
                    told.push(Told::Ready {
                        version: (*version, *revision),
                    });
                    self.begin(Step::Parameters, now);
                }
                _ => self.lost("what answers there is no PN532", told),
            },
            Step::Parameters => self.begin(Step::Retries, now),
            Step::Retries => self.begin(Step::List, now),
            Step::List => {
                self.refusals = 0;
                let lies = lying(&data);
                self.see(lies, told);
                let next = if lies == Lying::Nothing {
                    Step::FieldOff
                } else {
                    Step::Release
                };
                self.begin(next, now);
            }
            Step::Release => self.begin(Step::FieldOff, now),
            Step::FieldOff => self.step = Step::Pause { until: now + PAUSE },
            Step::Pause { .. } | Step::Over => {}
        }
    }

    fn lost(&mut self, why: &'static str, told: &mut Vec<Told>) {
        self.step = Step::Over;
        told.push(Told::Lost(why));
    }

    fn see(&mut self, lies: Lying, told: &mut Vec<Told>) {
        if lies == self.lying {
            self.misses = 0;
            return;
        }
        if lies == Lying::Nothing {
            self.misses += 1;
            if self.misses < MISSES {
                return;
            }
        }
        self.misses = 0;
        let before = std::mem::replace(&mut self.lying, lies);
        if matches!(before, Lying::Card(_)) {
            told.push(Told::Removed);
        }
        match lies {
            Lying::Nothing => {}
            Lying::Card(card) => told.push(Told::Card(card)),
            Lying::Two => told.push(Told::TwoCards),
            Lying::Strange => told.push(Told::Strange),
        }
    }
}

/// The answer of InListPassiveTarget (7.3.5): NbTg, then for each Tg, SENS_RES (2), SEL_RES, length and NFCID1. An ATS
/// would stand behind the first card's number; with two cards the number does not matter.
fn lying(data: &[u8]) -> Lying {
    match data {
        [] | [0, ..] => Lying::Nothing,
        [1, _, _, _, _, length, behind @ ..] => {
            let uid = behind.get(..usize::from(*length)).unwrap_or_default();
            Credential::uid(uid).map_or(Lying::Strange, Lying::Card)
        }
        [1, ..] => Lying::Strange,
        _ => Lying::Two,
    }
}

/// An entry for [`crate::fuzzing`]: pieces as long as the lower bits of a byte say, pauses by the upper ones. The chip is
/// given up at some time or goes on, and nothing is hoarded.
pub(crate) fn fuzz(mut data: &[u8]) {
    let mut now = Duration::ZERO;
    let mut session = Session::new(now);
    while let Some((step, rest)) = data.split_first() {
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(step & 0x1F)));
        data = rest;
        now += Duration::from_millis(u64::from(step >> 5) * 10);
        session.turn(piece, now);
        assert!(session.take().len() <= 256 && session.link.decoder.held() <= 300);
        assert!(
            session.due().is_some() || session.step == Step::Over,
            "it never waits for ever"
        );
    }
}

/// The card of a listing, for the property over all kinds of readers.
#[cfg(test)]
pub(in crate::desk::readers) fn listed(answer: &[u8]) -> Option<Credential> {
    match lying(answer) {
        Lying::Card(credential) => Some(credential),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(rounds: &[&[u8]]) -> Vec<Told> {
        let mut session = Session::new(Duration::ZERO);
        let mut told = Vec::new();
        for round in rounds {
            session.see(lying(round), &mut told);
        }
        told
    }

    const SHORT: &[u8] = &[1, 1, 0x00, 0x04, 0x08, 4, 0x71, 0x86, 0xA6, 0x1E];
    // With an ATS behind: a chip that does RATS all the same.
    const LONG: &[u8] = &[
        1, 1, 0x03, 0x44, 0x20, 7, 0x04, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0x80, 6, 0x75, 0x77, 0x81, 0x02, 0x80,
    ];
    const LONGEST: &[u8] = &[1, 1, 0x00, 0x84, 0x00, 10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

    fn card(text: &str) -> Told {
        Told::Card(text.parse().unwrap())
    }

    #[test]
    fn a_card_is_told_once_and_its_going_once() {
        let told = seen(&[SHORT, SHORT, &[0], SHORT, &[0], &[0], &[0], LONG, LONGEST]);
        let expected = [
            card("uid:7186A61E"),
            Told::Removed,
            card("uid:04A2B3C4D5E680"),
            Told::Removed,
            card("uid:0102030405060708090A"),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn two_cards_are_neither_and_a_strange_one_says_so() {
        let two = [&[2_u8][..], &SHORT[1..], &LONG[1..]].concat();
        let told = seen(&[
            SHORT,
            &two,
            &two,
            LONG,
            &[0],
            &[0],
            &[1, 1, 0, 4, 8, 5, 1, 2, 3, 4, 5],
        ]);
        let expected = [
            card("uid:7186A61E"),
            Told::Removed,
            Told::TwoCards,
            card("uid:04A2B3C4D5E680"),
            Told::Removed,
            Told::Strange,
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn answers_that_are_cut_short_are_no_card() {
        for length in 1..SHORT.len() {
            assert!(!matches!(lying(&SHORT[..length]), Lying::Card(_)), "{length}");
        }
    }
}
