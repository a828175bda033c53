//! Logins that have begun in a browser and not come back yet. Each state is good once and for a while.

use crate::domain::secret::Secret;
use std::{collections::VecDeque, time::Duration};
use subtle::ConstantTimeEq;
use url::Url;

/// As long as somebody may take to find the password.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// At a time: whoever asks for more loses the oldest.
const MOST: usize = 8;

/// One login under way.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) state: Secret,
    pub(super) verifier: Secret,
    pub(super) redirect: Url,
    /// Time since the start.
    pub(super) at: Duration,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<Begun>);

impl Pending {
    pub(super) fn begin(&mut self, begun: Begun) {
        self.0.push_back(begun);
        while self.0.len() > MOST {
            self.0.pop_front();
        }
    }

    /// The login of this state, which is then used up. `now`: time since the start.
    pub(super) fn take(&mut self, state: &str, now: Duration) -> Option<Begun> {
        self.0.retain(|begun| now.saturating_sub(begun.at) < PATIENCE);
        let same = |begun: &Begun| bool::from(begun.state.reveal().as_bytes().ct_eq(state.as_bytes()));
        let place = self.0.iter().position(same)?;
        self.0.remove(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(state: &str, at: u64) -> Begun {
        Begun {
            state: Secret::new(state.into()),
            verifier: Secret::new("v".into()),
            redirect: Url::parse("https://doors.example.com/ks/callback").unwrap(),
            at: Duration::from_secs(at),
        }
    }

    #[test]
    fn a_state_is_good_once_and_for_a_quarter_of_an_hour() {
        let mut pending = Pending::default();
        pending.begin(begun("one", 0));
        pending.begin(begun("two", 10));
        let at = Duration::from_secs;
        assert!(pending.take("three", at(11)).is_none());
        assert!(pending.take("", at(11)).is_none());
        assert!(pending.take("one", at(11)).is_some());
        assert!(pending.take("one", at(11)).is_none(), "used up");
        assert!(pending.take("two", at(10 + 15 * 60)).is_none(), "too late");
    }

    #[test]
    fn only_a_few_are_kept() {
        let mut pending = Pending::default();
        for number in 0..20 {
            pending.begin(begun(&number.to_string(), 0));
        }
        assert!(pending.take("11", Duration::ZERO).is_none());
        assert!(pending.take("12", Duration::ZERO).is_some());
    }
}
