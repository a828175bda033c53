//! Entries at KS: heard by the stream, asked for where the stream may have missed some, each once in the journal.
//!
//! | file | what |
//! | --- | --- |
//! | `model` | an entry as KS says it |
//! | `map` | what becomes of it |
//! | `own` | openings that the gateway asked for |
//! | `people` | whose it is, and at which door |
//! | `book` | which are in the journal already, over kills and power cuts |
//! | `journal` | the store, as the book needs it |
//! | `hub` | the stream |
//! | `backfill` | asking for the past |
//! | `plan` | when, and how far back |
//! | `input` | what both tell the listener |
//! | `listener` | the task that keeps the book |
//! | `status` | how it stands |

mod backfill;
pub mod book;
pub mod hub;
mod input;
mod journal;
mod listener;
pub mod map;
pub mod model;
mod own;
pub mod people;
mod plan;
mod status;

pub use listener::{FAULTS, Listener};
pub use own::OwnOpenings;
pub use people::{Doors, Holders};
