//! Scenarios, one file each, named by what happens.

mod journal_killed;
mod journal_outbox;
mod journal_support;
