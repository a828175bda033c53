//! The typed configuration, its defaults and its errors. Nothing else reads the environment.
//!
//! | file | what |
//! | --- | --- |
//! | `model` | the configuration as the rooms use it |
//! | `keys` | every key and its default |
//! | `load` | from a file to the model, or to everything wrong with it |
//! | `error` | what is wrong, rendered like a compiler's messages |
//! | `reading`, `section`, `values` | typed access to the file that goes on after a mistake |
//! | `site`, `schedule`, `lines`, `wiring`, `cloud`, `platforms`, `hooks`, `mqtt`, `ks`, `page`, `desk`, `rules` | one part of the file each |
//! | `profile` | the parameters of the rules, and a table of them for each platform |
//! | `secrets` | passwords, tokens and keys by reference |
//! | `env` | the environment of the process |
//! | `watch` | SIGHUP and changes of the file |

mod cloud;
mod desk;
pub mod env;
pub mod error;
mod hooks;
pub mod keys;
mod ks;
mod lines;
mod load;
pub mod model;
mod mqtt;
mod page;
mod platforms;
pub mod profile;
mod reading;
mod rules;
mod schedule;
mod secrets;
mod section;
mod site;
mod values;
pub mod watch;
mod wiring;

pub use env::Environment;
pub use error::{ConfigError, Findings, Palette};
pub use load::{glance, load, parse, read};
pub use model::Config;
pub use secrets::Purpose;
pub use watch::{ConfigWatch, Trigger};
