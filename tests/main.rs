//! Scenarios, one file each, named by what happens.

mod journal_bounds;
mod journal_disk_faults;
mod journal_killed;
mod journal_outbox;
mod journal_power_cut;
mod journal_support;
