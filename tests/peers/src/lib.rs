//! Simulators of the site around the gateway.

pub mod cloud;
