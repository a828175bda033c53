//! The enrolment desk: a card in a hand to a member who can enter. Nothing here is an entry event.
//!
//! | file | what |
//! | --- | --- |
//! | `readers` | the readers at the desk, whatever they are, in one stream of events |
//! | `views` | a card's number as readers, platforms and stickers write it, and what such a number may mean: pure |
//! | `fold` | text as it is compared in a search: pure |
//! | `directory` | people and cards of the stored facts, for looking up and searching: pure |
//! | `decide` | what an action at the desk comes to, or why it is refused: pure |
//! | `service` | the desk: what every action shares, and its effect at the doors |
//! | `people` | who there is |
//! | `look` | what is known of a card |
//! | `actions` | what people do with one card |
//! | `lists` | many cards at once: what is known, what a file says |
//! | `answers` | what the service answers, for page, interface and command line |
//! | `audit` | who did what, told to whoever keeps it |
//! | `refs` | cards by reference, for whoever must not have their numbers |
//! | `recent` | the last refusals and changes of a card, from the journal |
//! | `writes` | when to tell the platform what, and what its answer means: pure |
//! | `writer` | the task that tells the platform |
//! | `conflicts` | what the platform did not take, for the person who did it |
//! | `bulk` | a queue of people, the next presentation is the next one's: pure |
//! | `bulk_day` | the queue as the service keeps it |
//! | `sheet` | CSV of cards and of people, row by row: pure |

pub mod actions;
pub mod answers;
pub mod audit;
pub mod bulk;
mod bulk_day;
pub mod conflicts;
pub mod decide;
pub mod directory;
mod fold;
mod lists;
mod look;
mod people;
pub mod readers;
pub mod recent;
pub mod refs;
mod service;
pub mod sheet;
pub mod views;
mod writer;
pub mod writes;

pub use actions::NewGuest;
pub use answers::{Change, Held, Known, Look, Place, Presented};
pub use audit::{Action, Actor, Audit, JournalAudit, TrailAudit};
pub use bulk::{Bulk, Progress};
pub use bulk_day::{Step, Wanted};
pub use conflicts::{Conflict, Resolution};
pub use decide::Refusal;
pub use directory::{Directory, Hit};
pub use fold::fold;
pub use service::{Around, Desk, DeskError, Doors};
