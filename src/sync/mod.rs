//! When to pull, what to hold back, what is stale, and how check-ins reach the cloud.
//!
//! | file | what |
//! | --- | --- |
//! | `judge` | may this complete snapshot replace the one in force: pure |
//! | `stale` | how long grants hold without contact: pure |
//! | `pace` | when to ask again after success, failure and throttling: pure |
//! | `build` | facts to grants to index, the same at start, after a pull and after a new configuration |
//! | `local` | what the gateway itself holds beside the facts: cards of the desk, guests, blocks |
//! | `hints` | when to listen for changes: pure |
//! | `burst` | what hints suggest to fetch, gathered: pure |
//! | `hinter` | how hints reach the puller |
//! | `pull` | the task that pulls: timer, hints, commands, faults |
//! | `consider` | what becomes of complete facts: judged, held, stored and swapped |
//! | `problems` | what was left out of the facts, kept beside them |
//! | `refresh` | fetching what hints name, and nothing else |
//! | `cancelled` | who is cancelled at the platform and still gets in: pure |
//! | `status` | how it stands, for people |
//! | `checkins` | the task that drains granted entries to the cloud |
//! | `running` | whose check-in runs, and until when: pure |
//! | `tries` | which check-ins have their answer, and which are given up: pure |

pub mod build;
pub mod burst;
pub mod cancelled;
pub mod checkins;
mod consider;
pub mod hinter;
pub mod hints;
pub mod judge;
pub mod local;
pub mod pace;
pub mod problems;
pub mod pull;
mod refresh;
mod running;
pub mod stale;
pub mod status;
pub mod tries;
