//! Whose check-in runs, and until when. A further entry within it changes nothing at the platform (R28), so nothing has
//! to be read again: a member who goes in and out all day would else use up the platform's budget. Pure.

use crate::domain::{Millis, PersonId};
use std::collections::HashMap;

/// The check-ins that run, as the platform last said.
#[derive(Debug, Default)]
pub(super) struct Running(HashMap<PersonId, Millis>);

impl Running {
    /// A check-in was accepted at `now` and runs until `until`, where the platform says so. Whether that is news.
    pub(super) fn is_news(&mut self, person: &PersonId, until: Option<Millis>, now: Millis) -> bool {
        self.0.retain(|_, until| now < *until);
        until.is_none_or(|until| self.0.insert(person.clone(), until) != Some(until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_in_is_news_once_while_it_runs() {
        let mut running = Running::default();
        let (ana, ben) = (PersonId::from("ana"), PersonId::from("ben"));
        assert!(running.is_news(&ana, Some(100), 0));
        assert!(!running.is_news(&ana, Some(100), 50));
        assert!(running.is_news(&ben, Some(100), 50), "of another person");
        assert!(
            running.is_news(&ana, Some(200), 60),
            "a longer pass took its place"
        );
        assert!(running.is_news(&ana, Some(300), 250), "the next one");
        assert!(running.is_news(&ben, None, 260) && running.is_news(&ben, None, 261));
    }
}
