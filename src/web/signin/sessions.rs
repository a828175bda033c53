//! Who is signed in at a browser. In memory: a restart signs everybody out. Pure: time comes in as time since the start.

use super::{random::Sum, role::Role};
use std::{collections::HashMap, time::Duration};

/// A session that nothing came from for so long ends. A tablet at the desk asks all day long.
pub const IDLE: Duration = Duration::from_secs(2 * 3600);
/// And every session after so long: a working day.
pub const ABSOLUTE: Duration = Duration::from_secs(12 * 3600);
/// Sessions of one account; the one that was idle for the longest makes room.
const OF_ONE: usize = 16;
/// Sessions of all.
const OF_ALL: usize = 256;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The account; `oidc:…` for those of the space's identity provider.
    pub(super) account: String,
    pub(super) role: Role,
    pub(super) began: Duration,
    pub(super) seen: Duration,
}

impl Session {
    fn holds(&self, now: Duration) -> bool {
        now.saturating_sub(self.seen) < IDLE && now.saturating_sub(self.began) < ABSOLUTE
    }
}

/// All sessions, by the sum of their secret.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<Sum, Session>);

impl Sessions {
    pub(super) fn begin(&mut self, key: Sum, account: &str, role: Role, now: Duration) {
        self.0.retain(|_, session| session.holds(now));
        while self.0.values().filter(|it| it.account == account).count() >= OF_ONE {
            self.end_idlest(|session| session.account == account);
        }
        while self.0.len() >= OF_ALL {
            self.end_idlest(|_| true);
        }
        let session = Session {
            account: account.to_owned(),
            role,
            began: now,
            seen: now,
        };
        self.0.insert(key, session);
    }

    fn end_idlest(&mut self, of: impl Fn(&Session) -> bool) {
        let idlest = self.0.iter().filter(|(_, session)| of(session));
        let idlest = idlest
            .min_by_key(|(_, session)| session.seen)
            .map(|(key, _)| *key);
        if let Some(key) = idlest {
            self.0.remove(&key);
        }
    }

    /// Whose it is, if it holds; it is seen now.
    pub(super) fn seen(&mut self, key: &Sum, now: Duration) -> Option<&Session> {
        if self.0.get(key).is_some_and(|session| !session.holds(now)) {
            self.0.remove(key);
        }
        let session = self.0.get_mut(key)?;
        session.seen = now;
        Some(session)
    }

    /// Whether it holds, without being a sign of life: an open stream of events is none.
    pub(super) fn holds(&self, key: &Sum, now: Duration) -> bool {
        self.0.get(key).is_some_and(|session| session.holds(now))
    }

    pub(super) fn end(&mut self, key: &Sum) {
        self.0.remove(key);
    }

    /// Ends every session of an account. How many there were.
    pub(super) fn end_all(&mut self, account: &str) -> usize {
        let before = self.0.len();
        self.0.retain(|_, session| session.account != account);
        before - self.0.len()
    }

    /// The highest role of somebody's sessions.
    pub(super) fn highest(&self, account: &str) -> Option<Role> {
        let of = self.0.values().filter(|session| session.account == account);
        of.map(|session| session.role).max()
    }

    pub(super) fn count(&self, account: &str, now: Duration) -> usize {
        let of = |session: &&Session| session.account == account && session.holds(now);
        self.0.values().filter(of).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[test]
    fn a_session_ends_when_it_is_idle_and_at_the_end_of_the_day() {
        let mut sessions = Sessions::default();
        sessions.begin([1; 32], "ana", Role::Desk, S);
        assert!(sessions.seen(&[1; 32], S + IDLE / 2).is_some());
        assert!(sessions.seen(&[1; 32], IDLE).is_some(), "seen in between");
        assert!(sessions.holds(&[1; 32], IDLE + IDLE - S));
        assert!(sessions.seen(&[1; 32], IDLE + IDLE).is_none(), "idle");
        sessions.begin([2; 32], "ana", Role::Desk, S);
        let mut now = S;
        while now + IDLE / 2 < S + ABSOLUTE {
            now += IDLE / 2;
            assert!(sessions.seen(&[2; 32], now).is_some());
        }
        assert!(
            sessions.seen(&[2; 32], S + ABSOLUTE).is_none(),
            "the end of the day"
        );
    }

    #[test]
    fn all_sessions_of_one_end_together_and_there_are_only_so_many() {
        let mut sessions = Sessions::default();
        for number in 0..40_u8 {
            sessions.begin([number; 32], "ana", Role::Desk, S * u32::from(number));
        }
        sessions.begin([99; 32], "ben", Role::Viewer, S);
        assert_eq!(sessions.count("ana", S * 50), OF_ONE);
        assert!(sessions.seen(&[39; 32], S * 50).is_some() && sessions.seen(&[0; 32], S * 50).is_none());
        assert_eq!(sessions.end_all("ana"), OF_ONE);
        assert_eq!(sessions.count("ben", S * 50), 1);
        for number in 0..2_000_u32 {
            let mut key = [7; 32];
            key[..4].copy_from_slice(&number.to_le_bytes());
            sessions.begin(key, &format!("a{number}"), Role::Desk, S * 51);
        }
        assert_eq!(sessions.0.len(), OF_ALL);
    }
}
