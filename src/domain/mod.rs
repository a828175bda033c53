//! The words that every room speaks: plain values, no IO, no clock, no runtime.
//!
//! | file | what |
//! | --- | --- |
//! | `ids` | typed names of doors, readers, people, groups, schedules |
//! | `time` | instants as Unix milliseconds, half-open windows, clock quality |
//! | `credential` | typed, canonical card numbers that do not print |
//! | `facts` | what a platform says, in platform-neutral words |
//! | `text` | ids and names of a platform, short ones in place |
//! | `opening` | hours of weekdays and closed days, as a platform says them |
//! | `grant` | what the rules make of facts, and the snapshot that the doors decide from |
//! | `site` | doors, groups, weekly schedules and holidays, from the configuration |
//! | `reason` | why a decision came out as it did: the closed list that integrators rely on |
//! | `secret` | passwords and keys that do not print |
//! | `event` | what happened at a door, as the journal keeps it |
//! | `presentation` | what a reader heard, and what it is told to show |
//! | `say` | what the gateway says in its own words, by code and parameters |

pub mod credential;
pub mod event;
pub mod facts;
pub mod grant;
pub mod ids;
pub mod opening;
pub mod presentation;
pub mod reason;
pub mod say;
pub mod secret;
pub mod site;
pub mod text;
pub mod time;

pub use credential::{Credential, CredentialError, Scheme};
pub use event::{ClockQuality, EntryEvent, EventKind};
pub use grant::{Block, BlockTarget, Grant, GrantKind, Snapshot, Source};
pub use ids::{DoorId, EventId, GroupId, LineId, PersonId, ReaderId, ScheduleId};
pub use presentation::{Answer, Feedback, Presentation, Release};
pub use reason::Reason;
pub use say::Say;
pub use text::Text;
pub use time::{Millis, Moment, Window};
