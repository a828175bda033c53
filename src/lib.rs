//! Doorward: the appliance between a coworking space's cloud and its doors.
//!
//! A member presents a fob; the gateway decides from its own memory, opens the door, and tells the cloud
//! afterwards. `docs/architecture.md` says why it is built as it is; this is the map.
//!
//! # Layout
//! | room | what lives there |
//! | --- | --- |
//! | [`domain`] | the words every room speaks: plain values, no IO |
//! | [`clock`] | the one place that asks the system for the time |
//! | [`config`] | the typed configuration, its defaults and its errors |
//! | [`health`] | what is wrong and how each part is doing |
//! | [`memory`] | freed memory given back to the system |
//! | [`access`] | the pure decision |
//! | [`rules`] | facts and a profile in, grants out |
//! | [`store`] | SQLite and the ring: snapshot, journal, outbox, cards |
//! | [`platform`] | where facts come from and check-ins go: contract, file |
//! | [`sync`] | when to pull, what to hold back, what is stale |
//! | [`readers`] | OSDP and WRADAPT on serial lines |
//! | [`doors`] | the answer to a presentation, and one state machine a door |
//! | [`salto`] | SALTO KS: its locks kept in step, its entries heard |
//! | [`desk`] | the enrolment desk: its readers; cards given out, moved, blocked and taken back |
//! | [`building`] | MQTT |
//! | [`web`] | what comes in from the network: web hooks |
//! | [`daemon`] | assembly of `doorward run` |
//! | [`cli`] | arguments, one file a command |
//!
//! Arrows point down only: cli, daemon -> building, web, sync, salto, readers, doors, desk -> store, rules, platform, access ->
//! health, config, clock -> domain.

pub mod access;
pub mod building;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod desk;
pub mod domain;
pub mod doors;
#[doc(hidden)]
pub mod fuzzing;
pub mod health;
pub mod memory;
pub mod platform;
pub mod readers;
pub mod rules;
pub mod salto;
pub mod store;
pub mod sync;
pub mod web;
