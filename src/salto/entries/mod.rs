//! Entries at KS: heard by the stream, asked for where the stream may have missed some, each once in the journal.
//!
//! | file | what |
//! | --- | --- |
//! | `model` | an entry as KS says it |
//! | `map` | what becomes of it |
//! | `book` | which are in the journal already, over kills and power cuts |
//! | `journal` | the store, as the book needs it |

pub mod book;
mod journal;
pub mod map;
pub mod model;
