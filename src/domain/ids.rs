//! Typed names, so that a door can never be passed where a reader is meant.

use super::Text;
use serde::{Deserialize, Serialize};
use std::{borrow::Borrow, fmt, sync::Arc};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl From<Text> for $name {
            fn from(text: Text) -> Self {
                Self(text.as_str().into())
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

id!(
    /// A door (portal) of the site, as the configuration names it.
    DoorId
);
id!(
    /// A reader, as the configuration names it. Unique over the whole site.
    ReaderId
);
id!(
    /// A serial line: one bus of OSDP readers, or one WRADAPT box.
    LineId
);
id!(
    /// A person, by the id that the platform gave. Never the e-mail address (R35).
    PersonId
);
id!(
    /// A group of doors with optional hours, as the configuration names it.
    GroupId
);
id!(
    /// A weekly schedule, as the configuration names it.
    ScheduleId
);
id!(
    /// An event, unique over the life of the installation and beyond: `<installation>-<sequence>`.
    EventId
);
