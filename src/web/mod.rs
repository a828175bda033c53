//! What the gateway lets in from the network: web hooks of the platform, staff at its own page, and nothing that the configuration does not
//! name (invariant 9).
//!
//! The gateway's own page and its JSON API are the other: `page` listens, `signin` says who asks and what they may,
//! `api` answers.
//!
//! A web hook is a hint. It says what to look at, never what is true: the worst that a forged one can do is a fetch.
//!
//! | file | what |
//! | --- | --- |
//! | `hooks` | one request: secret part, limits, signature, replay, hints |
//! | `listen` | sockets: addresses, TLS, how many at once and for how long |
//! | `sources` | how often one address may ask: pure |
//! | `replays` | which deliveries were heard already |
//! | `receiver` | the task: listens, tells the platform where, rereads the certificate |
//! | `assets` | the page itself: document, scripts, styles, words |
//! | `words` | the same words for the page of forms |
//! | `page` | the gateway's own page: its task, its certificate, what every answer carries |

pub mod api;
pub mod assets;
mod hooks;
mod listen;
pub mod page;
pub mod problem;
mod receiver;
mod replays;
pub mod signin;
mod sources;
mod words;

pub use receiver::{FAULTS, Forward, Receiver};
