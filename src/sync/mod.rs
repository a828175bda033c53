//! When to pull, what to hold back, what is stale, and how check-ins reach the cloud.
//!
//! | file | what |
//! | --- | --- |
//! | `judge` | may this complete snapshot replace the one in force: pure |
//! | `stale` | how long grants hold without contact: pure |
//! | `pace` | when to ask again after success, failure and throttling: pure |
//! | `build` | facts to grants to index, the same at start, after a pull and after a new configuration |
//! | `ready` | complete facts worked out and judged, one large thing at a time |
//! | `hints` | when to listen for changes: pure |
//! | `pull` | the task that pulls, judges, stores and swaps |
//! | `status` | how it stands, for people |
//! | `checkins` | the task that drains granted entries to the cloud |
//! | `tries` | which check-ins have their answer, and which are given up: pure |

pub mod build;
pub mod checkins;
pub mod hints;
pub mod judge;
pub mod pace;
pub mod pull;
mod ready;
pub mod stale;
pub mod status;
pub mod tries;
