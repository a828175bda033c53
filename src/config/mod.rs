//! The typed configuration, its defaults and its errors. Nothing else reads the environment.

pub mod model;

pub use model::Config;
