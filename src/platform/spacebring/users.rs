//! Which membership a user has here. Kept between reads, so it is small: ids are UUIDs, 16 bytes each.

use crate::domain::PersonId;
use std::collections::HashMap;

/// Users with their memberships of this location.
#[derive(Debug, Default)]
pub(super) struct Users {
    uuids: HashMap<u128, u128>,
    /// Where one of the two is none.
    others: HashMap<String, String>,
}

impl Users {
    pub(super) fn insert(&mut self, user: &str, membership: &str) {
        match (number(user), number(membership)) {
            (Some(user), Some(membership)) => {
                self.uuids.insert(user, membership);
            }
            _ => {
                self.others.insert(user.to_owned(), membership.to_owned());
            }
        }
    }

    pub(super) fn get(&self, user: &str) -> Option<PersonId> {
        let uuid = number(user).and_then(|user| self.uuids.get(&user));
        if let Some(membership) = uuid {
            return Some(PersonId::from(text(*membership).as_str()));
        }
        self.others
            .get(user)
            .map(|membership| PersonId::from(membership.as_str()))
    }

    /// Nobody has this membership any more.
    pub(super) fn forget(&mut self, membership: &str) {
        if let Some(number) = number(membership) {
            self.uuids.retain(|_, known| *known != number);
        }
        self.others.retain(|_, known| known != membership);
    }
}

/// A UUID in its usual spelling, and in no other: it must come back as it was.
fn number(uuid: &str) -> Option<u128> {
    let number = u128::from_str_radix(&uuid.replace('-', ""), 16).ok()?;
    (text(number) == uuid).then_some(number)
}

fn text(number: u128) -> String {
    let part = |shift: u32, bits: u32| (number >> shift) & ((1 << bits) - 1);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        part(96, 32),
        part(80, 16),
        part(64, 16),
        part(48, 16),
        part(0, 48)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_whatever_the_ids_look_like() {
        let uuid = "3f0c6a4e-5f0e-4b1c-9f3e-2d1a7c9b8e10";
        let mut users = Users::default();
        let pairs = [
            ("00000000-0000-0000-0000-000000000001", uuid),
            ("u-1", "m-1"),
            ("3F0C6A4E-5F0E-4B1C-9F3E-2D1A7C9B8E10", "m-2"),
            ("3f0c6a4e5f0e4b1c9f3e2d1a7c9b8e10", "m-3"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "+1"),
        ];
        for (user, membership) in pairs {
            users.insert(user, membership);
        }
        for (user, membership) in pairs {
            assert_eq!(users.get(user), Some(membership.into()), "{user}");
            users.forget(membership);
            assert_eq!(users.get(user), None);
        }
    }
}
