//! The answer to a presentation, and one state machine a door.
//!
//! | file | what |
//! | --- | --- |
//! | `answer` | presentation in, answer out, on the reader's own thread: decide, record, reply |
//! | `machine` | secured, released, held, forced, lockdown: pure |
//! | `keeper` | the thread that runs the machines: inputs and time in, events and releases out |
//! | `loan` | a door's reader lent to the enrolment desk for a moment |
//! | `world` | what an answer reads: index, bindings, limits, behind atomic pointers |

pub mod answer;
pub mod keeper;
pub mod loan;
pub mod machine;
pub mod world;

#[cfg(test)]
mod tests;
