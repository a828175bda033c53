//! One change at KS, and where it stands in the order of a plan.

use crate::{
    domain::{Credential, PersonId},
    salto::wanted::{Slot, Why},
};
use serde::{Deserialize, Serialize};

/// A change. Groups stand here by name until they exist, people by the platform's id until they have a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// The user stays what it is; from now on the gateway knows whose it is.
    Adopt {
        /// Who.
        person: PersonId,
        /// The user at the site.
        site_user: String,
    },
    /// A new user.
    CreateUser {
        /// Who.
        person: PersonId,
        /// What the user is called.
        alias: String,
        /// Full name.
        name: String,
        /// For an invitation.
        email: Option<String>,
        /// The tag, if the person has one.
        tag: Option<Credential>,
        /// Users of this name that are others.
        before: Vec<String>,
    },
    /// Another name.
    Rename {
        /// Who.
        person: PersonId,
        /// The name.
        alias: String,
    },
    /// The user gets this tag.
    GiveTag {
        /// Who.
        person: PersonId,
        /// Which.
        tag: Credential,
    },
    /// The user loses its tag.
    TakeTag {
        /// Who.
        person: PersonId,
    },
    /// Nothing opens for the user (R5).
    Block {
        /// Who.
        person: PersonId,
    },
    /// It opens again what it opened.
    Unblock {
        /// Who.
        person: PersonId,
    },
    /// Gives the seat up (R32, R33).
    Suspend {
        /// Who.
        person: PersonId,
    },
    /// Takes a seat again.
    Subscribe {
        /// Who.
        person: PersonId,
    },
    /// A new access group, which opens nothing yet.
    CreateGroup {
        /// Its name.
        group: String,
    },
    /// Removes a managed access group with everything in it.
    DeleteGroup {
        /// Its UUID.
        id: String,
        /// Its name.
        group: String,
    },
    /// A time schedule for a group.
    AddSlot {
        /// The group's name.
        group: String,
        /// When.
        slot: Slot,
    },
    /// Removes a time schedule.
    RemoveSlot {
        /// The group's UUID.
        id: String,
        /// Its name.
        group: String,
        /// The schedule's UUID.
        schedule: String,
        /// What it was, if it could be understood.
        slot: Option<Slot>,
    },
    /// A lock for a group.
    AddLock {
        /// The group's name.
        group: String,
        /// The lock's UUID.
        lock: String,
    },
    /// Removes a lock from a group.
    RemoveLock {
        /// The group's UUID.
        id: String,
        /// Its name.
        group: String,
        /// The lock's UUID.
        lock: String,
    },
    /// Puts a person in a group.
    AddMember {
        /// The group's name.
        group: String,
        /// Who.
        person: PersonId,
    },
    /// Takes a user out of a group.
    RemoveMember {
        /// The group's UUID.
        id: String,
        /// Its name.
        group: String,
        /// The user's id at KS.
        user: String,
    },
}

/// The order of a plan. What belongs to one stage may be under way at the same time; a stage begins when the one before it
/// has ended. Rights go first, except those of people who get others in the same plan; nobody joins a group before its
/// schedule and its locks are right, and no lock and no schedule joins a group in which there is somebody who goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Adopts users: nothing is sent.
    Adopt,
    /// Blocks.
    Block,
    /// Members that go, and groups that go.
    Leave,
    /// Locks that go.
    Unlock,
    /// Seats given up, tags taken.
    Rest,
    /// Users made and named.
    People,
    /// Groups made.
    Groups,
    /// Schedules added.
    Open,
    /// Schedules removed: after the new ones, so that nobody who stays is locked out between.
    Close,
    /// Locks added.
    Lock,
    /// Members that come.
    Join,
    /// Members and groups that go because others took their place.
    Move,
    /// Blocks lifted, seats taken, tags given: last, when what they open is right.
    Wake,
}

/// A change with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When its turn is.
    pub stage: Stage,
    /// What to do.
    pub act: Act,
    /// The person, as people read it; empty for what is about no person.
    pub who: String,
    /// Why.
    pub why: Why,
}

/// A step in words, for people and programs. No tag stands in it whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDoc {
    /// What kind of change.
    pub act: String,
    /// The person; empty for what is about no person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub who: String,
    /// The access group; empty for what is about none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// The schedule, the lock, the tag, the name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// Why.
    pub why: Why,
}

impl Act {
    /// The kind, as one word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Adopt { .. } => "adopt",
            Self::CreateUser { .. } => "create-user",
            Self::Rename { .. } => "rename",
            Self::GiveTag { .. } => "give-tag",
            Self::TakeTag { .. } => "take-tag",
            Self::Block { .. } => "block",
            Self::Unblock { .. } => "unblock",
            Self::Suspend { .. } => "suspend",
            Self::Subscribe { .. } => "subscribe",
            Self::CreateGroup { .. } => "create-group",
            Self::DeleteGroup { .. } => "delete-group",
            Self::AddSlot { .. } => "add-schedule",
            Self::RemoveSlot { .. } => "remove-schedule",
            Self::AddLock { .. } => "add-lock",
            Self::RemoveLock { .. } => "remove-lock",
            Self::AddMember { .. } => "add-member",
            Self::RemoveMember { .. } => "remove-member",
        }
    }

    /// The group's name, if it is about one.
    #[must_use]
    pub fn group(&self) -> &str {
        match self {
            Self::CreateGroup { group }
            | Self::DeleteGroup { group, .. }
            | Self::AddSlot { group, .. }
            | Self::RemoveSlot { group, .. }
            | Self::AddLock { group, .. }
            | Self::RemoveLock { group, .. }
            | Self::AddMember { group, .. }
            | Self::RemoveMember { group, .. } => group,
            _ => "",
        }
    }

    /// Whether it takes one of the seats that the site pays for.
    #[must_use]
    pub const fn takes_a_seat(&self) -> bool {
        matches!(self, Self::CreateUser { .. } | Self::Subscribe { .. })
    }

    /// The person, if it is about one whom the gateway knows.
    #[must_use]
    pub const fn person(&self) -> Option<&PersonId> {
        match self {
            Self::Adopt { person, .. }
            | Self::CreateUser { person, .. }
            | Self::Rename { person, .. }
            | Self::GiveTag { person, .. }
            | Self::TakeTag { person }
            | Self::Block { person }
            | Self::Unblock { person }
            | Self::Suspend { person }
            | Self::Subscribe { person }
            | Self::AddMember { person, .. } => Some(person),
            _ => None,
        }
    }

    /// The schedule, lock, tag or name. `lock` gives a lock's door.
    fn what(&self, lock: &dyn Fn(&str) -> String) -> String {
        match self {
            Self::CreateUser { alias, tag, .. } => match tag {
                Some(tag) => format!("{alias}, tag {tag}"),
                None => alias.clone(),
            },
            Self::Rename { alias, .. } => alias.clone(),
            Self::GiveTag { tag, .. } => tag.to_string(),
            Self::AddSlot { slot, .. } => slot.to_string(),
            Self::RemoveSlot { slot, .. } => slot.map_or_else(
                || "a schedule that cannot be read".into(),
                |slot| slot.to_string(),
            ),
            Self::AddLock { lock: id, .. } | Self::RemoveLock { lock: id, .. } => lock(id),
            _ => String::new(),
        }
    }
}

impl Step {
    /// In words. `lock` gives a lock's door.
    #[must_use]
    pub fn doc(&self, lock: &dyn Fn(&str) -> String) -> StepDoc {
        StepDoc {
            act: self.act.name().into(),
            who: self.who.clone(),
            group: self.act.group().into(),
            what: self.act.what(lock),
            why: self.why.clone(),
        }
    }
}
