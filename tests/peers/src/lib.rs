//! Simulators of the site around the gateway.

pub mod osdp;
pub mod pty;
pub mod wradapt;
