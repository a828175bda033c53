//! One command at a time to a PN532, and its answer (UM0701-02, 6.2.2): sent again when it is not acknowledged, asked for
//! again when the answer came broken. Pure: time and bytes come in, bytes and outcomes go out.

use super::frame::{Decoder, Heard, NACK, encode};
use std::time::Duration;

/// The chip acknowledges within 15 ms (6.2.3). A USB adapter holds bytes back for up to 16 ms (FTDI's latency timer), and
/// its way there takes as long: so nothing is missing before this.
const ACK_WITHIN: Duration = Duration::from_millis(15 + 30);
/// A command goes out this often before the chip is given up: three lost on a bad wire, and a machine that is busy besides.
const TRIES: u8 = 10;
/// A broken answer is asked for this often.
const REPEATS: u8 = 3;
/// Wakes the chip: `55 55` and zeros while its oscillator starts (UM0701-02, HSU wake-up condition).
pub(super) const WAKE: [u8; 16] = [0x55, 0x55, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The answer's data, without its code.
    Answer(Vec<u8>),
    /// The chip refuses the command.
    Refused,
    /// It does not answer.
    Silent,
}

#[derive(Debug)]
enum State {
    Idle,
    /// The frame is on its way.
    Sent {
        until: Duration,
    },
    /// The chip works on it.
    Accepted {
        until: Duration,
    },
}

/// The link to one chip.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) decoder: Decoder,
    state: State,
    code: u8,
    frame: Vec<u8>,
    within: Duration,
    tries: u8,
    repeats: u8,
    broken_seen: u64,
    out: Vec<u8>,
}

impl Link {
    pub(super) fn new() -> Self {
        Self {
            decoder: Decoder::default(),
            state: State::Idle,
            code: 0,
            frame: Vec::new(),
            within: Duration::ZERO,
            tries: 0,
            repeats: 0,
            broken_seen: 0,
            out: Vec::new(),
        }
    }

    /// Begins a command. The answer is waited for as long as `within` after the acknowledgement.
    pub(super) fn send(&mut self, code: u8, parameters: &[u8], within: Duration, now: Duration) {
        (self.code, self.within) = (code, within);
        self.frame = encode(code, parameters);
        (self.tries, self.repeats) = (0, 0);
        self.transmit(now);
    }

    fn transmit(&mut self, now: Duration) {
        // A chip that is silent may sleep: the second time it is woken first.
        if self.tries > 0 {
            self.out.extend(WAKE);
        }
        self.tries += 1;
        self.out.extend_from_slice(&self.frame);
        self.state = State::Sent {
            until: now + ACK_WITHIN,
        };
    }

    /// Bytes to send before the next command: only the wake-up.
    pub(super) fn wake(&mut self) {
        self.out.extend(WAKE);
    }

    /// What is to be sent now.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// When [`Self::turn`] has something to do without any byte coming.
    pub(super) fn due(&self) -> Option<Duration> {
        match self.state {
            State::Idle => None,
            State::Sent { until } | State::Accepted { until } => Some(until),
        }
    }

    /// Looks at what came and at the time. Gives an outcome at most once for each command.
    pub(super) fn turn(&mut self, bytes: &[u8], now: Duration) -> Option<Outcome> {
        self.decoder.push(bytes);
        while let Some(heard) = self.decoder.next() {
            if let Some(outcome) = self.heard(heard, now) {
                self.state = State::Idle;
                return Some(outcome);
            }
        }
        let broken = std::mem::replace(&mut self.broken_seen, self.decoder.broken) != self.decoder.broken;
        match self.state {
            State::Accepted { .. } if broken => self.again(now),
            State::Sent { until } if now >= until => {
                if self.tries >= TRIES {
                    self.state = State::Idle;
                    return Some(Outcome::Silent);
                }
                // What is half there belongs to what went wrong.
                self.decoder.restart();
                self.transmit(now);
                None
            }
            State::Accepted { until } if now >= until => {
                self.decoder.restart();
                self.again(now)
            }
            _ => None,
        }
    }

    /// Asks for the answer again.
    fn again(&mut self, now: Duration) -> Option<Outcome> {
        if self.repeats >= REPEATS {
            self.state = State::Idle;
            return Some(Outcome::Silent);
        }
        self.repeats += 1;
        self.out.extend(NACK);
        self.state = State::Accepted {
            until: now + self.within,
        };
        None
    }

    fn heard(&mut self, heard: Heard, now: Duration) -> Option<Outcome> {
        match (&self.state, heard) {
            (State::Sent { .. }, Heard::Ack) => {
                self.state = State::Accepted {
                    until: now + self.within,
                };
                None
            }
            (State::Sent { .. }, Heard::Nack) if self.tries < TRIES => {
                self.transmit(now);
                None
            }
            // Also before the acknowledgement, which may have been lost.
            (State::Sent { .. } | State::Accepted { .. }, Heard::Answer { code, data })
                if code == self.code.wrapping_add(1) =>
            {
                Some(Outcome::Answer(data))
            }
            (State::Sent { .. } | State::Accepted { .. }, Heard::Error) => Some(Outcome::Refused),
            // A second acknowledgement after a resend, or the answer to a command that was given up.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::frame::ACK, *};

    const WITHIN: Duration = Duration::from_millis(100);
    const ANSWER: [u8; 13] = [
        0x00, 0x00, 0xFF, 0x06, 0xFA, 0xD5, 0x03, 0x32, 0x01, 0x06, 0x07, 0xE8, 0x00,
    ];

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn asked() -> Link {
        let mut link = Link::new();
        link.send(0x02, &[], WITHIN, at(0));
        assert_eq!(link.take(), encode(0x02, &[]));
        link
    }

    #[test]
    fn an_acknowledged_command_gets_its_answer() {
        let mut link = asked();
        assert_eq!(link.turn(&ACK, at(2)), None);
        assert_eq!(link.turn(&ANSWER[..6], at(4)), None);
        let answer = Some(Outcome::Answer(vec![0x32, 0x01, 0x06, 0x07]));
        assert_eq!(link.turn(&ANSWER[6..], at(6)), answer);
        assert_eq!(link.due(), None);
    }

    #[test]
    fn a_late_or_lost_acknowledgement_sends_again_and_takes_one_answer() {
        let mut link = asked();
        assert_eq!(link.turn(&[], at(44)), None);
        assert!(
            link.take().is_empty(),
            "an adapter may hold it back for that long"
        );
        assert_eq!(link.turn(&[], at(45)), None);
        assert_eq!(link.take(), [&WAKE[..], &encode(0x02, &[])].concat());
        // The late one and the one of the second frame, then the answer, then one more.
        assert_eq!(link.turn(&[ACK, ACK].concat(), at(50)), None);
        assert!(matches!(link.turn(&ANSWER, at(52)), Some(Outcome::Answer(_))));
        assert_eq!(link.turn(&ANSWER, at(53)), None, "nobody asked");
        let mut link = asked();
        assert!(
            matches!(link.turn(&ANSWER, at(5)), Some(Outcome::Answer(_))),
            "its ACK was lost"
        );
    }

    #[test]
    fn a_broken_answer_is_asked_for_again_and_then_given_up() {
        let mut link = asked();
        assert_eq!(link.turn(&ACK, at(2)), None);
        let mut broken = ANSWER;
        broken[8] ^= 0x10;
        assert_eq!(link.turn(&broken, at(4)), None);
        assert_eq!(link.take(), NACK);
        assert!(matches!(link.turn(&ANSWER, at(6)), Some(Outcome::Answer(_))));
        // Half an answer, then silence.
        link.send(0x02, &[], WITHIN, at(10));
        assert_eq!(link.turn(&ACK, at(12)), None);
        assert_eq!(link.turn(&ANSWER[..8], at(13)), None);
        let mut now = at(112);
        for _ in 0..REPEATS {
            link.take();
            assert_eq!(link.turn(&[], now), None);
            assert_eq!(link.take(), NACK);
            now += WITHIN;
        }
        assert_eq!(link.turn(&[], now), Some(Outcome::Silent));
    }

    #[test]
    fn a_silent_chip_is_given_up_and_a_refusal_is_told() {
        let mut link = asked();
        for turn in 1..u64::from(TRIES) {
            assert_eq!(link.turn(&[], at(45 * turn)), None);
        }
        assert_eq!(link.turn(&[], at(45 * u64::from(TRIES))), Some(Outcome::Silent));
        let mut link = asked();
        let refused = [0x00, 0x00, 0xFF, 0x01, 0xFF, 0x7F, 0x81, 0x00];
        assert_eq!(
            link.turn(&[&ACK[..], &refused].concat(), at(3)),
            Some(Outcome::Refused)
        );
    }
}
