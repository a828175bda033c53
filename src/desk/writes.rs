//! When to tell the platform what, and what its answer means. Pure.

use crate::{
    domain::{
        Credential, Millis,
        say::{Said, desk as say},
    },
    platform::{ErrorKind, PlatformError, Retry},
    store::{CardWrite, WriteState},
};
use std::collections::HashSet;

/// The pause after the first failure.
const FIRST_PAUSE: Millis = 1_000;
/// The longest pause. It is tried for ever: the line may be down for weeks.
const LONGEST_PAUSE: Millis = 60_000;
/// The pause when a person has to change something first: a token, a certificate.
const RARELY: Millis = 300_000;

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// Send this one.
    Send(&'a CardWrite),
    /// Nothing before this instant, Unix milliseconds.
    At(Millis),
    /// Nothing at all.
    Nothing,
}

/// The next write: in order, the writes of one card strictly one after another. What the platform refused holds up its own
/// card and no other.
#[must_use]
pub fn next(writes: &[CardWrite], now: Millis) -> Next<'_> {
    let mut begun: HashSet<Credential> = HashSet::new();
    let mut soonest: Option<Millis> = None;
    for write in writes {
        if !begun.insert(write.credential) || write.state == WriteState::Refused {
            continue;
        }
        if write.next_at <= now {
            return Next::Send(write);
        }
        soonest = Some(soonest.map_or(write.next_at, |at| at.min(write.next_at)));
    }
    // A clock that was put back must not make anything wait for longer than it would have.
    soonest.map_or(Next::Nothing, |at| Next::At(at.min(now + RARELY)))
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The platform has it.
    Done,
    /// Again later; true: nothing else need be tried before, as the platform itself is away.
    Again(CardWrite, bool),
    /// Not at all: a person decides.
    Refused(CardWrite),
}

/// What the answer to a write means. `write.tries` counts this try.
#[must_use]
pub fn outcome(write: &CardWrite, answer: &Result<(), PlatformError>, now: Millis) -> Outcome {
    let Err(error) = answer else {
        return Outcome::Done;
    };
    let said = error.text.clone();
    let refused = || {
        Outcome::Refused(CardWrite {
            state: WriteState::Refused,
            said: plainly(error).into(),
            ..write.clone()
        })
    };
    let again = |pause: Millis, all| {
        Outcome::Again(
            CardWrite {
                next_at: now + pause,
                said: said.clone(),
                ..write.clone()
            },
            all,
        )
    };
    match (error.kind, error.retry()) {
        // Whoever is not there has no card there.
        (ErrorKind::Rejected { status: 404 | 410 }, _) if !write.give => Outcome::Done,
        // Somebody else's: waiting does not change that.
        (ErrorKind::Rejected { status: 409 }, _) => refused(),
        (_, Retry::Never) => refused(),
        (_, Retry::After(asked)) => {
            let pause = Millis::try_from(asked.as_millis()).unwrap_or(RARELY);
            again(pause.clamp(FIRST_PAUSE, RARELY), true)
        }
        (_, Retry::Rarely) => again(RARELY, true),
        (kind, Retry::Backoff) => {
            let doubled = FIRST_PAUSE << write.tries.saturating_sub(1).min(10);
            again(doubled.min(LONGEST_PAUSE), kind != ErrorKind::Malformed)
        }
    }
}

/// Why the platform does not take it, with what it said behind.
fn plainly(error: &PlatformError) -> Said {
    match error.kind {
        ErrorKind::Rejected { status: 409 } => say::platform_card_taken(&error.text),
        ErrorKind::Rejected { status: 404 | 410 } => say::platform_person_gone(&error.text),
        ErrorKind::Rejected { status: 400 | 422 } => say::platform_card_unfit(&error.text),
        ErrorKind::Unsupported => say::platform_without_cards(&error.text),
        _ => say::platform_refused(&error.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(id: i64, card: u8, next_at: Millis, state: WriteState) -> CardWrite {
        CardWrite {
            id,
            credential: Credential::uid(&[4, 0, 0, card]).unwrap(),
            person: "ana".into(),
            give: true,
            by: "Maria".into(),
            at: 0,
            state,
            tries: 1,
            next_at,
            said: String::new(),
        }
    }

    fn error(kind: ErrorKind) -> Result<(), PlatformError> {
        Err(PlatformError {
            kind,
            text: "said".into(),
        })
    }

    #[test]
    fn cards_go_one_after_another_and_do_not_wait_for_each_other() {
        use WriteState::{Refused, Waiting};
        let queue = [
            write(1, 1, 50, Waiting),
            write(2, 1, 0, Waiting),
            write(3, 2, 0, Refused),
            write(4, 2, 0, Waiting),
            write(5, 3, 20, Waiting),
        ];
        assert_eq!(next(&queue, 10), Next::At(20));
        assert_eq!(next(&queue, 30), Next::Send(&queue[4]));
        assert_eq!(next(&queue[..4], 60), Next::Send(&queue[0]));
        assert_eq!(next(&queue[2..4], 60), Next::Nothing);
        let far = [write(1, 1, Millis::MAX, Waiting)];
        assert_eq!(next(&far, 10), Next::At(10 + RARELY));
    }

    #[test]
    fn what_may_pass_is_tried_for_ever_and_what_will_not_comes_back() {
        let one = write(1, 1, 0, WriteState::Waiting);
        assert_eq!(outcome(&one, &Ok(()), 10), Outcome::Done);
        let Outcome::Again(later, true) = outcome(
            &CardWrite {
                tries: 1_000,
                ..one.clone()
            },
            &error(ErrorKind::Unreachable),
            10,
        ) else {
            panic!("given up");
        };
        assert_eq!(later.next_at, 10 + LONGEST_PAUSE);
        for status in [400, 404, 409, 422] {
            assert!(
                matches!(outcome(&one, &error(ErrorKind::Rejected { status }), 10), Outcome::Refused(it) if it.said.ends_with(": said"))
            );
        }
        let taken = CardWrite { give: false, ..one };
        assert_eq!(
            outcome(&taken, &error(ErrorKind::Rejected { status: 404 }), 10),
            Outcome::Done
        );
        assert!(matches!(
            outcome(&taken, &error(ErrorKind::Unsupported), 10),
            Outcome::Refused(_)
        ));
        assert!(matches!(
            outcome(&taken, &error(ErrorKind::Unauthorised), 10),
            Outcome::Again(it, true) if it.next_at == 10 + RARELY
        ));
    }
}
