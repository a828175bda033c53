//! Assembly of `doorward run`: threads, tasks, reload, shutdown. No decision is taken here.
//!
//! | file | what |
//! | --- | --- |
//! | `boot` | from a configuration to doors that are decided: the order of the start |
//! | `gate` | what the lines' threads call: answers, journal, faults |
//! | `tasks` | everything that may wait: cloud, check-ins, web hooks, MQTT |
//! | `desk_readers` | the desk's readers, and door readers lent to them |
//! | `serve` | the loop that lives with the tasks: signals, reload, watchdog |
//! | `ks_session` | the account at SALTO KS of the time |
//! | `ks_entries` | hearing its entries, and pairing tags with cards |
//! | `ks_tags`, `ks_cards` | the same for the control socket, and tags as cards of the desk |
//! | `ks_connect` | its login, survey and site, for the control socket |
//! | `ks_open` | remote opening for the control socket: whether, and who asked |
//! | `ks_watch` | locks and batteries at SALTO KS |
//! | `lockdown` | lockdown that outlives the gateway |
//! | `page` | the page, and what it needs |
//! | `rooms` | what the rooms answer at the control socket |
//! | `desk`, `desk_routes` | the enrolment desk: its effect at the doors, its tasks, its place on the socket |
//! | `trail` | who did what over that socket |
//! | `control` | the local socket of the command line |
//!
//! # Threads
//! One a serial line (cards are answered there), one for the doors' machines, one for the journal, and the
//! runtime's own for everything that waits for a network. The start is in that order too: doors are decided
//! before the first packet leaves.

mod boot;
pub mod control;
mod desk;
pub mod desk_readers;
pub mod desk_routes;
mod gate;
pub mod ks;
mod ks_cards;
pub mod ks_connect;
mod ks_entries;
pub mod ks_open;
mod ks_session;
pub mod ks_tags;
mod ks_watch;
mod lockdown;
mod page;
mod rooms;
mod serve;
mod tasks;
mod trail;

pub use boot::RunError;

use crate::{config::Environment, memory};
use std::path::Path;

/// Runs the gateway until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot begin: the configuration is wrong, or the state directory cannot be used at all.
pub fn run(config: &Path, environment: &Environment) -> Result<(), RunError> {
    memory::frugal();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .thread_keep_alive(std::time::Duration::from_secs(2))
        .build()
        .map_err(RunError::Runtime)?;
    // Before the file is read: a change in between is then a change, not the start.
    let watch = runtime.block_on(async { serve::watch(config) });
    let site = boot::boot(config, environment)?;
    let served = runtime.block_on(serve::serve(site, watch));
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    served
}
