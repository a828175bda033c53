//! Simulators of the site around the gateway.

#[cfg(feature = "independent")]
pub mod independent;
pub mod osdp;
pub mod pty;
pub mod wradapt;
