//! What stands at KS, as it was read or written last. Kept small: a thousand people are some hundred kilobytes.
//!
//! | file | what |
//! | --- | --- |
//! | `read` | reads it: all of it, or what a steady state needs |

mod read;

pub use read::{At, Depth, Reader};

use super::{model::SiteUser, wanted::Slot};
use crate::domain::Credential;
use std::collections::{BTreeMap, BTreeSet};

/// A user of the site, as far as a plan looks at one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// The id at KS.
    pub user: String,
    /// What the site calls the person.
    pub alias: String,
    /// E-mail.
    pub email: Option<String>,
    /// The tag.
    pub tag: Option<Credential>,
    /// Whether the person is blocked.
    pub blocked: bool,
    /// Whether the person holds no seat.
    pub suspended: bool,
    /// Whether a role of the person administers the site: such a person is never put to rest from here.
    pub admin: bool,
}

impl User {
    /// From an answer.
    #[must_use]
    pub fn of(said: &SiteUser) -> Self {
        let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        let alias = Some(text(&said.alias)).filter(|alias| !alias.is_empty());
        let name = || format!("{} {}", text(&said.user.first_name), text(&said.user.last_name));
        Self {
            user: said.user.id.clone(),
            alias: alias.unwrap_or_else(|| name().trim().to_owned()),
            email: said.user.email.clone().filter(|email| !email.is_empty()),
            tag: said
                .user
                .tag_number
                .as_deref()
                .and_then(|tag| Credential::ks_tag(tag).ok()),
            blocked: said.blocked,
            suspended: said.is_suspended(),
            admin: said
                .roles
                .iter()
                .any(|role| role.code.as_deref().is_some_and(|code| code.contains("admin"))),
        }
    }
}

/// An access group. Only managed ones are looked into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Members by their id at KS.
    pub members: BTreeSet<String>,
    /// Locks by UUID.
    pub locks: BTreeSet<String>,
    /// Schedules by UUID; `None` for one that cannot be understood.
    pub slots: BTreeMap<String, Option<Slot>>,
}

/// Seats of the subscription.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// How many there are.
    pub all: u32,
    /// How many are taken.
    pub taken: u32,
}

/// Everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    /// Users by the id at the site.
    pub users: BTreeMap<String, User>,
    /// Managed groups by UUID.
    pub groups: BTreeMap<String, Group>,
    /// Seats, if KS says.
    pub seats: Option<Seats>,
}

/// Which groups are the gateway's own to manage (R37, R38).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    /// What names begin with.
    pub prefix: String,
    /// Further names.
    pub names: BTreeSet<String>,
}

impl Managed {
    /// By the configuration.
    #[must_use]
    pub fn of(config: &crate::config::model::KsConfig) -> Self {
        Self {
            prefix: config.prefix.clone(),
            names: config
                .groups
                .values()
                .map(|name| name.trim().to_owned())
                .collect(),
        }
    }

    /// Whether the group of this name is managed.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        name.starts_with(&self.prefix) || self.names.contains(name.trim())
    }
}
