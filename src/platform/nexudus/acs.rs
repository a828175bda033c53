//! Custom ACS: Nexudus works out who is in which access group and pushes it, one customer at a time (facts: platforms.md
//! 3.7). What was pushed last holds until the next push, so it is kept over restarts, beside the tokens.

use super::times;
use crate::{
    domain::{
        Millis, PersonId,
        facts::{Facts, Person},
        secret::Secret,
    },
    platform::vault::{Kept, Vault},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The vault's name for it.
const ROW: &str = "pushed groups";
/// Groups of one customer.
const MOST_GROUPS: usize = 500;

/// One push, as it arrives.
#[derive(Debug, Deserialize)]
pub(super) struct Push {
    time: Option<String>,
    business: Option<Numbered>,
    coworker: Numbered,
    groups: Vec<Value>,
    #[serde(default)]
    schedule: Vec<Expiry>,
}

#[derive(Debug, Deserialize)]
struct Numbered {
    id: u64,
}

#[derive(Debug, Deserialize)]
struct Expiry {
    group: Value,
    expires_on: Option<String>,
}

/// A group's id may be written as a number.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Push {
    /// Reads one; `None` when it is none.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let push: Self = serde_json::from_slice(body).ok()?;
        let sound = push.groups.len() <= MOST_GROUPS && push.groups.iter().all(|group| word(group).is_some());
        sound.then_some(push)
    }

    /// When it was made, Unix milliseconds, if it says.
    pub(super) fn made(&self) -> Option<Millis> {
        times::instant(self.time.as_deref()?)
    }

    /// Whether it is about this location. One that does not say is.
    pub(super) fn is_for(&self, business: u64) -> bool {
        self.business.as_ref().is_none_or(|given| given.id == business)
    }

    fn held(&self) -> Held {
        let mut groups = BTreeMap::new();
        for group in self.groups.iter().filter_map(word) {
            let expiry = self
                .schedule
                .iter()
                .find(|it| word(&it.group).as_ref() == Some(&group));
            let until = expiry.and_then(|it| it.expires_on.as_deref());
            // An end that cannot be read is one that has passed: rather closed than open for ever.
            let until = until.map(|text| times::instant(text).unwrap_or(0));
            groups.insert(group, until);
        }
        Held {
            made: self.made(),
            groups,
        }
    }
}

/// What a customer was pushed last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    made: Option<Millis>,
    groups: BTreeMap<String, Option<Millis>>,
}

type All = BTreeMap<u64, Held>;

/// What was pushed, for everybody.
#[derive(Debug)]
pub(super) struct Pushed {
    vault: Vault,
    all: Mutex<Option<All>>,
}

impl Pushed {
    pub(super) fn new(vault: &Vault) -> Self {
        Self {
            vault: vault.beside("nexudus-groups"),
            all: Mutex::new(None),
        }
    }

    fn with<T>(&self, job: impl FnOnce(&mut All) -> T) -> T {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let all = all.get_or_insert_with(|| {
            let kept = self.vault.get(ROW);
            let read = kept.and_then(|kept| serde_json::from_str(kept.secret.reveal()).ok());
            read.unwrap_or_default()
        });
        job(all)
    }

    /// Takes pushes. One that was made before the last one of the same customer changes nothing. Blocks for the disk.
    pub(super) fn take<'p>(&self, pushes: impl Iterator<Item = &'p str>) {
        self.with(|all| {
            let mut changed = false;
            for push in pushes.filter_map(|text| Push::read(text.as_bytes())) {
                let held = push.held();
                let last = all.entry(push.coworker.id).or_default();
                let older = matches!((last.made, held.made), (Some(last), Some(made)) if made < last);
                if !older && *last != held {
                    *last = held;
                    changed = true;
                }
            }
            if changed {
                self.keep(all);
            }
        });
    }

    fn keep(&self, all: &All) {
        let Ok(text) = serde_json::to_string(all) else {
            return; // numbers and texts can always be written
        };
        let kept = Kept {
            secret: Secret::new(text),
            until: None,
        };
        if let Err(error) = self.vault.put(ROW, &kept) {
            tracing::warn!(%error, "the groups that Nexudus pushed cannot be kept; they hold until the next start");
        }
    }

    /// Gives everybody what was pushed, and nothing else.
    pub(super) fn put(&self, facts: &mut Facts) {
        self.with(|all| {
            for person in &mut facts.people {
                put(person, number(&person.id).and_then(|id| all.get(&id)));
            }
        });
    }

    /// Every group that was ever pushed to anybody.
    pub(super) fn groups(&self) -> Vec<String> {
        self.with(|all| {
            let mut groups: Vec<String> = all
                .values()
                .flat_map(|held| held.groups.keys().cloned())
                .collect();
            groups.sort_unstable();
            groups.dedup();
            groups
        })
    }
}

fn number(id: &PersonId) -> Option<u64> {
    id.as_str().parse().ok()
}

fn put(person: &mut Person, held: Option<&Held>) {
    person.groups.clear();
    person.group_ends.clear();
    for (group, until) in held.into_iter().flat_map(|held| &held.groups) {
        person.groups.push(group.clone().into());
        if let Some(until) = until {
            person.group_ends.insert(group.clone().into(), *until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(time: &str, groups: &str) -> String {
        format!(
            r#"{{"time":"{time}","business":{{"id":1414}},"coworker":{{"id":9,"accessPincode":"1234"}},"groups":{groups},
                "schedule":[{{"group":"2","expires_on":"2026-06-10T12:00:00Z"}}]}}"#
        )
    }
    fn facts() -> Facts {
        Facts {
            people: vec![Person::new("9", "Ada"), Person::new("10", "Bea")],
            ..Facts::default()
        }
    }

    #[test]
    fn the_last_push_holds_with_its_ends_and_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::new(folder.path());
        let pushed = Pushed::new(&vault);
        let first = push("2026-06-10T10:00:00Z", r#"["1", 2]"#);
        pushed.take([first.as_str()].into_iter());
        let mut made = facts();
        Pushed::new(&vault).put(&mut made);
        let ada = &made.people[0];
        assert_eq!(ada.groups, ["1", "2"]);
        assert_eq!(ada.group_ends.get("2"), Some(&1_781_092_800_000));
        assert!(!ada.group_ends.contains_key("1") && made.people[1].groups.is_empty());

        let older = push("2026-06-10T09:00:00Z", r#"["1","2","3"]"#);
        let none = push("2026-06-10T11:00:00Z", "[]");
        pushed.take([older.as_str()].into_iter());
        pushed.put(&mut made);
        assert_eq!(made.people[0].groups.len(), 2, "an older one changes nothing");
        pushed.take([none.as_str(), "{}", "rubbish"].into_iter());
        pushed.put(&mut made);
        assert_eq!(made, facts(), "all of them were taken away");
    }

    #[test]
    fn a_push_with_groups_that_are_none_is_no_push_and_an_odd_end_has_passed() {
        assert!(Push::read(push("x", r#"["1",null]"#).as_bytes()).is_none());
        assert!(Push::read(push("x", r#"[{"id":1}]"#).as_bytes()).is_none());
        let odd = push("x", r#"["2"]"#).replace("2026-06-10T12:00:00Z", "soon");
        let held = Push::read(odd.as_bytes()).unwrap().held();
        assert_eq!((held.made, held.groups.get("2")), (None, Some(&Some(0))));
    }
}
