//! Who may do what: one table.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an account is for. Each may do what the next one may, and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees doors, entries and how the gateway is: a screen at the entrance.
    Viewer,
    /// Helps people: looks them up, gives cards, opens a door once.
    Desk,
    /// Runs the site: lockdown, sync, staff, tokens, the audit trail.
    Manager,
    /// Set it up: everything.
    Installer,
}

impl Role {
    /// All, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Desk, Self::Manager, Self::Installer];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Desk => "desk",
            Self::Manager => "manager",
            Self::Installer => "installer",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it may do this.
    #[must_use]
    pub fn may(self, act: Act) -> bool {
        act.least() <= self
    }

    /// Everything that it may do.
    #[must_use]
    pub fn acts(self) -> Vec<Act> {
        Act::ALL.into_iter().filter(|act| self.may(*act)).collect()
    }
}

/// Something that can be allowed: to a role by the table below, to a token by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Act {
    /// How the gateway is, and its sync.
    #[serde(rename = "status:read")]
    ReadStatus,
    /// What happened at the doors.
    #[serde(rename = "events:read")]
    ReadEvents,
    /// The doors' state.
    #[serde(rename = "doors:read")]
    ReadDoors,
    /// People, with what they may open and why.
    #[serde(rename = "people:read")]
    ReadPeople,
    /// Giving, moving and blocking cards.
    #[serde(rename = "cards:write")]
    WriteCards,
    /// Opening a door once.
    #[serde(rename = "doors:open")]
    OpenDoors,
    /// Lockdown of a door, and its end.
    #[serde(rename = "doors:lockdown")]
    LockDown,
    /// Fetching the facts now, and putting a held snapshot into force.
    #[serde(rename = "sync:run")]
    RunSync,
    /// The audit trail.
    #[serde(rename = "audit:read")]
    ReadAudit,
    /// Accounts of roles up to one's own.
    #[serde(rename = "staff:manage")]
    ManageStaff,
    /// Tokens for the building network.
    #[serde(rename = "tokens:manage")]
    ManageTokens,
    /// What an installer sets up at the page: the connection to SALTO KS.
    #[serde(rename = "system:configure")]
    Configure,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ReadStatus,
        Self::ReadEvents,
        Self::ReadDoors,
        Self::ReadPeople,
        Self::WriteCards,
        Self::OpenDoors,
        Self::LockDown,
        Self::RunSync,
        Self::ReadAudit,
        Self::ManageStaff,
        Self::ManageTokens,
        Self::Configure,
    ];

    /// The least role that may do it: the table.
    #[must_use]
    pub const fn least(self) -> Role {
        match self {
            Self::ReadStatus | Self::ReadEvents | Self::ReadDoors => Role::Viewer,
            Self::ReadPeople | Self::WriteCards | Self::OpenDoors => Role::Desk,
            Self::LockDown | Self::RunSync | Self::ReadAudit | Self::ManageStaff | Self::ManageTokens => {
                Role::Manager
            }
            Self::Configure => Role::Installer,
        }
    }

    /// Whether a token may have it: a token gives no rights to others.
    #[must_use]
    pub const fn fits_a_token(self) -> bool {
        !matches!(self, Self::ManageStaff | Self::ManageTokens | Self::Configure)
    }

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadStatus => "status:read",
            Self::ReadEvents => "events:read",
            Self::ReadDoors => "doors:read",
            Self::ReadPeople => "people:read",
            Self::WriteCards => "cards:write",
            Self::OpenDoors => "doors:open",
            Self::LockDown => "doors:lockdown",
            Self::RunSync => "sync:run",
            Self::ReadAudit => "audit:read",
            Self::ManageStaff => "staff:manage",
            Self::ManageTokens => "tokens:manage",
            Self::Configure => "system:configure",
        }
    }

    /// The act of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_one_below_may_and_more() {
        for pair in Role::ALL.windows(2) {
            let (low, high) = (pair[0].acts(), pair[1].acts());
            assert!(low.iter().all(|act| high.contains(act)) && low.len() < high.len());
        }
        assert_eq!(Role::Installer.acts().len(), Act::ALL.len());
        assert!(!Role::Viewer.may(Act::ReadPeople) && !Role::Desk.may(Act::ManageStaff));
        for act in Act::ALL {
            assert_eq!(serde_json::to_value(act).unwrap(), act.name());
            assert_eq!(Act::from_name(act.name()), Some(act));
        }
    }
}
