//! Which lock at KS is which door here. The configuration names a lock by its name there or by its UUID.

use super::model::Lock;
use crate::{config::model::DoorConfig, domain::DoorId};
use std::collections::BTreeMap;

/// Doors and their locks, both ways.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doors {
    locks: BTreeMap<DoorId, String>,
    doors: BTreeMap<String, DoorId>,
    /// Doors whose lock is not to be found, or is found twice: each with what to do about it.
    pub lost: BTreeMap<DoorId, String>,
}

impl Doors {
    /// The lock's UUID.
    #[must_use]
    pub fn lock(&self, door: &str) -> Option<&str> {
        self.locks.get(door).map(String::as_str)
    }

    /// The door of a lock's UUID.
    #[must_use]
    pub fn door(&self, lock: &str) -> Option<&DoorId> {
        self.doors.get(lock)
    }

    /// Every door with its lock's UUID.
    pub fn iter(&self) -> impl Iterator<Item = (&DoorId, &str)> {
        self.locks.iter().map(|(door, lock)| (door, lock.as_str()))
    }
}

/// Finds the locks of the doors. `remembered` is what was found the last time: a lock that was given another name at KS is
/// still the same one, and nobody loses a door by that.
#[must_use]
pub fn resolve(configs: &[DoorConfig], locks: &[Lock], remembered: &BTreeMap<DoorId, String>) -> Doors {
    let mut doors = Doors::default();
    for config in configs {
        let Some(wanted) = &config.ks_lock else { continue };
        let named = |lock: &&Lock| lock.customer_reference.as_deref().map(str::trim) == Some(wanted.trim());
        let by_id = locks.iter().find(|lock| lock.id.eq_ignore_ascii_case(wanted));
        let mut by_name = locks.iter().filter(named);
        let found = match (by_id, by_name.next(), by_name.next()) {
            (Some(lock), ..) | (None, Some(lock), None) => Some(lock),
            (None, Some(_), Some(_)) => {
                let text = format!(
                    "two locks at SALTO KS are called \"{wanted}\": write the UUID of the right one as ks_lock of door {}",
                    config.id
                );
                doors.lost.insert(config.id.clone(), text);
                continue;
            }
            (None, None, _) => {
                let text = format!(
                    "no lock at SALTO KS is called \"{wanted}\": correct ks_lock of door {}",
                    config.id
                );
                doors.lost.insert(config.id.clone(), text);
                let before = remembered.get(&config.id);
                before.and_then(|id| locks.iter().find(|lock| lock.id == *id))
            }
        };
        if let Some(lock) = found {
            doors.locks.insert(config.id.clone(), lock.id.clone());
            doors.doors.insert(lock.id.clone(), config.id.clone());
        }
    }
    doors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(id: &str, name: &str) -> Lock {
        serde_json::from_value(serde_json::json!({ "id": id, "customer_reference": name })).unwrap()
    }

    fn door(id: &str, lock: &str) -> DoorConfig {
        DoorConfig {
            id: id.into(),
            release: None,
            release_for: std::time::Duration::ZERO,
            contact: None,
            request_to_exit: None,
            held_after: std::time::Duration::ZERO,
            ks_lock: Some(lock.into()),
        }
    }

    #[test]
    fn a_lock_is_known_by_name_or_id_and_after_a_new_name_as_well() {
        let locks = [
            lock("l1", "Front"),
            lock("l2", "Room"),
            lock("l3", "Twin"),
            lock("l4", "Twin"),
        ];
        let configs = [
            door("front", "Front"),
            door("room", "L2"),
            door("twin", "Twin"),
            door("gone", "Old"),
        ];
        let known = BTreeMap::from([("gone".into(), "l9".to_owned())]);
        let doors = resolve(&configs, &locks, &known);
        assert_eq!(
            (doors.lock("front"), doors.lock("room")),
            (Some("l1"), Some("l2"))
        );
        assert_eq!(doors.door("l2").unwrap().as_str(), "room");
        assert_eq!(
            doors.lost.keys().map(DoorId::as_str).collect::<Vec<_>>(),
            ["gone", "twin"]
        );
        let known = BTreeMap::from([("gone".into(), "l1".to_owned())]);
        let doors = resolve(&configs[3..], &locks, &known);
        assert_eq!(doors.lock("gone"), Some("l1"), "the same lock by another name");
        assert_eq!(doors.lost.len(), 1, "and somebody is told");
    }
}
